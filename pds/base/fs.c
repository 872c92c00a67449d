#include "pds/base/fs.h"

#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/base/str.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP_BYTES ((size_t)(64 * KIB))

void fs_closep(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); /* what matters was synced or only read */
}

enum err fs_errno(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return ERR_NOT_FOUND;
    case EEXIST:
    case ENOTEMPTY:
        return ERR_CONFLICT;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERR_FORBIDDEN;
    case ENOSPC:
    case EDQUOT:
        return ERR_FULL;
    case ENOMEM:
        return ERR_NO_MEMORY;
    case ENAMETOOLONG:
    case EFBIG:
        return ERR_TOO_LARGE;
    case EAGAIN:
    case EBUSY:
        return ERR_BUSY;
    case ETIMEDOUT:
        return ERR_TIMEOUT;
    default:
        return ERR_IO;
    }
}

enum err fs_join(char out[static FS_PATH_BYTES], const char *dir, const char *name)
{
    size_t dir_len = strlen(dir), name_len = strlen(name);

    if (dir_len >= FS_PATH_BYTES || name_len >= FS_PATH_BYTES - dir_len - 1)
        return err_set(ERR_TOO_LARGE, "a path of %zu bytes", dir_len + 1 + name_len);
    memmove(out, dir, dir_len + 1); /* dir may be out itself */
    out[dir_len] = '/';
    memcpy(out + dir_len + 1, name, name_len + 1);
    return ERR_OK;
}

enum err fs_make_private_dir(const char *path)
{
    if (mkdir(path, S_IRWXU))
        return fs_error("making folder", path);
    return ERR_OK;
}

enum err fs_check_private_dir(const char *path)
{
    struct stat st;

    if (stat(path, &st))
        return fs_error("checking folder", path);
    if (!S_ISDIR(st.st_mode))
        return err_set(ERR_FORBIDDEN, "%s is not a folder", path);
    if (st.st_uid != geteuid())
        return err_set(ERR_FORBIDDEN, "%s belongs to another user", path);
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        return err_set(ERR_FORBIDDEN, "%s is open to other users, mode %03o", path,
                       (unsigned)(st.st_mode & 0777));
    return ERR_OK;
}

bool fs_exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* Opened without waiting: a pipe or a device is refused, not read. */
static enum err open_regular(const char *path, int *out, off_t *size)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return fs_error("opening", path);
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        (void)close(fd); /* nothing was written */
        return err_set(ERR_UNSUPPORTED, "%s is not a regular file", path);
    }
    *out = fd;
    *size = st.st_size;
    return ERR_OK;
}

static enum err read_some(int fd, const char *path, char *to, size_t len, size_t *got)
{
    ssize_t n;

    do
        n = read(fd, to, len);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return fs_error("reading", path);
    *got = (size_t)n;
    return ERR_OK;
}

/* From fd to its end, which is looked for behind the ceiling too: a file may grow while it is read. */
static enum err read_rest(int fd, const char *path, size_t max, struct buf *out)
{
    size_t total = 0, got = 0;
    enum err e;

    do {
        size_t room = out->max - out->len;
        size_t left = max - total < room ? max - total : room;
        size_t step = left < READ_STEP_BYTES ? left : READ_STEP_BYTES;
        char beyond = 0, *to = step ? buf_reserve(out, step) : &beyond;
        if (!to)
            return buf_err(out);
        if ((e = read_some(fd, path, to, step ? step : 1, &got)))
            return e;
        if (got && !step)
            return err_set(ERR_TOO_LARGE, "%s has more than %zu bytes", path, total);
        if (got)
            buf_grew(out, got);
        total += got;
    } while (got);
    return ERR_OK;
}

enum err fs_read(const char *path, size_t max_bytes, struct buf *out)
{
    AUTO(fs_closep) int fd = -1;
    size_t before = out->len;
    off_t size = 0;
    enum err e;

    if (out->err)
        return buf_err(out);
    if ((e = open_regular(path, &fd, &size)))
        return e;
    if ((uintmax_t)size > max_bytes || (uintmax_t)size > out->max - out->len)
        return err_set(ERR_TOO_LARGE, "%s has %jd bytes", path, (intmax_t)size);
    if ((e = read_rest(fd, path, max_bytes, out)) && out->data) {
        out->len = before;
        out->data[before] = '\0';
    }
    return e;
}

enum err fs_write_all(int fd, const void *bytes, size_t len)
{
    const char *from = bytes;

    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, from + done, len - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            return err_set(fs_errno(errno), "writing at byte %zu: %s", done, strerror(errno));
    }
    return ERR_OK;
}

enum err fs_sync_dir(const char *path)
{
    AUTO(fs_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY);

    if (fd < 0 || fsync(fd))
        return fs_error("syncing folder", path);
    return ERR_OK;
}

/* The folder that holds path; ERR_TOO_LARGE when its name does not fit. */
static enum err parent_of(const char *path, char out[static FS_PATH_BYTES])
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;

    if (!slash)
        return str_copy(STR("."), out, FS_PATH_BYTES);
    return str_copy((struct str){path, len ? len : 1}, out, FS_PATH_BYTES);
}

static enum err sync_parent(const char *path)
{
    char dir[FS_PATH_BYTES];
    enum err e = parent_of(path, dir);

    return e ? e : fs_sync_dir(dir);
}

bool fs_is_within(const char *path, const char *dir)
{
    char parent[FS_PATH_BYTES], inner[PATH_MAX], outer[PATH_MAX];
    size_t len;

    if (parent_of(path, parent) || !realpath(parent, inner) || !realpath(dir, outer))
        return false;
    len = strlen(outer);
    return strncmp(inner, outer, len) == 0 && (inner[len] == '\0' || inner[len] == '/');
}

/* The whole content into a new file, on disk, and closed; on failure nothing is left of it. */
static enum err fill(int fd, const char *path, const void *bytes, size_t len)
{
    enum err e;

    if (fd < 0)
        return fs_error("making", path);
    e = fs_write_all(fd, bytes, len);
    if (!e && fsync(fd))
        e = fs_error("syncing", path);
    if (close(fd) && !e)
        e = fs_error("closing", path);
    if (e)
        (void)unlink(path); /* the first failure is the one to tell */
    return e;
}

enum err fs_make(const char *path, const void *bytes, size_t len)
{
    enum err e =
        fill(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR), path, bytes, len);

    return e ? e : sync_parent(path);
}

enum err fs_draft_new(const char *path, struct fs_draft *out)
{
    struct fs_draft d = {.fd = -1};
    struct stat facts;
    enum err e;

    if ((e = str_copy(str_of(path), d.path, sizeof d.path)))
        return err_wrap(e, "a path");
    if ((size_t)snprintf(d.beside, sizeof d.beside, "%s.new-XXXXXX", path) >= sizeof d.beside)
        return err_set(ERR_TOO_LARGE, "a path of %zu bytes", strlen(path));
    if (!lstat(path, &facts) && !S_ISREG(facts.st_mode))
        return err_set(ERR_CONFLICT, "%s is there, and no plain file: nothing takes its place", path);
    if ((d.fd = mkostemp(d.beside, O_CLOEXEC)) < 0) /* mode 0600 */
        return fs_error("making", path);
    *out = d;
    return ERR_OK;
}

enum err fs_draft_keep(struct fs_draft *d)
{
    enum err e = ERR_OK;

    if (fsync(d->fd))
        e = fs_error("syncing", d->path);
    else if (rename(d->beside, d->path))
        e = fs_error("replacing", d->path);
    if (e) {
        fs_draft_drop(d);
        return e;
    }
    (void)close(d->fd); /* synced */
    d->fd = -1;
    return sync_parent(d->path);
}

void fs_draft_drop(struct fs_draft *d)
{
    if (d->fd < 0)
        return;
    (void)close(d->fd);
    (void)unlink(d->beside); /* what it was for has failed, which is told */
    d->fd = -1;
}

enum err fs_replace(const char *path, const void *bytes, size_t len)
{
    char beside[FS_PATH_BYTES];
    enum err e;

    if ((size_t)snprintf(beside, sizeof beside, "%s.new-XXXXXX", path) >= sizeof beside)
        return err_set(ERR_TOO_LARGE, "a path of %zu bytes", strlen(path));
    if ((e = fill(mkostemp(beside, O_CLOEXEC), beside, bytes, len))) /* mode 0600 */
        return err_wrap(e, "replacing %s", path);
    if (rename(beside, path)) {
        e = fs_error("replacing", path);
        (void)unlink(beside); /* the first failure is the one to tell */
        return e;
    }
    return sync_parent(path);
}
