/* An open vault: its files, a pool of readers, and the thread that writes. */
#ifndef VAULT_VAULT_INTERNAL_H
#define VAULT_VAULT_INTERNAL_H
#include "pds/base/err.h"
#include "pds/base/limits.h"
#include "pds/vault/vault.h"
#include "pds/vault/vfs_internal.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum {
    BATCH_JOBS = 128,         /* share one commit at most */
    CHECKPOINT_FRAMES = 4000, /* bring the log to vault.db when it is as long */
    WAIT_MS = 5000,           /* for a reader, or for a copy or check to end; then ERR_BUSY */
    SETTLE_MS = 50,           /* without a job; then the anchor goes to the disk; */
    LATE_MS = 250,            /* or, while jobs keep coming, so long after the first commit that it lacks, */
    LATE_FRAMES = 1024,       /* or so many frames */
    STORY_BYTES = 640,
    WRITER_STACK_BYTES = 1024 * 1024
};

enum job_kind {
    JOB_SHARED,   /* in a transaction that others may share */
    JOB_RESERVED, /* the same, and tried again with the disk that is kept */
    JOB_ALONE     /* outside any transaction, and no other job with it */
};

/* A call of vault_write() that waits, on the stack of its thread. */
struct job {
    vault_work *work;
    void *context;
    enum job_kind kind;
    bool done;
    enum err outcome;
    char story[STORY_BYTES];
    struct job *next;
    pthread_cond_t woken;
};

struct writer {
    struct vault *vault;
    struct db *db; /* owned */
    pthread_t thread;
    bool started;
    pthread_mutex_t mutex;
    pthread_cond_t wanted;
    struct job *first, **last; /* waiting, under the mutex */
    bool stopping;
    uint32_t checkpoint_frames; /* CHECKPOINT_FRAMES, or less in a test */
    uint32_t checkpoint_at;     /* frames of the log */
    int64_t clean_at_ms;        /* when the anchor was last seen to be on the disk, by the monotonic clock; */
    uint32_t clean_frames;      /* and the frames that it told of. Of the writer's thread */
    _Atomic uint64_t commits, jobs;
};

struct pooled {
    struct db *db; /* owned; NULL until first wanted */
    bool taken;
};

struct vault {
    struct vfs *vfs; /* owned */
    struct writer writer;
    pthread_mutex_t mutex;
    pthread_cond_t free_reader, unheld;
    struct pooled readers[LIMIT_READERS];
    _Atomic bool held; /* changed under the mutex */
};

/* For tests: the length of the log that vaults opened from now on bring to vault.db; 0 for the usual. */
void writer_set_checkpoint(uint32_t frames);

/* For tests: how long to wait instead of WAIT_MS; 0 for the usual. */
void vault_set_wait(uint32_t wait_ms);

/* Until vault_unhold() nothing is brought from the log to vault.db, but what the holder itself brings there,
 * once, by writer_checkpoint(): what vault.db has then stands still, and so do the frames that it lacks. One
 * holds at a time; ERR_BUSY when another one does not end in WAIT_MS. */
MUST_CHECK enum err vault_hold(struct vault *v);
void vault_unhold(struct vault *v);

/* Before the writer starts; undone by writer_stop(). */
void writer_init(struct writer *w, struct vault *v);
MUST_CHECK enum err writer_start(struct writer *w);
/* Waits for the jobs in the queue; brings the log to vault.db and closes the connection. */
void writer_stop(struct writer *w);
/* As vault_write(). */
MUST_CHECK enum err writer_run(struct writer *w, vault_work *work, void *context, enum job_kind kind);
/* Bring the log to vault.db; *whole tells whether all of it is there now. Only inside the writer's thread. */
MUST_CHECK enum err writer_checkpoint(struct writer *w, bool *whole);
/* Whether there is room, with what is kept, for all that bringing the log over adds to vault.db. */
bool writer_log_fits(struct writer *w);

/* vault_before.c: copy vault.db, which is of that schema, before a migration changes it. On the writer's
 * thread, or before it starts. */
MUST_CHECK enum err vault_before_make(struct writer *w, int64_t schema);
/* For tests: the steps of the schema that vaults are made and opened with from now on; NULL for all. */
struct embed;
void vault_set_steps(const struct embed *steps);

/* vault_reserve.c: of `lock`, open as fd. */
void reserve_keep(int fd);
void reserve_spend(int fd);
bool reserve_makes_room(int fd, int64_t bytes); /* it and what is free */

/* Why nothing may be written now, if so: damage was met, or a sync failed. */
MUST_CHECK enum err vault_may_write(struct vault *v);
#endif
