#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/mem.h"
#include "tests/harness/fault.h"

#include <string.h>
#include <wchar.h>

static void what_is_added_stands_in_order(void **state)
{
    AUTO(buf_done) struct buf b;

    (void)state;
    buf_init(&b, 100);
    assert_null(b.data);
    buf_text(&b, "one");
    buf_char(&b, ',');
    buf_add(&b, "two!", 3);
    buf_printf(&b, ",%d%s", 3, "x");
    buf_add(&b, NULL, 0);
    buf_text(&b, "");
    assert_ok(buf_err(&b));
    assert_int_equal(b.len, 10);
    assert_string_equal(b.data, "one,two,3x");
}

static void bytes_up_to_the_ceiling_fit_and_one_more_does_not(void **state)
{
    (void)state;
    for (size_t max = 0; max < 300; max++) {
        AUTO(buf_done) struct buf b;
        buf_init(&b, max);
        for (size_t i = 0; i < max; i++)
            buf_char(&b, 'x');
        assert_ok(buf_err(&b));
        assert_int_equal(b.len, max);
        buf_char(&b, 'y');
        assert_err(buf_err(&b), ERR_TOO_LARGE);
        assert_int_equal(b.len, max);
        assert_true(max == 0 || strlen(b.data) == max);
    }
}

static void a_length_past_the_address_space_is_too_large(void **state)
{
    AUTO(buf_done) struct buf b;

    (void)state;
    buf_init(&b, SIZE_MAX - 1);
    buf_char(&b, 'x');
    assert_null(buf_reserve(&b, SIZE_MAX));
    assert_err(buf_err(&b), ERR_TOO_LARGE);
}

static void a_text_that_cannot_be_printed_is_a_failure(void **state)
{
    AUTO(buf_done) struct buf b;

    (void)state;
    buf_init(&b, 100);
    buf_printf(&b, "%lc", (wint_t)0x7FFFFFF0); /* no character has this number */
    assert_err(buf_err(&b), ERR_TOO_LARGE);
}

static void a_failed_buf_stays_failed_and_keeps_what_it_had(void **state)
{
    AUTO(buf_done) struct buf b;

    (void)state;
    buf_init(&b, 4);
    buf_text(&b, "abc");
    buf_text(&b, "de");
    buf_char(&b, 'd'); /* would fit */
    buf_printf(&b, "%d", 1);
    assert_null(buf_reserve(&b, 0));
    assert_err(buf_err(&b), ERR_TOO_LARGE);
    assert_string_equal(b.data, "abc");
    buf_clear(&b);
    buf_text(&b, "next");
    assert_ok(buf_err(&b));
    assert_string_equal(b.data, "next");
}

static void a_buf_without_bytes_can_be_cleared(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 4);
    buf_clear(&b);
    buf_done(&b);
    buf_done(&b);
    assert_null(b.data);
    assert_int_equal(b.max, 4);
}

static void reserved_room_counts_when_it_is_filled(void **state)
{
    AUTO(buf_done) struct buf b;
    char *to;

    (void)state;
    buf_init(&b, 8);
    assert_non_null(to = buf_reserve(&b, 8));
    memcpy(to, "12345", 6); /* the NUL is not counted */
    buf_grew(&b, 5);
    assert_string_equal(b.data, "12345");
    assert_non_null(buf_reserve(&b, 3));
    assert_null(buf_reserve(&b, 4));
}

static void the_front_can_be_forgotten(void **state)
{
    AUTO(buf_done) struct buf b;

    (void)state;
    buf_init(&b, 8);
    buf_drop_front(&b, 0);
    buf_text(&b, "abcdef");
    buf_drop_front(&b, 0);
    buf_drop_front(&b, 2);
    assert_string_equal(b.data, "cdef");
    buf_drop_front(&b, 4);
    assert_int_equal(b.len, 0);
    assert_string_equal(b.data, "");
}

static void a_buf_over_memory_never_allocates(void **state)
{
    char memory[6];
    struct buf b;
    long before = mem_live();

    (void)state;
    buf_over(&b, memory, sizeof memory);
    assert_string_equal(b.data, "");
    buf_text(&b, "abcde");
    assert_ok(buf_err(&b));
    buf_char(&b, 'f');
    assert_err(buf_err(&b), ERR_TOO_LARGE);
    assert_ptr_equal(b.data, memory);
    assert_string_equal(memory, "abcde");
    assert_int_equal(mem_live(), before);
}

static enum err fill(struct buf *b)
{
    buf_clear(b);
    for (int i = 0; i < 500; i++)
        buf_printf(b, "%d,", i);
    return buf_err(b);
}

static void each_failing_allocation_is_told_at_the_end(void **state)
{
    int runs = 0;
    long before = mem_live();
    struct buf b;
    enum err e;

    (void)state;
    buf_init(&b, 10000);
    FAIL_EACH_ALLOCATION (e, (buf_done(&b), fill(&b))) {
        assert_int_equal(e, ERR_NO_MEMORY);
        runs++;
    }
    assert_true(runs > 3);
    assert_int_equal(b.len, 10 * 2 + 90 * 3 + 400 * 4);
    buf_done(&b);
    assert_int_equal(mem_live(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_stands_in_order),
        cmocka_unit_test(bytes_up_to_the_ceiling_fit_and_one_more_does_not),
        cmocka_unit_test(a_length_past_the_address_space_is_too_large),
        cmocka_unit_test(a_text_that_cannot_be_printed_is_a_failure),
        cmocka_unit_test(a_failed_buf_stays_failed_and_keeps_what_it_had),
        cmocka_unit_test(a_buf_without_bytes_can_be_cleared),
        cmocka_unit_test(reserved_room_counts_when_it_is_filled),
        cmocka_unit_test(the_front_can_be_forgotten),
        cmocka_unit_test(a_buf_over_memory_never_allocates),
        cmocka_unit_test(each_failing_allocation_is_told_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
