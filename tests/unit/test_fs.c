#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/base/mem.h"
#include "tests/harness/fault.h"
#include "tests/harness/tempdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In place of the system's: calls that refuse, before it is asked itself. */
static struct {
    int write, fsync, rename, close; /* an errno, or 0 */
    int fsync_after;                 /* syncs that work before */
    int interrupted;                 /* writes, so many times */
    size_t most;                     /* bytes a write; 0: all */
} refusal;

static int answer(int number, long result)
{
    if (number == 0)
        return (int)result;
    errno = number;
    return -1;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    if (fd > STDERR_FILENO && refusal.interrupted > 0) {
        refusal.interrupted--;
        return answer(EINTR, 0);
    }
    if (fd > STDERR_FILENO && refusal.write)
        return answer(refusal.write, 0);
    return syscall(SYS_write, fd, bytes, refusal.most && len > refusal.most ? refusal.most : len);
}

int fsync(int fd)
{
    if (refusal.fsync && refusal.fsync_after-- <= 0)
        return answer(refusal.fsync, 0);
    return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
    return refusal.rename ? answer(refusal.rename, 0) : (int)syscall(SYS_rename, from, to);
}

int close(int fd)
{
    long result = syscall(SYS_close, fd);

    return answer(refusal.close, result);
}

static int count_entries(const char *path)
{
    DIR *dir = opendir(path);
    int count = 0;

    assert_non_null(dir);
    while (readdir(dir))
        count++;
    (void)closedir(dir);
    return count - 2; /* . and .. */
}

static unsigned mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void assert_holds(const char *path, const char *text)
{
    AUTO(buf_done) struct buf b;

    buf_init(&b, 100000);
    assert_ok(fs_read(path, 100000, &b));
    assert_string_equal(b.data, text);
}

static void paths_are_joined_up_to_their_limit(void **state)
{
    char dir[FS_PATH_BYTES + 1], out[FS_PATH_BYTES] = "untouched";

    (void)state;
    assert_ok(fs_join(out, "/a/b", "c"));
    assert_string_equal(out, "/a/b/c");
    assert_ok(fs_join(out, out, "d"));
    assert_string_equal(out, "/a/b/c/d");
    memset(dir, 'x', sizeof dir);
    dir[FS_PATH_BYTES - 3] = '\0';
    assert_err(fs_join(out, dir, "yz"), ERR_TOO_LARGE);
    assert_string_equal(out, "/a/b/c/d");
    assert_ok(fs_join(out, dir, "y"));
    assert_int_equal(strlen(out), FS_PATH_BYTES - 1);
    dir[FS_PATH_BYTES - 3] = 'x';
    dir[FS_PATH_BYTES - 1] = '\0';
    assert_err(fs_join(out, dir, ""), ERR_TOO_LARGE);
    dir[FS_PATH_BYTES - 1] = 'x';
    dir[FS_PATH_BYTES] = '\0';
    assert_err(fs_join(out, dir, ""), ERR_TOO_LARGE);
}

static void a_new_folder_is_private(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    const char *path = tempdir_path(d, "store");
    mode_t before = umask(0);

    (void)state;
    assert_ok(fs_make_private_dir(path));
    (void)umask(before);
    assert_int_equal(mode_of(path), 0700);
    assert_ok(fs_check_private_dir(path));
    assert_err(fs_make_private_dir(path), ERR_CONFLICT);
    assert_err(fs_make_private_dir(tempdir_path(d, "none/store")), ERR_NOT_FOUND);
}

static void a_folder_open_to_others_is_refused(void **state)
{
    static const mode_t OPEN[] = {0701, 0702, 0704, 0710, 0720, 0740, 0777, 0755};
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    const char *path = tempdir_path(d, "store");

    (void)state;
    assert_ok(fs_make_private_dir(path));
    for (size_t i = 0; i < COUNT_OF(OPEN); i++) {
        assert_int_equal(chmod(path, OPEN[i]), 0);
        assert_err(fs_check_private_dir(path), ERR_FORBIDDEN);
    }
    assert_int_equal(chmod(path, 0500), 0);
    assert_ok(fs_check_private_dir(path));
}

static void what_is_no_folder_of_ours_is_refused(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    const char *file = tempdir_path(d, "file");

    (void)state;
    assert_err(fs_check_private_dir(tempdir_path(d, "none")), ERR_NOT_FOUND);
    assert_ok(fs_replace(file, "x", 1));
    assert_err(fs_check_private_dir(file), ERR_FORBIDDEN);
    assert_err(fs_check_private_dir(tempdir_path(d, "file/none")), ERR_NOT_FOUND);
    if (geteuid() == 0) { /* else there is no giving it away */
        const char *given = tempdir_path(d, "given");
        assert_ok(fs_make_private_dir(given));
        assert_int_equal(chown(given, 12345, 12345), 0);
        assert_err(fs_check_private_dir(given), ERR_FORBIDDEN);
    } else {
        assert_err(fs_check_private_dir("/"), ERR_FORBIDDEN);
    }
}

static void what_is_there_exists(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    const char *path = tempdir_path(d, "link");

    (void)state;
    assert_true(fs_exists(tempdir_root(d)));
    assert_false(fs_exists(path));
    assert_int_equal(symlink("nowhere", path), 0);
    assert_true(fs_exists(path)); /* the link itself is there */
}

static void a_file_is_read_up_to_its_ceiling(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    const char *path = tempdir_path(d, "file");
    AUTO(buf_done) struct buf b;

    (void)state;
    buf_init(&b, 9);
    assert_ok(fs_replace(path, "12345", 5));
    assert_err(fs_read(path, 4, &b), ERR_TOO_LARGE);
    assert_ok(fs_read(path, 5, &b));
    assert_string_equal(b.data, "12345");
    assert_err(fs_read(path, 5, &b), ERR_TOO_LARGE); /* four bytes are left in b */
    assert_string_equal(b.data, "12345");
    b.max = 10;
    assert_ok(fs_read(path, SIZE_MAX, &b));
    assert_string_equal(b.data, "1234512345");
    assert_ok(fs_replace(path, "", 0));
    assert_ok(fs_read(path, 0, &b));
    assert_int_equal(b.len, 10);
}

static void a_file_is_made_only_where_nothing_is(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    const char *path = tempdir_path(d, "file");
    struct stat st;

    (void)state;
    assert_ok(fs_make(path, "12345", 5));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, 5);
    assert_err(fs_make(path, "x", 1), ERR_CONFLICT);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 5);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("nowhere", path), 0);
    assert_err(fs_make(path, "x", 1), ERR_CONFLICT); /* nor through a link */
    assert_err(fs_make(tempdir_path(d, "no/where"), "x", 1), ERR_NOT_FOUND);
}

static void a_large_file_is_read_in_steps(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    const char *path = tempdir_path(d, "file");
    static char bytes[300001];
    AUTO(buf_done) struct buf b;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i % 251);
    assert_ok(fs_replace(path, bytes, sizeof bytes));
    buf_init(&b, 400000);
    assert_ok(fs_read(path, sizeof bytes, &b));
    assert_int_equal(b.len, sizeof bytes);
    assert_memory_equal(b.data, bytes, sizeof bytes);
}

/* Files of the kernel say size 0 and hold more: as a file that grows while it is read. */
static void a_file_that_grows_stays_under_the_ceiling(void **state)
{
    AUTO(buf_done) struct buf b, small;

    (void)state;
    buf_init(&b, 1000000);
    buf_text(&b, "before");
    assert_err(fs_read("/proc/self/maps", 10, &b), ERR_TOO_LARGE);
    assert_string_equal(b.data, "before");
    assert_ok(fs_read("/proc/self/maps", 1000000, &b));
    assert_true(b.len > 16);
    buf_init(&small, 10);
    assert_err(fs_read("/proc/self/maps", 1000000, &small), ERR_TOO_LARGE);
    assert_int_equal(small.len, 0);
    buf_done(&small);
    buf_init(&small, 0);
    assert_err(fs_read("/proc/self/maps", 1000000, &small), ERR_TOO_LARGE);
    buf_char(&small, 'x');
    assert_err(fs_read("/proc/self/maps", 1000000, &small), ERR_TOO_LARGE); /* it failed before */
}

static void what_is_no_regular_file_is_not_read(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    const char *pipe = tempdir_path(d, "pipe");
    AUTO(buf_done) struct buf b;

    (void)state;
    buf_init(&b, 100);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_err(fs_read(pipe, 100, &b), ERR_UNSUPPORTED); /* and does not wait for a writer */
    assert_err(fs_read(tempdir_root(d), 100, &b), ERR_UNSUPPORTED);
    assert_err(fs_read("/dev/zero", 100, &b), ERR_UNSUPPORTED);
    assert_err(fs_read(tempdir_path(d, "none"), 100, &b), ERR_NOT_FOUND);
    assert_int_equal(b.len, 0);
}

static void a_refused_read_is_told(void **state)
{
    AUTO(buf_done) struct buf b;

    (void)state;
    buf_init(&b, 100);
    assert_err(fs_read("/proc/self/mem", 100, &b), ERR_IO); /* nothing is mapped at address 0 */
    assert_int_equal(b.len, 0);
}

static void each_failing_allocation_of_a_read_is_told(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    const char *path = tempdir_path(d, "file");
    AUTO(buf_done) struct buf b;
    enum err e;

    (void)state;
    assert_ok(fs_replace(path, "12345", 5));
    buf_init(&b, 100);
    FAIL_EACH_ALLOCATION (e, (buf_clear(&b), fs_read(path, 100, &b))) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_int_equal(b.len, 0);
    }
    assert_string_equal(b.data, "12345");
}

static void a_file_is_replaced_privately(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    const char *path = tempdir_path(d, "file");
    mode_t before = umask(0);

    (void)state;
    assert_ok(fs_replace(path, "old", 3));
    (void)umask(before);
    assert_holds(path, "old");
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(chmod(path, 0644), 0);
    assert_ok(fs_replace(path, "new", 3));
    assert_holds(path, "new");
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(count_entries(tempdir_root(d)), 1);
}

static void a_name_alone_and_a_name_at_the_root_have_a_folder(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    assert_true(here >= 0);
    assert_int_equal(chdir(tempdir_root(d)), 0);
    assert_ok(fs_replace("file", "x", 1));
    assert_holds("file", "x");
    assert_int_equal(fchdir(here), 0);
    (void)close(here);
    refusal.rename = ENOSPC; /* so that nothing is left at the root, by root or by another */
    assert_true(fs_replace("/traboule-test-file", "x", 1) != ERR_OK);
    refusal.rename = 0;
    assert_false(fs_exists("/traboule-test-file"));
}

static const struct {
    const char *name;
    int write, fsync, rename, close;
    enum err e;
} FAILURES[] = {
    {"write", ENOSPC, 0, 0, 0, ERR_FULL},
    {"quota", EDQUOT, 0, 0, 0, ERR_FULL},
    {"sync", 0, EIO, 0, 0, ERR_IO},
    {"rename", 0, 0, EACCES, 0, ERR_FORBIDDEN},
    {"close", 0, 0, 0, EIO, ERR_IO},
    {"write and close", ENOSPC, 0, 0, EIO, ERR_FULL},
    {"sync and close", 0, EIO, 0, EBADF, ERR_IO},
};

static void a_failed_replacement_leaves_the_old_file_alone(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    const char *path = tempdir_path(d, "file");

    (void)state;
    assert_ok(fs_replace(path, "old", 3));
    for (size_t i = 0; i < COUNT_OF(FAILURES); i++) {
        enum err e;
        refusal.write = FAILURES[i].write;
        refusal.fsync = FAILURES[i].fsync;
        refusal.rename = FAILURES[i].rename;
        refusal.close = FAILURES[i].close;
        e = fs_replace(path, "new", 3);
        memset(&refusal, 0, sizeof refusal);
        assert_row(FAILURES[i].name, e == FAILURES[i].e);
        assert_holds(path, "old");
        assert_int_equal(count_entries(tempdir_root(d)), 1);
    }
}

static void a_place_without_room_for_a_file_is_refused(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    char path[FS_PATH_BYTES + 100];

    (void)state;
    assert_err(fs_replace(tempdir_path(d, "none/file"), "x", 1), ERR_NOT_FOUND);
    assert_ok(fs_make_private_dir(tempdir_path(d, "folder")));
    assert_true(fs_replace(tempdir_path(d, "folder"), "x", 1) != ERR_OK);
    assert_int_equal(count_entries(tempdir_root(d)), 1);
    memset(path, '/', sizeof path);
    path[FS_PATH_BYTES - 11] = '\0'; /* one byte less than ".new-XXXXXX" and a NUL take */
    assert_err(fs_replace(path, "x", 1), ERR_TOO_LARGE);
}

static void the_last_sync_is_told_though_the_file_is_there(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    const char *path = tempdir_path(d, "file");
    enum err e;

    (void)state;
    refusal.fsync = EIO;
    refusal.fsync_after = 1;
    e = fs_replace(path, "new", 3);
    memset(&refusal, 0, sizeof refusal);
    assert_int_equal(e, ERR_IO);
    assert_holds(path, "new");
}

static void a_draft_takes_its_name_when_it_is_whole(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    const char *path = tempdir_path(d, "file");
    struct fs_draft draft = {.fd = -1};

    (void)state;
    fs_draft_drop(&draft); /* none */
    assert_ok(fs_replace(path, "old", 3));
    assert_ok(fs_draft_new(path, &draft));
    assert_int_equal(mode_of(draft.beside), 0600);
    assert_ok(fs_write_all(draft.fd, "new one", 7));
    assert_holds(path, "old");
    assert_ok(fs_draft_keep(&draft));
    assert_holds(path, "new one");
    assert_int_equal(draft.fd, -1);
    fs_draft_drop(&draft);
    assert_holds(path, "new one");
    assert_int_equal(count_entries(tempdir_root(d)), 1);
}

static void a_draft_that_is_dropped_leaves_nothing(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    const char *path = tempdir_path(d, "file");
    struct fs_draft draft;

    (void)state;
    assert_ok(fs_draft_new(path, &draft));
    assert_ok(fs_write_all(draft.fd, "half", 4));
    fs_draft_drop(&draft);
    assert_int_equal(draft.fd, -1);
    assert_int_equal(count_entries(tempdir_root(d)), 0);
}

static void a_draft_takes_the_place_of_plain_files_alone(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    struct fs_draft draft;

    (void)state;
    assert_err(fs_draft_new(tempdir_root(d), &draft), ERR_CONFLICT);
    assert_int_equal(symlink("elsewhere", tempdir_path(d, "link")), 0);
    assert_err(fs_draft_new(tempdir_path(d, "link"), &draft), ERR_CONFLICT);
}

static void what_is_in_a_folder_is_told_by_where_it_leads(void **state)
{
    static const char *const ROWS[][2] = {{"s/x", "s"}, {"link/x", "sx/x"}, {"sx/../s/x", "s/none/x"}};
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();

    (void)state;
    assert_ok(fs_make_private_dir(tempdir_path(d, "s")));
    assert_ok(fs_make_private_dir(tempdir_path(d, "sx")));
    assert_int_equal(symlink("s", tempdir_path(d, "link")), 0);
    for (size_t i = 0; i < 3; i++) {
        assert_true(fs_is_within(tempdir_path(d, ROWS[i][0]), tempdir_path(d, "s")));
        assert_false(fs_is_within(tempdir_path(d, ROWS[i][1]), tempdir_path(d, "s")));
    }
    assert_true(fs_is_within(tempdir_path(d, "s/x"), tempdir_root(d)) && fs_is_within("x", "."));
}

static void a_draft_that_cannot_be_kept_leaves_the_old_file(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    const char *path = tempdir_path(d, "file");

    (void)state;
    assert_ok(fs_replace(path, "old", 3));
    for (int renames = 0; renames < 2; renames++) {
        struct fs_draft draft;
        enum err e;

        assert_ok(fs_draft_new(path, &draft));
        refusal.fsync = renames ? 0 : EIO;
        refusal.rename = renames ? ENOSPC : 0;
        e = fs_draft_keep(&draft);
        memset(&refusal, 0, sizeof refusal);
        assert_int_equal(e, renames ? ERR_FULL : ERR_IO);
        assert_int_equal(draft.fd, -1);
        assert_holds(path, "old");
        assert_int_equal(count_entries(tempdir_root(d)), 1);
    }
}

static void a_draft_needs_a_folder_and_a_short_path(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    struct fs_draft draft = {.fd = 77};
    char path[FS_PATH_BYTES + 100];

    (void)state;
    assert_err(fs_draft_new(tempdir_path(d, "none/file"), &draft), ERR_NOT_FOUND);
    memset(path, '/', sizeof path);
    path[FS_PATH_BYTES - 11] = '\0'; /* one byte less than ".new-XXXXXX" and a NUL take */
    assert_err(fs_draft_new(path, &draft), ERR_TOO_LARGE);
    path[FS_PATH_BYTES - 11] = '/';
    path[FS_PATH_BYTES + 99] = '\0';
    assert_err(fs_draft_new(path, &draft), ERR_TOO_LARGE);
    assert_int_equal(draft.fd, 77);
}

static void a_write_goes_on_to_its_end(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    const char *path = tempdir_path(d, "file");
    enum err e;

    (void)state;
    refusal.most = 3;
    refusal.interrupted = 2;
    e = fs_replace(path, "0123456789", 10);
    memset(&refusal, 0, sizeof refusal);
    assert_int_equal(e, ERR_OK);
    assert_holds(path, "0123456789");
    assert_err(fs_write_all(-1, "x", 1), ERR_IO);
    assert_ok(fs_write_all(-1, "x", 0));
}

static void only_a_folder_is_synced(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    const char *path = tempdir_path(d, "file");

    (void)state;
    assert_ok(fs_sync_dir(tempdir_root(d)));
    assert_ok(fs_replace(path, "x", 1));
    assert_err(fs_sync_dir(path), ERR_NOT_FOUND);
    assert_err(fs_sync_dir(tempdir_path(d, "none")), ERR_NOT_FOUND);
}

static const struct {
    int number;
    enum err e;
} NUMBERS[] = {
    {ENOENT, ERR_NOT_FOUND},
    {ENOTDIR, ERR_NOT_FOUND},
    {EEXIST, ERR_CONFLICT},
    {ENOTEMPTY, ERR_CONFLICT},
    {EACCES, ERR_FORBIDDEN},
    {EPERM, ERR_FORBIDDEN},
    {EROFS, ERR_FORBIDDEN},
    {ENOSPC, ERR_FULL},
    {EDQUOT, ERR_FULL},
    {ENOMEM, ERR_NO_MEMORY},
    {EFBIG, ERR_TOO_LARGE},
    {ENAMETOOLONG, ERR_TOO_LARGE},
    {EAGAIN, ERR_BUSY},
    {EBUSY, ERR_BUSY},
    {EIO, ERR_IO},
    {ETIMEDOUT, ERR_TIMEOUT},
    {0, ERR_IO},
    {EINVAL, ERR_IO},
};

static void each_errno_has_its_outcome(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(NUMBERS); i++)
        assert_int_equal(fs_errno(NUMBERS[i].number), NUMBERS[i].e);
    errno = ENOSPC;
    assert_int_equal(fs_error("writing", "x"), ERR_FULL);
    assert_string_equal(err_story(), "writing x: No space left on device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_joined_up_to_their_limit),
        cmocka_unit_test(a_new_folder_is_private),
        cmocka_unit_test(a_folder_open_to_others_is_refused),
        cmocka_unit_test(what_is_no_folder_of_ours_is_refused),
        cmocka_unit_test(what_is_there_exists),
        cmocka_unit_test(a_file_is_read_up_to_its_ceiling),
        cmocka_unit_test(a_file_is_made_only_where_nothing_is),
        cmocka_unit_test(a_large_file_is_read_in_steps),
        cmocka_unit_test(a_file_that_grows_stays_under_the_ceiling),
        cmocka_unit_test(what_is_no_regular_file_is_not_read),
        cmocka_unit_test(a_refused_read_is_told),
        cmocka_unit_test(each_failing_allocation_of_a_read_is_told),
        cmocka_unit_test(a_file_is_replaced_privately),
        cmocka_unit_test(a_name_alone_and_a_name_at_the_root_have_a_folder),
        cmocka_unit_test(a_failed_replacement_leaves_the_old_file_alone),
        cmocka_unit_test(a_place_without_room_for_a_file_is_refused),
        cmocka_unit_test(the_last_sync_is_told_though_the_file_is_there),
        cmocka_unit_test(a_draft_takes_its_name_when_it_is_whole),
        cmocka_unit_test(a_draft_that_is_dropped_leaves_nothing),
        cmocka_unit_test(a_draft_takes_the_place_of_plain_files_alone),
        cmocka_unit_test(what_is_in_a_folder_is_told_by_where_it_leads),
        cmocka_unit_test(a_draft_that_cannot_be_kept_leaves_the_old_file),
        cmocka_unit_test(a_draft_needs_a_folder_and_a_short_path),
        cmocka_unit_test(a_write_goes_on_to_its_end),
        cmocka_unit_test(only_a_folder_is_synced),
        cmocka_unit_test(each_errno_has_its_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
