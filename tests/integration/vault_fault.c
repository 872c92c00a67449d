/* Each call to the disk fails in turn: once, or from then on. No success is told for a failure, no data is
 * wrong, and afterwards the store opens with every job that was answered. */
#include "tests/integration/vault_common.h"
#include "tests/integration/vault_disk.h"

#include "pds/vault/vault_internal.h"

#include <stdio.h>
#include <unistd.h>

enum { JOBS = 12, CHECKPOINT = 12 };

static const struct {
    const char *name;
    enum disk_fault fault;
    bool stays;
} FAULTS[] = {
    {"EIO once", DISK_EIO, false},     {"EIO from then on", DISK_EIO, true},
    {"full once", DISK_FULL, false},   {"full from then on", DISK_FULL, true},
    {"short once", DISK_SHORT, false},
};

static struct home home;
static struct disk_image made;
static uint64_t runs;

/* Jobs, each tried twice, until one fails twice. Gives the last that was answered. */
static int64_t put_jobs(struct vault *v)
{
    int64_t n = 1;
    enum err e = ERR_OK;

    for (; n <= JOBS; n++) {
        e = probe_put(v, n);
        if (e)
            e = probe_put(v, n);
        if (e)
            break;
    }
    if (e && atomic_load(&v->vfs->ended)) { /* a failed sync ends writing for good */
        assert_err(probe_put(v, n), ERR_IO);
        assert_string_equal(err_story(), "writing has ended after a failed sync");
    }
    return n - 1;
}

static void must_hold(int64_t answered)
{
    struct vault *v = NULL;
    int64_t found = -1;

    assert_ok(home_open(&home, &v));
    assert_ok(probe_count(v, &found));
    if (found < answered || found > answered + 1)
        fail_msg("%lld jobs were answered, %lld are there", (long long)answered, (long long)found);
    assert_ok(probe_put(v, found + 1));
    assert_ok(probe_check(v));
    vault_close(v);
}

static bool run(uint64_t nth, size_t fault)
{
    struct vault *v = NULL;
    int64_t answered = 0, found = 0;
    bool hit;

    disk_load(&made);
    writer_set_checkpoint(CHECKPOINT);
    disk_fail_at(nth, FAULTS[fault].fault, FAULTS[fault].stays);
    if (!home_open(&home, &v)) {
        answered = put_jobs(v);
        if (!probe_count(v, &found) && found != answered && !atomic_load(&v->vfs->ended))
            fail_msg("%lld jobs were answered, %lld are seen", (long long)answered, (long long)found);
        vault_close(v);
    }
    hit = disk_fail_hit();
    disk_fail_at(0, DISK_EIO, false);
    must_hold(answered);
    runs++;
    return hit;
}

static void each_failing_call_is_survived(void **state)
{
    (void)state;
    for (size_t fault = 0; fault < COUNT_OF(FAULTS); fault++) {
        uint64_t nth = 1;

        while (run(nth, fault))
            nth++;
        print_message("%s: %llu calls\n", FAULTS[fault].name, (unsigned long long)nth - 1);
    }
    print_message("%llu runs\n", (unsigned long long)runs);
}

static bool create(uint64_t nth, bool stays)
{
    struct vault *v = NULL;
    enum err e;
    bool hit;

    disk_empty();
    (void)unlink(tempdir_path(home.dir, "vault.db"));
    disk_fail_at(nth, DISK_EIO, stays);
    e = home_create(&home);
    hit = disk_fail_hit();
    disk_fail_at(0, DISK_EIO, false);
    if (!e) {
        assert_ok(home_open(&home, &v));
        assert_ok(probe_prepare(v));
        assert_ok(probe_check(v));
        vault_close(v);
    } else if (!hit) {
        fail_msg("making a vault: %s", err_story());
    }
    return hit;
}

static void each_failing_call_while_making_is_told_or_harmless(void **state)
{
    uint64_t nth = 1;

    (void)state;
    while (create(nth, nth % 2 == 0))
        nth++;
    print_message("%llu calls\n", (unsigned long long)nth - 1);
}

static int make(void **state)
{
    struct vault *v = NULL;

    (void)state;
    assert_ok(home_create(&home));
    assert_ok(home_open(&home, &v));
    assert_ok(probe_prepare(v));
    vault_close(v);
    disk_take(&made);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failing_call_is_survived),
        cmocka_unit_test(each_failing_call_while_making_is_told_or_harmless),
    };
    int failed;

    disk_start();
    home = home_new();
    failed = cmocka_run_group_tests(tests, make, NULL);
    disk_image_done(&made);
    disk_empty();
    home_done(&home);
    return failed;
}
