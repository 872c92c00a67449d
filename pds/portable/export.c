#include "pds/portable/export_internal.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/store/blob.h"
#include "pds/vault/vault.h"

#include <string.h>

#define ANY "-" /* a table whose fields come from elsewhere */

const struct export_kind EXPORT_KINDS[] = {
    {"readme", "README.txt", NULL, "text/plain", "What is what", "Ce qui est quoi", NULL, false,
     export_write_readme},
    {"sources", "data/sources.csv", NULL, "text/csv", "Where the data comes from",
     "D'où viennent les données", "source:integer provider:string reference:string known_since:datetime",
     false, export_write_sources},
    {"imports", "data/imports.csv", NULL, "text/csv", "What brought the data", "Ce qui a apporté les données",
     "import:string file:string format:string begun:datetime ended:datetime undone:datetime failure:string "
     "new:integer same:integer replaced:integer rejected:integer",
     false, export_write_imports},
    {"records", "data", ".csv", "text/csv", "Records of one series", "Relevés d'une série", ANY, false,
     export_write_series},
    {"history", "data/history.csv", NULL, "text/csv", "Values that others replaced", "Valeurs remplacées",
     "dataset:string provider:string reference:string grain:string start:datetime end:datetime values:string "
     "quality:string import:string line:integer replaced_by:string",
     false, export_write_history},
    {"annotations", "data/annotations.csv", NULL, "text/csv", "The owner's remarks", "Remarques",
     "annotation:string dataset:string start:datetime end:datetime text:string created:datetime "
     "updated:datetime",
     false, export_write_annotations},
    {"places", "places", ".gpx", "application/gpx+xml", "Places, for maps", "Positions, pour une carte", NULL,
     true, export_write_gpx},
    {"places", "places", ".geojson", "application/geo+json", "Places, for maps", "Positions, pour une carte",
     NULL, true, export_write_geojson},
    {"trail", "trail.json", NULL, "application/json", "The trail of the store", "Journal du coffre", NULL,
     false, export_write_trail},
    {"receipts", "receipts/README.txt", NULL, "text/plain", "The place of receipts", "La place des reçus",
     NULL, false, export_write_receipts},
    {"document-table", "documents.csv", NULL, "text/csv", "Documents, as a table", "Documents, en tableau",
     "document:string kind:string title:string number:string issuer:string issued:date expires:date "
     "tags:string "
     "note:string version:integer file:string type:string added:datetime path:string",
     false, export_write_document_table},
    {"documents", "documents.json", NULL, "application/json", "Documents and bundles",
     "Documents et dossiers", NULL, false, export_write_document_list},
    {0},
};

static enum err add_part(struct export *x, size_t *room, const struct export_kind *kind,
                         const struct export_series *series)
{
    struct export_part *part;
    struct buf path;

    if (x->part_count == *room) {
        struct export_part *moved;

        *room = *room ? *room * 2 : 32;
        if (!(moved = mem_resize(x->parts, *room * sizeof *moved)))
            return err_set(ERR_NO_MEMORY, "list of parts");
        x->parts = moved;
    }
    part = &x->parts[x->part_count];
    *part = (struct export_part){.kind = kind, .series = series};
    buf_over(&path, part->path, sizeof part->path);
    buf_text(&path, kind->path);
    if (series)
        buf_printf(&path, "/%s%s", series->stem, kind->ending);
    x->part_count++;
    return buf_err(&path);
}

static enum err list_parts(struct export *x)
{
    size_t room = 0;
    enum err e;

    for (const struct export_kind *kind = EXPORT_KINDS; kind->name; kind++) {
        if (!kind->ending && (e = add_part(x, &room, kind, NULL)))
            return e;
        for (size_t i = 0; kind->ending && i < x->series_count; i++) {
            if ((!kind->places || export_has_places(x->series[i].dataset)) &&
                (e = add_part(x, &room, kind, &x->series[i])))
                return e;
        }
    }
    return ERR_OK;
}

enum err export_heed(struct export *x)
{
    if (store_is_closing(x->store))
        return err_set(ERR_LOCKED, "the store is being locked");
    return x->put ? x->put(x->put_context, "", 0) : ERR_OK;
}

/* The piece goes into the zip, or is only measured. */
static enum err pass_on(struct export *x)
{
    enum err e;

    if ((e = buf_err(&x->piece)) || (e = export_heed(x)))
        return e;
    sha256_add(&x->hash, x->piece.data, x->piece.len);
    x->bytes += x->piece.len;
    if (x->pack && (e = pack_write(x->pack, x->piece.data, x->piece.len)))
        return e;
    buf_clear(&x->piece);
    return ERR_OK;
}

enum err export_flow(struct export *x) { return x->piece.len < EXPORT_PIECE_BYTES ? ERR_OK : pass_on(x); }

static void begin(struct export *x)
{
    buf_clear(&x->piece);
    sha256_init(&x->hash);
    x->bytes = 0;
}

static enum err measure(struct export *x, struct export_part *part)
{
    enum err e;

    begin(x);
    if ((e = part->kind->write(x, part)) || (e = pass_on(x)))
        return err_wrap(e, "%s", part->path);
    part->bytes = x->bytes;
    sha256_end(&x->hash, part->hash);
    return ERR_OK;
}

static enum err write_part(struct export *x, const struct export_part *part)
{
    uint8_t hash[SHA256_BYTES];
    enum err e;

    begin(x);
    if ((e = pack_begin(x->pack, part->path, (int64_t)part->bytes, x->now)) ||
        (e = part->kind->write(x, part)) || (e = pass_on(x)) || (e = pack_end(x->pack)))
        return err_wrap(e, "%s", part->path);
    sha256_end(&x->hash, hash);
    return memcmp(hash, part->hash, sizeof hash) == 0
               ? ERR_OK
               : err_set(ERR_INTERNAL, "%s: not twice the same", part->path);
}

static enum err write_package(struct export *x)
{
    enum err e;

    begin(x);
    if ((e = pack_begin(x->pack, "datapackage.json", -1, x->now)) || (e = export_write_package(x)) ||
        (e = pass_on(x)) || (e = pack_end(x->pack)))
        return err_wrap(e, "datapackage.json");
    return ERR_OK;
}

static enum err write_all(struct export *x)
{
    AUTO(pack_writer_freep) struct pack_writer *pack = NULL;
    enum err e;

    if ((e = list_parts(x)))
        return e;
    for (size_t i = 0; i < x->part_count; i++) {
        if ((e = measure(x, &x->parts[i])))
            return e;
    }
    if ((e = pack_writer_new(PACK_ZIP, x->put, x->put_context, &pack)))
        return e;
    x->pack = pack;
    e = write_package(x);
    for (size_t i = 0; !e && i < x->part_count; i++)
        e = write_part(x, &x->parts[i]);
    if (!e)
        e = export_write_files(x);
    x->pack = NULL; /* ends with this function */
    return e ? e : pack_finish(pack);
}

static void done(struct export *x)
{
    export_series_done(x);
    mem_free(x->parts);
    mem_free(x->datasets);
    buf_done(&x->piece);
}

static enum err answer_datasets(const struct export *x, json_t *list)
{
    char hash[SHA256_TEXT_BYTES];

    for (size_t i = 0; i < x->dataset_count; i++) {
        const struct export_digest *d = &x->datasets[i];

        sha256_text(d->hash, hash);
        if (json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "name", d->dataset->name, "records",
                                                  (json_int_t)d->count, "digest", hash)))
            return err_set(ERR_NO_MEMORY, "the answer");
    }
    return ERR_OK;
}

static enum err answer(const struct export *x, json_t **out)
{
    AUTO(json_freep) json_t *list = json_array();
    char hash[SHA256_TEXT_BYTES];
    enum err e;

    if (!list)
        return err_set(ERR_NO_MEMORY, "the answer");
    if ((e = answer_datasets(x, list)))
        return e;
    sha256_text(x->digest, hash);
    *out = json_pack("{s:O, s:I, s:I, s:I, s:s}", "datasets", list, "documents",
                     (json_int_t)x->documents.count, "annotations", (json_int_t)x->annotations.count,
                     "bundles", (json_int_t)x->bundles.count, "digest", hash);
    return *out ? ERR_OK : err_set(ERR_NO_MEMORY, "the answer");
}

/* One snapshot; put NULL: the digests alone. */
static enum err run(struct store *s, struct vault *vault, export_put *put, void *context, int64_t now,
                    json_t **out)
{
    AUTO(reader_done) struct reader reader = {vault, NULL};
    AUTO(done) struct export x = {.store = s, .now = now, .put = put, .put_context = context};
    enum err e;

    buf_init(&x.piece, 4 * MIB);
    if ((e = vault_read(vault, &reader.db)))
        return e;
    x.db = reader.db;
    if ((e = export_load_series(&x)) || (e = export_digest_all(&x)) || (put && (e = write_all(&x))))
        return e;
    return answer(&x, out);
}

static enum err tell_work(struct db *db, void *context)
{
    static const struct event EVENT = {.kind = EVENT_EXPORTED, .who = "owner", .what = ""};
    const int64_t *now = context;

    return trail_add(db, &EVENT, *now, NULL);
}

enum err export_make(struct store *s, export_put *put, void *context, int64_t now, json_t **out)
{
    struct vault *vault;
    enum err e;

    if ((e = store_enter(s, &vault)))
        return err_wrap(e, "export");
    blob_hold(s);
    if (!(e = vault_write(vault, tell_work, &now)))
        e = run(s, vault, put, context, now, out);
    blob_unhold(s);
    store_leave(s);
    return e ? err_wrap(e, "export") : ERR_OK;
}

enum err export_digest(struct store *s, json_t **out)
{
    struct vault *vault;
    enum err e;

    if ((e = store_enter(s, &vault)))
        return err_wrap(e, "digest");
    e = run(s, vault, NULL, NULL, 0, out);
    store_leave(s);
    return e ? err_wrap(e, "digest") : ERR_OK;
}
