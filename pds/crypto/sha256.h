/* SHA-256 (FIPS 180-4), HMAC over it (RFC 2104) and HKDF (RFC 5869): where a public format asks for them. Our
 * own formats hash with BLAKE2b (pds/crypto/seal.h). */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H
#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_TEXT_BYTES = 2 * SHA256_BYTES + 1 };

/* Bytes as they come. */
struct sha256 {
    _Alignas(16) uint8_t opaque[128];
};
void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *bytes, size_t len);
void sha256_end(struct sha256 *h, uint8_t out[static SHA256_BYTES]);

void sha256_of(const void *bytes, size_t len, uint8_t out[static SHA256_BYTES]); /* all at once */
/* As sha256sum(1) writes it: 64 lower-case hex digits and a NUL. */
void sha256_text(const uint8_t hash[static SHA256_BYTES], char out[static SHA256_TEXT_BYTES]);

/* HMAC-SHA-256 of bytes under a key of any length. */
void sha256_hmac(const void *key, size_t key_len, const void *bytes, size_t len,
                 uint8_t out[static SHA256_BYTES]);

/* HKDF-SHA-256, one block of output. An empty salt stands for 32 zero bytes (RFC 5869 2.2). */
void sha256_hkdf(const void *salt, size_t salt_len, const void *secret, size_t secret_len, const void *info,
                 size_t info_len, uint8_t out[static SHA256_BYTES]);
#endif
