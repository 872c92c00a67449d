/* What a handler answers. Security headers are added by the server (security brief 4.4). */
#ifndef HTTPD_RESPONSE_H
#define HTTPD_RESPONSE_H
#include "pds/base/buf.h"
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/base/limits.h"
#include "pds/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RESPONSE_HEADERS_MAX = 16, RESPONSE_BODY_MAX = 64 * MIB };

/* Produces a body piece by piece: up to size bytes into out, *got 0 ends it. Called on
 * threads of workers, one call at a time. ERR_BUSY means nothing yet: it is asked again within 250 ms, and
 * never again once the client has gone. Any other failure cuts the connection. */
typedef enum err body_source(void *context, char *out, size_t size, size_t *got);

struct response {
    int status;
    const char *type;     /* Content-Type; NULL for none */
    struct buf body;      /* owned */
    body_source *source;  /* instead of body: streamed */
    void *source_context; /* owned by the response: source_free(context) is called once, at the end or when
                             cut */
    void (*source_free)(void *context);
    bool sized; /* the source gives just source_bytes, told as Content-Length; else it is chunked */
    uint64_t source_bytes; /* a source that ends before cuts the connection */
    const void *fixed;     /* instead of body: bytes that outlive the server (assets) */
    size_t fixed_len;
    struct {
        const char *name; /* constant */
        char *value;      /* owned */
    } headers[RESPONSE_HEADERS_MAX];
    size_t header_count;
};

void response_init(struct response *r);
void response_done(struct response *r); /* r is as after response_init(), and usable again */
/* Add a header; CR, LF and NUL in the value are refused (ERR_INTERNAL). */
MUST_CHECK enum err response_header(struct response *r, const char *name, const char *format, ...)
    PRINTF_LIKE(3, 4);
bool response_has(const struct response *r, const char *name); /* a header, in any case */
/* status and a JSON tree (borrowed) as body. */
MUST_CHECK enum err response_json(struct response *r, int status, const json_t *tree);
/* Strong ETag of the body as it stands, and 304 with no body when If-None-Match (may be empty) names it. */
MUST_CHECK enum err response_etag(struct response *r, struct str if_none_match);
#endif
