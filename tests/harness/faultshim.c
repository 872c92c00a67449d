/* A disk that fails, for the built program: loaded before libc (LD_PRELOAD), it counts the calls that touch
 * files below a folder, lets one of them fail, or ends the space.
 *
 *   FAULTSHIM_BELOW   the folder; calls on other files go through
 *   FAULTSHIM_STATE   a file of struct state, mapped and shared: the test reads it and writes it while the
 * program runs. Without it nothing is done
 *
 * tests/integration/program_disk.mjs knows the layout of the state. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum op {
    OP_OPEN,
    OP_READ,
    OP_WRITE,
    OP_SYNC,
    OP_RENAME,
    OP_UNLINK,
    OP_TRUNCATE,
    OP_ALLOCATE,
    OP_FOLDER,
    OP_COUNT
};
enum kind { KIND_EIO = 1, KIND_FULL, KIND_SHORT, KIND_KILL };

struct state {
    _Atomic uint64_t calls;   /* that counted, since the test set it to 0 */
    _Atomic uint64_t hits;    /* that failed */
    _Atomic uint64_t nth;     /* which one fails; 0: none */
    _Atomic uint64_t kind;    /* how */
    _Atomic uint64_t stays;   /* 1: and every one after it */
    _Atomic uint64_t mask;    /* of ops that count, a bit each */
    _Atomic uint64_t op;      /* of the first that failed */
    _Atomic uint64_t budget;  /* 1 + the bytes that files may still grow by; 0: no limit */
    _Atomic uint64_t refused; /* calls that found no space */
    _Atomic uint64_t kept;    /* bytes allotted beyond the end of one file */
    _Atomic uint64_t keeper;  /* the inode of that file */
};

static struct state *shared;
static const char *below;
static size_t below_len;

/* The next function of this name: libc's. */
#define NEXT(name)                                                                                           \
    static __typeof__(&(name)) next;                                                                         \
    if (!next) {                                                                                             \
        void *found = dlsym(RTLD_NEXT, #name);                                                               \
        memcpy(&next, &found, sizeof next);                                                                  \
    }

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("FAULTSHIM_STATE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *map;

    if (fd < 0)
        return;
    map = mmap(NULL, sizeof(struct state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    below = getenv("FAULTSHIM_BELOW");
    if (map == MAP_FAILED || !below)
        return;
    below_len = strlen(below);
    shared = map;
}

static bool path_counts(const char *path)
{
    return strncmp(path, below, below_len) == 0 && (path[below_len] == '/' || path[below_len] == '\0');
}

static bool fd_path(int fd, char out[static PATH_MAX])
{
    char link[64];
    ssize_t len;

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    len = readlink(link, out, PATH_MAX - 1);
    if (len < 0)
        return false;
    out[len] = '\0';
    return true;
}

static bool fd_counts(int fd)
{
    char path[PATH_MAX];
    int kept = errno;
    bool counts = shared && fd_path(fd, path) && path_counts(path);

    errno = kept;
    return counts;
}

static bool name_counts(int dir, const char *name)
{
    char path[PATH_MAX];
    int kept = errno;
    bool counts = false;

    if (!shared || !name)
        return false;
    if (name[0] == '/') {
        counts = path_counts(name);
    } else if (dir == AT_FDCWD ? getcwd(path, sizeof path) != NULL : fd_path(dir, path)) {
        size_t len = strlen(path);

        (void)snprintf(path + len, sizeof path - len, "/%s", name);
        counts = path_counts(path);
    }
    errno = kept;
    return counts;
}

/* Count a call; the kind of failure that it shall have, or 0. */
static enum kind count(enum op op)
{
    uint64_t nth = atomic_load(&shared->nth), now;

    if (!(atomic_load(&shared->mask) >> op & 1))
        return 0;
    now = atomic_fetch_add(&shared->calls, 1) + 1;
    if (!nth || now < nth || (now > nth && !atomic_load(&shared->stays)))
        return 0;
    if (atomic_fetch_add(&shared->hits, 1) == 0)
        atomic_store(&shared->op, op);
    if (atomic_load(&shared->kind) == KIND_KILL)
        (void)kill(getpid(), SIGKILL);
    return (enum kind)atomic_load(&shared->kind);
}

static int fail_with(enum kind kind)
{
    errno = kind == KIND_FULL ? ENOSPC : EIO;
    return -1;
}

/* Space */

static uint64_t size_of(int fd, uint64_t *inode)
{
    struct stat st;

    if (fstat(fd, &st))
        return 0;
    if (inode)
        *inode = st.st_ino;
    return (uint64_t)st.st_size;
}

static void give_back(uint64_t bytes)
{
    if (atomic_load(&shared->budget))
        (void)atomic_fetch_add(&shared->budget, bytes);
}

/* How many of len bytes at offset there is space for: what a file holds already costs nothing. Sizes count,
 * not blocks, of which file systems allot more than is asked for. */
static size_t room_for(int fd, uint64_t offset, size_t len)
{
    uint64_t held, left = atomic_load(&shared->budget), more;

    if (!left)
        return len;
    held = size_of(fd, NULL);
    more = offset + len > held ? offset + len - held : 0;
    if (more > len)
        more = len;
    do {
        left = atomic_load(&shared->budget);
        if (more >= left) { /* left - 1 bytes are there */
            atomic_fetch_add(&shared->refused, 1);
            len -= (size_t)(more - (left - 1));
            more = left - 1;
        }
    } while (!atomic_compare_exchange_weak(&shared->budget, &left, left - more));
    return len;
}

static uint64_t place_of(int fd)
{
    struct stat st;
    int flags = fcntl(fd, F_GETFL);
    off_t at = lseek(fd, 0, SEEK_CUR);

    if (flags >= 0 && flags & O_APPEND && fstat(fd, &st) == 0)
        return (uint64_t)st.st_size;
    return at < 0 ? 0 : (uint64_t)at;
}

/* What a transfer of len bytes may do: the failure in *kind, or the bytes that it is cut to. */
static size_t cut_transfer(int fd, enum op op, uint64_t offset, size_t len, enum kind *kind)
{
    size_t room;

    *kind = count(op);
    if (*kind == KIND_SHORT) {
        if (len < 2)
            *kind = KIND_EIO;
        else
            len /= 2, *kind = 0;
    }
    if (*kind || op != OP_WRITE || len == 0)
        return len;
    room = room_for(fd, offset, len);
    if (room == 0)
        *kind = KIND_FULL;
    return room;
}

/* Reading and writing: `at` is the place when the call names one. */
#define TRANSFER(name, op, signature, at, ...)                                                               \
    ssize_t name signature                                                                                   \
    {                                                                                                        \
        enum kind kind;                                                                                      \
        NEXT(name)                                                                                           \
        if (shared && fd_counts(fd)) {                                                                       \
            len = cut_transfer(fd, op, at, len, &kind);                                                      \
            if (kind)                                                                                        \
                return fail_with(kind);                                                                      \
        }                                                                                                    \
        return next(__VA_ARGS__);                                                                            \
    }

ssize_t __read_chk(int fd, void *to, size_t len, size_t size);
ssize_t __pread_chk(int fd, void *to, size_t len, off_t offset, size_t size);
ssize_t __pread64_chk(int fd, void *to, size_t len, off64_t offset, size_t size);
TRANSFER(read, OP_READ, (int fd, void *to, size_t len), 0, fd, to, len)
TRANSFER(__read_chk, OP_READ, (int fd, void *to, size_t len, size_t size), 0, fd, to, len, size)
TRANSFER(pread, OP_READ, (int fd, void *to, size_t len, off_t offset), 0, fd, to, len, offset)
TRANSFER(pread64, OP_READ, (int fd, void *to, size_t len, off64_t offset), 0, fd, to, len, offset)
TRANSFER(__pread_chk, OP_READ, (int fd, void *to, size_t len, off_t offset, size_t size), 0, fd, to, len,
         offset, size)
TRANSFER(__pread64_chk, OP_READ, (int fd, void *to, size_t len, off64_t offset, size_t size), 0, fd, to, len,
         offset, size)
TRANSFER(write, OP_WRITE, (int fd, const void *from, size_t len), place_of(fd), fd, from, len)
TRANSFER(pwrite, OP_WRITE, (int fd, const void *from, size_t len, off_t offset), (uint64_t)offset, fd, from,
         len, offset)
TRANSFER(pwrite64, OP_WRITE, (int fd, const void *from, size_t len, off64_t offset), (uint64_t)offset, fd,
         from, len, offset)

/* Of several pieces, a cut call carries out the first alone. */
static ssize_t write_pieces(int fd, const struct iovec *pieces, int pieces_count, uint64_t offset,
                            bool *through)
{
    size_t len = 0, allowed;
    enum kind kind;

    for (int i = 0; i < pieces_count; i++)
        len += pieces[i].iov_len;
    allowed = cut_transfer(fd, OP_WRITE, offset, len, &kind);
    *through = !kind && allowed == len;
    if (kind)
        return fail_with(kind);
    return allowed > pieces[0].iov_len ? (ssize_t)pieces[0].iov_len : (ssize_t)allowed;
}

#define GATHER(name, signature, at, cut_call, ...)                                                           \
    ssize_t name signature                                                                                   \
    {                                                                                                        \
        bool through = true;                                                                                 \
        ssize_t cut;                                                                                         \
        NEXT(name)                                                                                           \
        if (!shared || count_of < 1 || !fd_counts(fd))                                                       \
            return next(__VA_ARGS__);                                                                        \
        cut = write_pieces(fd, pieces, count_of, at, &through);                                              \
        return through ? next(__VA_ARGS__) : cut < 0 ? -1 : (cut_call);                                      \
    }

static ssize_t raw_pwrite(int fd, const void *from, size_t len, off_t offset)
{
    NEXT(pwrite)
    return next(fd, from, len, offset);
}

static ssize_t raw_write(int fd, const void *from, size_t len)
{
    NEXT(write)
    return next(fd, from, len);
}

GATHER(writev, (int fd, const struct iovec *pieces, int count_of), place_of(fd),
       raw_write(fd, pieces[0].iov_base, (size_t)cut), fd, pieces, count_of)
GATHER(pwritev, (int fd, const struct iovec *pieces, int count_of, off_t offset), (uint64_t)offset,
       raw_pwrite(fd, pieces[0].iov_base, (size_t)cut, offset), fd, pieces, count_of, offset)
GATHER(pwritev64, (int fd, const struct iovec *pieces, int count_of, off64_t offset), (uint64_t)offset,
       raw_pwrite(fd, pieces[0].iov_base, (size_t)cut, offset), fd, pieces, count_of, offset)

/* All others fail or go through. */
#define CALL(name, signature, counts, op, ...)                                                               \
    int name signature                                                                                       \
    {                                                                                                        \
        enum kind kind;                                                                                      \
        NEXT(name)                                                                                           \
        if (shared && (counts) && (kind = count(op)))                                                        \
            return fail_with(kind);                                                                          \
        return next(__VA_ARGS__);                                                                            \
    }

CALL(fsync, (int fd), fd_counts(fd), OP_SYNC, fd)
CALL(fdatasync, (int fd), fd_counts(fd), OP_SYNC, fd)
CALL(sync_file_range, (int fd, off64_t from, off64_t len, unsigned flags), fd_counts(fd), OP_SYNC, fd, from,
     len, flags)
CALL(rename, (const char *from, const char *to), name_counts(AT_FDCWD, to), OP_RENAME, from, to)
CALL(renameat, (int from_dir, const char *from, int to_dir, const char *to), name_counts(to_dir, to),
     OP_RENAME, from_dir, from, to_dir, to)
CALL(renameat2, (int from_dir, const char *from, int to_dir, const char *to, unsigned flags),
     name_counts(to_dir, to), OP_RENAME, from_dir, from, to_dir, to, flags)
CALL(link, (const char *from, const char *to), name_counts(AT_FDCWD, to), OP_RENAME, from, to)
CALL(linkat, (int from_dir, const char *from, int to_dir, const char *to, int flags), name_counts(to_dir, to),
     OP_RENAME, from_dir, from, to_dir, to, flags)
CALL(mkdir, (const char *path, mode_t mode), name_counts(AT_FDCWD, path), OP_FOLDER, path, mode)
CALL(mkdirat, (int dir, const char *path, mode_t mode), name_counts(dir, path), OP_FOLDER, dir, path, mode)
CALL(rmdir, (const char *path), name_counts(AT_FDCWD, path), OP_FOLDER, path)

/* Removing gives its space back, unless the file has another name. */
static int count_removal(int dir, const char *path)
{
    struct stat st;
    enum kind kind = count(OP_UNLINK);

    if (kind)
        return fail_with(kind);
    if (fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1)
        give_back((uint64_t)st.st_size);
    return 0;
}

int unlink(const char *path)
{
    NEXT(unlink)
    return shared && name_counts(AT_FDCWD, path) && count_removal(AT_FDCWD, path) ? -1 : next(path);
}

int unlinkat(int dir, const char *path, int flags)
{
    NEXT(unlinkat)
    return shared && name_counts(dir, path) && count_removal(dir, path) ? -1 : next(dir, path, flags);
}

int remove(const char *path)
{
    NEXT(remove)
    return shared && name_counts(AT_FDCWD, path) && count_removal(AT_FDCWD, path) ? -1 : next(path);
}

static int count_truncation(int fd, off_t len)
{
    enum kind kind = count(OP_TRUNCATE);
    uint64_t inode = 0, size = size_of(fd, &inode);

    if (kind)
        return fail_with(kind);
    if (len >= 0 && (uint64_t)len < size)
        give_back(size - (uint64_t)len); /* a longer file has a hole, which costs nothing yet */
    if (inode == atomic_load(&shared->keeper))
        give_back(atomic_exchange(&shared->kept, 0));
    return 0;
}

int ftruncate(int fd, off_t len)
{
    NEXT(ftruncate)
    return shared && fd_counts(fd) && count_truncation(fd, len) ? -1 : next(fd, len);
}

int ftruncate64(int fd, off64_t len)
{
    NEXT(ftruncate64)
    return shared && fd_counts(fd) && count_truncation(fd, len) ? -1 : next(fd, len);
}

/* All or nothing. What lies beyond the end of a file is remembered for the last file that did so. */
static int count_allocation(int fd, int mode, off_t offset, off_t len)
{
    enum kind kind = count(OP_ALLOCATE);
    uint64_t inode = 0, size = size_of(fd, &inode), before = 0;
    size_t room, wanted = (size_t)len;

    if (kind)
        return fail_with(kind);
    if (mode & FALLOC_FL_KEEP_SIZE) {
        before = inode == atomic_load(&shared->keeper) ? atomic_load(&shared->kept) : 0;
        wanted -= before < wanted ? (size_t)before : wanted;
    }
    room = room_for(fd, size > (uint64_t)offset ? size : (uint64_t)offset, wanted);
    if (room < wanted) {
        give_back(room);
        return fail_with(KIND_FULL);
    }
    if (mode & FALLOC_FL_KEEP_SIZE) {
        atomic_store(&shared->keeper, inode);
        atomic_store(&shared->kept, before + wanted);
    }
    return 0;
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
    NEXT(fallocate)
    return shared && fd_counts(fd) && count_allocation(fd, mode, offset, len) ? -1
                                                                              : next(fd, mode, offset, len);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t len)
{
    NEXT(fallocate64)
    return shared && fd_counts(fd) && count_allocation(fd, mode, offset, len) ? -1
                                                                              : next(fd, mode, offset, len);
}

int posix_fallocate(int fd, off_t offset, off_t len)
{
    NEXT(posix_fallocate)
    return shared && fd_counts(fd) && count_allocation(fd, 0, offset, len) ? errno : next(fd, offset, len);
}

int posix_fallocate64(int fd, off64_t offset, off64_t len)
{
    NEXT(posix_fallocate64)
    return shared && fd_counts(fd) && count_allocation(fd, 0, offset, len) ? errno : next(fd, offset, len);
}

/* Opening; making a file costs nothing. */
#define OPENING(name, signature, last, counts, ...)                                                          \
    int name signature                                                                                       \
    {                                                                                                        \
        mode_t mode = 0;                                                                                     \
        enum kind kind;                                                                                      \
        NEXT(name)                                                                                           \
        if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {                                                \
            va_list more;                                                                                    \
                                                                                                             \
            va_start(more, last);                                                                            \
            mode = va_arg(more, mode_t);                                                                     \
            va_end(more);                                                                                    \
        }                                                                                                    \
        if (shared && (counts) && (kind = count(OP_OPEN)))                                                   \
            return fail_with(kind);                                                                          \
        return next(__VA_ARGS__, mode);                                                                      \
    }

OPENING(open, (const char *path, int flags, ...), flags, name_counts(AT_FDCWD, path), path, flags)
OPENING(open64, (const char *path, int flags, ...), flags, name_counts(AT_FDCWD, path), path, flags)
OPENING(openat, (int dir, const char *path, int flags, ...), flags, name_counts(dir, path), dir, path, flags)
OPENING(openat64, (int dir, const char *path, int flags, ...), flags, name_counts(dir, path), dir, path,
        flags)

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);
CALL(__open_2, (const char *path, int flags), name_counts(AT_FDCWD, path), OP_OPEN, path, flags)
CALL(__open64_2, (const char *path, int flags), name_counts(AT_FDCWD, path), OP_OPEN, path, flags)
CALL(__openat_2, (int dir, const char *path, int flags), name_counts(dir, path), OP_OPEN, dir, path, flags)
CALL(__openat64_2, (int dir, const char *path, int flags), name_counts(dir, path), OP_OPEN, dir, path, flags)
CALL(mkstemp, (char *path), name_counts(AT_FDCWD, path), OP_OPEN, path)
CALL(mkstemp64, (char *path), name_counts(AT_FDCWD, path), OP_OPEN, path)
CALL(mkostemp, (char *path, int flags), name_counts(AT_FDCWD, path), OP_OPEN, path, flags)
CALL(mkostemp64, (char *path, int flags), name_counts(AT_FDCWD, path), OP_OPEN, path, flags)

/* What is free, as far as files may still grow. */
int fstatvfs(int fd, struct statvfs *disk)
{
    uint64_t budget = shared ? atomic_load(&shared->budget) : 0;
    int outcome;

    NEXT(fstatvfs)
    outcome = next(fd, disk);
    if (outcome == 0 && budget && fd_counts(fd) && disk->f_bavail > (budget - 1) / disk->f_frsize)
        disk->f_bavail = disk->f_bfree = (budget - 1) / disk->f_frsize;
    return outcome;
}
