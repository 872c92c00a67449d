/* The registry of datasets: a stable dotted name, words in French and English, unit, values and the
 * ladder of steps, one JSON file each in pds/store/datasets/. Read once at start, constant after. */
#ifndef STORE_DATASET_H
#define STORE_DATASET_H
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/base/str.h"
#include "pds/base/zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DATASET_VALUES_MAX = 16, DATASET_STEPS_MAX = 10 };

/* What one number stands for when many are put together. */
enum dataset_aggregate { DATASET_SUM, DATASET_MAX, DATASET_LAST };

struct dataset {
    const char *name;
    const char *unit; /* of every value that names no other: "Wh", "VA", "L" */
    enum dataset_aggregate aggregate;
    bool instant; /* records have start = end: an index */
    struct {
        const char *name;
        const char *unit;         /* the dataset's, where the value has none of its own */
        int64_t denominator;      /* stored integers are value × denominator */
        int64_t minimum, maximum; /* of those integers */
    } values[DATASET_VALUES_MAX]; /* the first is the record's main value */
    size_t value_count;
    enum step steps[DATASET_STEPS_MAX];
    size_t step_count;
    json_t *tree; /* the whole file: title, description, schema; owned by the registry */
};

/* Once, before the first use. ERR_INTERNAL names the file that breaks the registry's form. */
MUST_CHECK enum err dataset_start(void);
void dataset_stop(void); /* gives the registry back */

size_t dataset_count(void);
const struct dataset *dataset_at(size_t i); /* sorted by name */
/* ERR_NOT_FOUND when the registry has no such name. */
MUST_CHECK enum err dataset_find(struct str name, const struct dataset **out);
bool dataset_has_step(const struct dataset *d, enum step step);
/* Place of a value's name, or -1. */
int dataset_value(const struct dataset *d, const char *name);
const char *dataset_aggregate_name(enum dataset_aggregate a); /* "sum" */
/* ERR_INVALID for a value outside its bounds. Bit i of present: values[i] is there. */
MUST_CHECK enum err dataset_check_values(const struct dataset *d,
                                         const int64_t values[static DATASET_VALUES_MAX], uint32_t present);
#endif
