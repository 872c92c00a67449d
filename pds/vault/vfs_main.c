/* vault.db: each page sealed in place, its nonce and tag in the 40 bytes that SQLite leaves free. */
#include "pds/vault/vfs_internal.h"

#include "pds/vault/bytes_internal.h"

#include <string.h>

enum { HEAD_PAGE_SIZE_AT = 16, HEAD_RESERVED_AT = 20 };

static struct sealed_file *sealed(sqlite3_file *f) { return (struct sealed_file *)(void *)f; }

int vfs_read_head(struct vfs *v, sqlite3_file *db, uint8_t out[static PAGE_BYTES])
{
    uint8_t bytes[PAGE_BYTES];
    struct wal *w = &v->wal;
    sqlite3_file *log = NULL;
    bool found = false;
    int rc = vfs_lower_read(db, bytes, PAGE_BYTES, 0), failure;

    if (rc == SQLITE_OK && vfs_open_page(v, 1, bytes, out))
        return SQLITE_OK;
    failure = rc == SQLITE_OK || rc == SQLITE_IOERR_SHORT_READ ? SQLITE_CORRUPT : SQLITE_IOERR_READ;
    /* A checkpoint that a power cut stopped may have torn it: then the log still has it. */
    if (atomic_load(&w->limit) == 0 || vfs_lower_open(v, FILE_WAL, &log) != ERR_OK)
        return failure;
    for (uint32_t i = atomic_load(&w->limit); i > 0 && !found; i--)
        found = wal_page(w, i) == 1 &&
                log->pMethods->xRead(log, bytes, PAGE_BYTES, frame_place(i) + FRAME_HEADER_SEALED_BYTES) ==
                    SQLITE_OK &&
                vfs_open_page(v, 1, bytes, out);
    vfs_lower_close(log);
    return found ? SQLITE_OK : failure;
}

/* SQLite reads page 1 in part before it knows the page size (trap 5), at any time: not while a checkpoint
 * writes it. */
static int read_part(struct sealed_file *f, uint8_t *out, int n, sqlite3_int64 offset)
{
    uint8_t page[PAGE_BYTES];
    sqlite3_int64 size, at = offset % PAGE_BYTES;
    uint32_t number = (uint32_t)(offset / PAGE_BYTES) + 1;
    bool opens;
    int rc = f->lower->pMethods->xFileSize(f->lower, &size);

    if (rc != SQLITE_OK)
        return rc;
    if (size == 0 && number == 1) { /* a database about to be made */
        memset(out, 0, (size_t)n);
        return SQLITE_IOERR_SHORT_READ;
    }
    if (at + n > PAGE_BYTES)
        return SQLITE_IOERR_READ;
    if (number == 1) {
        pthread_mutex_lock(&f->vfs->head_mutex);
        rc = vfs_read_head(f->vfs, f->lower, page);
        pthread_mutex_unlock(&f->vfs->head_mutex);
        if (rc == SQLITE_IOERR_READ)
            return rc;
        opens = rc == SQLITE_OK;
    } else {
        rc = vfs_lower_read(f->lower, page, PAGE_BYTES, offset - at);
        if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
            return rc;
        opens = rc == SQLITE_OK && vfs_open_page(f->vfs, number, page, page);
    }
    if (!opens)
        return vfs_damage(f->vfs, "vault.db page %u", number);
    memcpy(out, page + at, (size_t)n);
    return SQLITE_OK;
}

static int read_page(struct sealed_file *f, void *out, int n, sqlite3_int64 offset)
{
    uint32_t number = (uint32_t)(offset / PAGE_BYTES) + 1;
    int rc;

    if (n != PAGE_BYTES || offset % PAGE_BYTES != 0)
        return read_part(f, out, n, offset);
    rc = vfs_lower_read(f->lower, out, n, offset);
    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
        return rc;
    if (rc == SQLITE_IOERR_SHORT_READ) /* SQLite would take the missing page for zeros (trap 8) */
        return vfs_damage(f->vfs, "vault.db page %u: the file ends before it", number);
    if (!vfs_open_page(f->vfs, number, out, out))
        return vfs_damage(f->vfs, "vault.db page %u: its seal is broken", number);
    return SQLITE_OK;
}

static int db_read(sqlite3_file *file, void *out, int n, sqlite3_int64 offset)
{
    struct sealed_file *f = sealed(file);

    return vfs_note_read(f->vfs, read_page(f, out, n, offset));
}

/* The sealed form of a page to write: the one that the log has, when a checkpoint brings it over unchanged.
 */
static const uint8_t *sealed_form(struct vfs *v, uint32_t number, const uint8_t *plain, uint8_t *room)
{
    struct reuse *r = vfs_reuse_here(v);

    if (r && r->page == number && memcmp(r->plain, plain, PAGE_BYTES) == 0)
        return r->sealed;
    vfs_seal_page(v, number, plain, room);
    return room;
}

static int db_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 offset)
{
    struct sealed_file *f = sealed(file);
    struct vfs *v = f->vfs;
    const uint8_t *plain = bytes, *out;
    uint32_t number = (uint32_t)(offset / PAGE_BYTES) + 1;
    uint8_t room[PAGE_BYTES], clean[PAGE_BYTES];
    int rc;

    if (atomic_load(&v->ended) || n != PAGE_BYTES || offset % PAGE_BYTES != 0 || !vfs_tail_is_free(plain))
        return SQLITE_IOERR_WRITE;
    if (number == 1 && (plain[HEAD_RESERVED_AT] != SEAL_EXTRA_BYTES ||
                        plain[HEAD_PAGE_SIZE_AT] != PAGE_BYTES >> 8 || plain[HEAD_PAGE_SIZE_AT + 1] != 0))
        return SQLITE_IOERR_WRITE; /* our 40 bytes would fall on data (trap 6) */
    if (vfs_scrub(plain, number, atomic_load(&v->wal.pages), clean))
        plain = clean;
    out = sealed_form(v, number, plain, room);
    if (number != 1)
        return f->lower->pMethods->xWrite(f->lower, out, n, offset);
    pthread_mutex_lock(&v->head_mutex);
    rc = f->lower->pMethods->xWrite(f->lower, out, n, offset);
    pthread_mutex_unlock(&v->head_mutex);
    return rc;
}

static int db_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct sealed_file *f = sealed(file);
    sqlite3_int64 now;

    if (atomic_load(&f->vfs->ended) || size % PAGE_BYTES != 0 ||
        f->lower->pMethods->xFileSize(f->lower, &now) != SQLITE_OK)
        return SQLITE_IOERR_TRUNCATE;
    if (size > now) /* would make pages of zeros, which no seal covers (trap 8) */
        return SQLITE_IOERR_TRUNCATE;
    return f->lower->pMethods->xTruncate(f->lower, size);
}

static int db_sync(sqlite3_file *file, int flags) { return vfs_sync(sealed(file), flags); }

static int db_size(sqlite3_file *file, sqlite3_int64 *size)
{
    sqlite3_file *f = sealed(file)->lower;

    return f->pMethods->xFileSize(f, size);
}

static int db_lock(sqlite3_file *file, int level)
{
    sqlite3_file *f = sealed(file)->lower;

    return f->pMethods->xLock(f, level);
}

static int db_unlock(sqlite3_file *file, int level)
{
    sqlite3_file *f = sealed(file)->lower;

    return f->pMethods->xUnlock(f, level);
}

static int db_check_reserved(sqlite3_file *file, int *reserved)
{
    sqlite3_file *f = sealed(file)->lower;

    return f->pMethods->xCheckReservedLock(f, reserved);
}

static int db_control(sqlite3_file *file, int op, void *arg)
{
    struct sealed_file *f = sealed(file);

    switch (op) {
    case SQLITE_FCNTL_SIZE_HINT: /* would leave pages that no key opens */
    case SQLITE_FCNTL_CHUNK_SIZE:
        return SQLITE_OK;
    case SQLITE_FCNTL_MMAP_SIZE: /* SQLite must never look at the bytes themselves (trap 10) */
        *(sqlite3_int64 *)arg = 0;
        return SQLITE_OK;
    case SQLITE_FCNTL_CKPT_START:
        vfs_reuse_begin(f->vfs);
        return SQLITE_OK;
    case SQLITE_FCNTL_CKPT_DONE:
        vfs_reuse_end(f->vfs);
        return SQLITE_OK;
    case SQLITE_FCNTL_COMMIT_PHASETWO:
        wal_committed(f->vfs);
        return SQLITE_OK;
    default:
        return f->lower->pMethods->xFileControl(f->lower, op, arg);
    }
}

static int db_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
    sqlite3_file *f = sealed(file)->lower;

    return f->pMethods->xShmMap(f, region, size, extend, out);
}

static int db_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    sqlite3_file *f = sealed(file)->lower;

    return f->pMethods->xShmLock(f, offset, n, flags);
}

static void db_shm_barrier(sqlite3_file *file)
{
    sqlite3_file *f = sealed(file)->lower;

    f->pMethods->xShmBarrier(f);
}

static int db_shm_unmap(sqlite3_file *file, int delete)
{
    sqlite3_file *f = sealed(file)->lower;

    return f->pMethods->xShmUnmap(f, delete);
}

const sqlite3_io_methods VFS_DB_METHODS = {
    .iVersion = 2, /* without xFetch */
    .xClose = vfs_file_close,
    .xRead = db_read,
    .xWrite = db_write,
    .xTruncate = db_truncate,
    .xSync = db_sync,
    .xFileSize = db_size,
    .xLock = db_lock,
    .xUnlock = db_unlock,
    .xCheckReservedLock = db_check_reserved,
    .xFileControl = db_control,
    .xSectorSize = vfs_file_sector,
    .xDeviceCharacteristics = vfs_file_traits,
    .xShmMap = db_shm_map,
    .xShmLock = db_shm_lock,
    .xShmBarrier = db_shm_barrier,
    .xShmUnmap = db_shm_unmap,
};
