/* Lines of one section, kept until they can be put in order of time. The memory is the same for any file. */
#ifndef FILES_ENEDIS_POINT_H
#define FILES_ENEDIS_POINT_H
#include "pds/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than the days of 1990 to 2100, and than three years of half-hours. */
enum { ENEDIS_POINTS_MAX = 65536 };
#define ENEDIS_POINT_MISSING INT64_MIN /* a label without a value */

struct enedis_point {
    int64_t at; /* seconds, UTC */
    int64_t value;
    uint32_t line; /* lines of a file over 4 billion of them are counted from 0 again */
    int32_t extra; /* what its user likes */
};

struct enedis_points {
    struct enedis_point *list; /* owned */
    size_t count;
    bool unsorted; /* some point is earlier than the one before it */
};

void enedis_points_done(struct enedis_points *p);

/* Room is for one at least: the caller takes points out when enedis_points_is_full(). */
MUST_CHECK enum err enedis_points_add(struct enedis_points *p, struct enedis_point point);
bool enedis_points_is_full(const struct enedis_points *p);

/* In order of time, and of lines at one time. */
void enedis_points_sort(struct enedis_points *p);

/* Sort, then let one point stand for each time: `pick` says whether the later line replaces the earlier. */
void enedis_points_merge(struct enedis_points *p, void *context,
                         bool (*pick)(void *context, const struct enedis_point *earlier,
                                      const struct enedis_point *later));

/* Keep the last `keep` points alone. */
void enedis_points_drop_front(struct enedis_points *p, size_t keep);
#endif
