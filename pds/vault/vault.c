#include "pds/vault/vault.h"

#include "pds/base/auto.h"
#include "pds/base/deadline.h"
#include "pds/base/embed.h"
#include "pds/base/fs.h"
#include "pds/base/mem.h"
#include "pds/vault/db_internal.h"
#include "pds/vault/migrate.h"
#include "pds/vault/vault_internal.h"

#include <fcntl.h>
#include <string.h>

extern const struct embed MIGRATIONS[];

static const char SQL_SNAPSHOT[] = "BEGIN";
static const char SQL_SNAPSHOT_END[] = "ROLLBACK";

static _Atomic uint32_t test_wait_ms;
static _Atomic(const struct embed *) test_steps;

void vault_set_steps(const struct embed *steps) { atomic_store(&test_steps, steps); }

static const struct embed *schema_steps(void)
{
    const struct embed *steps = atomic_load(&test_steps);

    return steps ? steps : MIGRATIONS;
}

void vault_set_wait(uint32_t wait_ms) { atomic_store(&test_wait_ms, wait_ms); }

static struct timespec wait_deadline(void)
{
    uint32_t ms = atomic_load(&test_wait_ms);

    return deadline_in(ms ? ms : WAIT_MS);
}

enum err vault_create(const char *dir, const struct store_key *root,
                      const uint8_t store_id[static STORE_ID_BYTES])
{
    AUTO(vfs_closep) struct vfs *v = NULL;
    struct db *db = NULL;
    enum err e;

    if ((e = db_start()) || (e = fs_check_private_dir(dir)) || (e = vfs_open(dir, root, store_id, true, &v)))
        return err_wrap(e, "making the vault");
    if (!(e = db_open(v, DB_MAKER, &db)))
        e = migrate_run(db, schema_steps());
    db_close(db); /* the only connection: brings the log to vault.db and removes it */
    if (!e && atomic_load(&v->ended))
        e = err_set(ERR_IO, "a sync failed");
    if (!e && !(e = vfs_settle(v)))
        e = fs_sync_dir(dir);
    return e ? err_wrap(e, "making the vault") : ERR_OK;
}

/* Bring an older schema up, with a copy made first. */
static enum err bring_up(struct writer *w)
{
    int64_t schema;
    enum err e;

    if ((e = migrate_pending(w->db, schema_steps(), &schema)) ||
        (schema > 0 && (e = vault_before_make(w, schema))))
        return e;
    return migrate_run(w->db, schema_steps());
}

static enum err vault_start(struct vault *v, const char *dir, const struct store_key *root,
                            const uint8_t *store_id)
{
    enum err e;

    if ((e = vfs_open(dir, root, store_id, false, &v->vfs)) ||
        (e = db_open(v->vfs, DB_WRITER, &v->writer.db)) || (e = bring_up(&v->writer)))
        return e;
    reserve_keep(v->vfs->lock_fd);
    return writer_start(&v->writer);
}

enum err vault_open(const char *dir, const struct store_key *root,
                    const uint8_t store_id[static STORE_ID_BYTES], struct vault **out)
{
    AUTO(vault_closep) struct vault *v = NULL;
    enum err e;

    if ((e = db_start()))
        return e;
    if (!(v = mem_new(sizeof *v)))
        return err_set(ERR_NO_MEMORY, "the vault");
    pthread_mutex_init(&v->mutex, NULL);
    deadline_cond_init(&v->free_reader);
    deadline_cond_init(&v->unheld);
    writer_init(&v->writer, v);
    if ((e = vault_start(v, dir, root, store_id)))
        return e;
    *out = v;
    v = NULL;
    return ERR_OK;
}

void vault_close(struct vault *v)
{
    if (!v)
        return;
    for (size_t i = 0; i < LIMIT_READERS; i++)
        db_close(v->readers[i].db);
    writer_stop(&v->writer);
    vfs_close(v->vfs);
    pthread_cond_destroy(&v->free_reader);
    pthread_cond_destroy(&v->unheld);
    pthread_mutex_destroy(&v->mutex);
    mem_free(v);
}

enum err vault_keep_lock(struct vault *v, int *fd)
{
    int kept = fcntl(v->vfs->lock_fd, F_DUPFD_CLOEXEC, 0); /* shares the lock */

    if (kept < 0)
        return fs_error("keeping", "the store's lock");
    *fd = kept;
    return ERR_OK;
}

/* An open reader that is free, else a place to open one, else NULL. */
static struct pooled *find_reader(struct vault *v)
{
    struct pooled *empty = NULL;

    for (size_t i = 0; i < LIMIT_READERS; i++) {
        struct pooled *r = &v->readers[i];

        if (!r->taken && r->db)
            return r;
        if (!r->taken && !empty)
            empty = r;
    }
    return empty;
}

static enum err take_reader(struct vault *v, struct pooled **out)
{
    struct timespec until = wait_deadline();
    struct pooled *r;
    int late = 0;

    pthread_mutex_lock(&v->mutex);
    while (!(r = find_reader(v)) && !late)
        late = pthread_cond_timedwait(&v->free_reader, &v->mutex, &until);
    if (r)
        r->taken = true;
    pthread_mutex_unlock(&v->mutex);
    if (!r)
        return err_set(ERR_BUSY, "all %d readers of the store are taken", LIMIT_READERS);
    *out = r;
    return ERR_OK;
}

enum err vault_hold(struct vault *v)
{
    struct timespec until = wait_deadline();
    bool held;
    int late = 0;

    pthread_mutex_lock(&v->mutex);
    while (atomic_load(&v->held) && !late)
        late = pthread_cond_timedwait(&v->unheld, &v->mutex, &until);
    held = atomic_exchange(&v->held, true);
    pthread_mutex_unlock(&v->mutex);
    return held ? err_set(ERR_BUSY, "another copy or check of the store is being made") : ERR_OK;
}

void vault_unhold(struct vault *v)
{
    pthread_mutex_lock(&v->mutex);
    atomic_store(&v->held, false);
    pthread_cond_signal(&v->unheld);
    pthread_mutex_unlock(&v->mutex);
}

/* The place's connection, NULL for none, and whether it stays taken. */
static void set_reader(struct vault *v, struct pooled *r, struct db *db, bool taken)
{
    pthread_mutex_lock(&v->mutex);
    r->db = db;
    r->taken = taken;
    if (!taken)
        pthread_cond_signal(&v->free_reader);
    pthread_mutex_unlock(&v->mutex);
}

static struct pooled *find_taken(struct vault *v, const struct db *db)
{
    struct pooled *r = v->readers;

    pthread_mutex_lock(&v->mutex);
    while (!r->taken || r->db != db) /* one of ours */
        r++;
    pthread_mutex_unlock(&v->mutex);
    return r;
}

enum err vault_read(struct vault *v, struct db **out)
{
    struct pooled *r = NULL;
    struct db *db;
    enum err e = take_reader(v, &r);

    if (e)
        return e;
    db = r->db;
    if (!db)
        e = db_open(v->vfs, DB_READER, &db);
    if (!e)
        e = db_run(db, SQL_SNAPSHOT, NO_PARAMS);
    set_reader(v, r, db, !e);
    if (!e)
        *out = db;
    return e;
}

void vault_read_end(struct vault *v, struct db *db)
{
    struct pooled *r;

    if (!db)
        return;
    r = find_taken(v, db);
    db_end_statements(db);
    /* One that cannot end its snapshot holds the log back; one whose snapshot SQLite ended met a failure. */
    if (!db_has_transaction(db) || db_run(db, SQL_SNAPSHOT_END, NO_PARAMS)) {
        db_close(db);
        db = NULL;
    }
    set_reader(v, r, db, false);
}

bool vault_is_damaged(struct vault *v, const char **story)
{
    bool damaged = atomic_load(&v->vfs->damaged);

    *story = damaged ? v->vfs->damage : NULL; /* written once, before `damaged` */
    return damaged;
}

void vault_stats(struct vault *v, struct vault_stats *out)
{
    *out = (struct vault_stats){.pages = atomic_load(&v->vfs->wal.pages),
                                .commits = atomic_load(&v->writer.commits),
                                .jobs = atomic_load(&v->writer.jobs)};
}
