/* Between backup.c (making one), backup_manifest.c (what is in it), backup_walk.c (reading one to its end)
 * and restore.c. docs/backup-format.md tells the layout. */
#ifndef PORTABLE_BACKUP_INTERNAL_H
#define PORTABLE_BACKUP_INTERNAL_H
#include "pds/base/buf.h"
#include "pds/base/err.h"
#include "pds/base/str.h"
#include "pds/crypto/age.h"
#include "pds/crypto/keyring.h"
#include "pds/crypto/sha256.h"
#include "pds/base/json.h"
#include "pds/store/blob.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BACKUP_DATABASE "vault.sqlite"
#define BACKUP_FILES    "files/"
#define BACKUP_MANIFEST "manifest.json"
#define BACKUP_SUMS     "SHA256SUMS"

enum { BACKUP_PATH_BYTES = sizeof BACKUP_FILES + 2 * BLOB_NAME_BYTES };

struct backup_entry {
    char path[BACKUP_PATH_BYTES];
    uint64_t size;
    uint8_t sha256[SHA256_BYTES];
};
/* The database first, then the files, in the order in which they stand. */
struct backup_manifest {
    uint8_t store[STORE_ID_BYTES];
    int64_t made_at, schema;
    struct backup_entry *entries; /* owned */
    size_t count, room;
};
void backup_manifest_done(struct backup_manifest *m);
/* A further entry, its path copied; borrowed until the next one. ERR_TOO_LARGE over LIMIT_BACKUP_FILES. */
MUST_CHECK enum err backup_manifest_add(struct backup_manifest *m, struct str path, uint64_t size,
                                        struct backup_entry **out);
/* The texts of manifest.json and SHA256SUMS. */
void backup_manifest_write(const struct backup_manifest *m, struct buf *out);
void backup_manifest_sums(const struct backup_manifest *m, struct str manifest, struct buf *out);
/* Read manifest.json. ERR_CORRUPT when it breaks its format, ERR_UNSUPPORTED when its version is a later one.
 */
MUST_CHECK enum err backup_manifest_read(struct str text, struct backup_manifest *out);
/* ERR_CORRUPT unless both have the same entries. */
MUST_CHECK enum err backup_manifest_match(const struct backup_manifest *a, const struct backup_manifest *b);

/* Called for what a backup holds, in order; each may be NULL. */
struct backup_visitor {
    enum err (*begin)(void *context, const struct backup_entry *entry); /* its hash is not known yet */
    enum err (*bytes)(void *context, const void *bytes, size_t len);
    enum err (*end)(void *context, const struct backup_entry *entry);
};
/* Read a backup to its end: all of it authentic, each hash the one that the manifest says. ERR_UNSUPPORTED
 * when the age file holds no backup; ERR_CORRUPT. visitor may be NULL. *out is the caller's. */
MUST_CHECK enum err backup_walk(struct age_reader *reader, const struct backup_visitor *visitor,
                                void *context, struct backup_manifest *out);

/* backup_make(), which gives up with ERR_IO once *unwanted is true (NULL: never). */
MUST_CHECK enum err backup_make_while(struct store *s, int fd, const struct secret_text *passphrase,
                                      int64_t now, const atomic_bool *unwanted, json_t **out);

/* age_get of a descriptor. */
MUST_CHECK enum err backup_get(void *fd, void *out, size_t size, size_t *got);
#endif
