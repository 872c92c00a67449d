#include "pds/portable/export_stream.h"

#include "pds/base/auto.h"
#include "pds/base/deadline.h"
#include "pds/base/json.h"
#include "pds/base/mem.h"
#include "pds/crypto/random.h"
#include "pds/portable/export.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { STACK_BYTES = 1024 * 1024, MOMENT_MS = 200, STORY_BYTES = 512 };

struct export_stream {
    struct store *store; /* borrowed */
    int64_t now;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* its clock is monotonic */
    bool started;
    /* Under the mutex. */
    size_t at, len; /* what is there to be read: a ring */
    bool ended, unwanted;
    enum err outcome; /* when ended */
    char story[STORY_BYTES];
    char bytes[EXPORT_STREAM_BYTES];
};

/* Copy into the ring as much as fits. */
static size_t fill(struct export_stream *x, const char *bytes, size_t len)
{
    size_t done = 0;

    while (done < len && x->len < EXPORT_STREAM_BYTES) {
        size_t to = (x->at + x->len) % EXPORT_STREAM_BYTES;
        size_t room = EXPORT_STREAM_BYTES - to; /* to the end of the ring */
        size_t most = EXPORT_STREAM_BYTES - x->len;
        size_t part = len - done;

        part = part < room ? part : room;
        part = part < most ? part : most;
        memcpy(x->bytes + to, bytes + done, part);
        x->len += part;
        done += part;
    }
    return done;
}

static enum err put(void *context, const void *bytes, size_t len)
{
    struct export_stream *x = context;
    const char *from = bytes;
    bool unwanted;

    (void)pthread_mutex_lock(&x->mutex);
    while (len && !x->unwanted && !store_is_closing(x->store)) {
        struct timespec until = deadline_in(MOMENT_MS);
        size_t done = fill(x, from, len);

        from += done;
        len -= done;
        if (done)
            (void)pthread_cond_broadcast(&x->changed);
        else
            (void)pthread_cond_timedwait(&x->changed, &x->mutex, &until); /* then it looks again */
    }
    unwanted = x->unwanted;
    (void)pthread_mutex_unlock(&x->mutex);
    if (len && store_is_closing(x->store))
        return err_set(ERR_LOCKED, "the store is being locked");
    return unwanted ? err_set(ERR_IO, "nobody reads it any more") : ERR_OK;
}

static void *make(void *context)
{
    struct export_stream *x = context;
    AUTO(json_freep) json_t *answer = NULL;
    enum err e = export_make(x->store, put, x, x->now, &answer);

    (void)pthread_mutex_lock(&x->mutex);
    x->outcome = e;
    x->ended = true;
    if (e)
        (void)snprintf(x->story, sizeof x->story, "%s", err_story());
    (void)pthread_cond_broadcast(&x->changed);
    (void)pthread_mutex_unlock(&x->mutex);
    return NULL;
}

static enum err start(struct export_stream *x)
{
    pthread_attr_t attributes;
    int failed;

    (void)pthread_mutex_init(&x->mutex, NULL);
    deadline_cond_init(&x->changed);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    failed = pthread_create(&x->thread, &attributes, make, x);
    (void)pthread_attr_destroy(&attributes);
    x->started = !failed;
    return failed ? err_set(ERR_NO_MEMORY, "a thread for an export") : ERR_OK;
}

enum err export_stream_new(struct store *s, int64_t now, struct export_stream **out)
{
    struct export_stream *x = mem_new(sizeof *x);
    enum err e;

    if (!x)
        return err_set(ERR_NO_MEMORY, "an export");
    x->store = s;
    x->now = now;
    if ((e = start(x))) {
        export_stream_free(x);
        return e;
    }
    *out = x;
    return ERR_OK;
}

/* Under the mutex: until there is something to read, or the time is up. */
static void wait_for_bytes(struct export_stream *x, int64_t wait_ms)
{
    struct timespec until = deadline_in(wait_ms);

    while (x->len == 0 && !x->ended && pthread_cond_timedwait(&x->changed, &x->mutex, &until) == 0)
        continue;
}

enum err export_stream_wait(struct export_stream *x, int64_t wait_ms)
{
    enum err e;

    (void)pthread_mutex_lock(&x->mutex);
    wait_for_bytes(x, wait_ms);
    e = x->ended && x->outcome ? err_set(x->outcome, "%s", x->story) : ERR_OK;
    (void)pthread_mutex_unlock(&x->mutex);
    return e;
}

enum err export_stream_read(struct export_stream *x, void *out, size_t size, size_t *got)
{
    size_t part;
    enum err e = ERR_OK;

    (void)pthread_mutex_lock(&x->mutex);
    wait_for_bytes(x, MOMENT_MS);
    part = EXPORT_STREAM_BYTES - x->at < x->len ? EXPORT_STREAM_BYTES - x->at : x->len;
    part = part < size ? part : size;
    if (part == 0 && !x->ended)
        e = err_set(ERR_BUSY, "nothing yet");
    else if (part == 0 && x->outcome)
        e = err_set(x->outcome, "%s", x->story);
    if (part) {
        memcpy(out, x->bytes + x->at, part);
        x->at = (x->at + part) % EXPORT_STREAM_BYTES;
        x->len -= part;
        (void)pthread_cond_broadcast(&x->changed);
    }
    *got = part;
    (void)pthread_mutex_unlock(&x->mutex);
    return e;
}

void export_stream_free(struct export_stream *x)
{
    if (!x)
        return;
    if (x->started) {
        (void)pthread_mutex_lock(&x->mutex);
        x->unwanted = true;
        (void)pthread_cond_broadcast(&x->changed);
        (void)pthread_mutex_unlock(&x->mutex);
        (void)pthread_join(x->thread, NULL);
    }
    (void)pthread_cond_destroy(&x->changed);
    (void)pthread_mutex_destroy(&x->mutex);
    random_wipe(x->bytes, sizeof x->bytes); /* it was in clear */
    mem_free(x);
}
