#include "tests/unit/enedis_outcome.h"

/* A long file, made as it is read. */
struct maker {
    int64_t at, count; /* END labels from `at` on */
    int64_t step_s;    /* from one to the next; below zero: newest first */
    int64_t missing;   /* each nth line is not there; 0: all are */
    int64_t swapped;   /* of so many lines, the order is turned round; 0: none */
    int64_t made;
};

static enum err maker_read(void *context, void *out, size_t size, size_t *got)
{
    struct maker *m = context;
    char *to = out;

    *got = 0;
    while (m->made < m->count && size - *got > 64) {
        int64_t n = m->made++;
        char text[CLOCK_TEXT_BYTES];

        if (m->missing && n % m->missing == m->missing - 1)
            continue;
        if (m->swapped)
            n = n / m->swapped * m->swapped + m->swapped - 1 - n % m->swapped;
        clock_text(m->at + n * m->step_s, text);
        *got += (size_t)snprintf(to + *got, size - *got, "%s;%d\n", text, (int)(n % 1000));
    }
    return ERR_OK;
}

static enum err parse_made(struct maker m, struct outcome *o)
{
    struct reading_input in = {maker_read, &m};
    struct reading_options options = {NULL};
    struct reading_sink sink = {outcome_take, outcome_tell, o};

    outcome_init(o);
    o->quiet = true;
    return enedis_csv_parse(&in, &options, &sink);
}

#define YEAR_2000 INT64_C(946684800)

static const struct {
    const char *name;
    struct maker made;
    long length, readings, doubts;
} LONG_ROWS[] = {
    {"oldest first", {.at = YEAR_2000, .count = 200000, .step_s = 600}, 600, 200000, 0},
    {"newest first", {.at = YEAR_2000, .count = 200000, .step_s = -600}, 600, 200000, 0},
    {"with holes", {.at = YEAR_2000, .count = 200000, .step_s = 1800, .missing = 7}, 1800, 171429, 0},
    {"turned by fours", {.at = YEAR_2000, .count = 200000, .step_s = 1800, .swapped = 4}, 1800, 200000, 0},
    {"turned as a whole year",
     {.at = YEAR_2000, .count = 17520, .step_s = 1800, .swapped = 17520},
     1800,
     17520,
     0},
};

static void long_files_are_read_in_the_same_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(LONG_ROWS); i++) {
        struct outcome o = {0};
        long live = mem_live();

        assert_ok(parse_made(LONG_ROWS[i].made, &o));
        assert_row(LONG_ROWS[i].name, o.readings == LONG_ROWS[i].readings);
        assert_row(LONG_ROWS[i].name, o.lengths[LONG_ROWS[i].length] == LONG_ROWS[i].readings);
        assert_row(LONG_ROWS[i].name, o.rejected == 0 && o.doubts == LONG_ROWS[i].doubts);
        assert_row(LONG_ROWS[i].name, o.in_order || LONG_ROWS[i].made.step_s < 0);
        assert_row(LONG_ROWS[i].name, o.blocks <= live + 2);
        outcome_done(&o);
    }
}

static void ten_million_readings_are_the_most(void **state)
{
    struct maker m = {.at = YEAR_2000, .count = LIMIT_POINTS_FILE + 100, .step_s = 300};
    struct outcome o = {0};

    (void)state;
    assert_err(parse_made(m, &o), ERR_TOO_LARGE);
    assert_int_equal(o.readings, LIMIT_POINTS_FILE);
    outcome_done(&o);
}

static void a_year_of_half_hours_is_read(void **state)
{
    struct outcome o = {0};

    (void)state;
    if (!sample("enedis-portal/consoexemple.csv", &o))
        return;
    assert_int_equal(o.curve, 17520);
    assert_int_equal(o.readings, 17520);
    assert_int_equal(o.lengths[1800], 17520);
    assert_true(o.in_order);
    assert_int_equal(o.first_at, instant_of("2022-07-28T22:00:00Z"));
    assert_int_equal(o.last_at, instant_of("2023-07-28T22:00:00Z"));
    assert_int_equal(o.last_at - o.first_at, 17520 * 1800); /* no hole */
    assert_int_equal(o.numerators, INT64_C(7302599) * 60);
    assert_int_equal(o.rejected + o.doubts, 0);
    outcome_done(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_files_are_read_in_the_same_memory),
        cmocka_unit_test(ten_million_readings_are_the_most),
        cmocka_unit_test(a_year_of_half_hours_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
