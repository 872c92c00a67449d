/* Members and elements come one by one; what is no such object is refused. */
#include "tests/harness/bytes.h"
#include "tests/harness/fault.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/portable/member.h"

#include <string.h>

/* What is read, as "key=value;" or "key[]=value;". */
static enum err read_all(struct str text, size_t piece, struct buf *out)
{
    struct bytes in = {.text = text, .piece = piece};
    struct member m;
    enum err e;

    member_init(&m, bytes_get, &in);
    while (!(e = member_next(&m))) {
        buf_printf(out, "%s%s=", m.key, m.element ? "[]" : "");
        json_write(out, m.value);
        buf_char(out, ';');
    }
    member_done(&m);
    return e == ERR_NOT_FOUND ? buf_err(out) : e;
}

static void members_come_one_by_one(void **state)
{
    static const struct {
        struct str text;
        const char *seen;
    } ROWS[] = {
        {STR_ROW("{}"), ""},
        {STR_ROW(" { \"a\" : 1 , \"b\":[ ] } \n"), "a=1;"},
        {STR_ROW("{\"a\":[1,{\"x\":[2,3]},\"]\"],\"b\":{\"c\":[]}}"),
         "a[]=1;a[]={\"x\":[2,3]};a[]=\"]\";b={\"c\":[]};"},
        {STR_ROW("{\"a\":\"\\\"}\",\"b\":null}"), "a=\"\\\"}\";b=null;"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        for (size_t piece = 1; piece < 40; piece += 6) {
            AUTO(buf_done) struct buf out;

            buf_init(&out, KIB);
            assert_row(ROWS[i].seen, read_all(ROWS[i].text, piece, &out) == ERR_OK);
            assert_row(ROWS[i].seen, str_eq((struct str){out.data, out.len}, str_of(ROWS[i].seen)));
        }
    }
}

static void what_is_no_object_is_refused(void **state)
{
    static const struct str ROWS[] = {
        STR_ROW(""),           STR_ROW("[]"),           STR_ROW("{"),          STR_ROW("{\"a\"}"),
        STR_ROW("{\"a\":}"),   STR_ROW("{\"a\":1,}"),   STR_ROW("{,}"),        STR_ROW("{\"a\":1}x"),
        STR_ROW("{\"a\":[1"),  STR_ROW("{\"a\":[1,]}"), STR_ROW("{a:1}"),      STR_ROW("{\"a\":[1 2]}"),
        STR_ROW("{\"\":1}"),   STR_ROW("{\"a\":01}"),   STR_ROW("{\"a\":{]}"), STR_ROW("{1:1}"),
        STR_ROW("{\"a\":\"b"), STR_ROW("{\"a\":\0}"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(buf_done) struct buf out;

        buf_init(&out, KIB);
        assert_row(ROWS[i].ptr, read_all(ROWS[i], 5, &out) == ERR_INVALID);
    }
}

static void a_value_has_a_ceiling(void **state)
{
    AUTO(buf_done) struct buf text, out;

    (void)state;
    buf_init(&text, MIB);
    buf_init(&out, MIB);
    buf_text(&text, "{\"a\":\"");
    for (int i = 0; i < MEMBER_BYTES; i++)
        buf_char(&text, 'x');
    buf_text(&text, "\"}");
    assert_err(read_all((struct str){text.data, text.len}, SIZE_MAX, &out), ERR_TOO_LARGE);
}

static void each_failing_allocation_is_told(void **state)
{
    AUTO(buf_done) struct buf out;
    long live;
    enum err e;

    (void)state;
    json_start();
    buf_init(&out, KIB);
    buf_reserve(&out, 512);
    live = mem_live();
    FAIL_EACH_ALLOCATION (e, (buf_clear(&out), read_all(STR("{\"a\":[1,{\"b\":2}]}"), SIZE_MAX, &out))) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_int_equal(mem_live(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_one_by_one),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(a_value_has_a_ceiling),
        cmocka_unit_test(each_failing_allocation_is_told),
    };

    json_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
