#include "pds/store/erase.h"
#include "pds/store/erase_internal.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/store/blob.h"
#include "pds/store/period.h"
#include "pds/vault/vault.h"
#include "pds/vault/vault_before.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PURGE_WAIT_MS = 10000, BARE_PURGE_WAIT_MS = 2000, WHAT_BYTES = 192 };

/* Beyond any instant of a record, and short of where sums overflow. */
static const int64_t TIME_MIN = -100000000000, TIME_MAX = 100000000000;

static const char SQL_SOURCE[] = "SELECT 1 FROM source WHERE id = ?1";
static const char SQL_BEGIN[] =
    "INSERT INTO erasure (dataset, source_id, from_at, to_at, whole, bare, line, begun_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
static const char SQL_FIRST[] =
    "SELECT number, dataset, source_id, from_at, to_at, whole, bare, line, deleted FROM erasure"
    " WHERE number > ?1 ORDER BY number LIMIT 1";
static const char SQL_DELETED[] = "UPDATE erasure SET deleted = 1 WHERE number = ?1";
/* Those before, which could not be cleaned up after, are clean by this one's purge. */
static const char SQL_END[] = "DELETE FROM erasure WHERE number = ?1 OR (deleted = 1 AND number < ?1)";

struct beginning {
    struct erasure *erasure;
    const struct dataset *dataset; /* NULL: any */
    int64_t now;
};

/* Names no value: a dataset, the number of a source, a period only as one that was named. */
static void write_what(const struct erasure *e, char out[static WHAT_BYTES])
{
    char source[32] = "";

    if (e->source_id)
        (void)snprintf(source, sizeof source, "%ssource %" PRId64, e->dataset[0] ? " " : "", e->source_id);
    (void)snprintf(out, WHAT_BYTES, "%s%s%s", e->whole ? "everything" : e->dataset, source,
                   e->from > TIME_MIN || e->to < TIME_MAX ? ", a period" : "");
}

/* The line and the row are durable together: what was said to be erased will be. */
static enum err begin(struct db *db, void *context)
{
    struct beginning *b = context;
    struct erasure *e = b->erasure;
    char what[WHAT_BYTES];
    struct event event = {
        .kind = e->bare ? EVENT_RECORDS_DELETED : EVENT_ERASED, .who = "owner", .what = what};
    int64_t one;
    enum err err;

    if (e->bare)
        period_text(b->dataset, e->from, e->to, what);
    else
        write_what(e, what);
    if (e->source_id && (err = db_number(db, SQL_SOURCE, PARAMS(INT(e->source_id)), &one)))
        return err == ERR_NOT_FOUND ? err_set(err, "no source has this number") : err;
    if ((err = trail_add(db, &event, b->now, &e->line)) ||
        (err = db_run(db, SQL_BEGIN,
                      PARAMS(e->dataset[0] ? TEXT(e->dataset) : NIL, e->source_id ? INT(e->source_id) : NIL,
                             INT(e->from), INT(e->to), INT(e->whole), INT(e->bare), INT(e->line),
                             INT(b->now)))))
        return err;
    e->number = db_last_rowid(db);
    return ERR_OK;
}

/* From here on, what comes in under the same name is none of this erasure's. */
static enum err note_deleted(struct db *db, void *context)
{
    const struct erasure *e = context;

    return db_run(db, SQL_DELETED, PARAMS(INT(e->number)));
}

static enum err end(struct db *db, void *context)
{
    const struct erasure *e = context;

    return db_run(db, SQL_END, PARAMS(INT(e->number)));
}

/* One kind of step until it has nothing left. */
static enum err run_steps(struct vault *v, const struct erasure *e, vault_work *work, int64_t *counts)
{
    struct erase_step s = {.erasure = e};
    enum err err;

    do {
        if ((err = vault_write_reserved(v, work, &s)))
            return err;
        s.after = s.next;
        for (int i = 0; i < ERASED_COUNTS; i++)
            counts[i] += s.counts[i];
    } while (!s.done);
    return ERR_OK;
}

/* Waits for the next opening, or for whoever reads: nothing is wrong with the store. */
static bool can_wait(enum err err) { return err == ERR_FULL || err == ERR_BUSY || err == ERR_NO_MEMORY; }

/* All but the records. Blobs lose their keys, then their files, which may make the room that the rest needs.
 */
static enum err erase_rest(struct store *s, struct vault *v, const struct erasure *e, int64_t *counts)
{
    enum err err;

    if ((err = run_steps(v, e, erase_things, counts)) || (err = blob_sweep(s, v)) ||
        (err = run_steps(v, e, erase_names, counts)))
        return err;
    err = vault_shrink(v);
    return can_wait(err) ? ERR_OK : err; /* only the size shows */
}

static enum err delete_all(struct store *s, struct vault *v, const struct erasure *e, int64_t *counts)
{
    enum err err;

    if ((err = run_steps(v, e, erase_records, counts)) ||
        (!e->bare && (err = run_steps(v, e, erase_leftovers, counts))) ||
        (e->whole && (err = erase_rest(s, v, e, counts))))
        return err;
    return vault_write_reserved(v, note_deleted, (void *)e);
}

/* Of what is deleted, nothing stays in the files. */
static enum err clean_up(struct store *s, struct vault *v, const struct erasure *e)
{
    enum err err;

    if ((err = vault_before_remove(store_dir(s))))
        return err_wrap(err, "erasing");
    if ((err = vault_purge(v, e->bare ? BARE_PURGE_WAIT_MS : PURGE_WAIT_MS)))
        return e->bare && can_wait(err) /* its row stays */
                   ? ERR_OK
                   : err_wrap(err,
                              "all is deleted, but the files are not cleaned of it yet (the next opening "
                              "does that, or erasing again)");
    if ((err = vault_write_reserved(v, end, (void *)e)))
        return err_wrap(err, "erasing");
    err_ignore(vault_purge(v, 0)); /* of the row that named it; else the next checkpoint does it */
    return ERR_OK;
}

/* The owner is told that it failed, and may bring in again what went: the next opening must not take that.
 * Where not even this can be written, it still will. */
static enum err give_up(struct vault *v, struct erasure *e, enum err failure)
{
    char story[512];

    (void)snprintf(story, sizeof story, "%s", err_story()); /* cut when too long */
    err_ignore(vault_write_reserved(v, end, e));            /* the failure that is told is the first one */
    return err_set(failure, "erasing: %s", story);
}

static enum err check_request(const struct erase_request *r)
{
    if (r->from >= r->to)
        return err_set(ERR_INVALID, "from is not before to");
    if (r->whole && (r->dataset || r->source_id || r->from != INT64_MIN || r->to != INT64_MAX))
        return err_set(ERR_INVALID, "everything goes with nothing else");
    if (r->bare && !r->dataset)
        return err_set(ERR_INVALID, "records alone are of a dataset");
    return r->whole || r->dataset || r->source_id ? ERR_OK
                                                  : err_set(ERR_INVALID, "what to erase is not said");
}

enum err erase_run(struct store *s, const struct erase_request *request, int64_t now, json_t **out)
{
    struct erasure e = {.source_id = request->source_id,
                        .from = request->from < TIME_MIN ? TIME_MIN : request->from,
                        .to = request->to > TIME_MAX ? TIME_MAX : request->to,
                        .whole = request->whole,
                        .bare = request->bare};
    int64_t counts[ERASED_COUNTS] = {0};
    struct vault *v = NULL;
    json_t *answer;
    enum err err;

    if ((err = check_request(request)) ||
        (request->dataset && (err = str_copy(str_of(request->dataset->name), e.dataset, sizeof e.dataset))) ||
        (err = store_enter(s, &v)))
        return err;
    if (!(err = vault_write_reserved(v, begin, &(struct beginning){&e, request->dataset, store_now(s, now)})))
        err = (err = delete_all(s, v, &e, counts)) ? give_up(v, &e, err) : clean_up(s, v, &e);
    store_leave(s);
    if (err)
        return err;
    answer = json_pack("{s:I, s:I, s:I, s:I, s:I}", "records", (json_int_t)counts[ERASED_RECORDS],
                       "documents", (json_int_t)counts[ERASED_DOCUMENTS], "annotations",
                       (json_int_t)counts[ERASED_ANNOTATIONS], "sources", (json_int_t)counts[ERASED_SOURCES],
                       "imports", (json_int_t)counts[ERASED_IMPORTS]);
    if (!answer)
        return err_set(ERR_NO_MEMORY, "the answer");
    *out = answer;
    return ERR_OK;
}

static enum err next_of(struct vault *v, int64_t after, struct erasure *out)
{
    AUTO(reader_done) struct reader r = {v, NULL};
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err err;

    if ((err = vault_read(v, &r.db)) || (err = db_query(r.db, SQL_FIRST, PARAMS(INT(after)), &row)) ||
        (err = stmt_next(row)))
        return err;
    *out = (struct erasure){.number = stmt_int(row, 0),
                            .source_id = stmt_int(row, 2),
                            .from = stmt_int(row, 3),
                            .to = stmt_int(row, 4),
                            .whole = stmt_int(row, 5) != 0,
                            .bare = stmt_int(row, 6) != 0,
                            .line = stmt_int(row, 7),
                            .deleted = stmt_int(row, 8) != 0};
    err = str_copy(stmt_text(row, 1), out->dataset, sizeof out->dataset);
    return err ? err_set(ERR_CORRUPT, "erasure %" PRId64, out->number) : ERR_OK;
}

enum err erase_recover(struct store *s, struct vault *v)
{
    struct erasure e = {0};
    int64_t counts[ERASED_COUNTS] = {0}; /* told to nobody */
    enum err err;

    while (!(err = next_of(v, e.number, &e))) {
        if (e.deleted || !(err = delete_all(s, v, &e, counts)))
            err = clean_up(s, v, &e);
        if (err && !can_wait(err))
            return err_wrap(err, "an erasure of before"); /* those are no reason not to open: its row stays */
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
