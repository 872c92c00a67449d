/* datapackage.json of another store: which files there are, and what each shall hold. */
#include "pds/portable/merge_internal.h"

#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/portable/export_internal.h"
#include "pds/portable/member.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum merge_kind kind;
} KINDS[] = {
    {"records", MERGE_RECORDS}, {"annotations", MERGE_ANNOTATIONS}, {"documents", MERGE_DOCUMENTS},
    {"file", MERGE_FILE},       {"imports", MERGE_IMPORTS},         {"history", MERGE_HISTORY},
    {"readme", MERGE_OTHER},    {"sources", MERGE_OTHER},           {"places", MERGE_OTHER},
    {"trail", MERGE_OTHER},     {"receipts", MERGE_OTHER},          {"document-table", MERGE_OTHER},
};

static enum err keep_text(struct merge *m, const json_t *object, const char *key, char **out)
{
    const char *text;
    enum err e;

    if ((e = json_get_text(object, key, &text)) || (e = merge_hold(m, strlen(text) + 1)))
        return e;
    return str_keep(str_of(text), out);
}

/* A word of a provider's: what sources and series are known by. */
static bool is_word(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    }
    return len <= IMPORT_REFERENCE_BYTES;
}

static enum err read_records(struct merge *m, const json_t *ours, struct merge_entry *entry)
{
    const char *dataset;
    enum err e;

    if ((e = json_get_text(ours, "dataset", &dataset)) ||
        (e = keep_text(m, ours, "provider", &entry->provider)) ||
        (e = keep_text(m, ours, "reference", &entry->reference)) ||
        (e = keep_text(m, ours, "grain", &entry->grain)))
        return e;
    if (!is_word(entry->provider) || !is_word(entry->reference) || !is_word(entry->grain) ||
        !*entry->provider || !*entry->grain)
        return err_set(ERR_INVALID, "provider, reference or grain");
    if (dataset_find(str_of(dataset), &entry->dataset)) {
        merge_warn(m, entry->path, "a dataset that this program does not know: left out");
        entry->kind = MERGE_OTHER;
    }
    return ERR_OK;
}

static enum err read_file(const json_t *ours, struct merge_entry *entry)
{
    const char *id;
    enum err e;

    if ((e = json_get_text(ours, "document", &id)) || (e = json_get_int(ours, "version", &entry->version)))
        return e;
    return id_is_valid(str_of(id)) ? str_copy(str_of(id), entry->document, sizeof entry->document)
                                   : err_set(ERR_INVALID, "document is no id");
}

static enum err read_identity(struct merge *m, const json_t *r, struct merge_entry *entry)
{
    const json_t *ours = json_object_get(r, "traboule");
    const char *kind = json_string_value(json_object_get(ours, "kind"));

    for (size_t i = 0; kind && i < sizeof KINDS / sizeof *KINDS; i++) {
        if (strcmp(kind, KINDS[i].name) != 0)
            continue;
        entry->kind = KINDS[i].kind;
        if (entry->kind == MERGE_RECORDS)
            return read_records(m, ours, entry);
        return entry->kind == MERGE_FILE ? read_file(ours, entry) : ERR_OK;
    }
    merge_warn(m, entry->path, "of a kind that this program does not know: left out");
    return ERR_OK;
}

static enum err read_hash(const json_t *r, struct merge_entry *entry)
{
    const char *text;
    int64_t bytes;
    size_t len;
    struct str hex;
    enum err e;

    if ((e = json_get_text(r, "hash", &text)) || (e = json_get_int(r, "bytes", &bytes)))
        return e;
    hex = str_of(text);
    if (bytes < 0 || !str_starts(hex, STR("sha256:")))
        return err_set(ERR_INVALID, "hash or bytes");
    entry->bytes = (uint64_t)bytes;
    hex = (struct str){hex.ptr + 7, hex.len - 7};
    if (codec_unhex(hex, entry->hash, sizeof entry->hash, &len) || len != sizeof entry->hash)
        return err_set(ERR_INVALID, "hash");
    return ERR_OK;
}

static enum err add_entry(struct merge *m, size_t *room, const json_t *r)
{
    struct merge_entry *entry;
    enum err e;

    if (m->entry_count == *room) {
        size_t more = *room ? *room * 2 : 64;
        struct merge_entry *moved;

        if (*room >= LIMIT_MERGE_ENTRIES)
            return err_set(ERR_TOO_LARGE, "more than %d resources", LIMIT_MERGE_ENTRIES);
        if (!(moved = mem_resize(m->entries, more * sizeof *moved)))
            return err_set(ERR_NO_MEMORY, "resources");
        m->entries = moved;
        *room = more;
    }
    entry = &m->entries[m->entry_count++];
    *entry = (struct merge_entry){.kind = MERGE_OTHER};
    if ((e = keep_text(m, r, "path", &entry->path)) || (e = read_hash(r, entry)) ||
        (e = read_identity(m, r, entry)))
        return err_wrap(e, "resource %zu", m->entry_count);
    return ERR_OK;
}

/* What the package says of itself. */
static enum err check_format(const json_t *ours)
{
    const char *format = json_string_value(json_object_get(ours, "format"));
    int64_t version;

    if (!format || strcmp(format, EXPORT_FORMAT) != 0)
        return err_set(ERR_UNSUPPORTED, "a data package, but not one that traboule exported");
    if (json_get_int(ours, "version", &version) || version < 1)
        return err_set(ERR_INVALID, "traboule.version");
    return version <= EXPORT_VERSION
               ? ERR_OK
               : err_set(ERR_UNSUPPORTED, "an export of version %" PRId64 ": a newer traboule reads it",
                         version);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct merge_entry *)a)->path, ((const struct merge_entry *)b)->path);
}

static enum err sort_entries(struct merge *m)
{
    if (m->entry_count)
        qsort(m->entries, m->entry_count, sizeof *m->entries, by_path);
    for (size_t i = 1; i < m->entry_count; i++) {
        if (by_path(&m->entries[i - 1], &m->entries[i]) == 0)
            return err_set(ERR_INVALID, "two resources of the same path");
    }
    return ERR_OK;
}

static enum err read_package(struct merge *m, struct member *member)
{
    size_t room = 0;
    bool ours = false;
    enum err e;

    while (!(e = member_next(member))) {
        if (strcmp(member->key, "traboule") == 0) {
            if ((e = check_format(member->value)))
                return e;
            ours = true;
        } else if (strcmp(member->key, "resources") == 0 && member->element && ours) {
            if ((e = add_entry(m, &room, member->value)))
                return e;
        }
    }
    if (e != ERR_NOT_FOUND)
        return e;
    if (!ours)
        return err_set(ERR_UNSUPPORTED, "a data package, but not one that traboule exported");
    return sort_entries(m);
}

enum err merge_package(struct merge *m)
{
    struct member member;
    struct str name;
    int64_t size;
    enum err e;

    e = pack_next(m->pack, &name, &size);
    if (e == ERR_NOT_FOUND || (!e && !str_eq(name, STR("datapackage.json"))))
        return err_set(
            ERR_UNSUPPORTED,
            "datapackage.json is not at its beginning: not an export of traboule, or packed again");
    if (e)
        return e;
    member_init(&member, merge_read, m);
    e = read_package(m, &member);
    member_done(&member);
    return e ? err_wrap(e, "datapackage.json") : ERR_OK;
}

struct merge_entry *merge_find(struct merge *m, struct str path)
{
    size_t low = 0, high = m->entry_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct str there = str_of(m->entries[middle].path);
        size_t len = path.len < there.len ? path.len : there.len;
        int order = memcmp(path.ptr, there.ptr, len);

        if (order == 0 && path.len == there.len)
            return &m->entries[middle];
        if (order < 0 || (order == 0 && path.len < there.len))
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

void merge_package_done(struct merge *m)
{
    for (size_t i = 0; i < m->entry_count; i++) {
        mem_free(m->entries[i].path);
        mem_free(m->entries[i].provider);
        mem_free(m->entries[i].reference);
        mem_free(m->entries[i].grain);
    }
    mem_free(m->entries);
    m->entries = NULL;
    m->entry_count = 0;
}
