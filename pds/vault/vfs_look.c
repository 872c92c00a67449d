/* Before SQLite: whose store is this, is its log whole? Nothing is written unless the answer is yes. */
#include "pds/vault/vfs_internal.h"

#include "pds/base/auto.h"
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
    if (a->now.frames > 0 || s->promised > 0 || (!s->blank && !a->known))
        return err_set(ERR_CORRUPT, "vault.db-wal header: its seal is broken");
    return ERR_OK; /* a log that a power cut stopped being begun */
}

static enum err judge_log(const struct anchor *a, const struct wal_scan *s, bool *live)
{
    uint64_t needed = s->promised;

    *live = false;
    if (!s->header_ok)
        return judge_headless(a, s);
    if (a->known && s->generation < a->now.generation)
        return ERR_OK; /* all of it is in vault.db: the anchor was synced after that, before it could be
                          removed */
    if (a->known && s->generation > a->now.generation)
        return err_set(ERR_CORRUPT, "lock: it is older than vault.db-wal");
    if (a->known && a->now.frames > needed)
        needed = a->now.frames;
    if (s->committed < needed)
        return err_set(ERR_CORRUPT, "vault.db-wal frame %" PRIu32 ": %s", s->valid + 1,
                       s->fault ? s->fault : "the file ends before it");
    *live = true;
    return ERR_OK;
}

static enum err judge_db(const struct look *l, bool log_holds)
{
    uint32_t pages = bytes_get32(l->head + HEAD_PAGES_AT);

    if (!l->head_opens)
        return err_set(ERR_CORRUPT, "vault.db page 1: its seal is broken");
    if (!log_holds && l->db_size / PAGE_BYTES < pages)
        return err_set(ERR_CORRUPT, "vault.db page %" PRIu32 ": the file ends before it",
                       (uint32_t)(l->db_size / PAGE_BYTES) + 1);
    return ERR_OK;
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
    if (a->known && a->now.generation == now.generation && a->now.frames == now.frames)
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

static enum err look_at(struct vfs *v, struct look *l)
{
    bool live;
    enum err e;

    if ((e = vfs_lower_open(v, FILE_DB, &l->db)) || (e = look_at_log(v, l)))
        return e;
    if (l->db->pMethods->xFileSize(l->db, &l->db_size) != SQLITE_OK)
        return err_set(ERR_IO, "the size of vault.db");
    l->head_opens = vfs_read_head(v, l->db, l->head);
    if ((e = judge_key(v, l)))
        return e;
    if (v->anchor.broken)
        return err_set(ERR_CORRUPT, "lock: the seals of both slots are broken");
    if ((e = judge_log(&v->anchor, &l->scan, &live))) {
        remember_needed(v, l);
        return e;
    }
    if ((e = judge_db(l, live && l->scan.committed > 0)))
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
