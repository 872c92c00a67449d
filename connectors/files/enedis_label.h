/* The time that a line is labelled with. */
#ifndef FILES_ENEDIS_LABEL_H
#define FILES_ENEDIS_LABEL_H
#include "pds/base/clock.h"
#include "pds/base/str.h"
#include "pds/base/zone.h"

#include <stdbool.h>
#include <stdint.h>

/* Local times without an offset are placed one after the other, because in autumn an hour comes twice and
 * only the order of the lines tells which is which. One per section; all zero at its start. */
struct enedis_clock {
    int64_t last_at;      /* the label before */
    int64_t last_written; /* its local time, as if UTC */
    int64_t
        twice_line; /* of the last label in an hour that comes twice, while only one of the two was seen */
    bool any, backwards; /* backwards: lines go from the newest to the oldest */
    bool in_twice, twice_first, twice_second;
};

/* Read a label of a line: ISO 8601 with or without an offset. NULL and *at, or why it is refused. */
const char *enedis_label_read(struct enedis_clock *c, const struct zone *z, struct str text, int64_t line,
                              int64_t *at);

/* The line whose place in the hour that comes twice stayed a guess, once; 0 when there is none. Asked after
 * each label and, with `over`, after the last. */
int64_t enedis_label_doubt(struct enedis_clock *c, bool over);

/* 00:00 local of the date that is written, whatever hour and offset stand behind it. NULL and *at, or why
 * not. */
const char *enedis_label_date(const struct zone *z, struct str text, int64_t *at);
#endif
