/* Local time: the European Union's clock rule (last Sunday of March and of October, 01:00 UTC)
 * for the zones that keep it, UTC, and the French zones beyond the seas, which have no summer time.
 *
 * The rule is applied to every year. It is what clocks did since November 1996 (in the Baltic states,
 * since 2003); before that, summer time ended in September here and there. The process's TZ is never read. */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H
#include "pds/base/clock.h"
#include "pds/base/err.h"
#include "pds/base/str.h"

#include <stdint.h>

struct zone; /* a row of a constant table; never freed */

#define ZONE_DEFAULT "Europe/Paris"

/* By IANA name ("Europe/Paris", "Europe/Lisbon", "UTC"…). ERR_NOT_FOUND when the table lacks it. */
MUST_CHECK enum err zone_find(struct str name, const struct zone **out);
const struct zone *zone_paris(void);
const char *zone_name(const struct zone *z);

int zone_offset(const struct zone *z, int64_t instant); /* seconds to add to UTC */
void zone_local(const struct zone *z, int64_t instant, struct civil *out);

/* The instant of a local time. In the autumn hour that comes twice, fold 0 is the first
 * (summer) and 1 the second. In the spring hour that does not exist, the time is read with the
 * offset before the change (02:30 becomes 03:30 summer time). */
int64_t zone_instant(const struct zone *z, const struct civil *local, int fold);
/* Whether this local time comes twice, or never. */
enum zone_kind { ZONE_ONCE, ZONE_TWICE, ZONE_NEVER };
enum zone_kind zone_kind(const struct zone *z, const struct civil *local);

/* 00:00 local of the day that holds the instant, and of the following day. */
int64_t zone_day_start(const struct zone *z, int64_t instant);
int64_t zone_day_next(const struct zone *z, int64_t instant);

/* Steps of the calendar: a fixed length from the local midnight, or a local day, ISO week, month, year. */
enum step {
    STEP_NONE,
    STEP_PT5M,
    STEP_PT10M,
    STEP_PT15M,
    STEP_PT30M,
    STEP_PT1H,
    STEP_P1D,
    STEP_P1W,
    STEP_P1M,
    STEP_P1Y
};
MUST_CHECK enum err step_parse(struct str text,
                               enum step *out); /* "PT30M"; ERR_INVALID lists the known ones */
const char *step_text(enum step step);          /* NULL for STEP_NONE */
/* Start of the bucket that holds the instant, and of the next bucket; not for STEP_NONE (assert). */
int64_t step_start(const struct zone *z, enum step step, int64_t instant);
int64_t step_next(const struct zone *z, enum step step, int64_t instant);
#endif
