/* The folder of blobs: taking away what no row names, and reading all of it. */
#include "pds/store/blob.h"

#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "pds/base/mem.h"
#include "pds/crypto/sha256.h"
#include "pds/store/blob_internal.h"
#include "pds/store/store_internal.h"
#include "pds/vault/vault.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files looked up with one snapshot; bytes read at once by a check. */
enum { SWEEP_FILES = 256, CHECK_BYTES = 512 * 1024 };

static const char SQL_KNOWN[] = "SELECT 1 FROM blob WHERE name = ?1";

/* A file of the folder: a blob, or the draft of one (fs_draft). */
struct entry {
    char file[BLOB_NAME_CHARS + sizeof ".new-XXXXXX"];
    uint8_t name[BLOB_NAME_BYTES];
    bool draft;
};

/* False for what is no file of ours. */
static bool entry_read(const char *file, struct entry *out)
{
    static const char DRAFT[] = ".new-";
    size_t len = strlen(file), bytes;

    if (len != BLOB_NAME_CHARS &&
        !(len == sizeof out->file - 1 && memcmp(file + BLOB_NAME_CHARS, DRAFT, sizeof DRAFT - 1) == 0))
        return false;
    if (codec_unhex((struct str){file, BLOB_NAME_CHARS}, out->name, sizeof out->name, &bytes))
        return false;
    memcpy(out->file, file, len + 1);
    out->draft = len != BLOB_NAME_CHARS;
    return true;
}

static void folder_closep(DIR **folder)
{
    if (*folder)
        (void)closedir(*folder); /* it was only read */
}

/* The folder, which is made when it is missing, as out of a copy that keeps no empty ones. NULL: then *e
 * tells why. */
static DIR *folder_open(struct store *s, enum err *e)
{
    char path[FS_PATH_BYTES];
    DIR *folder;

    if ((*e = blob_folder(s, path)))
        return NULL;
    folder = opendir(path);
    if (!folder && errno == ENOENT) {
        if ((*e = fs_make_private_dir(path)))
            return NULL;
        folder = opendir(path);
    }
    if (!folder)
        *e = fs_error("reading", "files");
    return folder;
}

/* Those of the folder that nobody is writing, at most SWEEP_FILES; fewer only at its end. */
static size_t list(struct store *s, DIR *folder, struct entry entries[static SWEEP_FILES])
{
    const struct dirent *file;
    size_t count = 0;

    while (count < SWEEP_FILES && (file = readdir(folder))) {
        if (entry_read(file->d_name, &entries[count]) && !blob_is_written(s, entries[count].name))
            count++;
    }
    return count;
}

static enum err is_known(struct db *db, const struct entry *entry, bool *out)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    *out = false;
    if (entry->draft)
        return ERR_OK;
    if ((e = db_query(db, SQL_KNOWN, PARAMS(BLOB(entry->name, sizeof entry->name)), &row)))
        return e;
    if ((e = stmt_next(row)) == ERR_NOT_FOUND)
        return ERR_OK;
    *out = !e;
    return e;
}

/* The snapshot is taken after the files were seen and found to have no writer: what has a row now has had it
 * since before, and what has none will get none. */
static enum err take_away(struct vault *v, DIR *folder, const struct entry *entries, size_t count)
{
    AUTO(reader_done) struct reader reader = {v, NULL};
    bool known;
    enum err e;

    if ((e = vault_read(v, &reader.db)))
        return e;
    for (size_t i = 0; i < count; i++) {
        if ((e = is_known(reader.db, &entries[i], &known)))
            return e;
        if (!known && unlinkat(dirfd(folder), entries[i].file, 0) && errno != ENOENT)
            return fs_error("deleting", "a file without a row");
    }
    return ERR_OK;
}

/* With the sweep's mutex held. */
static enum err sweep(struct store *s, struct vault *v)
{
    AUTO(folder_closep) DIR *folder = NULL;
    struct entry *entries;
    size_t count;
    enum err e;

    if (!(folder = folder_open(s, &e)))
        return e;
    if (!(entries = mem_array(SWEEP_FILES, sizeof *entries)))
        return err_set(ERR_NO_MEMORY, "sweeping");
    do {
        count = list(s, folder, entries);
        e = count > 0 ? take_away(v, folder, entries, count) : ERR_OK;
    } while (!e && count == SWEEP_FILES);
    mem_free(entries);
    return e;
}

enum err blob_sweep(struct store *s, struct vault *v)
{
    enum err e = ERR_OK;

    (void)pthread_mutex_lock(&s->blobs.sweep);
    if (s->blobs.holds > 0)
        s->blobs.sweep_due = true;
    else
        e = sweep(s, v);
    (void)pthread_mutex_unlock(&s->blobs.sweep);
    return e ? err_wrap(e, "sweeping files") : ERR_OK;
}

void blob_hold(struct store *s)
{
    (void)pthread_mutex_lock(&s->blobs.sweep);
    s->blobs.holds++;
    (void)pthread_mutex_unlock(&s->blobs.sweep);
}

void blob_unhold(struct store *s)
{
    (void)pthread_mutex_lock(&s->blobs.sweep);
    if (--s->blobs.holds == 0 && s->blobs.sweep_due && s->vault) {
        s->blobs.sweep_due = false;
        err_ignore(sweep(s, s->vault)); /* keys are gone already; the next opening takes the files */
    }
    (void)pthread_mutex_unlock(&s->blobs.sweep);
}

static enum err read_all(struct store *s, struct db *db, const struct blob_row *row, char *room)
{
    AUTO(blob_reader_freep) struct blob_reader *r = NULL;
    uint8_t digest[BLOB_SHA256_BYTES];
    struct sha256 hash;
    size_t got = 0;
    enum err e;

    if ((e = blob_reader_new(s, db, row->id, &r)))
        return e;
    sha256_init(&hash);
    for (uint64_t at = 0; at < row->size; at += got) {
        if (store_is_closing(s))
            return err_set(ERR_LOCKED, "the store is being locked");
        if ((e = blob_read(r, at, room, CHECK_BYTES, &got)))
            return e;
        sha256_add(&hash, room, got);
    }
    sha256_end(&hash, digest);
    return memcmp(digest, row->sha256, sizeof digest) == 0
               ? ERR_OK
               : err_set(ERR_CORRUPT, "blob %lld: not what was put in", (long long)row->id);
}

enum err blob_check_folder(struct store *s, blob_problem *found, void *context)
{
    AUTO(folder_closep) DIR *folder = NULL;
    const struct dirent *file;
    struct entry entry;
    struct stat facts;
    enum err e;

    if (!(folder = folder_open(s, &e)))
        return err_wrap(e, "checking files");
    while ((file = readdir(folder))) {
        if (strcmp(file->d_name, ".") == 0 || strcmp(file->d_name, "..") == 0)
            continue;
        if (!entry_read(file->d_name, &entry))
            found(context, "files", "something lies here that is no part of a store");
        else if (!fstatat(dirfd(folder), file->d_name, &facts, AT_SYMLINK_NOFOLLOW) &&
                 (!S_ISREG(facts.st_mode) || (facts.st_mode & 077)))
            found(context, "files", "others than its owner may reach a file, or it is none");
    }
    return ERR_OK;
}

enum err blob_check(struct store *s, struct db *db, blob_problem *found, void *context, uint64_t *files)
{
    struct blob_row row = {0};
    char *room, where[64];
    enum err e;

    if (!(room = mem_new(CHECK_BYTES)))
        return err_set(ERR_NO_MEMORY, "checking files");
    while (!(e = blob_next(db, row.id, &row))) {
        if ((e = read_all(s, db, &row, room)) == ERR_CORRUPT) {
            (void)snprintf(where, sizeof where, "files/%s", row.name); /* it fits */
            found(context, where, err_story());
        } else if (e && e != ERR_NOT_FOUND) { /* dropped meanwhile: none any more */
            break;
        }
        *files += e != ERR_NOT_FOUND;
    }
    mem_free(room);
    if (e == ERR_CORRUPT) /* rows that cannot be read: no further ones are known */
        found(context, "files", err_story());
    return e == ERR_NOT_FOUND || e == ERR_CORRUPT ? ERR_OK : e;
}
