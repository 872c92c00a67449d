/* The count of changes of a thing, as its entity tag: "3". A change may name the one it was made on. */
#ifndef API_REVISION_H
#define API_REVISION_H
#include "pds/base/err.h"
#include "pds/httpd/request.h"
#include "pds/httpd/response.h"

#include <stdint.h>

/* What If-Match names; 0 for any: without the header, or "*". ERR_PRECONDITION for a tag that is none of
 * ours, so that nothing is changed by mistake. */
MUST_CHECK enum err revision_asked(const struct request *request, int64_t *out);
MUST_CHECK enum err revision_tell(struct response *response, int64_t revision);
#endif
