/* Sums: how records become one number. */
#include "pds/store/query_internal.h"

#include <string.h>

static void take(struct tally *t, const int64_t values[static DATASET_VALUES_MAX], uint32_t present)
{
    memcpy(t->values, values, sizeof t->values);
    t->present = present;
}

void tally_join(struct tally *t, const struct dataset *d, const struct tally *other)
{
    if (other->count == 0)
        return;
    if (t->count == 0) {
        *t = *other;
        return;
    }
    t->count += other->count;
    t->covered_s += other->covered_s;
    if (other->quality < t->quality)
        t->quality = other->quality;
    switch (d->aggregate) {
    case DATASET_SUM: /* a further value is a sum only of what all have */
        for (size_t i = 0; i < d->value_count; i++)
            t->values[i] += other->values[i];
        t->present &= other->present;
        break;
    case DATASET_MAX:
        if (other->values[0] > t->values[0])
            take(t, other->values, other->present);
        break;
    case DATASET_LAST:
        take(t, other->values, other->present);
        break;
    }
}

void tally_add(struct tally *t, const struct dataset *d, const struct query_row *row)
{
    struct tally one = {.present = row->present,
                        .quality = row->quality,
                        .covered_s = row->end_at - row->start_at,
                        .count = 1};

    memcpy(one.values, row->values, sizeof one.values);
    tally_join(t, d, &one);
}
