#include "pds/httpd/head.h"

#include <string.h>

/* Fields that, sent twice, could be read in two ways. */
static const struct str SINGLE[] = {
    {"Host", 4},
    {"Content-Length", 14},
    {"Transfer-Encoding", 17},
    {"Content-Type", 12},
    {"Authorization", 13},
    {"DPoP", 4},
    {"Origin", 6},
    {"Expect", 6},
    {"If-Match", 8},
    {"Idempotency-Key", 15},
    {"X-CSRF-Token", 12},
    {"Range", 5},
};

static enum err refuse(struct verdict *v, enum err e, int status, bool close)
{
    v->status = status;
    v->close = close;
    return e;
}

static enum err check_sizes(const struct head *head, struct verdict *v)
{
    size_t line = head->method.len + head->target.len + head->version.len + 4;

    if (line > LIMIT_REQUEST_LINE_BYTES)
        return refuse(v, err_set(ERR_TOO_LARGE, "a request line of %zu bytes", line), 414, true);
    if (head->bytes > LIMIT_HEADER_BYTES)
        return refuse(v, err_set(ERR_TOO_LARGE, "headers of %zu bytes", head->bytes), 431, true);
    if (head->field_count > LIMIT_HEADER_FIELDS)
        return refuse(v, err_set(ERR_TOO_LARGE, "%zu header fields", head->field_count), 431, true);
    return ERR_OK;
}

static enum err check_fields(const struct head *head, struct verdict *v)
{
    const struct headers *h = &head->headers;

    for (size_t i = 0; i < h->count; i++)
        if (!header_name_is_token(h->at[i].name) || !header_value_is_clean(h->at[i].value))
            return refuse(v, err_set(ERR_INVALID, "header field %zu", i + 1), 400, true);
    for (size_t i = 0; i < sizeof SINGLE / sizeof *SINGLE; i++)
        if (headers_count(h, SINGLE[i]) > 1)
            return refuse(v, err_set(ERR_INVALID, "header %s comes twice", SINGLE[i].ptr), 400, true);
    return ERR_OK;
}

/* RFC 9112 6.3: how long the body is must be told once and in one way. */
static enum err check_framing(const struct head *head, struct verdict *v)
{
    const struct header *length = headers_find(&head->headers, STR("Content-Length"));
    const struct header *coding = headers_find(&head->headers, STR("Transfer-Encoding"));

    if (length && coding)
        return refuse(v, err_set(ERR_INVALID, "Content-Length with Transfer-Encoding"), 400, true);
    if (coding) {
        if (!str_eq_nocase(coding->value, STR("chunked")))
            return refuse(v, err_set(ERR_UNSUPPORTED, "a transfer coding other than chunked"), 501, true);
        if (!str_eq(head->version, STR("HTTP/1.1")))
            return refuse(v, err_set(ERR_INVALID, "chunks before HTTP/1.1"), 400, true);
        v->chunked = true;
    }
    for (size_t i = 0; length && i < length->value.len; i++)
        if (length->value.ptr[i] < '0' || length->value.ptr[i] > '9')
            return refuse(v, err_set(ERR_INVALID, "Content-Length"), 400, true);
    if (length && str_int64(length->value, &v->content_length))
        return refuse(v, err_set(ERR_INVALID, "Content-Length"), 400, true);
    return ERR_OK;
}

static enum err check_host(const struct head *head, const struct hosts *hosts, struct verdict *v)
{
    const struct header *host = headers_find(&head->headers, STR("Host"));

    if (!host)
        return refuse(v, err_set(ERR_INVALID, "no Host"), 400, true);
    if (!hosts_have(hosts, host->value) ||
        (v->target.authority.ptr && !hosts_have(hosts, v->target.authority)))
        return refuse(v, err_set(ERR_MISDIRECTED, "a host that is not ours"), 421, true);
    return ERR_OK;
}

enum err head_check(struct head *head, const struct hosts *hosts, struct verdict *out)
{
    enum err e;

    memset(out, 0, sizeof *out);
    out->content_length = -1;
    if ((e = check_sizes(head, out)))
        return e;
    if (!head->exact)
        return refuse(out, err_set(ERR_INVALID, "line ends, NUL or a folded line in the head"), 400, true);
    if (!str_eq(head->version, STR("HTTP/1.1")) && !str_eq(head->version, STR("HTTP/1.0")))
        return refuse(out, err_set(ERR_UNSUPPORTED, "a version that is not 1.0 or 1.1"), 505, true);
    if (!header_name_is_token(head->method))
        return refuse(out, err_set(ERR_INVALID, "the method"), 400, true);
    if ((e = check_fields(head, out)) || (e = check_framing(head, out)))
        return e;
    if ((e = target_parse(head->target, &out->target)))
        return refuse(out, e, 400, true);
    if ((e = check_host(head, hosts, out)))
        return e;
    const struct header *expect = headers_find(&head->headers, STR("Expect"));
    if (expect && !str_eq_nocase(expect->value, STR("100-continue")))
        return refuse(out, err_set(ERR_UNSUPPORTED, "an expectation other than 100-continue"), 417, true);
    head->headers.query = out->target.query;
    return ERR_OK;
}

bool hosts_have(const struct hosts *hosts, struct str authority)
{
    for (size_t i = 0; i < hosts->count; i++)
        if (str_eq_nocase(authority, str_of(hosts->at[i])))
            return true;
    return false;
}

enum err hosts_add(struct hosts *hosts, struct str authority)
{
    enum err e;

    if (hosts->count == HOSTS_MAX)
        return err_set(ERR_TOO_LARGE, "more than %d hosts", HOSTS_MAX);
    if ((e = str_copy(authority, hosts->at[hosts->count], HOST_BYTES)))
        return e;
    for (char *c = hosts->at[hosts->count]; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    hosts->count++;
    return ERR_OK;
}
