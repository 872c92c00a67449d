#include "tests/harness/test.h"

#include "pds/crypto/bech32.h"

#include <stdio.h>
#include <string.h>

/* Of BIP 173, without those that only its limit of length refuses; the bytes are the zero bytes of its row.
 */
static void texts_of_the_standard_are_read(void **state)
{
    static const struct {
        const char *text, *prefix;
        size_t len;
    } ROWS[] = {
        {"A12UEL5L", "a", 0},
        {"a12uel5l", "a", 0},
        {"an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
         "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio", 0},
        {"?1ezyfcl", "?", 0},
    };
    uint8_t bytes[1];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_row(ROWS[i].text, bech32_read(str_of(ROWS[i].text), ROWS[i].prefix, bytes, 0) == ERR_OK);
}

static void bytes_go_there_and_back(void **state)
{
    uint64_t random = test_seed();

    (void)state;
    for (size_t len = 0; len < 70; len++) {
        uint8_t bytes[70], back[71];
        char text[BECH32_TEXT_BYTES(4, 70)];

        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)test_random(&random);
        bech32_write("test", bytes, len, text, sizeof text);
        assert_true(strlen(text) + 1 == BECH32_TEXT_BYTES(4, len));
        assert_ok(bech32_read(str_of(text), "test", back, len));
        assert_memory_equal(bytes, back, len);
        assert_err(bech32_read(str_of(text), "test", back, len + 1), ERR_INVALID);
        assert_err(bech32_read(str_of(text), "tess", back, len), ERR_INVALID);
    }
}

/* The key of age's own specification. */
static const char KEY[] = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

static void each_mistyped_character_shows(void **state)
{
    uint8_t bytes[32];
    char text[sizeof KEY];

    (void)state;
    assert_ok(bech32_read(str_of(KEY), "age-secret-key-", bytes, sizeof bytes));
    for (size_t i = 0; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], 0x42);
    for (size_t i = 0; i + 1 < sizeof KEY; i++) {
        memcpy(text, KEY, sizeof text);
        text[i] = text[i] == 'Q' ? 'P' : 'Q';
        assert_err(bech32_read(str_of(text), "age-secret-key-", bytes, sizeof bytes), ERR_INVALID);
        assert_null(strstr(err_story(), "FPYY"));
    }
}

static void other_shapes_are_refused(void **state)
{
    static const struct {
        const char *what, *text;
    } ROWS[] = {
        {"mixed case", "a12UEL5L"},        {"no separator", "auel5l"},    {"nothing", ""},
        {"the prefix alone", "a"},         {"no checksum", "a1"},         {"a short checksum", "a12uel5"},
        {"a letter that is none", "a1bb"}, {"one too many", "a12uel5lq"}, {"another checksum", "a12uel5m"},
    };
    uint8_t bytes[1];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_row(ROWS[i].what, bech32_read(str_of(ROWS[i].text), "a", bytes, 0) == ERR_INVALID);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(texts_of_the_standard_are_read),
        cmocka_unit_test(bytes_go_there_and_back),
        cmocka_unit_test(each_mistyped_character_shows),
        cmocka_unit_test(other_shapes_are_refused),
    };

    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
