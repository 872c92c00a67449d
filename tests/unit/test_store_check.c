#include "tests/harness/tmpstore.h"

#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/store/store_check.h"
#include "pds/vault/vault.h"

#include <string.h>

enum { NOW = TMPSTORE_NOW, YEAR = 365 * 86400 };

static int open_store(void **state)
{
    struct tmpstore *t = tmpstore_locked();

    assert_ok(store_unlock(t->store, t->root, NOW));
    *state = t;
    return 0;
}

static enum err sql_work(struct db *db, void *context) { return db_run(db, context, NO_PARAMS); }

static void change(struct tmpstore *m, const char *sql)
{
    struct vault *vault;

    assert_ok(store_enter(m->store, &vault));
    assert_ok(vault_write(vault, sql_work, (void *)(uintptr_t)sql));
    store_leave(m->store);
}

static void a_sound_store_has_no_problem(void **state)
{
    struct tmpstore *m = *state;
    AUTO(json_freep) json_t *report = NULL;

    clock_set(NOW);
    assert_ok(store_check(m->store, NULL, &report));
    clock_set(INT64_MIN);
    assert_int_equal(json_integer_value(json_object_get(report, "ahead_s")), 0);
    assert_true(json_is_true(json_object_get(report, "ok")));
    assert_true(json_integer_value(json_object_get(report, "pages")) > 0);
}

/* No problem, and yet told: the lines to come bear a time that is not theirs. */
static void a_time_ahead_of_the_clock_is_told(void **state)
{
    static const struct event PUT = {EVENT_RECORDS_PUT, "owner", "", NULL};
    struct tmpstore *m = *state;
    AUTO(json_freep) json_t *report = NULL;

    assert_ok(store_tell(m->store, &PUT, NOW + YEAR));
    clock_set(NOW + 1);
    assert_ok(store_check(m->store, NULL, &report));
    clock_set(INT64_MIN);
    assert_true(json_is_true(json_object_get(report, "ok")));
    assert_int_equal(json_integer_value(json_object_get(report, "ahead_s")), YEAR - 1);
}

static void a_trail_that_was_altered_is_a_problem_with_its_place(void **state)
{
    struct tmpstore *m = *state;
    AUTO(json_freep) json_t *report = NULL;
    const json_t *problem;
    char place[64];

    change(m, "UPDATE trail_entry SET who = 'nobody' WHERE number = 0");
    assert_false(store_is_damaged(m->store, place, sizeof place));
    assert_ok(store_check(m->store, NULL, &report));
    assert_false(json_is_true(json_object_get(report, "ok")));
    assert_true(
        store_is_damaged(m->store, place, sizeof place)); /* told from now on, and not by this report alone */
    assert_string_equal(place, "trail line 0");
    assert_ok(store_lock(m->store));
    assert_ok(store_unlock(m->store, m->root, NOW)); /* nobody has looked since */
    assert_false(store_is_damaged(m->store, place, sizeof place));
    problem = json_array_get(json_object_get(report, "problems"), 0);
    assert_string_equal(json_string_value(json_object_get(problem, "where")), "trail line 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sound_store_has_no_problem, open_store, tmpstore_tear_down),
        cmocka_unit_test_setup_teardown(a_time_ahead_of_the_clock_is_told, open_store, tmpstore_tear_down),
        cmocka_unit_test_setup_teardown(a_trail_that_was_altered_is_a_problem_with_its_place, open_store,
                                        tmpstore_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
