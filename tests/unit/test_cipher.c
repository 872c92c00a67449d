#include "tests/harness/test.h"

#include "pds/base/codec.h"
#include "pds/crypto/cipher_internal.h"
#include "pds/crypto/random.h"

#include <sodium.h> /* the referee */
#include <string.h>

enum { PAGE = 4056, LONGEST = 70000, BOUND_MOST = 100 };

static uint8_t plain[LONGEST], ours[LONGEST], theirs[LONGEST];

static void unhex(const char *text, uint8_t *out, size_t len)
{
    size_t got = 0;

    assert_ok(codec_unhex(str_of(text), out, len, &got));
    assert_int_equal(got, len);
}

/* draft-irtf-cfrg-xchacha-03, A.3.1 */
static void cipher_gives_what_the_draft_says(void **state)
{
    static const char TEXT[] = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip "
                               "for the future, sunscreen would be it.";
    static const char SEALED[] = "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
                                 "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
                                 "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
                                 "21f9664c97637da9768812f615c68b13b52e";
    uint8_t key[CIPHER_KEY_BYTES], nonce[CIPHER_NONCE_BYTES], bound[12], tag[CIPHER_TAG_BYTES];
    uint8_t sealed[114], wanted[114], wanted_tag[CIPHER_TAG_BYTES];

    (void)state;
    unhex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", key, sizeof key);
    unhex("404142434445464748494a4b4c4d4e4f5051525354555657", nonce, sizeof nonce);
    unhex("50515253c0c1c2c3c4c5c6c7", bound, sizeof bound);
    unhex(SEALED, wanted, sizeof wanted);
    unhex("c0875924c1c7987947deafd8780acf49", wanted_tag, sizeof wanted_tag);

    cipher_seal(key, nonce, bound, sizeof bound, (const uint8_t *)TEXT, 114, sealed, tag);
    assert_memory_equal(sealed, wanted, sizeof wanted);
    assert_memory_equal(tag, wanted_tag, sizeof wanted_tag);
    assert_true(cipher_open(key, nonce, bound, sizeof bound, sealed, 114, tag, sealed));
    assert_memory_equal(sealed, TEXT, 114);
}

static void compare(size_t len, size_t bound_len)
{
    uint8_t key[CIPHER_KEY_BYTES], nonce[CIPHER_NONCE_BYTES], bound[BOUND_MOST];
    uint8_t tag[CIPHER_TAG_BYTES], their_tag[CIPHER_TAG_BYTES];

    random_bytes(key, sizeof key);
    random_bytes(nonce, sizeof nonce);
    random_bytes(bound, sizeof bound);
    random_bytes(plain, len);
    cipher_seal(key, nonce, bound, bound_len, plain, len, ours, tag);
    crypto_aead_xchacha20poly1305_ietf_encrypt_detached(theirs, their_tag, NULL, plain, len, bound, bound_len,
                                                        NULL, nonce, key);
    assert_memory_equal(tag, their_tag, sizeof tag);
    assert_int_equal(memcmp(ours, theirs, len), 0);
    assert_true(cipher_open(key, nonce, bound, bound_len, theirs, len, their_tag, ours));
    assert_int_equal(memcmp(ours, plain, len), 0);
}

static void cipher_equals_libsodium_at_every_length(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 1600; len++)
        compare(len, len % BOUND_MOST);
    for (size_t bound_len = 0; bound_len < BOUND_MOST; bound_len++)
        compare(PAGE, bound_len);
    for (size_t len = 4000; len < LONGEST; len += 997)
        compare(len, len % BOUND_MOST);
    compare((size_t)64 * 1024, 25);
}

static void cipher_leaves_the_output_alone_when_the_tag_differs(void **state)
{
    uint8_t key[CIPHER_KEY_BYTES] = {1}, nonce[CIPHER_NONCE_BYTES] = {2}, tag[CIPHER_TAG_BYTES];
    uint8_t in[64] = {3}, out[64];

    (void)state;
    cipher_seal(key, nonce, NULL, 0, in, sizeof in, in, tag);
    memset(out, 7, sizeof out);
    for (size_t bit = 0; bit < 8 * sizeof tag; bit++) {
        tag[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(cipher_open(key, nonce, NULL, 0, in, sizeof in, tag, out));
        tag[bit / 8] ^= (uint8_t)(1u << bit % 8);
        for (size_t i = 0; i < sizeof out; i++)
            assert_int_equal(out[i], 7);
    }
}

static int start(void **state)
{
    (void)state;
    return random_start() != ERR_OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cipher_gives_what_the_draft_says),
        cmocka_unit_test(cipher_equals_libsodium_at_every_length),
        cmocka_unit_test(cipher_leaves_the_output_alone_when_the_tag_differs),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
