/* Reading a dataset: its records as they are, or put together by steps of the calendar.
 *
 * Several series may tell the same quantity; they are never added. One stands for each local day (for each
 * bucket when the step is shorter): of the main source, which is the one with most records (of equals, the
 * first by provider and reference), as long as it has anything there, then of the others. Of a source's
 * series it is the one that covers most of the day, of equals the one with more records; for records as they
 * are, the one with most records. Records of a series that overlap are not added either: the first counts. A
 * record that spans several days counts in the bucket that holds it whole: beside the days' own records of
 * its series, or in the place of others' where it covers more than they do. A bucket without data is absent;
 * one partly filled says how much of it is covered. */
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
    int64_t from, to;  /* records within [from, to) only; seconds, UTC. INT64_MIN, INT64_MAX: without limit */
    enum step step;    /* STEP_NONE: records as they are */
    int64_t source_id; /* records of this source alone; 0: of all, as said above */
    const struct zone *zone; /* of days, weeks, months, years */
    bool origins;            /* tell part, line and series of records as they are */
};

struct query_row {
    int64_t start_at, end_at;           /* of the record, or of the bucket */
    int64_t values[DATASET_VALUES_MAX]; /* numerators */
    uint32_t present;                   /* bit i: values[i] is there */
    int64_t quality;                    /* the least of what went in */
    int64_t covered_s;                  /* seconds of [start, end) that have data; 0 for instants */
    int64_t series_id, part, line;      /* when asked for, of records as they are */
};

/* Where a record comes from. Borrowed until the next row of another part or series. */
struct query_origin {
    int64_t source_id;
    struct str grain, import; /* import: its id; empty when it is not known any more */
};

struct query;

/* db is borrowed until query_free(). ERR_INVALID when the dataset has no such step. */
MUST_CHECK enum err query_new(struct db *db, const struct query_options *options, struct query **out);
/* The next row, in time order. ERR_NOT_FOUND after the last. */
MUST_CHECK enum err query_next(struct query *q, struct query_row *row);
/* Over the rows given so far (but for `next`, when one was read that is not given): seconds with data, and
 * the span asked for: [from, to), or from the first record's start to the last one's end where there was no
 * limit. */
void query_coverage(const struct query *q, const struct query_row *next, int64_t *covered_s, int64_t *span_s);
/* Of a row that query_next() gave with its origin. */
MUST_CHECK enum err query_origin(struct query *q, const struct query_row *row, struct query_origin *out);
void query_free(struct query *q);
static inline void query_freep(struct query **q) { query_free(*q); }

/* "2024-05-01" (00:00 in zone), or RFC 3339. ERR_INVALID names the parameter. */
MUST_CHECK enum err query_time(const char *parameter, struct str text, const struct zone *zone, int64_t *out);
#endif
