#include "tests/harness/test.h"

#include "pds/store/period.h"

static void a_period_is_told_as_an_interval(void **state)
{
    static const struct {
        const char *name;
        int64_t from, to;
        const char *text;
    } ROWS[] = {
        {"a day", 1714521600, 1714608000, "a.b 2024-05-01T00:00:00Z/2024-05-02T00:00:00Z"},
        {"an instant", 0, 0, "a.b 1970-01-01T00:00:00Z/1970-01-01T00:00:00Z"},
        {"without limit", INT64_MIN, INT64_MAX, "a.b 0000-01-01T00:00:00Z/9999-12-31T23:59:59Z"},
    };
    static const struct dataset DATASET = {.name = "a.b"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        char text[PERIOD_BYTES];

        period_text(&DATASET, ROWS[i].from, ROWS[i].to, text);
        assert_string_equal(text, ROWS[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_period_is_told_as_an_interval)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
