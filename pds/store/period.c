#include "pds/store/period.h"

#include "pds/base/clock.h"

#include <stdio.h>

static int64_t held(int64_t at)
{
    if (at < CLOCK_TEXT_MIN)
        return CLOCK_TEXT_MIN;
    return at > CLOCK_TEXT_MAX ? CLOCK_TEXT_MAX : at;
}

void period_text(const struct dataset *d, int64_t from, int64_t to, char out[static PERIOD_BYTES])
{
    char first[CLOCK_TEXT_BYTES], last[CLOCK_TEXT_BYTES];

    clock_text(held(from), first);
    clock_text(held(to), last);
    (void)snprintf(out, PERIOD_BYTES, "%.100s %s/%s", d->name, first, last); /* fits: names are short */
}
