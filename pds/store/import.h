/* An import: one file, or one run of a connector, that brings records, and its trace.
 *
 * Records go in by batches (import_part), each durable and atomic; they can be seen as they come. An import
 * that fails, or that was cut by a crash (import_recover), is undone as a whole: what it brought goes, what
 * it replaced comes back. */
#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H
#include "pds/audit/event.h"
#include "pds/base/err.h"
#include "pds/base/id.h"
#include "pds/base/json.h"
#include "pds/base/limits.h"
#include "pds/base/str.h"
#include "pds/store/dataset.h"
#include "pds/store/record.h"

#include <stdbool.h>
#include <stdint.h>

struct vault; /* pds/vault/vault.h */
struct db;

enum { IMPORT_DATASETS_MAX = 16, IMPORT_REFERENCE_BYTES = 64, IMPORT_FILE_BYTES = LIMIT_FILE_NAME_BYTES + 1 };

/* What it did to one dataset. */
struct import_count {
    const struct dataset *dataset;
    int64_t new_count, same, replaced, rejected;
    int64_t first, last; /* start of the first interval, end of the last; set when any record came */
    int64_t total;       /* numerators of the main value, of new and same records; for DATASET_SUM only */
    int64_t gaps;        /* holes between first and last, in the series touched; set by import_close() */
    bool any;
};

struct import;

/* The name of a file as it is kept and told: a label, cut at LIMIT_FILE_NAME_BYTES, each byte of no UTF-8
 * text a '?'. */
void import_label(struct str file, char out[static IMPORT_FILE_BYTES]);

/* Begin. Nothing is written before the first batch.
 */
MUST_CHECK enum err import_new(struct vault *v, struct str file, int64_t now, struct import **out);
void import_set_format(struct import *m, const char *format); /* constant text */
/* What the trail calls it when it is done: EVENT_IMPORTED when this is not called. */
void import_set_event(struct import *m, enum event_kind kind);

/* This import brings what another store holds: what is here and is as good stays. `told` hears of each record
 * that is not taken, within the write and on its thread. */
typedef void import_untaken(void *context, const struct dataset *d, const struct record *r);
void import_yield(struct import *m, import_untaken *told, void *context);

/* Add a record of a series (series_id and part of r are filled here). ERR_INVALID for a value outside
 * what the dataset allows, or as record_put() says, later: the batch is written when it is full.
 * ERR_TOO_LARGE over IMPORT_DATASETS_MAX datasets or a longer reference. Once it failed, only import_fail()
 * makes sense. provider and grain are borrowed until import_free(). */
MUST_CHECK enum err import_add(struct import *m, const struct dataset *d, const char *provider,
                               struct str reference, const char *grain, const struct record *r);
/* Count a line that was refused, for a dataset. */
void import_reject(struct import *m, const struct dataset *d);

/* Finish: everything is durable when it returns ERR_OK. */
MUST_CHECK enum err import_close(struct import *m, int64_t now);
/* Undo what was written; `failure` is kept as the reason. The thread's story is left as it was. */
void import_fail(struct import *m, enum err failure, int64_t now);
void import_free(struct import *m);
static inline void import_freep(struct import **m) { import_free(*m); }

const char *import_id(const struct import *m);   /* borrowed */
const char *import_file(const struct import *m); /* its label as it is kept: cut, UTF-8; borrowed */
size_t import_counts(const struct import *m,
                     const struct import_count **out); /* borrowed; in order of appearance */

/* A whole import of one part inside a write of the caller's, who puts the records: its id, and the numbers of
 * import and part. import_end_one() tells what it did. */
struct import_one {
    char id[ID_CHARS + 1];
    const char *format; /* constant text */
    int64_t number, part;
};
MUST_CHECK enum err import_begin_one(struct db *db, const char *format, int64_t now, struct import_one *out);
MUST_CHECK enum err import_end_one(struct db *db, const struct import_one *one,
                                   const struct import_count *count, int64_t now);

/* Undo a finished import by its id. ERR_NOT_FOUND; ERR_CONFLICT when it is undone already or still runs. */
MUST_CHECK enum err import_undo(struct vault *v, struct str id, int64_t now, int64_t *removed,
                                int64_t *restored);
/* Undo the imports that a crash cut. Once after opening. */
MUST_CHECK enum err import_recover(struct vault *v, int64_t now);

/* {"imports":[{"id","file","format","at","new","same","replaced","rejected","datasets":[…],"undone_at","failure"}],"next"}:
 * newest first, those before `before` ('' or an id, ERR_INVALID for another). */
MUST_CHECK enum err import_list(struct vault *v, struct str before, int64_t limit, json_t **out);
#endif
