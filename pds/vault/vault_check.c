/* A check reads every page and frame, whatever SQLite thinks of them, and then asks SQLite. */
#include "pds/vault/vault.h"

#include "pds/base/auto.h"
#include "pds/base/mem.h"
#include "pds/vault/bytes_internal.h"
#include "pds/vault/db_internal.h"
#include "pds/vault/vault_internal.h"
#include "pds/vault/wal_scan_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PLACE_BYTES = 64 };

static const char SQL_INTEGRITY[] = "PRAGMA integrity_check(100)";
static const char SQL_FOREIGN_KEYS[] = "PRAGMA foreign_key_check";

struct check {
    struct vfs *vfs;
    struct writer *writer; /* NULL when the store is not open */
    vault_problem *found;
    void *context;
    struct vault_check_report report;
    char told[PLACE_BYTES]; /* a place that was told already */
    bool log_is_over;       /* all frames are in vault.db */
};

static void tell(struct check *c, const char *where, const char *what)
{
    if (c->told[0] && strcmp(c->told, where) == 0)
        return;
    c->report.problems++;
    c->found(c->context, where, what);
}

static void tell_at(struct check *c, const char *kind, uint32_t number, const char *what)
{
    char where[PLACE_BYTES];

    (void)snprintf(where, sizeof where, "%s %" PRIu32, kind, number);
    tell(c, where, what);
}

/* A page that a checkpoint did not finish is read from the log. */
static bool is_in_log(const struct check *c, uint32_t page)
{
    uint32_t limit = c->log_is_over ? 0 : atomic_load(&c->vfs->wal.limit);

    for (uint32_t i = 1; i <= limit; i++)
        if (wal_page(&c->vfs->wal, i) == page)
            return true;
    return false;
}

/* What is wrong with what was read, which does not open. */
static const char *fault_of(struct check *c, int rc)
{
    if (rc == SQLITE_OK)
        return "its seal is broken";
    if (rc == SQLITE_IOERR_SHORT_READ)
        return "the file ends before it";
    c->report.unread++;
    return "it cannot be read";
}

static void check_page(struct check *c, sqlite3_file *f, uint32_t number)
{
    uint8_t page[PAGE_BYTES];
    int rc = vfs_lower_read(f, page, PAGE_BYTES, (sqlite3_int64)(number - 1) * PAGE_BYTES);

    c->report.pages++;
    if (rc == SQLITE_OK && vfs_open_page(c->vfs, number, page, page))
        return;
    if (is_in_log(c, number))
        return;
    tell_at(c, "vault.db page", number, fault_of(c, rc));
}

static enum err check_pages(struct check *c)
{
    AUTO(vfs_lower_closep) sqlite3_file *f = NULL;
    uint8_t head[PAGE_BYTES];
    sqlite3_int64 size;
    uint32_t pages, known = 0;
    enum err e = vfs_lower_open(c->vfs, FILE_DB, &f);

    if (e)
        return e;
    if (f->pMethods->xFileSize(f, &size) != SQLITE_OK)
        return err_set(ERR_IO, "the size of vault.db");
    pages = (uint32_t)(size / PAGE_BYTES);
    for (uint32_t i = 1; i <= pages; i++)
        if (i != LOCK_PAGE)
            check_page(c, f, i);
    if (c->log_is_over && vfs_read_head(c->vfs, f, head) == SQLITE_OK)
        known = bytes_get32(head + 28);
    for (uint32_t i = pages + 1; i <= known && i <= pages + 100; i++)
        tell_at(c, "vault.db page", i, "the file ends before it");
    return ERR_OK;
}

static void check_frame(struct check *c, sqlite3_file *f, uint32_t number)
{
    uint8_t frame[FRAME_SEALED_BYTES], header[FRAME_HEADER_PLAIN_BYTES];
    int rc = vfs_lower_read(f, frame, FRAME_SEALED_BYTES, frame_place(number));

    c->report.pages++;
    if (rc != SQLITE_OK ||
        !vfs_open_frame_header(c->vfs, atomic_load(&c->vfs->wal.generation), number, frame, header) ||
        !vfs_open_page(c->vfs, bytes_get32(header), frame + FRAME_HEADER_SEALED_BYTES,
                       frame + FRAME_HEADER_SEALED_BYTES))
        tell_at(c, "vault.db-wal frame", number, fault_of(c, rc));
}

/* Frames that somebody was told are kept. Not while the log is written. */
static enum err check_frames(struct check *c)
{
    AUTO(vfs_lower_closep) sqlite3_file *f = NULL;
    uint32_t frames = vfs_frames(c->vfs);
    struct wal_scan scan;
    uint64_t before = c->report.problems;
    enum err e;

    if (frames == 0)
        return ERR_OK;
    if ((e = vfs_lower_open(c->vfs, FILE_WAL, &f)))
        return e;
    for (uint32_t i = 1; i <= frames; i++)
        check_frame(c, f, i);
    if (c->report.problems > before || c->told[0])
        return ERR_OK;
    if ((e = wal_scan(c->vfs, f, atomic_load(&c->vfs->wal.generation), NULL, &scan)))
        return e;
    if (!scan.header_ok)
        tell(c, "vault.db-wal header", "its seal is broken");
    else if (scan.committed < frames)
        tell_at(c, "vault.db-wal frame", scan.valid + 1, scan.fault ? scan.fault : "the file ends before it");
    return ERR_OK;
}

/* On the writer's thread, so that the log stands still. The vault is held: after this nothing is brought to
 * vault.db. */
static enum err check_log(struct db *db, void *context)
{
    struct check *c = context;

    (void)db;
    if (!vault_may_write(c->writer->vault) && writer_checkpoint(c->writer, &c->log_is_over))
        c->log_is_over = false; /* what stopped it is found below */
    return check_frames(c);
}

static enum err check_structure(struct check *c, struct db *db)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e = db_query(db, SQL_INTEGRITY, NO_PARAMS, &row);

    while (!e && !(e = stmt_next(row)))
        if (!str_eq(stmt_text(row, 0), STR("ok")))
            tell(c, "vault.db", stmt_text(row, 0).ptr); /* names tables and rows, no values */
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err check_references(struct check *c, struct db *db)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e = db_query(db, SQL_FOREIGN_KEYS, NO_PARAMS, &row);
    char where[2 * PLACE_BYTES];

    while (!e && !(e = stmt_next(row))) {
        (void)snprintf(where, sizeof where, "table %.64s row %" PRId64, stmt_text(row, 0).ptr,
                       stmt_int(row, 1));
        tell(c, where, "what it refers to is missing");
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err check_inside(struct check *c, struct vault *v)
{
    AUTO(reader_done) struct reader r = {v, NULL};
    enum err e;

    if ((e = vault_read(v, &r.db)) || (e = check_structure(c, r.db)) || (e = check_references(c, r.db)))
        return e;
    return ERR_OK;
}

enum err vault_check(struct vault *v, vault_problem *found, void *context, struct vault_check_report *out)
{
    struct check c = {.vfs = v->vfs, .writer = &v->writer, .found = found, .context = context};
    uint64_t unread = atomic_load(&v->vfs->unread);
    enum err e = vault_hold(v);

    if (e)
        return e;
    if (!(e = writer_run(&v->writer, check_log, &c, JOB_ALONE)))
        e = check_pages(&c);
    vault_unhold(v);
    if (!e && c.report.problems == 0)
        e = check_inside(&c, v);
    if (e == ERR_CORRUPT || e == ERR_INTERNAL) { /* met by SQLite: a problem like the others */
        tell(&c, "vault.db", err_story());
        e = ERR_OK;
    }
    c.report.unread += atomic_load(&v->vfs->unread) - unread;
    if (!e)
        *out = c.report;
    return e;
}

/* What keeps the store from opening, as a place and what is wrong there. */
static void tell_story(struct check *c)
{
    const char *story = err_story();
    const char *what = strstr(story, ": ");
    char where[PLACE_BYTES] = {0};

    if (!what || what - story >= PLACE_BYTES) {
        tell(c, "vault.db", story);
        return;
    }
    memcpy(where, story, (size_t)(what - story));
    tell(c, where, what + 2);
    memcpy(c->told, where, sizeof where);
}

enum err vault_check_files(const char *dir, const struct store_key *root,
                           const uint8_t store_id[static STORE_ID_BYTES], vault_problem *found, void *context,
                           struct vault_check_report *out)
{
    AUTO(vfs_closep) struct vfs *v = NULL;
    struct check c = {.found = found, .context = context};
    enum err e;

    if ((e = db_start()) || (e = vfs_open_unseen(dir, root, store_id, &v)))
        return e;
    c.vfs = v;
    e = vfs_look(v);
    if (e && e != ERR_CORRUPT)
        return e;
    if (e)
        tell_story(&c);
    c.log_is_over = !e && vfs_frames(v) == 0;
    if ((e = check_frames(&c)) || (e = check_pages(&c)))
        return e;
    *out = c.report;
    return ERR_OK;
}
