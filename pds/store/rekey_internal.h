/* Between rekey.c (making the new vault), rekey_switch.c (putting it in its place, once or again after a
 * crash) and store.c. */
#ifndef STORE_REKEY_INTERNAL_H
#define STORE_REKEY_INTERNAL_H
#include "pds/base/err.h"
#include "pds/base/fs.h"
#include "pds/crypto/keyfile.h"
#include "pds/store/store.h"

/* What a vault's page 1 ends with: nonce and tag of its seal. */
MUST_CHECK enum err rekey_vault_mark(const char *dir, uint8_t out[static KEYFILE_VAULT_BYTES]);
/* keys names the new vault, which lies in rekey/ whole and synced: it takes its place. With the folder and
 * the old vault's lock held. *arrived: it has; after a failure rekey_settle() does the rest. */
MUST_CHECK enum err rekey_switch(const struct store *s, struct keyfile *keys, bool *arrived);
/* What a crash or a failure left of a switch, whenever keys.json is read to open the store: *keys, as it was
 * read, becomes what is true. */
MUST_CHECK enum err rekey_settle(const struct store *s, struct keyfile **keys);
/* Take rekey/ away, if it is there. By whoever has the vault open. */
void rekey_tidy(const struct store *s);
#endif
