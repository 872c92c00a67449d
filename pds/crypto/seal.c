#include "pds/crypto/seal.h"

#include "pds/crypto/cipher_internal.h"
#include "pds/crypto/random.h"

#include <sodium.h>

_Static_assert((int)CIPHER_KEY_BYTES == (int)KEY_BYTES, "size of a key");
_Static_assert((int)CIPHER_NONCE_BYTES == (int)SEAL_NONCE_BYTES, "size of a nonce");
_Static_assert((int)CIPHER_TAG_BYTES == (int)SEAL_TAG_BYTES, "size of a tag");
_Static_assert(sizeof(struct seal_hash) >= sizeof(crypto_generichash_state), "room for a hash");
_Static_assert(_Alignof(struct seal_hash) >= _Alignof(crypto_generichash_state), "place for a hash");

static void seal(const uint8_t key[static KEY_BYTES], const void *in, size_t len, const void *bound,
                 size_t bound_len, uint8_t *out)
{
    uint8_t *nonce = out + len;
    uint8_t *tag = nonce + SEAL_NONCE_BYTES;

    random_nonce(nonce, SEAL_NONCE_BYTES);
    cipher_seal(key, nonce, bound, bound_len, in, len, out, tag);
}

static enum err unseal(const uint8_t key[static KEY_BYTES], const uint8_t *in, size_t len, const void *bound,
                       size_t bound_len, void *out)
{
    const uint8_t *nonce = in + len;
    const uint8_t *tag = nonce + SEAL_NONCE_BYTES;

    return cipher_open(key, nonce, bound, bound_len, in, len, tag, out) ? ERR_OK : ERR_CORRUPT;
}

/* The pair of functions of one kind of key. */
#define SEAL_PAIR(noun, key_type)                                                                            \
    void seal_##noun(const struct key_type *key, const void *in, size_t len, const void *bound,              \
                     size_t bound_len, void *out)                                                            \
    {                                                                                                        \
        seal(key->bytes, in, len, bound, bound_len, out);                                                    \
    }                                                                                                        \
    enum err seal_##noun##_open(const struct key_type *key, const void *in, size_t len, const void *bound,   \
                                size_t bound_len, void *out)                                                 \
    {                                                                                                        \
        return unseal(key->bytes, in, len, bound, bound_len, out);                                           \
    }

SEAL_PAIR(page, page_key)
SEAL_PAIR(anchor, anchor_key)
SEAL_PAIR(blob, blob_key)
SEAL_PAIR(value, value_key)
SEAL_PAIR(slot, slot_key)

void seal_digest(const struct value_key *key, const void *in, size_t len, uint8_t out[static SEAL_HASH_BYTES])
{
    /* BLAKE2b fails only for lengths out of its range; ours are constants. */
    (void)crypto_generichash(out, SEAL_HASH_BYTES, in, len, key->bytes, KEY_BYTES);
}

void seal_hash_init(struct seal_hash *h)
{
    (void)crypto_generichash_init((crypto_generichash_state *)(void *)h->opaque, NULL, 0, SEAL_HASH_BYTES);
}

void seal_hash_add(struct seal_hash *h, const void *bytes, size_t len)
{
    (void)crypto_generichash_update((crypto_generichash_state *)(void *)h->opaque, bytes, len);
}

void seal_hash_end(struct seal_hash *h, uint8_t out[static SEAL_HASH_BYTES])
{
    (void)crypto_generichash_final((crypto_generichash_state *)(void *)h->opaque, out, SEAL_HASH_BYTES);
}
