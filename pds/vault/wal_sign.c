/* Frames that SQLite leaves without a checksum.
 *
 * Once a spilled page is changed again in its transaction, SQLite 3.40 writes further frames unsigned and
 * signs all from that page's frame on before the commit. If a ROLLBACK TO drops that frame meanwhile, the
 * frames written after it, at lower places, stay unsigned: the commit is answered, and recovery drops it. We
 * sign them. */
#include "pds/vault/vfs_internal.h"

#include "pds/vault/bytes_internal.h"
#include "pds/vault/wal_scan_internal.h"

#include <string.h>

struct signer {
    struct sealed_file *file;
    uint64_t generation;
    uint8_t salts[8];
    struct wal_sum sum;
};

static int read_part(struct signer *s, void *out, int len, sqlite3_int64 place)
{
    sqlite3_file *f = s->file->lower;
    int rc = f->pMethods->xRead(f, out, len, place);

    return rc == SQLITE_IOERR_SHORT_READ ? SQLITE_IOERR_READ : rc;
}

static int begin(struct signer *s)
{
    uint8_t sealed[LOG_HEADER_SEALED_BYTES], plain[LOG_HEADER_PLAIN_BYTES];
    int rc = read_part(s, sealed, sizeof sealed, 0);

    if (rc != SQLITE_OK)
        return rc;
    if (!vfs_open_log_header(s->file->vfs, sealed, plain))
        return SQLITE_CORRUPT;
    memcpy(s->salts, plain + 16, sizeof s->salts);
    s->sum.big_endian = bytes_get32(plain) == LOG_MAGIC_BIG;
    s->sum.words[0] = bytes_get32(plain + 24);
    s->sum.words[1] = bytes_get32(plain + 28);
    return SQLITE_OK;
}

static int read_header(struct signer *s, uint32_t frame, uint8_t plain[static FRAME_HEADER_PLAIN_BYTES])
{
    uint8_t sealed[FRAME_HEADER_SEALED_BYTES];
    int rc = read_part(s, sealed, sizeof sealed, frame_place(frame));

    if (rc != SQLITE_OK)
        return rc;
    return vfs_open_frame_header(s->file->vfs, s->generation, frame, sealed, plain) ? SQLITE_OK
                                                                                    : SQLITE_CORRUPT;
}

static int sign_frame(struct signer *s, uint32_t frame)
{
    struct vfs *v = s->file->vfs;
    sqlite3_file *f = s->file->lower;
    uint8_t plain[FRAME_HEADER_PLAIN_BYTES], sealed[FRAME_HEADER_SEALED_BYTES], page[PAGE_BYTES];
    int rc = read_header(s, frame, plain);

    if (rc != SQLITE_OK ||
        (rc = read_part(s, page, PAGE_BYTES, frame_place(frame) + FRAME_HEADER_SEALED_BYTES)))
        return rc;
    if (!vfs_open_page(v, bytes_get32(plain), page, page))
        return SQLITE_CORRUPT;
    memcpy(plain + 8, s->salts, sizeof s->salts);
    wal_sum_add(&s->sum, plain, 8);
    wal_sum_add(&s->sum, page, PAGE_BYTES);
    bytes_put32(plain + 16, s->sum.words[0]);
    bytes_put32(plain + 20, s->sum.words[1]);
    vfs_seal_frame_header(v, s->generation, frame, plain, sealed);
    return f->pMethods->xWrite(f, sealed, sizeof sealed, frame_place(frame));
}

int wal_sign(struct sealed_file *f, uint32_t upto)
{
    struct signer s = {.file = f, .generation = atomic_load(&f->vfs->wal.generation)};
    uint32_t first = f->vfs->wal.unsigned_from;
    uint8_t before[FRAME_HEADER_PLAIN_BYTES];
    int rc = begin(&s);

    if (rc == SQLITE_OK && first > 1 && (rc = read_header(&s, first - 1, before)) == SQLITE_OK) {
        s.sum.words[0] = bytes_get32(before + 16);
        s.sum.words[1] = bytes_get32(before + 20);
    }
    for (uint32_t i = first; i <= upto && rc == SQLITE_OK; i++)
        rc = sign_frame(&s, i);
    return rc;
}
