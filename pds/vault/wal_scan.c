#include "pds/vault/wal_scan_internal.h"

#include "pds/vault/bytes_internal.h"

#include <string.h>

struct chain { /* the state of a scan */
    struct vfs *vfs;
    sqlite3_file *file;
    struct wal_sum sum;
    uint8_t salts[8];
    uint8_t frame[FRAME_SEALED_BYTES];
    uint8_t page[PAGE_BYTES];
};

static uint32_t word(const struct wal_sum *s, const uint8_t *at)
{
    if (s->big_endian)
        return bytes_get32(at);
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

void wal_sum_add(struct wal_sum *s, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        s->words[0] += word(s, bytes + i) + s->words[1];
        s->words[1] += word(s, bytes + i + 4) + s->words[0];
    }
}

static bool sum_is(const struct chain *c, const uint8_t *at)
{
    return c->sum.words[0] == bytes_get32(at) && c->sum.words[1] == bytes_get32(at + 4);
}

static enum err read_at(struct chain *c, void *out, int len, sqlite3_int64 place)
{
    int rc = c->file->pMethods->xRead(c->file, out, len, place);

    if (rc == SQLITE_OK || rc == SQLITE_IOERR_SHORT_READ)
        return ERR_OK; /* what is not there reads as zeros */
    return err_set(ERR_IO, "reading vault.db-wal");
}

static enum err scan_header(struct chain *c, struct wal_scan *out)
{
    uint8_t sealed[LOG_HEADER_SEALED_BYTES], plain[LOG_HEADER_PLAIN_BYTES];
    uint32_t magic;
    enum err e;

    if ((e = read_at(c, sealed, sizeof sealed, 0)))
        return e;
    out->blank = true;
    for (size_t i = 0; i < sizeof sealed; i++)
        out->blank = out->blank && sealed[i] == 0;
    if (out->blank || !vfs_open_log_header(c->vfs, sealed, plain))
        return ERR_OK;
    magic = bytes_get32(plain);
    c->sum.big_endian = magic == LOG_MAGIC_BIG;
    memcpy(c->salts, plain + 16, sizeof c->salts);
    wal_sum_add(&c->sum, plain, 24);
    out->generation = bytes_get64(plain + LOG_HEADER_BYTES);
    out->header_ok = (magic == LOG_MAGIC_LITTLE || magic == LOG_MAGIC_BIG) &&
                     bytes_get32(plain + 8) == PAGE_BYTES && sum_is(c, plain + 24);
    return ERR_OK;
}

/* Whether the frame that was read follows the ones before it; NULL when it does. */
static const char *frame_fault(struct chain *c, uint64_t generation, uint32_t number,
                               uint8_t header[static FRAME_HEADER_PLAIN_BYTES])
{
    if (!vfs_open_frame_header(c->vfs, generation, number, c->frame, header))
        return "the seal of its header is broken";
    if (memcmp(header + 8, c->salts, sizeof c->salts) != 0 || bytes_get32(header) == 0)
        return "it belongs to another log";
    if (!vfs_open_page(c->vfs, bytes_get32(header), c->frame + FRAME_HEADER_SEALED_BYTES, c->page))
        return "the seal of its page is broken";
    wal_sum_add(&c->sum, header, 8);
    wal_sum_add(&c->sum, c->page, PAGE_BYTES);
    if (!sum_is(c, header + 16))
        return "it does not follow the frame before it";
    return NULL;
}

static void keep_promise(struct wal_scan *out, const uint8_t *header)
{
    uint64_t durable = bytes_get64(header + FRAME_HEADER_BYTES);

    if (durable > out->promised)
        out->promised = durable > UINT32_MAX ? UINT32_MAX : (uint32_t)durable;
}

static enum err scan_sound(struct chain *c, struct wal *map, struct wal_scan *out)
{
    uint8_t header[FRAME_HEADER_PLAIN_BYTES];
    enum err e;

    for (uint32_t i = 1; i <= out->stored; i++) {
        if ((e = read_at(c, c->frame, FRAME_SEALED_BYTES, frame_place(i))))
            return e;
        if ((out->fault = frame_fault(c, out->generation, i, header)))
            return ERR_OK;
        keep_promise(out, header);
        if (map && !wal_set_page(map, i, bytes_get32(header)))
            return err_set(ERR_NO_MEMORY, "vault.db-wal");
        out->valid = i;
        if (bytes_get32(header + 4) != 0) {
            out->committed = i;
            out->pages = bytes_get32(header + 4);
        }
    }
    return ERR_OK;
}

/* Frames past the sound ones: torn ones of a commit that never was, or sound ones after damage; behind the
 * header of another log, those of the log that should be there. */
static enum err scan_rest(struct chain *c, uint64_t wanted, struct wal_scan *out)
{
    uint64_t own = out->header_ok ? out->generation : wanted;
    uint32_t first = own == wanted ? out->valid + 1 : 1;
    uint8_t header[FRAME_HEADER_PLAIN_BYTES];
    enum err e;

    for (uint32_t i = first; i <= out->stored && i != 0; i++) {
        if ((e = read_at(c, c->frame, FRAME_HEADER_SEALED_BYTES, frame_place(i))))
            return e;
        if (i > out->valid && vfs_open_frame_header(c->vfs, own, i, c->frame, header)) {
            keep_promise(out, header);
            out->begun = out->begun || own == wanted;
        } else if (own != wanted && vfs_open_frame_header(c->vfs, wanted, i, c->frame, header)) {
            out->begun = true;
        }
    }
    return ERR_OK;
}

enum err wal_scan(struct vfs *v, sqlite3_file *f, uint64_t generation, struct wal *map, struct wal_scan *out)
{
    struct chain c = {.vfs = v, .file = f};
    sqlite3_int64 size = 0;
    enum err e;

    memset(out, 0, sizeof *out);
    out->blank = true;
    if (!f)
        return ERR_OK;
    if (f->pMethods->xFileSize(f, &size) != SQLITE_OK)
        return err_set(ERR_IO, "the size of vault.db-wal");
    if (size > LOG_HEADER_SEALED_BYTES) {
        sqlite3_int64 frames = (size - LOG_HEADER_SEALED_BYTES) / FRAME_SEALED_BYTES;

        out->stored = frames > FRAME_CHUNK * (sqlite3_int64)FRAME_CHUNKS ? FRAME_CHUNK * FRAME_CHUNKS
                                                                         : (uint32_t)frames;
    }
    if ((e = scan_header(&c, out)))
        return e;
    if (out->header_ok && (e = scan_sound(&c, map, out)))
        return e;
    out->begun = out->valid > 0 && out->generation == generation;
    return scan_rest(&c, generation, out);
}
