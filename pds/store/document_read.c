/* Documents as they are told. */
#include "pds/store/document.h"

#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/crypto/sha256.h"
#include "pds/store/document_internal.h"
#include "pds/vault/db.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS                                                                                              \
    "d.number, d.id, d.kind, d.title, d.reference, d.issuer, d.issued_on, d.expires_on, d.remind_days, "     \
    "d.note, d.revision, d.created_at, d.updated_at, v.file, v.type, b.size, b.sha256"
#define NEWEST                                                                                               \
    "JOIN document_version v ON v.document_number = d.number AND v.version = (SELECT max(version) FROM "     \
    "document_version WHERE document_number = d.number) JOIN blob b ON b.id = v.blob_id "
#define FILTERED                                                                                             \
    "(?1 = '' OR d.kind = ?1) AND (?2 = '' OR EXISTS (SELECT 1 FROM document_tag WHERE document_number = "   \
    "d.number AND tag = ?2)) AND (?3 = '' OR EXISTS (SELECT 1 FROM bundle_document m JOIN bundle u ON "      \
    "u.number = m.bundle_number WHERE m.document_number = d.number AND u.id = ?3)) AND (?4 = '' OR "         \
    "date(d.expires_on, '-' || d.remind_days || ' days') <= ?4) "

static const char SQL_ONE[] = "SELECT " COLUMNS " FROM document d " NEWEST "WHERE d.id = ?1";
static const char SQL_LIST[] = "SELECT " COLUMNS " FROM document d " NEWEST "WHERE " FILTERED
                               "AND d.number < ?5 ORDER BY d.number DESC LIMIT ?6";
/* What is told best of a document comes first: its title, then what else its owner told. */
#define COUNTED(column) "(SELECT count(*) FROM json_each(?7) w WHERE instr(t." column ", w.value))"
static const char SQL_FOUND[] =
    "SELECT " COLUMNS " FROM document_text t JOIN document d ON d.number = t.document_number " NEWEST
    "WHERE " FILTERED "AND json_array_length(?7) > 0 AND NOT EXISTS (SELECT 1 FROM json_each(?7) w WHERE NOT "
    "instr(t.title, w.value) AND NOT instr(t.facts, w.value) AND NOT instr(t.body, w.value)) "
    "ORDER BY " COUNTED("title") " DESC, " COUNTED("facts") " DESC, d.number DESC LIMIT ?6 OFFSET ?5";
static const char SQL_NUMBER[] = "SELECT number FROM document WHERE id = ?1";
static const char SQL_TAGS[] = "SELECT tag FROM document_tag WHERE document_number = ?1 ORDER BY tag";
static const char SQL_BUNDLES[] =
    "SELECT u.id FROM bundle_document m JOIN bundle u ON u.number = m.bundle_number "
    "WHERE m.document_number = ?1 ORDER BY u.number";
static const char SQL_VERSIONS[] =
    "SELECT v.version, v.file, v.type, b.size, b.sha256, v.added_at FROM document_version v JOIN blob b "
    "ON b.id = v.blob_id WHERE v.document_number = ?1 ORDER BY v.version";
static const char SQL_FILE[] =
    "SELECT v.blob_id, v.file, v.type, b.size, b.sha256 FROM document d JOIN document_version v ON "
    "v.document_number = d.number JOIN blob b ON b.id = v.blob_id WHERE d.id = ?1 AND (?2 = 0 OR v.version = "
    "?2) ORDER BY v.version DESC LIMIT 1";

/* What a value of a row is told as. */
enum as { AS_TEXT, AS_DAY, AS_NUMBER, AS_INSTANT, AS_DIGEST };
struct telling {
    const char *name;
    int column;
    enum as as;
};

static const struct telling ROW[] = {
    {"id", 1, AS_TEXT},          {"kind", 2, AS_TEXT},          {"title", 3, AS_TEXT},
    {"number", 4, AS_TEXT},      {"issuer", 5, AS_TEXT},        {"issued", 6, AS_DAY},
    {"expires", 7, AS_DAY},      {"remind_days", 8, AS_NUMBER}, {"tags", -1, AS_TEXT},
    {"note", 9, AS_TEXT},        {"revision", 10, AS_NUMBER},   {"created", 11, AS_INSTANT},
    {"updated", 12, AS_INSTANT}, {"file", 13, AS_TEXT},         {"type", 14, AS_TEXT},
    {"size", 15, AS_NUMBER},     {"sha256", 16, AS_DIGEST},     {NULL, 0, AS_TEXT},
};
static const struct telling VERSION[] = {
    {"version", 0, AS_NUMBER}, {"file", 1, AS_TEXT},     {"type", 2, AS_TEXT}, {"size", 3, AS_NUMBER},
    {"sha256", 4, AS_DIGEST},  {"added", 5, AS_INSTANT}, {NULL, 0, AS_TEXT},
};

static enum err tell_digest(struct str bytes, json_t **out)
{
    char text[SHA256_TEXT_BYTES];

    if (bytes.len != SHA256_BYTES)
        return err_set(ERR_CORRUPT, "the digest of a blob");
    sha256_text((const uint8_t *)bytes.ptr, text);
    *out = json_string(text);
    return ERR_OK;
}

static enum err tell_value(const struct stmt *row, const struct telling *t, json_t **out)
{
    char instant[CLOCK_TEXT_BYTES];
    struct str text;

    switch (t->as) {
    case AS_NUMBER:
        *out = json_integer(stmt_int(row, t->column));
        return ERR_OK;
    case AS_INSTANT:
        clock_text(stmt_int(row, t->column), instant);
        *out = json_string(instant);
        return ERR_OK;
    case AS_DIGEST:
        return tell_digest(stmt_blob(row, t->column), out);
    case AS_TEXT:
    case AS_DAY:
        break;
    }
    text = stmt_text(row, t->column);
    *out = t->as == AS_DAY && text.len == 0 ? json_null() : json_stringn(text.ptr ? text.ptr : "", text.len);
    return ERR_OK;
}

/* Texts of one column as an array. */
static enum err tell_list(struct db *db, const char *sql, int64_t number, json_t **out)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    AUTO(json_freep) json_t *list = json_array();
    enum err e;

    if ((e = db_query(db, sql, PARAMS(INT(number)), &row)))
        return e;
    while (!(e = stmt_next(row))) {
        struct str text = stmt_text(row, 0);

        if (json_array_append_new(list, json_stringn(text.ptr, text.len)))
            return err_set(ERR_NO_MEMORY, "a document");
    }
    if (e != ERR_NOT_FOUND)
        return e;
    *out = list;
    list = NULL; /* the caller's now */
    return ERR_OK;
}

static enum err tell_row(struct db *db, const struct stmt *row, const struct telling *tellings, json_t **out)
{
    AUTO(json_freep) json_t *object = json_object();
    enum err e;

    for (const struct telling *t = tellings; t->name; t++) {
        json_t *value = NULL;

        e = t->column < 0 ? tell_list(db, SQL_TAGS, stmt_int(row, 0), &value) : tell_value(row, t, &value);
        if (e)
            return e;
        if (json_object_set_new(object, t->name, value)) /* also when there was no memory for it */
            return err_set(ERR_NO_MEMORY, "a document");
    }
    *out = object;
    object = NULL; /* the caller's now */
    return ERR_OK;
}

static enum err tell_versions(struct db *db, int64_t number, json_t *versions)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    if ((e = db_query(db, SQL_VERSIONS, PARAMS(INT(number)), &row)))
        return e;
    while (!(e = stmt_next(row))) {
        json_t *version = NULL;

        if ((e = tell_row(db, row, VERSION, &version)))
            return e;
        if (json_array_append_new(versions, version))
            return err_set(ERR_NO_MEMORY, "a document");
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err document_get(struct db *db, struct str id, json_t **out)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    AUTO(json_freep) json_t *document = NULL;
    json_t *versions = json_array(), *bundles = NULL;
    int64_t number;
    enum err e;

    if (!(e = db_query(db, SQL_ONE, PARAMS(STR_TEXT(id)), &row)) && (e = stmt_next(row)) == ERR_NOT_FOUND)
        e = err_set(e, "no such document");
    if (!e)
        e = tell_row(db, row, ROW, &document);
    if (!e && json_object_set(document, "versions", versions))
        e = err_set(ERR_NO_MEMORY, "a document");
    json_decref(versions); /* the document's now */
    if (e)
        return e;
    number = stmt_int(row, 0);
    if ((e = tell_versions(db, number, json_object_get(document, "versions"))) ||
        (e = tell_list(db, SQL_BUNDLES, number, &bundles)))
        return e;
    if (json_object_set_new(document, "bundles", bundles))
        return err_set(ERR_NO_MEMORY, "a document");
    *out = document;
    document = NULL; /* the caller's now */
    return ERR_OK;
}

enum err document_file(struct db *db, struct str id, int64_t version, struct document_file *out)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    struct document_file file = {0};
    struct str digest;
    enum err e;

    if ((e = db_query(db, SQL_FILE, PARAMS(STR_TEXT(id), INT(version)), &row)))
        return e;
    if ((e = stmt_next(row)))
        return e == ERR_NOT_FOUND ? err_set(e, "no such document, or version of it") : e;
    file.blob_id = stmt_int(row, 0);
    file.size = (uint64_t)stmt_int(row, 3);
    if (str_copy(stmt_text(row, 1), file.file, sizeof file.file) ||
        str_copy(stmt_text(row, 2), file.type, sizeof file.type) ||
        (digest = stmt_blob(row, 4)).len != sizeof file.sha256)
        return err_set(ERR_CORRUPT, "the version of a document");
    memcpy(file.sha256, digest.ptr, sizeof file.sha256);
    *out = file;
    return ERR_OK;
}

/* Where a list goes on: behind a document, or, by rank, behind so many. */
static enum err read_cursor(struct db *db, const struct document_filter *f, struct str cursor, int64_t *out)
{
    enum err e;

    *out = f->words.len > 0 ? 0 : INT64_MAX;
    if (cursor.len == 0)
        return ERR_OK;
    if (f->words.len > 0)
        return str_int64(cursor, out) || *out < 0 || *out > INT32_MAX
                   ? err_set(ERR_INVALID, "the cursor is none of a search")
                   : ERR_OK;
    e = db_number(db, SQL_NUMBER, PARAMS(STR_TEXT(cursor)), out);
    return e == ERR_NOT_FOUND ? err_set(ERR_INVALID, "the cursor is no document") : e;
}

static enum err set_next(const struct document_filter *f, int64_t from, json_t *list)
{
    json_t *array = json_object_get(list, "documents");
    size_t count = json_array_size(array);
    char offset[24];
    int failed;

    if (f->words.len > 0) {
        (void)snprintf(offset, sizeof offset, "%" PRId64, from + (int64_t)count);
        failed = json_object_set_new(list, "next", json_string(offset));
    } else {
        failed = json_object_set(list, "next", json_object_get(json_array_get(array, count - 1), "id"));
    }
    return failed ? err_set(ERR_NO_MEMORY, "a list of documents") : ERR_OK;
}

static enum err fill(struct db *db, struct stmt *rows, int64_t limit, json_t *array, bool *more)
{
    enum err e;

    while (!(e = stmt_next(rows))) {
        json_t *document = NULL;

        if ((int64_t)json_array_size(array) == limit) {
            *more = true;
            return ERR_OK;
        }
        if ((e = tell_row(db, rows, ROW, &document)))
            return e;
        if (json_array_append_new(array, document))
            return err_set(ERR_NO_MEMORY, "a list of documents");
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err query(struct db *db, const struct document_filter *f, int64_t from, int64_t limit,
                      struct buf *match, struct stmt **rows)
{
    enum err e;

    if (f->words.len == 0)
        return db_query(db, SQL_LIST,
                        PARAMS(STR_TEXT(f->kind), STR_TEXT(f->tag), STR_TEXT(f->bundle),
                               STR_TEXT(f->expiring), INT(from), INT(limit + 1)),
                        rows);
    if ((e = document_text_match(db, f->words, match)))
        return e;
    return db_query(db, SQL_FOUND,
                    PARAMS(STR_TEXT(f->kind), STR_TEXT(f->tag), STR_TEXT(f->bundle), STR_TEXT(f->expiring),
                           INT(from), INT(limit + 1), STR_TEXT(((struct str){match->data, match->len}))),
                    rows);
}

static enum err check_filter(const struct document_filter *f)
{
    const struct document_kind *kind;
    const struct document_facts facts = {.expires_on = f->expiring, .remind_days = -1};

    if (f->kind.len > 0 && document_kind_find(f->kind, &kind))
        return ERR_INVALID; /* the story is told */
    return document_facts_check(&facts) ? err_set(ERR_INVALID, "expiring is no day such as 2024-05-01")
                                        : ERR_OK;
}

enum err document_list(struct db *db, const struct document_filter *filter, struct str cursor, int64_t limit,
                       json_t **out)
{
    AUTO(json_freep) json_t *list = json_pack("{s:[], s:n}", "documents", "next");
    AUTO(buf_done) struct buf match;
    AUTO(stmt_closep) struct stmt *rows = NULL;
    struct document_filter f = *filter;
    int64_t from;
    bool more = false;
    enum err e;

    buf_init(&match, 8 * DOCUMENT_TEXT_BYTES);
    if (!list)
        return err_set(ERR_NO_MEMORY, "a list of documents");
    f.words = str_trim(f.words);
    if ((e = check_filter(&f)) || (e = read_cursor(db, &f, cursor, &from)) ||
        (e = query(db, &f, from, limit, &match, &rows)) ||
        (e = fill(db, rows, limit, json_object_get(list, "documents"), &more)) ||
        (more && (e = set_next(&f, from, list))))
        return e;
    *out = list;
    list = NULL; /* the caller's now */
    return ERR_OK;
}
