#include "tests/harness/fault.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/canon.h"
#include "pds/base/json.h"
#include "pds/base/limits.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int start(void **state)
{
    (void)state;
    json_start();
    return 0;
}

static void check(const char *text, const char *wanted)
{
    AUTO(json_freep) json_t *tree = NULL;
    AUTO(buf_done) struct buf out;

    buf_init(&out, 65536);
    assert_ok(json_read(str_of(text), 65536, &tree));
    assert_ok(canon_write(&out, tree));
    assert_string_equal(out.data, wanted);
}

/* RFC 8785 3.2.2 and 3.2.3, its examples. */
static void the_examples_of_the_rfc_come_out_as_there(void **state)
{
    (void)state;
    check("{\"numbers\": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],"
          " \"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\","
          " \"literals\": [null, true, false]}",
          "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
          "\"string\":\"\xE2\x82\xAC$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
    check("{\"\\u20ac\": \"Euro Sign\", \"\\r\": \"Carriage Return\", \"\\ufb33\": \"Hebrew Letter Dalet "
          "With Dagesh\","
          " \"1\": \"One\", \"\\ud83d\\ude00\": \"Emoji: Grinning Face\", \"\\u0080\": \"Control\","
          " \"\\u00f6\": \"Latin Small Letter O With Diaeresis\"}",
          "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xC2\x80\":\"Control\","
          "\"\xC3\xB6\":\"Latin Small Letter O With Diaeresis\",\"\xE2\x82\xAC\":\"Euro Sign\","
          "\"\xF0\x9F\x98\x80\":\"Emoji: Grinning Face\","
          "\"\xEF\xAC\xB3\":\"Hebrew Letter Dalet With Dagesh\"}");
}

/* RFC 8785 appendix B: the bits of a double and its text. */
static void numbers_are_written_as_in_the_table_of_the_rfc(void **state)
{
    static const struct {
        uint64_t bits;
        const char *text;
    } ROWS[] = {
        {0x0000000000000000, "0"},
        {0x8000000000000000, "0"},
        {0x0000000000000001, "5e-324"},
        {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0xffefffffffffffff, "-1.7976931348623157e+308"},
        {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"},
        {0x4430000000000000, "295147905179352830000"},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"},
        {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"},
        {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
        {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"},
        {0x41b3de4355555554, "333333333.33333325"},
        {0x41b3de4355555555, "333333333.3333333"},
        {0x41b3de4355555556, "333333333.3333334"},
        {0x41b3de4355555557, "333333333.33333343"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(json_freep) json_t *tree = NULL;
        AUTO(buf_done) struct buf out;
        double value;

        buf_init(&out, 64);
        memcpy(&value, &ROWS[i].bits, sizeof value);
        tree = json_real(value);
        assert_ok(canon_write(&out, tree));
        assert_string_equal(out.data, ROWS[i].text);
    }
}

static void any_double_reads_back_as_itself(void **state)
{
    uint64_t seed = test_seed();

    (void)state;
    for (int i = 0; i < 5000; i++) {
        AUTO(json_freep) json_t *tree = NULL;
        AUTO(buf_done) struct buf out;
        uint64_t bits = test_random(&seed);
        double value;

        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        buf_init(&out, 64);
        tree = json_real(value);
        assert_ok(canon_write(&out, tree));
        assert_true(strtod(out.data, NULL) == value);
    }
}

static void whole_numbers_are_those_that_a_double_tells_apart(void **state)
{
    static const struct {
        const char *text;
        enum err wanted;
    } ROWS[] = {{"9007199254740992", ERR_OK},
                {"-9007199254740992", ERR_OK},
                {"9007199254740993", ERR_INVALID},
                {"-9007199254740993", ERR_INVALID},
                {"[1,9223372036854775807]", ERR_INVALID}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(json_freep) json_t *tree = NULL;
        AUTO(buf_done) struct buf out;

        buf_init(&out, 64);
        assert_ok(json_read(str_of(ROWS[i].text), 64, &tree));
        assert_row(ROWS[i].text, canon_write(&out, tree) == ROWS[i].wanted);
    }
}

static void empty_things_stay(void **state)
{
    (void)state;
    check("{}", "{}");
    check("[]", "[]");
    check("[ [ ], { } , \"\" ]", "[[],{},\"\"]");
    check("{\"b\":{\"d\":1,\"c\":-2},\"a\":\"\\u007f\"}", "{\"a\":\"\x7f\",\"b\":{\"c\":-2,\"d\":1}}");
}

static void keys_that_begin_alike_are_told_apart(void **state)
{
    (void)state;
    check("{\"ab\":1,\"a\":2,\"\":3}", "{\"\":3,\"a\":2,\"ab\":1}");
    check("{\"\\ud83d\\ude01\":1,\"\\ud83d\\ude00\":2,\"\\uffff\":3,\"\\ue000\":4,\"\\ud7ff\":5}",
          "{\"\xED\x9F\xBF\":5,\"\xF0\x9F\x98\x80\":2,\"\xF0\x9F\x98\x81\":1,\"\xEE\x80\x80\":4,"
          "\"\xEF\xBF\xBF\":3}");
}

static void what_is_too_deep_is_refused(void **state)
{
    AUTO(json_freep) json_t *tree = json_array();
    AUTO(buf_done) struct buf out;

    (void)state;
    buf_init(&out, 4096);
    for (int i = 0; i < LIMIT_JSON_DEPTH; i++)
        tree = json_pack("[o]", tree);
    assert_err(canon_write(&out, tree), ERR_TOO_LARGE);
}

static void a_text_is_utf8(void **state)
{
    AUTO(buf_done) struct buf out;

    (void)state;
    buf_init(&out, 16);
    assert_err(canon_text(&out, STR("\xC3")), ERR_INVALID);
    assert_ok(canon_text(&out, STR("\xC3\xA9")));
    assert_string_equal(out.data, "\"\xC3\xA9\"");
    assert_err(canon_text(&out, STR("longer than there is room for")), ERR_TOO_LARGE);
}

static enum err write_fresh(struct buf *out, const json_t *tree)
{
    buf_clear(out);
    return canon_write(out, tree);
}

static void writing_survives_each_failing_allocation(void **state)
{
    AUTO(json_freep) json_t *tree = json_pack("{s:[i,s],s:{s:b}}", "b", 1, "x", "a", "c", 1);
    AUTO(buf_done) struct buf out;
    enum err e;

    (void)state;
    buf_init(&out, 4096);
    FAIL_EACH_ALLOCATION (e, write_fresh(&out, tree)) {
        assert_int_equal(e, ERR_NO_MEMORY);
    }
    assert_string_equal(out.data, "{\"a\":{\"c\":true},\"b\":[1,\"x\"]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc_come_out_as_there),
        cmocka_unit_test(numbers_are_written_as_in_the_table_of_the_rfc),
        cmocka_unit_test(any_double_reads_back_as_itself),
        cmocka_unit_test(whole_numbers_are_those_that_a_double_tells_apart),
        cmocka_unit_test(empty_things_stay),
        cmocka_unit_test(keys_that_begin_alike_are_told_apart),
        cmocka_unit_test(what_is_too_deep_is_refused),
        cmocka_unit_test(a_text_is_utf8),
        cmocka_unit_test(writing_survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
