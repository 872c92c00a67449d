#include "tests/harness/test.h"

#include "connectors/files/csv_text.h"

#include <string.h>

static void fold_compares_words_in_any_encoding(void **state)
{
    static const struct {
        const char *text, *folded;
    } ROWS[] = {
        {"Type de donnees", "type de donnees"},
        {"  Type   de DONN\xC3\x89"
         "ES\t",
         "type de donnees"},
        {"Type de donn\xE9"
         "es",
         "type de donnees"}, /* Latin-1 */
        {"Type de donne\xCC\x81"
         "es",
         "type de donnees"},                                /* an accent of its own */
        {"\xEF\xBB\xBFIdentifiant PRM", "identifiant prm"}, /* byte order mark */
        {"a\xC2\xA0"
         "b\xE2\x80\xAF"
         "c",
         "a b c"}, /* no-break spaces */
        {"a\xA0"
         "b",
         "a b"}, /* of Latin-1 */
        {"\xC5\x93uvre \xE2\x82\xAC \xF0\x9F\x94\x8C", "?uvre ? ?"},
        {"\xC3\x97\x7F", "??"},
        {"", ""},
        {"   ", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        char out[64];

        assert_int_equal(csv_text_fold(str_of(ROWS[i].text), out, sizeof out), strlen(ROWS[i].folded));
        assert_string_equal(out, ROWS[i].folded);
    }
}

static void fold_cuts_what_does_not_fit(void **state)
{
    char out[5];

    (void)state;
    assert_int_equal(csv_text_fold(STR("abcdefgh"), out, sizeof out), 4);
    assert_string_equal(out, "abcd");
    assert_int_equal(csv_text_fold(STR("abc d"), out, sizeof out), 3);
    assert_string_equal(out, "abc");
    assert_int_equal(csv_text_fold(STR("abc"), out, 1), 0);
    assert_string_equal(out, "");
}

static void utf8_keeps_the_text(void **state)
{
    static const struct {
        const char *text, *out;
        enum err e;
    } ROWS[] = {
        {" 01234567890123 ", "01234567890123", ERR_OK},
        {"\xC2\xA0"
         "1429xx\xC2\xA0",
         "1429xx", ERR_OK},
        {"\xA0"
         "1429xx\xA0",
         "1429xx", ERR_OK},
        {"caf\xC3\xA9", "caf\xC3\xA9", ERR_OK},
        {"caf\xE9", "caf\xC3\xA9", ERR_OK},
        {"", "", ERR_OK},
        {"1234567890123456", NULL, ERR_TOO_LARGE},
        {"12345678901234\xE9", NULL, ERR_TOO_LARGE},
        {"12\a34", NULL, ERR_INVALID},
        {"12\x85"
         "34",
         NULL, ERR_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        char out[16];

        assert_row(ROWS[i].text, csv_text_utf8(str_of(ROWS[i].text), out, sizeof out) == ROWS[i].e);
        if (ROWS[i].out)
            assert_string_equal(out, ROWS[i].out);
    }
}

static void numbers_are_read_whole_or_not_at_all(void **state)
{
    static const struct {
        const char *text;
        enum csv_value kind;
        int64_t value; /* in thousandths */
    } ROWS[] = {
        {"412", CSV_NUMBER, 412000},
        {"0", CSV_NUMBER, 0},
        {"000412", CSV_NUMBER, 412000},
        {"9999999999", CSV_NUMBER, 9999999999000},
        {"99999999999", CSV_NUMBER, 99999999999000},
        {" 412 ", CSV_NUMBER, 412000},
        {"\xC2\xA0"
         "412\xC2\xA0",
         CSV_NUMBER, 412000},
        {"\xA0"
         "412\xA0 ",
         CSV_NUMBER, 412000},
        {"0,984", CSV_NUMBER, 984},
        {"0.984", CSV_NUMBER, 984},
        {"-3", CSV_NUMBER, -3000},
        {"1 412", CSV_NUMBER, 1412000},
        {"18\xC2\xA0"
         "623\xE2\x80\xAF"
         "827,5",
         CSV_NUMBER, 18623827500},
        {"18\xA0"
         "623",
         CSV_NUMBER, 18623000},
        {"", CSV_MISSING, 0},
        {"  ", CSV_MISSING, 0},
        {"\xA0", CSV_MISSING, 0},
        {"NA", CSV_MISSING, 0},
        {" na ", CSV_MISSING, 0},
        {"null", CSV_MISSING, 0},
        {"NULL", CSV_MISSING, 0},
        {"1 41", CSV_BROKEN, 0},
        {"1 4121", CSV_BROKEN, 0},
        {"1  412", CSV_BROKEN, 0},
        {"- 412", CSV_BROKEN, 0},
        {"412W", CSV_BROKEN, 0},
        {"1e3", CSV_BROKEN, 0},
        {"0x1F", CSV_BROKEN, 0},
        {"nan", CSV_BROKEN, 0},
        {"1,2,3", CSV_BROKEN, 0},
        {"99999999999999999999999", CSV_BROKEN, 0},
        {"0000000000000000000000000000000000000000000000001", CSV_BROKEN, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        int64_t value = 0;

        assert_row(ROWS[i].text, csv_text_number(str_of(ROWS[i].text), 1000, &value) == ROWS[i].kind);
        assert_row(ROWS[i].text, value == ROWS[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fold_compares_words_in_any_encoding),
        cmocka_unit_test(fold_cuts_what_does_not_fit),
        cmocka_unit_test(utf8_keeps_the_text),
        cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
