#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/json.h"
#include "pds/cli/control_internal.h"
#include "pds/crypto/random.h"
#include "pds/store/dataset.h"
#include "pds/vault/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MUCH = 1000000 };

static struct tempdir *dir;
static struct store *store;
static struct store_key *root;
static atomic_bool closing;
static char much[MUCH];

static int setup(void **state)
{
    static const uint8_t KEY[KEY_BYTES] = {1};
    const struct passphrase_cost cheap = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    AUTO(secret_text_freep) struct secret_text *code = NULL;

    (void)state;
    json_start();
    assert_ok(random_start());
    assert_ok(dataset_start());
    dir = tempdir_new();
    assert_ok(secret_text_new("quatre chevaux", 14, &passphrase));
    assert_ok(store_create(tempdir_path(dir, "store"), passphrase, cheap, KEY, &code));
    assert_ok(store_new(tempdir_path(dir, "store"), &store));
    assert_ok(store_key_of_keyfile(store, KEY, &root));
    memset(much, 'x', sizeof much);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    store_free(store);
    store_key_free(root);
    tempdir_free(dir);
    dataset_stop();
    return 0;
}

static void *read_all(void *context)
{
    int fd = *(int *)context;
    char bytes[4096];
    ssize_t n;
    size_t total = 0;
    struct timespec pause = {.tv_nsec = 200000};

    while ((n = read(fd, bytes, sizeof bytes)) > 0) {
        total += (size_t)n;
        (void)nanosleep(&pause, NULL);
    }
    assert_int_equal(total, MUCH);
    return NULL;
}

static void a_slow_reader_gets_all_of_it(void **state)
{
    pthread_t thread;
    FILE *file;
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    file = control_file(ends[1], store, &closing);
    assert_int_equal(pthread_create(&thread, NULL, read_all, &ends[0]), 0);
    assert_int_equal(fwrite(much, 1, sizeof much, file), sizeof much);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(ends[0]);
}

static void *lock_it(void *context)
{
    (void)context;
    assert_ok(store_lock(store));
    return NULL;
}

/* Nobody reads: the pipe is full, and the lock comes. */
static void a_reader_who_stands_still_does_not_hold_a_lock(void **state)
{
    struct vault *vault;
    pthread_t thread;
    FILE *file;
    int ends[2];
    int64_t begin;

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    file = control_file(ends[1], store, &closing);
    assert_ok(store_unlock(store, root, 1000));
    assert_ok(store_enter(store, &vault));
    begin = clock_monotonic_ms();
    assert_int_equal(pthread_create(&thread, NULL, lock_it, NULL), 0);
    assert_true(fwrite(much, 1, sizeof much, file) < sizeof much);
    assert_int_equal(errno, ECANCELED);
    store_leave(store);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(clock_monotonic_ms() - begin < 1000);
    atomic_store(&closing, true);
    (void)fclose(file); /* nor does what is left in its buffer hold the end */
    atomic_store(&closing, false);
    (void)close(ends[0]);
}

static void a_reader_who_left_is_an_error(void **state)
{
    FILE *file;
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    file = control_file(ends[1], store, &closing);
    (void)close(ends[0]);
    (void)fputs("x", file);
    assert_int_not_equal(fclose(file), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_reader_gets_all_of_it),
        cmocka_unit_test(a_reader_who_stands_still_does_not_hold_a_lock),
        cmocka_unit_test(a_reader_who_left_is_an_error),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, setup, teardown);
}
