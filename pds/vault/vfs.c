#include "pds/vault/vfs_internal.h"

#include "pds/base/auto.h"
#include "pds/base/mem.h"
#include "pds/crypto/random.h"
#include "pds/vault/bytes_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* What seals are bound to: the store, the kind of thing, its number, and for headers the log's generation. */
enum { BOUND_BYTES = STORE_ID_BYTES + 16 };
enum bound_kind { BOUND_PAGE = 1, BOUND_FRAME_HEADER, BOUND_LOG_HEADER };

static _Thread_local char place[DAMAGE_BYTES]; /* of the last damage; empty when taken */
static _Thread_local struct reuse *reusing;
static _Atomic(const char *) lower_name;

void vfs_set_lower(const char *name) { atomic_store(&lower_name, name); }

enum err vfs_err(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
        return ERR_OK;
    case SQLITE_NOMEM:
        return err_set(ERR_NO_MEMORY, "a file of the vault");
    case SQLITE_FULL:
        return err_set(ERR_FULL, "a file of the vault: no space left");
    case SQLITE_IOERR:
        return rc == SQLITE_IOERR_NOMEM ? err_set(ERR_NO_MEMORY, "a file of the vault")
                                        : err_set(ERR_IO, "a file of the vault (%d)", rc);
    default:
        return err_set(ERR_IO, "a file of the vault (%d)", rc);
    }
}

/* Seals */

static void put_bound(const struct vfs *v, enum bound_kind kind, uint32_t number, uint64_t generation,
                      uint8_t out[static BOUND_BYTES])
{
    memcpy(out, v->store_id, STORE_ID_BYTES);
    bytes_put32(out + STORE_ID_BYTES, (uint32_t)kind);
    bytes_put32(out + STORE_ID_BYTES + 4, number);
    bytes_put64(out + STORE_ID_BYTES + 8, generation);
}

void vfs_seal_page(struct vfs *v, uint32_t page, const uint8_t plain[static PAGE_BYTES],
                   uint8_t out[static PAGE_BYTES])
{
    uint8_t bound[BOUND_BYTES];

    put_bound(v, BOUND_PAGE, page, 0, bound);
    seal_page(v->page_key, plain, PAGE_PLAIN_BYTES, bound, sizeof bound, out);
}

bool vfs_open_page(struct vfs *v, uint32_t page, const uint8_t sealed[static PAGE_BYTES],
                   uint8_t out[static PAGE_BYTES])
{
    uint8_t bound[BOUND_BYTES];

    put_bound(v, BOUND_PAGE, page, 0, bound);
    if (seal_page_open(v->page_key, sealed, PAGE_PLAIN_BYTES, bound, sizeof bound, out))
        return false;
    memset(out + PAGE_PLAIN_BYTES, 0, SEAL_EXTRA_BYTES); /* as when SQLite added the page up (trap 1) */
    return true;
}

void vfs_seal_frame_header(struct vfs *v, uint64_t generation, uint32_t frame,
                           const uint8_t plain[static FRAME_HEADER_PLAIN_BYTES],
                           uint8_t out[static FRAME_HEADER_SEALED_BYTES])
{
    uint8_t bound[BOUND_BYTES];

    put_bound(v, BOUND_FRAME_HEADER, frame, generation, bound);
    seal_page(v->page_key, plain, FRAME_HEADER_PLAIN_BYTES, bound, sizeof bound, out);
}

bool vfs_open_frame_header(struct vfs *v, uint64_t generation, uint32_t frame,
                           const uint8_t sealed[static FRAME_HEADER_SEALED_BYTES],
                           uint8_t out[static FRAME_HEADER_PLAIN_BYTES])
{
    uint8_t bound[BOUND_BYTES];

    put_bound(v, BOUND_FRAME_HEADER, frame, generation, bound);
    return seal_page_open(v->page_key, sealed, FRAME_HEADER_PLAIN_BYTES, bound, sizeof bound, out) == ERR_OK;
}

void vfs_seal_log_header(struct vfs *v, const uint8_t plain[static LOG_HEADER_PLAIN_BYTES],
                         uint8_t out[static LOG_HEADER_SEALED_BYTES])
{
    uint8_t bound[BOUND_BYTES];

    put_bound(v, BOUND_LOG_HEADER, 0, 0, bound);
    seal_page(v->page_key, plain, LOG_HEADER_PLAIN_BYTES, bound, sizeof bound, out);
}

bool vfs_open_log_header(struct vfs *v, const uint8_t sealed[static LOG_HEADER_SEALED_BYTES],
                         uint8_t out[static LOG_HEADER_PLAIN_BYTES])
{
    uint8_t bound[BOUND_BYTES];

    put_bound(v, BOUND_LOG_HEADER, 0, 0, bound);
    return seal_page_open(v->page_key, sealed, LOG_HEADER_PLAIN_BYTES, bound, sizeof bound, out) == ERR_OK;
}

bool vfs_tail_is_free(const uint8_t plain[static PAGE_BYTES])
{
    static const uint8_t ZEROS[SEAL_EXTRA_BYTES] = {0};

    return memcmp(plain + PAGE_PLAIN_BYTES, ZEROS, sizeof ZEROS) == 0;
}

/* Damage */

int vfs_damage(struct vfs *v, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(place, sizeof place, format, args); /* cut when too long */
    va_end(args);
    pthread_mutex_lock(&v->mutex);
    if (!atomic_load(&v->damaged))
        memcpy(v->damage, place, sizeof place);
    atomic_store(&v->damaged, true);
    pthread_mutex_unlock(&v->mutex);
    return SQLITE_CORRUPT;
}

const char *vfs_take_place(void)
{
    static _Thread_local char taken[DAMAGE_BYTES];

    if (!place[0])
        return NULL;
    memcpy(taken, place, sizeof taken);
    place[0] = 0;
    return taken;
}

/* What both kinds of file share */

void vfs_reuse_begin(struct vfs *v)
{
    v->reuse.page = 0;
    reusing = &v->reuse;
}

void vfs_reuse_end(struct vfs *v)
{
    random_wipe(v->reuse.plain, sizeof v->reuse.plain);
    v->reuse.page = 0;
    reusing = NULL;
}

struct reuse *vfs_reuse_here(struct vfs *v) { return reusing == &v->reuse ? reusing : NULL; }

int vfs_file_close(sqlite3_file *file)
{
    struct sealed_file *f = (struct sealed_file *)(void *)file;

    return f->lower->pMethods->xClose(f->lower);
}

int vfs_file_sector(sqlite3_file *file)
{
    sqlite3_file *f = ((struct sealed_file *)(void *)file)->lower;

    return f->pMethods->xSectorSize(f);
}

/* No atomic writes and no reads of parts: a page is sealed whole (trap 5). That a write leaves its neighbours
 * alone is what SQLite takes for granted on Linux. */
int vfs_file_traits(sqlite3_file *file)
{
    sqlite3_file *f = ((struct sealed_file *)(void *)file)->lower;

    return (f->pMethods->xDeviceCharacteristics(f) & SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN) |
           SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int vfs_sync(struct sealed_file *f, int flags)
{
    int rc;

    if (atomic_load(&f->vfs->ended))
        return SQLITE_IOERR_FSYNC;
    rc = f->lower->pMethods->xSync(f->lower, flags);
    if (rc != SQLITE_OK)
        atomic_store(&f->vfs->ended, true);
    return rc;
}

int vfs_lower_read(sqlite3_file *lower, void *out, int n, sqlite3_int64 at)
{
    int rc = lower->pMethods->xRead(lower, out, n, at);

    return rc == SQLITE_IOERR_CORRUPTFS ? SQLITE_IOERR_READ : rc;
}

int vfs_note_read(struct vfs *v, int rc)
{
    if ((rc & 0xff) == SQLITE_IOERR && rc != SQLITE_IOERR_SHORT_READ)
        atomic_fetch_add(&v->unread, 1);
    return rc;
}

/* The VFS that SQLite calls */

static struct vfs *of(sqlite3_vfs *vfs) { return vfs->pAppData; }

/* Below, a file that cannot be opened for writing is opened for reading instead, whatever the reason. Then
 * SQLite would not hold vault.db for this process alone, and lay its wal-index beside it as a file. */
static int open_to_write(sqlite3_vfs *lower, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    int got = flags, rc = lower->xOpen(lower, name, file, flags, &got);

    if (rc == SQLITE_OK && flags & SQLITE_OPEN_READWRITE && got & SQLITE_OPEN_READONLY) {
        (void)file->pMethods->xClose(file); /* nothing was written */
        file->pMethods = NULL;
        return SQLITE_CANTOPEN;
    }
    if (rc == SQLITE_OK && out_flags)
        *out_flags = got;
    return rc;
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    struct vfs *v = of(vfs);
    struct sealed_file *f = (struct sealed_file *)(void *)file;
    int rc;

    memset(f, 0, sizeof *f);
    if (name && flags & SQLITE_OPEN_MAIN_DB && strcmp(name, v->db_path) == 0)
        f->kind = FILE_DB;
    else if (name && flags & SQLITE_OPEN_WAL && strcmp(name, v->wal_path) == 0)
        f->kind = FILE_WAL;
    else
        return SQLITE_CANTOPEN; /* a journal, a temporary file, another database: nothing leaves here in clear
                                 */
    f->vfs = v;
    f->lower = (sqlite3_file *)(void *)(f + 1);
    rc = open_to_write(v->lower, name, f->lower, flags, out_flags);
    if (rc == SQLITE_OK)
        f->base.pMethods = f->kind == FILE_DB ? &VFS_DB_METHODS : &VFS_WAL_METHODS;
    return rc;
}

static int delete_file(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
    struct vfs *v = of(vfs);
    int rc;

    if (strcmp(name, v->wal_path) != 0)
        return SQLITE_OK; /* what it may mean was never made */
    if (atomic_load(&v->ended))
        return SQLITE_IOERR_DELETE;
    pthread_mutex_lock(&v->mutex);
    rc = wal_renew(v);
    pthread_mutex_unlock(&v->mutex);
    return rc == SQLITE_OK ? v->lower->xDelete(v->lower, name, sync_dir) : SQLITE_IOERR_DELETE;
}

static int access_file(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    struct vfs *v = of(vfs);

    if (strcmp(name, v->wal_path) == 0 || strcmp(name, v->db_path) == 0)
        return v->lower->xAccess(v->lower, name, flags, out);
    *out = 0; /* a journal that somebody laid there is not looked at */
    return SQLITE_OK;
}

static int full_name(sqlite3_vfs *vfs, const char *name, int len, char *out)
{
    return of(vfs)->lower->xFullPathname(of(vfs)->lower, name, len, out);
}

static int random_for_sqlite(sqlite3_vfs *vfs, int len, char *out)
{
    (void)vfs;
    random_bytes(out, (size_t)len);
    return len;
}

static int pause_for(sqlite3_vfs *vfs, int us) { return of(vfs)->lower->xSleep(of(vfs)->lower, us); }

static int today(sqlite3_vfs *vfs, double *out) { return of(vfs)->lower->xCurrentTime(of(vfs)->lower, out); }

static int now_ms(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
    return of(vfs)->lower->xCurrentTimeInt64(of(vfs)->lower, out);
}

static int last_error(sqlite3_vfs *vfs, int len, char *out)
{
    return of(vfs)->lower->xGetLastError(of(vfs)->lower, len, out);
}

static enum err register_vfs(struct vfs *v)
{
    static _Atomic unsigned number;

    (void)snprintf(v->name, sizeof v->name, "traboule-%u", atomic_fetch_add(&number, 1));
    v->vfs = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = (int)sizeof(struct sealed_file) + v->lower->szOsFile,
        .mxPathname = v->lower->mxPathname,
        .zName = v->name,
        .pAppData = v,
        .xOpen = open_file,
        .xDelete = delete_file,
        .xAccess = access_file,
        .xFullPathname = full_name,
        .xRandomness = random_for_sqlite,
        .xSleep = pause_for,
        .xCurrentTime = today,
        .xCurrentTimeInt64 = now_ms,
        .xGetLastError = last_error,
    };
    if (sqlite3_vfs_register(&v->vfs, 0) != SQLITE_OK)
        return err_set(ERR_INTERNAL, "registering the vault's file system");
    v->registered = true;
    return ERR_OK;
}

/* Opening and closing a store's files */

enum err vfs_lower_open(struct vfs *v, enum file_kind kind, sqlite3_file **out)
{
    const char *path = kind == FILE_DB ? v->db_path : v->wal_path;
    int flags = SQLITE_OPEN_READWRITE | (kind == FILE_DB ? SQLITE_OPEN_MAIN_DB : SQLITE_OPEN_WAL);
    sqlite3_file *f = mem_new((size_t)v->lower->szOsFile);
    int rc;

    if (!f)
        return err_set(ERR_NO_MEMORY, "a file of the vault");
    rc = open_to_write(v->lower, path, f, flags, NULL);
    if (rc != SQLITE_OK) {
        mem_free(f);
        return err_wrap(vfs_err(rc), "opening %s", kind == FILE_DB ? "vault.db" : "vault.db-wal");
    }
    *out = f;
    return ERR_OK;
}

void vfs_lower_close(sqlite3_file *f)
{
    if (!f)
        return;
    (void)f->pMethods->xClose(f); /* only read, or synced */
    mem_free(f);
}

static enum err set_paths(struct vfs *v, const char *dir, char lock_path[static FS_PATH_BYTES])
{
    char *whole = realpath(dir, NULL); /* libc's: freed with free() */
    enum err e;

    if (!whole)
        return fs_error("finding", "the store's folder");
    if (!(e = fs_join(v->db_path, whole, "vault.db")) && !(e = fs_join(v->wal_path, whole, "vault.db-wal")))
        e = fs_join(lock_path, whole, "lock");
    free(whole);
    return e;
}

static enum err take_lock(struct vfs *v, const char *path)
{
    v->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (v->lock_fd < 0)
        return fs_error("opening", "lock");
    if (flock(v->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return ERR_OK;
    if (errno == EWOULDBLOCK)
        return err_set(ERR_BUSY, "another process has this store open");
    return fs_error("locking", "lock");
}

/* A second lock, on vault.db: `lock` may be removed while a program has the store open. SQLite's own locks
 * are of another kind, which this neither meets nor ends. */
static enum err hold_db(struct vfs *v)
{
    if (flock(v->db_fd, LOCK_EX | LOCK_NB) == 0)
        return ERR_OK;
    if (errno == EWOULDBLOCK)
        return err_set(ERR_BUSY, "another process has this store open");
    return fs_error("locking", "vault.db");
}

static enum err begin_db(struct vfs *v)
{
    int log = 0;

    if (v->lower->xAccess(v->lower, v->wal_path, SQLITE_ACCESS_EXISTS, &log) != SQLITE_OK)
        return err_set(ERR_IO, "looking for vault.db-wal");
    if (log) /* it would be replayed over the new database */
        return err_set(ERR_CONFLICT, "vault.db-wal: the log of another vault.db is there");
    v->db_fd = open(v->db_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (v->db_fd < 0)
        return fs_error("making", "vault.db");
    v->begun = true;
    return hold_db(v);
}

static enum err find_db(struct vfs *v)
{
    v->db_fd = open(v->db_path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (v->db_fd < 0)
        return errno == ENOENT ? err_set(ERR_NOT_FOUND, "vault.db: there is none")
                               : fs_error("opening", "vault.db");
    return hold_db(v);
}

static enum err take_keys(struct vfs *v, const struct store_key *root, const uint8_t *store_id)
{
    enum err e = random_start();

    if (e)
        return e;
    memcpy(v->store_id, store_id, STORE_ID_BYTES);
    if (!(v->page_key = page_key_new()) || !(v->anchor_key = anchor_key_new()))
        return err_set(ERR_NO_MEMORY, "keys of the vault");
    keyring_page(root, v->page_key);
    keyring_anchor(root, v->anchor_key);
    return ERR_OK;
}

/* Without an anchor the generations begin anywhere, so that no log that was kept from before fits. `lock`
 * itself is to last, since a store without one is refused while it has a log. */
static enum err begin_generations(struct anchor *a, const char *dir)
{
    enum { FIRST_BYTES = 6 };

    random_bytes((uint8_t *)&a->now.generation, FIRST_BYTES);
    return fs_sync_dir(dir);
}

static enum err vfs_new(const char *dir, const struct store_key *root, const uint8_t *store_id, bool make,
                        struct vfs **out)
{
    AUTO(vfs_closep) struct vfs *v = mem_new(sizeof *v);
    const char *name = atomic_load(&lower_name);
    char lock_path[FS_PATH_BYTES];
    enum err e;

    if (!v)
        return err_set(ERR_NO_MEMORY, "the vault");
    v->lock_fd = v->db_fd = -1;
    pthread_mutex_init(&v->mutex, NULL);
    pthread_mutex_init(&v->head_mutex, NULL);
    if (!(v->lower = sqlite3_vfs_find(name ? name : "unix-excl")))
        return err_set(ERR_INTERNAL, "SQLite without a file system");
    if ((e = set_paths(v, dir, lock_path)) || (!make && (e = find_db(v))) || (e = take_lock(v, lock_path)))
        return e;
    if ((e = take_keys(v, root, store_id)) || (make && (e = begin_db(v))) ||
        (e = anchor_open(&v->anchor, v->lower, lock_path, v->anchor_key, v->store_id)) ||
        (!v->anchor.known && (e = begin_generations(&v->anchor, dir))))
        return e;
    atomic_store(&v->wal.generation, v->anchor.now.generation);
    *out = v;
    v = NULL;
    return ERR_OK;
}

enum err vfs_open_unseen(const char *dir, const struct store_key *root, const uint8_t *store_id,
                         struct vfs **out)
{
    return vfs_new(dir, root, store_id, false, out);
}

enum err vfs_open(const char *dir, const struct store_key *root, const uint8_t *store_id, bool make,
                  struct vfs **out)
{
    AUTO(vfs_closep) struct vfs *v = NULL;
    enum err e;

    if ((e = vfs_new(dir, root, store_id, make, &v)) || (!make && (e = vfs_look(v))) || (e = register_vfs(v)))
        return e;
    v->begun = false;
    *out = v;
    v = NULL;
    return ERR_OK;
}

void vfs_close(struct vfs *v)
{
    if (!v)
        return;
    if (v->registered)
        (void)sqlite3_vfs_unregister(&v->vfs); /* never fails for one that is registered */
    if (v->begun)
        (void)unlink(v->db_path); /* empty; whoever wanted it is told that it was not made */
    anchor_close(&v->anchor);
    wal_done(&v->wal);
    page_key_free(v->page_key);
    anchor_key_free(v->anchor_key);
    if (v->lock_fd >= 0)
        (void)close(v->lock_fd); /* the lock goes with it */
    if (v->db_fd >= 0)
        (void)close(v->db_fd);
    pthread_mutex_destroy(&v->mutex);
    pthread_mutex_destroy(&v->head_mutex);
    random_wipe(&v->reuse, sizeof v->reuse);
    mem_free(v);
}

enum err vfs_settle(struct vfs *v)
{
    int rc = SQLITE_OK;

    pthread_mutex_lock(&v->mutex);
    if (!atomic_load(&v->ended) && (rc = anchor_sync(&v->anchor)))
        atomic_store(&v->ended, true);
    pthread_mutex_unlock(&v->mutex);
    return rc == SQLITE_OK ? ERR_OK : err_set(ERR_IO, "syncing lock");
}

bool vfs_is_unsettled(struct vfs *v)
{
    bool dirty;

    pthread_mutex_lock(&v->mutex);
    dirty = v->anchor.dirty;
    pthread_mutex_unlock(&v->mutex);
    return dirty;
}

uint32_t vfs_frames(struct vfs *v)
{
    uint32_t frames;

    pthread_mutex_lock(&v->mutex);
    frames = v->wal.durable;
    pthread_mutex_unlock(&v->mutex);
    return frames;
}
