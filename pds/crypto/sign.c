#include "pds/crypto/sign.h"

#include "pds/crypto/random.h"

#include <sodium.h>

_Static_assert(crypto_sign_SEEDBYTES == KEY_BYTES, "size of a seed");
_Static_assert(crypto_sign_PUBLICKEYBYTES == SIGN_PUBLIC_BYTES, "size of a public key");
_Static_assert(crypto_sign_BYTES == SIGN_BYTES, "size of a signature");

/* The expanded secret key lives on the stack of one call and is wiped there. */
void sign_public(const struct sign_seed *seed, uint8_t out[static SIGN_PUBLIC_BYTES])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];

    (void)crypto_sign_seed_keypair(out, secret, seed->bytes); /* always 0 */
    random_wipe(secret, sizeof secret);
}

void sign_make(const struct sign_seed *seed, const void *bytes, size_t len, uint8_t out[static SIGN_BYTES])
{
    uint8_t public[SIGN_PUBLIC_BYTES];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];

    (void)crypto_sign_seed_keypair(public, secret, seed->bytes);
    (void)crypto_sign_detached(out, NULL, bytes, len, secret); /* always 0 */
    random_wipe(secret, sizeof secret);
}

bool sign_is_valid(const uint8_t key[static SIGN_PUBLIC_BYTES], const void *bytes, size_t len,
                   const uint8_t signature[static SIGN_BYTES])
{
    return crypto_sign_verify_detached(signature, bytes, len, key) == 0;
}
