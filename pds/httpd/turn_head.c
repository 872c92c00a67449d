#include "pds/httpd/turn.h"

#include "pds/base/clock.h"
#include "pds/httpd/peer.h"
#include "pds/httpd/server_internal.h"

#include <string.h>

/* The library reads leniently and changes its buffer in place: a line end becomes one NUL, or two when it was
 * CR LF; the colon becomes a NUL. So a head that was written as RFC 9112 wants it lies in memory without a
 * gap: method NUL target NUL version NUL NUL (name NUL spaces value NUL NUL)* NUL NUL A bare LF, a NUL
 * inside, a folded line or a second space makes a gap, or a pointer outside (decision 0005). */
struct gather {
    const char *base; /* the library's */
    size_t bytes;
    const char *copy; /* ours */
    const char *expected;
    struct head *head;
};

static bool inside(const struct gather *g, const char *at, size_t len)
{
    return at >= g->base && at + len <= g->base + g->bytes;
}

static enum MHD_Result gather_field(void *context, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                    const char *value, size_t value_len)
{
    struct gather *g = context;
    struct head *head = g->head;

    (void)kind;
    head->field_count++;
    if (!inside(g, name, name_len + 1) || !value || !inside(g, value, value_len + 2) || name != g->expected ||
        value < name + name_len + 1) {
        head->exact = false;
        return MHD_YES;
    }
    for (const char *c = name + name_len + 1; c < value; c++)
        if (*c != ' ' && *c != '\t')
            head->exact = false;
    g->expected = value + value_len + 2;
    if (head->headers.count == LIMIT_HEADER_FIELDS)
        return MHD_YES;
    struct header *field = &head->headers.at[head->headers.count++];
    field->name = (struct str){g->copy + (name - g->base), name_len};
    field->value = (struct str){g->copy + (value - g->base), value_len};
    while (field->value.len > 0 &&
           (field->value.ptr[field->value.len - 1] == ' ' || field->value.ptr[field->value.len - 1] == '\t'))
        field->value.len--;
    return MHD_YES;
}

static bool read_head(struct turn *t, const char *method, const char *version)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(t->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    struct head *head = &t->head;
    struct gather g = {.base = method, .head = head};
    size_t method_len = strlen(method), version_len = strlen(version);

    g.bytes = info ? info->header_size : 0;
    char *copy = arena_get(&t->arena, g.bytes + 1);
    if (!copy || !t->target.ptr)
        return false;
    memcpy(copy, method, g.bytes);
    g.copy = copy;
    head->exact = t->target_at == method + method_len + 1 && version == t->target_at + t->target.len + 1;
    head->method = (struct str){g.copy, method_len};
    head->target = t->target;
    head->version = inside(&g, version, version_len) ? (struct str){g.copy + (version - g.base), version_len}
                                                     : (struct str){"", 0};
    g.expected = version + version_len + 2;
    head->headers.count = 0;
    head->headers.query = (struct str){0};
    head->field_count = 0;
    (void)MHD_get_connection_values_n(t->connection, MHD_HEADER_KIND, gather_field, &g);
    if (g.expected + 2 != g.base + g.bytes)
        head->exact = false;
    size_t line = (size_t)(version + version_len + 2 - method);
    head->bytes = g.bytes > line ? g.bytes - line : 0;
    return true;
}

/* The client's address: the proxy tells it, when it is the declared one that speaks; the last of the list is
 * its own word, the others are what it was told. Some proxies write their word in a field of its own behind
 * those that came, which means the same as one list (RFC 9110 5.3). */
static void tell_address(const struct turn *t, char out[static ADDRESS_BYTES])
{
    const struct header *h =
        t->peer->proxy ? headers_find_last(&t->head.headers, STR("X-Forwarded-For")) : NULL;
    struct str list = h ? h->value : (struct str){0}, last = {0};

    memcpy(out, t->peer->address, ADDRESS_BYTES);
    while (str_split(&list, ',', &last))
        ;
    last = str_trim(last);
    if (last.len > 0)
        (void)address_read(last, out); /* what is no address leaves the proxy's */
}

void turn_view(struct turn *t, struct arena *arena, struct request *r)
{
    r->route = NULL;
    r->method = t->head.method;
    r->mount = (struct str){"", 0};
    r->path = t->verdict.target.path;
    r->param_count = 0;
    r->arena = arena;
    r->body = (struct str){0};
    r->upload = NULL;
    r->loopback = t->peer->loopback;
    r->now = clock_now();
    r->transport = &t->head.headers;
    tell_address(t, r->address);
}

static void refuse_plainly(enum err e, struct response *response)
{
    response->type = "text/plain; charset=utf-8";
    buf_printf(&response->body, "%s.\n", err_row(e)->title);
}

void turn_refuse(struct turn *t, struct request *request, enum err e, int status, struct response *response)
{
    const struct server_options *o = &t->server->options;

    server_count(&t->server->stats.refused, 1);
    response->status = status ? status : err_row(e)->http;
    status = response->status;
    if (o->refuse)
        o->refuse(request, e, response, o->context);
    else
        refuse_plainly(e, response);
    response->status = status;
    if ((status == 503 || status == 429) && !response_has(response, "Retry-After") &&
        response_header(response, "Retry-After", "%d", t->retry_after_s ? t->retry_after_s : 1))
        t->close = true; /* no room for the hint: the client has to guess */
}

static bool has_body(const struct turn *t) { return t->verdict.chunked || t->verdict.content_length > 0; }

/* Over the ceiling of its kind as far as the head tells. */
static bool is_too_large(const struct turn *t)
{
    switch (t->request.route->body) {
    case BODY_NONE:
        return has_body(t);
    case BODY_JSON:
        return t->verdict.content_length > LIMIT_JSON_BODY_BYTES;
    case BODY_FORM:
        return t->verdict.content_length > LIMIT_FORM_BYTES;
    case BODY_UPLOAD:
        break;
    }
    return t->verdict.content_length > LIMIT_UPLOAD_BYTES;
}

/* Whether its household has asked too often of late; this request counts, broken or not. */
static bool is_throttled(struct turn *t)
{
    char household[ADDRESS_BYTES];

    if (t->peer->loopback || !t->server->throttle)
        return false;
    address_household(t->request.address, household);
    return !throttle_allows(t->server->throttle, household, clock_monotonic_ms(), &t->retry_after_s);
}

static enum err find_route(struct turn *t, char allow[static 64])
{
    const struct server_options *o = &t->server->options;

    if (o->mounted && target_mount(&t->request.path, &t->request.mount))
        return router_find(o->mounted, o->mounted_count, &t->request, allow);
    return router_find(o->routes, o->route_count, &t->request, allow);
}

bool turn_admit(struct turn *t, const char *method, const char *version)
{
    char allow[64] = "";
    enum err e;
    int status = 0;

    if (!read_head(t, method, version)) {
        t->head.headers.count = 0;
        memset(&t->verdict, 0, sizeof t->verdict);
        e = err_set(ERR_NO_MEMORY, "reading a request");
        t->close = true;
    } else if ((e = head_check(&t->head, &t->server->listener.hosts, &t->verdict))) {
        status = t->verdict.status;
        t->close = t->verdict.close;
    }
    turn_view(t, &t->arena, &t->request);
    if (is_throttled(t) && e == ERR_OK)
        e = err_set(ERR_THROTTLED, "more than %u requests a minute", t->server->pace.requests_per_min);
    if (e == ERR_OK && t->server->closing)
        e = err_set(ERR_BUSY, "the server is closing");
    if (e == ERR_OK)
        e = find_route(t, allow);
    if (e == ERR_OK && is_too_large(t))
        e = err_set(ERR_TOO_LARGE, "a body of more than its route takes");
    if (e == ERR_OK) {
        t->close =
            t->verdict.chunked; /* how the library reads chunks cannot be seen: nothing may follow them */
        return true;
    }
    turn_refuse(t, &t->request, e, status, &t->response);
    if (e == ERR_METHOD && response_header(&t->response, "Allow", "%s", allow))
        t->close = true; /* the answer says less than it should, and is true */
    t->close = t->close || has_body(t);
    return false;
}
