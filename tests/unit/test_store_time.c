/* Row 34 of the security brief: clocks that are wrong. */
#include "tests/harness/tmpstore.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/store/import.h"
#include "pds/store/store.h"
#include "pds/vault/vault.h"

#include <string.h>

enum { NOW = TMPSTORE_NOW, YEAR = 365 * 86400 };

static const struct event PUT = {EVENT_RECORDS_PUT, "owner", "", NULL};

static int64_t last_time(struct tmpstore *m)
{
    AUTO(store_view_done) struct store_view view = {0};
    int64_t at = 0;

    assert_ok(store_view(m->store, &view));
    assert_ok(trail_time(view.db, &at));
    return at;
}

/* The store again, as after a restart of the program: what was only seen is forgotten. */
static void restart(struct tmpstore *m)
{
    store_free(m->store);
    m->store = NULL;
    assert_ok(store_new(tempdir_path(m->dir, "store"), &m->store));
}

/* What the clock says, one after the other, and the time by which the store acts. */
static void time_goes_on_whatever_the_clock_does(void **state)
{
    static const struct {
        const char *name, *clock, *wanted;
    } ROWS[] = {
        {"as it is", "2027-01-15T08:00:00Z", "2027-01-15T08:00:00Z"},
        {"a second back", "2027-01-15T07:59:59Z", "2027-01-15T08:00:00Z"},
        {"a year back", "2026-01-15T08:00:00Z", "2027-01-15T08:00:00Z"},
        {"on", "2027-01-15T08:00:01Z", "2027-01-15T08:00:01Z"},
        {"before the summer", "2027-03-28T00:59:59Z", "2027-03-28T00:59:59Z"},
        {"summer time begins", "2027-03-28T01:00:00Z", "2027-03-28T01:00:00Z"},
        {"a clock that shows it as universal", "2027-03-28T03:00:00Z", "2027-03-28T03:00:00Z"},
        {"set right again", "2027-03-28T01:00:01Z", "2027-03-28T03:00:00Z"},
        {"summer time ends", "2027-10-31T01:00:00Z", "2027-10-31T01:00:00Z"},
        {"a leap day", "2028-02-29T23:59:59Z", "2028-02-29T23:59:59Z"},
        {"after it", "2028-03-01T00:00:00Z", "2028-03-01T00:00:00Z"},
        {"a year forward", "2029-03-01T00:00:00Z", "2029-03-01T00:00:00Z"},
        {"and back", "2028-03-01T00:00:01Z", "2029-03-01T00:00:00Z"},
        {"the last second of 32 bits", "2038-01-19T03:14:07Z", "2038-01-19T03:14:07Z"},
        {"the next", "2038-01-19T03:14:08Z", "2038-01-19T03:14:08Z"},
        {"a clock at its beginning", "1970-01-01T00:00:00Z", "2038-01-19T03:14:08Z"},
        {"before it", "1901-12-13T20:45:52Z", "2038-01-19T03:14:08Z"},
        {"the last year", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"},
    };
    struct tmpstore *m = *state;

    assert_ok(store_unlock(m->store, m->root, NOW));
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        int64_t clock, wanted;

        assert_ok(clock_parse(str_of(ROWS[i].clock), &clock, NULL));
        assert_ok(clock_parse(str_of(ROWS[i].wanted), &wanted, NULL));
        assert_row(ROWS[i].name, store_now(m->store, clock) == wanted);
        assert_ok(store_tell(m->store, &PUT, clock));
        assert_row(ROWS[i].name, last_time(m) == wanted);
    }
}

static void what_the_trail_tells_is_known_after_a_restart(void **state)
{
    struct tmpstore *m = *state;

    assert_ok(store_unlock(m->store, m->root, NOW));
    assert_ok(store_tell(m->store, &PUT, NOW + YEAR));
    restart(m);
    assert_int_equal(store_now(m->store, NOW), NOW); /* a locked store knows nothing */
    assert_ok(store_unlock(m->store, m->root, NOW));
    assert_int_equal(store_now(m->store, NOW), NOW + YEAR);
    assert_int_equal(store_now(m->store, NOW + YEAR + 1), NOW + YEAR + 1);
}

static void what_was_only_seen_is_not_kept_for_ever(void **state)
{
    struct tmpstore *m = *state;

    assert_ok(store_unlock(m->store, m->root, NOW));
    assert_int_equal(store_now(m->store, NOW + YEAR), NOW + YEAR);
    assert_ok(store_lock(m->store));
    assert_ok(store_unlock(m->store, m->root, NOW + 1)); /* the same program */
    assert_int_equal(store_now(m->store, NOW + 1), NOW + YEAR);
    restart(m);
    assert_ok(store_unlock(m->store, m->root, NOW + 1));
    assert_int_equal(store_now(m->store, NOW + 1), NOW + 1);
}

static void an_import_by_a_clock_set_back_is_told_where_it_happened(void **state)
{
    struct tmpstore *m = *state;
    const struct dataset *d = NULL;
    const struct record r = {.start_at = NOW, .end_at = NOW + 60, .quality = RECORD_MEASURED, .present = 1};
    struct vault *vault;
    int64_t clocks[] = {NOW + 60, NOW - YEAR, INT64_C(1) << 31, NOW};
    int64_t before = 0;

    assert_ok(dataset_find(STR("energy.electricity.consumption"), &d));
    assert_ok(store_unlock(m->store, m->root, NOW));
    assert_ok(store_enter(m->store, &vault));
    for (size_t i = 0; i < COUNT_OF(clocks); i++) {
        AUTO(import_freep) struct import *one = NULL;
        int64_t now = store_now(m->store, clocks[i]);

        assert_true(now >= before);
        assert_ok(import_new(vault, STR("a"), now, &one));
        assert_ok(import_add(one, d, "enedis", STR("1"), "curve", &r));
        assert_ok(import_close(one, now));
        assert_int_equal(last_time(m), now);
        before = now;
    }
    store_leave(m->store);
}

/* The trail of a store of the first schema, or a fresh one, begins when it is opened, once. */
static void a_trail_begins_at_the_first_opening(void **state)
{
    struct tmpstore *m = *state;
    AUTO(json_freep) json_t *list = NULL;
    const struct trail_filter all = {.from = INT64_MIN, .to = INT64_MAX};

    for (int i = 0; i < 3; i++) {
        assert_ok(store_unlock(m->store, m->root, NOW + i));
        restart(m);
    }
    assert_ok(store_unlock(m->store, m->root, NOW + 3));
    AUTO(store_view_done) struct store_view view = {0};
    assert_ok(store_view(m->store, &view));
    assert_ok(trail_list(view.db, &all, -1, 10, &list));
    assert_int_equal(json_array_size(json_object_get(list, "entries")), 1);
    assert_int_equal(store_now(m->store, 0), NOW + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(time_goes_on_whatever_the_clock_does, tmpstore_set_up,
                                        tmpstore_tear_down),
        cmocka_unit_test_setup_teardown(what_the_trail_tells_is_known_after_a_restart, tmpstore_set_up,
                                        tmpstore_tear_down),
        cmocka_unit_test_setup_teardown(what_was_only_seen_is_not_kept_for_ever, tmpstore_set_up,
                                        tmpstore_tear_down),
        cmocka_unit_test_setup_teardown(an_import_by_a_clock_set_back_is_told_where_it_happened,
                                        tmpstore_set_up, tmpstore_tear_down),
        cmocka_unit_test_setup_teardown(a_trail_begins_at_the_first_opening, tmpstore_set_up,
                                        tmpstore_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
