#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/portable/restore_internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* In place of the system's: a folder of this name is another disk's. */
static const char *mounted;

int stat(const char *restrict path, struct stat *restrict out)
{
    const char *last = strrchr(path, '/');
    int failed = fstatat(AT_FDCWD, path, out, 0);

    if (!failed && mounted && last && strcmp(last + 1, mounted) == 0)
        out->st_dev++;
    return failed;
}

static void touch(const char *folder, const char *name)
{
    char path[FS_PATH_BYTES];

    assert_ok(fs_join(path, folder, name));
    assert_ok(fs_replace(path, "x", 1));
}

/* Whether a store may come to dir. */
static enum err try_place(const char *dir)
{
    struct restore_place p;
    enum err e = restore_place_new(dir, &p);

    if (!e)
        restore_place_drop(&p);
    return e;
}

static void only_an_empty_place_will_do(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();

    (void)state;
    assert_ok(try_place(tempdir_path(d, "none")));
    assert_ok(fs_make_private_dir(tempdir_path(d, "empty")));
    assert_ok(try_place(tempdir_path(d, "empty")));
    touch(tempdir_path(d, "empty"), ".hidden");
    assert_err(try_place(tempdir_path(d, "empty")), ERR_CONFLICT);
    touch(tempdir_root(d), "file");
    assert_err(try_place(tempdir_path(d, "file")), ERR_CONFLICT);
    assert_err(try_place(""), ERR_INVALID);
}

static void a_folder_where_another_disk_is_cannot_give_way(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();

    (void)state;
    assert_ok(fs_make_private_dir(tempdir_path(d, "disk")));
    assert_ok(try_place(tempdir_path(d, "disk")));
    mounted = "disk";
    assert_err(try_place(tempdir_path(d, "disk")), ERR_CONFLICT);
    assert_ok(try_place(tempdir_path(d, "disk/store")));
    mounted = NULL;
}

static void a_place_may_be_given_as_a_link_or_a_dot(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    struct restore_place p;
    char path[FS_PATH_BYTES];

    (void)state;
    assert_ok(fs_make_private_dir(tempdir_path(d, "store")));
    assert_int_equal(symlink("store", tempdir_path(d, "link")), 0);
    assert_ok(restore_place_new(tempdir_path(d, "link"), &p));
    touch(p.beside, "one");
    assert_ok(restore_place_keep(&p));
    assert_ok(fs_join(path, tempdir_path(d, "store"), "one"));
    assert_true(fs_exists(path));
    assert_ok(fs_make_private_dir(tempdir_path(d, "here")));
    assert_ok(restore_place_new(tempdir_path(d, "here/."), &p));
    touch(p.beside, "two");
    assert_ok(restore_place_keep(&p));
    assert_ok(fs_join(path, tempdir_path(d, "here"), "two"));
    assert_true(fs_exists(path));
}

static void it_takes_its_name_as_a_whole(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    struct restore_place p = {.fd = -1};
    struct stat facts;
    char path[FS_PATH_BYTES];

    (void)state;
    restore_place_drop(&p); /* none */
    assert_ok(fs_make_private_dir(tempdir_path(d, "store")));
    assert_ok(restore_place_new(tempdir_path(d, "store//"), &p));
    assert_int_equal(stat(p.beside, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0700);
    touch(p.beside, "keys.json");
    assert_ok(restore_place_keep(&p));
    assert_int_equal(p.fd, -1);
    assert_ok(fs_join(path, tempdir_path(d, "store"), "keys.json"));
    assert_true(fs_exists(path));
    assert_false(fs_exists(p.beside));
    restore_place_drop(&p);
    assert_true(fs_exists(path));
}

static void what_is_there_meanwhile_stays(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    struct restore_place p;

    (void)state;
    assert_ok(restore_place_new(tempdir_path(d, "store"), &p));
    assert_ok(fs_make_private_dir(tempdir_path(d, "store")));
    touch(tempdir_path(d, "store"), "mine");
    assert_err(restore_place_keep(&p), ERR_CONFLICT);
    assert_false(fs_exists(p.beside));
    assert_err(try_place(tempdir_path(d, "store")), ERR_CONFLICT);
}

static void what_a_killed_one_left_goes_and_what_another_fills_stays(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    struct restore_place busy, p;
    char left[FS_PATH_BYTES], other[FS_PATH_BYTES];

    (void)state;
    assert_ok(fs_join(left, tempdir_root(d), "store.new-abcdef"));
    assert_ok(fs_join(other, tempdir_root(d), "store.new-abcdefg"));
    assert_ok(fs_make_private_dir(left));
    assert_ok(fs_make_private_dir(other));
    touch(left, "vault.db");
    touch(left, "keys.json.new-abcdef");
    touch(other, "vault.db");
    assert_ok(restore_place_new(tempdir_path(d, "store"), &busy));
    assert_false(fs_exists(left));
    assert_true(fs_exists(other)); /* another name */
    assert_ok(restore_place_new(tempdir_path(d, "store"), &p));
    assert_true(fs_exists(busy.beside)); /* somebody holds it */
    restore_place_drop(&p);
    assert_false(fs_exists(p.beside));
    restore_place_drop(&busy);
}

static void a_place_that_cannot_be_is_refused(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    struct restore_place p = {.fd = -1};
    char path[2 * FS_PATH_BYTES];

    (void)state;
    assert_err(restore_place_new(tempdir_path(d, "no/where"), &p), ERR_NOT_FOUND);
    memset(path, 'x', sizeof path);
    path[FS_PATH_BYTES - 8] = '\0';
    assert_err(restore_place_new(path, &p), ERR_TOO_LARGE);
    path[FS_PATH_BYTES - 8] = 'x';
    path[sizeof path - 1] = '\0';
    assert_err(restore_place_new(path, &p), ERR_TOO_LARGE);
    assert_int_equal(p.fd, -1);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(only_an_empty_place_will_do),
        cmocka_unit_test(a_folder_where_another_disk_is_cannot_give_way),
        cmocka_unit_test(a_place_may_be_given_as_a_link_or_a_dot),
        cmocka_unit_test(it_takes_its_name_as_a_whole),
        cmocka_unit_test(what_is_there_meanwhile_stays),
        cmocka_unit_test(what_a_killed_one_left_goes_and_what_another_fills_stays),
        cmocka_unit_test(a_place_that_cannot_be_is_refused),
    };

    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
