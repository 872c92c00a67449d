#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "pds/crypto/random.h"
#include "pds/crypto/sign.h"

#include <string.h>

/* RFC 8032, 7.1, tests 1 to 3 */
static const struct vector {
    const char *name, *seed, *public, *message, *signature;
} VECTORS[] = {
    {"1", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f"
     "0"
     "595bbe24655141438e7a100b"},
    {"2", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2ea"
     "e"
     "b4302aeeb00d291612bb0c00"},
    {"3", "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e"
     "9"
     "716ed28dc027beceea1ec40a"},
};

static size_t unhex(const char *text, uint8_t *out, size_t max)
{
    size_t got = 0;

    assert_ok(codec_unhex(str_of(text), out, max, &got));
    return got;
}

static void sign_gives_what_the_standard_says(void **state)
{
    AUTO(sign_seed_freep) struct sign_seed *seed = sign_seed_new();
    uint8_t public[SIGN_PUBLIC_BYTES], wanted_public[SIGN_PUBLIC_BYTES];
    uint8_t signature[SIGN_BYTES], wanted[SIGN_BYTES], message[8];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(VECTORS); i++) {
        const struct vector *v = &VECTORS[i];
        size_t len = unhex(v->message, message, sizeof message);
        (void)unhex(v->seed, seed->bytes, KEY_BYTES);
        (void)unhex(v->public, wanted_public, sizeof wanted_public);
        (void)unhex(v->signature, wanted, sizeof wanted);
        sign_public(seed, public);
        assert_row(v->name, memcmp(public, wanted_public, sizeof public) == 0);
        sign_make(seed, message, len, signature);
        assert_row(v->name, memcmp(signature, wanted, sizeof wanted) == 0);
        assert_row(v->name, sign_is_valid(public, message, len, signature));
    }
}

static void sign_shows_each_flipped_bit(void **state)
{
    AUTO(sign_seed_freep) struct sign_seed *seed = sign_seed_new();
    uint8_t public[SIGN_PUBLIC_BYTES], signature[SIGN_BYTES], message[16] = "a trail's head";
    uint8_t *const parts[] = {public, signature, message};
    const size_t lens[] = {sizeof public, sizeof signature, sizeof message};

    (void)state;
    random_bytes(seed->bytes, KEY_BYTES);
    sign_public(seed, public);
    sign_make(seed, message, sizeof message, signature);
    for (size_t part = 0; part < COUNT_OF(parts); part++)
        for (size_t bit = 0; bit < 8 * lens[part]; bit++) {
            parts[part][bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_false(sign_is_valid(public, message, sizeof message, signature));
            parts[part][bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    assert_true(sign_is_valid(public, message, sizeof message, signature));
    assert_false(sign_is_valid(public, message, sizeof message - 1, signature));
}

/* A key of small order would accept one signature for every message. */
static void sign_refuses_a_key_of_zeros(void **state)
{
    uint8_t zeros[SIGN_PUBLIC_BYTES] = {0}, signature[SIGN_BYTES] = {0};

    (void)state;
    assert_false(sign_is_valid(zeros, "x", 1, signature));
    zeros[0] = 1; /* the neutral element */
    signature[0] = 1;
    assert_false(sign_is_valid(zeros, "x", 1, signature));
}

static int start(void **state)
{
    (void)state;
    return random_start() != ERR_OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sign_gives_what_the_standard_says),
        cmocka_unit_test(sign_shows_each_flipped_bit),
        cmocka_unit_test(sign_refuses_a_key_of_zeros),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
