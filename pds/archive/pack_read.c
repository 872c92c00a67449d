#include "pds/archive/pack_internal.h"

#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

/* All names together: 10 000 of the longest, or 400 000 of a backup's. */
enum { NAMES_BYTES = 16 * 1024 * 1024 };

/* A name that was met, in a table by hash. */
struct seen {
    uint64_t hash;
    size_t at, len; /* in names; no length: a free place */
};

struct pack_reader {
    struct archive *archive;     /* owned */
    struct archive_entry *entry; /* of archive, until the next header */
    locale_t locale;             /* owned; 0 when there is none */
    struct pack_limits limits;
    pack_get *get;
    void *context;
    enum err err;                    /* of get: its story is the one to tell */
    bool inside;                     /* an entry's bytes are being read */
    uint64_t packed, plain, entries; /* so far */
    char name[LIMIT_ARCHIVE_NAME_BYTES + 1];
    struct buf names;
    struct seen *seen; /* owned; a power of two of places, at most half of them taken */
    size_t places, taken;
    uint8_t chunk[PACK_CHUNK_BYTES];
};

static la_ssize_t get_bytes(struct archive *archive, void *context, const void **bytes)
{
    struct pack_reader *r = context;
    size_t got = 0;

    if (!r->err)
        r->err = r->get(r->context, r->chunk, sizeof r->chunk, &got);
    if (r->err) {
        archive_set_error(archive, EIO, "refused");
        return -1;
    }
    r->packed += got;
    *bytes = r->chunk;
    return (la_ssize_t)got;
}

static enum err failure(struct pack_reader *r, const char *doing)
{
    if (r->err)
        return err_wrap(r->err, "%s", doing);
    /* The library's own words may hold a name: they stay here. */
    return err_set(ERR_INVALID, "%s: entry %llu is damaged, or breaks the format", doing,
                   (unsigned long long)r->entries + 1);
}

static int set_formats(struct pack_reader *r, unsigned formats)
{
    if (formats & 1u << PACK_TAR && archive_read_support_format_tar(r->archive) != ARCHIVE_OK)
        return ARCHIVE_FATAL;
    if (formats & 1u << PACK_ZIP && archive_read_support_format_zip_streamable(r->archive) != ARCHIVE_OK)
        return ARCHIVE_FATAL;
    return archive_read_open(r->archive, r, NULL, get_bytes, NULL);
}

enum err pack_reader_new(unsigned formats, const struct pack_limits *limits, pack_get *get, void *context,
                         struct pack_reader **out)
{
    AUTO(pack_reader_freep) struct pack_reader *r = mem_new(sizeof *r);
    enum err e;

    if (!r || !(r->archive = archive_read_new()))
        return err_set(ERR_NO_MEMORY, "an archive");
    if ((e = pack_locale_new(&r->locale)))
        return e;
    buf_init(&r->names, NAMES_BYTES);
    r->limits = *limits;
    r->get = get;
    r->context = context;
    WITH_LOCALE(r->locale);
    if (set_formats(r, formats) != ARCHIVE_OK) { /* this reads its beginning */
        if (r->err)
            return err_wrap(r->err, "reading an archive");
        return archive_errno(r->archive) == ENOMEM
                   ? err_set(ERR_NO_MEMORY, "an archive")
                   : err_set(ERR_UNSUPPORTED, "this is no archive of a kind that is read here");
    }
    *out = r;
    r = NULL; /* the caller's now */
    return ERR_OK;
}

/* FNV-1a. Names that collide cost time within the ceiling of entries. */
static uint64_t hash_of(struct str name)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.ptr[i]) * 0x100000001b3u;
    return hash;
}

static struct str name_of(const struct pack_reader *r, const struct seen *s)
{
    return (struct str){r->names.data + s->at, s->len};
}

/* The place of a name, or the free one where it goes. */
static size_t place_of(const struct pack_reader *r, uint64_t hash, struct str name)
{
    size_t at = hash & (r->places - 1);

    while (r->seen[at].len > 0 && (r->seen[at].hash != hash || !str_eq(name_of(r, &r->seen[at]), name)))
        at = (at + 1) & (r->places - 1);
    return at;
}

static enum err grow_seen(struct pack_reader *r)
{
    struct seen *old = r->seen;
    size_t count = r->places, places = count ? 2 * count : 64;
    struct seen *seen = mem_array(places, sizeof *seen);

    if (!seen)
        return err_set(ERR_NO_MEMORY, "the names of an archive");
    r->seen = seen;
    r->places = places;
    for (size_t i = 0; i < count; i++) {
        if (old[i].len > 0)
            seen[place_of(r, old[i].hash, name_of(r, &old[i]))] = old[i];
    }
    mem_free(old);
    return ERR_OK;
}

static enum err remember(struct pack_reader *r, struct str name)
{
    struct seen made = {.hash = hash_of(name), .at = r->names.len, .len = name.len};
    size_t place;
    enum err e;

    if (2 * (r->taken + 1) > r->places && (e = grow_seen(r)))
        return e;
    place = place_of(r, made.hash, name);
    if (r->seen[place].len > 0)
        return err_set(ERR_INVALID, "entry %llu of the archive has a name that was there before",
                       (unsigned long long)r->entries);
    buf_add(&r->names, name.ptr, name.len);
    if ((e = buf_err(&r->names)))
        return e;
    r->seen[place] = made;
    r->taken++;
    return ERR_OK;
}

/* Of the ways that a zip is packed, the two that take little memory to undo. */
static bool is_plainly_packed(struct pack_reader *r)
{
    const char *format = archive_format_name(r->archive);

    return (archive_format(r->archive) & ARCHIVE_FORMAT_BASE_MASK) != ARCHIVE_FORMAT_ZIP ||
           (format && (strstr(format, "(uncompressed)") || strstr(format, "(deflation)")));
}

/* *folder: the entry is nothing but a folder's name. */
static enum err check_entry(struct pack_reader *r, bool *folder)
{
    const char *name = archive_entry_pathname_utf8(r->entry);
    struct str label = str_of(name);
    unsigned type = archive_entry_filetype(r->entry);
    enum err e;

    *folder = type == AE_IFDIR;
    if (archive_entry_hardlink(r->entry) || archive_entry_symlink(r->entry) || (type != AE_IFREG && !*folder))
        return err_set(ERR_INVALID, "entry %llu of the archive is a link or a device",
                       (unsigned long long)r->entries);
    if (archive_entry_is_encrypted(r->entry) || !is_plainly_packed(r))
        return err_set(ERR_UNSUPPORTED, "entry %llu of the archive is packed in a way that is not read here",
                       (unsigned long long)r->entries);
    if (archive_entry_sparse_count(r->entry) > 0)
        return err_set(ERR_INVALID, "entry %llu of the archive has holes", (unsigned long long)r->entries);
    if (*folder && label.len > 0 && label.ptr[label.len - 1] == '/')
        label.len--;
    if (*folder && str_eq(label, STR("."))) /* what "tar c ." begins with */
        return ERR_OK;
    if ((e = pack_check_name(label)) || (e = remember(r, label)))
        return err_wrap(e, "entry %llu", (unsigned long long)r->entries);
    return str_copy(label, r->name, sizeof r->name);
}

static enum err check_size(const struct pack_reader *r)
{
    if (r->plain > r->limits.bytes || (archive_entry_size_is_set(r->entry) &&
                                       (uint64_t)archive_entry_size(r->entry) > r->limits.bytes - r->plain))
        return err_set(ERR_TOO_LARGE, "the archive holds more than %llu bytes",
                       (unsigned long long)r->limits.bytes);
    return ERR_OK;
}

/* The bytes of an entry that nobody read are read all the same: they count. */
static enum err leave_entry(struct pack_reader *r)
{
    uint8_t scrap[4096];
    size_t got = 1;
    enum err e = ERR_OK;

    while (r->inside && !(e = pack_read(r, scrap, sizeof scrap, &got)) && got > 0)
        continue;
    r->inside = false;
    return e;
}

static enum err enter_entry(struct pack_reader *r, bool *folder)
{
    int rc = archive_read_next_header(r->archive, &r->entry);
    enum err e;

    if (rc == ARCHIVE_EOF)
        return err_set(ERR_NOT_FOUND, "no further entry in the archive");
    if (rc != ARCHIVE_OK)
        return failure(r, "reading an archive");
    if (++r->entries > r->limits.entries)
        return err_set(ERR_TOO_LARGE, "the archive has more than %llu entries",
                       (unsigned long long)r->limits.entries);
    r->inside = true;
    return (e = check_entry(r, folder)) ? e : check_size(r);
}

enum err pack_next(struct pack_reader *r, struct str *name, int64_t *size)
{
    bool folder = false;
    enum err e;

    WITH_LOCALE(r->locale);
    do {
        if ((e = leave_entry(r)) || (e = enter_entry(r, &folder)))
            return e;
    } while (folder);
    *name = str_of(r->name);
    *size = archive_entry_size_is_set(r->entry) ? archive_entry_size(r->entry) : -1;
    return ERR_OK;
}

static enum err count(struct pack_reader *r, size_t len)
{
    r->plain += len;
    if (r->plain > r->limits.bytes)
        return err_set(ERR_TOO_LARGE, "the archive holds more than %llu bytes",
                       (unsigned long long)r->limits.bytes);
    if (r->limits.ratio > 0 && r->plain > (uint64_t)MIB && r->plain / r->limits.ratio > r->packed)
        return err_set(ERR_TOO_LARGE, "the archive is packed more than %u to 1", r->limits.ratio);
    return ERR_OK;
}

enum err pack_read(struct pack_reader *r, void *out, size_t size, size_t *got)
{
    la_ssize_t len;
    enum err e;

    if (!r->inside) {
        *got = 0;
        return ERR_OK;
    }
    WITH_LOCALE(r->locale);
    if ((len = archive_read_data(r->archive, out, size)) < 0)
        return failure(r, "reading an archive");
    if ((e = count(r, (size_t)len)))
        return e;
    if (len == 0 && size > 0)
        r->inside = false;
    *got = (size_t)len;
    return ERR_OK;
}

void pack_reader_free(struct pack_reader *r)
{
    if (!r)
        return;
    explicit_bzero(r->chunk, sizeof r->chunk); /* a backup holds keys */
    buf_done(&r->names);
    mem_free(r->seen);
    if (r->archive)
        (void)archive_read_free(r->archive); /* it was only read */
    if (r->locale)
        freelocale(r->locale);
    mem_free(r);
}
