/* A borrowed view of one HTTP request: already checked against security brief 4.1
 * before any handler sees it. */
#ifndef HTTPD_REQUEST_H
#define HTTPD_REQUEST_H
#include "pds/base/arena.h"
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct route;
struct upload;

struct request {
    const struct route *route;
    struct str method;    /* "GET"; a HEAD runs the GET row, its body is dropped by the server */
    struct str mount;     /* "name" of a path "/@name/…" where there are mounts; else empty */
    struct str path;      /* raw, without the query and what names the mount */
    struct str params[8]; /* decoded values of :name and of a final *name, in order */
    size_t param_count;
    struct arena *arena;   /* lives as long as the request */
    struct str body;       /* whole, for routes with BODY_JSON or BODY_FORM; empty otherwise */
    struct upload *upload; /* for BODY_UPLOAD: read with upload_next(); NULL otherwise */
    char address[64];      /* peer, numeric; the forwarded one when a declared proxy speaks */
    bool loopback;         /* the peer is this machine, and no proxy is declared */
    int64_t now;           /* instant of arrival, seconds */
    void *transport;       /* the server's own */
};

/* A header by name (any case); {NULL, 0} when absent. */
struct str request_header(const struct request *r, const char *name);
/* A query parameter, decoded, arena-owned; {NULL, 0} when absent. ERR_INVALID for a bad escape or the
 * same name twice. */
MUST_CHECK enum err request_query(const struct request *r, const char *name, struct str *out);
/* ERR_INVALID when the query has a name that is not in the NULL-ended list. */
MUST_CHECK enum err request_query_only(const struct request *r, const char *const names[]);
/* A cookie by name; {NULL, 0} when absent or twice. */
struct str request_cookie(const struct request *r, const char *name);
/* The body as a JSON object; the tree is the caller's. ERR_UNSUPPORTED unless Content-Type is
 * application/json. */
MUST_CHECK enum err request_json(const struct request *r, json_t **out);
/* "fr" or "en" by Accept-Language; French when neither is asked for. */
const char *request_language(const struct request *r);

/* multipart/form-data, streamed to the handler's thread with back-pressure.
 * The next part that is a file: its form field and file name (a label, never a path; both arena-owned).
 * ERR_NOT_FOUND after the last. An unread rest of the part before is skipped. */
MUST_CHECK enum err upload_next(struct upload *u, struct str *field, struct str *file_name);
/* The same, plain fields too: their file name is {NULL, 0}. */
MUST_CHECK enum err upload_next_part(struct upload *u, struct str *field, struct str *file_name);
/* Up to size bytes of the current part; *got 0 at its end. Blocks until bytes come. ERR_IO when the client
 * went away, ERR_BUSY after server_cut_long(), ERR_TOO_LARGE, ERR_INVALID (broken multipart). */
MUST_CHECK enum err upload_read(struct upload *u, void *out, size_t size, size_t *got);
#endif
