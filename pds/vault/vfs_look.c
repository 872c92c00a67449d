/* Before SQLite: whose store is this, is its log whole? Nothing is written unless the answer is yes. */
#include "pds/vault/vfs_internal.h"

#include "pds/base/auto.h"
#include "pds/base/mem.h"
#include "pds/vault/bytes_internal.h"
#include "pds/vault/wal_scan_internal.h"

#include <inttypes.h>

enum { HEAD_PAGES_AT = 28, OTHER_PAGES = 16 };

struct look {
    sqlite3_file *db, *log;
    sqlite3_int64 db_size;
    struct wal_scan scan;
    bool head_opens;
    uint8_t head[PAGE_BYTES];
};

/* Page 1 opens nothing: does any other page, so that it is page 1 that is wrong and not the key? */
static bool any_page_opens(struct vfs *v, const struct look *l)
{
    uint8_t page[PAGE_BYTES];
    uint32_t last = (uint32_t)(l->db_size / PAGE_BYTES);

    for (uint32_t i = 2; i <= last && i <= OTHER_PAGES; i++)
        if (l->db->pMethods->xRead(l->db, page, PAGE_BYTES, (sqlite3_int64)(i - 1) * PAGE_BYTES) ==
                SQLITE_OK &&
            vfs_open_page(v, i, page, page))
            return true;
    return false;
}

static enum err judge_key(struct vfs *v, const struct look *l)
{
    if (l->db_size < PAGE_BYTES)
        return err_set(ERR_CORRUPT, "vault.db page 1: the file ends before it");
    if (l->head_opens || l->scan.header_ok || v->anchor.known || any_page_opens(v, l))
        return ERR_OK;
    return err_set(ERR_WRONG_KEY, "vault.db: the key opens nothing in it");
}

/* A log without a sound header: was there anything in it that somebody was told is kept? */
static enum err judge_headless(const struct anchor *a, const struct wal_scan *s)
{
    if (a->now.frames > 0 && s->stored == 0)
        return err_set(ERR_CORRUPT, "vault.db-wal: it is gone, with %" PRIu64 " frames", a->now.frames);
    if (a->now.frames > 0 || s->begun)
        return err_set(ERR_CORRUPT, "vault.db-wal header: its seal is broken");
    return ERR_OK; /* a log that a power cut stopped being begun */
}

/* All of an older log is in vault.db: the anchor was synced after that, before it could be removed. But the
 * header of a log is synced before its first frame, so no crash puts an older one back behind frames. */
static enum err judge_older(const struct anchor *a, const struct wal_scan *s)
{
    if (a->now.frames > 0 || s->begun)
        return err_set(ERR_CORRUPT, "vault.db-wal: an older log stands in its place");
    return ERR_OK;
}

/* The anchor is on the disk before a log is begun, so no crash loses it. A log of which nobody knows whether
 * it is the last is not replayed over vault.db; without one, vault.db may have all, as after every close. */
static enum err judge_without_anchor(const struct wal_scan *s)
{
    if (!s->blank || s->stored > 0)
        return err_set(ERR_CORRUPT, "lock: it is missing or empty, and vault.db-wal is not");
    return ERR_OK;
}

static enum err judge_log(const struct anchor *a, const struct wal_scan *s, bool *live)
{
    uint64_t needed = s->promised;

    *live = false;
    if (!a->known)
        return judge_without_anchor(s);
    if (!s->header_ok)
        return judge_headless(a, s);
    if (s->generation < a->now.generation)
        return judge_older(a, s);
    if (s->generation > a->now.generation)
        return err_set(ERR_CORRUPT, "lock: it is older than vault.db-wal");
    if (a->now.frames > needed)
        needed = a->now.frames;
    if (s->committed < needed)
        return err_set(ERR_CORRUPT, "vault.db-wal frame %" PRIu32 ": %s", s->valid + 1,
                       s->fault ? s->fault : "the file ends before it");
    *live = true;
    return ERR_OK;
}

static enum err db_ends_before(uint32_t page)
{
    return err_set(ERR_CORRUPT, "vault.db page %" PRIu32 ": the file ends before it", page);
}

/* The pages from `first` to the last that the log knows of, which vault.db does not reach, are in the log. */
static enum err judge_growth(struct vfs *v, const struct look *l, uint32_t first)
{
    uint32_t missing = l->scan.pages - first + 1, at;
    uint8_t *found; /* of each page, whether a frame has it; the lock page is never written */

    if (missing > l->scan.committed + 2) /* more than frames could hold: the first that none has is told */
        missing = l->scan.committed + 2;
    if (!(found = mem_array(missing, 1)))
        return err_set(ERR_NO_MEMORY, "vault.db-wal");
    for (uint32_t i = 1; i <= l->scan.committed; i++)
        if ((at = wal_page(&v->wal, i)) >= first && at - first < missing)
            found[at - first] = 1;
    for (at = 0; at < missing && (found[at] || first + at == LOCK_PAGE); at++) {
    }
    mem_free(found);
    return at < missing ? db_ends_before(first + at) : ERR_OK;
}

static enum err judge_db(struct vfs *v, const struct look *l, bool log_holds)
{
    uint32_t pages = log_holds ? l->scan.pages : bytes_get32(l->head + HEAD_PAGES_AT);
    uint32_t first = (uint32_t)(l->db_size / PAGE_BYTES) + 1; /* that is not in vault.db */

    if (!l->head_opens)
        return err_set(ERR_CORRUPT, "vault.db page 1: its seal is broken");
    if (first > pages)
        return ERR_OK;
    return log_holds ? judge_growth(v, l, first) : db_ends_before(first);
}

/* What a killed process wrote is read now, so it must last from now on. */
static enum err keep_log(struct vfs *v, const struct look *l, bool live)
{
    struct anchor *a = &v->anchor;
    struct wal *w = &v->wal;
    struct anchor_state now;

    atomic_store(&w->generation, l->scan.header_ok && live ? l->scan.generation : a->now.generation);
    atomic_store(&w->live, live);
    atomic_store(&w->limit, live ? l->scan.committed : 0);
    atomic_store(&w->pages, atomic_load(&w->limit) ? l->scan.pages : bytes_get32(l->head + HEAD_PAGES_AT));
    w->durable = w->tail_commit = w->synced_commit = atomic_load(&w->limit);
    w->tail_pages = atomic_load(&w->pages);
    if (w->durable && l->log->pMethods->xSync(l->log, SQLITE_SYNC_NORMAL) != SQLITE_OK)
        return err_set(ERR_IO, "syncing vault.db-wal");
    if (anchor_sync(a) != SQLITE_OK)
        return err_set(ERR_IO, "syncing lock");
    now = (struct anchor_state){atomic_load(&w->generation), w->durable};
    if (a->now.generation == now.generation && a->now.frames == now.frames)
        return ERR_OK;
    return live ? vfs_err(anchor_write(a, now)) : ERR_OK;
}

/* For a check of a store that does not open: the frames that ought to be there. */
static void remember_needed(struct vfs *v, const struct look *l)
{
    uint64_t needed = l->scan.promised > v->anchor.now.frames ? l->scan.promised : v->anchor.now.frames;

    atomic_store(&v->wal.generation, l->scan.header_ok ? l->scan.generation : v->anchor.now.generation);
    v->wal.durable = needed < l->scan.stored ? (uint32_t)needed : l->scan.stored;
}

static enum err look_at_log(struct vfs *v, struct look *l)
{
    int exists = 0;
    enum err e;

    if (v->lower->xAccess(v->lower, v->wal_path, SQLITE_ACCESS_EXISTS, &exists) != SQLITE_OK)
        return err_set(ERR_IO, "looking for vault.db-wal");
    if (exists && (e = vfs_lower_open(v, FILE_WAL, &l->log)))
        return e;
    if ((e = wal_scan(v, l->log, v->anchor.now.generation, &v->wal, &l->scan)))
        return e;
    atomic_store(&v->wal.limit, l->scan.committed); /* page 1 may stand there */
    return ERR_OK;
}

static enum err look_at_head(struct vfs *v, struct look *l)
{
    int rc = vfs_read_head(v, l->db, l->head);

    if (rc == SQLITE_IOERR_READ)
        return err_set(ERR_IO, "reading vault.db page 1");
    l->head_opens = rc == SQLITE_OK;
    return ERR_OK;
}

static enum err look_at(struct vfs *v, struct look *l)
{
    bool live;
    enum err e;

    if ((e = vfs_lower_open(v, FILE_DB, &l->db)) || (e = look_at_log(v, l)))
        return e;
    if (l->db->pMethods->xFileSize(l->db, &l->db_size) != SQLITE_OK)
        return err_set(ERR_IO, "the size of vault.db");
    if ((e = look_at_head(v, l)) || (e = judge_key(v, l)))
        return e;
    if (v->anchor.broken)
        return err_set(ERR_CORRUPT, "lock: the seals of both slots are broken");
    if ((e = judge_log(&v->anchor, &l->scan, &live))) {
        remember_needed(v, l);
        return e;
    }
    if (!live) { /* nor is page 1 looked for in a log that does not count */
        atomic_store(&v->wal.limit, 0);
        if ((e = look_at_head(v, l)))
            return e;
    }
    if ((e = judge_db(v, l, live && l->scan.committed > 0)))
        return e;
    return keep_log(v, l, live);
}

enum err vfs_look(struct vfs *v)
{
    struct look l = {0};
    enum err e = look_at(v, &l);

    vfs_lower_close(l.log);
    vfs_lower_close(l.db);
    return e;
}
