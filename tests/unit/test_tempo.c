#include "tests/harness/test.h"

#include "demo/tempo.h"
#include "pds/base/clock.h"

static void a_season_has_22_red_and_43_white_days_where_they_may_fall(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct tempo_season season = {0};
        int counts[3] = {0};

        for (int64_t d = clock_days(2025, 9, 1); d < clock_days(2026, 9, 1); d++) {
            enum tempo_colour colour = tempo_colour_of(&season, seed, d);
            struct civil date;

            counts[colour]++;
            clock_civil(d * 86400, &date);
            assert_true(colour != TEMPO_WHITE || clock_weekday(d) < 6);
            assert_true(colour != TEMPO_RED ||
                        (clock_weekday(d) < 5 && (date.month >= 11 || date.month <= 3)));
        }
        assert_int_equal(counts[TEMPO_RED], TEMPO_RED_DAYS);
        assert_int_equal(counts[TEMPO_WHITE], TEMPO_WHITE_DAYS);
        assert_int_equal(counts[TEMPO_BLUE], 365 - TEMPO_RED_DAYS - TEMPO_WHITE_DAYS);
    }
}

static void a_day_keeps_its_colour_whatever_was_asked_before(void **state)
{
    struct tempo_season one = {0}, two = {0};
    int64_t day = clock_days(2026, 1, 14);
    enum tempo_colour colour = tempo_colour_of(&one, 1, day);

    (void)state;
    (void)tempo_colour_of(&two, 1, clock_days(2024, 9, 1));
    assert_int_equal(tempo_colour_of(&two, 1, day), colour);
    assert_int_equal(two.first_day, clock_days(2025, 9, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_season_has_22_red_and_43_white_days_where_they_may_fall),
        cmocka_unit_test(a_day_keeps_its_colour_whatever_was_asked_before),
    };

    return cmocka_run_group_tests_name("tempo", tests, NULL, NULL);
}
