/* Group commit: one thread takes the jobs that wait, runs them in one transaction and answers all of
 * them after one sync. A job that fails is rolled back alone. */
#include "pds/vault/vault_internal.h"

#include "pds/base/clock.h"
#include "pds/base/deadline.h"
#include "pds/base/log.h"
#include "pds/vault/db_internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char SQL_BEGIN[] = "BEGIN IMMEDIATE";
static const char SQL_COMMIT[] = "COMMIT";
static const char SQL_ROLLBACK[] = "ROLLBACK";
static const char SQL_SAVE[] = "SAVEPOINT job";
static const char SQL_SAVED[] = "RELEASE job";
static const char SQL_UNSAVE[] = "ROLLBACK TO job";
static const char SQL_PAGES[] = "PRAGMA page_count";

enum err vault_may_write(struct vault *v)
{
    const char *story;

    if (atomic_load(&v->vfs->ended))
        return err_set(ERR_IO, "writing has ended after a failed sync");
    if (vault_is_damaged(v, &story))
        return err_set(ERR_CORRUPT, "writing has ended at damage: %s", story);
    return ERR_OK;
}

static void job_fail(struct job *j, enum err e)
{
    j->outcome = e;
    (void)snprintf(j->story, sizeof j->story, "%s", err_story()); /* cut when too long */
}

static void fail_rest(struct job *const jobs[], size_t from, size_t count, enum err e)
{
    for (size_t i = from; i < count; i++)
        if (jobs[i]->outcome == ERR_OK)
            job_fail(jobs[i], e);
}

/* The outcome is that of what the transaction failed at before. */
static void roll_back(struct db *db)
{
    enum err e = db_has_transaction(db) ? db_run(db, SQL_ROLLBACK, NO_PARAMS) : ERR_OK;

    if (e) /* cannot stay open, else every later job would fail */
        (void)sqlite3_exec(db->handle, SQL_ROLLBACK, NULL, NULL, NULL);
}

/* Run one job of several in a savepoint. False: the whole transaction is gone. */
static bool run_in_savepoint(struct db *db, struct job *j)
{
    enum err e = db_run(db, SQL_SAVE, NO_PARAMS);

    if (!e)
        e = j->work(db, j->context);
    if (e)
        job_fail(j, e);
    db_end_statements(db);
    if (!db_has_transaction(db))
        return false;
    if (e && db_run(db, SQL_UNSAVE, NO_PARAMS))
        return false;
    e = db_run(db, SQL_SAVED, NO_PARAMS);
    if (e && !j->outcome)
        job_fail(j, e);
    return !e;
}

static size_t count_sound(struct job *const jobs[], size_t count)
{
    size_t sound = 0;

    for (size_t i = 0; i < count; i++)
        sound += jobs[i]->outcome == ERR_OK;
    return sound;
}

/* Jobs inside the transaction; gives how many are to be committed, and in *ran how many were begun: less than
 * all when the transaction was lost, and with it what was done in it. */
static size_t run_jobs(struct db *db, struct job *const jobs[], size_t count, size_t *ran)
{
    *ran = count;
    if (count == 1) {
        enum err e = jobs[0]->work(db, jobs[0]->context);

        if (e)
            job_fail(jobs[0], e);
        db_end_statements(db);
        if (!e && !db_has_transaction(db))
            job_fail(jobs[0], err_set(ERR_INTERNAL, "a job ended the transaction it was in"));
        return jobs[0]->outcome == ERR_OK;
    }
    for (size_t i = 0; i < count; i++) {
        if (run_in_savepoint(db, jobs[i]))
            continue;
        fail_rest(jobs, 0, i + 1,
                  jobs[i]->outcome ? jobs[i]->outcome : err_set(ERR_INTERNAL, "a lost transaction"));
        *ran = i + 1;
        return 0;
    }
    return count_sound(jobs, count);
}

/* Gives how many were begun. */
static size_t run_batch(struct writer *w, struct job *const jobs[], size_t count)
{
    struct db *db = w->db;
    size_t sound, ran;
    enum err e;

    wal_dismiss_failed(w->vault->vfs);
    if ((e = vault_may_write(w->vault)) || (e = db_run(db, SQL_BEGIN, NO_PARAMS))) {
        fail_rest(jobs, 0, count, e);
        return count;
    }
    sound = run_jobs(db, jobs, count, &ran);
    if (sound == 0) {
        roll_back(db);
        return ran;
    }
    if ((e = db_run(db, SQL_COMMIT, NO_PARAMS))) {
        fail_rest(jobs, 0, count, err_wrap(e, "the commit"));
        roll_back(db);
        return count;
    }
    atomic_fetch_add(&w->commits, 1);
    atomic_fetch_add(&w->jobs, sound);
    return count;
}

enum err writer_checkpoint(struct writer *w, bool *whole)
{
    int in_log = 0, done = 0;
    int rc = sqlite3_wal_checkpoint_v2(w->db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log, &done);

    *whole = rc == SQLITE_OK && in_log == done;
    return rc == SQLITE_OK ? ERR_OK : db_error(w->db, rc);
}

bool writer_log_fits(struct writer *w)
{
    struct stat st;
    int64_t pages;

    if (fstat(w->vault->vfs->db_fd, &st) || db_number(w->db, SQL_PAGES, NO_PARAMS, &pages))
        return false;
    return reserve_makes_room(w->vault->vfs->lock_fd, pages * PAGE_BYTES - (int64_t)st.st_size);
}

/* Without it the job may find no space: it tells. It is tried again later. */
static void bring_log_over(struct writer *w)
{
    bool whole;

    if (!atomic_load(&w->vault->held) && writer_log_fits(w))
        err_ignore(writer_checkpoint(w, &whole));
}

/* A job that found no space, again, with the disk that is kept for it. The log is brought over before, so
 * that it can be written from its beginning, and after, so that what was kept comes free again; but not when
 * vault.db would grow by more than there is: that would take what is kept for nothing. */
static void run_on_reserve(struct writer *w, struct job *j)
{
    j->outcome = ERR_OK;
    reserve_spend(w->vault->vfs->lock_fd);
    bring_log_over(w);
    (void)run_batch(w, &j, 1);
    bring_log_over(w);
    reserve_keep(w->vault->vfs->lock_fd);
}

static void run_all(struct writer *w, struct job *const jobs[], size_t count)
{
    for (size_t i = 0; i < count;) /* those that a lost transaction did not get to have one of their own */
        i += run_batch(w, jobs + i, count - i);
    for (size_t i = 0; i < count; i++)
        if (jobs[i]->kind == JOB_RESERVED && jobs[i]->outcome == ERR_FULL)
            run_on_reserve(w, jobs[i]);
}

/* After the jobs are answered. Readers of old snapshots may hold a part back: it is tried again later. */
static void checkpoint_if_long(struct writer *w)
{
    uint32_t frames = vfs_frames(w->vault->vfs);
    bool whole;

    if (frames < w->checkpoint_frames) {
        w->checkpoint_at = w->checkpoint_frames;
        return;
    }
    if (frames < w->checkpoint_at || atomic_load(&w->vault->held) || vault_may_write(w->vault))
        return;
    if (!writer_checkpoint(w, &whole)) /* damage and failed syncs are noted; a full disk is met again */
        reserve_keep(w->vault->vfs->lock_fd);
    w->checkpoint_at = frames + w->checkpoint_frames / 4;
}

/* Before a commit. */
static void note_clean(struct writer *w)
{
    if (vfs_is_unsettled(w->vault->vfs))
        return;
    w->clean_at_ms = clock_monotonic_ms();
    w->clean_frames = vfs_frames(w->vault->vfs);
}

/* After the jobs are answered: the anchor goes to the disk in the end, also when jobs keep coming. */
static void settle_if_late(struct writer *w)
{
    struct vfs *v = w->vault->vfs;
    uint32_t frames = vfs_frames(v), since = frames < w->clean_frames ? frames : frames - w->clean_frames;

    if (!vfs_is_unsettled(v) ||
        (since < LATE_FRAMES && clock_monotonic_ms() - w->clean_at_ms < (int64_t)LATE_MS))
        return;
    err_ignore(vfs_settle(v)); /* a failure has ended writing, which the next job is told */
}

static size_t take_jobs(struct writer *w, struct job *jobs[static BATCH_JOBS])
{
    size_t count = 0;

    while (w->first && count < BATCH_JOBS && !(count > 0 && w->first->kind == JOB_ALONE)) {
        jobs[count++] = w->first;
        w->first = w->first->next;
        if (jobs[count - 1]->kind == JOB_ALONE)
            break;
    }
    if (!w->first)
        w->last = &w->first;
    return count;
}

/* Under the mutex: wait for a job or the end. When there is nothing to do, the anchor goes to the disk. */
static void wait_for_job(struct writer *w)
{
    struct timespec until;

    while (!w->first && !w->stopping) {
        if (!vfs_is_unsettled(w->vault->vfs)) {
            (void)pthread_cond_wait(&w->wanted, &w->mutex);
            continue;
        }
        until = deadline_in(SETTLE_MS);
        if (pthread_cond_timedwait(&w->wanted, &w->mutex, &until) == 0)
            continue;
        pthread_mutex_unlock(&w->mutex);
        err_ignore(vfs_settle(w->vault->vfs)); /* a failure has ended writing, which the next job is told */
        pthread_mutex_lock(&w->mutex);
        if (atomic_load(&w->vault->vfs->ended))
            break;
    }
    while (!w->first && !w->stopping)
        (void)pthread_cond_wait(&w->wanted, &w->mutex);
}

static void *write_all(void *argument)
{
    struct writer *w = argument;
    struct job *jobs[BATCH_JOBS];
    size_t count;

    pthread_mutex_lock(&w->mutex);
    for (;;) {
        wait_for_job(w);
        if ((count = take_jobs(w, jobs)) == 0)
            break;
        pthread_mutex_unlock(&w->mutex);
        note_clean(w);
        if (jobs[0]->kind == JOB_ALONE) {
            enum err e = jobs[0]->work(w->db, jobs[0]->context);

            if (e)
                job_fail(jobs[0], e);
            db_end_statements(w->db);
        } else {
            run_all(w, jobs, count);
        }
        pthread_mutex_lock(&w->mutex);
        for (size_t i = 0; i < count; i++) {
            jobs[i]->done = true;
            pthread_cond_signal(&jobs[i]->woken);
        }
        pthread_mutex_unlock(&w->mutex);
        checkpoint_if_long(w);
        settle_if_late(w);
        pthread_mutex_lock(&w->mutex);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

static uint32_t test_frames;

void writer_set_checkpoint(uint32_t frames) { test_frames = frames; }

void writer_init(struct writer *w, struct vault *v)
{
    w->vault = v;
    w->last = &w->first;
    w->checkpoint_frames = test_frames ? test_frames : CHECKPOINT_FRAMES;
    w->checkpoint_at = w->checkpoint_frames;
    pthread_mutex_init(&w->mutex, NULL);
    deadline_cond_init(&w->wanted);
}

enum err writer_start(struct writer *w)
{
    pthread_attr_t attributes;
    int failed;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, WRITER_STACK_BYTES);
    failed = pthread_create(&w->thread, &attributes, write_all, w);
    pthread_attr_destroy(&attributes);
    if (failed)
        return err_set(ERR_NO_MEMORY, "the writer's thread: %s", strerror(failed));
    w->started = true;
    return ERR_OK;
}

void writer_stop(struct writer *w)
{
    if (w->started) {
        pthread_mutex_lock(&w->mutex);
        w->stopping = true;
        pthread_cond_signal(&w->wanted);
        pthread_mutex_unlock(&w->mutex);
        (void)pthread_join(w->thread, NULL);
        w->started = false;
    }
    if (w->db) {
        enum err e;

        db_close(w->db); /* the last connection: brings the log to vault.db and removes it, if all is well */
        w->db = NULL;
        if ((e = vfs_settle(w->vault->vfs))) /* nobody else is left to be told: closing answers nothing */
            log_failure("vault_close", e);
    }
    pthread_cond_destroy(&w->wanted);
    pthread_mutex_destroy(&w->mutex);
}

enum err writer_run(struct writer *w, vault_work *work, void *context, enum job_kind kind)
{
    struct job j = {.work = work, .context = context, .kind = kind};

    if (pthread_equal(pthread_self(), w->thread))
        return err_set(ERR_INTERNAL, "a write inside a write");
    pthread_cond_init(&j.woken, NULL);
    pthread_mutex_lock(&w->mutex);
    *w->last = &j;
    w->last = &j.next;
    pthread_cond_signal(&w->wanted);
    while (!j.done)
        (void)pthread_cond_wait(&j.woken, &w->mutex);
    pthread_mutex_unlock(&w->mutex);
    pthread_cond_destroy(&j.woken);
    return j.outcome ? err_set(j.outcome, "%s", j.story) : ERR_OK;
}

enum err vault_write(struct vault *v, vault_work *work, void *context)
{
    return writer_run(&v->writer, work, context, JOB_SHARED);
}

enum err vault_write_reserved(struct vault *v, vault_work *work, void *context)
{
    return writer_run(&v->writer, work, context, JOB_RESERVED);
}
