/* A process is killed at random moments while its writes are answered, on the real file system. Every
 * answered job is there at the next open, whole; nothing is taken for damage. */
#include "tests/integration/vault_common.h"

#include "pds/vault/vault_internal.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 60, CHECKPOINT = 150 };

static struct home home;

/* The child: open, tell the jobs found, then tell each job once it is answered, until it is killed. */
static int child(int out)
{
    struct vault *v = NULL;
    int64_t n = -1;
    enum err e;

    writer_set_checkpoint(CHECKPOINT);
    if ((e = home_open(&home, &v)) || (e = probe_count(v, &n))) {
        (void)fprintf(stderr, "%s: %s\n", err_row(e)->name, err_story());
        return 1;
    }
    for (;; n++) {
        if (write(out, &n, sizeof n) != (ssize_t)sizeof n)
            return 2;
        if (probe_put(v, n + 1))
            return 3;
        if (n % 40 == 39) { /* closes and opens are killed too */
            vault_close(v);
            v = NULL;
            if (home_open(&home, &v))
                return 4;
        }
    }
}

/* The last job that the child told, after a while; -1 when it told nothing. */
static int64_t run_and_kill(uint64_t *random)
{
    int ends[2], status = 0;
    int64_t told = -1, n;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(ends[0]);
        _exit(child(ends[1]));
    }
    (void)close(ends[1]);
    (void)usleep((useconds_t)test_between(random, 1000, 60000));
    (void)kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    while (read(ends[0], &n, sizeof n) == (ssize_t)sizeof n)
        told = n;
    (void)close(ends[0]);
    return told;
}

static void a_kill_loses_no_answered_job(void **state)
{
    uint64_t random = test_seed();
    int64_t answered = 0, found = 0;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct vault *v = NULL;
        int64_t told = run_and_kill(&random);

        if (told > answered)
            answered = told;
        if (round % 5 != 4)
            continue; /* mostly the next child is the one to recover */
        assert_ok(home_open(&home, &v));
        assert_ok(probe_count(v, &found));
        if (found < answered)
            fail_msg("%lld jobs were answered, %lld are there", (long long)answered, (long long)found);
        assert_ok(probe_check(v));
        vault_close(v);
    }
    print_message("%d kills, %lld jobs answered\n", ROUNDS, (long long)answered);
    assert_true(answered > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_kill_loses_no_answered_job)};
    struct vault *v = NULL;
    int failed;

    home = home_new();
    assert_ok(home_create(&home));
    assert_ok(home_open(&home, &v));
    assert_ok(probe_prepare(v));
    vault_close(v);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    home_done(&home);
    return failed;
}
