#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "pds/crypto/keyring.h"
#include "pds/crypto/random.h"

#include <string.h>

static void assert_key(const uint8_t *key, const char *wanted)
{
    uint8_t expected[KEY_BYTES];
    size_t got = 0;

    assert_ok(codec_unhex(str_of(wanted), expected, sizeof expected, &got));
    assert_memory_equal(key, expected, KEY_BYTES);
}

/* Figures from Python: hashlib.blake2b(digest_size=32, key=root, salt=number, person=context). They never
 * change: a store sealed under them would be lost. */
static void keyring_derives_what_it_always_did(void **state)
{
    AUTO(store_key_freep) struct store_key *root = store_key_new();
    AUTO(page_key_freep) struct page_key *page = page_key_new();
    AUTO(anchor_key_freep) struct anchor_key *anchor = anchor_key_new();
    AUTO(value_key_freep) struct value_key *value = value_key_new();

    (void)state;
    for (unsigned i = 0; i < KEY_BYTES; i++)
        root->bytes[i] = (uint8_t)i;
    keyring_page(root, page);
    keyring_anchor(root, anchor);
    keyring_value(root, value);
    assert_key(page->bytes, "fe5dc4cc72519f38ad657e2980499744378ffc0ab5c00118cbcc344562798451");
    assert_key(anchor->bytes, "ff59197d280a6c30e7c27560cbbefc06cdf0f11116fddc06d7c457e726e60e86");
    assert_key(value->bytes, "457c6605c6be4f63111903199f00c68e1d78d20e8ee5c61a27aad705ff5b7677");
}

static int start(void **state)
{
    (void)state;
    return random_start() != ERR_OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keyring_derives_what_it_always_did),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
