#include "pds/store/bundle.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/store/document.h"
#include "pds/vault/vault.h"

#include <stdio.h>
#include <string.h>

static const char SQL_FIND[] = "SELECT number FROM bundle WHERE id = ?1";
static const char SQL_ADD[] = "INSERT INTO bundle (id, title, created_at) VALUES (?1, ?2, ?3)";
static const char SQL_RENAME[] = "UPDATE bundle SET title = ?2 WHERE number = ?1";
static const char SQL_EMPTY[] = "DELETE FROM bundle_document WHERE bundle_number = ?1";
static const char SQL_PUT[] =
    "INSERT OR IGNORE INTO bundle_document (bundle_number, document_number) VALUES (?1, ?2)";
static const char SQL_THERE[] = "SELECT number FROM document WHERE id = ?1";
static const char SQL_DROP[] = "DELETE FROM bundle WHERE number = ?1";
static const char SQL_ONE[] = "SELECT number, id, title FROM bundle WHERE id = ?1";
static const char SQL_LIST[] = "SELECT number, id, title FROM bundle ORDER BY number LIMIT ?1";
static const char SQL_IN[] = "SELECT d.id FROM bundle_document m JOIN document d ON d.number = "
                             "m.document_number WHERE m.bundle_number = ?1 ORDER BY d.number";

struct change {
    struct str id, title;
    const struct str *documents;
    size_t count;
    int64_t now;
};

/* A bundle has no kind of event of its own: what changes is what documents go together. */
static enum err tell(struct db *db, const struct change *c)
{
    char what[ID_CHARS + sizeof "bundle "];
    struct event event = {.kind = EVENT_DOCUMENT_CHANGED, .who = "owner", .what = what};

    (void)snprintf(what, sizeof what, "bundle %.*s", STR_ARGS(c->id)); /* it fits: an id was found */
    return trail_add(db, &event, c->now, NULL);
}

static enum err put_document(struct db *db, int64_t number, const struct change *c, size_t i)
{
    int64_t document;
    enum err e = db_number(db, SQL_THERE, PARAMS(STR_TEXT(c->documents[i])), &document);

    if (e)
        return e == ERR_NOT_FOUND ? err_set(ERR_INVALID, "document %zu of the bundle is none", i + 1) : e;
    return db_run(db, SQL_PUT, PARAMS(INT(number), INT(document)));
}

static enum err put_work(struct db *db, void *context)
{
    const struct change *c = context;
    int64_t number;
    enum err e = db_number(db, SQL_FIND, PARAMS(STR_TEXT(c->id)), &number);

    if (e == ERR_NOT_FOUND) {
        if (!(e = db_run(db, SQL_ADD, PARAMS(STR_TEXT(c->id), STR_TEXT(c->title), INT(c->now)))))
            number = db_last_rowid(db);
    } else if (!e) {
        e = db_run(db, SQL_RENAME, PARAMS(INT(number), STR_TEXT(c->title)));
    }
    if (e || (e = db_run(db, SQL_EMPTY, PARAMS(INT(number)))))
        return e;
    for (size_t i = 0; i < c->count; i++) {
        if ((e = put_document(db, number, c, i)))
            return e;
    }
    return tell(db, c);
}

static enum err delete_work(struct db *db, void *context)
{
    const struct change *c = context;
    int64_t number;
    enum err e = db_number(db, SQL_FIND, PARAMS(STR_TEXT(c->id)), &number);

    if (e)
        return e == ERR_NOT_FOUND ? err_set(e, "no such bundle") : e;
    if ((e = db_run(db, SQL_EMPTY, PARAMS(INT(number)))) || (e = db_run(db, SQL_DROP, PARAMS(INT(number)))))
        return e;
    return tell(db, c);
}

static enum err write(struct store *s, vault_work *work, struct change *c)
{
    struct vault *vault;
    enum err e;

    if ((e = store_enter(s, &vault)))
        return e;
    e = vault_write(vault, work, c);
    store_leave(s);
    return e;
}

enum err bundle_put(struct store *s, struct str id, struct str title, const struct str *documents,
                    size_t count, int64_t now, char id_out[static ID_CHARS + 1])
{
    const struct document_facts facts = {.title = title.ptr ? title : STR(""), .remind_days = -1};
    struct change c = {.title = str_trim(facts.title), .documents = documents, .count = count, .now = now};
    char made[ID_CHARS + 1];
    enum err e;

    if (id.len > 0 && !id_is_valid(id))
        return err_set(ERR_INVALID, "a bundle: its id is none");
    if (count > LIMIT_LIST_ANSWER)
        return err_set(ERR_INVALID, "a bundle of more than %d documents", LIMIT_LIST_ANSWER);
    if ((e = document_facts_check(&facts)) ||
        (e = id.len > 0 ? str_copy(id, made, sizeof made) : id_make(now * 1000, made)))
        return err_wrap(e, "a bundle");
    c.id = str_of(made);
    if ((e = write(s, put_work, &c)))
        return err_wrap(e, "a bundle");
    memcpy(id_out, made, sizeof made);
    return ERR_OK;
}

enum err bundle_delete(struct store *s, struct str id, int64_t now)
{
    struct change c = {.id = id, .now = now};
    enum err e = write(s, delete_work, &c);

    return e ? err_wrap(e, "deleting a bundle") : ERR_OK;
}

static enum err list_documents(struct db *db, int64_t number, json_t *array)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    if ((e = db_query(db, SQL_IN, PARAMS(INT(number)), &row)))
        return e;
    while (!(e = stmt_next(row))) {
        struct str id = stmt_text(row, 0);

        if (json_array_append_new(array, json_stringn(id.ptr, id.len)))
            return err_set(ERR_NO_MEMORY, "bundles");
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err tell_row(struct db *db, const struct stmt *row, json_t **out)
{
    struct str id = stmt_text(row, 1), title = stmt_text(row, 2);
    AUTO(json_freep)
    json_t *bundle =
        json_pack("{s:s%, s:s%, s:[]}", "id", id.ptr, id.len, "title", title.ptr, title.len, "documents");
    enum err e;

    if (!bundle)
        return err_set(ERR_NO_MEMORY, "bundles");
    if ((e = list_documents(db, stmt_int(row, 0), json_object_get(bundle, "documents"))))
        return e;
    *out = bundle;
    bundle = NULL; /* the caller's now */
    return ERR_OK;
}

enum err bundle_get(struct db *db, struct str id, json_t **out)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    if ((e = db_query(db, SQL_ONE, PARAMS(STR_TEXT(id)), &row)))
        return e;
    if ((e = stmt_next(row)))
        return e == ERR_NOT_FOUND ? err_set(e, "no such bundle") : e;
    return tell_row(db, row, out);
}

enum err bundle_list(struct db *db, json_t **out)
{
    AUTO(json_freep) json_t *list = json_pack("{s:[], s:n}", "bundles", "next");
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    if (!list)
        return err_set(ERR_NO_MEMORY, "bundles");
    if ((e = db_query(db, SQL_LIST, PARAMS(INT(LIMIT_LIST_ANSWER)), &row)))
        return e;
    while (!(e = stmt_next(row))) {
        json_t *bundle = NULL;

        if ((e = tell_row(db, row, &bundle)))
            return e;
        if (json_array_append_new(json_object_get(list, "bundles"), bundle))
            return err_set(ERR_NO_MEMORY, "bundles");
    }
    if (e != ERR_NOT_FOUND)
        return e;
    *out = list;
    list = NULL; /* the caller's now */
    return ERR_OK;
}
