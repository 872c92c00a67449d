#include "tests/harness/test.h"

#include "pds/base/buf.h"
#include "pds/store/record.h"

#include <string.h>

static void value_text_is_exact_or_rounded(void **state)
{
    static const struct {
        int64_t numerator, denominator;
        const char *text;
    } ROWS[] = {
        {0, 60, "0"},
        {9900, 60, "165"},
        {30, 60, "0.5"},
        {10, 60, "0.166667"},
        {-30, 60, "-0.5"},
        {-90, 60, "-1.5"},
        {1, 3, "0.333333"},
        {2, 3, "0.666667"},
        {-1, 3, "-0.333333"},
        {1, 1, "1"},
        {123456789, 1, "123456789"},
        {1, 1000000000, "0.000000001"},
        {-1, 1000000000, "-0.000000001"},
        {999999999, 1000000000, "0.999999999"},
        {457640430, 10000000, "45.764043"},
        {-48356589, 10000000, "-4.8356589"},
        {1, 99999, "0.00001"},
        {1, 1000, "0.001"},
        {INT64_MAX, 1, "9223372036854775807"},
        {INT64_MIN, 1, "-9223372036854775808"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct buf out;

        buf_init(&out, 64);
        record_value_text(&out, ROWS[i].numerator, ROWS[i].denominator);
        assert_string_equal(out.data, ROWS[i].text);
        buf_done(&out);
    }
}

static void more_round_trips_and_drops_trailing_nothing(void **state)
{
    static const struct {
        uint32_t present;
        const char *text;
    } ROWS[] = {{0x1, ""},
                {0x3, "[101]"},
                {0x5, "[null,102]"},
                {0x8001, "[null,null,null,null,null,null,null,null,null,null,null,null,null,null,115]"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct record r = {.present = ROWS[i].present};
        int64_t values[DATASET_VALUES_MAX] = {0};
        uint32_t present = 1;
        struct buf out;

        for (int v = 1; v < DATASET_VALUES_MAX; v++)
            r.values[v] = 100 + v;
        buf_init(&out, 512);
        record_more_write(&out, &r, DATASET_VALUES_MAX);
        assert_int_equal(out.len, strlen(ROWS[i].text));
        assert_true(out.len == 0 || strcmp(out.data, ROWS[i].text) == 0);
        assert_ok(record_more_read((struct str){out.data, out.len}, values, &present));
        assert_int_equal(present, ROWS[i].present);
        for (int v = 1; v < DATASET_VALUES_MAX; v++)
            assert_int_equal(values[v], present & (1U << v) ? 100 + v : 0);
        buf_done(&out);
    }
}

static void more_refuses_what_is_no_list_of_numbers(void **state)
{
    static const char *const ROWS[] = {"1",  "[",     "]",   "[a]",
                                       "[1", "[1.5]", "[,]", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        int64_t values[DATASET_VALUES_MAX] = {0};
        uint32_t present = 1;

        assert_row(ROWS[i], record_more_read(str_of(ROWS[i]), values, &present) == ERR_CORRUPT);
    }
}

static void qualities_have_names_both_ways(void **state)
{
    enum record_quality q;

    (void)state;
    for (int i = RECORD_ESTIMATED; i <= RECORD_DEFINITIVE; i++) {
        assert_ok(record_quality_read(str_of(record_quality_name(i)), &q));
        assert_int_equal(q, i);
    }
    assert_null(record_quality_name(0));
    assert_null(record_quality_name(5));
    assert_err(record_quality_read(STR("good"), &q), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value_text_is_exact_or_rounded),
        cmocka_unit_test(more_round_trips_and_drops_trailing_nothing),
        cmocka_unit_test(more_refuses_what_is_no_list_of_numbers),
        cmocka_unit_test(qualities_have_names_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
