#include "demo/weather.h"

#include "demo/draw.h"

enum {
    MEAN_CC = 1310,
    SEASON_CC = 960,       /* half the distance from winter to summer */
    SPELL_DAYS = 5,        /* between two nodes of the drawn curve */
    SPELL_CC = 420,        /* at most, to either side */
    DAY_CC = 140,          /* of a single day, to either side */
    WARMEST_MINUTE = 900,  /* 15:00 */
    COLDEST_YEAR_DAY = 19, /* 20 January */
    TURN = 1000            /* a whole turn, in thousandths */
};

/* Sine of half a turn, x from 0 to 500: thousandths. Bhaskara's formula, right to 0.2 %. */
static int64_t half_sine(int64_t x)
{
    int64_t product = x * (TURN / 2 - x);

    return 16 * product * 1000 / (5 * (TURN / 2) * (TURN / 2) - 4 * product);
}

/* Cosine of a part of a turn given in thousandths of a turn: thousandths. */
static int64_t cosine(int64_t turn)
{
    int64_t x = ((turn + TURN / 4) % TURN + TURN) % TURN;

    return x < TURN / 2 ? half_sine(x) : -half_sine(x - TURN / 2);
}

/* Where the year is, in thousandths of a turn from its coldest day. */
static int64_t season(int64_t day) { return (day - COLDEST_YEAR_DAY) * 4 * TURN / 1461; }

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static int64_t spell(uint64_t seed, int64_t node)
{
    struct draw d = draw_for(seed, "spell", node);

    return draw_between(&d, -SPELL_CC, SPELL_CC);
}

int weather_day_mean_cc(uint64_t seed, int64_t day)
{
    struct draw single = draw_for(seed, "weather", day);
    int64_t node = floor_div(day, SPELL_DAYS), past = day - node * SPELL_DAYS;
    int64_t spells = (spell(seed, node) * (SPELL_DAYS - past) + spell(seed, node + 1) * past) / SPELL_DAYS;

    return (int)(MEAN_CC - SEASON_CC * cosine(season(day)) / 1000 + spells) +
           draw_between(&single, -DAY_CC, DAY_CC);
}

int weather_at_cc(uint64_t seed, int64_t day, int minute)
{
    int64_t swing = 350 - 120 * cosine(season(day)) / 1000; /* clear summer days move more */
    int64_t turn = (int64_t)(minute - WARMEST_MINUTE) * TURN / 1440;

    return weather_day_mean_cc(seed, day) + (int)(swing * cosine(turn) / 1000);
}

void weather_daylight(int64_t day, int *rise_minute, int *set_minute)
{
    /* 8 h 40 in December, 15 h 40 in June, around 13:10: a winter noon and a summer one, averaged. The
     * shortest day comes 30 days before the coldest. */
    int half_day = (int)(365 - 105 * cosine(season(day + 30)) / 1000);

    *rise_minute = 790 - half_day;
    *set_minute = 790 + half_day;
}
