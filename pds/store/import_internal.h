/* Between import.c and import_log.c. */
#ifndef STORE_IMPORT_INTERNAL_H
#define STORE_IMPORT_INTERNAL_H
#include "pds/base/err.h"

#include <stdint.h>

struct vault;

/* Undo an import that ended in `failure`, and keep that as the reason. */
MUST_CHECK enum err import_undo_failed(struct vault *v, const char *id, enum err failure, int64_t now);
#endif
