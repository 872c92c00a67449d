/* The header fields of one request, in the order they came, and its raw query.
 * request.transport points to one of these; names and values are borrowed. */
#ifndef HTTPD_HEADER_H
#define HTTPD_HEADER_H
#include "pds/base/limits.h"
#include "pds/base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct header {
    struct str name;  /* as written */
    struct str value; /* without spaces at either end */
};

struct headers {
    struct header at[LIMIT_HEADER_FIELDS];
    size_t count;
    struct str query; /* raw, behind the '?'; {NULL, 0} without one */
};

/* The first field of that name (any case), or NULL. */
const struct header *headers_find(const struct headers *h, struct str name);
const struct header *headers_find_last(const struct headers *h, struct str name);
size_t headers_count(const struct headers *h, struct str name);

bool header_name_is_token(struct str name);   /* RFC 9110 5.6.2 */
bool header_value_is_clean(struct str value); /* no control character but the tabulator */
/* Whether a comma-separated list has this token, any case; parameters behind ';' are not looked at. */
bool header_has_token(struct str list, struct str token);
#endif
