/* Names that any system takes, out of any text. */
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/portable/export_internal.h"

#include <string.h>

static void names_are_safe(void **state)
{
    static const struct {
        struct str text;
        bool dots;
        const char *name;
    } ROWS[] = {
        {STR_ROW("facture"), false, "facture"},
        {STR_ROW("Pièce d’identité"), false, "Piece-d-identite"},
        {STR_ROW("../../etc/passwd"), true, "etc-passwd"},
        {STR_ROW("energy.gas.consumption"), true, "energy.gas.consumption"},
        {STR_ROW("CON.pdf"), false, "CON-pdf"},
        {STR_ROW("-rf"), false, "rf"},
        {STR_ROW(".hidden"), true, "hidden"},
        {STR_ROW("a..b"), true, "a.b"},
        {STR_ROW("trailing. "), true, "trailing"},
        {STR_ROW(""), false, "_"},
        {STR_ROW("\xe2\x80\xae"
                 "fdp.exe"),
         false, "fdp-exe"},
        {STR_ROW("\xff\xfe"), false, "_"},
        {STR_ROW("日本"), false, "_"},
        {STR_ROW("a\nb\tc"), false, "a-b-c"},
        {STR_ROW("12345678901234567890"), false, "1234567890123456"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(buf_done) struct buf out;

        buf_init(&out, KIB);
        export_name(&out, ROWS[i].text, ROWS[i].dots, 16 + (ROWS[i].dots ? 16 : 0));
        assert_ok(buf_err(&out));
        assert_row(ROWS[i].name, strcmp(out.data, ROWS[i].name) == 0);
    }
}

static void names_are_added_to_what_is_there(void **state)
{
    AUTO(buf_done) struct buf out;

    (void)state;
    buf_init(&out, KIB);
    buf_text(&out, "documents/");
    export_name(&out, STR("-x-"), false, 10);
    assert_string_equal(out.data, "documents/x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_safe),
        cmocka_unit_test(names_are_added_to_what_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
