/* Digests: SHA-256 over a listing in one order and one form, without any number of a row.
 * docs/export-format.md tells it to the byte. */
#include "pds/portable/export_internal.h"

#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/vault/db.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char SQL_ANNOTATIONS[] =
    "SELECT id, dataset, start_at, end_at, text FROM annotation ORDER BY id";

/* What stands in the piece goes into the digest at hand. */
static enum err take(struct export *x, bool all)
{
    enum err e;

    if (!all && x->piece.len < EXPORT_PIECE_BYTES)
        return ERR_OK;
    if ((e = buf_err(&x->piece)) || (e = export_heed(x)))
        return e;
    sha256_add(&x->hash, x->piece.data, x->piece.len);
    buf_clear(&x->piece);
    return ERR_OK;
}

static void begin(struct export *x)
{
    buf_clear(&x->piece);
    sha256_init(&x->hash);
}

static enum err end(struct export *x, struct export_digest *d)
{
    enum err e = take(x, true);

    if (!e)
        sha256_end(&x->hash, d->hash);
    return e;
}

static enum err add_record(struct export *x, const struct export_series *s, const struct export_row *row,
                           void *context)
{
    const struct record *r = &row->record;
    struct export_digest *d = context;

    d->count++;
    buf_printf(&x->piece, "%" PRId64 " %" PRId64 " %d", r->start_at, r->end_at, (int)r->quality);
    for (size_t i = 0; i < s->dataset->value_count; i++) {
        if (r->present & (1U << i))
            buf_printf(&x->piece, " %" PRId64, r->values[i]);
        else
            buf_text(&x->piece, " -");
    }
    buf_char(&x->piece, '\n');
    return take(x, false);
}

static enum err add_series(struct export *x, struct export_series *s, struct export_digest *d)
{
    const char *const names[] = {s->provider, s->reference, s->grain};
    int64_t before = d->count;
    enum err e;

    for (int i = 0; i < 3; i++) {
        buf_char(&x->piece, i ? ',' : '[');
        json_quote(&x->piece, str_of(names[i]));
    }
    buf_text(&x->piece, "]\n");
    e = export_each_record(x, s, add_record, d);
    s->records = d->count - before;
    return e;
}

/* Series stand in order, so those of one dataset follow each other. */
static enum err digest_records(struct export *x)
{
    enum err e;

    if (!x->series_count)
        return ERR_OK;
    if (!x->datasets && !(x->datasets = mem_array(dataset_count(), sizeof *x->datasets)))
        return err_set(ERR_NO_MEMORY, "digests");
    x->dataset_count = 0;
    for (size_t i = 0; i < x->series_count;) {
        struct export_digest *d = &x->datasets[x->dataset_count++];

        *d = (struct export_digest){.dataset = x->series[i].dataset};
        begin(x);
        for (; i < x->series_count && x->series[i].dataset == d->dataset; i++) {
            if ((e = add_series(x, &x->series[i], d)))
                return e;
        }
        if ((e = end(x, d)))
            return e;
    }
    return ERR_OK;
}

/* An item of a list that is put in order. */
struct sorted {
    const json_t *item;
    const char *key;
};

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct sorted *)a)->key, ((const struct sorted *)b)->key);
}

/* Texts of an array, sorted by bytes. */
static enum err put_sorted(struct buf *out, const json_t *array)
{
    struct sorted sorted[1024];
    const json_t *item;
    size_t i, count = json_array_size(array);

    if (count > sizeof sorted / sizeof *sorted)
        return err_set(ERR_TOO_LARGE, "a list of %zu", count);
    json_array_foreach(array, i, item)
    {
        if (!json_is_string(item))
            return err_set(ERR_INVALID, "a list with something that is no text");
        sorted[i] = (struct sorted){item, json_string_value(item)};
    }
    if (count)
        qsort(sorted, count, sizeof *sorted, by_key);
    for (i = 0; i < count; i++) {
        buf_char(out, i ? ',' : '[');
        json_quote(out, str_of(sorted[i].key));
    }
    buf_text(out, count ? "]" : "[]");
    return ERR_OK;
}

static void put_text(struct buf *out, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    json_quote(out, str_of(text ? text : "")); /* nothing and "" are the same */
    buf_char(out, ',');
}

enum err export_document_line(const json_t *document, struct buf *out)
{
    static const char *const KEYS[] = {"kind", "title", "number", "issuer", "issued", "expires", "note"};
    static const char *const FILES[] = {"file", "sha256"};
    const json_t *version;
    size_t i, n;
    enum err e;

    buf_char(out, '[');
    for (i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        put_text(out, document, KEYS[i]);
    buf_printf(out, "%" PRId64 ",", (int64_t)json_integer_value(json_object_get(document, "remind_days")));
    if ((e = put_sorted(out, json_object_get(document, "tags"))))
        return e;
    json_array_foreach(json_object_get(document, "versions"), i, version)
    {
        buf_text(out, ",[");
        for (n = 0; n < sizeof FILES / sizeof *FILES; n++)
            put_text(out, version, FILES[n]);
        buf_printf(out, "%" PRId64 "]", (int64_t)json_integer_value(json_object_get(version, "size")));
    }
    buf_text(out, "]\n");
    return ERR_OK;
}

static enum err add_document(struct export *x, const json_t *document, void *context)
{
    enum err e;

    (void)context;
    x->documents.count++;
    put_text(&x->piece, document, "id");
    e = export_document_line(document, &x->piece);
    return e ? e : take(x, false);
}

static enum err digest_documents(struct export *x)
{
    enum err e;

    begin(x);
    x->documents.count = 0;
    if ((e = export_each_document(x, add_document, NULL)))
        return e;
    return end(x, &x->documents);
}

static enum err digest_annotations(struct export *x)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    begin(x);
    x->annotations.count = 0;
    if ((e = db_query(x->db, SQL_ANNOTATIONS, NO_PARAMS, &row)))
        return e;
    while (!(e = stmt_next(row))) {
        x->annotations.count++;
        buf_char(&x->piece, '[');
        json_quote(&x->piece, stmt_text(row, 0));
        buf_char(&x->piece, ',');
        json_quote(&x->piece, stmt_text(row, 1));
        buf_printf(&x->piece, ",%" PRId64 ",%" PRId64 ",", stmt_int(row, 2), stmt_int(row, 3));
        json_quote(&x->piece, stmt_text(row, 4));
        buf_text(&x->piece, "]\n");
        if ((e = take(x, false)))
            return e;
    }
    return e == ERR_NOT_FOUND ? end(x, &x->annotations) : e;
}

static enum err add_bundle(struct export *x, const json_t *bundle, void *context)
{
    enum err e;

    (void)context;
    put_text(&x->piece, bundle, "id");
    put_text(&x->piece, bundle, "title");
    if ((e = put_sorted(&x->piece, json_object_get(bundle, "documents"))))
        return e;
    buf_char(&x->piece, '\n');
    x->bundles.count++;
    return take(x, false);
}

static enum err digest_bundles(struct export *x)
{
    enum err e;

    begin(x);
    x->bundles.count = 0;
    if ((e = export_each_bundle(x, add_bundle, NULL)))
        return e;
    return end(x, &x->bundles);
}

static void put_line(struct buf *out, const char *name, const struct export_digest *d)
{
    char text[SHA256_TEXT_BYTES];

    sha256_text(d->hash, text);
    buf_printf(out, "%s %" PRId64 " %s\n", name, d->count, text);
}

enum err export_digest_all(struct export *x)
{
    struct export_digest all;
    enum err e;

    if ((e = digest_records(x)) || (e = digest_documents(x)) || (e = digest_annotations(x)) ||
        (e = digest_bundles(x)))
        return err_wrap(e, "digest");
    begin(x);
    for (size_t i = 0; i < x->dataset_count; i++)
        put_line(&x->piece, x->datasets[i].dataset->name, &x->datasets[i]);
    put_line(&x->piece, "documents", &x->documents);
    put_line(&x->piece, "annotations", &x->annotations);
    put_line(&x->piece, "bundles", &x->bundles);
    if ((e = end(x, &all)))
        return e;
    memcpy(x->digest, all.hash, sizeof x->digest);
    return ERR_OK;
}
