/* Where a restored store goes: built beside, then renamed. */
#include "pds/portable/restore_internal.h"

#include "pds/base/str.h"
#include "pds/store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char BESIDE[] = ".new-";
enum { RANDOM_CHARS = 6 };

/* The path of what is there, which may have been given as "." or by a link; of what is not, without slashes
 * at its end. */
static enum err find_path(const char *dir, char out[static FS_PATH_BYTES])
{
    char real[PATH_MAX];
    struct str path = str_of(dir);
    enum err e;

    if (path.len == 0)
        return err_set(ERR_INVALID, "the path of the store is empty");
    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    if ((e = str_copy(path, out, FS_PATH_BYTES)) || !realpath(out, real))
        return e;
    return str_copy(str_of(real), out, FS_PATH_BYTES);
}

/* A folder gives way to the store by its parent's disk; one where another is mounted does not. */
static bool is_mounted(const char *path)
{
    char parent[FS_PATH_BYTES];
    struct stat here, above;

    memcpy(parent, path, sizeof parent);
    return stat(path, &here) == 0 && stat(dirname(parent), &above) == 0 && here.st_dev != above.st_dev;
}

static enum err check_path(const char *path)
{
    size_t count = 0;
    DIR *folder;

    if (!fs_exists(path))
        return ERR_OK;
    if (!(folder = opendir(path)))
        return errno == ENOTDIR ? err_set(ERR_CONFLICT, "%s is no folder", path) : fs_error("opening", path);
    while (count <= 2 && readdir(folder))
        count++;
    (void)closedir(folder); /* it was only read */
    if (count > 2)
        return err_set(ERR_CONFLICT, "%s is there, and not empty: a backup is restored beside, never over",
                       path);
    return is_mounted(path)
               ? err_set(ERR_CONFLICT, "a disk is mounted at %s: restore into a new folder in it", path)
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

    if ((e = find_path(dir, p.dir)) || (e = check_path(p.dir)))
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
    memcpy(parent, p->dir, sizeof parent);
    if ((e = fs_sync_dir(dirname(parent))))
        store_remove(p->dir); /* its recovery code is told to nobody */
    (void)close(p->fd);       /* synced */
    p->fd = -1;
    return e;
}

void restore_place_drop(struct restore_place *p)
{
    if (p->fd < 0)
        return;
    store_remove(p->beside);
    (void)close(p->fd); /* lets the lock go */
    p->fd = -1;
}
