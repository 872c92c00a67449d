#include "demo/draw.h"

#include <assert.h>

/* Splitmix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014. */
uint64_t draw_next(struct draw *d)
{
    uint64_t z = d->state += 0x9E3779B97F4A7C15U;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

struct draw draw_for(uint64_t seed, const char *purpose, int64_t place)
{
    struct draw d = {seed};

    for (const char *c = purpose; *c; c++) {
        d.state ^= (uint8_t)*c;
        d.state = draw_next(&d);
    }
    d.state ^= (uint64_t)place;
    d.state = draw_next(&d);
    return d;
}

int draw_between(struct draw *d, int least, int most)
{
    assert(least <= most);
    /* The spans are tiny beside 2^64: the bias of a remainder cannot be seen. */
    return least + (int)(draw_next(d) % ((uint64_t)((int64_t)most - least) + 1));
}
