#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/json.h"
#include "pds/crypto/random.h"
#include "pds/store/dataset.h"
#include "pds/store/store.h"
#include "pds/vault/db.h"

#include <string.h>

static const struct passphrase_cost CHEAPEST = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};
static const uint8_t KEY[KEY_BYTES] = {9, 8, 7};
enum { NOW = 1800000000 };

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

/* The kinds of all lines behind the first one, each with what it says: "sign-in.failed 3, sign-in , ". */
static void assert_told(struct made *m, const char *wanted)
{
    const struct trail_filter all = {.from = INT64_MIN, .to = INT64_MAX};
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(json_freep) json_t *entries = json_array();
    AUTO(buf_done) struct buf told;
    const json_t *entry;
    int64_t next;
    size_t i;

    buf_init(&told, 4096);
    buf_text(&told, "");
    assert_ok(store_view(m->store, &view));
    assert_ok(trail_entries(view.db, &all, 0, 100, entries, &next));
    json_array_foreach(entries, i, entry)
    {
        buf_printf(&told, "%s %s, ", json_string_value(json_object_get(entry, "kind")),
                   json_string_value(json_object_get(entry, "what")));
    }
    assert_string_equal(told.data ? told.data : "", wanted);
}

static void an_event_is_told_in_an_open_store_alone(void **state)
{
    static const struct event LOCKED = {EVENT_LOCKED, "owner", "", NULL};
    static const struct event BAD = {EVENT_LOCKED, "owner", "\xff", NULL};
    struct made *m = *state;

    assert_err(store_tell(m->store, &LOCKED, NOW), ERR_LOCKED);
    assert_ok(store_unlock(m->store, m->root, NOW));
    assert_err(store_tell(m->store, &BAD, NOW), ERR_INVALID);
    assert_ok(store_tell(m->store, &LOCKED, NOW));
    assert_told(m, "store.locked , ");
}

static void with_a_key_a_locked_store_is_opened_for_it(void **state)
{
    static const struct event CHANGED = {EVENT_PASSPHRASE_CHANGED, "owner", "", NULL};
    struct made *m = *state;
    AUTO(store_key_freep) struct store_key *other = store_key_new();

    assert_ok(store_tell_with_key(m->store, m->root, &CHANGED, NOW));
    assert_false(store_is_open(m->store));
    assert_err(store_tell_with_key(m->store, other, &CHANGED, NOW), ERR_WRONG_KEY);
    assert_ok(store_unlock(m->store, m->root, NOW));
    assert_ok(store_tell_with_key(m->store, m->root, &CHANGED, NOW));
    assert_true(store_is_open(m->store));
    assert_told(m, "passphrase.changed , passphrase.changed , ");
}

static void tries_on_a_locked_store_are_told_at_the_next_sign_in(void **state)
{
    struct made *m = *state;

    for (int i = 0; i < 4; i++)
        store_sign_in_failed(m->store);
    assert_err(store_signed_in(m->store, NOW), ERR_LOCKED); /* and they are not forgotten */
    assert_ok(store_unlock(m->store, m->root, NOW));
    assert_ok(store_signed_in(m->store, NOW));
    assert_ok(store_signed_in(m->store, NOW + 1));
    assert_told(m, "sign-in.failed 4, sign-in , sign-in , ");
}

static void tries_on_an_open_store_are_told_once_a_minute(void **state)
{
    struct made *m = *state;

    assert_ok(store_unlock(m->store, m->root, NOW));
    assert_ok(store_tell_failures(m->store, NOW));
    assert_told(m, "");
    store_sign_in_failed(m->store);
    assert_ok(store_tell_failures(m->store, NOW));
    assert_told(m, "sign-in.failed 1, ");
    for (int i = 0; i < 1000; i++)
        store_sign_in_failed(m->store);
    clock_set_running(50);
    assert_ok(store_tell_failures(m->store, NOW));
    assert_told(m, "sign-in.failed 1, ");
    clock_set_running(60); /* of the machine: the store's time may stand still */
    assert_ok(store_tell_failures(m->store, NOW));
    assert_ok(store_tell_failures(m->store, NOW));
    clock_set_running(0);
    assert_told(m, "sign-in.failed 1, sign-in.failed 1000, ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_event_is_told_in_an_open_store_alone, made_new, made_free),
        cmocka_unit_test_setup_teardown(with_a_key_a_locked_store_is_opened_for_it, made_new, made_free),
        cmocka_unit_test_setup_teardown(tries_on_a_locked_store_are_told_at_the_next_sign_in, made_new,
                                        made_free),
        cmocka_unit_test_setup_teardown(tries_on_an_open_store_are_told_once_a_minute, made_new, made_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
