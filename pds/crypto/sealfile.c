#include "pds/crypto/sealfile.h"

#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/base/mem.h"
#include "pds/crypto/random.h"
#include "pds/crypto/seal.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEALED_CHUNK_BYTES = SEALFILE_CHUNK_BYTES + SEAL_EXTRA_BYTES };

/* What a chunk is bound to: the format, its number, and whether it is the last. */
static const char FORMAT[] = "traboule-blob/1";
enum { BOUND_BYTES = sizeof FORMAT + 8 + 1 };

static void bound_of(uint64_t number, bool last, uint8_t bound[static BOUND_BYTES])
{
    memcpy(bound, FORMAT, sizeof FORMAT);
    for (unsigned i = 0; i < 8; i++)
        bound[sizeof FORMAT + i] = (uint8_t)(number >> (8 * i));
    bound[sizeof FORMAT + 8] = last;
}

struct sealfile_writer {
    int fd;
    struct blob_key *key; /* owned */
    uint64_t number;      /* of the chunk being filled */
    size_t len;           /* plain bytes in chunk */
    enum err err;         /* the first failure; ERR_CONFLICT once finished */
    uint8_t chunk[SEALED_CHUNK_BYTES];
};

static enum err copy_key(const struct blob_key *key, struct blob_key **out)
{
    struct blob_key *copy = blob_key_new();

    if (!copy)
        return err_set(ERR_NO_MEMORY, "the key of a blob");
    memcpy(copy->bytes, key->bytes, KEY_BYTES);
    *out = copy;
    return ERR_OK;
}

enum err sealfile_writer_new(int fd, const struct blob_key *key, struct sealfile_writer **out)
{
    AUTO(sealfile_writer_freep) struct sealfile_writer *w = NULL;
    enum err e;

    if (lseek(fd, 0, SEEK_SET) < 0)
        return fs_error("seeking in", "a blob");
    if (!(w = mem_new(sizeof *w)))
        return err_set(ERR_NO_MEMORY, "writing a blob");
    if ((e = copy_key(key, &w->key)))
        return e;
    w->fd = fd;
    *out = w;
    w = NULL;
    return ERR_OK;
}

/* Seal len plain bytes, which may be those in w->chunk, as the next chunk. */
static enum err put_chunk(struct sealfile_writer *w, const uint8_t *plain, size_t len, bool last)
{
    uint8_t bound[BOUND_BYTES];

    bound_of(w->number, last, bound);
    seal_blob(w->key, plain, len, bound, sizeof bound, w->chunk);
    if ((w->err = fs_write_all(w->fd, w->chunk, len + SEAL_EXTRA_BYTES)))
        return err_wrap(w->err, "chunk %llu of a blob", (unsigned long long)w->number);
    w->number++;
    w->len = 0;
    return ERR_OK;
}

enum err sealfile_write(struct sealfile_writer *w, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;
    enum err e;

    if (w->err)
        return err_set(w->err, "a blob that was finished or failed already");
    while (len > 0) {
        size_t part = SEALFILE_CHUNK_BYTES - w->len;

        /* A full chunk waits until more comes: only then is it not the last. */
        if (part == 0) {
            if ((e = put_chunk(w, w->chunk, SEALFILE_CHUNK_BYTES, false)))
                return e;
            continue;
        }
        if (w->len == 0 && len > SEALFILE_CHUNK_BYTES) {
            if ((e = put_chunk(w, from, SEALFILE_CHUNK_BYTES, false)))
                return e;
        } else {
            part = part < len ? part : len;
            memcpy(w->chunk + w->len, from, part);
            w->len += part;
        }
        from += part;
        len -= part;
    }
    return ERR_OK;
}

enum err sealfile_finish(struct sealfile_writer *w)
{
    enum err e;

    if (w->err)
        return err_set(w->err, "a blob that was finished or failed already");
    if ((e = put_chunk(w, w->chunk, w->len, true)))
        return e;
    w->err = ERR_CONFLICT;
    return ERR_OK;
}

void sealfile_writer_free(struct sealfile_writer *w)
{
    if (!w)
        return;
    random_wipe(w->chunk, sizeof w->chunk);
    blob_key_free(w->key);
    mem_free(w);
}

struct sealfile_reader {
    int fd;
    struct blob_key *key; /* owned */
    uint64_t size;        /* plain bytes */
    uint64_t chunks;      /* one at least */
    uint64_t number;      /* of the chunk whose plain bytes are held; chunks when none is */
    uint8_t sealed[SEALED_CHUNK_BYTES];
    uint8_t plain[SEALFILE_CHUNK_BYTES];
};

static size_t chunk_len(const struct sealfile_reader *r, uint64_t number)
{
    return number + 1 < r->chunks ? (size_t)SEALFILE_CHUNK_BYTES
                                  : (size_t)(r->size - number * SEALFILE_CHUNK_BYTES);
}

/* All len bytes at an offset; ERR_CORRUPT when the file ends before. */
static enum err read_at(int fd, uint64_t offset, uint8_t *out, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = pread(fd, out + done, len - done, (off_t)(offset + done));
        if (n == 0)
            return err_set(ERR_CORRUPT, "cut short");
        if (n < 0 && errno != EINTR)
            return fs_error("reading", "a blob");
        if (n > 0)
            done += (size_t)n;
    }
    return ERR_OK;
}

/* The plain bytes of a chunk into out, which has room for all of them. */
static enum err open_chunk(struct sealfile_reader *r, uint64_t number, uint8_t *out)
{
    uint8_t bound[BOUND_BYTES];
    size_t len = chunk_len(r, number);
    enum err e;

    bound_of(number, number + 1 == r->chunks, bound);
    if ((e = read_at(r->fd, number * SEALED_CHUNK_BYTES, r->sealed, len + SEAL_EXTRA_BYTES)))
        return err_wrap(e, "chunk %llu of a blob", (unsigned long long)number);
    if (seal_blob_open(r->key, r->sealed, len, bound, sizeof bound, out))
        return err_set(ERR_CORRUPT, "chunk %llu of a blob: its seal does not hold",
                       (unsigned long long)number);
    return ERR_OK;
}

static enum err hold_chunk(struct sealfile_reader *r, uint64_t number)
{
    enum err e;

    if (r->number == number)
        return ERR_OK;
    r->number = r->chunks; /* none, until this one has opened */
    if ((e = open_chunk(r, number, r->plain)))
        return e;
    r->number = number;
    return ERR_OK;
}

/* How many chunks and plain bytes a file of this size has. The only empty chunk is that of an empty blob. */
static enum err measure(struct sealfile_reader *r)
{
    struct stat facts;
    uint64_t total, rest;

    if (fstat(r->fd, &facts) != 0)
        return fs_error("measuring", "a blob");
    total = (uint64_t)facts.st_size;
    r->chunks = total / SEALED_CHUNK_BYTES;
    rest = total % SEALED_CHUNK_BYTES;
    if (rest > SEAL_EXTRA_BYTES || (rest == SEAL_EXTRA_BYTES && r->chunks == 0))
        r->chunks++;
    else if (rest > 0 || total == 0)
        return err_set(ERR_CORRUPT, "chunk %llu of a blob: cut short", (unsigned long long)r->chunks);
    r->size = total - r->chunks * SEAL_EXTRA_BYTES;
    r->number = r->chunks;
    return ERR_OK;
}

enum err sealfile_reader_new(int fd, const struct blob_key *key, struct sealfile_reader **out)
{
    AUTO(sealfile_reader_freep) struct sealfile_reader *r = mem_new(sizeof *r);
    enum err e;

    if (!r)
        return err_set(ERR_NO_MEMORY, "reading a blob");
    r->fd = fd;
    if ((e = copy_key(key, &r->key)) || (e = measure(r)) || (e = hold_chunk(r, r->chunks - 1)))
        return e;
    *out = r;
    r = NULL;
    return ERR_OK;
}

uint64_t sealfile_size(const struct sealfile_reader *r) { return r->size; }

enum err sealfile_read(struct sealfile_reader *r, uint64_t offset, void *out, size_t len, size_t *got)
{
    uint8_t *to = out;
    size_t done = 0;
    enum err e;

    if (offset >= r->size)
        len = 0;
    else if (len > r->size - offset)
        len = (size_t)(r->size - offset);
    while (done < len) {
        uint64_t number = (offset + done) / SEALFILE_CHUNK_BYTES;
        size_t from = (size_t)((offset + done) % SEALFILE_CHUNK_BYTES);
        size_t part = chunk_len(r, number) - from;

        if (from == 0 && part <= len - done && r->number != number) { /* all of it: no need to hold it */
            if ((e = open_chunk(r, number, to + done)))
                return e;
        } else {
            if ((e = hold_chunk(r, number)))
                return e;
            part = part < len - done ? part : len - done;
            memcpy(to + done, r->plain + from, part);
        }
        done += part;
    }
    *got = len;
    return ERR_OK;
}

void sealfile_reader_free(struct sealfile_reader *r)
{
    if (!r)
        return;
    random_wipe(r->plain, sizeof r->plain);
    blob_key_free(r->key);
    mem_free(r);
}
