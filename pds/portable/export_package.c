/* datapackage.json (Frictionless Data Package, version 1): what stands in the zip, with sizes and hashes. */
#include "pds/portable/export_internal.h"

#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/store/blob.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static json_t *field(const char *name, size_t len, const char *type)
{
    return json_pack("{s:s%, s:s}", "name", name, len, "type", type);
}

/* "start:datetime text:string" as fields of a table schema. NULL: no memory. */
static json_t *fields_of(const char *words)
{
    json_t *fields = json_array();
    struct str rest = str_of(words), word, name;
    char type[16];

    while (fields && str_split(&rest, ' ', &word)) {
        if (!str_split(&word, ':', &name) || str_copy(word, type, sizeof type))
            break;
        if (json_array_append_new(fields, field(name.ptr, name.len, type))) {
            json_decref(fields);
            fields = NULL;
        }
    }
    return fields;
}

/* Those of a series: what its dataset says. */
static json_t *series_fields(const struct dataset *d)
{
    json_t *fields = fields_of("start:datetime end:datetime");
    int failed = !fields;

    for (size_t i = 0; i < d->value_count; i++)
        failed |= json_array_append_new(fields, json_pack("{s:s, s:s, s:s}", "name", d->values[i].name,
                                                          "type", "number", "unit", d->values[i].unit));
    failed |= json_array_append_new(fields, json_pack("{s:s, s:s, s:{s:[s,s,s,s]}}", "name", "quality",
                                                      "type", "string", "constraints", "enum", "estimated",
                                                      "measured", "corrected", "definitive"));
    failed |= json_array_append_new(fields, field("import", 6, "string"));
    failed |= json_array_append_new(fields, field("line", 4, "integer"));
    if (!failed)
        return fields;
    json_decref(fields);
    return NULL;
}

/* A resource's name: its path in small letters. */
static void name_of(const char *path, char out[static EXPORT_PATH_BYTES])
{
    size_t i;

    for (i = 0; path[i] && i + 1 < EXPORT_PATH_BYTES; i++)
        out[i] = (char)tolower((unsigned char)path[i]);
    out[i] = '\0';
}

static json_t *resource(const char *path, const char *type, uint64_t bytes,
                        const uint8_t hash[static SHA256_BYTES])
{
    char name[EXPORT_PATH_BYTES], text[SHA256_TEXT_BYTES];

    name_of(path, name);
    sha256_text(hash, text);
    return json_pack("{s:s, s:s, s:s, s:I, s:o}", "name", name, "path", path, "mediatype", type, "bytes",
                     (json_int_t)bytes, "hash", json_sprintf("sha256:%s", text));
}

static int set_table(json_t *r, const struct export_part *part)
{
    bool of_series = part->series && !part->kind->places;
    json_t *fields = of_series ? series_fields(part->series->dataset) : fields_of(part->kind->fields);

    return json_object_set_new(r, "profile", json_string("tabular-data-resource")) |
           json_object_set_new(r, "format", json_string("csv")) |
           json_object_set_new(r, "encoding", json_string("utf-8")) |
           json_object_set_new(r, "schema", json_pack("{s:o}", "fields", fields));
}

static json_t *identity_of(const struct export_part *part)
{
    const struct export_series *s = part->series;

    return s ? json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "kind", part->kind->name, "dataset",
                         s->dataset->name, "provider", s->provider, "reference", s->reference, "grain",
                         s->grain, "records", (json_int_t)s->records)
             : json_pack("{s:s}", "kind", part->kind->name);
}

/* A resource on a line of its own. */
static enum err put_resource(struct export *x, json_t *r, bool failed)
{
    if (!r || failed) {
        json_decref(r);
        return err_set(ERR_NO_MEMORY, "a resource");
    }
    buf_text(&x->piece, x->listed++ ? ",\n" : "\n");
    json_write(&x->piece, r);
    json_decref(r);
    return export_flow(x);
}

static enum err put_part(struct export *x, const struct export_part *part)
{
    bool table = part->kind->fields != NULL;
    json_t *r = resource(part->path, part->kind->type, part->bytes, part->hash);
    int failed = !r;

    if (r) {
        failed |= json_object_set_new(r, "title", json_string(part->kind->title));
        failed |= json_object_set_new(r, "description", json_string(part->kind->title_fr));
        failed |= json_object_set_new(r, "traboule", identity_of(part));
        if (table)
            failed |= set_table(r, part);
    }
    return put_resource(x, r, failed);
}

static enum err put_file(struct export *x, const struct export_version *version)
{
    json_t *r = resource(version->path, version->file.type, version->file.size, version->file.sha256);
    int failed =
        !r || json_object_set_new(r, "traboule",
                                  json_pack("{s:s, s:s, s:I}", "kind", "file", "document", version->document,
                                            "version", (json_int_t)version->number));

    return put_resource(x, r, failed);
}

enum err export_write_package(struct export *x)
{
    char created[CLOCK_TEXT_BYTES], digest[SHA256_TEXT_BYTES];
    enum err e;

    clock_text(x->now, created);
    sha256_text(x->digest, digest);
    buf_printf(&x->piece,
               "{\"profile\":\"data-package\",\"name\":\"traboule-export\",\n"
               "\"title\":\"A personal data store, exported\",\"created\":\"%s\",\n"
               "\"traboule\":{\"format\":\"" EXPORT_FORMAT "\",\"version\":%d,\"program\":\"" TRABOULE_VERSION
               "\",\"digest\":\"%s\"},\n\"resources\":[",
               created, EXPORT_VERSION, digest);
    for (size_t i = 0; i < x->part_count; i++) {
        if ((e = put_part(x, &x->parts[i])))
            return e;
    }
    if ((e = export_each_file(x, put_file)))
        return e;
    buf_text(&x->piece, "]}\n");
    return export_flow(x);
}
