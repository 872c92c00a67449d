#include "tests/harness/fault.h"
#include "tests/harness/test.h"
#include "tests/harness/tmpvault.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/limits.h"

#include <stdio.h>
#include <string.h>

enum { NOW = 1700000000, LINES = 20 };

static enum err fill_work(struct db *db, void *context)
{
    static const struct event PUT = {EVENT_RECORDS_PUT, "owner", "energy.gas.consumption", "c1"};
    enum err e = trail_begin(db, TMPVAULT_ID, NOW);

    (void)context;
    for (int i = 1; i < LINES && !e; i++)
        e = trail_add(db, &PUT, NOW + i, NULL);
    return e ? e : trail_blank(db, 3);
}

static enum err sql_work(struct db *db, void *context) { return db_run(db, context, NO_PARAMS); }

struct findings {
    int count;
    char where[64], what[128]; /* of the first */
};

static void found(void *context, const char *where, const char *what)
{
    struct findings *f = context;

    if (f->count++ == 0) {
        (void)snprintf(f->where, sizeof f->where, "%s", where);
        (void)snprintf(f->what, sizeof f->what, "%s", what);
    }
}

static void check(struct tmpvault *v, struct findings *f, int64_t *lines)
{
    AUTO(reader_done) struct reader r = {v->vault, NULL};

    *f = (struct findings){0};
    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(trail_check(r.db, found, f, lines));
}

static void a_whole_trail_has_nothing_wrong(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *empty = tmpvault_new();
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    struct findings f;
    int64_t lines = -1;

    (void)state;
    check(empty, &f, &lines);
    assert_int_equal(f.count, 0);
    assert_int_equal(lines, 0);
    assert_ok(vault_write(v->vault, fill_work, NULL));
    check(v, &f, &lines);
    assert_int_equal(f.count, 0);
    assert_int_equal(lines, LINES);
}

/* What is done to the tables, and the first place that is then told. */
static void each_change_is_noticed_where_it_is(void **state)
{
    static const struct {
        const char *sql, *where;
    } ROWS[] = {
        {"UPDATE trail_entry SET what = 'other' WHERE number = 7", "trail line 7"},
        {"UPDATE trail_entry SET kind = 'sign-in' WHERE number = 19", "trail line 19"},
        {"UPDATE trail_entry SET kind = 'nothing' WHERE number = 7", "trail line 7"},
        {"UPDATE trail_entry SET who = 'someone' WHERE number = 3", "trail line 3"},
        {"UPDATE trail_entry SET consent = NULL WHERE number = 8", "trail line 8"},
        {"UPDATE trail_entry SET at = at + 1 WHERE number = 9", "trail line 9"},
        {"UPDATE trail_entry SET at = at - 2 WHERE number = 2", "trail line 2"},
        {"UPDATE trail_entry SET salt = zeroblob(32) WHERE number = 10", "trail line 10"},
        {"UPDATE trail_entry SET salt = zeroblob(3) WHERE number = 10", "trail line 10"},
        {"UPDATE trail_entry SET salt = NULL WHERE number = 10", "trail line 10"},
        {"UPDATE trail_entry SET what = 'back' WHERE number = 1", "trail line 1"},
        {"UPDATE trail_entry SET leaf_hash = zeroblob(32) WHERE number = 1", "trail line 1"},
        {"UPDATE trail_entry SET leaf_hash = zeroblob(32) WHERE number = 11", "trail line 11"},
        {"UPDATE trail_entry SET leaf_hash = zeroblob(31) WHERE number = 11", "trail line 11"},
        {"DELETE FROM trail_entry WHERE number = 12", "trail line 12"},
        {"DELETE FROM trail_entry WHERE number = 0", "trail line 0"},
        {"DELETE FROM trail_entry WHERE number > 15", "trail line 16"},
        {"UPDATE trail_entry SET number = 100 WHERE number = 5", "trail line 5"},
        {"UPDATE trail_entry SET number = -1 WHERE number = 0", "trail line -1"},
        {"UPDATE trail_entry SET number = 9223372036854775807 WHERE number = 19",
         "trail line 9223372036854775807"},
        {"UPDATE trail_node SET hash = zeroblob(32) WHERE place = 14", "trail line 7"},
        {"UPDATE trail_node SET hash = zeroblob(3) WHERE place = 14", "trail line 7"},
        {"DELETE FROM trail_node WHERE place = 5", "trail line 3"},
        {"INSERT INTO trail_node (place, hash) VALUES (3, zeroblob(32))", "trail line 3"},
        {"INSERT INTO trail_node (place, hash) VALUES (300, zeroblob(32))", "trail line 20"},
        {"DELETE FROM signing_key", "signing key"},
        {"UPDATE signing_key SET seed = zeroblob(32)", "signing key"},
        {"UPDATE signing_key SET seed = zeroblob(2)", "signing key"},
        {"UPDATE signing_key SET public_key = zeroblob(2)", "signing key"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
        struct findings f;
        int64_t lines;

        assert_ok(vault_write(v->vault, fill_work, NULL));
        assert_ok(vault_write(v->vault, sql_work, (void *)(uintptr_t)ROWS[i].sql));
        check(v, &f, &lines);
        assert_row(ROWS[i].sql, f.count > 0);
        assert_string_equal(f.where, ROWS[i].where);
    }
}

static void checking_survives_each_failing_allocation(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    AUTO(buf_done) struct buf note;
    struct findings f = {0};
    int64_t lines = -1;
    enum err e;

    (void)state;
    assert_ok(vault_write(v->vault, fill_work, NULL));
    assert_ok(vault_read(v->vault, &r.db));
    FAIL_EACH_ALLOCATION (e, trail_check(r.db, found, &f, &lines)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_int_equal(f.count, 0); /* no memory is no finding */
        assert_int_equal(lines, -1);
    }
    assert_int_equal(lines, LINES);
    buf_init(&note, LIMIT_PROOF_BYTES);
    assert_ok(trail_checkpoint(r.db, &note));
    FAIL_EACH_ALLOCATION (e, trail_check_since(r.db, (struct str){note.data, note.len})) {
        assert_int_equal(e, ERR_NO_MEMORY); /* nor is it another past */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_trail_has_nothing_wrong),
        cmocka_unit_test(each_change_is_noticed_where_it_is),
        cmocka_unit_test(checking_survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
