/* A file of the owner's into the store: recognised, parsed, put, told. */
#ifndef RUNNER_INTAKE_H
#define RUNNER_INTAKE_H
#include "connectors/files/reading.h"
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/base/str.h"
#include "pds/store/dataset.h"

#include <stdint.h>

struct vault; /* pds/vault/vault.h */

struct intake_options {
    struct vault *vault;
    const struct zone *zone;    /* of local times that the file does not place itself */
    const struct dataset *only; /* keep readings of this dataset alone; NULL keeps all */
    int64_t now;                /* seconds, UTC */
};

/* Read one file to its end. For each dataset that it brought, an object
 * {"file","import","format","dataset","new","same","replaced","rejected","first","last","total","unit","gaps",
 * "warnings":[{"line","reason"}]} is added to the array `entries`, after the data is durable; a file
 * that brought nothing gives one with a null dataset. On failure nothing of the file is kept, and the array
 * is untouched. ERR_UNSUPPORTED when no format recognises it. */
MUST_CHECK enum err intake_file(const struct intake_options *options, struct str file,
                                const struct reading_input *input, json_t *entries);
/* A file that failed, in the same array: {"file","error":{"type","detail"}}, with the thread's story. */
MUST_CHECK enum err intake_add_failure(json_t *entries, struct str file, enum err failure);
#endif
