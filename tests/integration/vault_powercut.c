/* Power cuts: at every write, sync, truncation and removal of a run the disk is looked at as a power cut
 * would leave it, several times. Whatever is lost of what was not synced, the store must open without an
 * alarm, hold every job that was answered, each whole, and go on. */
#include "tests/integration/vault_common.h"
#include "tests/integration/vault_disk.h"

#include "pds/vault/vault_internal.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 5, KILLS = 40, JOBS = 24, CUTS_EACH = 3, CUTS_KEPT = 1000, STATES_WANTED = 2000 };

struct cut {
    struct disk_image image;
    int64_t answered;
};

struct run {
    uint64_t random;
    struct cut cuts[CUTS_KEPT];
    size_t count;
    _Atomic int64_t answered, asked;
};

static struct home home;
static struct run run;
static uint64_t states, second_cuts, killed;

static void cut_here(void *context)
{
    struct run *r = context;

    for (int i = 0; i < CUTS_EACH && r->count < CUTS_KEPT; i++) {
        struct cut *c = &r->cuts[r->count++];

        c->answered = atomic_load(&r->answered);
        disk_cut(&r->random, &c->image);
    }
}

/* Jobs, a close and jobs again, with checkpoints and new logs between. */
static void work(struct run *r, int64_t from)
{
    struct vault *v = NULL;

    assert_ok(home_open(&home, &v));
    for (int64_t n = from + 1; n <= from + JOBS; n++) {
        atomic_store(&r->asked, n);
        assert_ok(probe_put(v, n));
        atomic_store(&r->answered, n);
        if (n % 16 == 0) {
            vault_close(v);
            v = NULL;
            assert_ok(home_open(&home, &v));
        }
    }
    vault_close(v);
}

static void open_after_cut(const struct cut *c, int64_t asked)
{
    struct vault *v = NULL;
    int64_t found = -1;

    disk_load(&c->image);
    assert_ok(home_open(&home, &v));
    assert_ok(probe_count(v, &found));
    if (found < c->answered || found > asked)
        fail_msg("%lld jobs were answered, %lld are there", (long long)c->answered, (long long)found);
    assert_ok(probe_put(v, found + 1));
    assert_ok(probe_count(v, &found));
    assert_ok(probe_check(v));
    vault_close(v);
    states++;
}

/* Open what is on the disk, put one job more and close, with a look at every call. */
static void recover(struct run *r, int64_t answered)
{
    struct vault *v = NULL;
    int64_t found = -1;

    r->count = 0;
    atomic_store(&r->answered, answered);
    disk_watch(cut_here, r);
    assert_ok(home_open(&home, &v));
    assert_ok(probe_count(v, &found));
    assert_true(found >= answered);
    atomic_store(&r->answered, found); /* who was shown it may rely on it */
    atomic_store(&r->asked, found + 1);
    assert_ok(probe_put(v, found + 1));
    atomic_store(&r->answered, found + 1);
    vault_close(v);
    disk_watch(NULL, NULL);
}

static void open_all(struct run *r)
{
    for (size_t i = 0; i < r->count; i++) {
        open_after_cut(&r->cuts[i], atomic_load(&r->asked));
        disk_image_done(&r->cuts[i].image);
    }
}

static void play(uint64_t seed, const struct disk_image *made, uint32_t checkpoint)
{
    run.random = seed;
    run.count = 0;
    atomic_store(&run.answered, 0);
    disk_load(made);
    writer_set_checkpoint(checkpoint);
    disk_watch(cut_here, &run);
    work(&run, 0);
    disk_watch(NULL, NULL);
    open_all(&run);
}

/* A second cut while the first is being recovered from. */
static void play_twice(uint64_t seed, const struct disk_image *made)
{
    static struct run second;
    struct cut first;

    run.random = second.random = seed;
    run.count = 0;
    atomic_store(&run.answered, 0);
    disk_load(made);
    disk_watch(cut_here, &run);
    work(&run, 0);
    disk_watch(NULL, NULL);
    first = run.cuts[test_random(&seed) % run.count];
    disk_load(&first.image);
    recover(&second, first.answered);
    second_cuts += second.count;
    open_all(&second);
    for (size_t i = 0; i < run.count; i++)
        disk_image_done(&run.cuts[i].image);
}

struct kill {
    uint64_t in; /* calls */
    struct run *run;
    int64_t answered;
};

static void kill_here(void *context)
{
    struct kill *k = context;

    if (k->in > 0 && --k->in == 0) {
        k->answered = atomic_load(&k->run->answered);
        disk_keep();
    }
}

/* A killed process leaves writes to the system that a power cut during recovery still takes away. */
static void play_killed(uint64_t seed, uint64_t after, const struct disk_image *made)
{
    struct kill k = {.in = after, .run = &run};

    atomic_store(&run.answered, 0);
    disk_load(made);
    disk_watch(kill_here, &k);
    work(&run, 0);
    disk_watch(NULL, NULL);
    assert_true(k.in == 0);
    disk_put_back();
    run.random = seed;
    recover(&run, k.answered);
    killed += run.count;
    open_all(&run);
}

static void make(struct disk_image *out)
{
    struct vault *v = NULL;

    disk_empty();
    assert_ok(home_create(&home));
    assert_ok(home_open(&home, &v));
    assert_ok(probe_prepare(v));
    vault_close(v);
    disk_take(out);
}

static void power_cut_loses_no_answered_job(void **state)
{
    uint64_t seed = test_seed();
    struct disk_image made;

    (void)state;
    make(&made);
    for (int i = 0; i < ROUNDS; i++)
        play(test_random(&seed), &made, (uint32_t)test_between(&seed, 8, 60));
    for (int i = 0; i < ROUNDS; i++)
        play_twice(test_random(&seed), &made);
    for (int i = 0; i < KILLS; i++)
        play_killed(test_random(&seed), 40 + (uint64_t)i, &made);
    disk_image_done(&made);
    print_message("%llu states, %llu of them of a second cut, %llu of a cut after a kill\n",
                  (unsigned long long)states, (unsigned long long)second_cuts, (unsigned long long)killed);
    assert_true(states >= STATES_WANTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(power_cut_loses_no_answered_job)};
    int failed;

    disk_start();
    home = home_new();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    home_done(&home);
    return failed;
}
