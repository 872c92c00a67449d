/* What a rekey must know, from the command to the daemon that carries it out: the passphrase and the key of a
 * key file, in a sealed file without a name, whose descriptor goes over the control socket. */
#ifndef CLI_REKEY_SECRETS_H
#define CLI_REKEY_SECRETS_H
#include "pds/base/err.h"
#include "pds/base/fs.h"
#include "pds/base/opt.h"
#include "pds/crypto/secret.h"
#include "pds/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct rekey_secrets {
    int fd;                   /* owned; -1 */
    char made[FS_PATH_BYTES]; /* a key file that was made for it; "" for none */
    bool used;                /* else that is taken away again */
};
void rekey_secrets_done(struct rekey_secrets *s);
/* Whether the key file that was made opens the store. */
bool rekey_secrets_open(const struct rekey_secrets *s, struct store *store);

/* Ask for the passphrase, and read the key file that is named, or make it where there is none. *root is the
 * store's key by that passphrase: ERR_WRONG_KEY before anything is begun. */
MUST_CHECK enum err rekey_secrets_find(struct store *store, const struct opt table[], const struct opts *o,
                                       struct rekey_secrets *out, struct store_key **root);
/* The other end. *has_key: key was filled. */
MUST_CHECK enum err rekey_secrets_read(int fd, struct secret_text **passphrase, uint8_t key[static KEY_BYTES],
                                       bool *has_key);
#endif
