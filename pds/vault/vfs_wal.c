/* The write-ahead log: SQLite's offsets and sizes are those of a plain log, ours have 48 bytes more for
 * each header. A frame's header waits in the handle for its page, so that both are one write. */
#include "pds/vault/vfs_internal.h"

#include "pds/base/mem.h"
#include "pds/vault/bytes_internal.h"

#include <string.h>

static struct sealed_file *sealed(sqlite3_file *f) { return (struct sealed_file *)(void *)f; }

bool wal_set_page(struct wal *w, uint32_t frame, uint32_t page)
{
    uint32_t chunk = (frame - 1) / FRAME_CHUNK;
    _Atomic uint32_t *pages;

    if (chunk >= FRAME_CHUNKS)
        return false;
    pages = atomic_load_explicit(&w->chunks[chunk], memory_order_acquire);
    if (!pages) {
        if (!(pages = mem_array(FRAME_CHUNK, sizeof *pages)))
            return false;
        atomic_store_explicit(&w->chunks[chunk], pages, memory_order_release);
    }
    atomic_store_explicit(&pages[(frame - 1) % FRAME_CHUNK], page, memory_order_release);
    return true;
}

uint32_t wal_page(struct wal *w, uint32_t frame)
{
    uint32_t chunk = (frame - 1) / FRAME_CHUNK;
    _Atomic uint32_t *pages;

    if (frame == 0 || chunk >= FRAME_CHUNKS)
        return 0;
    pages = atomic_load_explicit(&w->chunks[chunk], memory_order_acquire);
    return pages ? atomic_load_explicit(&pages[(frame - 1) % FRAME_CHUNK], memory_order_acquire) : 0;
}

void wal_done(struct wal *w)
{
    for (int i = 0; i < FRAME_CHUNKS; i++)
        mem_free((void *)atomic_exchange(&w->chunks[i], NULL));
}

static void forget_frames(struct wal *w)
{
    atomic_store(&w->live, false);
    atomic_store(&w->limit, 0);
    w->durable = w->tail_commit = w->synced_commit = w->last = w->unsigned_from = 0;
}

/* The anchor is on the disk before the log changes: whatever the log then looks like, nobody asks for it. */
int wal_renew(struct vfs *v)
{
    struct anchor_state next = {atomic_load(&v->wal.generation) + 1, 0};
    int rc = anchor_write(&v->anchor, next);

    if (rc != SQLITE_OK)
        return rc;
    rc = anchor_sync(&v->anchor);
    if (rc != SQLITE_OK) {
        atomic_store(&v->ended, true);
        return rc;
    }
    atomic_store(&v->wal.generation, next.generation);
    forget_frames(&v->wal);
    return SQLITE_OK;
}

void wal_committed(struct vfs *v)
{
    struct wal *w = &v->wal;
    struct anchor_state now;

    pthread_mutex_lock(&v->mutex);
    if (w->synced_commit > w->durable) {
        w->durable = w->synced_commit;
        atomic_store(&w->pages, w->tail_pages);
        now = (struct anchor_state){atomic_load(&w->generation), w->durable};
        if (anchor_write(&v->anchor, now) != SQLITE_OK)
            v->anchor.dirty = true; /* the commit is durable without it: an anchor may lag */
    }
    pthread_mutex_unlock(&v->mutex);
}

void wal_dismiss_failed(struct vfs *v)
{
    struct wal *w = &v->wal;

    pthread_mutex_lock(&v->mutex);
    w->tail_commit = w->synced_commit = w->durable;
    w->tail_pages = atomic_load(&w->pages);
    pthread_mutex_unlock(&v->mutex);
}

/* Salts and checksum are zeros while SQLite means to compute the checksums again before the commit. */
static bool is_signed(const uint8_t *header)
{
    static const uint8_t NOTHING[16] = {0};

    return memcmp(header + 8, NOTHING, sizeof NOTHING) != 0;
}

/* Called with the frames' headers in order: what stood behind a rewritten frame no longer counts. */
static void note_frame(struct wal *w, uint32_t frame, const uint8_t *header)
{
    uint32_t pages = bytes_get32(header + 4);

    if (frame <= w->tail_commit)
        w->tail_commit = w->durable;
    if (frame <= w->synced_commit)
        w->synced_commit = w->durable;
    if (pages) {
        w->tail_commit = frame;
        w->tail_pages = pages;
    }
    if (frame > atomic_load(&w->limit))
        atomic_store(&w->limit, frame);
    w->last = frame;
    if (w->unsigned_from == 0 || frame <= w->unsigned_from)
        w->unsigned_from = is_signed(header) ? 0 : frame;
}

static void seal_header(struct vfs *v, uint32_t frame, const uint8_t *header, uint8_t *out)
{
    uint8_t plain[FRAME_HEADER_PLAIN_BYTES];

    memcpy(plain, header, FRAME_HEADER_BYTES);
    bytes_put64(plain + FRAME_HEADER_BYTES, v->wal.durable);
    vfs_seal_frame_header(v, atomic_load(&v->wal.generation), frame, plain, out);
}

/* Write the pending header alone: SQLite rewrites checksums after a cache spill (trap 3). */
static int flush_header(struct sealed_file *f)
{
    uint8_t out[FRAME_HEADER_SEALED_BYTES];
    uint32_t frame = f->pending;
    int rc;

    if (!frame)
        return SQLITE_OK;
    f->pending = 0;
    seal_header(f->vfs, frame, f->pending_header, out);
    rc = f->lower->pMethods->xWrite(f->lower, out, sizeof out, frame_place(frame));
    if (rc == SQLITE_OK)
        note_frame(&f->vfs->wal, frame, f->pending_header);
    return rc;
}

static int write_page(struct sealed_file *f, uint32_t frame, const uint8_t *plain)
{
    struct vfs *v = f->vfs;
    uint8_t out[FRAME_SEALED_BYTES];
    uint32_t page = f->pending ? bytes_get32(f->pending_header) : wal_page(&v->wal, frame);
    int rc;

    if (!vfs_tail_is_free(plain) || page == 0)
        return SQLITE_IOERR_WRITE;
    vfs_seal_page(v, page, plain, out + FRAME_HEADER_SEALED_BYTES);
    if (!f->pending) /* a page spilled before, changed again in its transaction */
        return f->lower->pMethods->xWrite(f->lower, out + FRAME_HEADER_SEALED_BYTES, PAGE_BYTES,
                                          frame_place(frame) + FRAME_HEADER_SEALED_BYTES);
    f->pending = 0;
    if (!wal_set_page(&v->wal, frame, page))
        return SQLITE_IOERR_NOMEM; /* the ceiling was looked at before */
    seal_header(v, frame, f->pending_header, out);
    rc = f->lower->pMethods->xWrite(f->lower, out, sizeof out, frame_place(frame));
    if (rc == SQLITE_OK)
        note_frame(&v->wal, frame, f->pending_header);
    return rc;
}

/* A new log over the old one, all of whose frames SQLite has brought to vault.db and synced. */
static int write_log_header(struct sealed_file *f, const uint8_t *header)
{
    struct vfs *v = f->vfs;
    uint8_t plain[LOG_HEADER_PLAIN_BYTES], out[LOG_HEADER_SEALED_BYTES];
    int rc = wal_renew(v);

    if (rc != SQLITE_OK)
        return rc;
    memcpy(plain, header, LOG_HEADER_BYTES);
    bytes_put64(plain + LOG_HEADER_BYTES, atomic_load(&v->wal.generation));
    vfs_seal_log_header(v, plain, out);
    rc = f->lower->pMethods->xWrite(f->lower, out, sizeof out, 0);
    atomic_store(&v->wal.live, rc == SQLITE_OK);
    return rc;
}

static int write_shape(struct sealed_file *f, const uint8_t *bytes, int n, sqlite3_int64 offset)
{
    sqlite3_int64 at = offset - LOG_HEADER_BYTES;
    uint32_t frame;
    int rc;

    if (offset == 0 && n == LOG_HEADER_BYTES)
        return write_log_header(f, bytes);
    if (at < 0 || at / FRAME_BYTES >= FRAME_CHUNK * (sqlite3_int64)FRAME_CHUNKS)
        return at < 0 ? SQLITE_IOERR_WRITE : SQLITE_FULL;
    frame = (uint32_t)(at / FRAME_BYTES) + 1;
    at %= FRAME_BYTES;
    if (f->pending && (at != FRAME_HEADER_BYTES || frame != f->pending) && (rc = flush_header(f)))
        return rc;
    if (at == 0 && n == FRAME_HEADER_BYTES) {
        f->pending = frame;
        memcpy(f->pending_header, bytes, FRAME_HEADER_BYTES);
        return SQLITE_OK;
    }
    if (at == FRAME_HEADER_BYTES && n == PAGE_BYTES)
        return write_page(f, frame, bytes);
    return SQLITE_IOERR_WRITE; /* a shape that no SQLite we know writes */
}

static int wal_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 offset)
{
    struct sealed_file *f = sealed(file);
    int rc;

    if (atomic_load(&f->vfs->ended))
        return SQLITE_IOERR_WRITE;
    pthread_mutex_lock(&f->vfs->mutex);
    rc = write_shape(f, bytes, n, offset);
    pthread_mutex_unlock(&f->vfs->mutex);
    return rc;
}

static int flush(struct sealed_file *f)
{
    int rc;

    if (!f->pending)
        return SQLITE_OK;
    pthread_mutex_lock(&f->vfs->mutex);
    rc = flush_header(f);
    pthread_mutex_unlock(&f->vfs->mutex);
    return rc;
}

static int read_log_header(struct sealed_file *f, uint8_t *out, int n, sqlite3_int64 offset)
{
    uint8_t sealed_bytes[LOG_HEADER_SEALED_BYTES], plain[LOG_HEADER_PLAIN_BYTES];
    int rc;

    if (!atomic_load(&f->vfs->wal.live)) { /* nothing of an earlier generation is wanted */
        memset(out, 0, (size_t)n);
        return SQLITE_OK;
    }
    rc = vfs_lower_read(f->lower, sealed_bytes, sizeof sealed_bytes, 0);
    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
        return rc;
    if (rc != SQLITE_OK || !vfs_open_log_header(f->vfs, sealed_bytes, plain))
        return vfs_damage(f->vfs, "vault.db-wal header: its seal is broken");
    memcpy(out, plain + offset, (size_t)n);
    return SQLITE_OK;
}

static int read_frame_header(struct sealed_file *f, uint32_t frame,
                             uint8_t plain[static FRAME_HEADER_PLAIN_BYTES])
{
    uint8_t bytes[FRAME_HEADER_SEALED_BYTES];
    int rc = vfs_lower_read(f->lower, bytes, sizeof bytes, frame_place(frame));

    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
        return rc;
    if (rc != SQLITE_OK ||
        !vfs_open_frame_header(f->vfs, atomic_load(&f->vfs->wal.generation), frame, bytes, plain))
        return vfs_damage(f->vfs, "vault.db-wal frame %u: the seal of its header is broken", frame);
    return SQLITE_OK;
}

static int read_frame_page(struct sealed_file *f, uint32_t frame, uint32_t page,
                           uint8_t out[static PAGE_BYTES])
{
    struct reuse *r = vfs_reuse_here(f->vfs);
    uint8_t *bytes = r ? r->sealed : out;
    int rc = vfs_lower_read(f->lower, bytes, PAGE_BYTES, frame_place(frame) + FRAME_HEADER_SEALED_BYTES);

    if (r)
        r->page = 0;
    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
        return rc;
    if (rc != SQLITE_OK || !vfs_open_page(f->vfs, page, bytes, out))
        return vfs_damage(f->vfs, "vault.db-wal frame %u: the seal of its page is broken", frame);
    if (r) {
        r->page = page;
        memcpy(r->plain, out, PAGE_BYTES);
    }
    return SQLITE_OK;
}

/* SQLite asks for the checksum before the first frame that it signs again. It forgets the frames that it
 * wrote unsigned below that one after a ROLLBACK TO, and asks past the last one when there is none above:
 * left alone, the commit would be lost at recovery (decision 0004). */
static int read_checksum(struct sealed_file *f, uint32_t frame, uint8_t *out)
{
    struct wal *w = &f->vfs->wal;
    uint8_t plain[FRAME_HEADER_PLAIN_BYTES];
    int rc = SQLITE_OK;

    pthread_mutex_lock(&f->vfs->mutex);
    if (w->unsigned_from) {
        frame = frame < w->last ? frame : w->last;
        rc = wal_sign(f, frame);
    }
    w->unsigned_from = 0; /* SQLite signs the others now */
    pthread_mutex_unlock(&f->vfs->mutex);
    if (rc != SQLITE_OK || (rc = read_frame_header(f, frame, plain)))
        return rc;
    memcpy(out, plain + 16, 8);
    return SQLITE_OK;
}

/* Any part of one frame; at counts from the frame's beginning in SQLite's layout. */
static int read_frame(struct sealed_file *f, uint32_t frame, uint8_t *out, int n, sqlite3_int64 at)
{
    uint8_t plain[FRAME_HEADER_PLAIN_BYTES] = {0}, whole[FRAME_BYTES];
    uint32_t page = wal_page(&f->vfs->wal, frame);
    int rc;

    if (at == FRAME_HEADER_BYTES && n == PAGE_BYTES && page)
        return read_frame_page(f, frame, page, out);
    if ((rc = read_frame_header(f, frame, plain)))
        return rc;
    if (at + n > FRAME_HEADER_BYTES &&
        (rc = read_frame_page(f, frame, bytes_get32(plain), whole + FRAME_HEADER_BYTES)))
        return rc;
    memcpy(whole, plain, FRAME_HEADER_BYTES);
    memcpy(out, whole + at, (size_t)n);
    return SQLITE_OK;
}

static int read_log(struct sealed_file *f, void *out, int n, sqlite3_int64 offset)
{
    sqlite3_int64 at = offset - LOG_HEADER_BYTES, frame = at / FRAME_BYTES + 1;
    int rc = flush(f);

    if (rc != SQLITE_OK)
        return rc;
    if (at < 0)
        return offset + n <= LOG_HEADER_BYTES ? read_log_header(f, out, n, offset) : SQLITE_IOERR_READ;
    at %= FRAME_BYTES;
    if (at + n > FRAME_BYTES)
        return SQLITE_IOERR_READ;
    if (at == 16 && n == 8)
        return read_checksum(f, (uint32_t)frame, out);
    if (frame > atomic_load(&f->vfs->wal.limit)) { /* a torn tail, told from damage before: the log ends */
        memset(out, 0, (size_t)n);
        return SQLITE_OK;
    }
    return read_frame(f, (uint32_t)frame, out, n, at);
}

static int wal_read(sqlite3_file *file, void *out, int n, sqlite3_int64 offset)
{
    struct sealed_file *f = sealed(file);

    return vfs_note_read(f->vfs, read_log(f, out, n, offset));
}

static int wal_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct sealed_file *f = sealed(file);
    struct vfs *v = f->vfs;
    sqlite3_int64 frames = size < LOG_HEADER_BYTES ? 0 : (size - LOG_HEADER_BYTES) / FRAME_BYTES;
    int rc;

    if (atomic_load(&v->ended))
        return SQLITE_IOERR_TRUNCATE;
    pthread_mutex_lock(&v->mutex);
    rc = flush_header(f);
    if (rc == SQLITE_OK && size > 0 && frames < v->wal.durable)
        rc = SQLITE_IOERR_TRUNCATE; /* would cut commits off */
    if (rc == SQLITE_OK && size == 0)
        rc = wal_renew(v);
    if (rc == SQLITE_OK)
        rc = f->lower->pMethods->xTruncate(f->lower, size == 0 ? 0 : frame_place((uint32_t)frames + 1));
    pthread_mutex_unlock(&v->mutex);
    return rc;
}

static int wal_sync(sqlite3_file *file, int flags)
{
    struct sealed_file *f = sealed(file);
    struct wal *w = &f->vfs->wal;
    uint32_t tail;
    int rc = flush(f);

    if (rc != SQLITE_OK)
        return rc;
    pthread_mutex_lock(&f->vfs->mutex);
    tail = w->tail_commit;
    pthread_mutex_unlock(&f->vfs->mutex);
    if ((rc = vfs_sync(f, flags)))
        return rc;
    pthread_mutex_lock(&f->vfs->mutex);
    if (tail == w->tail_commit)
        w->synced_commit = tail;
    pthread_mutex_unlock(&f->vfs->mutex);
    return SQLITE_OK;
}

static int wal_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct sealed_file *f = sealed(file);
    sqlite3_int64 bytes;
    int rc = flush(f);

    if (rc != SQLITE_OK || (rc = f->lower->pMethods->xFileSize(f->lower, &bytes)))
        return rc;
    *size = bytes <= 0 || !atomic_load(&f->vfs->wal.live) ? 0 : LOG_HEADER_BYTES;
    if (*size && bytes > LOG_HEADER_SEALED_BYTES)
        *size += (bytes - LOG_HEADER_SEALED_BYTES) / FRAME_SEALED_BYTES * FRAME_BYTES;
    return SQLITE_OK;
}

static int wal_lock(sqlite3_file *file, int level)
{
    (void)file, (void)level;
    return SQLITE_OK;
}

static int wal_check_reserved(sqlite3_file *file, int *reserved)
{
    (void)file;
    *reserved = 0;
    return SQLITE_OK;
}

static int wal_control(sqlite3_file *file, int op, void *arg)
{
    struct sealed_file *f = sealed(file);

    if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE)
        return SQLITE_OK;
    return f->lower->pMethods->xFileControl(f->lower, op, arg);
}

const sqlite3_io_methods VFS_WAL_METHODS = {
    .iVersion = 1,
    .xClose = vfs_file_close,
    .xRead = wal_read,
    .xWrite = wal_write,
    .xTruncate = wal_truncate,
    .xSync = wal_sync,
    .xFileSize = wal_size,
    .xLock = wal_lock,
    .xUnlock = wal_lock,
    .xCheckReservedLock = wal_check_reserved,
    .xFileControl = wal_control,
    .xSectorSize = vfs_file_sector,
    .xDeviceCharacteristics = vfs_file_traits,
};
