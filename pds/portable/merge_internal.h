/* Between the files of a merge: what datapackage.json told, and what waits for all of it to be read. */
#ifndef PORTABLE_MERGE_INTERNAL_H
#define PORTABLE_MERGE_INTERNAL_H
#include "pds/archive/pack.h"
#include "pds/base/err.h"
#include "pds/base/id.h"
#include "pds/base/json.h"
#include "pds/base/str.h"
#include "pds/crypto/sha256.h"
#include "pds/portable/merge.h"
#include "pds/store/blob.h"
#include "pds/store/dataset.h"
#include "pds/store/import.h"
#include "pds/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct vault;

enum merge_kind {
    MERGE_OTHER /* checked, and left */,
    MERGE_IMPORTS,
    MERGE_RECORDS,
    MERGE_HISTORY,
    MERGE_ANNOTATIONS,
    MERGE_DOCUMENTS,
    MERGE_FILE
};

/* A resource of datapackage.json. */
struct merge_entry {
    char *path; /* owned */
    enum merge_kind kind;
    uint64_t bytes;
    uint8_t hash[SHA256_BYTES];
    bool seen;
    /* of records */
    const struct dataset *dataset;      /* NULL for one that this program does not know */
    char *provider, *reference, *grain; /* owned; they outlive the import, which borrows them */
    /* of a file */
    char document[ID_CHARS + 1];
    int64_t version;
};

/* What becomes of a document. */
enum merge_fate { MERGE_UNDECIDED, MERGE_NEW, MERGE_SAME, MERGE_LONGER /* further versions */, MERGE_KEPT };

/* A version's file that came, and what it is by its bytes. */
struct merge_version {
    struct blob_writer *blob; /* owned; NULL: it has not come */
    const char *type;         /* constant */
};

struct merge_document {
    char id[ID_CHARS + 1];       /* in the zip */
    char here[ID_CHARS + 1];     /* in this store */
    char *text;                  /* owned: its facts, as JSON */
    struct merge_version *files; /* owned: those that came, by version */
    size_t version_count, have;  /* versions in the zip; those that are here already */
    enum merge_fate fate;
    bool done;
};

struct merge_note {
    const struct dataset *dataset;
    char id[ID_CHARS + 1];
    int64_t start_at, end_at;
    char *text; /* owned */
    size_t len;
};

/* Records come in as two imports: what was read, and what the owner corrected of it, so that a correction
 * stays one. */
enum merge_brought { MERGE_READINGS, MERGE_CORRECTIONS, MERGE_BROUGHT };

struct merge_import {
    struct merge *merge;
    struct import *import;             /* owned; NULL before its first record */
    int64_t lost[IMPORT_DATASETS_MAX]; /* records not taken, by place in the import's counts */
};

/* What a record said before the owner corrected it. */
struct merge_said {
    const struct dataset *dataset;
    char *provider, *reference, *grain; /* owned */
    struct record record;
};

struct merge_tally {
    int64_t new_count, same, conflicts;
};

struct merge {
    struct store *store;
    struct vault *vault; /* lent */
    int64_t now;
    struct pack_reader *pack;
    struct merge_entry *entries; /* owned; by path */
    size_t entry_count;
    struct merge_entry *entry; /* the one being read */
    struct sha256 hash;        /* of what was read of it */
    uint64_t bytes;
    struct merge_import imports[MERGE_BROUGHT];
    char (*corrections)[ID_CHARS + 1]; /* owned, sorted: the other store's imports that are corrections */
    size_t correction_count, correction_room;
    struct merge_said *said; /* owned */
    size_t said_count, said_room;
    struct merge_document *documents; /* owned; by id */
    size_t document_count, files_held;
    bool listed;              /* documents.json was read */
    json_t *bundles;          /* owned array */
    struct merge_note *notes; /* owned */
    size_t note_count;
    size_t held; /* bytes that wait in memory */
    struct merge_tally document_tally, note_tally, bundle_tally;
    json_t *conflicts, *warnings; /* owned arrays */
    int64_t conflict_count, warning_count;
};

/* merge.c */
/* Bytes of the entry at hand, counted and hashed. A merge_get, and what sheets and members are read with. */
MUST_CHECK enum err merge_read(void *context, void *out, size_t size, size_t *got);
/* Something that did not go in as it is, or was not understood. The first LIMIT_WARNINGS are told one by one.
 * Out of memory, one is lost; it is counted. */
void merge_conflict(struct merge *m, const char *where, const char *what);
void merge_warn(struct merge *m, const char *where, const char *what);
struct sheet;
/* The entry at hand as a table: read() goes through its rows. */
MUST_CHECK enum err merge_sheet(struct merge *m, enum err (*read)(struct merge *m, struct sheet *s));
/* The first row of a table, which must be this header. */
MUST_CHECK enum err merge_header(struct sheet *s, struct str header);
/* So many bytes more wait in memory. ERR_TOO_LARGE over LIMIT_MERGE_HELD_BYTES. */
MUST_CHECK enum err merge_hold(struct merge *m, size_t bytes);
/* An id for what is here under `id` with other content: of the same time, and the same for the same content.
 */
void merge_other_id(const char *id, struct str content, char out[static ID_CHARS + 1]);

/* merge_package.c */
MUST_CHECK enum err merge_package(struct merge *m);
struct merge_entry *merge_find(struct merge *m, struct str path); /* NULL */
void merge_package_done(struct merge *m);

/* merge_record.c */
MUST_CHECK enum err merge_records(struct merge *m);
/* Both imports become final. */
MUST_CHECK enum err merge_records_close(struct merge *m);
/* Or neither comes to anything. */
void merge_records_fail(struct merge *m, enum err failure);
const char *merge_import_id(const struct merge *m, enum merge_brought which); /* NULL when there is none */
/* A cell that is a value of a dataset: r->values[i] and its bit of r->present. */
MUST_CHECK enum err merge_value(const struct dataset *d, size_t i, struct str text, struct record *r);
MUST_CHECK enum err merge_records_answer(const struct merge *m, json_t *datasets);

/* merge_correction.c */
MUST_CHECK enum err merge_imports(struct merge *m); /* which imports are corrections */
MUST_CHECK enum err merge_history(struct merge *m); /* what those corrected; it waits */
bool merge_is_correction(const struct merge *m, struct str import);
/* What waits, noted beside the corrections that are here: a file that says it again does not undo them. */
MUST_CHECK enum err merge_said_put(struct merge *m);
void merge_corrections_done(struct merge *m);

/* merge_note.c */
MUST_CHECK enum err merge_notes(struct merge *m); /* read; they wait */
/* All of them, and the trail's line that something was merged: one write. */
MUST_CHECK enum err merge_notes_put(struct merge *m);
void merge_notes_done(struct merge *m);

/* merge_document.c */
MUST_CHECK enum err merge_documents(struct merge *m); /* documents.json */
MUST_CHECK enum err merge_file(struct merge *m);
/* Put in those whose files are all there. all: a file that is missing is a failure. */
MUST_CHECK enum err merge_documents_put(struct merge *m, bool all);
/* The id that a document of the zip has here; NULL when the zip has none of that id. */
const char *merge_document_here(const struct merge *m, const char *id);
void merge_documents_done(struct merge *m);

/* merge_bundle.c: when the documents are in. */
MUST_CHECK enum err merge_bundles_put(struct merge *m);
#endif
