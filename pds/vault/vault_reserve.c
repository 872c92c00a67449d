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

enum { LEAST_BYTES = 256 * 1024 };

static int64_t kept_bytes(int fd)
{
    struct stat st;

    return fstat(fd, &st) ? 0 : (int64_t)st.st_blocks * 512;
}

static int64_t free_bytes(int fd)
{
    struct statvfs disk;

    return fstatvfs(fd, &disk) ? 0 : (int64_t)((uint64_t)disk.f_bavail * disk.f_frsize);
}

/* All of it, or on a disk that is nearly full the largest part that there is room for. */
void reserve_keep(int fd)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    int64_t kept = fd < 0 ? INT64_MAX : kept_bytes(fd);

    for (int64_t size = LIMIT_RESERVE_BYTES; size >= (int64_t)LEAST_BYTES && kept < size; size /= 2) {
        if (free_bytes(fd) >= size - kept && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size) == 0)
            return;
    }
    if (kept < (int64_t)LEAST_BYTES && !atomic_flag_test_and_set(&told))
        log_event(LOG_WARNING, "no-disk-kept", NULL); /* no room, or a file system that cannot */
}

void reserve_spend(int fd)
{
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0)
        (void)!ftruncate(fd,
                         st.st_size); /* gives back what lies beyond; where it fails, the disk stays full */
}

bool reserve_makes_room(int fd, int64_t bytes)
{
    return bytes <= 0 || bytes <= free_bytes(fd) + kept_bytes(fd);
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
