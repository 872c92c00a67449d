/* All of a store in open formats: a zip that is a Frictionless Data Package. docs/export-format.md. */
#ifndef PORTABLE_EXPORT_H
#define PORTABLE_EXPORT_H
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/store/store.h"

#include <stddef.h>
#include <stdint.h>

/* Called with no bytes too, while what comes is being measured: whoever does not want it any more fails then,
 * which ends the export. */
typedef enum err export_put(void *context, const void *bytes, size_t len);

/* Write it, in order, to put. One snapshot of the store.
 * {"datasets":[{"name","records","digest"}],"documents", "annotations","digest"}: digests (SHA-256, hex) of
 * what is in it, alike for two stores that hold the same. Told in the trail before the first byte. */
MUST_CHECK enum err export_make(struct store *s, export_put *put, void *context, int64_t now, json_t **out);
/* The digests alone. */
MUST_CHECK enum err export_digest(struct store *s, json_t **out);
#endif
