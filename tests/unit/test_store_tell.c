#include "tests/harness/tmpstore.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/store/store.h"
#include "pds/vault/db.h"

#include <string.h>

enum { NOW = TMPSTORE_NOW };

/* The kinds of all lines behind the first one, each with what it says: "sign-in.failed 3, sign-in , ". */
static void assert_told(struct tmpstore *m, const char *wanted)
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
    struct tmpstore *m = *state;

    assert_err(store_tell(m->store, &LOCKED, NOW), ERR_LOCKED);
    assert_ok(store_unlock(m->store, m->root, NOW));
    assert_err(store_tell(m->store, &BAD, NOW), ERR_INVALID);
    assert_ok(store_tell(m->store, &LOCKED, NOW));
    assert_told(m, "store.locked , ");
}

static void with_a_key_a_locked_store_is_opened_for_it(void **state)
{
    static const struct event CHANGED = {EVENT_PASSPHRASE_CHANGED, "owner", "", NULL};
    struct tmpstore *m = *state;
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
    struct tmpstore *m = *state;

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
    struct tmpstore *m = *state;

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
        cmocka_unit_test_setup_teardown(an_event_is_told_in_an_open_store_alone, tmpstore_set_up,
                                        tmpstore_tear_down),
        cmocka_unit_test_setup_teardown(with_a_key_a_locked_store_is_opened_for_it, tmpstore_set_up,
                                        tmpstore_tear_down),
        cmocka_unit_test_setup_teardown(tries_on_a_locked_store_are_told_at_the_next_sign_in, tmpstore_set_up,
                                        tmpstore_tear_down),
        cmocka_unit_test_setup_teardown(tries_on_an_open_store_are_told_once_a_minute, tmpstore_set_up,
                                        tmpstore_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
