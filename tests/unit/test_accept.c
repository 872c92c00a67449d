#include "tests/harness/test.h"

#include "pds/api/accept.h"

static const struct {
    const char *header, *type;
    int quality;
} ROWS[] = {
    {"", "text/csv", 1000},
    {"  ", "text/csv", 1000},
    {"text/csv", "text/csv", 1000},
    {"Text/CSV", "text/csv", 1000},
    {"text/csv", "application/json", 0},
    {"*/*", "text/csv", 1000},
    {"text/*;q=0.5", "text/csv", 500},
    {"text/*", "textual/csv", 0},
    {"text/*", "application/json", 0},
    {"text/csv, */*;q=0.1", "text/csv", 1000},
    {"text/csv, */*;q=0.1", "application/json", 100},
    {"*/*;q=0.1, text/csv;q=0.2", "text/csv", 200},
    {"text/csv;q=0, */*", "text/csv", 0},
    {"text/csv;q=0, */*", "application/json", 1000},
    {"text/*;q=0.3, text/csv;header=present;q=0.7", "text/csv", 700},
    {"text/csv ; Q=0.25", "text/csv", 250},
    {"text/csv;q=2", "text/csv", 0},
    {"text/csv;q=", "text/csv", 0},
    {"text/csv;q=-1", "text/csv", 0},
    {"text/csv;q=x, text/*;q=0.4", "text/csv", 400},
    {", ,;,text/csv", "text/csv", 1000},
    {"/*", "text/csv", 0},
    {"*", "text/csv", 0},
};

static void accept_quality_is_that_of_the_closest_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_row(ROWS[i].header, accept_quality(str_of(ROWS[i].header), ROWS[i].type) == ROWS[i].quality);
    assert_int_equal(accept_quality((struct str){0}, "text/csv"), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_quality_is_that_of_the_closest_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
