#include "tests/harness/test.h"

#include "pds/store/media.h"

#include <string.h>

#define BYTES(b) b, sizeof(b) - 1

static const struct {
    const char *name, *bytes;
    size_t len;
    const char *file, *type;
} ROWS[] = {
    {"pdf", BYTES("%PDF-1.7\n\x80"), "a.pdf", "application/pdf"},
    {"pdf under another name", BYTES("%PDF-1.7"), "a.html", "application/pdf"},
    {"png", BYTES("\x89PNG\r\n\x1a\n\0\0"), "x", "image/png"},
    {"jpeg", BYTES("\xff\xd8\xff\xe0\0"), "x.png", "image/jpeg"},
    {"webp", BYTES("RIFF\1\2\3\4WEBPVP8 "), "x", "image/webp"},
    {"another RIFF", BYTES("RIFF\1\2\3\4WAVEfmt "), "x.webp", "application/octet-stream"},
    {"a RIFF cut short", BYTES("RIFF\1\2"), "x.webp", "application/octet-stream"},
    {"heic",
     BYTES("\0\0\0\x18"
           "ftypheic"),
     "x", "image/heic"},
    {"tiff", BYTES("II*\0\x08\0"), "x", "image/tiff"},
    {"zip", BYTES("PK\3\4\x14\0"), "a.zip", "application/zip"},
    {"docx", BYTES("PK\3\4\x14\0"), "A.DOCX",
     "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"docx that is none", BYTES("hello"), "a.docx", "text/plain"},
    {"html", BYTES("<!doctype html><script>alert(1)</script>"), "a.html", "text/plain"},
    {"svg", BYTES("<svg xmlns='http://www.w3.org/2000/svg'/>"), "a.svg", "text/plain"},
    {"csv", BYTES("a;b\n1;2\n"), "a.csv", "text/csv"},
    {"json", BYTES("{}"), "a.json", "application/json"},
    {"markdown", BYTES("# A"), "note.md", "text/markdown"},
    {"an ending alone", BYTES("# A"), ".md", "text/plain"},
    {"accents", BYTES("\xc3\xa9t\xc3\xa9"), "a", "text/plain"},
    {"a character cut", BYTES("ab\xc3"), "a", "text/plain"},
    {"latin-1", BYTES("\xe9t\xe9 long"), "a.txt", "application/octet-stream"},
    {"NUL", BYTES("a\0b"), "a.txt", "application/octet-stream"},
    {"empty", BYTES(""), "a", "text/plain"},
};

static void bytes_and_name_tell_the_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_row(ROWS[i].name, strcmp(media_type_of(ROWS[i].bytes, ROWS[i].len, str_of(ROWS[i].file)),
                                        ROWS[i].type) == 0);
}

static void what_is_shown_and_what_is_searched(void **state)
{
    (void)state;
    assert_true(media_is_shown(STR("application/pdf")));
    assert_true(media_is_shown(STR("text/plain")));
    assert_false(media_is_shown(STR("text/html")));
    assert_false(media_is_shown(STR("image/svg+xml")));
    assert_false(media_is_shown(STR("text/csv")));
    assert_true(media_is_text(STR("text/csv")));
    assert_true(media_is_text(STR("text/plain")));
    assert_false(media_is_text(STR("application/pdf")));
    assert_false(media_is_text(STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_and_name_tell_the_type),
        cmocka_unit_test(what_is_shown_and_what_is_searched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
