#include "pds/httpd/flow.h"

#include "pds/base/mem.h"
#include "pds/httpd/peer.h"
#include "pds/httpd/server_internal.h"

#include <stddef.h>
#include <string.h>

/* The library copies what it is given into a buffer of WIRE bytes and sends from there. A piece of a file
 * fits into it whole, so that the next can be made in its place. */
enum { PIECE_BYTES = 65536, WIRE_BYTES = 32768, FILE_PIECE_BYTES = 256 * 1024 };

struct flow {
    atomic_int refs; /* the connection's, and of the piece that is being made */
    body_source *source;
    void *context;
    void (*release)(void *context);
    struct server *server;
    struct peer *peer;
    struct gate gate;
    bool asked; /* a piece is being made, or is there and has not been looked at; the server's thread's own */
    bool made;  /* under the gate's lock, and what follows while asked */
    enum err outcome;
    size_t len, sent;
    uint64_t left; /* of a file: bytes to come; the server's thread's own */
    bool sized;
    size_t room; /* of bytes */
    char bytes[];
};

/* One for each piece: the crew may not be through with the one before. */
struct piece {
    struct job job;
    struct flow *flow;
};

static struct piece *piece_of(struct job *job)
{
    return (struct piece *)(void *)((char *)job - offsetof(struct piece, job));
}

static void flow_release(struct flow *f)
{
    if (atomic_fetch_sub(&f->refs, 1) > 1)
        return;
    if (f->release)
        f->release(f->context);
    gate_done(&f->gate);
    explicit_bzero(f->bytes, f->room); /* what an answer tells is personal */
    mem_free(f);
}

static void piece_run(struct job *job)
{
    struct flow *f = piece_of(job)->flow;
    enum err outcome = ERR_IO;
    size_t len = 0;

    gate_lock(&f->gate);
    bool gone = f->gate.gone;
    gate_unlock(&f->gate);
    if (!gone)
        outcome = f->source(f->context, f->bytes, f->room, &len);
    gate_lock(&f->gate);
    f->outcome = outcome;
    f->len = outcome ? 0 : len;
    f->sent = 0;
    f->made = true;
    gate_open(&f->gate);
    gate_unlock(&f->gate);
}

static void piece_done(struct job *job)
{
    struct piece *p = piece_of(job);

    flow_release(p->flow);
    mem_free(p);
}

static void piece_abandon(struct job *job)
{
    struct flow *f = piece_of(job)->flow;

    gate_lock(&f->gate);
    f->gate.gone = true;
    gate_open(&f->gate);
    gate_unlock(&f->gate);
}

/* False when too many requests wait for a worker, or without memory. */
static bool ask(struct flow *f)
{
    struct piece *p = mem_new(sizeof *p);

    if (!p)
        return false;
    p->flow = f;
    p->job = (struct job){.run = piece_run, .done = piece_done, .abandon = piece_abandon};
    atomic_fetch_add(&f->refs, 1);
    if (crew_give(&f->server->crew, &p->job))
        return true;
    atomic_fetch_sub(&f->refs, 1);
    mem_free(p);
    return false;
}

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

static ssize_t hand_out(struct flow *f, char *out, size_t size)
{
    size_t n = f->len - f->sent < size ? f->len - f->sent : size;

    memcpy(out, f->bytes + f->sent, n);
    f->sent += n;
    server_count(&f->server->stats.bytes_out, n);
    if (f->sized) {
        f->left -= n;
        if (f->left > 0 && f->sent == f->len) /* when it cannot be made now, it is asked for when needed */
            f->asked = ask(f);
    }
    return (ssize_t)n;
}

/* Nothing more comes from the source. */
static ssize_t end_of(const struct flow *f)
{
    return f->sized ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
}

static ssize_t flow_read(void *context, uint64_t position, char *out, size_t size)
{
    struct flow *f = context;

    (void)position;
    if (!f->asked && f->sent < f->len)
        return hand_out(f, out, size);
    if (!f->asked && !(f->asked = ask(f)))
        return sleep_on(f) ? 0 : MHD_CONTENT_READER_END_WITH_ERROR;
    gate_lock(&f->gate);
    bool gone = f->gate.gone || f->server->ending, made = f->made;
    if (!gone && !made && !f->gate.suspended) {
        f->gate.suspended = true;
        MHD_suspend_connection(f->peer->connection);
    }
    gate_unlock(&f->gate);
    if (gone)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (!made)
        return 0;
    f->asked = f->made = false;
    if (f->outcome == ERR_BUSY && sleep_on(f))
        return 0;
    if (f->outcome)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (f->sized && f->len > f->left)
        f->len = (size_t)f->left; /* more than was told: the rest has no place */
    return f->len > 0 ? hand_out(f, out, size) : end_of(f);
}

static void flow_free(void *context)
{
    struct flow *f = context;

    gate_leave(&f->gate);
    flow_release(f);
}

static void resume(void *connection) { MHD_resume_connection(connection); }

struct MHD_Response *flow_new(struct turn *t, struct response *r)
{
    size_t room = r->sized ? FILE_PIECE_BYTES : PIECE_BYTES;
    struct flow *f = mem_new(sizeof *f + room);
    struct MHD_Response *m;

    if (!f)
        return NULL;
    f->room = room;
    f->sized = r->sized;
    f->left = r->source_bytes;
    atomic_store(&f->refs, 1);
    f->server = t->server;
    f->peer = t->peer;
    gate_init(&f->gate, resume, t->connection);
    m = r->sized
            ? MHD_create_response_from_callback(r->source_bytes, FILE_PIECE_BYTES, flow_read, f, flow_free)
            : MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, WIRE_BYTES, flow_read, f, flow_free);
    if (!m) {
        flow_release(f);
        return NULL;
    }
    f->source = r->source;
    f->context = r->source_context;
    f->release = r->source_free;
    r->source = NULL; /* the flow's now */
    r->source_free = NULL;
    return m;
}
