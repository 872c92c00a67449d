/* Where a restored store goes: built beside, then renamed. */
#include "pds/portable/restore_internal.h"

#include "pds/base/str.h"
#include "pds/store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char BESIDE[] = ".new-";
enum { RANDOM_CHARS = 6 };

/* The path without slashes at its end. */
static enum err copy_path(const char *dir, char out[static FS_PATH_BYTES])
{
    struct str path = str_of(dir);

    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    return str_copy(path, out, FS_PATH_BYTES);
}

enum err restore_place_check(const char *dir)
{
    char path[FS_PATH_BYTES];
    size_t count = 0;
    DIR *folder;
    enum err e;

    if ((e = copy_path(dir, path)) || !fs_exists(path))
        return e;
    if (!(folder = opendir(path)))
        return errno == ENOTDIR ? err_set(ERR_CONFLICT, "%s is no folder", path) : fs_error("opening", path);
    while (count <= 2 && readdir(folder))
        count++;
    (void)closedir(folder); /* it was only read */
    return count > 2 ? err_set(ERR_CONFLICT,
                               "%s is there, and not empty: a backup is restored beside, never over", path)
                     : ERR_OK;
}

/* Whoever fills such a folder holds its lock: one without is of a restore that ended. */
static void take_away(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        store_remove(path);
    (void)close(fd); /* it was only read */
}

static bool is_left(const char *name, const char *store)
{
    size_t len = strlen(store);

    return strncmp(name, store, len) == 0 && strncmp(name + len, BESIDE, sizeof BESIDE - 1) == 0 &&
           strlen(name + len) == sizeof BESIDE - 1 + RANDOM_CHARS;
}

static void take_left(const char *dir)
{
    char parent[FS_PATH_BYTES], last[FS_PATH_BYTES], path[FS_PATH_BYTES];
    const char *folder_name, *store;
    const struct dirent *entry;
    DIR *folder;

    memcpy(parent, dir, sizeof parent);
    memcpy(last, dir, sizeof last);
    folder_name = dirname(parent);
    store = basename(last);
    if (!(folder = opendir(folder_name)))
        return; /* making the folder will tell */
    while ((entry = readdir(folder))) {
        if (is_left(entry->d_name, store) && !fs_join(path, folder_name, entry->d_name))
            take_away(path);
    }
    (void)closedir(folder); /* it was only read */
}

enum err restore_place_new(const char *dir, struct restore_place *out)
{
    struct restore_place p = {.fd = -1};
    enum err e;

    if ((e = copy_path(dir, p.dir)) || (e = restore_place_check(dir)))
        return e;
    take_left(p.dir);
    if ((size_t)snprintf(p.beside, sizeof p.beside, "%s%sXXXXXX", p.dir, BESIDE) >= sizeof p.beside)
        return err_set(ERR_TOO_LARGE, "a path of %zu bytes", strlen(dir));
    if (!mkdtemp(p.beside)) /* mode 0700 */
        return fs_error("making a folder beside", p.dir);
    if ((p.fd = open(p.beside, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 || flock(p.fd, LOCK_EX | LOCK_NB)) {
        e = fs_error("locking", p.beside);
        restore_place_drop(&p);
        (void)rmdir(p.beside); /* nothing is in it */
        return e;
    }
    *out = p;
    return ERR_OK;
}

enum err restore_place_keep(struct restore_place *p)
{
    char parent[FS_PATH_BYTES];
    enum err e = ERR_OK;

    if (syncfs(p->fd)) /* many files at once, and the folders they are in */
        e = fs_error("syncing", p->beside);
    else if (rename(p->beside, p->dir)) /* an empty folder gives way, anything else stays */
        e = errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR
                ? err_set(ERR_CONFLICT, "%s is there meanwhile", p->dir)
                : fs_error("naming", p->dir);
    if (e) {
        restore_place_drop(p);
        return e;
    }
    (void)close(p->fd); /* synced */
    p->fd = -1;
    memcpy(parent, p->dir, sizeof parent);
    return fs_sync_dir(dirname(parent));
}

void restore_place_drop(struct restore_place *p)
{
    if (p->fd < 0)
        return;
    store_remove(p->beside);
    (void)close(p->fd); /* lets the lock go */
    p->fd = -1;
}
