#include "pds/crypto/cipher_internal.h"

#include <sodium.h>
#include <string.h>

/* libsodium computes the key stream in runs of eight blocks where the processor can, and what is left
 * over block by block, at three times the price. A page leaves 472 bytes over: filled up to a run of
 * their own, they cost as little as the others. Short rests stay as they are. */
enum { RUN_BYTES = 512, SHORT_BYTES = 192, AUTH_BLOCK = 16 };

/* What a seal needs besides its input; wiped after use. */
struct once {
    uint8_t key[CIPHER_KEY_BYTES];                         /* of this nonce */
    uint8_t nonce[crypto_stream_chacha20_ietf_NONCEBYTES]; /* four zeros, then the nonce's end */
    uint8_t auth_key[crypto_onetimeauth_poly1305_KEYBYTES];
    uint8_t run[RUN_BYTES];
};

static void once_init(struct once *o, const uint8_t key[static CIPHER_KEY_BYTES],
                      const uint8_t nonce[static CIPHER_NONCE_BYTES])
{
    (void)crypto_core_hchacha20(o->key, nonce, key, NULL); /* always 0, as all below */
    memset(o->nonce, 0, 4);
    memcpy(o->nonce + 4, nonce + crypto_core_hchacha20_INPUTBYTES, 8);
    (void)crypto_stream_chacha20_ietf(o->auth_key, sizeof o->auth_key, o->nonce, o->key);
}

static void xor_stream(struct once *o, const uint8_t *in, size_t len, uint8_t *out)
{
    size_t rest = len % RUN_BYTES;
    size_t whole = len - rest;

    if (rest <= SHORT_BYTES) {
        (void)crypto_stream_chacha20_ietf_xor_ic(out, in, len, o->nonce, 1, o->key);
        return;
    }
    (void)crypto_stream_chacha20_ietf_xor_ic(out, in, whole, o->nonce, 1, o->key);
    memcpy(o->run, in + whole, rest);
    (void)crypto_stream_chacha20_ietf_xor_ic(o->run, o->run, RUN_BYTES, o->nonce, (uint32_t)(1 + whole / 64),
                                             o->key);
    memcpy(out + whole, o->run, rest);
}

static void put_size(uint8_t at[static 8], uint64_t size)
{
    for (unsigned i = 0; i < 8; i++)
        at[i] = (uint8_t)(size >> (8 * i));
}

/* Poly1305 over bound and sealed bytes, each filled up with zeros to a block, then their sizes. */
static void authenticate(const struct once *o, const void *bound, size_t bound_len, const uint8_t *sealed,
                         size_t len, uint8_t tag[static CIPHER_TAG_BYTES])
{
    static const uint8_t ZEROS[AUTH_BLOCK] = {0};
    crypto_onetimeauth_poly1305_state state;
    uint8_t end[2 * AUTH_BLOCK] = {0};
    size_t fill = (AUTH_BLOCK - len % AUTH_BLOCK) % AUTH_BLOCK;

    (void)crypto_onetimeauth_poly1305_init(&state, o->auth_key);
    (void)crypto_onetimeauth_poly1305_update(&state, bound, bound_len);
    (void)crypto_onetimeauth_poly1305_update(&state, ZEROS,
                                             (AUTH_BLOCK - bound_len % AUTH_BLOCK) % AUTH_BLOCK);
    (void)crypto_onetimeauth_poly1305_update(&state, sealed, len);
    put_size(end + fill, bound_len);
    put_size(end + fill + 8, len);
    (void)crypto_onetimeauth_poly1305_update(&state, end, fill + AUTH_BLOCK);
    (void)crypto_onetimeauth_poly1305_final(&state, tag); /* wipes */
}

void cipher_seal(const uint8_t key[static CIPHER_KEY_BYTES], const uint8_t nonce[static CIPHER_NONCE_BYTES],
                 const void *bound, size_t bound_len, const uint8_t *in, size_t len, uint8_t *out,
                 uint8_t tag[static CIPHER_TAG_BYTES])
{
    struct once o;

    once_init(&o, key, nonce);
    xor_stream(&o, in, len, out);
    authenticate(&o, bound, bound_len, out, len, tag);
    sodium_memzero(&o, sizeof o);
}

bool cipher_open(const uint8_t key[static CIPHER_KEY_BYTES], const uint8_t nonce[static CIPHER_NONCE_BYTES],
                 const void *bound, size_t bound_len, const uint8_t *in, size_t len,
                 const uint8_t tag[static CIPHER_TAG_BYTES], uint8_t *out)
{
    struct once o;
    uint8_t expected[CIPHER_TAG_BYTES];
    bool holds;

    once_init(&o, key, nonce);
    authenticate(&o, bound, bound_len, in, len, expected);
    holds = crypto_verify_16(expected, tag) == 0;
    if (holds)
        xor_stream(&o, in, len, out);
    sodium_memzero(&o, sizeof o);
    return holds;
}
