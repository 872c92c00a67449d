/* Another store key: everything is encrypted again, so that whoever had the old key, or a copy of keys.json
 * and its passphrase, reads nothing that the store holds from now on.
 *
 * A new vault is made beside, in the folder rekey/, and blobs under new names and keys; keys.json then names
 * both keys, the new vault takes the place of the old, and keys.json names the new key alone. Cut anywhere,
 * the store is the old one or the new one, whole (docs/keys.md). */
#ifndef STORE_REKEY_H
#define STORE_REKEY_H
#include "pds/base/err.h"
#include "pds/crypto/passphrase.h"
#include "pds/crypto/secret.h"
#include "pds/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct rekey_options {
    const struct secret_text *passphrase; /* of the store; it stays */
    struct passphrase_cost cost;
    const uint8_t *keyfile_key; /* KEY_BYTES that open it too from now on, or NULL */
    bool drop_keyfile;          /* none does any more */
};

/* Lock the store, give it another key, and open it again when it was open: sessions have ended. *code is the
 * new recovery code, the caller's, to be shown once; the old one opens neither the store nor later backups.
 * Also when the store has the new key and cannot be opened again: the story tells, *code is set. ERR_INVALID
 * for a store with a key file when none is given or dropped; ERR_WRONG_KEY; ERR_BUSY when somebody has it
 * open; ERR_CONFLICT when keys.json changed meanwhile; ERR_FULL: it takes the room of the whole store again.
 */
MUST_CHECK enum err rekey_run(struct store *s, const struct rekey_options *options, int64_t now,
                              struct secret_text **code);
#endif
