#include "demo/tempo.h"

#include "demo/weather.h"
#include "pds/base/clock.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

enum { SEPTEMBER = 9, SATURDAY = 5, SUNDAY = 6 };

static bool may_be(enum tempo_colour colour, int64_t day)
{
    struct civil date;

    clock_civil(day * 86400, &date);
    if (colour == TEMPO_WHITE)
        return clock_weekday(day) != SUNDAY;
    return clock_weekday(day) < SATURDAY && (date.month >= 11 || date.month <= 3);
}

static void colour_coldest(struct tempo_season *s, uint64_t seed, enum tempo_colour colour, int count)
{
    for (; count > 0; count--) {
        size_t coldest = 0;
        int least = INT_MAX;

        for (size_t i = 0; i < s->day_count; i++) {
            int64_t day = s->first_day + (int64_t)i;
            int mean = weather_day_mean_cc(seed, day);

            if (s->colours[i] != TEMPO_BLUE || !may_be(colour, day) || mean >= least)
                continue;
            least = mean;
            coldest = i;
        }
        s->colours[coldest] = colour;
    }
}

enum tempo_colour tempo_colour_of(struct tempo_season *season, uint64_t seed, int64_t day)
{
    int64_t at = day - season->first_day;
    struct civil date;
    int year;

    if (at < 0 || at >= (int64_t)season->day_count) {
        clock_civil(day * 86400, &date);
        year = date.month >= SEPTEMBER ? date.year : date.year - 1;
        memset(season, 0, sizeof *season);
        season->first_day = clock_days(year, SEPTEMBER, 1);
        season->day_count = (size_t)(clock_days(year + 1, SEPTEMBER, 1) - season->first_day);
        colour_coldest(season, seed, TEMPO_RED, TEMPO_RED_DAYS);
        colour_coldest(season, seed, TEMPO_WHITE, TEMPO_WHITE_DAYS);
        at = day - season->first_day;
    }
    return season->colours[at];
}
