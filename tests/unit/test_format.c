#include "tests/harness/test.h"

#include "connectors/files/format.h"

#include <stdio.h>
#include <string.h>

struct source {
    struct str text;
    size_t piece;
    bool fails;
};

static enum err give(void *context, void *out, size_t size, size_t *got)
{
    struct source *s = context;
    size_t len = s->text.len < size ? s->text.len : size;

    if (s->fails)
        return err_set(ERR_IO, "a broken disk");
    len = len < s->piece ? len : s->piece;
    if (len > 0)
        memcpy(out, s->text.ptr, len);
    s->text = (struct str){s->text.ptr + len, s->text.len - len};
    *got = len;
    return ERR_OK;
}

static enum err count(void *context, const struct reading *r)
{
    (void)r;
    ++*(long *)context;
    return ERR_OK;
}

static void pass_over(void *context, const char *dataset, int64_t line, int rejected, const char *reason)
{
    (void)context, (void)dataset, (void)line, (void)rejected, (void)reason;
}

static enum err read_text(struct str text, size_t piece, long *readings, const struct format **format)
{
    struct source s = {text, piece, false};
    struct reading_input in = {give, &s};
    struct reading_options options = {NULL};
    struct reading_sink sink = {count, pass_over, readings};

    *format = NULL;
    *readings = 0;
    return format_read(&in, &options, &sink, format);
}

static void a_known_file_is_read_from_its_first_byte(void **state)
{
    static const size_t PIECES[] = {1, 100, 4096, 100000};
    char text[64 * 300];
    size_t len = 0;

    (void)state;
    for (int i = 0; i < 300; i++) /* past the head that recognition looks at */
        len += (size_t)snprintf(text + len, sizeof text - len, "2024-05-%02dT%02d:00:00+02:00;%d\n",
                                1 + i / 24, i % 24, i);
    for (size_t i = 0; i < COUNT_OF(PIECES); i++) {
        const struct format *format;
        long readings = 0;

        assert_ok(read_text((struct str){text, len}, PIECES[i], &readings, &format));
        assert_string_equal(format->name, "enedis.portal.csv");
        assert_int_equal(readings, 300);
    }
}

static void each_row_is_complete_and_named_once(void **state)
{
    (void)state;
    for (const struct format *f = FORMATS; f->name; f++) {
        assert_true(f->meaning && f->recognises && f->parse);
        assert_false(f->recognises(STR("")));
        for (const struct format *other = FORMATS; other < f; other++)
            assert_string_not_equal(other->name, f->name);
    }
}

static void an_unknown_file_is_named_for_what_it_is(void **state)
{
    static const struct {
        const char *head;
        const char *seen;
        size_t len; /* 0: up to the NUL */
    } ROWS[] = {
        {"", "an empty file", 0},
        {"PK\x03\x04....[Content_Types].xml", "a workbook (XLSX)", 0},
        {"PK\x03\x04....docProps/app.xml....xl/workbook.xml", "a workbook (XLSX)", 0},
        {"PK\x03\x04....photo.jpg", "a ZIP archive", 0},
        {"PK\x05\x06", "a ZIP archive", 0},
        {"\xD0\xCF\x11\xE0\xA1\xB1", "an old workbook (XLS)", 0},
        {"\x1F\x8B\x08", "a compressed file (gzip)", 0},
        {"%PDF-1.7", "a PDF document", 0},
        {"SQLite format 3\0", "a database (SQLite)", 16},
        {"\xFF\xFEI\0d\0", "a text in UTF-16", 6},
        {"\xFE\xFF\0I\0d", "a text in UTF-16", 6},
        {"<!DOCTYPE html>\n<p>", "a web page (HTML)", 0},
        {"\xEF\xBB\xBF\r\n <HTML lang=fr>", "a web page (HTML)", 0},
        {"<?xml version=\"1.0\"?><html>", "a web page (HTML)", 0},
        {"<?xml version=\"1.0\"?><feed>", "an XML file", 0},
        {" {\"usage\": 1}", "a JSON file", 0},
        {"[1]", "a JSON file", 0},
        {"debut;kW\n", "a text with columns (CSV) that are not known", 0},
        {"hello\n", "a text", 0},
        {"hello\0world", "a binary file", 11},
        {"\x7F"
         "ELF",
         "a binary file", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct str head = {ROWS[i].head, ROWS[i].len ? ROWS[i].len : strlen(ROWS[i].head)};
        const struct format *format;
        char wanted[96];
        long readings = 0;

        (void)snprintf(wanted, sizeof wanted, "this is %s; what is read here: ", ROWS[i].seen);
        assert_err(read_text(head, SIZE_MAX, &readings, &format), ERR_UNSUPPORTED);
        assert_row(ROWS[i].seen, str_starts(str_of(err_story()), str_of(wanted)));
        assert_non_null(strstr(err_story(), FORMATS[0].meaning));
        assert_null(format);
    }
}

static void a_known_file_without_sense_is_named_with_its_format(void **state)
{
    const struct format *format;
    long readings = 0;

    (void)state;
    assert_err(read_text(STR("Identifiant PRM;Type de donnees\n1;Autre\n"), 10, &readings, &format),
               ERR_INVALID);
    assert_ptr_equal(format, &FORMATS[0]);
    assert_string_equal(err_story(), "enedis.portal.csv: none of 1 lines makes sense");
}

static void a_failing_input_is_told(void **state)
{
    struct source s = {STR(""), 1, true};
    struct reading_input in = {give, &s};
    struct reading_options options = {NULL};
    long readings = 0;
    struct reading_sink sink = {count, pass_over, &readings};
    const struct format *format = NULL;

    (void)state;
    assert_err(format_read(&in, &options, &sink, &format), ERR_IO);
    assert_null(format);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_file_is_read_from_its_first_byte),
        cmocka_unit_test(each_row_is_complete_and_named_once),
        cmocka_unit_test(an_unknown_file_is_named_for_what_it_is),
        cmocka_unit_test(a_known_file_without_sense_is_named_with_its_format),
        cmocka_unit_test(a_failing_input_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
