#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/crypto/random.h"
#include "pds/vault/db_internal.h"

#include <string.h>

static const uint8_t ID[STORE_ID_BYTES] = "statements";
static const char SQL_BACK[] = "SELECT ?1, ?2, ?3, ?4, ?5, ?6";
static const char SQL_ROWS[] = "SELECT column1 FROM (VALUES (1), (2))";

struct fixture {
    struct tempdir *dir;
    struct store_key *key;
    struct vfs *vfs;
    struct db *db;
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){.dir = tempdir_new()};
    assert_ok(random_start());
    assert_ok(db_start());
    f.key = store_key_new();
    assert_non_null(f.key);
    assert_ok(vfs_open(tempdir_root(f.dir), f.key, ID, true, &f.vfs));
    assert_ok(db_open(f.vfs, DB_MAKER, &f.db));
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    db_close(f->db);
    vfs_close(f->vfs);
    store_key_free(f->key);
    tempdir_free(f->dir);
    return 0;
}

static void stmt_gives_back_what_it_was_given(void **state)
{
    struct fixture *f = *state;
    AUTO(stmt_closep) struct stmt *s = NULL;
    struct str part = {"partly", 4};

    assert_ok(db_query(
        f->db, SQL_BACK,
        PARAMS(INT(INT64_MIN), TEXT("été"), STR_TEXT(part), BLOB("\0\1", 2), NIL, BLOB(NULL, 0)), &s));
    assert_ok(stmt_next(s));
    assert_true(stmt_int(s, 0) == INT64_MIN);
    assert_true(str_eq(stmt_text(s, 1), STR("été")));
    assert_true(str_eq(stmt_text(s, 2), STR("part")));
    assert_int_equal(stmt_blob(s, 3).len, 2);
    assert_memory_equal(stmt_blob(s, 3).ptr, "\0\1", 2);
    assert_true(stmt_is_null(s, 4));
    assert_int_equal(stmt_text(s, 4).len, 0);
    assert_non_null(stmt_text(s, 4).ptr);
    assert_false(stmt_is_null(s, 5)); /* an empty blob is not NULL */
    assert_int_equal(stmt_blob(s, 5).len, 0);
    assert_non_null(stmt_blob(s, 5).ptr);
    assert_true(param_text(NULL).kind == PARAM_NULL);
}

static void a_column_is_told_as_json_or_null(void **state)
{
    static const char SQL_TOLD[] = "SELECT 'été', '', NULL, 0, 1800000000";
    struct fixture *f = *state;
    AUTO(stmt_closep) struct stmt *s = NULL;
    AUTO(json_freep) json_t *all = NULL;
    AUTO(json_freep)
    json_t *wanted =
        json_pack("[s, s, n, n, s, s]", "été", "", "1970-01-01T00:00:00Z", "2027-01-15T08:00:00Z");

    assert_ok(db_query(f->db, SQL_TOLD, NO_PARAMS, &s));
    assert_ok(stmt_next(s));
    all = json_pack("[o, o, o, o, o, o]", stmt_json_text(s, 0), stmt_json_text(s, 1), stmt_json_text(s, 2),
                    stmt_json_instant(s, 2), stmt_json_instant(s, 3), stmt_json_instant(s, 4));
    assert_true(json_equal(all, wanted));
}

static void stmt_next_ends_with_not_found(void **state)
{
    struct fixture *f = *state;
    AUTO(stmt_closep) struct stmt *s = NULL;

    assert_ok(db_query(f->db, SQL_ROWS, NO_PARAMS, &s));
    assert_ok(stmt_next(s));
    assert_ok(stmt_next(s));
    assert_err(stmt_next(s), ERR_NOT_FOUND);
    assert_string_equal(err_story(), "no such row");
}

static void stmt_close_of_nothing_is_fine(void **state)
{
    (void)state;
    stmt_close(NULL);
    stmt_free(NULL);
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(stmt_gives_back_what_it_was_given),
        WITH_DB(a_column_is_told_as_json_or_null),
        WITH_DB(stmt_next_ends_with_not_found),
        cmocka_unit_test(stmt_close_of_nothing_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
