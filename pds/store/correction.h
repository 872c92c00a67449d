/* What the owner corrects of their records.
 *
 * A correction gives new values to one record that is there; what it said stays as history, and the record is
 * "corrected". It is an import of its own (format RECORD_CORRECTION_FORMAT), so it is listed and can be
 * undone. A provider's file that says the old value again does not undo it (record.h). Deleting
 * is erase.h's. */
#ifndef STORE_CORRECTION_H
#define STORE_CORRECTION_H
#include "pds/base/err.h"
#include "pds/base/id.h"
#include "pds/base/json.h"
#include "pds/base/str.h"
#include "pds/store/dataset.h"

#include <stdbool.h>
#include <stdint.h>

struct vault; /* pds/vault/vault.h */
struct db;

/* Which record: of one source, and of one of its series when it tells the same interval in several. */
struct correction_key {
    const struct dataset *dataset;
    int64_t source_id;
    struct str grain; /* empty: whichever has it; ERR_CONFLICT when several have */
    int64_t start_at, end_at;
};

struct correction {
    struct correction_key key;
    int64_t values[DATASET_VALUES_MAX]; /* numerators */
    uint32_t given;                     /* bit i: values[i] is told; others stay as they are */
    struct str note;                    /* kept as an annotation of the interval; empty: none */
};

struct correction_done {
    char import[ID_CHARS + 1];     /* "" when the record said just this already */
    char annotation[ID_CHARS + 1]; /* "" without a note */
    bool replaced;
};

/* ERR_NOT_FOUND when there is no such record, ERR_INVALID for a value out of range. Told in the trail. */
MUST_CHECK enum err correction_put(struct vault *v, const struct correction *c, int64_t now,
                                   struct correction_done *out);

/* {"dataset","source","grain","start","end","versions":[{"value",…,"quality","import","file","format","line",
 * "at","replaced_at"}]}: what it says first, then what it said before, the latest first. line is null where
 * no line of a file is known. ERR_NOT_FOUND. */
MUST_CHECK enum err correction_history(struct db *db, const struct correction_key *key, json_t **out);
#endif
