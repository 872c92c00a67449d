/* Sealing: XChaCha20-Poly1305 (IETF), bound to what the bytes belong to.
 * Pages are sealed in place with nonce and tag behind them; small values carry nonce and tag around them. */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H
#include "pds/base/err.h"
#include "pds/crypto/secret.h"

#include <stddef.h>
#include <stdint.h>

enum {
    SEAL_NONCE_BYTES = 24,
    SEAL_TAG_BYTES = 16,
    SEAL_EXTRA_BYTES = SEAL_NONCE_BYTES + SEAL_TAG_BYTES,
    SEAL_HASH_BYTES = 32
};

/* out receives len sealed bytes, then 24 of nonce, then 16 of tag: len + SEAL_EXTRA_BYTES in all.
 * in and out may be the same place, not otherwise overlap. `bound` is authenticated, not stored. */
void seal_page(const struct page_key *key, const void *in, size_t len, const void *bound, size_t bound_len,
               void *out);
/* The reverse: in holds len + SEAL_EXTRA_BYTES, out receives len. ERR_CORRUPT (no story: the caller
 * knows the place) when a bit, the key or what it is bound to differs; then out is unspecified. */
MUST_CHECK enum err seal_page_open(const struct page_key *key, const void *in, size_t len, const void *bound,
                                   size_t bound_len, void *out);

/* The same layout for small values under their own keys. */
void seal_anchor(const struct anchor_key *key, const void *in, size_t len, const void *bound,
                 size_t bound_len, void *out);
MUST_CHECK enum err seal_anchor_open(const struct anchor_key *key, const void *in, size_t len,
                                     const void *bound, size_t bound_len, void *out);
void seal_value(const struct value_key *key, const void *in, size_t len, const void *bound, size_t bound_len,
                void *out);
MUST_CHECK enum err seal_value_open(const struct value_key *key, const void *in, size_t len,
                                    const void *bound, size_t bound_len, void *out);

/* The same layout for a chunk of a blob (pds/crypto/sealfile.h) and for the store key in a slot. */
void seal_blob(const struct blob_key *key, const void *in, size_t len, const void *bound, size_t bound_len,
               void *out);
MUST_CHECK enum err seal_blob_open(const struct blob_key *key, const void *in, size_t len, const void *bound,
                                   size_t bound_len, void *out);
void seal_slot(const struct slot_key *key, const void *in, size_t len, const void *bound, size_t bound_len,
               void *out);
MUST_CHECK enum err seal_slot_open(const struct slot_key *key, const void *in, size_t len, const void *bound,
                                   size_t bound_len, void *out);

/* Keyed BLAKE2b of 32 bytes: to look tokens up. */
void seal_digest(const struct value_key *key, const void *in, size_t len,
                 uint8_t out[static SEAL_HASH_BYTES]);
/* Unkeyed BLAKE2b-256, of content. */
struct seal_hash {
    _Alignas(64) uint8_t opaque[384];
};
void seal_hash_init(struct seal_hash *h);
void seal_hash_add(struct seal_hash *h, const void *bytes, size_t len);
void seal_hash_end(struct seal_hash *h, uint8_t out[static SEAL_HASH_BYTES]);
#endif
