/* Instants, civil dates and the clock.
 *
 * An instant is int64_t seconds since 1970-01-01T00:00:00Z. Decisions take it as an
 * argument; only outermost code asks clock_now(). Dates are proleptic Gregorian. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
#include "pds/base/err.h"
#include "pds/base/str.h"

#include <stdint.h>

int64_t clock_now(void);          /* wall clock, seconds; never below the highest seen by this process */
int64_t clock_now_ms(void);       /* the same in milliseconds */
int64_t clock_monotonic_ms(void); /* for deadlines; unrelated to dates */
int64_t clock_running_s(void);    /* since the machine started, asleep or not: nobody sets it */
/* For tests: the wall clock stands still at this instant; INT64_MIN lets it run again. */
void clock_set(int64_t now);
/* For tests: the machine has been running for so much longer. */
void clock_set_running(int64_t more_s);

struct civil {
    int year, month, day;     /* 1-based month and day */
    int hour, minute, second; /* 0–23, 0–59, 0–59 */
};

/* Days since 1970-01-01; month may overflow (13 is the next January, 0 the December before). */
int64_t clock_days(int year, int month, int day);
int64_t clock_instant(const struct civil *c);         /* as if UTC, seconds */
void clock_civil(int64_t instant, struct civil *out); /* as if UTC */
int clock_weekday(int64_t days);                      /* 0 = Monday … 6 = Sunday */

/* The instants that have a text: years 0000 to 9999. What comes from outside as a number is
 * held to them before anything is computed with it; clock_parse() gives no other. */
#define CLOCK_TEXT_MIN INT64_C(-62167219200)
#define CLOCK_TEXT_MAX INT64_C(253402300799)
enum { CLOCK_TEXT_BYTES = 21 };
/* "2024-05-01T00:30:00Z"; CLOCK_TEXT_MIN to CLOCK_TEXT_MAX only (assert). Always 20 characters and a NUL. */
void clock_text(int64_t instant, char out[static CLOCK_TEXT_BYTES]);

/* RFC 3339 with Z or an offset; a fraction of a second is read and dropped. ERR_INVALID otherwise
 * (day 31 of April, second 60, missing offset…). When offset_s is not NULL it receives the
 * written offset in seconds. */
MUST_CHECK enum err clock_parse(struct str text, int64_t *instant, int *offset_s);
/* "2024-05-01" or "2024-05-01T00:30[:00]" (also with a space): no offset; fields told as written. */
MUST_CHECK enum err clock_parse_local(struct str text, struct civil *out);
#endif
