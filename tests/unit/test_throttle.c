#include "tests/harness/test.h"

#include "pds/base/mem.h"
#include "pds/httpd/throttle.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static void burst_then_refill(void **state)
{
    (void)state;
    struct throttle *t = throttle_new(60, 3, 8);
    int wait = -1;

    for (int i = 0; i < 3; i++) {
        assert_true(throttle_allows(t, "a", 1000, &wait));
        assert_int_equal(wait, 0);
    }
    assert_false(throttle_allows(t, "a", 1000, &wait));
    assert_int_equal(wait, 1);
    assert_true(throttle_allows(t, "b", 1000, &wait));
    assert_false(throttle_allows(t, "a", 1999, &wait));
    assert_true(throttle_allows(t, "a", 2000, &wait));
    assert_false(throttle_allows(t, "a", 2000, &wait));
    for (int i = 0; i < 3; i++) /* never more than the burst, however long the pause */
        assert_true(throttle_allows(t, "a", 1000000000, &wait));
    assert_false(throttle_allows(t, "a", 1000000000, &wait));
    throttle_free(t);
}

static void slow_rate_tells_its_wait(void **state)
{
    (void)state;
    struct throttle *t = throttle_new(1, 1, 1);
    int wait = 0;

    assert_true(throttle_allows(t, "a", 0, &wait));
    assert_false(throttle_allows(t, "a", 0, &wait));
    assert_int_equal(wait, 60);
    assert_false(throttle_allows(t, "a", 59000, &wait));
    assert_int_equal(wait, 1);
    assert_true(throttle_allows(t, "a", 60000, &wait));
    throttle_free(t);
}

static void small_steps_add_up(void **state)
{
    (void)state;
    struct throttle *t = throttle_new(7, 1, 1);
    int wait, taken = 0;

    for (int64_t ms = 0; ms <= 600000; ms += 13)
        taken += throttle_allows(t, "a", ms, &wait);
    assert_in_range(taken, 69, 71);
    throttle_free(t);
}

static void clock_put_back_changes_nothing(void **state)
{
    (void)state;
    struct throttle *t = throttle_new(60, 2, 4);
    int wait;

    assert_true(throttle_allows(t, "a", 1000000, &wait));
    assert_true(throttle_allows(t, "a", 5000, &wait));
    assert_false(throttle_allows(t, "a", 5000, &wait));
    assert_true(throttle_allows(t, "a", 6000, &wait));
    throttle_free(t);
}

static void key_unseen_for_longest_makes_room(void **state)
{
    (void)state;
    struct throttle *t = throttle_new(60, 1, 3);
    int wait;

    assert_true(throttle_allows(t, "a", 0, &wait));
    assert_true(throttle_allows(t, "b", 0, &wait));
    assert_true(throttle_allows(t, "c", 0, &wait));
    assert_false(throttle_allows(t, "a", 0, &wait)); /* seen: b is the oldest now */
    assert_true(throttle_allows(t, "d", 0, &wait));
    assert_false(throttle_allows(t, "a", 0, &wait));
    assert_false(throttle_allows(t, "c", 0, &wait));
    assert_true(throttle_allows(t, "b", 0, &wait));
    throttle_free(t);
}

static void thousand_keys_stay_apart(void **state)
{
    (void)state;
    struct throttle *t = throttle_new(1, 1, 1000);
    char key[200];
    int wait;

    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 1000; i++) {
            (void)snprintf(key, sizeof key, "2001:db8::%x", i);
            assert_int_equal(throttle_allows(t, key, 0, &wait), round == 0);
        }
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0'; /* longer than any address: cut, not refused */
    assert_true(throttle_allows(t, key, 0, &wait));
    assert_false(throttle_allows(t, key, 0, &wait));
    throttle_free(t);
}

static atomic_int taken;

static void *take_many(void *throttle)
{
    int wait;

    for (int i = 0; i < 1000; i++)
        atomic_fetch_add(&taken, throttle_allows(throttle, "shared", 0, &wait));
    return NULL;
}

static void threads_share_one_bucket(void **state)
{
    (void)state;
    struct throttle *t = throttle_new(1, 500, 4);
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, t), 0);
    for (int i = 0; i < 4; i++)
        (void)pthread_join(threads[i], NULL);
    assert_int_equal(taken, 500);
    throttle_free(t);
}

static void new_survives_each_failing_allocation(void **state)
{
    (void)state;
    struct throttle *t = NULL;

    for (long nth = 1; !t; nth++) {
        long live = mem_live();
        mem_fail_at(nth);
        t = throttle_new(0, 0, 0);
        mem_fail_at(0);
        if (!t)
            assert_int_equal(mem_live(), live);
    }
    throttle_free(t);
    throttle_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(burst_then_refill),
        cmocka_unit_test(slow_rate_tells_its_wait),
        cmocka_unit_test(small_steps_add_up),
        cmocka_unit_test(clock_put_back_changes_nothing),
        cmocka_unit_test(key_unseen_for_longest_makes_room),
        cmocka_unit_test(thousand_keys_stay_apart),
        cmocka_unit_test(threads_share_one_bucket),
        cmocka_unit_test(new_survives_each_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
