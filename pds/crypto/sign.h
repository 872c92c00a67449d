/* Signatures of the store: Ed25519 (RFC 8032). */
#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H
#include "pds/base/err.h"
#include "pds/crypto/secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIGN_PUBLIC_BYTES = 32, SIGN_BYTES = 64 };

void sign_public(const struct sign_seed *seed, uint8_t out[static SIGN_PUBLIC_BYTES]);
void sign_make(const struct sign_seed *seed, const void *bytes, size_t len, uint8_t out[static SIGN_BYTES]);
bool sign_is_valid(const uint8_t key[static SIGN_PUBLIC_BYTES], const void *bytes, size_t len,
                   const uint8_t signature[static SIGN_BYTES]);
#endif
