#include "pds/httpd/wire.h"

#include "pds/base/clock.h"
#include "pds/base/mem.h"
#include "pds/httpd/flow.h"
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

    if (r->source && !(r->sized && r->source_bytes == 0))
        return flow_new(t, r);
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

/* So that a lock of one store cuts no other's answer. */
static void note_stream(const struct turn *t, bool streams)
{
    struct peers *peers = &t->server->peers;

    atomic_store_explicit(&t->peer->streams, streams, memory_order_relaxed);
    if (!streams || !t->server->options.mounted)
        return;
    (void)pthread_mutex_lock(&peers->lock);
    err_ignore(str_copy(t->request.mount, t->peer->mount, sizeof t->peer->mount)); /* it is as long as that */
    (void)pthread_mutex_unlock(&peers->lock);
}

enum MHD_Result wire_send(struct turn *t, struct response *r)
{
    enum MHD_Result queued = MHD_NO;
    struct MHD_Response *m = NULL;

    note_stream(t, r->source != NULL);
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
