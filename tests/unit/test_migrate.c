#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/crypto/random.h"
#include "pds/vault/db_internal.h"
#include "pds/vault/migrate.h"

#include <string.h>

static const uint8_t ID[STORE_ID_BYTES] = "steps";
static const char FIRST[] = "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1);";
static const char SECOND[] = "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = 2;";
static const char BROKEN[] = "CREATE TABLE b (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);";

static const struct embed ONE[] = {{"001_first.sql", FIRST, FIRST + sizeof FIRST - 1}, {NULL, NULL, NULL}};
static const struct embed TWO[] = {{"001_first.sql", FIRST, FIRST + sizeof FIRST - 1},
                                   {"002_second.sql", SECOND, SECOND + sizeof SECOND - 1},
                                   {NULL, NULL, NULL}};
static const struct embed BAD[] = {{"001_first.sql", FIRST, FIRST + sizeof FIRST - 1},
                                   {"002_broken.sql", BROKEN, BROKEN + sizeof BROKEN - 1},
                                   {NULL, NULL, NULL}};

extern const struct embed MIGRATIONS[];

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

static int64_t number(struct fixture *f, const char *sql)
{
    int64_t out = -1;

    assert_ok(db_number(f->db, sql, NO_PARAMS, &out));
    return out;
}

static void steps_run_once_and_in_order(void **state)
{
    struct fixture *f = *state;

    assert_ok(migrate_run(f->db, ONE));
    assert_int_equal(number(f, "PRAGMA user_version"), 1);
    assert_int_equal(number(f, "PRAGMA application_id"), MIGRATE_APPLICATION_ID);
    assert_ok(migrate_run(f->db, ONE));
    assert_ok(migrate_run(f->db, TWO));
    assert_int_equal(number(f, "PRAGMA user_version"), 2);
    assert_int_equal(number(f, "SELECT x * 10 + y FROM a"), 12);
}

static void a_step_that_fails_leaves_nothing(void **state)
{
    struct fixture *f = *state;

    assert_err(migrate_run(f->db, BAD), ERR_INTERNAL);
    assert_non_null(strstr(err_story(), "002_broken.sql"));
    assert_int_equal(number(f, "PRAGMA user_version"), 1);
    assert_int_equal(number(f, "SELECT count(*) FROM sqlite_schema WHERE name = 'b'"), 0);
    assert_ok(migrate_run(f->db, TWO));
}

static void a_newer_store_is_refused(void **state)
{
    struct fixture *f = *state;

    assert_ok(migrate_run(f->db, TWO));
    assert_err(migrate_run(f->db, ONE), ERR_UNSUPPORTED);
    assert_non_null(strstr(err_story(), "schema 2"));
}

static void a_database_of_something_else_is_refused(void **state)
{
    struct fixture *f = *state;

    assert_ok(db_script(f->db, "PRAGMA user_version = 1; PRAGMA application_id = 7"));
    assert_err(migrate_run(f->db, TWO), ERR_CORRUPT);
}

/* Jobs share a commit, and only a deferred constraint makes that fail for what one of them did. */
static void no_constraint_of_ours_is_deferred(void **state)
{
    struct fixture *f = *state;

    assert_ok(migrate_run(f->db, MIGRATIONS));
    assert_true(number(f, "SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%REFERENCES%'") > 0);
    assert_int_equal(number(f, "SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%DEFERR%'"), 0);
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(steps_run_once_and_in_order),       WITH_DB(a_step_that_fails_leaves_nothing),
        WITH_DB(a_newer_store_is_refused),          WITH_DB(a_database_of_something_else_is_refused),
        WITH_DB(no_constraint_of_ours_is_deferred),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
