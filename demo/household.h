/* What a persona's home draws from the grid, day by day at ten minutes: the one source of all its files.
 *
 * A day depends on the persona, the seed and the date alone, so that windows generated apart agree where
 * they overlap. The three values of each half-hour add up to a multiple of six: half-hours are even
 * watts, and energy is whole watt-hours at every coarser grain and in every register. */
#ifndef DEMO_HOUSEHOLD_H
#define DEMO_HOUSEHOLD_H
#include "demo/persona.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOUSEHOLD_SLOT_S = 600, HOUSEHOLD_SLOTS_MAX = 150 };

struct household_day {
    int64_t start_at;                 /* local midnight, seconds UTC */
    size_t slot_count;                /* 138, 144 or 150 */
    int minutes[HOUSEHOLD_SLOTS_MAX]; /* local minute of the day at which each slot begins */
    int watts[HOUSEHOLD_SLOTS_MAX];   /* mean power */
};

/* day: days since 1970 of a date of Europe/Paris. */
void household_live(const struct persona *p, uint64_t seed, int64_t day, struct household_day *out);

/* Whether everybody is elsewhere on that day. */
bool household_is_away(const struct persona *p, uint64_t seed, int64_t day);
#endif
