#include "pds/store/blob.h"

#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "pds/base/fs.h"
#include "pds/base/mem.h"
#include "pds/base/str.h"
#include "pds/crypto/random.h"
#include "pds/crypto/sealfile.h"
#include "pds/crypto/sha256.h"
#include "pds/store/blob_internal.h"
#include "pds/store/store_internal.h"
#include "pds/vault/vault.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

_Static_assert((int)BLOB_KEY_BYTES == (int)KEY_BYTES, "size of a key");
_Static_assert((int)BLOB_SHA256_BYTES == (int)SHA256_BYTES, "size of a digest");

/* What is written goes to the disk by steps of this size, so that the sync at the end has little to wait for.
 */
enum { FLUSH_BYTES = 8 * 1024 * 1024 };

static const char SQL_ADD[] = "INSERT INTO blob (name, key, size, sha256) VALUES (?1, ?2, ?3, ?4)";
static const char SQL_FIND[] = "SELECT name, key, size FROM blob WHERE id = ?1";
static const char SQL_REPLACE[] = "UPDATE blob SET name = ?2, key = ?3 WHERE id = ?1";
static const char SQL_DROP[] = "DELETE FROM blob WHERE id = ?1";
static const char SQL_SET_KEY[] = "UPDATE blob SET key = ?4 WHERE name = ?1 AND size = ?2 AND sha256 = ?3";
static const char SQL_NEXT[] = "SELECT id, name, size, sha256 FROM blob WHERE id > ?1 ORDER BY id LIMIT 1";

struct blob_writer {
    struct blob_writer *next; /* in the yard's list */
    struct store *store;      /* borrowed */
    uint8_t name[BLOB_NAME_BYTES];
    struct blob_key *key;           /* owned */
    struct sealfile_writer *sealed; /* owned; NULL once finished */
    struct fs_draft draft;
    struct sha256 hash;
    uint8_t sha256[BLOB_SHA256_BYTES];
    uint64_t size, flushed; /* plain bytes */
    enum err err;           /* the first failure */
    bool listed, named, finished, kept;
};

void blob_name_text(const uint8_t name[static BLOB_NAME_BYTES], char out[static BLOB_NAME_CHARS + 1])
{
    static const char DIGITS[] = "0123456789abcdef";

    for (size_t i = 0; i < BLOB_NAME_BYTES; i++) {
        out[2 * i] = DIGITS[name[i] >> 4];
        out[2 * i + 1] = DIGITS[name[i] & 15];
    }
    out[BLOB_NAME_CHARS] = '\0';
}

enum err blob_folder(const struct store *s, char out[static FS_PATH_BYTES])
{
    return fs_join(out, s->dir, "files");
}

static enum err blob_path(const struct store *s, const uint8_t *name, char out[static FS_PATH_BYTES])
{
    char folder[FS_PATH_BYTES], text[BLOB_NAME_CHARS + 1];
    enum err e;

    blob_name_text(name, text);
    return (e = blob_folder(s, folder)) ? e : fs_join(out, folder, text);
}

bool blob_is_written(struct store *s, const uint8_t name[static BLOB_NAME_BYTES])
{
    const struct blob_writer *w;

    (void)pthread_mutex_lock(&s->blobs.mutex);
    for (w = s->blobs.writers; w && memcmp(w->name, name, sizeof w->name) != 0; w = w->next)
        continue;
    (void)pthread_mutex_unlock(&s->blobs.mutex);
    return w;
}

static void enlist(struct blob_writer *w)
{
    struct blob_yard *yard = &w->store->blobs;

    (void)pthread_mutex_lock(&yard->mutex);
    w->next = yard->writers;
    yard->writers = w;
    (void)pthread_mutex_unlock(&yard->mutex);
    w->listed = true;
}

static void delist(struct blob_writer *w)
{
    struct blob_yard *yard = &w->store->blobs;
    struct blob_writer **at = &yard->writers;

    if (!w->listed)
        return;
    (void)pthread_mutex_lock(&yard->mutex);
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    (void)pthread_mutex_unlock(&yard->mutex);
    w->listed = false;
}

enum err blob_writer_new(struct store *s, struct blob_writer **out)
{
    AUTO(blob_writer_freep) struct blob_writer *w = mem_new(sizeof *w);
    char path[FS_PATH_BYTES];
    enum err e;

    if (!w)
        return err_set(ERR_NO_MEMORY, "a new blob");
    w->store = s;
    w->draft.fd = -1;
    random_bytes(w->name, sizeof w->name);
    if (!(w->key = blob_key_new()))
        return err_set(ERR_NO_MEMORY, "the key of a new blob");
    random_bytes(w->key->bytes, sizeof w->key->bytes);
    sha256_init(&w->hash);
    if ((e = blob_path(s, w->name, path)))
        return e;
    enlist(w); /* before there is a file */
    if ((e = fs_draft_new(path, &w->draft)) || (e = sealfile_writer_new(w->draft.fd, w->key, &w->sealed)))
        return err_wrap(e, "a new blob");
    *out = w;
    w = NULL; /* the caller's now */
    return ERR_OK;
}

/* Have the disk begin with what was written since the last time. It is only a hint. */
static void flush(struct blob_writer *w)
{
    if (w->size - w->flushed < FLUSH_BYTES)
        return;
    (void)sync_file_range(w->draft.fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    w->flushed = w->size;
}

enum err blob_write(struct blob_writer *w, const void *bytes, size_t len)
{
    if (w->err || w->finished)
        return err_set(w->err ? w->err : ERR_CONFLICT, "a blob that was finished or failed already");
    sha256_add(&w->hash, bytes, len);
    if ((w->err = sealfile_write(w->sealed, bytes, len)))
        return w->err;
    w->size += len;
    flush(w);
    return ERR_OK;
}

enum err blob_finish(struct blob_writer *w)
{
    if (w->err || w->finished)
        return err_set(w->err ? w->err : ERR_CONFLICT, "a blob that was finished or failed already");
    if ((w->err = sealfile_finish(w->sealed)))
        return w->err;
    w->named = true; /* or not: it is taken away either way */
    if ((w->err = fs_draft_keep(&w->draft)))
        return w->err;
    sha256_end(&w->hash, w->sha256);
    sealfile_writer_free(w->sealed); /* its buffer is not needed for the rest */
    w->sealed = NULL;
    w->finished = true;
    return ERR_OK;
}

uint64_t blob_written(const struct blob_writer *w) { return w->size; }

const uint8_t *blob_sha256(const struct blob_writer *w) { return w->sha256; }

enum err blob_keep(struct db *db, struct blob_writer *w, int64_t *id)
{
    enum err e;

    if (!w->finished)
        return err_set(ERR_INTERNAL, "a blob kept before its end");
    w->kept = true; /* from here on only the vault knows whether the file is needed */
    if ((e = db_run(db, SQL_ADD,
                    PARAMS(BLOB(w->name, sizeof w->name), BLOB(w->key->bytes, KEY_BYTES),
                           INT((int64_t)w->size), BLOB(w->sha256, sizeof w->sha256)))))
        return err_wrap(e, "keeping a blob");
    *id = db_last_rowid(db);
    return ERR_OK;
}

enum err blob_replace(struct db *db, struct blob_writer *w, int64_t id)
{
    int64_t changed = 0;
    enum err e;

    if (!w->finished)
        return err_set(ERR_INTERNAL, "a blob kept before its end");
    w->kept = true;
    if ((e = db_change(db, SQL_REPLACE,
                       PARAMS(INT(id), BLOB(w->name, sizeof w->name), BLOB(w->key->bytes, KEY_BYTES)),
                       &changed)))
        return err_wrap(e, "replacing a blob");
    return changed == 1 ? ERR_OK : err_set(ERR_NOT_FOUND, "no blob %" PRId64, id);
}

void blob_kept(struct blob_writer *w) { delist(w); }

void blob_refused(struct blob_writer *w) { w->kept = false; }

void blob_writer_free(struct blob_writer *w)
{
    char path[FS_PATH_BYTES];

    if (!w)
        return;
    sealfile_writer_free(w->sealed);
    fs_draft_drop(&w->draft);
    /* Once given to a write whose outcome is not known, it stays until a sweep can tell. */
    if (w->named && !w->kept && !blob_path(w->store, w->name, path))
        (void)unlink(path); /* else the next sweep takes it */
    delist(w);
    blob_key_free(w->key);
    random_wipe(&w->hash, sizeof w->hash);
    mem_free(w);
}

struct blob_reader {
    struct sealfile_reader *sealed; /* owned */
    int64_t id;
    int fd;
};

struct found {
    uint8_t name[BLOB_NAME_BYTES];
    struct blob_key *key; /* owned */
    uint64_t size;
};

static enum err find(struct db *db, int64_t id, struct found *out)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    struct str name, key;
    enum err e;

    if ((e = db_query(db, SQL_FIND, PARAMS(INT(id)), &row)) || (e = stmt_next(row)))
        return e;
    out->size = (uint64_t)stmt_int(row, 2);
    name = stmt_blob(row, 0);
    if (name.len != sizeof out->name)
        return err_set(ERR_CORRUPT, "its row");
    memcpy(out->name, name.ptr, sizeof out->name);
    key = stmt_blob(row, 1);
    if (key.len != KEY_BYTES)
        return err_set(ERR_CORRUPT, "its row");
    if (!(out->key = blob_key_new()))
        return err_set(ERR_NO_MEMORY, "its key");
    memcpy(out->key->bytes, key.ptr, KEY_BYTES);
    return ERR_OK;
}

/* Whether the blob is one as of now. A snapshot may be older than a drop, which takes the file. */
static enum err still_there(struct store *s, int64_t id)
{
    AUTO(reader_done) struct reader now = {s->vault, NULL};
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    if (!s->vault || id == 0)
        return ERR_OK;
    if ((e = vault_read(s->vault, &now.db)) || (e = db_query(now.db, SQL_FIND, PARAMS(INT(id)), &row)))
        return e;
    return stmt_next(row);
}

static enum err reader_open(struct store *s, const struct found *found, struct blob_reader *r)
{
    char path[FS_PATH_BYTES];
    enum err e;

    if ((e = blob_path(s, found->name, path)))
        return e;
    if ((r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0) {
        if (errno != ENOENT)
            return fs_error("opening", "its file");
        return (e = still_there(s, r->id)) ? e : err_set(ERR_CORRUPT, "its file is not there");
    }
    if ((e = sealfile_reader_new(r->fd, found->key, &r->sealed)))
        return e;
    if (sealfile_size(r->sealed) != found->size)
        return err_set(ERR_CORRUPT, "its file has another length than it had");
    return ERR_OK;
}

enum err blob_reader_new(struct store *s, struct db *db, int64_t id, struct blob_reader **out)
{
    AUTO(blob_reader_freep) struct blob_reader *r = mem_new(sizeof *r);
    struct found found = {0};
    enum err e;

    if (!r)
        return err_set(ERR_NO_MEMORY, "reading a blob");
    r->fd = -1;
    r->id = id;
    if (!(e = find(db, id, &found)))
        e = reader_open(s, &found, r);
    blob_key_free(found.key);
    if (e)
        return err_wrap(e, "blob %lld", (long long)id);
    *out = r;
    r = NULL; /* the caller's now */
    return ERR_OK;
}

enum err blob_reader_of(const struct blob_writer *w, struct blob_reader **out)
{
    AUTO(blob_reader_freep) struct blob_reader *r = mem_new(sizeof *r);
    struct found found = {.key = w->key, .size = w->size};
    enum err e;

    if (!r)
        return err_set(ERR_NO_MEMORY, "reading a blob");
    r->fd = -1;
    memcpy(found.name, w->name, sizeof found.name);
    if ((e = reader_open(w->store, &found, r)))
        return err_wrap(e, "a new blob");
    *out = r;
    r = NULL; /* the caller's now */
    return ERR_OK;
}

uint64_t blob_size(const struct blob_reader *r) { return sealfile_size(r->sealed); }

enum err blob_read(struct blob_reader *r, uint64_t offset, void *out, size_t len, size_t *got)
{
    enum err e = sealfile_read(r->sealed, offset, out, len, got);

    return e ? err_wrap(e, "blob %lld", (long long)r->id) : ERR_OK;
}

void blob_reader_free(struct blob_reader *r)
{
    if (!r)
        return;
    sealfile_reader_free(r->sealed);
    if (r->fd >= 0)
        (void)close(r->fd); /* it was only read */
    mem_free(r);
}

enum err blob_drop(struct db *db, int64_t id)
{
    int64_t changed;
    enum err e = db_change(db, SQL_DROP, PARAMS(INT(id)), &changed);

    if (!e && changed == 0)
        e = err_set(ERR_NOT_FOUND, "no such row");
    return e ? err_wrap(e, "blob %lld", (long long)id) : ERR_OK;
}

enum err blob_next(struct db *db, int64_t after, struct blob_row *out)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    struct str name, sha256;
    enum err e;

    if ((e = db_query(db, SQL_NEXT, PARAMS(INT(after)), &row)) || (e = stmt_next(row)))
        return e;
    out->id = stmt_int(row, 0);
    name = stmt_blob(row, 1);
    if (name.len != BLOB_NAME_BYTES)
        return err_set(ERR_CORRUPT, "blob %lld: its row", (long long)out->id);
    blob_name_text((const uint8_t *)name.ptr, out->name);
    out->size = (uint64_t)stmt_int(row, 2);
    sha256 = stmt_blob(row, 3);
    if (sha256.len != sizeof out->sha256)
        return err_set(ERR_CORRUPT, "blob %lld: its row", (long long)out->id);
    memcpy(out->sha256, sha256.ptr, sizeof out->sha256);
    return ERR_OK;
}

enum err blob_set_key(struct db *db, const struct blob_row *row, const uint8_t key[static BLOB_KEY_BYTES])
{
    uint8_t name[BLOB_NAME_BYTES];
    int64_t changed = 0;
    size_t len;
    enum err e;

    if ((e = codec_unhex(str_of(row->name), name, sizeof name, &len)))
        return e;
    if (!(e = db_change(db, SQL_SET_KEY,
                        PARAMS(BLOB(name, sizeof name), INT((int64_t)row->size),
                               BLOB(row->sha256, sizeof row->sha256), BLOB(key, BLOB_KEY_BYTES)),
                        &changed)) &&
        changed == 0)
        e = err_set(ERR_NOT_FOUND, "no such blob");
    return e;
}
