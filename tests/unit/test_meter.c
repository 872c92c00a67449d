#include "tests/harness/test.h"

#include "demo/meter.h"
#include "pds/base/clock.h"

#include <string.h>

static const char *const PERSONAS[] = {"camille", "joseph"};

static void the_half_hours_of_a_day_add_up_to_its_registers(void **state)
{
    struct persona p;
    struct meter m;
    struct meter_day day;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(PERSONAS); i++) {
        assert_ok(persona_read(TEST_ROOT "/demo/personas", PERSONAS[i], &p));
        meter_init(&m, &p, 1);
        for (int64_t d = clock_days(2024, 11, 24); d < clock_days(2026, 11, 24); d++) {
            int64_t halves = 0, registers = 0;

            meter_read(&m, d, &day);
            for (size_t h = 0; h < day.half_count; h++)
                halves += day.watts[h];
            for (size_t r = 0; r < METER_REGISTERS_MAX; r++)
                registers += day.register_wh[r];
            assert_int_equal(halves, 2 * day.total_wh);
            assert_int_equal(registers, day.total_wh);
        }
    }
}

static void holes_are_few_and_of_both_kinds(void **state)
{
    struct persona p;
    struct meter m;
    struct meter_day day;
    int empty = 0, absent = 0, all = 0;

    (void)state;
    assert_ok(persona_read(TEST_ROOT "/demo/personas", "camille", &p));
    meter_init(&m, &p, 1);
    for (int64_t d = clock_days(2024, 11, 24); d < clock_days(2026, 11, 24); d++) {
        meter_read(&m, d, &day);
        for (size_t h = 0; h < day.half_count; h++, all++) {
            empty += day.traces[h] == METER_EMPTY;
            absent += day.traces[h] == METER_ABSENT;
        }
    }
    assert_true(empty > 0);
    assert_true(absent > 0);
    assert_true((empty + absent) * 50 < all); /* under two in a hundred */
}

static void off_peak_registers_split_at_the_window(void **state)
{
    struct persona p;
    struct meter m;
    struct meter_day day;
    int64_t night = 0;

    (void)state;
    assert_ok(persona_read(TEST_ROOT "/demo/personas", "camille", &p));
    meter_init(&m, &p, 1);
    meter_read(&m, clock_days(2026, 1, 15), &day);
    for (size_t h = 0; h < day.half_count; h++)
        night += h < 12 || h >= 44 ? day.watts[h] / 2 : 0; /* 22:00 to 06:00 */
    assert_int_equal(day.register_wh[0], night);
    assert_int_equal(day.register_wh[1], day.total_wh - night);
    assert_int_equal(day.register_wh[2], 0);
}

static void before_six_a_tempo_day_has_the_colour_of_the_day_before(void **state)
{
    int64_t first = clock_days(2025, 11, 1);
    struct tempo_season season = {0};
    struct persona p;
    struct meter m;
    struct meter_day day;
    int seen = 0;

    (void)state;
    assert_ok(persona_read(TEST_ROOT "/demo/personas", "joseph", &p));
    meter_init(&m, &p, 1);
    for (int64_t d = first; d < first + 150; d++) {
        enum tempo_colour today = tempo_colour_of(&season, 1, d);
        enum tempo_colour yesterday = tempo_colour_of(&season, 1, d - 1);

        if (today == yesterday)
            continue;
        seen++;
        meter_read(&m, d, &day);
        assert_true(day.register_wh[2 * yesterday] > 0);         /* off-peak, the night */
        assert_int_equal(day.register_wh[2 * yesterday + 1], 0); /* peak, none of it */
        assert_true(day.register_wh[2 * today] > 0);
        assert_true(day.register_wh[2 * today + 1] > 0);
    }
    assert_true(seen > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_half_hours_of_a_day_add_up_to_its_registers),
        cmocka_unit_test(holes_are_few_and_of_both_kinds),
        cmocka_unit_test(off_peak_registers_split_at_the_window),
        cmocka_unit_test(before_six_a_tempo_day_has_the_colour_of_the_day_before),
    };

    return cmocka_run_group_tests_name("meter", tests, NULL, NULL);
}
