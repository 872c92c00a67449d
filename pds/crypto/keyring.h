/* The keys of an open store: everything is derived from the store key by crypto_kdf with a
 * context and a number each (docs/keys.md lists them). */
#ifndef CRYPTO_KEYRING_H
#define CRYPTO_KEYRING_H
#include "pds/base/err.h"
#include "pds/crypto/secret.h"

#include <stdint.h>

enum { STORE_ID_BYTES = 16 };

/* A subkey; each into a key that the caller made with X_new(). */
void keyring_page(const struct store_key *root, struct page_key *out);
void keyring_anchor(const struct store_key *root, struct anchor_key *out);
void keyring_value(const struct store_key *root, struct value_key *out);
#endif
