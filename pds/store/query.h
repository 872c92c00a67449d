/* Reading a dataset: its records as they are, or put together by steps of the calendar.
 *
 * Several series may tell the same quantity; they are never added. For steps of a day or more, and for
 * records as they are, one series is chosen for each local day; below a day, for each bucket.
 * The choice is the series that covers most of it; of equals, the finer one. A record that
 * spans several days counts in the bucket that holds it whole, where it covers more than the days'
 * own records do. A bucket without data is absent; one partly filled says how much of it is covered. */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H
#include "pds/base/err.h"
#include "pds/base/str.h"
#include "pds/base/zone.h"
#include "pds/store/dataset.h"
#include "pds/store/record.h"

#include <stdbool.h>
#include <stdint.h>

struct db; /* pds/vault/db.h */

struct query_options {
    const struct dataset *dataset;
    int64_t from,
        to;         /* records within [from, to) only; seconds, UTC. INT64_MIN and INT64_MAX: without limit */
    enum step step; /* STEP_NONE: records as they are */
    const struct zone *zone; /* of days, weeks, months, years */
};

struct query_row {
    int64_t start_at, end_at;           /* of the record, or of the bucket */
    int64_t values[DATASET_VALUES_MAX]; /* numerators */
    uint32_t present;                   /* bit i: values[i] is there */
    int64_t quality;                    /* the least of what went in */
    int64_t covered_s;                  /* seconds of [start, end) that have data; 0 for instants */
};

struct query;

/* db is borrowed until query_free(). ERR_INVALID when the dataset has no such step. */
MUST_CHECK enum err query_new(struct db *db, const struct query_options *options, struct query **out);
/* The next row, in time order. ERR_NOT_FOUND after the last. */
MUST_CHECK enum err query_next(struct query *q, struct query_row *row);
/* Over the rows given so far: seconds with data, and the span asked for: [from, to), or from the first
 * record's start to the last one's end where there was no limit. */
void query_coverage(const struct query *q, int64_t *covered_s, int64_t *span_s);
void query_free(struct query *q);
static inline void query_freep(struct query **q) { query_free(*q); }

/* "2024-05-01" (00:00 in zone), or RFC 3339. ERR_INVALID names the parameter. */
MUST_CHECK enum err query_time(const char *parameter, struct str text, const struct zone *zone, int64_t *out);
#endif
