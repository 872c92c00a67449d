/* Small values of the store itself, by name: a closed list. */
#ifndef STORE_SETTING_H
#define STORE_SETTING_H
#include "pds/base/buf.h"
#include "pds/base/err.h"

#include <stddef.h>

struct db; /* pds/vault/db.h */

enum setting {
    SETTING_BACKUP_RECIPIENT, /* "backup.recipient": 32 bytes, the X25519 key that backups are sealed to */
};

/* Add the bytes to out. ERR_NOT_FOUND when it was never set. */
MUST_CHECK enum err setting_get(struct db *db, enum setting s, struct buf *out);
/* Inside a write. */
MUST_CHECK enum err setting_set(struct db *db, enum setting s, const void *bytes, size_t len);
/* Forget those that tell anything of the owner's data, when all of it is erased. Inside a write. */
MUST_CHECK enum err setting_forget(struct db *db);
#endif
