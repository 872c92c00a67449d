#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/crypto/random.h"
#include "pds/store/dataset.h"
#include "pds/store/store_check.h"
#include "pds/vault/vault.h"

#include <string.h>

static const struct passphrase_cost CHEAPEST = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};
static const uint8_t KEY[KEY_BYTES] = {9, 8, 7};
enum { NOW = 1800000000, YEAR = 365 * 86400 };

struct made {
    struct tempdir *tmp;
    struct store *store;
    struct store_key *root;
};

static int made_new(void **state)
{
    static struct made m;
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    AUTO(secret_text_freep) struct secret_text *code = NULL;

    json_start();
    assert_ok(random_start());
    assert_ok(dataset_start());
    m.tmp = tempdir_new();
    assert_ok(secret_text_new("quatre chevaux", 14, &passphrase));
    assert_ok(store_create(tempdir_path(m.tmp, "store"), passphrase, CHEAPEST, KEY, &code));
    assert_ok(store_new(tempdir_path(m.tmp, "store"), &m.store));
    assert_ok(store_key_of_keyfile(m.store, KEY, &m.root));
    assert_ok(store_unlock(m.store, m.root, NOW));
    *state = &m;
    return 0;
}

static int made_free(void **state)
{
    struct made *m = *state;

    store_free(m->store);
    store_key_free(m->root);
    tempdir_free(m->tmp);
    dataset_stop();
    return 0;
}

static enum err sql_work(struct db *db, void *context) { return db_run(db, context, NO_PARAMS); }

static void change(struct made *m, const char *sql)
{
    struct vault *vault;

    assert_ok(store_enter(m->store, &vault));
    assert_ok(vault_write(vault, sql_work, (void *)(uintptr_t)sql));
    store_leave(m->store);
}

static void a_sound_store_has_no_problem(void **state)
{
    struct made *m = *state;
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
    struct made *m = *state;
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
    struct made *m = *state;
    AUTO(json_freep) json_t *report = NULL;
    const json_t *problem;

    change(m, "UPDATE trail_entry SET who = 'nobody' WHERE number = 0");
    assert_ok(store_check(m->store, NULL, &report));
    assert_false(json_is_true(json_object_get(report, "ok")));
    problem = json_array_get(json_object_get(report, "problems"), 0);
    assert_string_equal(json_string_value(json_object_get(problem, "where")), "trail line 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sound_store_has_no_problem, made_new, made_free),
        cmocka_unit_test_setup_teardown(a_time_ahead_of_the_clock_is_told, made_new, made_free),
        cmocka_unit_test_setup_teardown(a_trail_that_was_altered_is_a_problem_with_its_place, made_new,
                                        made_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
