#include "tests/harness/test.h"

#include "pds/httpd/range.h"

static const struct {
    const char *header;
    uint64_t size;
    struct range range;
} ROWS[] = {
    {"", 10, {RANGE_ALL, 0, 10}},
    {"bytes=0-3", 10, {RANGE_PART, 0, 4}},
    {"bytes=0-0", 10, {RANGE_PART, 0, 1}},
    {"bytes=9-9", 10, {RANGE_PART, 9, 1}},
    {"bytes=4-", 10, {RANGE_PART, 4, 6}},
    {"bytes=4-99999999999", 10, {RANGE_PART, 4, 6}},
    {"bytes=0-18446744073709551615", 10, {RANGE_PART, 0, 10}},
    {"bytes=0-9", 10, {RANGE_PART, 0, 10}},
    {"bytes=-3", 10, {RANGE_PART, 7, 3}},
    {"bytes=-99", 10, {RANGE_PART, 0, 10}},
    {"BYTES= 2-3 ", 10, {RANGE_PART, 2, 2}},
    {"bytes=10-", 10, {RANGE_BEYOND, 0, 10}},
    {"bytes=11-12", 10, {RANGE_BEYOND, 0, 10}},
    {"bytes=-0", 10, {RANGE_BEYOND, 10, 0}},
    {"bytes=0-", 0, {RANGE_BEYOND, 0, 0}},
    {"bytes=-5", 0, {RANGE_BEYOND, 0, 0}},
    {"bytes=5-4", 10, {RANGE_ALL, 0, 10}},
    {"bytes=0-1,3-4", 10, {RANGE_ALL, 0, 10}},
    {"bytes=-1,3-4", 10, {RANGE_ALL, 0, 10}},
    {"bytes=", 10, {RANGE_ALL, 0, 10}},
    {"bytes=-", 10, {RANGE_ALL, 0, 10}},
    {"bytes=a-b", 10, {RANGE_ALL, 0, 10}},
    {"bytes=1", 10, {RANGE_ALL, 0, 10}},
    {"bytes=1-2x", 10, {RANGE_ALL, 0, 10}},
    {"bytes=+1-2", 10, {RANGE_ALL, 0, 10}},
    {"bytes=18446744073709551616-", 10, {RANGE_ALL, 0, 10}},
    {"items=0-3", 10, {RANGE_ALL, 0, 10}},
};

static void a_range_is_read_as_the_standard_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct range got = range_read(str_of(ROWS[i].header), ROWS[i].size);
        assert_row(ROWS[i].header, got.kind == ROWS[i].range.kind && got.first == ROWS[i].range.first &&
                                       got.bytes == ROWS[i].range.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_range_is_read_as_the_standard_says)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
