/* One record as a file tells it, and where readings go. */
#ifndef FILES_READING_H
#define FILES_READING_H
#include "pds/base/err.h"
#include "pds/base/str.h"
#include "pds/base/zone.h"

#include <stddef.h>
#include <stdint.h>

enum { READING_VALUES_MAX = 16 };

struct reading_value {
    const char *name;    /* constant: "value", "f1"…: a name of the dataset's */
    int64_t numerator;   /* the exact value is numerator / denominator, in the dataset's unit */
    int64_t denominator; /* > 0 */
};

struct reading {
    const char *dataset;  /* constant: "energy.electricity.consumption" */
    const char *provider; /* constant: "enedis" */
    const char
        *grain; /* constant: "curve" or "daily": two grains of one quantity are kept apart, never added */
    struct str reference;     /* meter number as written: text, may be empty; borrowed for the call */
    int64_t start_at, end_at; /* [start, end), seconds UTC; equal for an instant (an index) */
    const char *quality;      /* constant: "definitive", "corrected", "measured", "estimated" */
    struct reading_value values[READING_VALUES_MAX];
    size_t value_count;
    int64_t line; /* of the file, from 1 */
};

/* Bytes of the file, in order: up to size into out, *got 0 at the end. */
struct reading_input {
    enum err (*read)(void *context, void *out, size_t size, size_t *got);
    void *context;
};

struct reading_sink {
    /* Take one; a failure ends the parse with that outcome. */
    enum err (*take)(void *context, const struct reading *r);
    /* A line that was not read, or was read with doubt (rejected 0), of a dataset (NULL when none is known
     * yet): the reason is for the owner, in plain English, and never holds a value. */
    void (*tell)(void *context, const char *dataset, int64_t line, int rejected, const char *reason);
    void *context;
};

struct reading_options {
    const struct zone *zone; /* of local times that the file does not place itself */
};
#endif
