/* Colours of an invented Tempo season, from the demo's weather: 22 red days, 43 white, the rest blue.
 *
 * Red falls on the coldest working days of November to March, white on the coldest left that is no
 * Sunday. The true calendar is the grid operator's and follows more rules; this one only looks like it. */
#ifndef DEMO_TEMPO_H
#define DEMO_TEMPO_H
#include <stddef.h>
#include <stdint.h>

enum tempo_colour { TEMPO_BLUE, TEMPO_WHITE, TEMPO_RED };
enum { TEMPO_DAYS_MAX = 366, TEMPO_RED_DAYS = 22, TEMPO_WHITE_DAYS = 43 };

struct tempo_season {
    int64_t first_day; /* 1 September, days since 1970 */
    size_t day_count;  /* 0: not made yet */
    enum tempo_colour colours[TEMPO_DAYS_MAX];
};

/* Colour of a date. season keeps the last season asked for; zeroed before the first call. */
enum tempo_colour tempo_colour_of(struct tempo_season *season, uint64_t seed, int64_t day);
#endif
