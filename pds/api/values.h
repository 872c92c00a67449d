/* Values of a record as JSON numbers under the names that its dataset gives them. */
#ifndef API_VALUES_H
#define API_VALUES_H
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/store/dataset.h"

#include <stdint.h>

/* Those that the object has, as numerators; sets their bits in *given. ERR_INVALID names the value. */
MUST_CHECK enum err values_read(const json_t *object, const struct dataset *d,
                                int64_t values[static DATASET_VALUES_MAX], uint32_t *given);
#endif
