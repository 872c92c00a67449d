#include "pds/store/document.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/store/document_internal.h"
#include "pds/vault/vault.h"

#include <string.h>

/* How long a change or deletion waits for readers, so that the log that holds the old pages and keys can go
 * too. */
enum { PURGE_WAIT_MS = 500 };

static const char SQL_FIND[] = "SELECT number, revision FROM document WHERE id = ?1";
static const char SQL_ADD[] =
    "INSERT INTO document (id, kind, title, reference, issuer, issued_on, expires_on, remind_days, note, "
    "revision, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, nullif(?6, ''), nullif(?7, ''), ?8, ?9, "
    "1, "
    "?10, ?10)";
static const char SQL_CHANGE[] =
    "UPDATE document SET kind = coalesce(?2, kind), title = coalesce(?3, title), reference = coalesce(?4, "
    "reference), issuer = coalesce(?5, issuer), issued_on = nullif(coalesce(?6, issued_on), ''), expires_on "
    "= "
    "nullif(coalesce(?7, expires_on), ''), remind_days = coalesce(?8, remind_days), note = coalesce(?9, "
    "note) "
    "WHERE number = ?1";
static const char SQL_TOUCH[] =
    "UPDATE document SET revision = revision + 1, updated_at = ?2 WHERE number = ?1";
static const char SQL_VERSION_ADD[] =
    "INSERT INTO document_version (document_number, version, blob_id, file, type, added_at) VALUES (?1, "
    "coalesce((SELECT max(version) FROM document_version WHERE document_number = ?1), 0) + 1, ?2, ?3, ?4, "
    "?5)";
static const char SQL_VERSIONS[] = "SELECT count(*) FROM document_version WHERE document_number = ?1";
static const char SQL_TAG_ADD[] = "INSERT OR IGNORE INTO document_tag (document_number, tag) VALUES (?1, ?2)";
static const char SQL_BLOB_FIRST[] =
    "SELECT blob_id FROM document_version WHERE document_number = ?1 ORDER BY version LIMIT 1";
static const char SQL_VERSION_DROP[] =
    "DELETE FROM document_version WHERE document_number = ?1 AND blob_id = ?2";
static const char SQL_TAGS_DROP[] = "DELETE FROM document_tag WHERE document_number = ?1";
static const char SQL_BUNDLED_DROP[] = "DELETE FROM bundle_document WHERE document_number = ?1";
static const char SQL_DROP[] = "DELETE FROM document WHERE number = ?1";

/* One change, as the writer's thread is given it. */
struct change {
    struct str id;
    const struct document_facts *facts;
    const struct document_kind *kind; /* of a new one */
    struct blob_writer *blob;
    char label[DOCUMENT_LABEL_BYTES];
    struct str type;
    struct buf body; /* what is searched of the blob */
    int64_t revision, now;
    vault_work *work; /* of one with a blob */
    bool worked;
};

/* A character that only shows itself: not one that steers a terminal, or turns the direction of what
 * follows, so that "exe.pdf" reads as something else. */
static bool is_plain(struct str c)
{
    const unsigned char *b = (const unsigned char *)c.ptr;

    if (c.len == 1)
        return b[0] >= 0x20 && b[0] < 0x7f;
    if (c.len == 2)
        return !(b[0] == 0xc2 && b[1] < 0xa0); /* U+0080 to U+009F */
    return !(
        c.len == 3 && b[0] == 0xe2 && /* U+2028 to U+202E, U+2066 to U+2069 */
        ((b[1] == 0x80 && b[2] >= 0xa8 && b[2] <= 0xae) || (b[1] == 0x81 && b[2] >= 0xa6 && b[2] <= 0xa9)));
}

void document_label(struct str file, char out[static DOCUMENT_LABEL_BYTES])
{
    struct str rest = str_trim(file);
    bool text = str_is_utf8(rest);
    size_t len = 0, n;

    for (; rest.len > 0; rest = (struct str){rest.ptr + n, rest.len - n}) {
        struct str shown = {rest.ptr, n = text ? str_utf8_len(rest) : 1};

        if (!is_plain(shown))
            shown = STR("_");
        if (len + shown.len > DOCUMENT_LABEL_BYTES - 1)
            break; /* no character in part */
        memcpy(out + len, shown.ptr, shown.len);
        len += shown.len;
    }
    out[len] = '\0';
}

static enum err tell(struct db *db, enum event_kind kind, struct str id, int64_t now)
{
    char what[ID_CHARS + 1];
    struct event event = {.kind = kind, .who = "owner", .what = what};
    enum err e;

    if ((e = str_copy(id, what, sizeof what)))
        return e;
    return trail_add(db, &event, now, NULL);
}

static enum err find(struct db *db, struct str id, int64_t revision, int64_t *number)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    if (!id_is_valid(id))
        return err_set(ERR_NOT_FOUND, "a document's id");
    if ((e = db_query(db, SQL_FIND, PARAMS(STR_TEXT(id)), &row)) || (e = stmt_next(row)))
        return e == ERR_NOT_FOUND ? err_set(e, "document %.*s", STR_ARGS(id)) : e;
    if (revision && revision != stmt_int(row, 1))
        return err_set(ERR_PRECONDITION, "document %.*s changed since", STR_ARGS(id));
    *number = stmt_int(row, 0);
    return ERR_OK;
}

static enum err put_tags(struct db *db, int64_t number, const struct document_facts *f)
{
    enum err e;

    if (!f->has_tags)
        return ERR_OK;
    if ((e = db_run(db, SQL_TAGS_DROP, PARAMS(INT(number)))))
        return e;
    for (size_t i = 0; i < f->tag_count; i++) {
        struct str tag = str_trim(f->tags[i]);

        if ((e = db_run(db, SQL_TAG_ADD, PARAMS(INT(number), STR_TEXT(tag)))))
            return e;
    }
    return ERR_OK;
}

static enum err put_version(struct db *db, int64_t number, struct change *c)
{
    int64_t blob, there;
    enum err e;

    if ((e = db_number(db, SQL_VERSIONS, PARAMS(INT(number)), &there)))
        return e;
    if (there >= DOCUMENT_VERSIONS_MAX)
        return err_set(ERR_CONFLICT, "a document has %d versions at most", DOCUMENT_VERSIONS_MAX);
    if ((e = blob_keep(db, c->blob, &blob)))
        return e;
    return db_run(db, SQL_VERSION_ADD,
                  PARAMS(INT(number), INT(blob), TEXT(c->label), STR_TEXT(c->type), INT(c->now)));
}

static struct str body_of(const struct change *c) { return (struct str){c->body.data, c->body.len}; }

static enum err add_row(struct db *db, const struct change *c)
{
    const struct document_facts *f = c->facts;
    struct str title = f->title.ptr  ? str_trim(f->title)
                       : c->label[0] ? str_of(c->label)
                                     : str_of(c->kind->fr);

    return db_run(db, SQL_ADD,
                  PARAMS(STR_TEXT(c->id), TEXT(c->kind->name), STR_TEXT(title), STR_TEXT(f->reference),
                         STR_TEXT(f->issuer), STR_TEXT(f->issued_on), STR_TEXT(f->expires_on),
                         INT(f->remind_days < 0 ? c->kind->remind_days : f->remind_days), STR_TEXT(f->note),
                         INT(c->now)));
}

static enum err add_work(struct db *db, void *context)
{
    struct change *c = context;
    int64_t number;
    enum err e = find(db, c->id, 0, &number);

    if (e != ERR_NOT_FOUND)
        return e ? e : err_set(ERR_CONFLICT, "document %.*s is there already", STR_ARGS(c->id));
    if ((e = add_row(db, c)))
        return e;
    number = db_last_rowid(db);
    if ((e = put_version(db, number, c)) || (e = put_tags(db, number, c->facts)) ||
        (e = document_text_add(db, number, body_of(c))))
        return e;
    return tell(db, EVENT_DOCUMENT_ADDED, c->id, c->now);
}

/* Every change of what is there ends so. */
static enum err touch(struct db *db, int64_t number, const struct change *c)
{
    enum err e = db_run(db, SQL_TOUCH, PARAMS(INT(number), INT(c->now)));

    return e ? e : tell(db, EVENT_DOCUMENT_CHANGED, c->id, c->now);
}

static enum err version_work(struct db *db, void *context)
{
    struct change *c = context;
    int64_t number;
    enum err e;

    if ((e = find(db, c->id, c->revision, &number)) || (e = put_version(db, number, c)) ||
        (e = document_text_replace(db, number, body_of(c))))
        return e;
    return touch(db, number, c);
}

static struct param told(struct str s) { return s.ptr ? STR_TEXT(s) : NIL; }

static enum err change_work(struct db *db, void *context)
{
    struct change *c = context;
    const struct document_facts *f = c->facts;
    int64_t number;
    enum err e;

    if ((e = find(db, c->id, c->revision, &number)) ||
        (e = db_run(db, SQL_CHANGE,
                    PARAMS(INT(number), told(f->kind), told(str_trim(f->title)), told(f->reference),
                           told(f->issuer), told(f->issued_on), told(f->expires_on),
                           f->remind_days < 0 ? NIL : INT(f->remind_days), told(f->note)))) ||
        (e = put_tags(db, number, f)) || (e = document_text_renew(db, number)))
        return e;
    return touch(db, number, c);
}

static enum err drop_versions(struct db *db, int64_t number)
{
    int64_t blob;
    enum err e;

    while (!(e = db_number(db, SQL_BLOB_FIRST, PARAMS(INT(number)), &blob))) {
        if ((e = db_run(db, SQL_VERSION_DROP, PARAMS(INT(number), INT(blob)))) || (e = blob_drop(db, blob)))
            return e;
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err delete_work(struct db *db, void *context)
{
    struct change *c = context;
    int64_t number;
    enum err e;

    if ((e = find(db, c->id, c->revision, &number)) || (e = drop_versions(db, number)) ||
        (e = db_run(db, SQL_TAGS_DROP, PARAMS(INT(number)))) ||
        (e = db_run(db, SQL_BUNDLED_DROP, PARAMS(INT(number)))) || (e = document_text_drop(db, number)) ||
        (e = db_run(db, SQL_DROP, PARAMS(INT(number)))))
        return e;
    return tell(db, EVENT_DOCUMENT_DELETED, c->id, c->now);
}

static enum err blob_work(struct db *db, void *context)
{
    struct change *c = context;
    enum err e = c->work(db, c);

    c->worked = !e;
    return e;
}

/* Carry out a change, with the words of its blob; the blob is the store's from then on. What was refused, or
 * had no room, must not keep the room that the file takes; of any other failure the outcome is not known. */
static enum err write(struct store *s, vault_work *work, struct change *c, struct str file)
{
    struct vault *vault;
    enum err e;

    document_label(file, c->label);
    if ((e = document_text_read(c->blob, c->type, &c->body)) || (e = store_enter(s, &vault)))
        return e;
    c->work = work;
    if (!(e = vault_write(vault, blob_work, c)))
        blob_kept(c->blob);
    else if (!c->worked || e == ERR_FULL)
        blob_refused(c->blob);
    store_leave(s);
    return e;
}

enum err document_add(struct store *s, struct str id, struct blob_writer *blob, struct str file,
                      struct str type, const struct document_facts *facts, int64_t now,
                      char id_out[static ID_CHARS + 1])
{
    struct change c = {.facts = facts, .blob = blob, .type = type, .now = now};
    char made[ID_CHARS + 1];
    enum err e;

    if ((e = document_facts_check(facts)) ||
        (e = document_kind_find(facts->kind.ptr ? facts->kind : STR("other"), &c.kind)))
        return err_wrap(e, "a new document");
    if (id.len > 0 && !id_is_valid(id))
        return err_set(ERR_INVALID, "a new document: its id is none");
    if ((e = id.len > 0 ? str_copy(id, made, sizeof made) : id_make(now * 1000, made)))
        return e;
    c.id = str_of(made);
    buf_init(&c.body, 2 * DOCUMENT_BODY_BYTES);
    e = write(s, add_work, &c, file);
    buf_done(&c.body);
    if (e)
        return err_wrap(e, "a new document");
    memcpy(id_out, made, sizeof made);
    return ERR_OK;
}

enum err document_add_version(struct store *s, struct str id, struct blob_writer *blob, struct str file,
                              struct str type, int64_t revision, int64_t now)
{
    struct change c = {.id = id, .blob = blob, .type = type, .revision = revision, .now = now};
    enum err e;

    buf_init(&c.body, 2 * DOCUMENT_BODY_BYTES);
    e = write(s, version_work, &c, file);
    buf_done(&c.body);
    return e ? err_wrap(e, "a new version") : ERR_OK;
}

enum err document_change(struct store *s, struct str id, const struct document_facts *facts, int64_t revision,
                         int64_t now)
{
    struct change c = {.id = id, .facts = facts, .revision = revision, .now = now};
    struct vault *vault;
    enum err e;

    if ((e = document_facts_check(facts)) || (e = store_enter(s, &vault)))
        return err_wrap(e, "changing a document");
    if (!(e = vault_write(vault, change_work, &c)))
        err_ignore(vault_purge(vault, PURGE_WAIT_MS)); /* what a long read keeps goes with a later one */
    store_leave(s);
    return e ? err_wrap(e, "changing a document") : ERR_OK;
}

enum err document_delete(struct store *s, struct str id, int64_t revision, int64_t now)
{
    struct change c = {.id = id, .revision = revision, .now = now};
    struct vault *vault;
    enum err e;

    if ((e = store_enter(s, &vault)))
        return err_wrap(e, "deleting a document");
    if (!(e = vault_write_reserved(vault, delete_work, &c))) {
        err_ignore(blob_sweep(s, vault)); /* nobody can open the files any more; the next sweep takes them */
        err_ignore(vault_purge(vault, PURGE_WAIT_MS)); /* what a long read keeps goes with a later one */
    }
    store_leave(s);
    return e ? err_wrap(e, "deleting a document") : ERR_OK;
}
