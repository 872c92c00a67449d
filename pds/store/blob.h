/* Sealed blobs under files/: written and synced first, then known to the vault, so that a row without a whole
 * file cannot be; a file without a row (after a crash) is collected at the next opening.
 *
 * Each has a random name and a key of its own, in the vault alone: deleting its row makes every copy
 * unreadable. */
#ifndef STORE_BLOB_H
#define STORE_BLOB_H
#include "pds/base/err.h"
#include "pds/store/store.h"

#include <stddef.h>
#include <stdint.h>

enum { BLOB_NAME_BYTES = 16, BLOB_SHA256_BYTES = 32, BLOB_KEY_BYTES = 32 };

struct db;    /* pds/vault/db.h */
struct vault; /* pds/vault/vault.h */

/* A file on its way in. Freed before blob_keep(), it leaves nothing. */
struct blob_writer;
MUST_CHECK enum err blob_writer_new(struct store *s, struct blob_writer **out);
MUST_CHECK enum err blob_write(struct blob_writer *w, const void *bytes, size_t len);
/* The end: the file is synced under its name. */
MUST_CHECK enum err blob_finish(struct blob_writer *w);
uint64_t blob_written(const struct blob_writer *w);      /* plain bytes so far */
const uint8_t *blob_sha256(const struct blob_writer *w); /* after blob_finish(); borrowed */
/* Make it part of the store, inside a write; *id is its row. After the write is durable: blob_kept(). */
MUST_CHECK enum err blob_keep(struct db *db, struct blob_writer *w, int64_t *id);
/* The same in the place of a row's file: the row takes its name and key. ERR_NOT_FOUND without such a row. */
MUST_CHECK enum err blob_replace(struct db *db, struct blob_writer *w, int64_t id);
void blob_kept(struct blob_writer *w);
/* After a write that is known to have changed nothing: freed, it leaves nothing, as before blob_keep(). */
void blob_refused(struct blob_writer *w);
void blob_writer_free(struct blob_writer *w);
static inline void blob_writer_freep(struct blob_writer **w) { blob_writer_free(*w); }

/* Reading, at any place. Opened with a snapshot, it may outlive it, and the blob. ERR_CORRUPT when the file
 * is not there or not whole; the story names the blob by its number. ERR_NOT_FOUND when it was dropped. */
struct blob_reader;
MUST_CHECK enum err blob_reader_new(struct store *s, struct db *db, int64_t id, struct blob_reader **out);
uint64_t blob_size(const struct blob_reader *r); /* plain bytes */
MUST_CHECK enum err blob_read(struct blob_reader *r, uint64_t offset, void *out, size_t len, size_t *got);
void blob_reader_free(struct blob_reader *r);
static inline void blob_reader_freep(struct blob_reader **r) { blob_reader_free(*r); }

/* Forget one, inside a write: its key is gone with the write. blob_sweep() afterwards takes the file. */
MUST_CHECK enum err blob_drop(struct db *db, int64_t id);
/* Take away files that no row names and nobody is writing. At opening, when a folder that is missing is made,
 * and after a write that dropped some is durable: not within it. It borrows a reader of v, the store's vault,
 * so the caller has none in hand. While held it waits for blob_unhold(). */
MUST_CHECK enum err blob_sweep(struct store *s, struct vault *v);
/* While a copy of the store is made, files stay: from before its snapshot is taken. */
void blob_hold(struct store *s);
/* The last one sweeps what was asked for meanwhile; the caller is inside the store, with no reader. */
void blob_unhold(struct store *s);

/* All blobs, by id after `after`: ERR_NOT_FOUND after the last. */
struct blob_row {
    int64_t id;
    char name[2 * BLOB_NAME_BYTES + 1];
    uint64_t size;
    uint8_t sha256[BLOB_SHA256_BYTES];
};
MUST_CHECK enum err blob_next(struct db *db, int64_t after, struct blob_row *out);

/* Another key for the blob of that name, size and digest, whose file was sealed anew under it: inside a
 * write. ERR_NOT_FOUND when there is none. */
MUST_CHECK enum err blob_set_key(struct db *db, const struct blob_row *row,
                                 const uint8_t key[static BLOB_KEY_BYTES]);

/* Read every blob; `found` tells those that are damaged. Adds to *files. ERR_LOCKED when the store is being
 * locked. */
typedef void blob_problem(void *context, const char *where, const char *what);
MUST_CHECK enum err blob_check(struct store *s, struct db *db, blob_problem *found, void *context,
                               uint64_t *files);
/* What lies in the folder and should not, or can be reached by others. */
MUST_CHECK enum err blob_check_folder(struct store *s, blob_problem *found, void *context);
#endif
