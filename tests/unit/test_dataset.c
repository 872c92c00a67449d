#include "tests/harness/fault.h"
#include "tests/harness/test.h"

#include "pds/base/json.h"
#include "pds/base/mem.h"
#include "pds/store/dataset.h"

#include <string.h>

static void registry_is_sorted_and_whole(void **state)
{
    (void)state;
    assert_ok(dataset_start());
    assert_true(dataset_count() >= 7);
    for (size_t i = 0; i < dataset_count(); i++) {
        const struct dataset *d = dataset_at(i);

        assert_row(d->name, i == 0 || strcmp(dataset_at(i - 1)->name, d->name) < 0);
        assert_row(d->name, d->value_count > 0 && d->step_count > 0);
        assert_row(d->name, json_is_string(json_object_get(json_object_get(d->tree, "title"), "fr")));
        assert_row(d->name, json_is_string(json_object_get(json_object_get(d->tree, "title"), "en")));
        assert_row(d->name, json_is_string(json_object_get(json_object_get(d->tree, "description"), "fr")));
        assert_row(d->name, json_is_string(json_object_get(json_object_get(d->tree, "description"), "en")));
        for (size_t v = 0; v < d->value_count; v++)
            assert_row(d->name, dataset_value(d, d->values[v].name) == (int)v);
    }
    dataset_stop();
}

static void find_knows_names_exactly(void **state)
{
    const struct dataset *d = NULL;

    (void)state;
    assert_ok(dataset_start());
    assert_ok(dataset_find(STR("energy.electricity.consumption"), &d));
    assert_string_equal(d->unit, "Wh");
    assert_int_equal(d->aggregate, DATASET_SUM);
    assert_int_equal(d->values[0].denominator, 60);
    assert_true(dataset_has_step(d, STEP_PT30M));
    assert_false(dataset_has_step(d, STEP_NONE));
    assert_int_equal(dataset_value(d, "f1"), -1);
    assert_err(dataset_find(STR("energy.electricity.consumptio"), &d), ERR_NOT_FOUND);
    assert_err(dataset_find(STR(""), &d), ERR_NOT_FOUND);
    assert_ok(dataset_find(STR("energy.electricity.index"), &d));
    assert_true(d->instant);
    assert_int_equal(d->value_count, 15);
    dataset_stop();
}

static void values_have_units_and_bounds(void **state)
{
    const struct dataset *d = NULL;

    (void)state;
    assert_ok(dataset_start());
    assert_ok(dataset_find(STR("energy.electricity.index"), &d));
    assert_string_equal(d->values[3].unit, "Wh");
    assert_true(d->values[3].maximum == INT64_MAX);
    assert_ok(dataset_find(STR("mobility.position"), &d));
    assert_int_equal(d->aggregate, DATASET_LAST);
    assert_string_equal(d->values[0].unit, "°");
    assert_string_equal(d->values[2].unit, "m");
    assert_int_equal(d->values[0].minimum, -d->values[0].maximum);
    assert_int_equal(d->values[1].maximum, 180 * d->values[1].denominator);
    dataset_stop();
}

static void values_are_held_to_their_bounds(void **state)
{
    static const struct {
        const char *name;
        int64_t latitude, accuracy;
        uint32_t present;
        enum err err;
    } ROWS[] = {
        {"at the least", -900000000, 0, 5, ERR_OK},      {"at the most", 900000000, INT64_MAX, 5, ERR_OK},
        {"below", -900000001, 0, 5, ERR_INVALID},        {"over", 900000001, 0, 5, ERR_INVALID},
        {"below, not the first", 0, -1, 5, ERR_INVALID}, {"not there", 900000001, -1, 0, ERR_OK},
        {"one there", 900000001, 0, 4, ERR_OK},
    };
    const struct dataset *d;

    (void)state;
    assert_ok(dataset_start());
    assert_ok(dataset_find(STR("mobility.position"), &d));
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        const int64_t values[DATASET_VALUES_MAX] = {ROWS[i].latitude, 0, ROWS[i].accuracy};

        assert_row(ROWS[i].name, dataset_check_values(d, values, ROWS[i].present) == ROWS[i].err);
    }
    dataset_stop();
}

static void start_survives_each_failing_allocation(void **state)
{
    long live = mem_live();
    enum err e;

    (void)state;
    FAIL_EACH_ALLOCATION (e, dataset_start()) {
        assert_true(e != ERR_OK);
        assert_int_equal(dataset_count(), 0);
        assert_int_equal(mem_live(), live);
    }
    dataset_stop();
    assert_int_equal(mem_live(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registry_is_sorted_and_whole),
        cmocka_unit_test(find_knows_names_exactly),
        cmocka_unit_test(values_have_units_and_bounds),
        cmocka_unit_test(values_are_held_to_their_bounds),
        cmocka_unit_test(start_survives_each_failing_allocation),
    };

    json_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
