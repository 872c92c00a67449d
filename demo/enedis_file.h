/* The files that a person downloaded from Enedis's portal until about February 2025: the half-hour curve
 * and the daily indexes, as that portal wrote them, its artefacts included.
 *
 * UTF-8 with a byte order mark, LF. The curve carries END labels with the true offset. The rows of the
 * index stand 24 hours apart, counted from the first: half of the year the hour they show is 01:00 or
 * 23:00, and each means 00:00 of the date as written (a file that begins in summer lacks the day of
 * the spring change and has that of autumn twice). */
#ifndef DEMO_ENEDIS_FILE_H
#define DEMO_ENEDIS_FILE_H
#include "demo/meter.h"
#include "pds/base/buf.h"
#include "pds/base/err.h"

#include <stdint.h>

enum enedis_kind { ENEDIS_HALF_HOURS, ENEDIS_INDEXES };

/* Days from_day to to_day, both included (days since 1970); the index has one row more, which closes the
 * last. ERR_INVALID when the window is empty or begins before the meter. A failure of out is told by
 * buf_err(). */
MUST_CHECK enum err enedis_file_write(struct meter *m, enum enedis_kind kind, int64_t from_day,
                                      int64_t to_day, struct buf *out);

enum { ENEDIS_NAME_BYTES = 64 };
/* "Enedis_Conso_Heure_20241124-20261124_00000000000017.csv" */
void enedis_file_name(const struct meter *m, enum enedis_kind kind, int64_t from_day, int64_t to_day,
                      char out[static ENEDIS_NAME_BYTES]);
#endif
