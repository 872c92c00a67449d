#include "tests/harness/test.h"

#include "connectors/files/csv_line.h"
#include "pds/base/buf.h"
#include "pds/base/mem.h"
#include "tests/harness/fault.h"

#include <string.h>

struct pieces {
    struct str text;
    size_t piece;
};

static enum err give(void *context, void *out, size_t size, size_t *got)
{
    struct pieces *p = context;
    size_t len = p->text.len < size ? p->text.len : size;

    len = len < p->piece ? len : p->piece;
    if (len > 0)
        memcpy(out, p->text.ptr, len);
    p->text = (struct str){p->text.ptr + len, p->text.len - len};
    *got = len;
    return ERR_OK;
}

/* Lines as "number:field|field", flaws as "number!", each closed by a space. */
static enum err show(struct str text, size_t piece, struct buf *out)
{
    struct pieces p = {text, piece};
    struct reading_input in = {give, &p};
    struct csv_line l;
    enum err e;

    buf_clear(out);
    if ((e = csv_line_init(&l, &in)))
        return e;
    while (!(e = csv_line_next(&l))) {
        buf_printf(out, "%d%s", (int)l.number, l.flaw ? "!" : ":");
        assert_true(!l.flaw || l.count == 0);
        for (size_t i = 0; i < l.count; i++)
            buf_printf(out, "%s%.*s", i ? "|" : "", STR_ARGS(l.fields[i]));
        buf_char(out, ' ');
    }
    csv_line_done(&l);
    return e == ERR_NOT_FOUND ? buf_err(out) : e;
}

static const struct {
    const char *text, *shown;
} ROWS[] = {
    {"", ""},
    {"\n", "1: "},
    {"a", "1:a "},
    {"a\n", "1:a "},
    {"a;b\nc;d", "1:a|b 2:c|d "},
    {"a;b;\r\n\r\n;\r\n", "1:a|b| 2: 3:| "},
    {"\xEF\xBB\xBF"
     "a\n",
     "1:a "},
    {"\xEF\xBB", "1:\xEF\xBB "},
    {"\xEF\xBB\xBF", ""},
    {"\xEF\xBB\xBF\"a;b\";c\n", "1:a;b|c "},
    {"\"a\";\"b\"\r\n", "1:a|b "},
    {"\"a\"\"b\";\"\"\"\"\n", "1:a\"b|\" "},
    {"\"\";\"\"", "1:| "},
    {"\"a\nb\";c\nd\n", "1:a\nb|c 3:d "},
    {"\"a\r\nb\"\r\nd\n", "1:a\r\nb 3:d "},
    {"a\"b;c\"d\n", "1:a\"b|c\"d "},
    {"a;\"b\nc;d\n", "1! 2:c|d "},
    {"a;\"b\nc;\"d\"\ne\n", "1! 2:c|d 3:e "},
    {"\"a\"b;c\nd\n", "1! 2:d "},
    {"\"a\"\r;c\nd\n", "1! 2:d "},
    {"\"a\" ;c\nd\n", "1! 2:d "},
    {"\"", "1! "},
    {"\"\n\"", "1:\n "},
    {"a;\"b\"", "1:a|b "},
};

static void lines_are_split_at_semicolons(void **state)
{
    static const size_t PIECES[] = {1, 2, 5, 1000};
    struct buf out;

    (void)state;
    buf_init(&out, MIB);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        for (size_t n = 0; n < COUNT_OF(PIECES); n++) {
            assert_ok(show(str_of(ROWS[i].text), PIECES[n], &out));
            if (!str_eq((struct str){out.data, out.len}, str_of(ROWS[i].shown)))
                print_error("shown: %.*s\n", (int)out.len, out.data);
            assert_row(ROWS[i].text, str_eq((struct str){out.data, out.len}, str_of(ROWS[i].shown)));
        }
    buf_done(&out);
}

static void fill(struct buf *b, char c, size_t count)
{
    char *at = buf_reserve(b, count);

    assert_non_null(at);
    memset(at, c, count);
    buf_grew(b, count);
}

/* before, then count times c, then after: read with and without a ceiling passed. */
static const struct {
    const char *name, *before;
    char c;
    long count;
    const char *after, *shown_end; /* what a listing ends with */
} CEILINGS[] = {
    {"a line of 1 MiB, in one column", "", 'x', LIMIT_CSV_LINE_BYTES, "\nb\n", "1! 2:b "},
    {"a line over 1 MiB", "", 'x', LIMIT_CSV_LINE_BYTES + 1, "\nb\n", "1! 2:b "},
    {"a line of 5 MiB", "", 'x', 5 * LIMIT_CSV_LINE_BYTES, "\nb\n", "1! 2:b "},
    {"a line of 5 MiB without end", "a\n", 'x', 5 * LIMIT_CSV_LINE_BYTES, "", "1:a 2! "},
    {"a column of 64 KiB and one", "", 'x', LIMIT_CSV_FIELD_BYTES + 1, "\nb\n", "1! 2:b "},
    {"a quoted column of 64 KiB and one", "\"", 'x', LIMIT_CSV_FIELD_BYTES + 1, "\"\nb\n", "1! 2:b "},
    {"512 columns", "", ';', LIMIT_CSV_COLUMNS - 1, "\nb\n", "| 2:b "},
    {"513 columns", "", ';', LIMIT_CSV_COLUMNS, "\nb\n", "1! 2:b "},
    {"513 quoted columns", "\"\"", ';', LIMIT_CSV_COLUMNS, "\nb\n", "1! 2:b "},
    {"a quote open for 5 MiB", "\"a\n", 'x', 5 * LIMIT_CSV_LINE_BYTES, "\nb\n", "1! 2! 3:b "},
    {"a quote open over many lines", "\"a", '\n', LIMIT_CSV_LINE_BYTES + 10, "b\n", ":b "},
};

static void ceilings_cost_one_line(void **state)
{
    struct buf text, out;

    (void)state;
    buf_init(&text, 8 * MIB);
    buf_init(&out, 16 * MIB);
    for (size_t i = 0; i < COUNT_OF(CEILINGS); i++) {
        buf_clear(&text);
        buf_text(&text, CEILINGS[i].before);
        fill(&text, CEILINGS[i].c, (size_t)CEILINGS[i].count);
        buf_text(&text, CEILINGS[i].after);
        assert_ok(buf_err(&text));
        assert_ok(show((struct str){text.data, text.len}, 100000, &out));
        assert_row(CEILINGS[i].name,
                   str_ends((struct str){out.data, out.len}, str_of(CEILINGS[i].shown_end)));
    }
    buf_done(&text);
    buf_done(&out);
}

static void a_long_line_below_the_ceilings_is_whole(void **state)
{
    struct buf text, out;

    (void)state;
    buf_init(&text, 8 * MIB);
    buf_init(&out, 16 * MIB);
    for (int i = 0; i < 15; i++) {
        fill(&text, 'x', LIMIT_CSV_FIELD_BYTES);
        buf_char(&text, ';');
    }
    assert_ok(show((struct str){text.data, text.len}, 100000, &out));
    assert_int_equal(out.len, 2 + 15 * (LIMIT_CSV_FIELD_BYTES + 1) + 1);
    buf_done(&text);
    buf_done(&out);
}

static void survives_each_failing_allocation(void **state)
{
    static char text[200000];
    struct pieces p = {{text, sizeof text}, sizeof text};
    struct reading_input in = {give, &p};
    struct csv_line l;
    long live = mem_live();
    enum err e;

    (void)state;
    memset(text, ';', sizeof text);
    FAIL_EACH_ALLOCATION (e, csv_line_init(&l, &in)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_int_equal(mem_live(), live);
    }
    FAIL_EACH_ALLOCATION (e, csv_line_next(&l))
        assert_int_equal(e, ERR_NO_MEMORY);
    assert_string_equal(l.flaw, "the line has more than 512 columns");
    csv_line_done(&l);
    assert_int_equal(mem_live(), live);
}

static enum err too_much(void *context, void *out, size_t size, size_t *got)
{
    (void)context, (void)out;
    *got = size + 1;
    return ERR_OK;
}

static void an_input_that_gives_more_than_asked_is_a_bug(void **state)
{
    struct reading_input in = {too_much, NULL};
    struct csv_line l;

    (void)state;
    assert_ok(csv_line_init(&l, &in));
    assert_err(csv_line_next(&l), ERR_INTERNAL);
    csv_line_done(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_split_at_semicolons),
        cmocka_unit_test(ceilings_cost_one_line),
        cmocka_unit_test(a_long_line_below_the_ceilings_is_whole),
        cmocka_unit_test(survives_each_failing_allocation),
        cmocka_unit_test(an_input_that_gives_more_than_asked_is_a_bug),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
