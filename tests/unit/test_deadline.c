#include "tests/harness/test.h"

#include "pds/base/clock.h"
#include "pds/base/deadline.h"

#include <errno.h>

static int64_t ms_of(struct timespec t) { return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000; }

static void a_deadline_lies_so_far_ahead(void **state)
{
    static const int64_t MS[] = {0, 1, 999, 1000, 1001, 59999, 86400000};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(MS); i++) {
        int64_t before = clock_monotonic_ms();
        struct timespec at = deadline_in(MS[i]);
        int64_t after = clock_monotonic_ms();

        assert_in_range(at.tv_nsec, 0, 999999999);
        assert_true(ms_of(at) >= before + MS[i]);
        assert_true(ms_of(at) <= after + MS[i] + 1);
    }
}

static void a_condition_waits_until_then_and_no_longer(void **state)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never;
    int64_t begun = clock_monotonic_ms();
    struct timespec until = deadline_in(60);
    int outcome;

    (void)state;
    deadline_cond_init(&never);
    (void)pthread_mutex_lock(&mutex);
    while ((outcome = pthread_cond_timedwait(&never, &mutex, &until)) == 0)
        continue;
    (void)pthread_mutex_unlock(&mutex);
    assert_int_equal(outcome, ETIMEDOUT);
    assert_true(clock_monotonic_ms() - begun >= 59);
    (void)pthread_cond_destroy(&never);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadline_lies_so_far_ahead),
        cmocka_unit_test(a_condition_waits_until_then_and_no_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
