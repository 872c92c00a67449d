#include "tests/harness/test.h"

#include "connectors/files/enedis_label.h"

static int64_t at(const char *text)
{
    int64_t instant;

    assert_ok(clock_parse(str_of(text), &instant, NULL));
    return instant;
}

static void labels_are_read_or_refused(void **state)
{
    static const struct {
        const char *text, *instant;
    } ROWS[] = {
        {"2024-05-01T00:30:00+02:00", "2024-04-30T22:30:00Z"},
        {" 2024-05-01T00:30:00Z ", "2024-05-01T00:30:00Z"},
        {"2024-05-01T00:30:00-01:00", "2024-05-01T01:30:00Z"},
        {"2024-05-01 00:30", "2024-04-30T22:30:00Z"},
        {"2024-12-01T00:30:00", "2024-11-30T23:30:00Z"},
        {"1990-01-01T00:00:00Z", "1990-01-01T00:00:00Z"},
        {"2100-12-31T23:59:59Z", "2100-12-31T23:59:59Z"},
        {"1989-12-31T23:59:59Z", NULL},
        {"2101-01-01T00:00:00Z", NULL},
        {"1989-12-31T23:59:59", NULL},
        {"2024-05-01", NULL},
        {"2024-05-01T24:00:00", NULL},
        {"2024-05-32T00:30:00+02:00", NULL},
        {"2024-05-01T00:30:00+02:00x", NULL},
        {"2024-03-31T02:30:00", NULL}, /* left out by the spring change */
        {"01/05/2024 00:30", NULL},
        {"Z", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct enedis_clock c = {0};
        int64_t instant = 0;
        const char *flaw = enedis_label_read(&c, zone_paris(), str_of(ROWS[i].text), 1, &instant);

        assert_row(ROWS[i].text, !flaw == (ROWS[i].instant != NULL));
        if (ROWS[i].instant)
            assert_row(ROWS[i].text, instant == at(ROWS[i].instant));
    }
}

/* Labels of one file in order, the hours they stand for in UTC, and the line that stays a guess. */
static const struct {
    const char *name;
    const char *labels[8];
    const char *hours[8];
    int64_t doubt;
} ORDERS[] = {
    {"half-hours",
     {"2024-10-27T01:30:00", "2024-10-27T02:00:00", "2024-10-27T02:30:00", "2024-10-27T02:00:00",
      "2024-10-27T02:30:00", "2024-10-27T03:00:00"},
     {"26T23:30", "27T00:00", "27T00:30", "27T01:00", "27T01:30", "27T02:00"},
     0},
    {"newest first",
     {"2024-10-27T03:30:00", "2024-10-27T03:00:00", "2024-10-27T02:30:00", "2024-10-27T02:00:00",
      "2024-10-27T02:30:00", "2024-10-27T02:00:00", "2024-10-27T01:30:00"},
     {"27T02:30", "27T02:00", "27T01:30", "27T01:00", "27T00:30", "27T00:00", "26T23:30"},
     0},
    {"hours",
     {"2024-10-27T01:00:00", "2024-10-27T02:00:00", "2024-10-27T02:00:00", "2024-10-27T03:00:00"},
     {"26T23:00", "27T00:00", "27T01:00", "27T02:00"},
     0},
    {"hours, one of them once",
     {"2024-10-27T01:00:00", "2024-10-27T02:00:00", "2024-10-27T03:00:00"},
     {"26T23:00", "27T00:00", "27T02:00"},
     2},
    {"the file ends in the hour",
     {"2024-10-27T01:00:00", "2024-10-27T02:00:00"},
     {"26T23:00", "27T00:00"},
     2},
    {"the file begins in the hour",
     {"2024-10-27T02:30:00", "2024-10-27T02:00:00", "2024-10-27T02:30:00", "2024-10-27T03:00:00"},
     {"27T00:30", "27T01:00", "27T01:30", "27T02:00"},
     0},
};

static void the_order_of_lines_places_the_hour_that_comes_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ORDERS); i++) {
        struct enedis_clock c = {0};
        int64_t doubt = 0, told;

        for (int n = 0; n < 8 && ORDERS[i].labels[n]; n++) {
            int64_t instant = 0;
            char text[CLOCK_TEXT_BYTES];

            assert_null(enedis_label_read(&c, zone_paris(), str_of(ORDERS[i].labels[n]), n + 1, &instant));
            clock_text(instant, text);
            assert_row(ORDERS[i].name, str_starts(str_of(text + 8), str_of(ORDERS[i].hours[n])));
            if ((told = enedis_label_doubt(&c, false)))
                doubt = told;
        }
        if ((told = enedis_label_doubt(&c, true)))
            doubt = told;
        assert_row(ORDERS[i].name, doubt == ORDERS[i].doubt);
        assert_int_equal(enedis_label_doubt(&c, true), 0);
    }
}

static void an_index_is_of_midnight_of_the_written_date(void **state)
{
    static const struct {
        const char *text, *instant;
    } ROWS[] = {
        {"2024-07-25T01:00:00+02:00", "2024-07-25T00:00:00+02:00"},
        {"2020-12-30T23:00:00+01:00", "2020-12-30T00:00:00+01:00"},
        {"2024-10-27T23:00:00+01:00", "2024-10-27T00:00:00+02:00"},
        {"2024-01-10", "2024-01-10T00:00:00+01:00"},
        {"2024-01-10T00:00:00", "2024-01-10T00:00:00+01:00"},
        {"1990-01-01", "1990-01-01T00:00:00+01:00"},
        {"1989-12-31", NULL},
        {"2101-01-01", NULL},
        {"2024-01-10T", NULL},
        {"2024-01-10Z", NULL},
        {"2024-01-1", NULL},
        {"2024-02-30", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        int64_t instant = 0;
        const char *flaw = enedis_label_date(zone_paris(), str_of(ROWS[i].text), &instant);

        assert_row(ROWS[i].text, !flaw == (ROWS[i].instant != NULL));
        if (ROWS[i].instant)
            assert_row(ROWS[i].text, instant == at(ROWS[i].instant));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_read_or_refused),
        cmocka_unit_test(the_order_of_lines_places_the_hour_that_comes_twice),
        cmocka_unit_test(an_index_is_of_midnight_of_the_written_date),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
