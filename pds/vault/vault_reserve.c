#include "pds/vault/vault_reserve.h"

#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/base/log.h"
#include "pds/vault/vault_internal.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Kept only where others keep as much. */
static bool has_room(int fd)
{
    struct statvfs disk;

    return fstatvfs(fd, &disk) == 0 &&
           (uint64_t)disk.f_bavail * disk.f_frsize >= 2 * (uint64_t)LIMIT_RESERVE_BYTES;
}

static bool is_kept(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && (int64_t)st.st_blocks * 512 >= (int64_t)LIMIT_RESERVE_BYTES;
}

void reserve_keep(int fd)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    enum err e;

    if (fd < 0 || is_kept(fd))
        return;
    if (!has_room(fd))
        e = err_set(ERR_FULL, "the disk is nearly full");
    else if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, LIMIT_RESERVE_BYTES) == 0)
        return;
    else
        e = fs_error("keeping", "disk beyond lock");
    if (!atomic_flag_test_and_set(&told))
        log_failure("reserve", e);
}

void reserve_spend(int fd)
{
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0)
        (void)!ftruncate(fd,
                         st.st_size); /* gives back what lies beyond; where it fails, the disk stays full */
}

static int open_lock(const char *dir)
{
    char path[FS_PATH_BYTES];

    return fs_join(path, dir, "lock") ? -1 : open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
}

void vault_reserve_keep(const char *dir)
{
    int fd = open_lock(dir);

    reserve_keep(fd);
    if (fd >= 0)
        (void)close(fd); /* nothing was written */
}

void vault_reserve_spend(const char *dir)
{
    int fd = open_lock(dir);

    reserve_spend(fd);
    if (fd >= 0)
        (void)close(fd); /* nothing was written */
}
