/* Between erase.c (the order of steps) and erase_step.c (what each of them deletes). */
#ifndef STORE_ERASE_INTERNAL_H
#define STORE_ERASE_INTERNAL_H
#include "pds/base/err.h"
#include "pds/vault/db.h"

#include <stdbool.h>
#include <stdint.h>

/* A row of the table erasure. */
struct erasure {
    int64_t number;
    char dataset[128]; /* "" for any */
    int64_t source_id; /* 0: any */
    int64_t from, to;
    bool whole;
    bool bare;    /* records alone */
    int64_t line; /* of the trail */
    bool deleted; /* all of it is: only the files are to be cleaned */
};

enum erase_count {
    ERASED_RECORDS,
    ERASED_DOCUMENTS,
    ERASED_ANNOTATIONS,
    ERASED_SOURCES,
    ERASED_IMPORTS,
    ERASED_COUNTS
};

/* One write. It begins anew each time it is run: it changes nothing of `erasure`, and sets the rest. */
struct erase_step {
    const struct erasure *erasure;
    int64_t after; /* records: series up to this one are done; things: the kind of thing at hand */
    int64_t next;  /* `after` of the next step */
    bool done;     /* nothing is left */
    int64_t counts[ERASED_COUNTS];
};

/* A batch of records. */
MUST_CHECK enum err erase_records(struct db *db, void *step);
/* What records leave behind: counts and parts of imports, series, sources, imports, annotations. */
MUST_CHECK enum err erase_leftovers(struct db *db, void *step);
/* A batch of all other things, kind by kind (`after` begins at 0): of a whole erasure. */
MUST_CHECK enum err erase_things(struct db *db, void *step);
/* Contents of the trail; settings. */
MUST_CHECK enum err erase_names(struct db *db, void *step);
#endif
