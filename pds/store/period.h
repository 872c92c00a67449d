/* A stretch of a dataset as the trail tells it. */
#ifndef STORE_PERIOD_H
#define STORE_PERIOD_H
#include "pds/store/dataset.h"

#include <stdint.h>

enum { PERIOD_BYTES = 160 };

/* "energy.electricity.consumption 2024-05-01T00:00:00Z/2024-05-02T00:00:00Z" (ISO 8601, an interval). Times
 * that have no text are held to those that have one. */
void period_text(const struct dataset *d, int64_t from, int64_t to, char out[static PERIOD_BYTES]);
#endif
