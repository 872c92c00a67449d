/* Whom the backups of a store are sealed to: the age recipient whose identity its recovery code derives. Kept
 * in the vault, so that a backup needs no secret and opens with what is printed. */
#ifndef STORE_RECIPIENT_H
#define STORE_RECIPIENT_H
#include "pds/base/err.h"
#include "pds/crypto/age.h"
#include "pds/crypto/secret.h"
#include "pds/store/store.h"

#include <stdint.h>

struct db; /* pds/vault/db.h */

/* Inside a write, whenever a store gets a recovery code: keep the recipient that goes with it. */
MUST_CHECK enum err recipient_keep(struct db *db, const struct secret_text *code);
/* The same for a store that may be locked, and may know it already: it is opened for that with its key.
 * ERR_BUSY when another process has it open. */
MUST_CHECK enum err recipient_keep_in(struct store *s, const struct store_key *root,
                                      const struct secret_text *code, int64_t now);
/* ERR_NOT_FOUND when none was kept: the store was made before there were backups. */
MUST_CHECK enum err recipient_get(struct db *db, uint8_t out[static AGE_RECIPIENT_BYTES]);
#endif
