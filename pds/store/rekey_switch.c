/* One vault in the place of another. keys.json decides which of its two keys counts by what vault.db is, and
 * vault.db is replaced by one rename: no order of losing power leaves a vault without its key. */
#include "pds/store/rekey_internal.h"

#include "pds/base/auto.h"
#include "pds/store/store_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

enum { MARK_AT = 4096 - KEYFILE_VAULT_BYTES };

enum err rekey_vault_mark(const char *dir, uint8_t out[static KEYFILE_VAULT_BYTES])
{
    char path[FS_PATH_BYTES];
    AUTO(fs_closep) int fd = -1;
    ssize_t got;
    enum err e;

    if ((e = fs_join(path, dir, "vault.db")))
        return e;
    if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0)
        return fs_error("opening", "vault.db");
    got = pread(fd, out, KEYFILE_VAULT_BYTES, MARK_AT);
    if (got < 0)
        return fs_error("reading", "vault.db");
    return got == KEYFILE_VAULT_BYTES ? ERR_OK
                                      : err_set(ERR_CORRUPT, "vault.db page 1: the file ends before it");
}

static enum err remove_file(const char *dir, const char *name)
{
    char path[FS_PATH_BYTES];
    enum err e;

    if ((e = fs_join(path, dir, name)))
        return e;
    return unlink(path) && errno != ENOENT ? fs_error("removing", name) : ERR_OK;
}

void rekey_tidy(const struct store *s)
{
    static const char *const NAMES[] = {"vault.db", "vault.db-wal", "lock"};
    char dir[FS_PATH_BYTES];

    if (fs_join(dir, s->dir, "rekey") || !fs_exists(dir))
        return;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        err_ignore(remove_file(dir, NAMES[i])); /* the next one tries again */
    (void)rmdir(dir);
}

/* The new vault is in its place. The log and the anchor beside it are the old one's, or a beginning of its
 * own that nobody wrote to: only who has read the new slots out of keys.json could have. */
static enum err finish(const struct store *s, struct keyfile *keys)
{
    enum err e;

    if ((e = remove_file(s->dir, "vault.db-wal")) || (e = remove_file(s->dir, "lock")) ||
        (e = fs_sync_dir(s->dir)))
        return e;
    keyfile_promote(keys);
    return keyfile_save(keys, s->keys_path);
}

enum err rekey_switch(const struct store *s, struct keyfile *keys, bool *arrived)
{
    char from[FS_PATH_BYTES], to[FS_PATH_BYTES];
    enum err e;

    if ((e = fs_join(from, s->dir, "rekey/vault.db")) || (e = fs_join(to, s->dir, "vault.db")))
        return e;
    if (rename(from, to))
        return fs_error("replacing", "vault.db");
    *arrived = true;
    if ((e = fs_sync_dir(s->dir)) || (e = finish(s, keys)))
        return e;
    rekey_tidy(s);
    return ERR_OK;
}

static enum err settle(const struct store *s, struct keyfile *keys)
{
    uint8_t mark[KEYFILE_VAULT_BYTES];
    enum err e;

    if ((e = rekey_vault_mark(s->dir, mark)))
        return e;
    if (memcmp(mark, keyfile_next_vault(keys), sizeof mark) == 0)
        return finish(s, keys);
    keyfile_drop_next(keys);
    return keyfile_save(keys, s->keys_path);
}

enum err rekey_settle(const struct store *s, struct keyfile **keys)
{
    AUTO(keyfile_freep) struct keyfile *again = NULL;
    AUTO(fs_closep) int folder = -1;
    enum err e;

    if (!keyfile_next_vault(*keys))
        return ERR_OK;
    if ((folder = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return fs_error("opening", "the store's folder");
    if (flock(folder, LOCK_EX | LOCK_NB))
        return err_set(ERR_BUSY, "the store is being given another key");
    if ((e = keyfile_load(s->keys_path, &again)) || (keyfile_next_vault(again) && (e = settle(s, again))))
        return err_wrap(e, "after a rekey that was cut");
    keyfile_free(*keys);
    *keys = again;
    again = NULL; /* the caller's now */
    return ERR_OK;
}
