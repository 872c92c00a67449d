#include "tests/harness/test.h"

#include "demo/household.h"
#include "pds/base/clock.h"

#include <string.h>

static struct persona camille(void)
{
    struct persona p;

    assert_ok(persona_read(TEST_ROOT "/demo/personas", "camille", &p));
    return p;
}

static int64_t mean_watts(const struct persona *p, uint64_t seed, int64_t from_day, int64_t to_day)
{
    struct household_day day;
    int64_t sum = 0, count = 0;

    for (int64_t d = from_day; d < to_day; d++) {
        household_live(p, seed, d, &day);
        for (size_t i = 0; i < day.slot_count; i++)
            sum += day.watts[i];
        count += (int64_t)day.slot_count;
    }
    return count ? sum / count : 0;
}

static void a_day_has_as_many_slots_as_its_clock_gives(void **state)
{
    static const struct {
        const char *name;
        int year, month, day;
        size_t slots;
    } ROWS[] = {
        {"an ordinary day", 2026, 11, 24, 144},
        {"the spring change", 2026, 3, 29, 138},
        {"the autumn change", 2026, 10, 25, 150},
        {"the day after", 2026, 10, 26, 144},
    };
    struct persona p = camille();
    struct household_day day;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        household_live(&p, 1, clock_days(ROWS[i].year, ROWS[i].month, ROWS[i].day), &day);
        assert_row(ROWS[i].name, day.slot_count == ROWS[i].slots);
        assert_row(ROWS[i].name, day.minutes[0] == 0);
        assert_row(ROWS[i].name, day.minutes[day.slot_count - 1] == 1430);
    }
}

static void the_same_seed_and_date_give_the_same_day(void **state)
{
    struct persona p = camille();
    int64_t date = clock_days(2026, 1, 15);
    struct household_day one, again, other;

    (void)state;
    household_live(&p, 7, date, &one);
    household_live(&p, 7, date + 1, &other); /* what was lived in between changes nothing */
    household_live(&p, 7, date, &again);
    assert_memory_equal(&one, &again, sizeof one);
    assert_memory_not_equal(one.watts, other.watts, sizeof one.watts);
    household_live(&p, 8, date, &other);
    assert_memory_not_equal(one.watts, other.watts, sizeof one.watts);
}

static void each_half_hour_is_an_even_number_of_watts(void **state)
{
    struct persona p = camille();
    struct household_day day;

    (void)state;
    for (int64_t d = clock_days(2025, 1, 1); d < clock_days(2026, 1, 1); d++) {
        household_live(&p, 3, d, &day);
        for (size_t i = 0; i < day.slot_count; i += 3)
            assert_int_equal((day.watts[i] + day.watts[i + 1] + day.watts[i + 2]) % 6, 0);
    }
}

static void a_home_is_believable(void **state)
{
    struct persona p = camille();
    struct household_day day;

    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        int64_t january = mean_watts(&p, seed, clock_days(2026, 1, 5), clock_days(2026, 2, 1));
        int64_t june = mean_watts(&p, seed, clock_days(2026, 6, 1), clock_days(2026, 7, 1));
        int64_t august = mean_watts(&p, seed, clock_days(2026, 8, 4), clock_days(2026, 8, 18));

        assert_true(january > 2 * june);
        assert_true(august < june * 2 / 3); /* away */
        for (int64_t d = clock_days(2025, 11, 1); d < clock_days(2026, 11, 1); d++) {
            household_live(&p, seed, d, &day);
            for (size_t i = 0; i < day.slot_count; i++) {
                assert_true(day.watts[i] >= 80);  /* standby never sleeps */
                assert_true(day.watts[i] < 9000); /* a breaker would have gone */
            }
        }
    }
}

static void an_absence_that_spans_the_year_end_covers_both_sides(void **state)
{
    struct persona p = camille();

    (void)state;
    p.people.absence_count = 1;
    p.people.absences[0] = (struct persona_absence){12, 30, 1, 2};
    p.people.weekend_away_percent = 0;
    assert_false(household_is_away(&p, 1, clock_days(2025, 12, 29)));
    assert_true(household_is_away(&p, 1, clock_days(2025, 12, 30)));
    assert_true(household_is_away(&p, 1, clock_days(2026, 1, 2)));
    assert_false(household_is_away(&p, 1, clock_days(2026, 1, 3)));
}

static void a_weekend_away_is_both_its_days(void **state)
{
    struct persona p = camille();
    int away = 0;

    (void)state;
    p.people.absence_count = 0;
    p.people.weekend_away_percent = 30;
    for (int64_t saturday = clock_days(2026, 1, 3); saturday < clock_days(2027, 1, 1); saturday += 7) {
        assert_int_equal(clock_weekday(saturday), 5);
        assert_int_equal(household_is_away(&p, 1, saturday), household_is_away(&p, 1, saturday + 1));
        assert_false(household_is_away(&p, 1, saturday + 2));
        away += household_is_away(&p, 1, saturday);
    }
    assert_in_range(away, 5, 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_has_as_many_slots_as_its_clock_gives),
        cmocka_unit_test(the_same_seed_and_date_give_the_same_day),
        cmocka_unit_test(each_half_hour_is_an_even_number_of_watts),
        cmocka_unit_test(a_home_is_believable),
        cmocka_unit_test(an_absence_that_spans_the_year_end_covers_both_sides),
        cmocka_unit_test(a_weekend_away_is_both_its_days),
    };

    return cmocka_run_group_tests_name("household", tests, NULL, NULL);
}
