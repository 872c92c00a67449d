#include "pds/httpd/upload.h"

#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/httpd/multipart.h"

#include <string.h>

struct upload {
    struct gate *gate;
    struct arena *arena;
    struct str content_type;
    /* Under the gate's lock: */
    char *queue; /* owned; a ring */
    size_t first, used;
    uint64_t total, max;
    bool wanted, ended, too_large, stopped;
    /* The reader's own: */
    struct multipart parts;
    bool started, in_part;
};

struct upload *upload_new(struct gate *gate, struct arena *arena, struct str content_type, uint64_t max_bytes)
{
    struct upload *u = mem_new(sizeof *u);

    if (!u || !(u->queue = mem_new(LIMIT_UPLOAD_QUEUE_BYTES))) {
        mem_free(u);
        return NULL;
    }
    u->gate = gate;
    u->arena = arena;
    u->content_type = content_type;
    u->max = max_bytes;
    return u;
}

void upload_free(struct upload *u)
{
    if (!u)
        return;
    multipart_done(&u->parts);
    mem_free(u->queue);
    mem_free(u);
}

bool upload_is_wanted(const struct upload *u) { return u->wanted; }

size_t upload_feed(struct upload *u, const char *bytes, size_t len)
{
    size_t taken = 0;

    if (u->total + len > u->max)
        u->too_large = true;
    if (u->too_large || u->ended) { /* nobody will read them */
        (void)pthread_cond_signal(&u->gate->moved);
        return len;
    }
    while (taken < len && u->used < LIMIT_UPLOAD_QUEUE_BYTES) {
        size_t at = (u->first + u->used) % LIMIT_UPLOAD_QUEUE_BYTES;
        size_t room = at < u->first ? u->first - at : (size_t)LIMIT_UPLOAD_QUEUE_BYTES - at;
        size_t n = len - taken < room ? len - taken : room;
        memcpy(u->queue + at, bytes + taken, n);
        u->used += n;
        taken += n;
    }
    u->total += taken;
    if (taken > 0)
        (void)pthread_cond_signal(&u->gate->moved);
    return taken;
}

void upload_end(struct upload *u)
{
    u->ended = true;
    (void)pthread_cond_signal(&u->gate->moved);
}

void upload_stop(struct upload *u)
{
    u->stopped = true;
    (void)pthread_cond_signal(&u->gate->moved);
}

/* Bytes for the multipart reader; sleeps until some come, or none will. A full queue holds the
 * connection suspended: it goes on once half of it is read, so as not to wake it for every piece. */
static enum err take(void *context, char *out, size_t size, size_t *got)
{
    struct upload *u = context;
    size_t n = 0;

    gate_lock(u->gate);
    while (u->used == 0 && !u->ended && !u->too_large && !u->stopped && !u->gate->gone)
        (void)pthread_cond_wait(&u->gate->moved, &u->gate->lock);
    bool gone = u->gate->gone, too_large = u->too_large, stopped = u->stopped;
    if (!gone && !too_large && !stopped && u->used > 0) {
        n = (size_t)LIMIT_UPLOAD_QUEUE_BYTES - u->first;
        n = n < u->used ? n : u->used;
        n = n < size ? n : size;
        memcpy(out, u->queue + u->first, n);
        u->first = (u->first + n) % LIMIT_UPLOAD_QUEUE_BYTES;
        u->used -= n;
    }
    if (u->used <= LIMIT_UPLOAD_QUEUE_BYTES / 2)
        gate_open(u->gate);
    gate_unlock(u->gate);
    if (gone)
        return err_set(ERR_IO, "the client went away during its upload");
    if (stopped)
        return err_set(ERR_BUSY, "the upload was stopped");
    if (too_large)
        return err_set(ERR_TOO_LARGE, "an upload of more than %llu bytes", (unsigned long long)u->max);
    *got = n;
    return ERR_OK;
}

/* The server holds the request at its head until the handler wants the body, so that a refusal comes
 * before "100 Continue" and before any byte of it. */
static enum err start(struct upload *u)
{
    struct str boundary = {0};
    enum err e;

    if ((e = multipart_boundary(u->content_type, &boundary)) ||
        (e = multipart_init(&u->parts, boundary, take, u)))
        return e;
    u->started = true;
    gate_lock(u->gate);
    u->wanted = true;
    gate_open(u->gate);
    gate_unlock(u->gate);
    return ERR_OK;
}

enum err upload_next_part(struct upload *u, struct str *field, struct str *file_name)
{
    struct part part = {0};
    enum err e;

    u->in_part = false;
    if ((!u->started && (e = start(u))) || (e = multipart_next(&u->parts, u->arena, &part)))
        return e;
    u->in_part = true;
    *field = part.name;
    *file_name = part.file_name;
    return ERR_OK;
}

enum err upload_next(struct upload *u, struct str *field, struct str *file_name)
{
    struct str name, file;
    enum err e;

    do {
        if ((e = upload_next_part(u, &name, &file)))
            return e;
    } while (!file.ptr);
    *field = name;
    *file_name = file;
    return ERR_OK;
}

enum err upload_read(struct upload *u, void *out, size_t size, size_t *got)
{
    if (!u->in_part)
        return err_set(ERR_INTERNAL, "no part of the upload is open");
    return multipart_read(&u->parts, out, size, got);
}
