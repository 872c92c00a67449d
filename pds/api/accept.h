/* What kinds of answer a client takes (RFC 9110 12.5.1), and how many rows of a list. */
#ifndef API_ACCEPT_H
#define API_ACCEPT_H
#include "pds/base/err.h"
#include "pds/base/str.h"
#include "pds/httpd/request.h"

#include <stdint.h>

/* How much an Accept header wants a type such as "text/csv": 0 not at all, to 1000. Without the header every
 * type is as good. The most specific range of it counts; one that cannot be read counts for nothing. */
int accept_quality(struct str header, const char *type);

/* A query parameter that is a positive number, at most `most`: more is cut to it, as a page never has more
 * than a page holds. *out stays when it is absent. ERR_INVALID. */
MUST_CHECK enum err accept_number(const struct request *request, const char *name, int64_t most,
                                  int64_t *out);
#endif
