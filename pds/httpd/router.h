/* The table of routes: method, path, who may call, what body it takes, where it runs. */
#ifndef HTTPD_ROUTER_H
#define HTTPD_ROUTER_H
#include "pds/base/err.h"
#include "pds/httpd/request.h"
#include "pds/httpd/response.h"

#include <stddef.h>

enum body_kind { BODY_NONE, BODY_JSON, BODY_FORM, BODY_UPLOAD };
enum run_where { RUN_INLINE, /* on the server's thread: microseconds, never waits */ RUN_WORKER };

struct route {
    const char *method;
    const char *path; /* "/api/imports/:id/undo"; ":name" is one segment, a final "*name" the rest */
    int access;       /* a word of pds/api; the server does not look at it */
    enum body_kind body;
    enum run_where where;
    enum err (*handler)(struct request *request, struct response *response, void *context);
    const char *meaning; /* one line for OpenAPI */
};

/* The row for a method and a raw path; params are decoded into the request (segment by segment, each once).
 * ERR_NOT_FOUND, or ERR_METHOD with *allow (at least 64 bytes) the methods that the path has, or ERR_INVALID
 * for a bad escape, NUL, control character, bad UTF-8, "." or ".." segment. */
MUST_CHECK enum err router_find(const struct route *table, size_t count, struct request *request,
                                char allow[static 64]);
#endif
