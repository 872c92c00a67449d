#include "tests/harness/test.h"

#include "pds/base/mem.h"
#include "tests/harness/fault.h"

#include <pthread.h>
#include <string.h>

static void new_memory_is_zero(void **state)
{
    char *p = mem_new(1000);

    (void)state;
    assert_non_null(p);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(p[i], 0);
    assert_true(mem_size(p) >= 1000);
    mem_free(p);
}

static void nothing_can_be_had_and_freed(void **state)
{
    void *p = mem_new(0), *q = mem_array(0, 8);

    (void)state;
    assert_non_null(p);
    assert_non_null(q);
    mem_free(p);
    mem_free(q);
    mem_free(NULL);
}

static void an_array_past_the_address_space_is_refused(void **state)
{
    volatile size_t most = SIZE_MAX;

    (void)state;
    assert_null(mem_array(most, 2));
    assert_null(mem_array(most / 2 + 1, 2));
    assert_null(mem_array(2, most));
    assert_null(mem_text("", most));
}

static void a_text_is_copied_with_a_nul(void **state)
{
    char *copy = mem_text("abcdef", 3), *empty = mem_text(NULL, 0);

    (void)state;
    assert_string_equal(copy, "abc");
    assert_string_equal(empty, "");
    mem_free(copy);
    mem_free(empty);
}

static void blocks_alive_are_counted(void **state)
{
    long before = mem_live();
    void *p = mem_new(1), *q = mem_resize(NULL, 10);

    (void)state;
    assert_int_equal(mem_live(), before + 2);
    p = mem_resize(p, 100000);
    assert_non_null(p);
    assert_int_equal(mem_live(), before + 2);
    mem_free(p);
    mem_free(q);
    mem_free(NULL);
    assert_int_equal(mem_live(), before);
}

static void a_resized_block_keeps_its_bytes(void **state)
{
    char *p = mem_text("kept", 4), *larger = mem_resize(p, 5000), *smaller;

    (void)state;
    assert_non_null(larger);
    assert_string_equal(larger, "kept");
    smaller = mem_resize(larger, 0); /* a block all the same */
    assert_non_null(smaller);
    mem_free(smaller);
}

static void just_the_nth_allocation_fails(void **state)
{
    (void)state;
    for (long nth = 1; nth <= 5; nth++) {
        mem_fail_at(nth);
        for (long i = 1; i <= 8; i++) {
            void *p = i % 2 ? mem_new(8) : mem_resize(NULL, 8);
            assert_int_equal(p == NULL, i == nth);
            assert_int_equal(mem_fail_hit(), i >= nth);
            mem_free(p);
        }
    }
    mem_fail_at(0);
    assert_false(mem_fail_hit());
}

static void a_failed_resize_leaves_the_block(void **state)
{
    char *p = mem_text("kept", 4);
    long before = mem_live();

    (void)state;
    mem_fail_at(1);
    assert_null(mem_resize(p, 100));
    mem_fail_at(0);
    assert_string_equal(p, "kept");
    assert_int_equal(mem_live(), before);
    mem_free(p);
}

static void *allocate(void *got)
{
    void *p = mem_new(8);

    *(bool *)got = p != NULL;
    mem_free(p);
    return NULL;
}

static void a_fault_is_for_its_thread_alone(void **state)
{
    bool got = false;
    pthread_t thread;

    (void)state;
    mem_fail_at(1);
    assert_int_equal(pthread_create(&thread, NULL, allocate, &got), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(got);
    assert_false(mem_fail_hit());
    mem_fail_at(0);
}

static enum err use_two(void)
{
    void *first = mem_new(8), *second = first ? mem_new(8) : NULL;
    enum err e = second ? ERR_OK : err_set(ERR_NO_MEMORY, "two");

    mem_free(second);
    mem_free(first);
    return e;
}

static void the_loop_of_faults_runs_once_an_allocation(void **state)
{
    int runs = 0;
    enum err e;

    (void)state;
    FAIL_EACH_ALLOCATION (e, use_two()) {
        assert_int_equal(e, ERR_NO_MEMORY);
        runs++;
    }
    assert_int_equal(e, ERR_OK);
    assert_int_equal(runs, 2);
    assert_false(mem_fail_hit());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_memory_is_zero),
        cmocka_unit_test(nothing_can_be_had_and_freed),
        cmocka_unit_test(an_array_past_the_address_space_is_refused),
        cmocka_unit_test(a_text_is_copied_with_a_nul),
        cmocka_unit_test(blocks_alive_are_counted),
        cmocka_unit_test(a_resized_block_keeps_its_bytes),
        cmocka_unit_test(just_the_nth_allocation_fails),
        cmocka_unit_test(a_failed_resize_leaves_the_block),
        cmocka_unit_test(a_fault_is_for_its_thread_alone),
        cmocka_unit_test(the_loop_of_faults_runs_once_an_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
