#include "pds/vault/vault_copy.h"

#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/base/mem.h"
#include "pds/crypto/random.h"
#include "pds/vault/bytes_internal.h"
#include "pds/vault/db_internal.h"
#include "pds/vault/vault_internal.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum {
    HEAD_WRITE_VERSION = 18,
    HEAD_READ_VERSION = 19,
    HEAD_RESERVED = 20,
    HEAD_PAGES = 28,
    HEAD_VACUUM = 52
};
enum { VERSION_ROLLBACK = 1, VERSION_WAL = 2 };

static const char SQL_BEGIN[] = "BEGIN";
static const char SQL_END[] = "COMMIT";
static const char SQL_LOOK[] = "SELECT count(*) FROM sqlite_schema";

static const char HEAD_MAGIC[16] = "SQLite format 3";

struct copy {
    struct writer *writer;
    struct db *seen; /* a reader to be brought to the state that is copied; NULL for none */
    struct vfs *vfs;
    sqlite3_file *db, *log; /* owned */
    uint32_t pages;
    uint32_t
        *frames; /* owned; of each page the frame that has it, 0 when vault.db does; NULL when it has all */
};

static enum err find_frames(struct copy *c, uint32_t last)
{
    if (!(c->frames = mem_array((size_t)c->pages + 1, sizeof *c->frames)))
        return err_set(ERR_NO_MEMORY, "copying the vault");
    for (uint32_t i = 1; i <= last; i++) {
        uint32_t page = wal_page(&c->vfs->wal, i);

        if (page <= c->pages)
            c->frames[page] = i;
    }
    return vfs_lower_open(c->vfs, FILE_WAL, &c->log);
}

/* A reader sees the state of its first read. Nothing is committed meanwhile: this is the writer's thread. */
static enum err bring_reader(struct db *db)
{
    int64_t rows;
    enum err e;

    if (!db)
        return ERR_OK;
    db_end_statements(db);
    if ((e = db_run(db, SQL_END, NO_PARAMS)) || (e = db_run(db, SQL_BEGIN, NO_PARAMS)))
        return e;
    return db_number(db, SQL_LOOK, NO_PARAMS, &rows);
}

/* On the writer's thread. The vault is held: after this nothing is brought to vault.db, so it stands still;
 * so do the frames that it lacks, since a log is written over only once vault.db has all of it. */
static enum err find_pages(struct db *db, void *context)
{
    struct copy *c = context;
    bool whole = false;
    enum err e;

    (void)db;
    if ((e = vault_may_write(c->writer->vault)))
        return e;
    if ((e = writer_checkpoint(c->writer, &whole)) && e != ERR_FULL) /* then they stay in the log */
        return e;
    c->pages = atomic_load(&c->vfs->wal.pages);
    if ((e = bring_reader(c->seen)))
        return e;
    return whole ? ERR_OK : find_frames(c, vfs_frames(c->vfs));
}

static enum err read_page(struct copy *c, uint32_t number, uint8_t page[static PAGE_BYTES])
{
    uint32_t frame = c->frames ? c->frames[number] : 0;
    sqlite3_file *f = frame ? c->log : c->db;
    sqlite3_int64 place =
        frame ? frame_place(frame) + FRAME_HEADER_SEALED_BYTES : (sqlite3_int64)(number - 1) * PAGE_BYTES;
    int rc;

    if (number == LOCK_PAGE) {
        memset(page, 0, PAGE_BYTES);
        return ERR_OK;
    }
    rc = f->pMethods->xRead(f, page, PAGE_BYTES, place);
    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
        return err_set(ERR_IO, "reading page %" PRIu32, number);
    if (rc == SQLITE_OK && vfs_open_page(c->vfs, number, page, page))
        return ERR_OK;
    if (frame)
        (void)vfs_damage(c->vfs, "vault.db-wal frame %" PRIu32 ": the seal of its page is broken", frame);
    else
        (void)vfs_damage(c->vfs, "vault.db page %" PRIu32 ": its seal is broken", number);
    return err_set(ERR_CORRUPT, "%s", vfs_take_place());
}

static enum err put_pages(struct copy *c, vault_put *put, void *context)
{
    uint8_t page[PAGE_BYTES];
    enum err e = vfs_lower_open(c->vfs, FILE_DB, &c->db);

    for (uint32_t i = 1; i <= c->pages && !e; i++) {
        if ((e = read_page(c, i, page)))
            break;
        if (i == 1) /* a file without a log */
            page[HEAD_WRITE_VERSION] = page[HEAD_READ_VERSION] = VERSION_ROLLBACK;
        e = put(context, page, PAGE_BYTES);
    }
    random_wipe(page, sizeof page);
    return e;
}

enum err vault_copy(struct vault *v, vault_size *begin, vault_put *put, void *context)
{
    return vault_copy_seen(v, NULL, begin, put, context);
}

enum err vault_copy_seen(struct vault *v, struct db *seen, vault_size *begin, vault_put *put, void *context)
{
    struct copy c = {.writer = &v->writer, .seen = seen, .vfs = v->vfs};
    enum err e = vault_hold(v);

    if (e)
        return e;
    if (!(e = writer_run(&v->writer, find_pages, &c, JOB_ALONE)) && begin)
        e = begin(context, (uint64_t)c.pages * PAGE_BYTES);
    if (!e)
        e = put_pages(&c, put, context);
    vault_unhold(v);
    vfs_lower_close(c.db);
    vfs_lower_close(c.log);
    mem_free(c.frames);
    return e;
}

struct vault_maker {
    struct vfs *vfs;  /* owned */
    sqlite3_file *db; /* owned */
    char dir[FS_PATH_BYTES];
    uint32_t pages;     /* written */
    uint32_t announced; /* by page 1 */
    size_t held;        /* bytes of a page not whole yet */
    uint8_t page[PAGE_BYTES];
    bool finished;
};

enum err vault_maker_new(const char *dir, const struct store_key *root,
                         const uint8_t store_id[static STORE_ID_BYTES], struct vault_maker **out)
{
    AUTO(vault_maker_freep) struct vault_maker *m = NULL;
    enum err e;

    if ((e = db_start()) || (e = fs_check_private_dir(dir)))
        return e;
    if (!(m = mem_new(sizeof *m)))
        return err_set(ERR_NO_MEMORY, "making the vault");
    if ((e = str_copy(str_of(dir), m->dir, sizeof m->dir)) ||
        (e = vfs_open(dir, root, store_id, true, &m->vfs)) || (e = vfs_lower_open(m->vfs, FILE_DB, &m->db)))
        return e;
    *out = m;
    m = NULL;
    return ERR_OK;
}

static enum err take_head(struct vault_maker *m)
{
    uint8_t *p = m->page;

    if (memcmp(p, HEAD_MAGIC, sizeof HEAD_MAGIC) != 0 || p[16] != PAGE_BYTES >> 8 || p[17] != 0 ||
        p[HEAD_RESERVED] != SEAL_EXTRA_BYTES ||
        bytes_get32(p + HEAD_VACUUM) != 0) /* a map of pages would look like pages of a b-tree (vfs_scrub) */
        return err_set(ERR_INVALID, "the copy is not a database of a vault");
    m->announced = bytes_get32(p + HEAD_PAGES);
    p[HEAD_WRITE_VERSION] = p[HEAD_READ_VERSION] = VERSION_WAL;
    return ERR_OK;
}

static enum err write_page(struct vault_maker *m)
{
    uint8_t sealed[PAGE_BYTES], clean[PAGE_BYTES];
    uint32_t number = m->pages + 1;
    enum err e;

    if (number == 1 && (e = take_head(m)))
        return e;
    if (number > m->announced || !vfs_tail_is_free(m->page))
        return err_set(ERR_INVALID, "page %" PRIu32 " of the copy is not one of a vault", number);
    m->held = 0;
    m->pages = number;
    if (number == LOCK_PAGE)
        return ERR_OK;
    vfs_seal_page(m->vfs, number, vfs_scrub(m->page, number, m->announced, clean) ? clean : m->page, sealed);
    return vfs_err(
        m->db->pMethods->xWrite(m->db, sealed, PAGE_BYTES, (sqlite3_int64)(number - 1) * PAGE_BYTES));
}

enum err vault_maker_put(struct vault_maker *m, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    while (len > 0) {
        size_t part = PAGE_BYTES - m->held < len ? PAGE_BYTES - m->held : len;
        enum err e;

        memcpy(m->page + m->held, at, part);
        m->held += part;
        at += part;
        len -= part;
        if (m->held == PAGE_BYTES && (e = write_page(m)))
            return e;
    }
    return ERR_OK;
}

enum err vault_maker_finish(struct vault_maker *m)
{
    enum err e;
    int rc;

    if (m->pages == 0 || m->held != 0 || m->pages != m->announced)
        return err_set(ERR_INVALID, "the copy ends early");
    if ((e = vfs_err(m->db->pMethods->xSync(m->db, SQLITE_SYNC_NORMAL))))
        return e;
    pthread_mutex_lock(&m->vfs->mutex);
    rc = wal_renew(m->vfs);
    pthread_mutex_unlock(&m->vfs->mutex);
    if ((e = vfs_err(rc)) || (e = fs_sync_dir(m->dir)))
        return e;
    m->finished = true;
    return ERR_OK;
}

void vault_maker_free(struct vault_maker *m)
{
    if (!m)
        return;
    vfs_lower_close(m->db);
    if (m->vfs && !m->finished)
        (void)unlink(m->vfs->db_path); /* half of a copy: whoever made it is told that it failed */
    vfs_close(m->vfs);
    random_wipe(m->page, sizeof m->page);
    mem_free(m);
}
