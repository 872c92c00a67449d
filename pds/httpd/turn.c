#include "pds/httpd/turn.h"

#include "pds/base/mem.h"
#include "pds/httpd/peer.h"
#include "pds/httpd/server_internal.h"
#include "pds/httpd/upload.h"
#include "pds/httpd/wire.h"

#include <stddef.h>
#include <string.h>

static struct turn *turn_of(struct job *job)
{
    return (struct turn *)(void *)((char *)job - offsetof(struct turn, job));
}

static void resume(void *connection) { MHD_resume_connection(connection); }

/* Under the gate's lock: who finds it false and suspends there is found by job_abandon(). */
static bool is_gone(const struct turn *t) { return t->gate.gone || t->server->ending; }

/* Under the gate's lock. */
static void suspend(struct turn *t)
{
    t->gate.suspended = true;
    MHD_suspend_connection(t->connection);
}

static void turn_clear(struct turn *t)
{
    response_done(&t->response);
    upload_free(t->request.upload);
    t->request.upload = NULL;
    if (t->body.data)
        explicit_bzero(t->body.data, t->body.len); /* it may hold a passphrase, taken or refused */
    buf_done(&t->body);
    arena_done(&t->arena);
}

void turn_release(struct turn *t)
{
    if (!t || atomic_fetch_sub(&t->refs, 1) > 1)
        return;
    turn_clear(t);
    gate_done(&t->gate);
    mem_free(t);
}

static struct turn *turn_new(struct server *server)
{
    struct turn *t = mem_new(sizeof *t);

    if (!t)
        return NULL;
    atomic_store(&t->refs, 1);
    t->server = server;
    arena_init(&t->arena, LIMIT_ARENA_BYTES);
    response_init(&t->response);
    buf_init(&t->body, LIMIT_JSON_BODY_BYTES);
    gate_init(&t->gate, resume, NULL);
    return t;
}

static struct peer *peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

/* The library would split the query, and hangs when the pieces do not fit its memory (decision 0005). The
 * buffer is its own and not constant; it looks at the query after this, and finds none. */
static void end_query(const char *uri)
{
    char *query = strchr(uri, '?');

    if (query)
        query[1] = '\0';
}

void *turn_begin(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct server *server = context;
    struct peer *peer = peer_of(connection);
    struct turn *t = peer ? peer->spare : NULL;

    if (!peer)
        return NULL;
    if (t)
        peer->spare = NULL;
    else if (!(t = turn_new(server)))
        return NULL;
    t->peer = peer;
    t->connection = connection;
    t->gate.what = connection;
    t->phase = TURN_HEAD;
    t->target_at = uri;
    t->target.len = strlen(uri);
    t->target.ptr =
        arena_text(&t->arena, (struct str){uri, t->target.len}); /* NULL is noticed by turn_admit() */
    end_query(uri);
    if (atomic_load_explicit(&peer->state, memory_order_relaxed) == PEER_IDLE)
        peer_turn_to(peer, PEER_HEAD);
    atomic_fetch_add(&server->turns, 1);
    return t;
}

/* Whatever is answered, the handler's path of errors is the server's when the options have no other. */
static void exchange(struct turn *t)
{
    const struct server_options *o = &t->server->options;
    enum err e;

    if (o->exchange) {
        o->exchange(&t->request, &t->response, o->context);
    } else if ((e = t->request.route->handler(&t->request, &t->response, o->context))) {
        response_done(&t->response);
        turn_refuse(t, &t->request, e, 0, &t->response);
    }
}

static void job_run(struct job *job)
{
    struct turn *t = turn_of(job);

    gate_lock(&t->gate);
    bool wanted = !t->late && !t->gate.gone;
    gate_unlock(&t->gate);
    if (wanted)
        exchange(t);
    gate_lock(&t->gate);
    t->done = true;
    gate_open(&t->gate);
    gate_unlock(&t->gate);
}

static void job_done(struct job *job) { turn_release(turn_of(job)); }

static void job_late(struct job *job)
{
    struct turn *t = turn_of(job);

    gate_lock(&t->gate);
    if (!t->done) {
        t->late = true;
        gate_open(&t->gate);
    }
    gate_unlock(&t->gate);
}

static void job_abandon(struct job *job)
{
    struct turn *t = turn_of(job);

    gate_lock(&t->gate);
    t->gate.gone = true;
    (void)pthread_cond_broadcast(&t->gate.moved);
    gate_open(&t->gate);
    gate_unlock(&t->gate);
}

static void job_cut(struct job *job)
{
    struct turn *t = turn_of(job);

    gate_lock(&t->gate);
    if (t->request.upload)
        upload_stop(t->request.upload);
    gate_unlock(&t->gate);
}

static enum MHD_Result send_refusal(struct turn *t, enum err e, int status)
{
    response_done(&t->response);
    turn_refuse(t, &t->request, e, status, &t->response);
    return wire_send(t, &t->response);
}

/* To the workers; false when too many requests wait for them. */
static bool give(struct turn *t)
{
    t->done = t->late = false;
    t->job = (struct job){.run = job_run,
                          .done = job_done,
                          .late = t->request.upload ? NULL : job_late,
                          .abandon = job_abandon,
                          .cut = job_cut,
                          .lasting = t->request.upload != NULL,
                          .mount = t->request.mount};
    atomic_fetch_add(&t->refs, 1);
    t->given = true;
    peer_turn_to(t->peer, PEER_WORK);
    if (crew_give(&t->server->crew, &t->job))
        return true;
    t->given = false;
    atomic_fetch_sub(&t->refs, 1);
    return false;
}

/* The time of a worker has passed: an answer without it. Its request, its arena and its response stay its
 * own. */
static enum MHD_Result answer_late(struct turn *t)
{
    struct response late;
    struct request view;
    struct arena arena;

    arena_init(&arena, LIMIT_ARENA_BYTES);
    response_init(&late);
    turn_view(t, &arena, &view);
    turn_refuse(t, &view, err_set(ERR_TIMEOUT, "a handler"), 503, &late);
    arena_done(&arena);
    t->close = true;
    return wire_send(t, &late);
}

/* The worker's answer, or sleep until it is there. */
static enum MHD_Result answer(struct turn *t)
{
    gate_lock(&t->gate);
    bool gone = is_gone(t), done = t->done, is_late = t->late;
    if (!gone && !done && !is_late && !t->gate.suspended)
        suspend(t);
    gate_unlock(&t->gate);
    if (gone)
        return MHD_NO;
    t->phase = TURN_RUNNING;
    if (done)
        return wire_send(t, &t->response);
    return is_late ? answer_late(t) : MHD_YES;
}

static enum MHD_Result run(struct turn *t)
{
    if (t->body.len > 0)
        t->request.body = (struct str){t->body.data, t->body.len};
    if (t->request.route->where == RUN_INLINE && t->request.route->body != BODY_UPLOAD) {
        exchange(t);
        return wire_send(t, &t->response);
    }
    if (!give(t))
        return send_refusal(t, err_set(ERR_BUSY, "too many requests wait"), 0);
    return answer(t);
}

/* An upload's handler decides on the head alone: the library calls again in this phase after a resume, and
 * sends "100 Continue" only once this returns without an answer and without suspending. */
static enum MHD_Result held(struct turn *t)
{
    gate_lock(&t->gate);
    bool gone = is_gone(t), done = t->done, wanted = upload_is_wanted(t->request.upload);
    if (!gone && !done && !wanted && !t->gate.suspended)
        suspend(t);
    gate_unlock(&t->gate);
    if (gone)
        return MHD_NO;
    t->phase = TURN_HELD;
    if (done) {
        t->close = t->unread = true;
        return wire_send(t, &t->response);
    }
    if (wanted) {
        t->phase = TURN_BODY;
        peer_turn_to(t->peer, PEER_BODY);
    }
    return MHD_YES;
}

static enum MHD_Result hold(struct turn *t)
{
    const struct header *type = headers_find(&t->head.headers, STR("Content-Type"));

    t->request.upload =
        upload_new(&t->gate, &t->arena, type ? type->value : (struct str){0}, LIMIT_UPLOAD_BYTES);
    if (!t->request.upload || !give(t)) {
        t->close = t->unread = true;
        return send_refusal(t, err_set(ERR_BUSY, "no room for an upload"), 503);
    }
    return held(t);
}

/* Room at once for all that may come, so that no piece is left behind in a block that was outgrown. */
static void reserve_body(struct turn *t)
{
    size_t max = t->request.route->body == BODY_FORM ? LIMIT_FORM_BYTES : LIMIT_JSON_BODY_BYTES;

    /* What is told is within the ceiling: turn_admit(). Without room buf_err() tells at the end. */
    (void)buf_reserve(&t->body, t->verdict.chunked ? max : (size_t)t->verdict.content_length);
}

static enum MHD_Result begin_body(struct turn *t)
{
    bool some = t->verdict.chunked || t->verdict.content_length > 0;

    atomic_store_explicit(&t->peer->body_bytes, 0, memory_order_relaxed);
    if (t->request.route->body == BODY_UPLOAD && some)
        return hold(t);
    t->phase = some ? TURN_BODY : TURN_WHOLE;
    if (some) {
        reserve_body(t);
        peer_turn_to(t->peer, PEER_BODY);
    } else if (t->request.route->body == BODY_UPLOAD) { /* a handler may count on it */
        t->request.upload = upload_new(&t->gate, &t->arena, (struct str){0}, 0);
        if (!t->request.upload)
            return MHD_NO;
        upload_end(t->request.upload);
    }
    return MHD_YES;
}

static enum MHD_Result head(struct turn *t, const char *method, const char *version)
{
    if (turn_admit(t, method, version))
        return begin_body(t);
    if (t->close) { /* before the body, which makes the library close */
        t->unread = true;
        return wire_send(t, &t->response);
    }
    t->phase = TURN_READY;
    return MHD_YES;
}

/* Bytes that nobody wants any more are read so that the client hears why, but not for ever. */
static enum MHD_Result drain(struct turn *t, size_t size)
{
    t->drained += size;
    t->close = true;
    return t->drained <= t->server->pace.drain_bytes ? MHD_YES : MHD_NO;
}

static enum MHD_Result feed(struct turn *t, const char *data, size_t *size)
{
    size_t left = 0;

    gate_lock(&t->gate);
    bool gone = is_gone(t), done = t->done;
    if (!gone && !done) {
        left = *size - upload_feed(t->request.upload, data, *size);
        if (left > 0 && !t->gate.suspended) {
            suspend(t);
            peer_turn_to(t->peer, PEER_WORK);
        }
    }
    gate_unlock(&t->gate);
    if (gone)
        return MHD_NO;
    if (done && drain(t, *size) == MHD_NO)
        return MHD_NO;
    *size = left;
    return MHD_YES;
}

static enum MHD_Result gather(struct turn *t, const char *data, size_t *size)
{
    size_t max = t->request.route->body == BODY_FORM ? LIMIT_FORM_BYTES : LIMIT_JSON_BODY_BYTES, n = *size;

    *size = 0;
    if (t->too_large || n > max - t->body.len) {
        t->too_large = true;
        return drain(t, n);
    }
    buf_add(&t->body, data, n);
    return MHD_YES;
}

static enum MHD_Result body(struct turn *t, const char *data, size_t *size)
{
    if (atomic_load_explicit(&t->peer->state, memory_order_relaxed) != PEER_BODY)
        peer_turn_to(t->peer, PEER_BODY);
    size_t before = *size;
    enum MHD_Result result = t->request.upload ? feed(t, data, size) : gather(t, data, size);
    atomic_fetch_add_explicit(&t->peer->body_bytes, before - *size, memory_order_relaxed);
    return result;
}

static enum MHD_Result body_end(struct turn *t)
{
    enum err e;

    if (t->request.upload) {
        gate_lock(&t->gate);
        upload_end(t->request.upload);
        gate_unlock(&t->gate);
        peer_turn_to(t->peer, PEER_WORK);
        return answer(t);
    }
    if (t->too_large)
        return send_refusal(t, err_set(ERR_TOO_LARGE, "a body of more than its route takes"), 0);
    if ((e = buf_err(&t->body)))
        return send_refusal(t, e, 0);
    return run(t);
}

enum MHD_Result turn_serve(void *server, struct MHD_Connection *connection, const char *url,
                           const char *method, const char *version, const char *data, size_t *size,
                           void **turn)
{
    struct turn *t = *turn;

    (void)server;
    (void)connection;
    (void)url;
    if (!t || t->server->ending)
        return MHD_NO;
    switch (t->phase) {
    case TURN_HEAD:
        return head(t, method, version);
    case TURN_HELD:
        return held(t);
    case TURN_BODY:
        return *size > 0 ? body(t, data, size) : body_end(t);
    case TURN_WHOLE:
        return run(t);
    case TURN_RUNNING:
        return answer(t);
    case TURN_READY:
        return wire_send(t, &t->response);
    }
    return MHD_NO;
}

void turn_end(void *context, struct MHD_Connection *connection, void **turn,
              enum MHD_RequestTerminationCode why)
{
    struct server *server = context;
    struct turn *t = *turn;

    (void)connection;
    if (!t)
        return;
    *turn = NULL;
    struct peer *peer = t->peer;
    peer_turn_to(peer, PEER_IDLE);
    server_count(&server->stats.requests, 1);
    if (t->given)
        gate_leave(&t->gate);
    if (why == MHD_REQUEST_TERMINATED_COMPLETED_OK && !t->given) { /* the next one takes it */
        turn_clear(t);
        t->drained = 0;
        t->retry_after_s = 0;
        t->too_large = t->close = t->unread = false;
        peer->spare = t;
    } else {
        turn_release(t);
    }
    atomic_fetch_sub(&server->turns, 1);
}
