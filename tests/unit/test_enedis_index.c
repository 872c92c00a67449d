#include "tests/unit/enedis_outcome.h"

/* More lines than a section keeps, of two dates that come again and again. */
static void repeated_days_do_not_fill_the_memory(void **state)
{
    static const struct {
        const char *columns, *row;
        long index, daily, peaks;
    } ROWS[] = {
        {"Horodate;Type de releve;EAS T\n", "2024-05-01;;100\n2024-05-02;;200\n", 140000, 1, 0},
        {"Identifiant PRM;Type de donnees\n1;Puissance maximale quotidienne\n",
         "2024-05-01T08:00:00Z;100\n2024-05-02T08:00:00Z;200\n", 0, 0, 2},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct outcome o;
        struct buf text;

        outcome_init(&o);
        o.quiet = true;
        buf_init(&text, 16 * MIB);
        buf_text(&text, ROWS[i].columns);
        for (int n = 0; n < 70000; n++)
            buf_text(&text, ROWS[i].row);
        assert_ok(buf_err(&text));
        assert_ok(parse(text_of(&text), &o));
        assert_int_equal(o.index, ROWS[i].index);
        assert_int_equal(o.daily, ROWS[i].daily);
        assert_int_equal(o.peaks, ROWS[i].peaks);
        assert_int_equal(o.rejected, 0);
        outcome_done(&o);
        buf_done(&text);
    }
}

static void half_a_year_of_indexes_is_read(void **state)
{
    static const int64_t REGISTERS[] = {1083540, 1412200, 242503, 306317, 199733, 224927};
    struct outcome o;

    (void)state;
    if (!sample("enedis-portal/Enedis_Conso_Jour_20240109-20240725_1429xxxxxxxxxx.csv", &o))
        return;
    assert_int_equal(o.index, 198);
    assert_int_equal(o.daily, 197);
    assert_int_equal(o.numerators, 3469220);
    assert_int_equal(o.last_index - o.first_index, 3469220);
    for (size_t i = 0; i < COUNT_OF(REGISTERS); i++)
        assert_int_equal(o.last_registers[i] - o.first_registers[i], REGISTERS[i]);
    assert_int_equal(o.most, 51866);
    assert_int_equal(o.least, 6137);
    assert_int_equal(o.first_at, instant_of("2024-01-10T00:00:00+01:00"));
    assert_int_equal(o.last_at, instant_of("2024-07-25T00:00:00+02:00"));
    assert_int_equal(o.rejected + o.doubts, 0);
    outcome_done(&o);
}

/* 391 lines have an index: 2021-10-31 is there twice with the same one, and 2021-03-28 is not there. */
static void a_history_of_two_sections_is_read(void **state)
{
    struct outcome o;

    (void)state;
    if (!sample("enedis-sge/Enedis_SGE_HDM_A06NW10D.csv", &o))
        return;
    assert_int_equal(o.index, 391);
    assert_int_equal(o.first_index, 15747);
    assert_int_equal(o.last_index, 9723814);
    assert_int_equal(o.daily, 389);
    assert_int_equal(o.numerators, 9708067);
    assert_int_equal(o.first_at, instant_of("2021-01-08T00:00:00+01:00"));
    assert_int_equal(o.last_at, instant_of("2022-02-02T00:00:00+01:00"));
    assert_int_equal(o.peaks, 389); /* of 390 values one is a full counter */
    assert_int_equal(o.rejected, 1);
    assert_int_equal(o.doubts, 0);
    outcome_done(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeated_days_do_not_fill_the_memory),
        cmocka_unit_test(half_a_year_of_indexes_is_read),
        cmocka_unit_test(a_history_of_two_sections_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
