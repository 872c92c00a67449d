#include "pds/archive/pack_internal.h"

#include "pds/base/auto.h"
#include "pds/base/mem.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

struct pack_writer {
    struct archive *archive; /* owned */
    locale_t locale;         /* owned; 0 when there is none */
    enum pack_format format;
    pack_put *put;
    void *context;
    enum err err; /* of put: its story is the one to tell */
    int64_t left; /* bytes that the entry still lacks; -1 when its size was not told */
    bool open;    /* an entry is begun and not ended */
};

static la_ssize_t put_bytes(struct archive *archive, void *context, const void *bytes, size_t len)
{
    struct pack_writer *w = context;

    (void)archive;
    if (!w->err)
        w->err = w->put(w->context, bytes, len);
    /* The library is not told of a failure: after one it gives back neither its compressor nor its buffer. */
    return (la_ssize_t)len;
}

/* What the library said, or what came of the bytes that it gave out meanwhile. */
static enum err outcome(struct pack_writer *w, bool done, const char *doing)
{
    if (done && !w->err)
        return ERR_OK;
    if (w->err)
        return err_wrap(w->err, "%s", doing);
    /* The library's own words may hold a name: they stay here. */
    return err_set(ERR_INTERNAL, "%s: the archive refuses it (%d)", doing, archive_errno(w->archive));
}

static int set_format(struct pack_writer *w)
{
    return w->format == PACK_ZIP ? archive_write_set_format_zip(w->archive)
                                 : archive_write_set_format_pax_restricted(w->archive);
}

enum err pack_writer_new(enum pack_format format, pack_put *put, void *context, struct pack_writer **out)
{
    AUTO(pack_writer_freep) struct pack_writer *w = mem_new(sizeof *w);
    int block;
    enum err e;

    if (!w || !(w->archive = archive_write_new()))
        return err_set(ERR_NO_MEMORY, "an archive");
    if ((e = pack_locale_new(&w->locale)))
        return e;
    /* A tar is written without a buffer of the library's, which would leave what a backup holds in memory. */
    block = format == PACK_ZIP ? PACK_CHUNK_BYTES : 0;
    w->format = format;
    w->put = put;
    w->context = context;
    WITH_LOCALE(w->locale);
    if (set_format(w) != ARCHIVE_OK ||
        (format == PACK_ZIP &&
         archive_write_set_format_option(w->archive, "zip", "hdrcharset", "UTF-8") != ARCHIVE_OK) ||
        archive_write_set_bytes_per_block(w->archive, block) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(w->archive, 1) != ARCHIVE_OK || /* it is not filled up */
        archive_write_open(w->archive, w, NULL, put_bytes, NULL) != ARCHIVE_OK)
        return outcome(w, false, "beginning an archive");
    *out = w;
    w = NULL; /* the caller's now */
    return ERR_OK;
}

enum err pack_begin(struct pack_writer *w, const char *name, int64_t size, int64_t at)
{
    struct archive_entry *entry;
    int rc;
    enum err e;

    if (w->open || size < -1 || (size < 0 && w->format != PACK_ZIP))
        return err_set(ERR_INTERNAL, "an entry of an archive before the last one ended, or without a size");
    if ((e = pack_check_name(str_of(name))))
        return e;
    WITH_LOCALE(w->locale);
    if (!(entry = archive_entry_new()))
        return err_set(ERR_NO_MEMORY, "an entry of an archive");
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0600);
    archive_entry_set_mtime(entry, (time_t)at, 0);
    if (size >= 0)
        archive_entry_set_size(entry, size);
    rc = archive_write_header(w->archive, entry);
    archive_entry_free(entry);
    if ((e = outcome(w, rc == ARCHIVE_OK, "an entry of an archive")))
        return e;
    w->left = size;
    w->open = true;
    return ERR_OK;
}

enum err pack_begin_stored(struct pack_writer *w, const char *name, int64_t size, int64_t at)
{
    enum err e;

    if (w->format != PACK_ZIP || size < 0)
        return err_set(ERR_INTERNAL, "an entry is stored in a zip, with its size");
    if ((e = outcome(w, archive_write_zip_set_compression_store(w->archive) == ARCHIVE_OK,
                     "storing in an archive")))
        return e;
    e = pack_begin(w, name, size, at);
    /* Of those that follow. */
    if (!e)
        e = outcome(w, archive_write_zip_set_compression_deflate(w->archive) == ARCHIVE_OK,
                    "packing an archive");
    return e;
}

enum err pack_write(struct pack_writer *w, const void *bytes, size_t len)
{
    const char *from = bytes;
    enum err e;

    if (!w->open || (w->left >= 0 && (uint64_t)w->left < len))
        return err_set(ERR_INTERNAL, "more bytes than an entry of an archive was begun with");
    WITH_LOCALE(w->locale);
    for (size_t at = 0; at < len;) {
        la_ssize_t took = archive_write_data(w->archive, from + at, len - at);

        if ((e = outcome(w, took > 0, "writing an archive")))
            return e;
        at += (size_t)took;
    }
    if (w->left >= 0)
        w->left -= (int64_t)len;
    return ERR_OK;
}

enum err pack_end(struct pack_writer *w)
{
    if (!w->open || w->left > 0)
        return err_set(ERR_INTERNAL, "fewer bytes than an entry of an archive was begun with");
    w->open = false;
    WITH_LOCALE(w->locale);
    return outcome(w, archive_write_finish_entry(w->archive) == ARCHIVE_OK, "ending an entry of an archive");
}

enum err pack_finish(struct pack_writer *w)
{
    if (w->open)
        return err_set(ERR_INTERNAL, "an archive ends within an entry");
    WITH_LOCALE(w->locale);
    return outcome(w, archive_write_close(w->archive) == ARCHIVE_OK, "ending an archive");
}

void pack_writer_free(struct pack_writer *w)
{
    if (!w)
        return;
    w->err = w->err ? w->err : ERR_IO; /* the end that the library writes now is asked for by nobody */
    if (w->archive) {
        WITH_LOCALE(w->locale);
        (void)archive_write_free(w->archive); /* nothing of it goes anywhere */
    }
    if (w->locale)
        freelocale(w->locale);
    mem_free(w);
}
