/* Where a command finds the key of a store: --key-file, --passphrase-file, $TRABOULE_PASSPHRASE_FILE,
 * $CREDENTIALS_DIRECTORY/traboule, or a question at the terminal. Never an argument. */
#ifndef CLI_KEY_H
#define CLI_KEY_H
#include "pds/base/err.h"
#include "pds/base/opt.h"
#include "pds/crypto/passphrase.h"
#include "pds/crypto/secret.h"
#include "pds/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* The passphrase of these places; with ask false ERR_NOT_FOUND when none of them speaks. */
MUST_CHECK enum err key_passphrase(const struct opt table[], const struct opts *o, bool ask,
                                   struct secret_text **out);
/* A recovery code: --recovery-code-file, $TRABOULE_RECOVERY_CODE_FILE, or a question. */
MUST_CHECK enum err key_recovery_code(const struct opt table[], const struct opts *o,
                                      struct secret_text **out);
/* The store key by passphrase or key file; with ask false ERR_NOT_FOUND when no place speaks. *passphrase,
 * when not NULL, receives the passphrase if that was the way (else NULL): the caller's. */
MUST_CHECK enum err key_find(struct store *store, const struct opt table[], const struct opts *o, bool ask,
                             struct store_key **root, struct secret_text **passphrase);
/* What wrapping for a passphrase shall cost: by --kdf-memory-mib, else what this machine should pay.
 * ERR_USAGE. */
MUST_CHECK enum err key_cost(const struct opt table[], const struct opts *o, struct passphrase_cost *out);
/* Read a key file: exactly KEY_BYTES bytes. */
MUST_CHECK enum err key_file_read(const char *path, uint8_t key[static KEY_BYTES]);
/* Make one at a path where nothing is. */
MUST_CHECK enum err key_file_make(const char *path, uint8_t key[static KEY_BYTES]);
#endif
