/* An older vault is brought up on a disk that fails at each call, or loses its power at each change: it
 * always opens afterwards, with all it had, and the copy made before is there before anything changes. */
#include "tests/integration/vault_common.h"
#include "tests/integration/vault_disk.h"

#include "pds/base/auto.h"
#include "pds/base/embed.h"
#include "pds/base/fs.h"
#include "pds/vault/vault_before.h"
#include "pds/vault/vault_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JOBS = 9, CUTS_KEPT = 4000 };

extern const struct embed MIGRATIONS[];

static const struct {
    const char *name;
    enum disk_fault fault;
    bool stays;
} FAULTS[] = {
    {"EIO once", DISK_EIO, false},     {"EIO from then on", DISK_EIO, true},
    {"full once", DISK_FULL, false},   {"full from then on", DISK_FULL, true},
    {"short once", DISK_SHORT, false},
};

static const char SQL_VERSION[] = "PRAGMA user_version";

static struct home home;
static struct embed first_step[2];
static struct disk_image old; /* of the first schema, with jobs and a log */

static int64_t version_of(struct vault *v)
{
    AUTO(reader_done) struct reader r = {v, NULL};
    int64_t version = -1;

    assert_ok(vault_read(v, &r.db));
    assert_ok(db_number(r.db, SQL_VERSION, NO_PARAMS, &version));
    return version;
}

static int64_t newest(void)
{
    int64_t count = 0;

    while (MIGRATIONS[count].name)
        count++;
    return count;
}

static void must_have_all(int64_t version)
{
    struct vault *v = NULL;
    int64_t found = 0;

    assert_ok(home_open(&home, &v));
    assert_int_equal(version_of(v), version);
    assert_ok(probe_count(v, &found));
    assert_int_equal(found, JOBS);
    assert_ok(probe_check(v));
    vault_close(v);
}

/* The copy, as its owner would put it back. */
static void must_go_back(void)
{
    AUTO(buf_done) struct buf bytes;
    struct disk_image image = {0};

    buf_init(&bytes, 16 * 1024 * 1024);
    assert_ok(fs_read(tempdir_path(home.dir, "vault.db.before-001"), 16 * 1024 * 1024, &bytes));
    image.files[DISK_DB] = (struct disk_file){(uint8_t *)bytes.data, bytes.len, true};
    disk_load(&image);
    vault_set_steps(first_step);
    must_have_all(1);
    vault_set_steps(NULL);
}

static void the_copy_is_the_vault_before(void **state)
{
    (void)state;
    disk_load(&old);
    assert_ok(vault_before_remove(tempdir_root(home.dir)));
    must_have_all(newest());
    must_go_back();
    assert_ok(vault_before_remove(tempdir_root(home.dir)));
    assert_false(fs_exists(tempdir_path(home.dir, "vault.db.before-001")));
    disk_load(&old);
    must_have_all(newest());
    assert_true(fs_exists(tempdir_path(home.dir, "vault.db.before-001")));
}

static bool fail_at(uint64_t nth, size_t fault)
{
    struct vault *v = NULL;
    enum err e;
    bool hit;

    disk_load(&old);
    disk_fail_at(nth, FAULTS[fault].fault, FAULTS[fault].stays);
    e = home_open(&home, &v);
    vault_close(v);
    hit = disk_fail_hit();
    disk_fail_at(0, DISK_EIO, false);
    if (e && e != ERR_IO && e != ERR_FULL)
        fail_msg("%s at call %llu: %s", FAULTS[fault].name, (unsigned long long)nth, err_story());
    must_have_all(newest());
    return hit;
}

static void each_failing_call_leaves_all(void **state)
{
    uint64_t points = 0;

    (void)state;
    for (size_t fault = 0; fault < COUNT_OF(FAULTS); fault++) {
        uint64_t nth = 1;

        while (fail_at(nth, fault))
            nth++;
        points += nth - 1;
    }
    print_message("%llu points\n", (unsigned long long)points);
    assert_true(points >= 200);
}

static struct {
    uint64_t random;
    struct disk_image cuts[CUTS_KEPT];
    size_t count;
} run;

static void cut_here(void *context)
{
    (void)context;
    if (run.count < CUTS_KEPT)
        disk_cut(&run.random, &run.cuts[run.count++]);
}

static void each_power_cut_leaves_all(void **state)
{
    (void)state;
    run.random = test_seed();
    disk_load(&old);
    disk_watch(cut_here, NULL);
    must_have_all(newest());
    disk_watch(NULL, NULL);
    for (size_t i = 0; i < run.count; i++) {
        disk_load(&run.cuts[i]);
        must_have_all(newest());
        disk_image_done(&run.cuts[i]);
    }
    print_message("%zu cuts\n", run.count);
    assert_true(run.count >= 40);
}

static int make(void **state)
{
    struct vault *v = NULL;

    (void)state;
    first_step[0] = MIGRATIONS[0];
    vault_set_steps(first_step);
    assert_ok(home_create(&home));
    assert_ok(home_open(&home, &v));
    assert_ok(probe_prepare(v));
    for (int64_t n = 1; n <= JOBS; n++)
        assert_ok(probe_put(v, n));
    disk_keep(); /* as after a kill: the log holds the jobs */
    vault_close(v);
    disk_put_back();
    disk_take(&old);
    vault_set_steps(NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_copy_is_the_vault_before),
        cmocka_unit_test(each_failing_call_leaves_all),
        cmocka_unit_test(each_power_cut_leaves_all),
    };
    int failed;

    disk_start();
    home = home_new();
    failed = cmocka_run_group_tests(tests, make, NULL);
    disk_image_done(&old);
    disk_empty();
    home_done(&home);
    return failed;
}
