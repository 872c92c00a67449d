/* The rows of a query as text, piece by piece: JSON
 * {"dataset","unit","step","records":[{"start","end","value",…,"quality"}],"coverage","next"} or CSV with the
 * same names. Buckets of a step have a "coverage" each, from 0 to 1. With options.origins, records as they
 * are tell "source", "grain", "import" and "line" too (null where it is not known). */
#ifndef STORE_QUERY_TEXT_H
#define STORE_QUERY_TEXT_H
#include "pds/base/buf.h"
#include "pds/base/err.h"
#include "pds/store/query.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum query_format { QUERY_JSON, QUERY_CSV };

struct query_text {
    struct query *query;                 /* borrowed */
    const struct query_options *options; /* borrowed */
    enum query_format format;
    int64_t limit; /* rows; what is left is told as "next", the start of the row that did not fit */
    int64_t given;
    bool begun, ended;
};

void query_text_init(struct query_text *t, struct query *q, const struct query_options *options,
                     enum query_format format, int64_t limit);
/* Add text to out until it holds at least `want` bytes or all is told (t->ended). */
MUST_CHECK enum err query_text_fill(struct query_text *t, struct buf *out, size_t want);
/* "json" or "csv"; ERR_INVALID otherwise. */
MUST_CHECK enum err query_format_read(struct str word, enum query_format *out);
#endif
