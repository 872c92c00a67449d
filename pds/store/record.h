/* A record: what a series says of one interval [start, end), exactly.
 *
 * Putting the same record twice changes nothing. A different value of the same or a better quality
 * replaces the old one, which is kept as history; a worse one is not taken. What the owner corrected stays,
 * whatever a provider's file says again; only a definitive value that was not there before replaces it. */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H
#include "pds/base/buf.h"
#include "pds/base/err.h"
#include "pds/base/str.h"
#include "pds/store/dataset.h"

#include <stdbool.h>
#include <stdint.h>

struct db; /* pds/vault/db.h */

/* Better ones have greater numbers (they are stored). */
enum record_quality { RECORD_ESTIMATED = 1, RECORD_MEASURED, RECORD_CORRECTED, RECORD_DEFINITIVE };

struct record {
    int64_t series_id;
    int64_t start_at, end_at; /* seconds, UTC; equal for an instant */
    enum record_quality quality;
    int64_t values[DATASET_VALUES_MAX]; /* numerators, in the dataset's order */
    uint32_t present;                   /* bit i: values[i] is there; bit 0 always */
    int64_t part;                       /* number of the import_part that brings it */
    int64_t line;
};

enum record_outcome { RECORD_NEW, RECORD_SAME, RECORD_REPLACED, RECORD_WORSE };

enum { RECORD_LENGTH_MAX_S = 400 * 86400 }; /* a bill of a year fits */

/* Inside a write. ERR_INVALID for a time outside 1900 to 2200, a longer interval, or a numerator over 10^12.
 */
MUST_CHECK enum err record_put(struct db *db, const struct record *r, enum record_outcome *out);
/* The same for what another store holds: of two different values as good as each other the one that is here
 * stays (RECORD_WORSE). */
MUST_CHECK enum err record_put_yielding(struct db *db, const struct record *r, enum record_outcome *out);

/* The format of imports that are the owner's corrections: how a record that one brought is known. */
#define RECORD_CORRECTION_FORMAT "owner.correction"

/* The owner's values for a record that is there, whatever its quality: what it said becomes history.
 * ERR_INVALID as record_put(); ERR_NOT_FOUND when there is none. Inside a write. */
MUST_CHECK enum err record_correct(struct db *db, const struct record *r);
/* What a correction of the owner's is of, for one that came with a merge and so replaced nothing here: as if
 * it had replaced it. Of several, the best counts. `said` names the record by its times; nothing happens when
 * no correction is there. Inside a write. */
MUST_CHECK enum err record_note_said(struct db *db, const char *dataset, const char *provider,
                                     const char *reference, const char *grain, const struct record *said);
/* What is there: fills all but the key, which r names. ERR_NOT_FOUND. */
MUST_CHECK enum err record_load(struct db *db, struct record *r);
/* Delete the records of a series that start in [from, to), what they said before, and what imports noted of
 * them, so that undoing an older import brings nothing back. Adds to *removed. Inside a write. */
MUST_CHECK enum err record_erase(struct db *db, int64_t series_id, int64_t from, int64_t to,
                                 int64_t *removed);

/* "measured" and back. ERR_INVALID for another word; NULL for a number that is none. */
MUST_CHECK enum err record_quality_read(struct str word, enum record_quality *out);
const char *record_quality_name(int64_t quality);

/* For undoing: note the stretch of a series that a part touched, and an unbroken run of records [start_at,
 * end_at) that it found there already, alike. Inside the write of that part. */
MUST_CHECK enum err record_note_extent(struct db *db, int64_t part, int64_t series_id, int64_t start_at,
                                       int64_t end_at);
MUST_CHECK enum err record_note_confirmed(struct db *db, int64_t part, int64_t series_id, int64_t start_at,
                                          int64_t end_at);

/* Undo a part's hold on its records, and forget what was noted of it. What a later part confirmed stays as
 * that one's; what it had replaced comes back; the rest goes. What a part brought in vain, being worse than
 * what was there, is not remembered and does not come back. Adds to *removed and *restored. Inside a write.
 */
MUST_CHECK enum err record_undo(struct db *db, int64_t part, int64_t *removed, int64_t *restored);

/* numerator / denominator as decimal text with at most 6 places (9 where the denominator is over 100,000, so
 * that str_scaled() gives the numerator back), rounded half away from zero, no trailing zeros. */
void record_value_text(struct buf *out, int64_t numerator, int64_t denominator);

/* Values after the first, as stored: "[1,null,3]", trailing nulls left out; nothing added when there is none.
 */
void record_more_write(struct buf *out, const struct record *r, size_t value_count);
/* The reverse, into values[1…] and present. ERR_CORRUPT when it is not such a text. */
MUST_CHECK enum err record_more_read(struct str more, int64_t values[static DATASET_VALUES_MAX],
                                     uint32_t *present);
#endif
