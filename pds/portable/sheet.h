/* A CSV sheet as an export writes it and a merge reads it back: RFC 4180, UTF-8, ",", LF, one header line.
 *
 * Cells of text are made harmless to spreadsheets: where a cell begins, or would begin for a program that
 * splits at another mark, "=", "+", "-", "@", a tab, a return and the wide forms of the four get an
 * apostrophe before them, and so does an apostrophe. Reading takes it off again: no text is changed by the
 * way there and back. Numbers, instants and words of ours are written as they are. */
#ifndef PORTABLE_SHEET_H
#define PORTABLE_SHEET_H
#include "pds/base/buf.h"
#include "pds/base/err.h"
#include "pds/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHEET_FIELDS_MAX = 64, SHEET_LINE_BYTES = 256 * 1024 };

/* A cell of text, neutralised and quoted as it needs. */
void sheet_text(struct buf *out, struct str text);
/* An instant as RFC 3339, UTC. */
void sheet_instant(struct buf *out, int64_t at);

typedef enum err sheet_get(void *context, void *out, size_t size, size_t *got);

struct sheet {
    int64_t line;                        /* of the file, where the row begins; the header is line 1 */
    struct str fields[SHEET_FIELDS_MAX]; /* without quotes; borrowed until the next call */
    size_t count;
    /* Of the reader, for sheet_read.c alone: */
    sheet_get *get;
    void *context;
    char *bytes; /* owned */
    size_t room, start, end;
    int64_t next_line;
    bool ended;
};

void sheet_init(struct sheet *s, sheet_get *get, void *context); /* context is borrowed */
void sheet_done(struct sheet *s);
/* The next row, the header first. ERR_NOT_FOUND after the last. ERR_INVALID for what sheet_text() and its
 * like never write: a quote that is not closed, text behind a closing quote, a row of more than
 * SHEET_FIELDS_MAX cells, bytes that are not UTF-8, a NUL, a last line without its end; ERR_TOO_LARGE for a
 * row over SHEET_LINE_BYTES. */
MUST_CHECK enum err sheet_next(struct sheet *s);
/* The row at hand must be this header: names separated by ','. */
MUST_CHECK enum err sheet_expect(const struct sheet *s, struct str header);
/* A cell of text as it was before sheet_text(): done in place, so once for each cell. */
struct str sheet_read_text(const struct sheet *s, size_t i);
MUST_CHECK enum err sheet_read_instant(const struct sheet *s, size_t i, int64_t *out);
#endif
