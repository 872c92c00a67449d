/* After deletions: nothing of the old pages stays in the files. */
#include "pds/vault/vault.h"

#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/vault/db_internal.h"
#include "pds/vault/vault_internal.h"

#include <unistd.h>

/* Writers wait while a try waits for readers; between tries they have their turn. */
enum { TRY_MS = 200, PAUSE_US = 20000 };

static const char SQL_SHRINK[] = "VACUUM";

/* The file is as long as SQLite left it: the cut is to last. */
static enum err sync_log(struct vfs *v)
{
    AUTO(vfs_lower_closep) sqlite3_file *log = NULL;
    int exists = 0;
    enum err e;

    if (v->lower->xAccess(v->lower, v->wal_path, SQLITE_ACCESS_EXISTS, &exists) != SQLITE_OK)
        return err_set(ERR_IO, "looking for vault.db-wal");
    if (!exists)
        return ERR_OK;
    if ((e = vfs_lower_open(v, FILE_WAL, &log)))
        return e;
    return log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) == SQLITE_OK
               ? ERR_OK
               : err_set(ERR_IO, "syncing vault.db-wal");
}

static int truncate_log(struct db *db)
{
    return sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

/* On the writer's thread: the log to vault.db, whole, and cut to nothing. */
static enum err cut_log(struct db *db, void *context)
{
    struct vault *v = context;
    int rc;
    enum err e;

    if ((e = vault_may_write(v)))
        return e;
    if (!writer_log_fits(&v->writer)) /* a part of it in vault.db is of no use, and takes the last room */
        return err_set(ERR_FULL, "the vault: no space left for what its log holds");
    (void)sqlite3_busy_timeout(db->handle, TRY_MS); /* cannot fail on an open connection */
    rc = truncate_log(db);
    if ((rc & 0xff) == SQLITE_FULL &&
        writer_log_fits(&v->writer)) { /* vault.db is to grow: from what is kept for this */
        reserve_spend(v->vfs->lock_fd);
        rc = truncate_log(db);
        reserve_keep(v->vfs->lock_fd);
    }
    (void)sqlite3_busy_timeout(db->handle, 0);
    return rc == SQLITE_OK ? sync_log(v->vfs) : db_error(db, rc);
}

enum err vault_purge(struct vault *v, int64_t wait_ms)
{
    int64_t until = clock_monotonic_ms() + wait_ms;
    enum err e = vault_hold(v); /* a copy reads the old frames */

    if (e)
        return e;
    while ((e = writer_run(&v->writer, cut_log, v, JOB_ALONE)) == ERR_BUSY && clock_monotonic_ms() < until)
        (void)usleep(PAUSE_US);
    vault_unhold(v);
    return e == ERR_BUSY ? err_set(e, "a reader keeps old pages") : e;
}

static enum err shrink(struct db *db, void *context)
{
    enum err e = vault_may_write(context);

    if (e)
        return e;
    wal_dismiss_failed(db->vfs);
    return db_run(db, SQL_SHRINK, NO_PARAMS);
}

enum err vault_shrink(struct vault *v)
{
    enum err e = vault_hold(v);

    if (e)
        return e;
    e = writer_run(&v->writer, shrink, v, JOB_ALONE);
    vault_unhold(v);
    return e ? err_wrap(e, "giving free pages back") : ERR_OK;
}
