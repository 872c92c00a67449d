/* Files of the pages, built into the program, with their ETags. */
#ifndef HTTPD_ASSET_H
#define HTTPD_ASSET_H
#include "pds/base/err.h"
#include "pds/base/str.h"
#include "pds/httpd/request.h"
#include "pds/httpd/response.h"

#include <stddef.h>

struct asset {
    const char *path;                  /* "/js/main.js"; NULL closes a table */
    const char *start, *end;           /* as is */
    const char *gzip_start, *gzip_end; /* the same, compressed */
};

/* Answer with the asset at path: type by its ending, ETag (a digest of the content), gzip by Accept-Encoding,
 * 304 by If-None-Match, Cache-Control: no-cache. ERR_NOT_FOUND when the table has none. */
MUST_CHECK enum err asset_answer(const struct asset table[], struct str path, const struct request *request,
                                 struct response *response);
#endif
