#include "tests/harness/test.h"

#include "pds/base/arena.h"
#include "pds/base/mem.h"
#include "tests/harness/fault.h"

#include <string.h>
#include <wchar.h>

static void what_it_gives_is_zero_aligned_and_apart(void **state)
{
    struct arena a;
    char *before = NULL;

    (void)state;
    arena_init(&a, 1000000);
    for (size_t size = 0; size < 700; size++) {
        char *p = arena_get(&a, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 'x', size);
        assert_ptr_not_equal(p, before);
        before = p;
    }
    arena_done(&a);
}

static void the_ceiling_is_reached_and_not_passed(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 100);
    assert_null(arena_get(&a, 101));
    assert_non_null(arena_get(&a, 60));
    assert_null(arena_get(&a, 41));
    assert_non_null(arena_get(&a, 39));
    assert_int_equal(a.used, 99);
    assert_non_null(arena_get(&a, 0)); /* counts as one */
    assert_int_equal(a.used, 100);
    assert_null(arena_get(&a, 0));
    arena_done(&a);
}

static void sizes_past_the_address_space_are_refused(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, SIZE_MAX);
    assert_null(arena_get(&a, SIZE_MAX));
    assert_null(arena_get(&a, SIZE_MAX - 8));
    assert_null(arena_text(&a, (struct str){"", SIZE_MAX}));
    arena_done(&a);
}

static void a_piece_larger_than_a_block_has_its_own(void **state)
{
    struct arena a;
    char *large;

    (void)state;
    arena_init(&a, 1000000);
    assert_non_null(arena_get(&a, 10));
    assert_non_null(large = arena_get(&a, 500000));
    large[499999] = 'x';
    assert_non_null(arena_get(&a, 10));
    arena_done(&a);
}

static void text_is_copied_and_printed(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 100);
    assert_string_equal(arena_text(&a, (struct str){"abcdef", 3}), "abc");
    assert_string_equal(arena_text(&a, (struct str){NULL, 0}), "");
    assert_string_equal(arena_printf(&a, "%s-%d", "x", 42), "x-42");
    assert_string_equal(arena_printf(&a, "%s", ""), "");
    assert_null(arena_printf(&a, "%*d", 100, 1)); /* over the ceiling */
    assert_null(arena_text(&a, (struct str){"abc", 100}));
    arena_done(&a);
}

static void a_text_that_cannot_be_printed_is_none(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 100);
    assert_null(arena_printf(&a, "%lc", (wint_t)0x7FFFFFF0)); /* no character has this number */
    arena_done(&a);
}

static void done_gives_all_back_and_leaves_it_usable(void **state)
{
    struct arena a;
    long before = mem_live();

    (void)state;
    arena_init(&a, 50000);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 40; i++)
            assert_non_null(arena_get(&a, 1000));
        assert_true(mem_live() > before);
        arena_done(&a);
        assert_int_equal(mem_live(), before);
        assert_int_equal(a.used, 0);
    }
    arena_done(&a);
}

static enum err fill(struct arena *a)
{
    arena_done(a);
    for (int i = 0; i < 10; i++)
        if (!arena_get(a, 1000) || !arena_text(a, STR("text")) || !arena_printf(a, "%d", i))
            return err_set(ERR_NO_MEMORY, "fill");
    return ERR_OK;
}

static void each_failing_allocation_gives_null(void **state)
{
    struct arena a;
    int runs = 0;
    enum err e;

    (void)state;
    arena_init(&a, 1000000);
    FAIL_EACH_ALLOCATION (e, fill(&a)) {
        size_t used = a.used;
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_non_null(arena_get(&a, 5000)); /* it goes on */
        assert_int_equal(a.used, used + 5000);
        runs++;
    }
    assert_true(runs >= 2);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_gives_is_zero_aligned_and_apart),
        cmocka_unit_test(the_ceiling_is_reached_and_not_passed),
        cmocka_unit_test(sizes_past_the_address_space_are_refused),
        cmocka_unit_test(a_piece_larger_than_a_block_has_its_own),
        cmocka_unit_test(text_is_copied_and_printed),
        cmocka_unit_test(a_text_that_cannot_be_printed_is_none),
        cmocka_unit_test(done_gives_all_back_and_leaves_it_usable),
        cmocka_unit_test(each_failing_allocation_gives_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
