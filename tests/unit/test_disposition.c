#include "tests/harness/test.h"

#include "pds/base/mem.h"
#include "pds/httpd/disposition.h"
#include "tests/harness/fault.h"

#include <string.h>

#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct row {
    const char *value;
    enum err expected;
    const char *name, *file; /* NULL for a plain field */
} ROWS[] = {
    {"form-data; name=\"a\"", ERR_OK, "a", NULL},
    {"FORM-DATA;NAME=a", ERR_OK, "a", NULL},
    {"form-data; name=\"file\"; filename=\"a.csv\"", ERR_OK, "file", "a.csv"},
    {"form-data; name=f; filename=\"\"", ERR_OK, "f", ""},
    {"form-data; name=f; filename=\"a;b=c.csv\"", ERR_OK, "f", "a;b=c.csv"},
    {"form-data; name=f; filename=\"say \\\"hi\\\".csv\"", ERR_OK, "f", "say \"hi\".csv"},
    {"form-data; name=f; filename=\"C:\\temp\\a.csv\"", ERR_OK, "f", "a.csv"},
    {"form-data; name=f; filename=\"../../etc/passwd\"", ERR_OK, "f", "passwd"},
    {"form-data; name=f; filename=\"\xC3\xA9t\xC3\xA9.csv\"", ERR_OK, "f", "\xC3\xA9t\xC3\xA9.csv"},
    {"form-data; name=f; filename=x; filename*=UTF-8''%C3%A9.csv", ERR_OK, "f", "\xC3\xA9.csv"},
    {"form-data; name=f; filename*=utf-8'fr'a%2Fb.csv", ERR_OK, "f", "b.csv"},
    {"form-data; name=f; other=1", ERR_OK, "f", NULL},
    {"form-data", ERR_INVALID, NULL, NULL},
    {"form-data; filename=\"a\"", ERR_INVALID, NULL, NULL},
    {"attachment; name=a", ERR_INVALID, NULL, NULL},
    {"", ERR_INVALID, NULL, NULL},
    {"form-data; name=\"a", ERR_INVALID, NULL, NULL},
    {"form-data; name=\"a\" x", ERR_INVALID, NULL, NULL},
    {"form-data; name", ERR_INVALID, NULL, NULL},
    {"form-data; =a", ERR_INVALID, NULL, NULL},
    {"form-data; na me=a", ERR_INVALID, NULL, NULL},
    {"form-data; name=a; name=b", ERR_INVALID, NULL, NULL},
    {"form-data; name=a; filename=b; filename=c", ERR_INVALID, NULL, NULL},
    {"form-data; name=f; filename*=latin1''%E9", ERR_INVALID, NULL, NULL},
    {"form-data; name=f; filename*=UTF-8''%E9", ERR_INVALID, NULL, NULL},
    {"form-data; name=f; filename*=UTF-8''%00", ERR_INVALID, NULL, NULL},
    {"form-data; name=f; filename*=nothing", ERR_INVALID, NULL, NULL},
    {"form-data; name=f; filename=\"a\tb\"", ERR_INVALID, NULL, NULL},
    {"form-data; name=f; filename=\"a\x01\"", ERR_INVALID, NULL, NULL},
    {"form-data; name=f; filename=\"\xFF\"", ERR_INVALID, NULL, NULL},
    {"form-data; name=f; filename=" A50 A50 A50 A50 A50 "12345", ERR_OK, "f", A50 A50 A50 A50 A50 "12345"},
    {"form-data; name=f; filename=" A50 A50 A50 A50 A50 "123456", ERR_INVALID, NULL, NULL},
};

static void disposition_names_field_and_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        const struct row *row = &ROWS[i];
        struct str name = {0}, file = {0};
        struct arena arena;
        arena_init(&arena, 65536);
        assert_row(row->value, disposition_parse(str_of(row->value), &arena, &name, &file) == row->expected);
        if (row->expected == ERR_OK) {
            assert_row(row->value, str_eq(name, str_of(row->name)));
            assert_row(row->value, (file.ptr != NULL) == (row->file != NULL));
            assert_row(row->value, !row->file || str_eq(file, str_of(row->file)));
        } else {
            assert_row(row->value, !name.ptr && !file.ptr);
        }
        arena_done(&arena);
    }
}

static void disposition_survives_each_failing_allocation(void **state)
{
    struct str name, file, value = STR("form-data; name=\"a\"; filename=\"b\"; filename*=UTF-8''%41");
    struct arena arena;
    enum err e;

    (void)state;
    arena_init(&arena, 65536);
    FAIL_EACH_ALLOCATION (e, disposition_parse(value, &arena, &name, &file)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        arena_done(&arena);
    }
    assert_true(str_eq(file, STR("A")));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disposition_names_field_and_file),
        cmocka_unit_test(disposition_survives_each_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
