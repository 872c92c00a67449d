#include "pds/crypto/sha256.h"

#include "pds/crypto/random.h"
#include "pds/crypto/sha256_blocks.h"

#include <sodium.h>
#include <string.h>

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(struct sha256), "room for the state");
_Static_assert(_Alignof(crypto_hash_sha256_state) <= _Alignof(struct sha256), "place for the state");
_Static_assert(crypto_hash_sha256_BYTES == SHA256_BYTES, "size of a hash");
_Static_assert(crypto_auth_hmacsha256_BYTES == SHA256_BYTES, "size of an HMAC");

/* libsodium's functions always return 0. */
/* cppcheck-suppress ctuuninitvar ; the place is taken, nothing is read there */
static crypto_hash_sha256_state *state_of(struct sha256 *h) { return (void *)h->opaque; }

void sha256_init(struct sha256 *h) { (void)crypto_hash_sha256_init(state_of(h)); }

/* What libsodium's state lacks to the end of a block that it has begun. */
static size_t to_block(const crypto_hash_sha256_state *s)
{
    return (SHA256_BLOCK_BYTES - (size_t)(s->count / 8 % SHA256_BLOCK_BYTES)) % SHA256_BLOCK_BYTES;
}

/* Whole blocks by the processor, what is left of them by libsodium, which also pads. Its state is public:
 * eight words, the bits so far, and the beginning of a block. */
void sha256_add(struct sha256 *h, const void *bytes, size_t len)
{
    crypto_hash_sha256_state *s = state_of(h);
    const uint8_t *from = bytes;
    size_t part = to_block(s), done;

    if (part > 0 && part <= len) {
        (void)crypto_hash_sha256_update(s, from, part);
        from += part;
        len -= part;
        part = 0;
    }
    if (part == 0 && len >= SHA256_BLOCK_BYTES) {
        done = sha256_blocks(s->state, from, len);
        s->count += (uint64_t)done * 8;
        from += done;
        len -= done;
    }
    if (len) /* then bytes may be NULL */
        (void)crypto_hash_sha256_update(s, from, len);
}

void sha256_end(struct sha256 *h, uint8_t out[static SHA256_BYTES])
{
    (void)crypto_hash_sha256_final(state_of(h), out);
}

void sha256_of(const void *bytes, size_t len, uint8_t out[static SHA256_BYTES])
{
    struct sha256 h;

    sha256_init(&h);
    sha256_add(&h, bytes, len);
    sha256_end(&h, out);
}

void sha256_text(const uint8_t hash[static SHA256_BYTES], char out[static SHA256_TEXT_BYTES])
{
    (void)sodium_bin2hex(out, SHA256_TEXT_BYTES, hash, SHA256_BYTES);
}

void sha256_hmac(const void *key, size_t key_len, const void *bytes, size_t len,
                 uint8_t out[static SHA256_BYTES])
{
    static const uint8_t NONE[1];
    crypto_auth_hmacsha256_state s;

    (void)crypto_auth_hmacsha256_init(&s, key_len ? key : NONE, key_len);
    if (len)
        (void)crypto_auth_hmacsha256_update(&s, bytes, len);
    (void)crypto_auth_hmacsha256_final(&s, out);
    random_wipe(&s, sizeof s);
}

void sha256_hkdf(const void *salt, size_t salt_len, const void *secret, size_t secret_len, const void *info,
                 size_t info_len, uint8_t out[static SHA256_BYTES])
{
    static const uint8_t FIRST = 1; /* number of the block */
    crypto_auth_hmacsha256_state s;
    uint8_t key[SHA256_BYTES];

    /* An empty key and one of zeros are the same to HMAC, which fills up with zeros. */
    sha256_hmac(salt, salt_len, secret, secret_len, key);
    (void)crypto_auth_hmacsha256_init(&s, key, sizeof key);
    if (info_len)
        (void)crypto_auth_hmacsha256_update(&s, info, info_len);
    (void)crypto_auth_hmacsha256_update(&s, &FIRST, 1);
    (void)crypto_auth_hmacsha256_final(&s, out);
    random_wipe(&s, sizeof s);
    random_wipe(key, sizeof key);
}
