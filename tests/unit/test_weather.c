#include "tests/harness/test.h"

#include "demo/weather.h"
#include "pds/base/clock.h"

static int month_mean(uint64_t seed, int year, int month)
{
    int64_t first = clock_days(year, month, 1), after = clock_days(year, month + 1, 1), sum = 0;

    for (int64_t d = first; d < after; d++)
        sum += weather_day_mean_cc(seed, d);
    return (int)(sum / (after - first));
}

static void seasons_are_those_of_lyon(void **state)
{
    int64_t january = 0, july = 0, april = 0;

    (void)state;
    for (int year = 1990; year < 2020; year++) { /* thirty years, as normals are made */
        january += month_mean(1, year, 1);
        april += month_mean(1, year, 4);
        july += month_mean(1, year, 7);
    }
    assert_in_range(january / 30, 330, 430);
    assert_in_range(april / 30, 1100, 1400);
    assert_in_range(july / 30, 2180, 2330);
}

static void afternoons_are_warmer_than_nights(void **state)
{
    (void)state;
    for (int64_t d = clock_days(2026, 1, 1); d < clock_days(2027, 1, 1); d++) {
        int night = weather_at_cc(1, d, 180), noon = weather_at_cc(1, d, 900);

        assert_true(noon - night > 400);
        assert_true(noon - night < 1000);
        assert_in_range(weather_day_mean_cc(1, d) + 5000, 3500, 8500); /* -15 to 35 °C */
    }
}

static void summer_days_are_longer(void **state)
{
    int rise, set;

    (void)state;
    weather_daylight(clock_days(2026, 6, 21), &rise, &set);
    assert_in_range(set - rise, 15 * 60, 16 * 60);
    weather_daylight(clock_days(2026, 12, 21), &rise, &set);
    assert_in_range(set - rise, 8 * 60, 9 * 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seasons_are_those_of_lyon),
        cmocka_unit_test(afternoons_are_warmer_than_nights),
        cmocka_unit_test(summer_days_are_longer),
    };

    return cmocka_run_group_tests_name("weather", tests, NULL, NULL);
}
