#include "tests/harness/test.h"

#include "pds/base/codec.h"
#include "pds/base/str.h"
#include "pds/crypto/random.h"
#include "pds/crypto/sha256.h"

#include <string.h>

static size_t bytes_of(const char *hex, uint8_t *out, size_t max)
{
    size_t len = 0;

    assert_ok(codec_unhex(str_of(hex), out, max, &len));
    return len;
}

static void hash_of_known_texts(void **state)
{
    static const struct {
        const char *text, *hash;
    } ROWS[] = {
        /* FIPS 180-2, appendix B */
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        uint8_t hash[SHA256_BYTES], parts[SHA256_BYTES];
        char text[SHA256_TEXT_BYTES];
        struct sha256 h;

        sha256_of(ROWS[i].text, strlen(ROWS[i].text), hash);
        sha256_text(hash, text);
        assert_string_equal(text, ROWS[i].hash);
        sha256_init(&h);
        sha256_add(&h, NULL, 0);
        for (const char *c = ROWS[i].text; *c; c++)
            sha256_add(&h, c, 1);
        sha256_end(&h, parts);
        assert_memory_equal(parts, hash, sizeof hash);
    }
}

static void hmac_of_rfc4231(void **state)
{
    uint8_t key[131], hash[SHA256_BYTES];
    char text[SHA256_TEXT_BYTES];

    (void)state;
    memset(key, 0x0b, sizeof key);
    sha256_hmac(key, 20, "Hi There", 8, hash);
    sha256_text(hash, text);
    assert_string_equal(text, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    sha256_hmac("Jefe", 4, "what do ya want for nothing?", 28, hash);
    sha256_text(hash, text);
    assert_string_equal(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key); /* longer than a block */
    sha256_hmac(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First", 54, hash);
    sha256_text(hash, text);
    assert_string_equal(text, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    sha256_hmac(NULL, 0, NULL, 0, hash);
    sha256_text(hash, text);
    assert_string_equal(text, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void hkdf_of_rfc5869(void **state)
{
    static const struct {
        const char *secret, *salt, *info, *out; /* hex; the first 32 bytes of the output */
    } ROWS[] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
         "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"},
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
         "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        uint8_t secret[64], salt[64], info[64], out[SHA256_BYTES];
        size_t secret_len = bytes_of(ROWS[i].secret, secret, sizeof secret),
               salt_len = bytes_of(ROWS[i].salt, salt, sizeof salt),
               info_len = bytes_of(ROWS[i].info, info, sizeof info);
        char text[SHA256_TEXT_BYTES];

        sha256_hkdf(salt, salt_len, secret, secret_len, info, info_len, out);
        sha256_text(out, text);
        assert_string_equal(text, ROWS[i].out);
    }
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(hash_of_known_texts),
        cmocka_unit_test(hmac_of_rfc4231),
        cmocka_unit_test(hkdf_of_rfc5869),
    };

    if (random_start())
        return 1;
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
