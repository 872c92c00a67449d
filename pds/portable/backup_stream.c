#include "pds/portable/backup_stream.h"

#include "pds/base/auto.h"
#include "pds/base/deadline.h"
#include "pds/base/fs.h"
#include "pds/base/mem.h"
#include "pds/portable/backup_internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { STACK_BYTES = 1024 * 1024, MOMENT_MS = 200, STORY_BYTES = 512 };

struct backup_stream {
    struct store *store; /* borrowed */
    int64_t now;
    int fd;      /* the file without a name; -1 when there is none */
    uint64_t at; /* given out so far */
    bool started;
    atomic_bool unwanted;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* its clock is monotonic */
    /* Under the mutex. */
    bool ended;
    enum err outcome; /* when ended */
    char story[STORY_BYTES];
};

/* Some file systems know no file without a name: then it has one for a moment. */
static enum err open_spool(struct backup_stream *b)
{
    char path[FS_PATH_BYTES];
    enum err e;

    if ((b->fd = open(store_dir(b->store), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) >= 0)
        return ERR_OK;
    if ((e = fs_join(path, store_dir(b->store),
                     "keys.json.new-XXXXXX"))) /* the next opening takes such away */
        return e;
    if ((b->fd = mkostemp(path, O_CLOEXEC)) < 0)
        return fs_error("making", "a file in the store's folder");
    return unlink(path) ? fs_error("unlinking", "a file in the store's folder") : ERR_OK;
}

static void *make(void *context)
{
    struct backup_stream *b = context;
    AUTO(json_freep) json_t *answer = NULL;
    enum err e = backup_make_while(b->store, b->fd, NULL, b->now, &b->unwanted, &answer);

    (void)pthread_mutex_lock(&b->mutex);
    b->outcome = e;
    b->ended = true;
    if (e)
        (void)snprintf(b->story, sizeof b->story, "%s", err_story()); /* cut when too long */
    (void)pthread_cond_broadcast(&b->changed);
    (void)pthread_mutex_unlock(&b->mutex);
    return NULL;
}

static enum err start(struct backup_stream *b)
{
    pthread_attr_t attributes;
    int failed;

    (void)pthread_attr_init(&attributes); /* none of these can fail on Linux, but for the thread */
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    failed = pthread_create(&b->thread, &attributes, make, b);
    (void)pthread_attr_destroy(&attributes);
    b->started = !failed;
    return failed ? err_set(ERR_NO_MEMORY, "a thread for a backup") : ERR_OK;
}

enum err backup_stream_new(struct store *s, int64_t now, struct backup_stream **out)
{
    AUTO(backup_stream_freep) struct backup_stream *b = mem_new(sizeof *b);
    enum err e;

    if (!b)
        return err_set(ERR_NO_MEMORY, "a backup");
    b->store = s;
    b->now = now;
    b->fd = -1;
    (void)pthread_mutex_init(&b->mutex, NULL);
    deadline_cond_init(&b->changed);
    if ((e = open_spool(b)) || (e = start(b)))
        return e;
    *out = b;
    b = NULL; /* the caller's now */
    return ERR_OK;
}

enum err backup_stream_wait(struct backup_stream *b, int64_t wait_ms, uint64_t *size_bytes)
{
    struct timespec until = deadline_in(wait_ms);
    struct stat facts = {0};
    enum err e = ERR_OK;
    bool ended;

    (void)pthread_mutex_lock(&b->mutex);
    while (!b->ended && pthread_cond_timedwait(&b->changed, &b->mutex, &until) == 0)
        continue;
    ended = b->ended;
    if (ended && b->outcome)
        e = err_set(b->outcome, "backup: %s", b->story);
    (void)pthread_mutex_unlock(&b->mutex);
    if (!e && ended && fstat(b->fd, &facts))
        e = fs_error("reading", "the backup");
    *size_bytes = ended ? (uint64_t)facts.st_size : 0;
    return e;
}

enum err backup_stream_read(struct backup_stream *b, void *out, size_t size, size_t *got)
{
    uint64_t whole;
    ssize_t len;
    enum err e;

    if ((e = backup_stream_wait(b, MOMENT_MS, &whole)))
        return e;
    if (whole == 0)
        return err_set(ERR_BUSY, "nothing yet");
    if ((len = pread(b->fd, out, size, (off_t)b->at)) < 0)
        return fs_error("reading", "the backup");
    b->at += (uint64_t)len;
    *got = (size_t)len;
    return ERR_OK;
}

void backup_stream_free(struct backup_stream *b)
{
    if (!b)
        return;
    atomic_store(&b->unwanted, true);
    if (b->started)
        (void)pthread_join(b->thread, NULL);
    if (b->fd >= 0)
        (void)close(b->fd); /* it goes with that */
    (void)pthread_cond_destroy(&b->changed);
    (void)pthread_mutex_destroy(&b->mutex);
    mem_free(b);
}
