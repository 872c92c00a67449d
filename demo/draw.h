/* Chance that can be repeated: the same seed, name and place give the same numbers, on every machine.
 *
 * Splitmix64. A stream is made for one purpose and one day, so that a day does not depend on the days
 * drawn before it. Not for secrets. */
#ifndef DEMO_DRAW_H
#define DEMO_DRAW_H
#include <stdint.h>

struct draw {
    uint64_t state;
};

/* A stream for this seed, purpose (a constant text) and place (a day, a node…). */
struct draw draw_for(uint64_t seed, const char *purpose, int64_t place);

uint64_t draw_next(struct draw *d);
/* From least to most, both included; least <= most. */
int draw_between(struct draw *d, int least, int most);
#endif
