/* The lines of a CSV file under a cursor, split at ';' (RFC 4180 otherwise).
 *
 * Bytes come by blocks and no line allocates: the one buffer grows with the longest line, up to
 * LIMIT_CSV_LINE_BYTES. A line over a ceiling, or with a quote that never closes, is shown with its
 * flaw in words and without fields; the line after it is read as if nothing had been. */
#ifndef FILES_CSV_LINE_H
#define FILES_CSV_LINE_H
#include "connectors/files/reading.h"
#include "pds/base/err.h"
#include "pds/base/limits.h"
#include "pds/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csv_line {
    int64_t number;                       /* of its first physical line, from 1 */
    size_t count;                         /* fields; 0 for a blank line and for a flawed one */
    struct str fields[LIMIT_CSV_COLUMNS]; /* without quotes; borrowed until the next call */
    const char *flaw;                     /* constant: why the line cannot be split; else NULL */
    /* Of the cursor, for csv_line.c alone: */
    const struct reading_input *in;
    char *bytes; /* owned */
    size_t room, start, end;
    int64_t next_number;
    bool ended; /* the input has no more */
};

MUST_CHECK enum err csv_line_init(struct csv_line *l, const struct reading_input *in); /* in is borrowed */
void csv_line_done(struct csv_line *l);

/* Move to the next line, the first at the first call. ERR_NOT_FOUND after the last one; else what the input
 * failed with. */
MUST_CHECK enum err csv_line_next(struct csv_line *l);
#endif
