/* Documents: what is known of them, as a list and as a table, and their files. */
#include "pds/portable/export_internal.h"

#include "pds/base/auto.h"
#include "pds/portable/sheet.h"
#include "pds/store/blob.h"
#include "pds/store/bundle.h"
#include "pds/vault/db.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { STEM_BYTES = 60, ENDING_BYTES = 12 };

static const char SQL_NEXT[] = "SELECT id FROM document WHERE id > ?1 ORDER BY id LIMIT 1";
static const char SQL_NEXT_BUNDLE[] = "SELECT id FROM bundle WHERE id > ?1 ORDER BY id LIMIT 1";

typedef enum err load(struct db *db, struct str id, json_t **out);

static enum err each(struct export *x, const char *next, load *get, export_document *visit, void *context)
{
    char last[ID_CHARS + 1] = "";
    enum err e;

    for (;;) {
        AUTO(json_freep) json_t *item = NULL;
        AUTO(stmt_closep) struct stmt *row = NULL;

        if ((e = db_query(x->db, next, PARAMS(TEXT(last)), &row)))
            return e;
        if ((e = stmt_next(row)))
            return e == ERR_NOT_FOUND ? ERR_OK : e;
        if ((e = str_copy(stmt_text(row, 0), last, sizeof last)) || (e = get(x->db, str_of(last), &item)) ||
            (e = visit(x, item, context)))
            return err_wrap(e, "%s", last);
    }
}

enum err export_each_document(struct export *x, export_document *visit, void *context)
{
    enum err e = each(x, SQL_NEXT, document_get, visit, context);

    return e ? err_wrap(e, "document") : ERR_OK;
}

enum err export_each_bundle(struct export *x, export_document *visit, void *context)
{
    enum err e = each(x, SQL_NEXT_BUNDLE, bundle_get, visit, context);

    return e ? err_wrap(e, "bundle") : ERR_OK;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* Where a version of a document stands in the zip. */
static void path_of(const json_t *document, const json_t *version, char out[static EXPORT_PATH_BYTES])
{
    struct str file = str_of(text_of(version, "file")), ending = {NULL, 0};
    struct buf path;

    for (size_t i = file.len; i-- > 1;) {
        if (file.ptr[i] == '.') {
            ending = (struct str){file.ptr + i + 1, file.len - i - 1};
            file.len = i;
            break;
        }
    }
    buf_over(&path, out, EXPORT_PATH_BYTES);
    buf_text(&path, "documents/");
    export_name(&path, file, false, STEM_BYTES);
    buf_printf(&path, "--%s-v%" PRId64, text_of(document, "id"),
               (int64_t)json_integer_value(json_object_get(version, "version")));
    if (ending.len) {
        buf_char(&path, '.');
        export_name(&path, ending, false, ENDING_BYTES);
    }
}

struct file_visit {
    export_file *visit;
};

static enum err files_of(struct export *x, const json_t *document, void *context)
{
    const struct file_visit *with = context;
    struct export_version at = {.document = text_of(document, "id")};
    const json_t *version;
    size_t i;
    enum err e;

    json_array_foreach(json_object_get(document, "versions"), i, version)
    {
        at.number = json_integer_value(json_object_get(version, "version"));
        path_of(document, version, at.path);
        if ((e = document_file(x->db, str_of(at.document), at.number, &at.file)) || (e = with->visit(x, &at)))
            return e;
    }
    return ERR_OK;
}

enum err export_each_file(struct export *x, export_file *visit)
{
    struct file_visit with = {visit}; /* a function is no context by itself */

    return export_each_document(x, files_of, &with);
}

/* document_get()'s versions, and the path that each has in the zip. */
static enum err add_paths(json_t *document)
{
    json_t *version, *versions = json_object_get(document, "versions");
    char path[EXPORT_PATH_BYTES];
    size_t i;

    json_array_foreach(versions, i, version)
    {
        path_of(document, version, path);
        if (json_object_set_new(version, "path", json_string(path)))
            return err_set(ERR_NO_MEMORY, "paths of a document");
    }
    return ERR_OK;
}

static enum err list_one(struct export *x, const json_t *document, void *context)
{
    AUTO(json_freep) json_t *copy = json_deep_copy(document);
    int64_t *count = context;
    enum err e;

    if (!copy)
        return err_set(ERR_NO_MEMORY, "a document");
    if ((e = add_paths(copy)))
        return e;
    buf_text(&x->piece, (*count)++ ? ",\n" : "\n");
    json_write(&x->piece, copy);
    return export_flow(x);
}

static enum err list_bundle(struct export *x, const json_t *bundle, void *context)
{
    int64_t *count = context;

    buf_text(&x->piece, (*count)++ ? ",\n" : "\n");
    json_write(&x->piece, bundle);
    return export_flow(x);
}

enum err export_write_document_list(struct export *x, const struct export_part *part)
{
    int64_t documents = 0, bundles = 0;
    enum err e;

    (void)part;
    buf_text(&x->piece, "{\"documents\":[");
    if ((e = export_each_document(x, list_one, &documents)))
        return e;
    buf_text(&x->piece, "],\n\"bundles\":[");
    if ((e = export_each_bundle(x, list_bundle, &bundles)))
        return e;
    buf_text(&x->piece, "]}\n");
    return export_flow(x);
}

static void put_text(struct buf *out, const json_t *object, const char *key)
{
    sheet_text(out, str_of(text_of(object, key)));
    buf_char(out, ',');
}

static enum err table_one(struct export *x, const json_t *document, void *context)
{
    static const char *const KEYS[] = {"id", "kind", "title", "number", "issuer", "issued", "expires"};
    AUTO(buf_done) struct buf tags;
    const json_t *version, *tag;
    char path[EXPORT_PATH_BYTES];
    size_t i, n;
    enum err e;

    (void)context;
    buf_init(&tags, DOCUMENT_TAGS_MAX * (DOCUMENT_TEXT_BYTES + 2));
    json_array_foreach(json_object_get(document, "tags"), n, tag)
    {
        buf_text(&tags, n ? ", " : "");
        buf_text(&tags, json_string_value(tag));
    }
    if ((e = buf_err(&tags)))
        return e;
    json_array_foreach(json_object_get(document, "versions"), i, version)
    {
        for (n = 0; n < sizeof KEYS / sizeof *KEYS; n++)
            put_text(&x->piece, document, KEYS[n]);
        sheet_text(&x->piece, (struct str){tags.data, tags.len});
        buf_char(&x->piece, ',');
        put_text(&x->piece, document, "note");
        buf_printf(&x->piece, "%" PRId64 ",",
                   (int64_t)json_integer_value(json_object_get(version, "version")));
        put_text(&x->piece, version, "file");
        put_text(&x->piece, version, "type");
        put_text(&x->piece, version, "added");
        path_of(document, version, path);
        sheet_text(&x->piece, str_of(path));
        buf_char(&x->piece, '\n');
        if ((e = export_flow(x)))
            return e;
    }
    return ERR_OK;
}

enum err export_write_document_table(struct export *x, const struct export_part *part)
{
    (void)part;
    buf_text(&x->piece,
             "document,kind,title,number,issuer,issued,expires,tags,note,version,file,type,added,path\n");
    return export_each_document(x, table_one, NULL);
}

static enum err copy_blob(struct export *x, const struct document_file *file)
{
    AUTO(blob_reader_freep) struct blob_reader *r = NULL;
    uint64_t at = 0;
    size_t got = 0;
    char *piece;
    enum err e;

    if ((e = blob_reader_new(x->store, x->db, file->blob_id, &r)))
        return e;
    buf_clear(&x->piece);
    if (!(piece = buf_reserve(&x->piece, EXPORT_PIECE_BYTES)))
        return buf_err(&x->piece);
    do {
        if ((e = export_heed(x)) || (e = blob_read(r, at, piece, EXPORT_PIECE_BYTES, &got)) ||
            (e = pack_write(x->pack, piece, got)))
            return e;
        at += got;
    } while (got);
    return ERR_OK;
}

static enum err put_file(struct export *x, const struct export_version *version)
{
    enum err e;

    if ((e = pack_begin_stored(x->pack, version->path, (int64_t)version->file.size, x->now)) ||
        (e = copy_blob(x, &version->file)))
        return e;
    return pack_end(x->pack);
}

enum err export_write_files(struct export *x) { return export_each_file(x, put_file); }
