/* Between query.c (series, choices) and query_bucket.c (sums). */
#ifndef STORE_QUERY_INTERNAL_H
#define STORE_QUERY_INTERNAL_H
#include "pds/store/query.h"

#include <stddef.h>

/* What the records of one series, or those chosen, come to within some time. */
struct tally {
    int64_t values[DATASET_VALUES_MAX];
    uint32_t present;
    int64_t quality;
    int64_t covered_s;
    int64_t count;
};

void tally_add(struct tally *t, const struct dataset *d, const struct query_row *row);
void tally_join(struct tally *t, const struct dataset *d, const struct tally *other);
#endif
