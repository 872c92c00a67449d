/* Files that commands read: what waits, what ends, what is refused. */
#include "tests/harness/tmpstore.h"

#include "pds/cli/input.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void names_are_what_stands_behind_the_last_slash(void **state)
{
    static const struct {
        const char *path, *name;
    } ROWS[] = {{"a.txt", "a.txt"}, {"/b/a.txt", "a.txt"}, {"../a", "a"}, {"b/", ""}, {"", ""}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_row(ROWS[i].path, str_eq(input_name(ROWS[i].path), str_of(ROWS[i].name)));
}

static void a_pipe_is_read_to_its_end(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    char bytes[8] = "";
    int ends[2];
    size_t got;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    assert_ok(input_read(ends[0], t->store, bytes, 2, &got));
    assert_int_equal(got, 2);
    (void)close(ends[1]);
    assert_ok(input_read(ends[0], t->store, bytes + 2, sizeof bytes - 2, &got));
    assert_int_equal(got, 1);
    assert_string_equal(bytes, "abc");
    assert_ok(input_read(ends[0], t->store, bytes, sizeof bytes, &got));
    assert_int_equal(got, 0);
    (void)close(ends[0]);
    assert_err(input_read(ends[0], t->store, bytes, sizeof bytes, &got), ERR_IO);
}

static void *shut_soon(void *store)
{
    const struct timespec soon = {0, 50 * 1000000};

    (void)nanosleep(&soon, NULL);
    store_shut(store);
    return NULL;
}

static void a_pipe_that_nobody_writes_to_does_not_hold_a_lock_up(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    pthread_t thread;
    char byte;
    int ends[2];
    size_t got = 7;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pthread_create(&thread, NULL, shut_soon, t->store), 0);
    assert_err(input_read(ends[0], t->store, &byte, 1, &got), ERR_LOCKED);
    assert_int_equal(got, 7);
    (void)pthread_join(thread, NULL);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_what_stands_behind_the_last_slash),
        cmocka_unit_test(a_pipe_is_read_to_its_end),
        cmocka_unit_test(a_pipe_that_nobody_writes_to_does_not_hold_a_lock_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
