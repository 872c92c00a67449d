/* keys.json: the store key, wrapped in slots. Nothing in it is secret or personal: the store's
 * random id, and for each slot its kind, parameters, salt and the sealed key. The parameters are
 * bound into each seal, so that lowering them breaks the slot. */
#ifndef CRYPTO_KEYFILE_H
#define CRYPTO_KEYFILE_H
#include "pds/base/buf.h"
#include "pds/base/err.h"
#include "pds/base/str.h"
#include "pds/crypto/keyring.h"
#include "pds/crypto/passphrase.h"
#include "pds/crypto/secret.h"

#include <stdbool.h>
#include <stdint.h>

enum slot_kind { SLOT_PASSPHRASE = 1, SLOT_RECOVERY, SLOT_KEYFILE };

struct keyfile; /* slots in memory */

/* A new store: random id and a random store key, without a slot. */
MUST_CHECK enum err keyfile_new(struct keyfile **out, struct store_key **root);
/* The same for a store that there was before: its id, a store key of its own. */
MUST_CHECK enum err keyfile_new_of(const uint8_t store_id[static STORE_ID_BYTES], struct keyfile **out,
                                   struct store_key **root);
/* Slots that look like others and that nothing opens; a try of a passphrase costs this. NULL: no memory. */
struct keyfile *keyfile_new_decoy(struct passphrase_cost cost);
/* Read keys.json. ERR_CORRUPT when it breaks its format, ERR_UNSUPPORTED when its version is a later one,
 * ERR_NOT_FOUND when there is none. */
MUST_CHECK enum err keyfile_load(const char *path, struct keyfile **out);
MUST_CHECK enum err keyfile_save(const struct keyfile *k, const char *path); /* atomic, mode 0600 */
/* Its text, and back; errors as above. */
MUST_CHECK enum err keyfile_parse(struct str text, struct keyfile **out);
void keyfile_write(struct buf *out, const struct keyfile *k);
void keyfile_free(struct keyfile *k);
static inline void keyfile_freep(struct keyfile **k) { keyfile_free(*k); }

const uint8_t *keyfile_store_id(const struct keyfile *k); /* STORE_ID_BYTES, borrowed */
bool keyfile_has(const struct keyfile *k, enum slot_kind kind);

/* Wrap root for a passphrase, a recovery code, or the 32 bytes of a key file; replaces a slot of
 * the same kind. In memory: keyfile_save() makes it last. */
MUST_CHECK enum err keyfile_set_passphrase(struct keyfile *k, const struct store_key *root,
                                           const struct secret_text *passphrase, struct passphrase_cost cost);
MUST_CHECK enum err keyfile_set_recovery(struct keyfile *k, const struct store_key *root,
                                         const struct secret_text *code);
MUST_CHECK enum err keyfile_set_keyfile(struct keyfile *k, const struct store_key *root,
                                        const uint8_t key[static KEY_BYTES]);

/* Unwrap. ERR_WRONG_KEY when no slot of that kind opens; ERR_INVALID for a mistyped recovery code.
 * *root is the caller's. */
MUST_CHECK enum err keyfile_open_passphrase(const struct keyfile *k, const struct secret_text *passphrase,
                                            struct store_key **root);
MUST_CHECK enum err keyfile_open_recovery(const struct keyfile *k, const struct secret_text *code,
                                          struct store_key **root);
MUST_CHECK enum err keyfile_open_keyfile(const struct keyfile *k, const uint8_t key[static KEY_BYTES],
                                         struct store_key **root);

/* Take a slot away, in memory. ERR_NOT_FOUND when there is none; ERR_CONFLICT when it is the last. */
MUST_CHECK enum err keyfile_drop(struct keyfile *k, enum slot_kind kind);

/* Another store key for the same store: the same id, no slot yet, and a check that tells its key from others.
 */
MUST_CHECK enum err keyfile_renew(const struct keyfile *k, struct keyfile **out, struct store_key **root);
/* Beside the slots of today, those of a renewed one, which count as soon as vault.db is the one whose page 1
 * ends with these bytes: so one file names both keys while a rekey puts the other in its place. Whoever finds
 * it afterwards promotes, when vault.db is that one, or drops it. In memory; keyfile_save() makes it last. */
enum { KEYFILE_VAULT_BYTES = 40 };
void keyfile_set_next(struct keyfile *k, const struct keyfile *next,
                      const uint8_t vault[static KEYFILE_VAULT_BYTES]);
const uint8_t *keyfile_next_vault(const struct keyfile *k); /* borrowed; NULL when there is no next */
void keyfile_promote(struct keyfile *k);
void keyfile_drop_next(struct keyfile *k);
/* ERR_CONFLICT when root is a key from before a rekey. Slots are to be set for the key of the store alone. */
MUST_CHECK enum err keyfile_fits(const struct keyfile *k, const struct store_key *root);
bool keyfile_is_same(const struct keyfile *a, const struct keyfile *b);

/* Whether the passphrase slot costs less than `cost` (to be re-wrapped at sign-in). */
bool keyfile_is_cheaper(const struct keyfile *k, struct passphrase_cost cost);
#endif
