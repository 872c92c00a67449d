/* Reading a backup to its end. */
#include "pds/portable/backup_internal.h"

#include "pds/archive/pack.h"
#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/crypto/random.h"

#include <string.h>
#include <unistd.h>

enum { PIECE_BYTES = 64 * 1024 };

struct walk {
    struct age_reader *reader; /* borrowed */
    struct pack_reader *pack;  /* owned */
    const struct backup_visitor *visitor;
    void *context;
    struct backup_manifest found; /* as it was read */
    uint8_t piece[PIECE_BYTES];
};

static void walk_free(struct walk *w)
{
    if (!w)
        return;
    pack_reader_free(w->pack);
    backup_manifest_done(&w->found);
    random_wipe(w->piece, sizeof w->piece);
    mem_free(w);
}
static void walk_freep(struct walk **w) { walk_free(*w); }

enum err backup_get(void *fd, void *out, size_t size, size_t *got)
{
    ssize_t len;

    do {
        len = read(*(const int *)fd, out, size);
    } while (len < 0 && errno == EINTR);
    if (len < 0)
        return fs_error("reading", "the backup");
    *got = (size_t)len;
    return ERR_OK;
}

static enum err get_plain(void *context, void *out, size_t size, size_t *got)
{
    struct walk *w = context;

    return age_read(w->reader, out, size, got);
}

/* What breaks the rules of an archive, in one that we wrote, is damage. */
static enum err as_damage(enum err e)
{
    return e == ERR_INVALID || e == ERR_TOO_LARGE || e == ERR_UNSUPPORTED ? ERR_CORRUPT : e;
}

static enum err open_pack(struct walk *w)
{
    static const struct pack_limits LIMITS = {.bytes = INT64_MAX, .entries = LIMIT_BACKUP_FILES + 3};
    enum err e = pack_reader_new(1u << PACK_TAR, &LIMITS, get_plain, w, &w->pack);

    return e == ERR_UNSUPPORTED ? err_set(e, "the age file holds no backup of a store") : e;
}

/* The database, or a file under the name of a blob. */
static bool is_content(struct str path, bool first)
{
    uint8_t bytes[BLOB_NAME_BYTES];
    size_t len = 0;

    if (first || !str_starts(path, STR(BACKUP_FILES)))
        return first && str_eq(path, STR(BACKUP_DATABASE));
    path.ptr += sizeof BACKUP_FILES - 1;
    path.len -= sizeof BACKUP_FILES - 1;
    return !codec_unhex(path, bytes, sizeof bytes, &len) && len == sizeof bytes;
}

static enum err pass_bytes(struct walk *w, struct backup_entry *entry)
{
    struct sha256 hash;
    uint64_t size = 0;
    size_t got = 1;
    enum err e;

    sha256_init(&hash);
    while (got > 0) {
        if ((e = pack_read(w->pack, w->piece, sizeof w->piece, &got)))
            return err_wrap(as_damage(e), "the backup");
        sha256_add(&hash, w->piece, got);
        size += got;
        if (got > 0 && w->visitor && w->visitor->bytes && (e = w->visitor->bytes(w->context, w->piece, got)))
            return e;
    }
    if (size != entry->size)
        return err_set(ERR_CORRUPT, "an entry of the backup ends early");
    sha256_end(&hash, entry->sha256);
    return ERR_OK;
}

static enum err pass_content(struct walk *w, struct str path, int64_t size)
{
    struct backup_entry *entry;
    enum err e;

    if ((e = backup_manifest_add(&w->found, path, (uint64_t)size, &entry)) ||
        (w->visitor && w->visitor->begin && (e = w->visitor->begin(w->context, entry))) ||
        (e = pass_bytes(w, entry)) ||
        (w->visitor && w->visitor->end && (e = w->visitor->end(w->context, entry))))
        return e;
    return ERR_OK;
}

static enum err read_text(struct walk *w, struct buf *out)
{
    size_t got = 1;
    enum err e;

    while (got > 0) {
        if ((e = pack_read(w->pack, w->piece, sizeof w->piece, &got)))
            return err_wrap(as_damage(e), "the backup");
        buf_add(out, w->piece, got);
    }
    return as_damage(buf_err(out));
}

static enum err next_entry(struct walk *w, struct str *name, int64_t *size)
{
    enum err e = pack_next(w->pack, name, size);

    if (e && e != ERR_NOT_FOUND)
        return err_wrap(as_damage(e), "the backup");
    if (!e && *size < 0)
        return err_set(ERR_CORRUPT, "an entry of the backup without a size");
    return e;
}

/* The text of the entry that must come next. */
static enum err read_named(struct walk *w, const char *wanted, struct buf *out)
{
    struct str name;
    int64_t size;
    enum err e = next_entry(w, &name, &size);

    if (e == ERR_NOT_FOUND || (!e && !str_eq(name, str_of(wanted))))
        return err_set(ERR_CORRUPT, "the backup lacks its %s", wanted);
    return e ? e : read_text(w, out);
}

/* Behind the manifest come its sums; behind those nothing, and the age file ends as one must. */
static enum err pass_end(struct walk *w, const struct buf *manifest)
{
    AUTO(buf_done) struct buf sums, wanted;
    struct str name;
    int64_t size;
    size_t got = 1;
    enum err e;

    buf_init(&sums, LIMIT_BACKUP_MANIFEST_BYTES);
    buf_init(&wanted, LIMIT_BACKUP_MANIFEST_BYTES);
    backup_manifest_sums(&w->found, (struct str){manifest->data, manifest->len}, &wanted);
    if ((e = buf_err(&wanted)) || (e = read_named(w, BACKUP_SUMS, &sums)))
        return e;
    if (!str_eq((struct str){sums.data, sums.len}, (struct str){wanted.data, wanted.len}))
        return err_set(ERR_CORRUPT, "%s of the backup is another", BACKUP_SUMS);
    if ((e = next_entry(w, &name, &size)) != ERR_NOT_FOUND)
        return e ? e : err_set(ERR_CORRUPT, "something follows what a backup holds");
    while (got > 0) { /* what the archive did not ask for: filling */
        if ((e = age_read(w->reader, w->piece, sizeof w->piece, &got)))
            return e;
    }
    return ERR_OK;
}

static enum err pass_manifest(struct walk *w, struct backup_manifest *out)
{
    AUTO(buf_done) struct buf text;
    AUTO(backup_manifest_done) struct backup_manifest told = {0};
    enum err e;

    buf_init(&text, LIMIT_BACKUP_MANIFEST_BYTES);
    if ((e = read_text(w, &text)) || (e = backup_manifest_read((struct str){text.data, text.len}, &told)) ||
        (e = backup_manifest_match(&w->found, &told)) || (e = pass_end(w, &text)))
        return e;
    *out = told;
    told = (struct backup_manifest){0}; /* the caller's now */
    return ERR_OK;
}

enum err backup_walk(struct age_reader *reader, const struct backup_visitor *visitor, void *context,
                     struct backup_manifest *out)
{
    AUTO(walk_freep) struct walk *w = mem_new(sizeof *w);
    struct str name;
    int64_t size;
    enum err e;

    if (!w)
        return err_set(ERR_NO_MEMORY, "reading a backup");
    w->reader = reader;
    w->visitor = visitor;
    w->context = context;
    if ((e = open_pack(w)))
        return e;
    while (!(e = next_entry(w, &name, &size)) && is_content(name, w->found.count == 0)) {
        if ((e = pass_content(w, name, size)))
            return e;
    }
    if (e && e != ERR_NOT_FOUND)
        return e;
    if (w->found.count == 0)
        return err_set(ERR_UNSUPPORTED, "the age file holds no backup of a store");
    if (e || !str_eq(name, STR(BACKUP_MANIFEST)))
        return err_set(ERR_CORRUPT, "the backup lacks its %s", BACKUP_MANIFEST);
    return pass_manifest(w, out);
}
