#include "tests/harness/test.h"

#include "pds/base/mem.h"
#include "pds/crypto/sha256.h"
#include "pds/crypto/sha256_blocks.h"

#include <string.h>

enum { MOST = 1000 };

static void hash_in_pieces(const uint8_t *bytes, size_t len, size_t piece, uint8_t out[static SHA256_BYTES])
{
    struct sha256 h;

    sha256_init(&h);
    for (size_t at = 0; at < len; at += piece)
        sha256_add(&h, bytes + at, piece < len - at ? piece : len - at);
    sha256_end(&h, out);
}

/* Byte by byte it is libsodium alone. */
static void the_processor_agrees_with_libsodium_at_every_length(void **state)
{
    static const size_t PIECES[] = {1000, 63, 64, 65, 127, 128, 200};
    uint8_t bytes[MOST], alone[SHA256_BYTES], got[SHA256_BYTES];
    uint64_t seed = test_seed();

    (void)state;
    for (size_t i = 0; i < MOST; i++)
        bytes[i] = (uint8_t)test_random(&seed);
    for (size_t len = 0; len <= MOST; len++) {
        hash_in_pieces(bytes, len, 1, alone);
        sha256_of(bytes, len, got);
        assert_memory_equal(got, alone, sizeof got);
        for (size_t i = 0; i < COUNT_OF(PIECES); i++) {
            hash_in_pieces(bytes, len, PIECES[i], got);
            assert_memory_equal(got, alone, sizeof got);
        }
    }
}

/* FIPS 180-2, B.3: a million times the letter a. */
static void a_long_known_text(void **state)
{
    char *text = mem_new(1000000), hex[SHA256_TEXT_BYTES];
    uint8_t hash[SHA256_BYTES];

    (void)state;
    assert_non_null(text);
    memset(text, 'a', 1000000);
    sha256_of(text, 1000000, hash);
    mem_free(text);
    sha256_text(hash, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void what_is_no_whole_block_is_left(void **state)
{
    uint32_t words[8] = {0};
    uint8_t bytes[130] = {0};
    size_t done;

    (void)state;
    assert_int_equal(sha256_blocks(words, bytes, 63), 0);
    done = sha256_blocks(words, bytes, sizeof bytes);
    assert_true(done == 0 || done == 128); /* by the machine */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_processor_agrees_with_libsodium_at_every_length),
        cmocka_unit_test(a_long_known_text),
        cmocka_unit_test(what_is_no_whole_block_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
