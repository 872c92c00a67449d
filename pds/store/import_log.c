/* Past imports: their list, undoing one, and those that a crash cut. */
#include "pds/store/import.h"
#include "pds/store/import_internal.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/mem.h"
#include "pds/store/source.h"
#include "pds/vault/vault.h"

#include <inttypes.h>

static const char SQL_FIND[] =
    "SELECT number, ended_at IS NULL, undone_at IS NOT NULL FROM import WHERE id = ?1";
static const char SQL_UNDONE[] = "UPDATE import SET undone_at = ?2, failure = ?3 WHERE number = ?1";
static const char SQL_CUT[] = "SELECT number FROM import WHERE ended_at IS NULL AND undone_at IS NULL";
static const char SQL_PART_BEFORE[] =
    "SELECT number FROM import_part WHERE number < ?2 AND import_number = ?1 ORDER BY number DESC LIMIT 1";
static const char SQL_SERIES[] = "SELECT json_group_array(DISTINCT x.series_id) FROM record_extent x JOIN "
                                 "import_part p ON p.number = x.part"
                                 " WHERE p.import_number = ?1";
static const char SQL_PART_FORGET[] = "DELETE FROM import_part WHERE number = ?1";
static const char SQL_NUMBER[] = "SELECT number FROM import WHERE id = ?1";
static const char SQL_LIST[] = "SELECT id, file, format, started_at, undone_at, failure, number FROM import"
                               " WHERE number < ?1"
                               " ORDER BY number DESC LIMIT ?2";
static const char SQL_COUNTS[] = "SELECT dataset, new, same, replaced, rejected FROM import_count WHERE "
                                 "import_number = ?1 ORDER BY dataset";

struct undoing {
    struct str id;
    int64_t number;
    const char *failure; /* constant or NULL */
    int64_t now;
    int64_t removed, restored;
};

/* The series that it touched, as a JSON array. */
static enum err list_series(struct db *db, int64_t number, char **out)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    if ((e = db_query(db, SQL_SERIES, PARAMS(INT(number)), &row)) || (e = stmt_next(row)))
        return e;
    *out = mem_text(stmt_text(row, 0).ptr, stmt_text(row, 0).len);
    return *out ? ERR_OK : err_set(ERR_NO_MEMORY, "undoing an import");
}

/* Part by part, the last one first. */
static enum err undo_parts(struct db *db, struct undoing *u)
{
    int64_t part = INT64_MAX;
    enum err e;

    while (!(e = db_number(db, SQL_PART_BEFORE, PARAMS(INT(u->number), INT(part)), &part))) {
        if ((e = record_undo(db, part, &u->removed, &u->restored)) ||
            (e = db_run(db, SQL_PART_FORGET, PARAMS(INT(part)))))
            return e;
    }
    return e != ERR_NOT_FOUND ? e
                              : db_run(db, SQL_UNDONE, PARAMS(INT(u->number), INT(u->now), TEXT(u->failure)));
}

/* A source that only one which failed told of goes with it: its reference is that of a meter. */
static enum err undo_number(struct db *db, struct undoing *u)
{
    char *series = NULL;
    enum err e;

    if (!u->failure)
        return undo_parts(db, u);
    if (!(e = list_series(db, u->number, &series)) && !(e = undo_parts(db, u)))
        e = source_forget(db, series);
    mem_free(series);
    return e;
}

static enum err tell_undone(struct db *db, const struct undoing *u)
{
    char id[ID_CHARS + 1];
    struct event event = {.kind = EVENT_IMPORT_UNDONE, .who = "owner", .what = id};
    enum err e = str_copy(u->id, id, sizeof id);

    return e ? e : trail_add(db, &event, u->now, NULL);
}

static enum err undo_work(struct db *db, void *context)
{
    struct undoing *u = context;
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    if ((e = db_query(db, SQL_FIND, PARAMS(STR_TEXT(u->id)), &row)))
        return e;
    if ((e = stmt_next(row)))
        return e == ERR_NOT_FOUND ? err_set(e, "no import has this id") : e;
    if (stmt_int(row, 1) && !u->failure)
        return err_set(ERR_CONFLICT, "this import is still running");
    if (stmt_int(row, 2))
        return err_set(ERR_CONFLICT, "this import is undone already");
    u->number = stmt_int(row, 0);
    if ((e = undo_number(db, u)))
        return e;
    return u->failure ? ERR_OK : tell_undone(db, u); /* one that failed was never told of */
}

enum err import_undo(struct vault *v, struct str id, int64_t now, int64_t *removed, int64_t *restored)
{
    struct undoing u = {.id = id, .now = now};
    enum err e = vault_write(v, undo_work, &u);

    if (e)
        return err_wrap(e, "undoing an import");
    *removed = u.removed;
    *restored = u.restored;
    return ERR_OK;
}

static enum err recover_work(struct db *db, void *context)
{
    struct undoing *u = context;
    enum err e;

    while (!(e = db_number(db, SQL_CUT, NO_PARAMS, &u->number))) {
        if ((e = undo_number(db, u)))
            return e;
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err import_recover(struct vault *v, int64_t now)
{
    struct undoing u = {.now = now, .failure = "cut"};
    AUTO(reader_done) struct reader reader = {v, NULL};
    int64_t number;
    enum err e;

    if ((e = vault_read(v, &reader.db)))
        return e;
    if ((e = db_number(reader.db, SQL_CUT, NO_PARAMS, &number)))
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    return vault_write(v, recover_work, &u);
}

static enum err list_counts(struct db *db, int64_t number, json_t *item)
{
    static const char *const NAMES[] = {"new", "same", "replaced", "rejected"};
    AUTO(stmt_closep) struct stmt *row = NULL;
    int64_t sums[4] = {0};
    json_t *datasets = json_array();
    int failed = json_object_set_new(item, "datasets", datasets);
    enum err e;

    if ((e = db_query(db, SQL_COUNTS, PARAMS(INT(number)), &row)))
        return e;
    while (!(e = stmt_next(row))) {
        struct str name = stmt_text(row, 0);

        failed |= json_array_append_new(datasets, json_stringn(name.ptr, name.len));
        for (int i = 0; i < 4; i++)
            sums[i] += stmt_int(row, i + 1);
    }
    if (e != ERR_NOT_FOUND)
        return e;
    for (int i = 0; i < 4; i++)
        failed |= json_object_set_new(item, NAMES[i], json_integer(sums[i]));
    return failed ? err_set(ERR_NO_MEMORY, "list of imports") : ERR_OK;
}

static enum err list_row(struct db *db, const struct stmt *row, json_t *array)
{
    json_t *item =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "id", stmt_json_text(row, 0), "file",
                  stmt_json_text(row, 1), "format", stmt_json_text(row, 2), "at", stmt_json_instant(row, 3),
                  "undone_at", stmt_json_instant(row, 4), "failure", stmt_json_text(row, 5));

    if (json_array_append_new(array, item))
        return err_set(ERR_NO_MEMORY, "list of imports");
    return list_counts(db, stmt_int(row, 6), item);
}

enum err import_list(struct vault *v, struct str before, int64_t limit, json_t **out)
{
    AUTO(json_freep) json_t *list = json_pack("{s:[], s:n}", "imports", "next");
    AUTO(reader_done) struct reader reader = {v, NULL};
    AUTO(stmt_closep) struct stmt *row = NULL;
    json_t *array;
    int64_t number = INT64_MAX;
    enum err e;

    if (!list)
        return err_set(ERR_NO_MEMORY, "list of imports");
    array = json_object_get(list, "imports");
    if ((e = vault_read(v, &reader.db)))
        return e;
    if (before.len && (e = db_number(reader.db, SQL_NUMBER, PARAMS(STR_TEXT(before)), &number)))
        return e == ERR_NOT_FOUND ? err_set(ERR_INVALID, "the cursor is no import") : e;
    if ((e = db_query(reader.db, SQL_LIST, PARAMS(INT(number), INT(limit + 1)), &row)))
        return e;
    while (!(e = stmt_next(row))) {
        if ((int64_t)json_array_size(array) == limit) {
            json_t *last = json_array_get(array, json_array_size(array) - 1);

            if (json_object_set(list, "next", json_object_get(last, "id")))
                return err_set(ERR_NO_MEMORY, "list of imports");
            e = ERR_NOT_FOUND;
            break;
        }
        if ((e = list_row(reader.db, row, array)))
            return e;
    }
    if (e != ERR_NOT_FOUND)
        return e;
    *out = list;
    list = NULL; /* the caller's now */
    return ERR_OK;
}

enum err import_undo_failed(struct vault *v, const char *id, enum err failure, int64_t now)
{
    struct undoing u = {.id = str_of(id), .now = now, .failure = err_row(failure)->name};

    return vault_write(v, undo_work, &u);
}
