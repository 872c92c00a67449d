/* What sheet_text() writes is harmless, and sheet_next() gives it back as it was. */
#include "tests/harness/bytes.h"
#include "tests/harness/fault.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/portable/sheet.h"

#include <string.h>

static enum err refuse(void *context, void *out, size_t size, size_t *got)
{
    (void)context, (void)out, (void)size, (void)got;
    return err_set(ERR_IO, "a broken pipe");
}

static void formulas_are_text(void **state)
{
    static const struct {
        struct str text;
        const char *cell;
    } ROWS[] = {
        {STR_ROW("Facture d'eau"), "\"Facture d'eau\""},
        {STR_ROW("plain"), "plain"},
        {STR_ROW(""), ""},
        {STR_ROW("=1+1"), "'=1+1"},
        {STR_ROW("+33 4"), "\"'+33 4\""},
        {STR_ROW("-5"), "'-5"},
        {STR_ROW("@SUM(A1)"), "'@SUM(A1)"},
        {STR_ROW("\tx"), "\"'\tx\""},
        {STR_ROW("\rx"), "\"'\rx\""},
        {STR_ROW("'='"), "''='"},
        {STR_ROW("a;=1"), "\"a;'=1\""},
        {STR_ROW("a\n=1"), "\"a\n'=1\""},
        {STR_ROW("a;\"=1"), "\"a;\"\"'=1\""},
        {STR_ROW(" =1"), "\" '=1\""},
        {STR_ROW("\xEF\xBC\x9D"
                 "1"),
         "'\xEF\xBC\x9D"
         "1"},
        {STR_ROW("a=1"), "a=1"},
        {STR_ROW("a \"b\""), "\"a \"\"b\"\"\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(buf_done) struct buf out;

        buf_init(&out, KIB);
        sheet_text(&out, ROWS[i].text);
        assert_ok(buf_err(&out));
        assert_row(ROWS[i].cell, str_eq((struct str){out.data, out.len}, str_of(ROWS[i].cell)));
    }
}

/* Three random cells a row out of the characters that matter, in pieces of a few bytes. */
static void any_text_comes_back_as_it_was(void **state)
{
    static const char *const PARTS[] = {"=",  "+",  "-",  "@", "'", "\"", ";", ",",
                                        "\t", "\n", "\r", "|", " ", "a",  "é", "\xEF\xBC\x9D"};
    uint64_t seed = test_seed();

    (void)state;
    for (int round = 0; round < 3000; round++) {
        AUTO(buf_done) struct buf text;
        struct buf cells[3];
        struct sheet s;

        buf_init(&text, 64 * KIB);
        for (size_t i = 0; i < 3; i++) {
            buf_init(&cells[i], KIB);
            for (int64_t n = test_between(&seed, 0, 12); n > 0; n--)
                buf_text(&cells[i], PARTS[test_between(&seed, 0, (int64_t)COUNT_OF(PARTS) - 1)]);
            if (i)
                buf_char(&text, ',');
            sheet_text(&text, (struct str){cells[i].data, cells[i].len});
        }
        buf_char(&text, '\n');
        struct bytes in = {.text = {text.data, text.len}, .piece = (size_t)test_between(&seed, 1, 40)};

        sheet_init(&s, bytes_get, &in);
        assert_ok(sheet_next(&s));
        assert_int_equal(s.count, 3);
        for (size_t i = 0; i < 3; i++) {
            assert_true(str_eq(sheet_read_text(&s, i), (struct str){cells[i].data, cells[i].len}));
            buf_done(&cells[i]);
        }
        assert_err(sheet_next(&s), ERR_NOT_FOUND);
        sheet_done(&s);
    }
}

static void other_rows_are_refused(void **state)
{
    static const struct {
        struct str text;
        enum err wanted;
    } ROWS[] = {
        {STR_ROW("a,b\n"), ERR_OK},
        {STR_ROW("a,b"), ERR_INVALID},
        {STR_ROW("\"a\n"), ERR_INVALID},
        {STR_ROW("\"a\"b\n"), ERR_INVALID},
        {STR_ROW("a\"b\"\n"), ERR_INVALID},
        {STR_ROW("a\0b\n"), ERR_INVALID},
        {STR_ROW("\xff\n"), ERR_INVALID},
        {STR_ROW(""), ERR_NOT_FOUND},
        {STR_ROW("\n"), ERR_OK},
        {STR_ROW("\"\",\n"), ERR_OK},
        {STR_ROW(",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n"), ERR_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct bytes in = {.text = ROWS[i].text};
        struct sheet s;

        sheet_init(&s, bytes_get, &in);
        assert_row(ROWS[i].text.ptr, sheet_next(&s) == ROWS[i].wanted);
        sheet_done(&s);
    }
}

static void a_row_has_a_ceiling(void **state)
{
    AUTO(buf_done) struct buf text;
    struct sheet s;

    (void)state;
    buf_init(&text, MIB);
    for (int i = 0; i <= SHEET_LINE_BYTES; i++)
        buf_char(&text, 'a');
    buf_char(&text, '\n');
    struct bytes in = {.text = {text.data, text.len}};

    sheet_init(&s, bytes_get, &in);
    assert_err(sheet_next(&s), ERR_TOO_LARGE);
    sheet_done(&s);
}

static void header_and_instants_are_read(void **state)
{
    struct bytes in = {.text = STR("start,text\n2024-05-01T00:00:00Z,x\nyesterday,\n"), .piece = 3};
    struct sheet s;
    int64_t at = 0;

    (void)state;
    sheet_init(&s, bytes_get, &in);
    assert_ok(sheet_next(&s));
    assert_ok(sheet_expect(&s, STR("start,text")));
    assert_err(sheet_expect(&s, STR("start")), ERR_INVALID);
    assert_err(sheet_expect(&s, STR("start,text,more")), ERR_INVALID);
    assert_err(sheet_expect(&s, STR("start,texts")), ERR_INVALID);
    assert_ok(sheet_next(&s));
    assert_ok(sheet_read_instant(&s, 0, &at));
    assert_int_equal(at, 1714521600);
    assert_int_equal(s.line, 2);
    assert_ok(sheet_next(&s));
    assert_err(sheet_read_instant(&s, 0, &at), ERR_INVALID);
    sheet_done(&s);
}

static enum err read_one(void)
{
    struct bytes in = {.text = STR("a,b\n")};
    struct sheet s;
    enum err e;

    sheet_init(&s, bytes_get, &in);
    e = sheet_next(&s);
    sheet_done(&s);
    return e;
}

static void failures_come_through(void **state)
{
    struct sheet s;
    enum err e;

    (void)state;
    sheet_init(&s, refuse, NULL);
    assert_err(sheet_next(&s), ERR_IO);
    sheet_done(&s);
    FAIL_EACH_ALLOCATION (e, read_one()) {
        assert_int_equal(e, ERR_NO_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_are_text),
        cmocka_unit_test(any_text_comes_back_as_it_was),
        cmocka_unit_test(other_rows_are_refused),
        cmocka_unit_test(a_row_has_a_ceiling),
        cmocka_unit_test(header_and_instants_are_read),
        cmocka_unit_test(failures_come_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
