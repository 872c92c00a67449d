#include "pds/httpd/wire.h"

#include "pds/base/clock.h"
#include "pds/base/mem.h"
#include "pds/httpd/peer.h"
#include "pds/httpd/server_internal.h"

#include <string.h>

/* Security brief 4.4. A handler's own header of the same name takes its place. */
static const struct {
    const char *name, *value;
} DEFAULTS[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
     "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
     "require-trusted-types-for 'script'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), "
                           "gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()"},
    {"Cache-Control", "no-store"},
};

enum { PIECE_BYTES = 32768 };

/* A body that is made while it is sent. */
struct flow {
    body_source *source;
    void *context;
    void (*release)(void *context);
    struct server *server;
    struct peer *peer;
};

/* Nothing to send yet: sleep until the warden's next round. False when there is nobody to wait for. */
static bool sleep_on(struct flow *f)
{
    struct peers *peers = &f->server->peers;
    bool sleeps;

    (void)pthread_mutex_lock(&peers->lock);
    sleeps = !f->peer->doomed && !f->server->closing;
    if (sleeps) {
        f->peer->asleep = true;
        MHD_suspend_connection(f->peer->connection);
    }
    (void)pthread_mutex_unlock(&peers->lock);
    return sleeps;
}

static ssize_t flow_read(void *context, uint64_t position, char *out, size_t size)
{
    struct flow *f = context;
    size_t got = 0;
    enum err e;

    (void)position;
    e = f->source(f->context, out, size < 2 * PIECE_BYTES ? size : 2 * PIECE_BYTES, &got);
    if (e == ERR_BUSY && sleep_on(f))
        return 0;
    if (e)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    server_count(&f->server->stats.bytes_out, got);
    return got > 0 ? (ssize_t)got : MHD_CONTENT_READER_END_OF_STREAM;
}

static void flow_free(void *context)
{
    struct flow *f = context;

    if (f->release)
        f->release(f->context);
    mem_free(f);
}

static struct MHD_Response *flow_body(struct turn *t, struct response *r)
{
    struct flow *f = mem_new(sizeof *f);
    struct MHD_Response *m;

    if (!f)
        return NULL;
    *f = (struct flow){r->source, r->source_context, r->source_free, t->server, t->peer};
    m = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE_BYTES, flow_read, f, flow_free);
    if (!m) {
        mem_free(f);
        return NULL;
    }
    r->source = NULL; /* the flow's now */
    r->source_free = NULL;
    return m;
}

/* What an answer tells is personal, or a token. */
static void wipe_and_free(void *body)
{
    explicit_bzero(body, mem_size(body));
    mem_free(body);
}

/* The bytes move out of the response: they are not copied. */
static struct MHD_Response *body_of(struct turn *t, struct response *r)
{
    struct MHD_Response *m;

    if (r->source)
        return flow_body(t, r);
    if (r->fixed) {
        server_count(&t->server->stats.bytes_out, r->fixed_len);
        return MHD_create_response_from_buffer(r->fixed_len, (void *)r->fixed, MHD_RESPMEM_PERSISTENT);
    }
    if (r->body.len == 0)
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    server_count(&t->server->stats.bytes_out, r->body.len);
    m = MHD_create_response_from_buffer_with_free_callback(r->body.len, r->body.data, wipe_and_free);
    if (m)
        buf_init(&r->body, RESPONSE_BODY_MAX); /* the library's now */
    return m;
}

static bool add(struct MHD_Response *m, const char *name, const char *value)
{
    return value[0] == '\0' || MHD_add_response_header(m, name, value) == MHD_YES;
}

static bool add_headers(struct MHD_Response *m, const struct turn *t, const struct response *r)
{
    bool ok = true;

    for (size_t i = 0; ok && i < sizeof DEFAULTS / sizeof *DEFAULTS; i++)
        if (r->header_count == 0 || !response_has(r, DEFAULTS[i].name))
            ok = add(m, DEFAULTS[i].name, DEFAULTS[i].value);
    for (size_t i = 0; ok && i < r->header_count; i++)
        ok = add(m, r->headers[i].name, r->headers[i].value);
    if (ok && r->type)
        ok = add(m, "Content-Type", r->type);
    if (ok && t->server->https)
        ok = add(m, "Strict-Transport-Security", "max-age=31536000");
    if (ok && t->close)
        ok = add(m, "Connection", "close");
    return ok;
}

enum MHD_Result wire_send(struct turn *t, struct response *r)
{
    enum MHD_Result queued = MHD_NO;
    struct MHD_Response *m = NULL;

    atomic_store_explicit(&t->peer->streams, r->source != NULL, memory_order_relaxed);
    if (buf_err(&r->body) == ERR_OK && r->status >= 200 && r->status < 600)
        m = body_of(t, r);
    if (m && add_headers(m, t, r)) {
        server_count(&t->server->stats.by_status[r->status / 100], 1);
        peer_turn_to(t->peer, PEER_SEND);
        queued = MHD_queue_response(t->connection, (unsigned)r->status, m);
    }
    if (queued == MHD_YES && t->unread)
        lingering_add(&t->server->lingering, t->peer->fd, clock_monotonic_ms());
    if (m)
        MHD_destroy_response(m); /* the connection holds it while it is sent */
    response_done(r);
    return queued;
}
