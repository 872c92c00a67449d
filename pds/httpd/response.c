#include "pds/httpd/response.h"

#include "pds/base/mem.h"
#include "pds/httpd/etag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { VALUE_MAX = 8192 }; /* a redirect carries back what a request line brought */

void response_init(struct response *r)
{
    r->status = 200;
    r->type = NULL;
    buf_init(&r->body, RESPONSE_BODY_MAX);
    r->source = NULL;
    r->source_context = NULL;
    r->source_free = NULL;
    r->sized = false;
    r->source_bytes = 0;
    r->fixed = NULL;
    r->fixed_len = 0;
    r->header_count = 0;
}

static void drop_body(struct response *r)
{
    buf_done(&r->body);
    if (r->source_free)
        r->source_free(r->source_context);
    r->source = NULL;
    r->source_context = NULL;
    r->source_free = NULL;
    r->sized = false;
    r->source_bytes = 0;
    r->fixed = NULL;
    r->fixed_len = 0;
}

void response_done(struct response *r)
{
    drop_body(r);
    for (size_t i = 0; i < r->header_count; i++) {
        explicit_bzero(r->headers[i].value, strlen(r->headers[i].value)); /* a cookie is a key */
        mem_free(r->headers[i].value);
    }
    response_init(r);
}

bool response_has(const struct response *r, const char *name)
{
    for (size_t i = 0; i < r->header_count; i++)
        if (strcasecmp(r->headers[i].name, name) == 0)
            return true;
    return false;
}

enum err response_header(struct response *r, const char *name, const char *format, ...)
{
    va_list args;
    char *value;

    if (r->header_count == RESPONSE_HEADERS_MAX)
        return err_set(ERR_INTERNAL, "no room for header %s", name);
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || n > VALUE_MAX)
        return err_set(ERR_INTERNAL, "header %s is too long", name);
    if (!(value = mem_new((size_t)n + 1)))
        return err_set(ERR_NO_MEMORY, "header %s", name);
    va_start(args, format);
    (void)vsnprintf(value, (size_t)n + 1, format, args);
    va_end(args);
    if (strcspn(value, "\r\n") != (size_t)n) { /* a NUL stops it short too */
        mem_free(value);
        return err_set(ERR_INTERNAL, "header %s would break its line", name);
    }
    r->headers[r->header_count].name = name;
    r->headers[r->header_count++].value = value;
    return ERR_OK;
}

enum err response_json(struct response *r, int status, const json_t *tree)
{
    enum err e;

    buf_clear(&r->body);
    json_write(&r->body, tree);
    if ((e = buf_err(&r->body)))
        return err_wrap(e, "writing an answer");
    r->status = status;
    r->type = "application/json";
    return ERR_OK;
}

enum err response_etag(struct response *r, struct str if_none_match)
{
    char tag[ETAG_BYTES];
    enum err e;

    etag_text(etag_digest(r->fixed ? r->fixed : r->body.data, r->fixed ? r->fixed_len : r->body.len), "",
              tag);
    if ((e = response_header(r, "ETag", "%s", tag)))
        return e;
    if (r->status == 200 && etag_listed(if_none_match, tag)) {
        drop_body(r);
        r->status = 304;
        r->type = NULL;
    }
    return ERR_OK;
}
