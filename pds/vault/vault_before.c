#include "pds/vault/vault_before.h"

#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/base/mem.h"
#include "pds/vault/vault_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PIECE_BYTES = 16 * PAGE_BYTES };

static const char PREFIX[] = "vault.db.before-";

bool vault_before_is(const char *name) { return strncmp(name, PREFIX, sizeof PREFIX - 1) == 0; }

/* One that was cut while it was made (fs_draft_new). */
static bool is_cut(const char *name) { return vault_before_is(name) && strstr(name, ".new-"); }

static enum err remove_all(const char *dir, bool (*is_one)(const char *name))
{
    DIR *folder = opendir(dir);
    const struct dirent *entry;
    bool any = false;
    enum err e = ERR_OK;

    if (!folder)
        return fs_error("reading", "the store's folder");
    while (!e && (entry = readdir(folder))) {
        if (!is_one(entry->d_name))
            continue;
        any = true;
        if (unlinkat(dirfd(folder), entry->d_name, 0) && errno != ENOENT)
            e = fs_error("removing", entry->d_name);
    }
    (void)closedir(folder); /* it was only read */
    return e || !any ? e : fs_sync_dir(dir);
}

enum err vault_before_remove(const char *dir) { return remove_all(dir, vault_before_is); }

static enum err copy_pieces(sqlite3_file *db, sqlite3_int64 size, uint8_t *piece, int fd)
{
    enum err e = ERR_OK;

    for (sqlite3_int64 at = 0, len; at < size && !e; at += len) {
        len = size - at < PIECE_BYTES ? size - at : PIECE_BYTES;
        if (db->pMethods->xRead(db, piece, (int)len, at) != SQLITE_OK)
            return err_set(ERR_IO, "reading vault.db");
        e = fs_write_all(fd, piece, (size_t)len);
    }
    return e;
}

static enum err copy_db(struct vfs *v, int fd)
{
    AUTO(vfs_lower_closep) sqlite3_file *db = NULL;
    uint8_t *piece;
    sqlite3_int64 size;
    enum err e;

    if ((e = vfs_lower_open(v, FILE_DB, &db)))
        return e;
    if (db->pMethods->xFileSize(db, &size) != SQLITE_OK)
        return err_set(ERR_IO, "the size of vault.db");
    if (!(piece = mem_new(PIECE_BYTES)))
        return err_set(ERR_NO_MEMORY, "copying vault.db");
    e = copy_pieces(db, size, piece, fd);
    mem_free(piece);
    return e;
}

/* Copies that were cut go first: they may be what fills the disk. */
static enum err begin_draft(const struct vfs *v, int64_t schema, struct fs_draft *out)
{
    char dir[FS_PATH_BYTES], path[FS_PATH_BYTES], name[sizeof PREFIX + 24];
    size_t len = strlen(v->db_path) - strlen("/vault.db");
    enum err e;

    memcpy(dir, v->db_path, len);
    dir[len] = '\0';
    (void)snprintf(name, sizeof name, "%s%03" PRId64, PREFIX, schema); /* it fits */
    if ((e = remove_all(dir, is_cut)) || (e = fs_join(path, dir, name)))
        return e;
    return fs_draft_new(path, out);
}

enum err vault_before_make(struct writer *w, int64_t schema)
{
    struct fs_draft draft = {.fd = -1};
    bool whole = false;
    enum err e;

    if (!(e = writer_checkpoint(w, &whole)) && !whole)
        e = err_set(ERR_BUSY, "the log is in use");
    if (!e && !(e = begin_draft(w->vault->vfs, schema, &draft)) && !(e = copy_db(w->vault->vfs, draft.fd)))
        e = fs_draft_keep(&draft);
    fs_draft_drop(&draft);
    return e ? err_wrap(e, "copying vault.db before a migration") : ERR_OK;
}
