#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "pds/crypto/random.h"
#include "pds/crypto/seal.h"

#include <string.h>

enum { PAGE = 4056, SEALED_PAGE = PAGE + SEAL_EXTRA_BYTES, VALUE = 48 };

static const char BOUND[] = "page 7";

static void fill(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)i;
}

static void seal_page_opens_to_what_it_was(void **state)
{
    AUTO(page_key_freep) struct page_key *key = page_key_new();
    uint8_t plain[PAGE], page[SEALED_PAGE], out[PAGE];

    (void)state;
    fill(plain, sizeof plain);
    seal_page(key, plain, PAGE, BOUND, sizeof BOUND, page);
    assert_memory_not_equal(page, plain, PAGE);
    assert_ok(seal_page_open(key, page, PAGE, BOUND, sizeof BOUND, out));
    assert_memory_equal(out, plain, PAGE);
}

static void seal_page_works_in_place(void **state)
{
    AUTO(page_key_freep) struct page_key *key = page_key_new();
    uint8_t plain[PAGE], page[SEALED_PAGE];

    (void)state;
    fill(plain, sizeof plain);
    fill(page, PAGE);
    seal_page(key, page, PAGE, BOUND, sizeof BOUND, page);
    assert_memory_not_equal(page, plain, PAGE);
    assert_ok(seal_page_open(key, page, PAGE, BOUND, sizeof BOUND, page));
    assert_memory_equal(page, plain, PAGE);
}

static void seal_never_gives_the_same_bytes_twice(void **state)
{
    AUTO(value_key_freep) struct value_key *key = value_key_new();
    uint8_t plain[VALUE] = {0}, one[VALUE + SEAL_EXTRA_BYTES], two[VALUE + SEAL_EXTRA_BYTES];

    (void)state;
    seal_value(key, plain, VALUE, NULL, 0, one);
    seal_value(key, plain, VALUE, NULL, 0, two);
    assert_memory_not_equal(one, two, VALUE);
    assert_memory_not_equal(one + VALUE, two + VALUE, SEAL_NONCE_BYTES);
}

static void seal_page_shows_each_flipped_bit(void **state)
{
    AUTO(page_key_freep) struct page_key *key = page_key_new();
    uint8_t plain[PAGE], page[SEALED_PAGE], out[PAGE];

    (void)state;
    fill(plain, sizeof plain);
    seal_page(key, plain, PAGE, BOUND, sizeof BOUND, page);
    for (size_t bit = 0; bit < 8 * sizeof page; bit++) {
        page[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_err(seal_page_open(key, page, PAGE, BOUND, sizeof BOUND, out), ERR_CORRUPT);
        page[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_ok(seal_page_open(key, page, PAGE, BOUND, sizeof BOUND, out));
}

static void seal_value_shows_each_flipped_bit(void **state)
{
    AUTO(value_key_freep) struct value_key *key = value_key_new();
    uint8_t plain[VALUE] = {0}, sealed[VALUE + SEAL_EXTRA_BYTES], out[VALUE];

    (void)state;
    seal_value(key, plain, VALUE, BOUND, sizeof BOUND, sealed);
    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_err(seal_value_open(key, sealed, VALUE, BOUND, sizeof BOUND, out), ERR_CORRUPT);
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void seal_holds_only_with_what_it_is_bound_to(void **state)
{
    AUTO(page_key_freep) struct page_key *key = page_key_new();
    uint8_t plain[VALUE] = {0}, sealed[VALUE + SEAL_EXTRA_BYTES], out[VALUE];
    char other[] = "page 8";

    (void)state;
    seal_page(key, plain, VALUE, BOUND, sizeof BOUND, sealed);
    assert_err(seal_page_open(key, sealed, VALUE, other, sizeof other, out), ERR_CORRUPT);
    assert_err(seal_page_open(key, sealed, VALUE, BOUND, sizeof BOUND - 1, out), ERR_CORRUPT);
    assert_err(seal_page_open(key, sealed, VALUE, NULL, 0, out), ERR_CORRUPT);
    assert_err(seal_page_open(key, sealed, VALUE - 1, BOUND, sizeof BOUND, out), ERR_CORRUPT);
    key->bytes[31] ^= 1;
    assert_err(seal_page_open(key, sealed, VALUE, BOUND, sizeof BOUND, out), ERR_CORRUPT);
}

static void seal_has_the_same_layout_under_each_kind_of_key(void **state)
{
    AUTO(page_key_freep) struct page_key *page = page_key_new();
    AUTO(anchor_key_freep) struct anchor_key *anchor = anchor_key_new();
    AUTO(blob_key_freep) struct blob_key *blob = blob_key_new();
    AUTO(slot_key_freep) struct slot_key *slot = slot_key_new();
    uint8_t plain[VALUE] = {9}, sealed[VALUE + SEAL_EXTRA_BYTES], out[VALUE];

    (void)state;
    seal_anchor(anchor, plain, VALUE, BOUND, sizeof BOUND, sealed);
    assert_ok(seal_anchor_open(anchor, sealed, VALUE, BOUND, sizeof BOUND, out));
    seal_blob(blob, plain, VALUE, BOUND, sizeof BOUND, sealed);
    assert_ok(seal_blob_open(blob, sealed, VALUE, BOUND, sizeof BOUND, out));
    seal_slot(slot, plain, VALUE, BOUND, sizeof BOUND, sealed);
    assert_ok(seal_slot_open(slot, sealed, VALUE, BOUND, sizeof BOUND, out));
    assert_ok(seal_page_open(page, sealed, VALUE, BOUND, sizeof BOUND, out)); /* all keys are zeros here */
    assert_memory_equal(out, plain, VALUE);
}

static void assert_hex(const uint8_t *bytes, size_t len, const char *wanted)
{
    uint8_t expected[64];
    size_t got = 0;

    assert_ok(codec_unhex(str_of(wanted), expected, sizeof expected, &got));
    assert_int_equal(got, len);
    assert_memory_equal(bytes, expected, len);
}

/* Figures from Python's hashlib.blake2b. */
static void seal_digests_are_blake2b(void **state)
{
    static const char KEYED[] = "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f";
    AUTO(value_key_freep) struct value_key *value = value_key_new();
    struct seal_hash hash;
    uint8_t out[SEAL_HASH_BYTES];

    (void)state;
    fill(value->bytes, KEY_BYTES);
    seal_digest(value, "abc", 3, out);
    assert_hex(out, sizeof out, KEYED);

    seal_hash_init(&hash);
    seal_hash_add(&hash, "a", 1);
    seal_hash_add(&hash, "bc", 2);
    seal_hash_end(&hash, out);
    assert_hex(out, sizeof out, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

static int start(void **state)
{
    (void)state;
    return random_start() != ERR_OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seal_page_opens_to_what_it_was),
        cmocka_unit_test(seal_page_works_in_place),
        cmocka_unit_test(seal_never_gives_the_same_bytes_twice),
        cmocka_unit_test(seal_page_shows_each_flipped_bit),
        cmocka_unit_test(seal_value_shows_each_flipped_bit),
        cmocka_unit_test(seal_holds_only_with_what_it_is_bound_to),
        cmocka_unit_test(seal_has_the_same_layout_under_each_kind_of_key),
        cmocka_unit_test(seal_digests_are_blake2b),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
