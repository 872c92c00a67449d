#include "tests/harness/test.h"

#include "connectors/files/enedis_point.h"
#include "pds/base/mem.h"
#include "tests/harness/fault.h"

static bool pick_never(void *context, const struct enedis_point *earlier, const struct enedis_point *later)
{
    (void)context;
    assert_true(earlier->line < later->line);
    return false;
}

static bool pick_always(void *context, const struct enedis_point *earlier, const struct enedis_point *later)
{
    int *calls = context;

    assert_true(earlier->line < later->line);
    (*calls)++;
    return true;
}

static void add(struct enedis_points *p, int64_t at)
{
    assert_ok(enedis_points_add(p, (struct enedis_point){.at = at, .line = (uint32_t)p->count}));
}

static void any_order_is_put_in_order(void **state)
{
    uint64_t random = test_seed();

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct enedis_points p = {0};
        int64_t count = test_between(&random, 0, 200), spread = test_between(&random, 0, 300);

        for (int64_t i = 0; i < count; i++)
            add(&p, test_between(&random, -spread, spread));
        enedis_points_sort(&p);
        assert_false(p.unsorted);
        assert_int_equal(p.count, count);
        for (size_t i = 1; i < p.count; i++)
            assert_true(p.list[i - 1].at < p.list[i].at ||
                        (p.list[i - 1].at == p.list[i].at && p.list[i - 1].line < p.list[i].line));
        enedis_points_merge(&p, NULL, pick_never);
        for (size_t i = 1; i < p.count; i++)
            assert_true(p.list[i - 1].at < p.list[i].at);
        enedis_points_done(&p);
    }
}

static void merging_keeps_the_picked_one(void **state)
{
    struct enedis_points p = {0};
    int calls = 0;

    (void)state;
    add(&p, 7);
    add(&p, 5);
    add(&p, 7);
    add(&p, 7);
    enedis_points_merge(&p, &calls, pick_always);
    assert_int_equal(calls, 2);
    assert_int_equal(p.count, 2);
    assert_int_equal(p.list[0].at, 5);
    assert_int_equal(p.list[1].line, 3);
    enedis_points_drop_front(&p, 1);
    assert_int_equal(p.count, 1);
    assert_int_equal(p.list[0].at, 7);
    enedis_points_drop_front(&p, 0);
    assert_int_equal(p.count, 0);
    enedis_points_merge(&p, NULL, pick_never);
    assert_int_equal(p.count, 0);
    enedis_points_done(&p);
}

static void survives_each_failing_allocation(void **state)
{
    struct enedis_points p = {0};
    long live = mem_live();
    enum err e;

    (void)state;
    FAIL_EACH_ALLOCATION (e, enedis_points_add(&p, (struct enedis_point){.at = 1})) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_int_equal(p.count, 0);
        assert_int_equal(mem_live(), live);
    }
    assert_int_equal(p.count, 1);
    enedis_points_done(&p);
    assert_int_equal(mem_live(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_is_put_in_order),
        cmocka_unit_test(merging_keeps_the_picked_one),
        cmocka_unit_test(survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
