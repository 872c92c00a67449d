/* A store out of a backup, into a place where nothing is. */
#ifndef PORTABLE_RESTORE_H
#define PORTABLE_RESTORE_H
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/crypto/age.h"
#include "pds/crypto/passphrase.h"
#include "pds/crypto/secret.h"

#include <stdint.h>

struct restore_keys {
    const struct secret_text *recovery_code;     /* opens the backup, and will open the store */
    const struct age_identity *identity;         /* instead: then a new recovery code is made */
    const struct secret_text *backup_passphrase; /* instead: the same */
    const struct secret_text *passphrase;        /* of the new store */
    const uint8_t *keyfile_key;                  /* KEY_BYTES that shall open it too; or NULL */
    struct passphrase_cost cost;
};
/* Read fd, a regular file, to its end, twice: first it is verified, then the store dir is made, with a store
 * key and blob keys of its own, and all of it checked. Built beside and renamed, so that dir is a whole store
 * or nothing. dir must not exist, or be an empty folder (ERR_CONFLICT). What an earlier restore to dir left
 * beside it when it was killed is taken away. A new recovery code, if one was made, goes to *code (the
 * caller's; else NULL). ERR_WRONG_KEY when the keys open nothing; ERR_UNSUPPORTED when it is no backup;
 * ERR_CORRUPT. {"store","made_at","files","pages"} */
MUST_CHECK enum err restore_make(int fd, const char *dir, const struct restore_keys *keys, int64_t now,
                                 struct secret_text **code, json_t **out);
#endif
