#include "pds/store/annotation.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/store/period.h"
#include "pds/vault/vault.h"

#include <inttypes.h>
#include <string.h>

static const char SQL_FIND[] =
    "SELECT dataset, start_at, end_at, text, revision FROM annotation WHERE id = ?1";
static const char SQL_ADD[] = "INSERT INTO annotation (id, dataset, start_at, end_at, text, revision,"
                              " created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?6)";
static const char SQL_CHANGE[] =
    "UPDATE annotation SET text = ?2, revision = revision + 1, updated_at = ?3 WHERE id = ?1";
static const char SQL_DELETE[] = "DELETE FROM annotation WHERE id = ?1";
static const char SQL_GET[] =
    "SELECT number, id, dataset, start_at, end_at, text, revision, created_at, updated_at"
    " FROM annotation WHERE id = ?1";
/* An annotation of an instant touches what holds it. */
static const char SQL_LIST[] =
    "SELECT number, id, dataset, start_at, end_at, text, revision, created_at, updated_at FROM annotation"
    " WHERE number > ?1 AND (?2 IS NULL OR dataset = ?2) AND start_at < ?4 AND max(end_at, start_at + 1) > ?3"
    " ORDER BY number LIMIT ?5";

struct work {
    struct str id, text;
    const struct dataset *dataset;
    int64_t start_at, end_at, revision, now;
    char *id_out; /* ID_CHARS + 1 */
};

static enum err check_text(struct str text)
{
    if (str_trim(text).len == 0)
        return err_set(ERR_INVALID, "text is empty");
    if (text.len > ANNOTATION_TEXT_BYTES)
        return err_set(ERR_TOO_LARGE, "text is longer than %d bytes", ANNOTATION_TEXT_BYTES);
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] < ' ' && text.ptr[i] != '\n' && text.ptr[i] != '\t')
            return err_set(ERR_INVALID, "text has a control character at byte %zu", i + 1);
    }
    return str_is_utf8(text) ? ERR_OK : err_set(ERR_INVALID, "text is not UTF-8");
}

static enum err check_new(const struct work *w)
{
    if (w->id.len && !id_is_valid(w->id))
        return err_set(ERR_INVALID, "the id is none");
    if (w->start_at < CLOCK_TEXT_MIN || w->end_at > CLOCK_TEXT_MAX || w->end_at < w->start_at)
        return err_set(ERR_INVALID, "end is before start, or a year outside 0 to 9999");
    return check_text(w->text);
}

static enum err tell(struct db *db, const struct dataset *d, int64_t from, int64_t to, int64_t now)
{
    char what[PERIOD_BYTES];
    struct event event = {.kind = EVENT_ANNOTATED, .who = "owner", .what = what};

    period_text(d, from, to, what);
    return trail_add(db, &event, now, NULL);
}

/* Whether one of this id is there: alike is fine, another is a conflict. */
static enum err look_for(struct db *db, const struct work *w, bool *there)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    *there = false;
    if (w->id.len == 0)
        return ERR_OK;
    if ((e = db_query(db, SQL_FIND, PARAMS(STR_TEXT(w->id)), &row)))
        return e;
    if ((e = stmt_next(row)))
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    *there = true;
    return str_eq(stmt_text(row, 0), str_of(w->dataset->name)) && stmt_int(row, 1) == w->start_at &&
                   stmt_int(row, 2) == w->end_at && str_eq(stmt_text(row, 3), w->text)
               ? ERR_OK
               : err_set(ERR_CONFLICT, "an annotation of this id is there, with other content");
}

static enum err add_work(struct db *db, void *context)
{
    const struct work *w = context;
    bool there;
    enum err e;

    if ((e = look_for(db, w, &there)))
        return e;
    if (w->id.len)
        e = str_copy(w->id, w->id_out, ID_CHARS + 1);
    else
        e = id_make(w->now * 1000, w->id_out);
    if (e || there)
        return e;
    if ((e = db_run(db, SQL_ADD,
                    PARAMS(TEXT(w->id_out), TEXT(w->dataset->name), INT(w->start_at), INT(w->end_at),
                           STR_TEXT(w->text), INT(w->now)))))
        return e;
    return tell(db, w->dataset, w->start_at, w->end_at, w->now);
}

/* In a write of its own, of v; or, without one, in the caller's, of db. */
static enum err put(struct vault *v, struct db *db, struct work w, char id_out[static ID_CHARS + 1])
{
    char made[ID_CHARS + 1] = "";
    enum err e;

    w.id_out = made;
    if ((e = check_new(&w)) || (e = v ? vault_write(v, add_work, &w) : add_work(db, &w)))
        return err_wrap(e, "annotating %s", w.dataset->name);
    memcpy(id_out, made, sizeof made);
    return ERR_OK;
}

enum err annotation_put(struct db *db, struct str id, const struct dataset *d, int64_t start_at,
                        int64_t end_at, struct str text, int64_t now, char id_out[static ID_CHARS + 1])
{
    const struct work w = {
        .id = id, .text = text, .dataset = d, .start_at = start_at, .end_at = end_at, .now = now};

    return put(NULL, db, w, id_out);
}

enum err annotation_add(struct vault *v, struct str id, const struct dataset *d, int64_t start_at,
                        int64_t end_at, struct str text, int64_t now, char id_out[static ID_CHARS + 1])
{
    const struct work w = {
        .id = id, .text = text, .dataset = d, .start_at = start_at, .end_at = end_at, .now = now};

    return put(v, NULL, w, id_out);
}

/* The row of w->id at the revision asked for, told in the trail before it changes. */
static enum err meet(struct db *db, struct work *w)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    if ((e = db_query(db, SQL_FIND, PARAMS(STR_TEXT(w->id)), &row)))
        return e;
    if ((e = stmt_next(row)))
        return e == ERR_NOT_FOUND ? err_set(e, "no annotation has this id") : e;
    if (w->revision && stmt_int(row, 4) != w->revision)
        return err_set(ERR_PRECONDITION, "the annotation changed since: it is at %" PRId64, stmt_int(row, 4));
    if ((e = dataset_find(stmt_text(row, 0), &w->dataset)))
        return e == ERR_NOT_FOUND ? err_set(ERR_CORRUPT, "the dataset of an annotation") : e;
    w->start_at = stmt_int(row, 1);
    w->end_at = stmt_int(row, 2);
    stmt_close(row);
    row = NULL;
    return tell(db, w->dataset, w->start_at, w->end_at, w->now);
}

static enum err change_work(struct db *db, void *context)
{
    struct work *w = context;
    enum err e = meet(db, w);

    return e ? e : db_run(db, SQL_CHANGE, PARAMS(STR_TEXT(w->id), STR_TEXT(w->text), INT(w->now)));
}

enum err annotation_change(struct vault *v, struct str id, struct str text, int64_t revision, int64_t now)
{
    struct work w = {.id = id, .text = text, .revision = revision, .now = now};
    enum err e;

    if ((e = check_text(text)) || (e = vault_write(v, change_work, &w)))
        return err_wrap(e, "changing an annotation");
    return ERR_OK;
}

static enum err delete_work(struct db *db, void *context)
{
    struct work *w = context;
    enum err e = meet(db, w);

    return e ? e : db_run(db, SQL_DELETE, PARAMS(STR_TEXT(w->id)));
}

enum err annotation_delete(struct vault *v, struct str id, int64_t revision, int64_t now)
{
    struct work w = {.id = id, .revision = revision, .now = now};
    enum err e = vault_write_reserved(v, delete_work, &w);

    return e ? err_wrap(e, "deleting an annotation") : ERR_OK;
}

static json_t *row_object(const struct stmt *row)
{
    char start[CLOCK_TEXT_BYTES], end[CLOCK_TEXT_BYTES], created[CLOCK_TEXT_BYTES], updated[CLOCK_TEXT_BYTES];
    struct str id = stmt_text(row, 1), dataset = stmt_text(row, 2), text = stmt_text(row, 5);

    clock_text(stmt_int(row, 3), start); /* held to what has a text when it came in */
    clock_text(stmt_int(row, 4), end);
    clock_text(stmt_int(row, 7), created);
    clock_text(stmt_int(row, 8), updated);
    return json_pack("{s:s%, s:s%, s:s, s:s, s:s%, s:I, s:s, s:s}", "id", id.ptr, id.len, "dataset",
                     dataset.ptr, dataset.len, "start", start, "end", end, "text", text.ptr, text.len,
                     "revision", (json_int_t)stmt_int(row, 6), "created", created, "updated", updated);
}

enum err annotation_get(struct db *db, struct str id, json_t **out)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    json_t *object;
    enum err e;

    if ((e = db_query(db, SQL_GET, PARAMS(STR_TEXT(id)), &row)))
        return e;
    if ((e = stmt_next(row)))
        return e == ERR_NOT_FOUND ? err_set(e, "no annotation has this id") : e;
    if (!(object = row_object(row)))
        return err_set(ERR_NO_MEMORY, "an annotation");
    *out = object;
    return ERR_OK;
}

enum err annotation_list(struct db *db, const struct dataset *d, int64_t from, int64_t to, int64_t after,
                         int64_t limit, json_t **out)
{
    AUTO(json_freep) json_t *list = json_pack("{s:[], s:n}", "annotations", "next");
    AUTO(stmt_closep) struct stmt *row = NULL;
    json_t *array;
    int64_t last = after;
    enum err e;

    if (!list)
        return err_set(ERR_NO_MEMORY, "list of annotations");
    array = json_object_get(list, "annotations");
    if ((e = db_query(db, SQL_LIST,
                      PARAMS(INT(after), d ? TEXT(d->name) : NIL, INT(from), INT(to), INT(limit + 1)), &row)))
        return e;
    while (!(e = stmt_next(row))) {
        if ((int64_t)json_array_size(array) == limit) {
            if (json_object_set_new(list, "next", json_sprintf("%" PRId64, last)))
                return err_set(ERR_NO_MEMORY, "list of annotations");
            e = ERR_NOT_FOUND;
            break;
        }
        last = stmt_int(row, 0);
        if (json_array_append_new(array, row_object(row)))
            return err_set(ERR_NO_MEMORY, "list of annotations");
    }
    if (e != ERR_NOT_FOUND)
        return e;
    *out = list;
    list = NULL; /* the caller's now */
    return ERR_OK;
}
