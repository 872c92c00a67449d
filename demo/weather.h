/* A plausible Lyon: the outside temperature of any instant, from a seed.
 *
 * The season follows the normals of Lyon-Bron (mean 13.1 °C, January 3.8, July 22.8), spells of some
 * days and single days are drawn. Whole numbers only, so that each machine computes the same weather. */
#ifndef DEMO_WEATHER_H
#define DEMO_WEATHER_H
#include <stdint.h>

/* Mean of a day (days since 1970), in hundredths of a degree Celsius. */
int weather_day_mean_cc(uint64_t seed, int64_t day);
/* At a local minute of that day (0–1439): coolest at 3, warmest at 15 o'clock. */
int weather_at_cc(uint64_t seed, int64_t day, int minute);
/* Local minutes of sunrise and sunset, roughly, clock change apart. */
void weather_daylight(int64_t day, int *rise_minute, int *set_minute);
#endif
