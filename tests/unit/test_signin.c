#include "tests/harness/test.h"

#include "pds/api/signin.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static const char HOME[] = "127.0.0.1", AWAY[] = "2001:db8::7";

static void try(struct signin *s, const char *address, bool failed, int64_t now_ms)
{
    int wait_s = 0;

    assert_ok(signin_enter(s, address, now_ms, &wait_s));
    signin_leave(s, address, failed, now_ms);
}

static int wait_of(struct signin *s, const char *address, int64_t now_ms)
{
    int wait_s = 0;
    enum err e = signin_enter(s, address, now_ms, &wait_s);

    if (!e) {
        signin_leave(s, address, false, now_ms); /* which clears the count */
        return 0;
    }
    assert_int_equal(e, ERR_THROTTLED);
    return wait_s;
}

static void wait_doubles_after_the_free_failures(void **state)
{
    static const int WAITS_S[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    struct signin *s = signin_new();
    int64_t now = 1000000;

    (void)state;
    for (int i = 1; i < LIMIT_FAILURES_FREE; i++)
        try(s, HOME, true, now);
    for (size_t i = 0; i < COUNT_OF(WAITS_S); i++) {
        try(s, HOME, true, now);
        assert_int_equal(wait_of(s, HOME, now), WAITS_S[i]);
        assert_int_equal(wait_of(s, HOME, now + 1), WAITS_S[i]);
        assert_int_equal(wait_of(s, HOME, now + WAITS_S[i] * 1000 - 1), 1);
        assert_int_equal(wait_of(s, AWAY, now), 0); /* each address has its own count */
        now += WAITS_S[i] * 1000;
    }
    assert_int_equal(wait_of(s, HOME, now), 0);
    signin_free(s);
}

static void success_clears_the_count(void **state)
{
    struct signin *s = signin_new();

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = 1; i < LIMIT_FAILURES_FREE; i++)
            try(s, HOME, true, 1000);
        try(s, HOME, false, 1000);
    }
    for (int i = 1; i < LIMIT_FAILURES_FREE; i++)
        try(s, HOME, true, 1000);
    try(s, HOME, true, 1000);
    assert_int_equal(wait_of(s, HOME, 1000), 1);
    signin_free(s);
}

static void refused_try_makes_the_wait_no_longer(void **state)
{
    struct signin *s = signin_new();

    (void)state;
    for (int i = 0; i < LIMIT_FAILURES_FREE; i++)
        try(s, HOME, true, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(wait_of(s, HOME, 500), 1);
    assert_int_equal(wait_of(s, HOME, 1000), 0);
    signin_free(s);
}

/* A row is kept for LIMIT addresses; the one unseen for longest is forgotten, nobody else. */
static void many_addresses_push_out_the_one_unseen_for_longest(void **state)
{
    enum { ADDRESSES = 256 };
    struct signin *s = signin_new();
    char address[32];

    (void)state;
    for (int i = 0; i < LIMIT_FAILURES_FREE; i++) {
        try(s, "192.0.2.1", true, 1);
        try(s, "192.0.2.2", true, 2);
    }
    for (int i = 0; i < ADDRESSES - 1; i++) {
        (void)snprintf(address, sizeof address, "2001:db8::%x", (unsigned)i + 1);
        try(s, address, true, 10 + i);
    }
    assert_int_equal(wait_of(s, "192.0.2.2", 500), 1);
    assert_int_equal(wait_of(s, "192.0.2.1", 500), 0);
    signin_free(s);
}

struct crowd {
    struct signin *signin;
    atomic_int inside, most, entered, refused, retry_after_s;
    sem_t refusal;
};

static void *enter_and_leave(void *context)
{
    struct crowd *c = context;
    int wait_s = 0, inside;

    if (signin_enter(c->signin, HOME, 1000, &wait_s)) {
        atomic_fetch_add(&c->refused, 1);
        atomic_store(&c->retry_after_s, wait_s);
        (void)sem_post(&c->refusal);
        return NULL;
    }
    inside = atomic_fetch_add(&c->inside, 1) + 1;
    if (inside > atomic_load(&c->most))
        atomic_store(&c->most, inside);
    atomic_fetch_add(&c->entered, 1);
    atomic_fetch_sub(&c->inside, 1);
    signin_leave(c->signin, HOME, false, 1000);
    return NULL;
}

/* Two are inside; of those who come, LIMIT_DERIVATIONS_WAITING wait and one more is sent away at once. */
static void few_derive_at_once_and_few_wait(void **state)
{
    struct crowd c = {.signin = signin_new()};
    pthread_t threads[LIMIT_DERIVATIONS_WAITING + 1];
    struct timespec late;
    int wait_s = 0;

    (void)state;
    assert_int_equal(sem_init(&c.refusal, 0, 0), 0);
    for (int i = 0; i < LIMIT_DERIVATIONS; i++)
        assert_ok(signin_enter(c.signin, HOME, 1000, &wait_s));
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, enter_and_leave, &c), 0);
    (void)clock_gettime(CLOCK_REALTIME, &late);
    late.tv_sec += 30;
    assert_int_equal(sem_timedwait(&c.refusal, &late), 0);
    assert_int_equal(atomic_load(&c.entered), 0);
    assert_int_equal(atomic_load(&c.refused), 1);
    assert_int_equal(atomic_load(&c.retry_after_s), 2);
    for (int i = 0; i < LIMIT_DERIVATIONS; i++)
        signin_leave(c.signin, HOME, false, 1000);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&c.entered), LIMIT_DERIVATIONS_WAITING);
    assert_true(atomic_load(&c.most) <= LIMIT_DERIVATIONS);
    assert_int_equal(wait_of(c.signin, HOME, 1000), 0);
    signin_free(c.signin);
    (void)sem_destroy(&c.refusal);
}

static void signin_new_without_memory_is_null(void **state)
{
    (void)state;
    mem_fail_at(1);
    assert_null(signin_new());
    mem_fail_at(0);
    signin_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wait_doubles_after_the_free_failures),
        cmocka_unit_test(success_clears_the_count),
        cmocka_unit_test(refused_try_makes_the_wait_no_longer),
        cmocka_unit_test(many_addresses_push_out_the_one_unseen_for_longest),
        cmocka_unit_test(few_derive_at_once_and_few_wait),
        cmocka_unit_test(signin_new_without_memory_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
