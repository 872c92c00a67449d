/* A reading of the write-ahead log as it lies in the file, before SQLite sees it: how far it is
 * sound, and what its own frames say should be there. */
#ifndef VAULT_WAL_SCAN_INTERNAL_H
#define VAULT_WAL_SCAN_INTERNAL_H
#include "pds/base/err.h"
#include "pds/vault/vfs_internal.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* SQLite's chained checksum. */
struct wal_sum {
    uint32_t words[2];
    bool big_endian;
};
void wal_sum_add(struct wal_sum *s, const uint8_t *bytes, size_t len); /* len a multiple of 8 */

enum {
    LOG_MAGIC_LITTLE = 0x377f0682,
    LOG_MAGIC_BIG = 0x377f0683
}; /* the last bit: the byte order of the sum */

struct wal_scan {
    bool blank; /* no file, or nothing but zeros where the header is */
    bool header_ok;
    uint64_t generation; /* of a sound header */
    uint32_t stored;     /* whole frames in the file */
    uint32_t valid;      /* the first so many are sound: seals, salts and chained checksums */
    uint32_t committed;  /* of those, up to the last that ends a commit */
    uint32_t pages;      /* of the database after that commit */
    bool begun;          /* a frame of the generation that was asked for stands in the file */
    uint32_t promised; /* frames that some frame of this generation says were synced before it was written */
    const char *fault; /* why frame valid + 1 does not count; NULL when the file ends there */
};

/* Scan f (NULL: there is no file), which should be the log of `generation`. When its header is unsound,
 * frames are looked at as of that one. With map, the page of each sound frame is remembered there. ERR_IO,
 * ERR_NO_MEMORY; damage is told in *out, not by the outcome. */
MUST_CHECK enum err wal_scan(struct vfs *v, sqlite3_file *f, uint64_t generation, struct wal *map,
                             struct wal_scan *out);
#endif
