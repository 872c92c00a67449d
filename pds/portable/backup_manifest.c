#include "pds/portable/backup_internal.h"

#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/codec.h"
#include "pds/base/json.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"

#include <inttypes.h>
#include <string.h>

static const char FORMAT[] = "traboule-backup";
enum { VERSION = 1 };

void backup_manifest_done(struct backup_manifest *m)
{
    mem_free(m->entries);
    *m = (struct backup_manifest){0};
}

static enum err grow(struct backup_manifest *m)
{
    size_t room = m->room ? 2 * m->room : 16;
    struct backup_entry *moved = mem_resize(m->entries, room * sizeof *moved);

    if (!moved)
        return err_set(ERR_NO_MEMORY, "a backup's manifest");
    m->entries = moved;
    m->room = room;
    return ERR_OK;
}

enum err backup_manifest_add(struct backup_manifest *m, struct str path, uint64_t size,
                             struct backup_entry **out)
{
    struct backup_entry *entry;
    enum err e;

    if (m->count > LIMIT_BACKUP_FILES) /* and the database */
        return err_set(ERR_TOO_LARGE, "a backup of more than %d files", LIMIT_BACKUP_FILES);
    if (m->count == m->room && (e = grow(m)))
        return e;
    entry = &m->entries[m->count];
    *entry = (struct backup_entry){.size = size};
    if ((e = str_copy(path, entry->path, sizeof entry->path)))
        return e;
    m->count++;
    *out = entry;
    return ERR_OK;
}

void backup_manifest_write(const struct backup_manifest *m, struct buf *out)
{
    char at[CLOCK_TEXT_BYTES], hash[SHA256_TEXT_BYTES];

    clock_text(m->made_at, at);
    buf_printf(out, "{\n  \"format\": \"%s\",\n  \"version\": %d,\n  \"made_at\": \"%s\",\n  \"store\": \"",
               FORMAT, VERSION, at);
    codec_base64url(out, m->store, sizeof m->store);
    buf_printf(out, "\",\n  \"schema\": %" PRId64 ",\n  \"entries\": [", m->schema);
    for (size_t i = 0; i < m->count; i++) {
        const struct backup_entry *entry = &m->entries[i];

        sha256_text(entry->sha256, hash);
        buf_printf(out, "%s\n    {\"path\": \"%s\", \"size\": %" PRIu64 ", \"sha256\": \"%s\"}", i ? "," : "",
                   entry->path, entry->size, hash);
    }
    buf_text(out, "\n  ]\n}\n");
}

static void add_sum(struct buf *out, const uint8_t hash[static SHA256_BYTES], const char *path)
{
    char text[SHA256_TEXT_BYTES];

    sha256_text(hash, text);
    buf_printf(out, "%s  %s\n", text, path);
}

void backup_manifest_sums(const struct backup_manifest *m, struct str manifest, struct buf *out)
{
    uint8_t hash[SHA256_BYTES];

    for (size_t i = 0; i < m->count; i++)
        add_sum(out, m->entries[i].sha256, m->entries[i].path);
    sha256_of(manifest.ptr, manifest.len, hash);
    add_sum(out, hash, BACKUP_MANIFEST);
}

static enum err read_bytes(const json_t *object, const char *key,
                           enum err (*decode)(struct str, uint8_t *, size_t, size_t *), uint8_t *out,
                           size_t size)
{
    const char *text;
    size_t len = 0;
    enum err e;

    if ((e = json_get_text(object, key, &text)))
        return e;
    if (decode(str_of(text), out, size, &len) || len != size)
        return err_set(ERR_INVALID, "%s is not %zu bytes", key, size);
    return ERR_OK;
}

static enum err read_entry(const json_t *item, struct backup_manifest *out)
{
    static const char *const KEYS[] = {"path", "size", "sha256", NULL};
    struct backup_entry *entry;
    uint8_t hash[SHA256_BYTES];
    const char *path;
    int64_t size;
    enum err e;

    if ((e = json_only_keys(item, KEYS)) || (e = json_get_text(item, "path", &path)) ||
        (e = json_get_int(item, "size", &size)) ||
        (e = read_bytes(item, "sha256", codec_unhex, hash, sizeof hash)))
        return e;
    if (size < 0)
        return err_set(ERR_INVALID, "size is below zero");
    if ((e = backup_manifest_add(out, str_of(path), (uint64_t)size, &entry)))
        return e;
    memcpy(entry->sha256, hash, sizeof hash);
    return ERR_OK;
}

static enum err check_format(const json_t *tree)
{
    const char *format;
    int64_t version;
    enum err e;

    if ((e = json_get_text(tree, "format", &format)) || (e = json_get_int(tree, "version", &version)))
        return e;
    if (strcmp(format, FORMAT) != 0)
        return err_set(ERR_INVALID, "format is another");
    return version <= VERSION
               ? ERR_OK
               : err_set(ERR_UNSUPPORTED, "the backup is of a later program (version %" PRId64 ")", version);
}

static enum err read_tree(const json_t *tree, struct backup_manifest *out)
{
    static const char *const KEYS[] = {"format", "version", "made_at", "store", "schema", "entries", NULL};
    json_t *entries, *item;
    const char *at;
    int offset;
    size_t i;
    enum err e;

    if ((e = check_format(tree)) || (e = json_only_keys(tree, KEYS)) ||
        (e = json_get_text(tree, "made_at", &at)) || (e = clock_parse(str_of(at), &out->made_at, &offset)) ||
        (e = read_bytes(tree, "store", codec_unbase64url, out->store, sizeof out->store)) ||
        (e = json_get_int(tree, "schema", &out->schema)) || (e = json_get_array(tree, "entries", &entries)))
        return e;
    json_array_foreach(entries, i, item)
    {
        if ((e = read_entry(item, out)))
            return err_wrap(e, "entry %zu", i + 1);
    }
    return ERR_OK;
}

enum err backup_manifest_read(struct str text, struct backup_manifest *out)
{
    AUTO(json_freep) json_t *tree = NULL;
    AUTO(backup_manifest_done) struct backup_manifest m = {0};
    enum err e;

    if (!(e = json_read(text, LIMIT_BACKUP_MANIFEST_BYTES, &tree)))
        e = read_tree(tree, &m);
    if (e)
        return err_wrap(e == ERR_INVALID ? ERR_CORRUPT : e, BACKUP_MANIFEST);
    *out = m;
    m = (struct backup_manifest){0}; /* the caller's now */
    return ERR_OK;
}

enum err backup_manifest_match(const struct backup_manifest *a, const struct backup_manifest *b)
{
    if (a->count != b->count)
        return err_set(ERR_CORRUPT, "the backup has %zu entries, its manifest %zu", a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct backup_entry *left = &a->entries[i], *right = &b->entries[i];

        if (strcmp(left->path, right->path) != 0 || left->size != right->size ||
            memcmp(left->sha256, right->sha256, SHA256_BYTES) != 0)
            return err_set(ERR_CORRUPT, "entry %zu of the backup is not the one of its manifest", i + 1);
    }
    return ERR_OK;
}
