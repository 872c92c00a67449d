#include "tests/harness/fault.h"
#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/crypto/random.h"
#include "pds/vault/db_internal.h"

#include <stdio.h>
#include <string.h>

static const uint8_t ID[STORE_ID_BYTES] = "connections";
static const char SQL_PUT[] = "INSERT INTO t (a, b) VALUES (?1, ?2)";
static const char SQL_GET[] = "SELECT a, b, c FROM t WHERE a = ?1";
static const char SQL_ALL[] = "SELECT a FROM t ORDER BY a";
static const char SQL_DROP[] = "DELETE FROM t WHERE a > ?1";
static const char SQL_COUNT[] = "SELECT count(*) FROM t";
static const char SQL_NULL[] = "SELECT max(a) FROM t";
static const char SQL_FIND[] = "SELECT rowid FROM words WHERE words MATCH ?1";

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
    assert_ok(db_script(f.db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL UNIQUE, c BLOB) STRICT;"
                              "CREATE VIRTUAL TABLE words USING fts5 (text)"));
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

static void put(struct fixture *f, int64_t a, const char *b)
{
    assert_ok(db_run(f->db, SQL_PUT, PARAMS(INT(a), TEXT(b))));
}

static void db_run_tells_a_conflict_without_values(void **state)
{
    struct fixture *f = *state;

    put(f, 1, "a secret");
    assert_err(db_run(f->db, SQL_PUT, PARAMS(INT(2), TEXT("a secret"))), ERR_CONFLICT);
    assert_null(strstr(err_story(), "secret"));
    assert_err(db_run(f->db, SQL_PUT, PARAMS(INT(2), TEXT(NULL))), ERR_CONFLICT);
    assert_err(db_run(f->db, SQL_PUT, PARAMS(INT(2))), ERR_INTERNAL); /* a parameter is missing */
    assert_err(db_run(f->db, "SELECT nothing FROM t", NO_PARAMS), ERR_INTERNAL);
    assert_err(db_run(f->db, "", NO_PARAMS), ERR_INTERNAL);
}

static void db_query_tells_a_bad_search_without_its_words(void **state)
{
    struct fixture *f = *state;
    static const char *const BAD[] = {"\"secret", "secret:word", "secret AND", "NEAR(secret", "-secret"};

    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        AUTO(stmt_closep) struct stmt *row = NULL;

        assert_ok(db_query(f->db, SQL_FIND, PARAMS(TEXT(BAD[i])), &row));
        assert_row(BAD[i], stmt_next(row) == ERR_INVALID);
        assert_row(BAD[i], !strstr(err_story(), "secret"));
    }
}

static void db_change_counts_rows(void **state)
{
    struct fixture *f = *state;
    int64_t changed = -1;

    for (int64_t i = 1; i <= 5; i++)
        put(f, i, (char[]){(char)('a' + i), 0});
    assert_int_equal(db_last_rowid(f->db), 5);
    assert_ok(db_change(f->db, SQL_DROP, PARAMS(INT(2)), &changed));
    assert_int_equal(changed, 3);
    assert_ok(db_change(f->db, SQL_DROP, PARAMS(INT(2)), &changed));
    assert_int_equal(changed, 0);
}

static void db_change_survives_each_failing_allocation(void **state)
{
    struct fixture *f = *state;
    int64_t changed = -1;
    enum err e;

    put(f, 3, "x");
    db_close(f->db); /* nothing is prepared, no schema is loaded */
    f->db = NULL;
    assert_ok(db_open(f->vfs, DB_WRITER, &f->db));
    FAIL_EACH_ALLOCATION (e, db_change(f->db, SQL_DROP, PARAMS(INT(2)), &changed)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_int_equal(changed, -1);
    }
    assert_int_equal(changed, 1);
}

static void db_number_needs_a_row(void **state)
{
    struct fixture *f = *state;
    int64_t n = 7;

    assert_ok(db_number(f->db, SQL_COUNT, NO_PARAMS, &n));
    assert_int_equal(n, 0);
    assert_ok(db_number(f->db, SQL_NULL, NO_PARAMS, &n));
    assert_int_equal(n, 0);
    n = 7;
    assert_err(db_number(f->db, SQL_ALL, NO_PARAMS, &n), ERR_NOT_FOUND);
    assert_int_equal(n, 7);
}

static void db_query_runs_one_statement_twice_at_a_time(void **state)
{
    struct fixture *f = *state;
    AUTO(stmt_closep) struct stmt *outer = NULL;
    int64_t pairs = 0;

    for (int64_t i = 1; i <= 3; i++)
        put(f, i, (char[]){(char)('a' + i), 0});
    assert_ok(db_query(f->db, SQL_ALL, NO_PARAMS, &outer));
    while (!stmt_next(outer)) {
        AUTO(stmt_closep) struct stmt *inner = NULL;

        assert_ok(db_query(f->db, SQL_ALL, NO_PARAMS, &inner));
        while (!stmt_next(inner))
            pairs++;
    }
    assert_int_equal(pairs, 9);
}

/* SQL that is no constant: another text at the same address must not run the old statement. */
static void db_query_compares_the_text(void **state)
{
    struct fixture *f = *state;
    char sql[64];
    int64_t n;

    for (int i = 0; i < 3 * DB_STATEMENTS_KEPT; i++) {
        (void)snprintf(sql, sizeof sql, "SELECT %d", i);
        assert_ok(db_number(f->db, sql, NO_PARAMS, &n));
        assert_int_equal(n, i);
    }
    assert_true(f->db->kept <= DB_STATEMENTS_KEPT);
}

static void db_query_forgets_old_statements(void **state)
{
    struct fixture *f = *state;
    static char sqls[2 * DB_STATEMENTS_KEPT][24];
    int64_t n;

    for (int i = 0; i < 2 * DB_STATEMENTS_KEPT; i++) {
        (void)snprintf(sqls[i], sizeof sqls[i], "SELECT %d", i);
        assert_ok(db_number(f->db, sqls[i], NO_PARAMS, &n));
        assert_int_equal(n, i);
    }
    assert_true(f->db->kept <= DB_STATEMENTS_KEPT);
}

static enum err get_row(struct fixture *f, bool *found)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e = db_query(f->db, SQL_GET, PARAMS(INT(1)), &row);

    if (!e && !(e = stmt_next(row)))
        *found = str_eq(stmt_text(row, 1), STR("x"));
    return e;
}

static void db_query_survives_each_failing_allocation(void **state)
{
    struct fixture *f = *state;
    bool found = false;
    enum err e;

    put(f, 1, "x");
    db_close(f->db); /* nothing is prepared, no schema is loaded */
    f->db = NULL;
    assert_ok(db_open(f->vfs, DB_WRITER, &f->db));
    FAIL_EACH_ALLOCATION (e, get_row(f, &found)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_false(found);
    }
    assert_true(found);
}

static void db_open_survives_each_failing_allocation(void **state)
{
    struct fixture *f = *state;
    struct db *second = NULL;
    long live;
    enum err e;

    assert_ok(db_open(f->vfs, DB_READER, &second));
    db_close(second); /* SQLite keeps its descriptor for the next one */
    second = NULL;
    live = mem_live();

    FAIL_EACH_ALLOCATION (e, db_open(f->vfs, DB_READER, &second)) {
        if (!e) { /* SQLite does without some allocations */
            db_close(second);
            second = NULL;
            continue;
        }
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(second);
        assert_int_equal(mem_live(), live);
    }
    db_close(second);
}

static void settings_are_as_the_brief_asks(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *sql;
        int64_t value;
    } ROWS[] = {
        {"PRAGMA foreign_keys", 1},       {"PRAGMA trusted_schema", 0}, {"PRAGMA cell_size_check", 1},
        {"PRAGMA secure_delete", 1},      {"PRAGMA synchronous", 2},    {"PRAGMA temp_store", 2},
        {"PRAGMA wal_autocheckpoint", 0}, {"PRAGMA page_size", 4096},
    };

    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        int64_t value = -1;

        assert_ok(db_number(f->db, ROWS[i].sql, NO_PARAMS, &value));
        assert_row(ROWS[i].sql, value == ROWS[i].value);
    }
    assert_err(db_script(f->db, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'x'"),
               ERR_INTERNAL);
    assert_err(db_script(f->db, "SELECT load_extension('x')"), ERR_INTERNAL);
    assert_err(db_script(f->db, "SELECT \"not a column\""), ERR_INTERNAL);
}

static void db_error_gives_each_code_its_outcome(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name;
        int code;
        enum err outcome;
    } ROWS[] = {
        {"ok", SQLITE_OK, ERR_OK},
        {"busy", SQLITE_BUSY, ERR_BUSY},
        {"locked", SQLITE_LOCKED, ERR_BUSY},
        {"full", SQLITE_FULL, ERR_FULL},
        {"too big", SQLITE_TOOBIG, ERR_TOO_LARGE},
        {"interrupted", SQLITE_INTERRUPT, ERR_TIMEOUT},
        {"mismatch", SQLITE_MISMATCH, ERR_INVALID},
        {"memory", SQLITE_NOMEM, ERR_NO_MEMORY},
        {"memory of a file", SQLITE_IOERR_NOMEM, ERR_NO_MEMORY},
        {"write", SQLITE_IOERR_WRITE, ERR_IO},
        {"open", SQLITE_CANTOPEN, ERR_IO},
        {"constraint", SQLITE_CONSTRAINT_UNIQUE, ERR_CONFLICT},
        {"misuse", SQLITE_MISUSE, ERR_INTERNAL},
    };

    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_row(ROWS[i].name, db_error(f->db, ROWS[i].code) == ROWS[i].outcome);
    assert_false(atomic_load(&f->vfs->damaged));
    assert_err(db_error(f->db, SQLITE_CORRUPT_INDEX),
               ERR_CORRUPT); /* SQLite's own finding counts as damage too */
    assert_true(atomic_load(&f->vfs->damaged));
    atomic_store(&f->vfs->ended, true);
    assert_err(db_error(f->db, SQLITE_IOERR_WRITE), ERR_IO);
    assert_string_equal(err_story(), "writing has ended after a failed sync");
}

static void values_over_the_ceiling_are_refused(void **state)
{
    struct fixture *f = *state;

    assert_err(db_script(f->db, "SELECT zeroblob(16 * 1024 * 1024 + 1)"), ERR_TOO_LARGE);
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(db_run_tells_a_conflict_without_values),
        WITH_DB(db_query_tells_a_bad_search_without_its_words),
        WITH_DB(db_change_counts_rows),
        WITH_DB(db_change_survives_each_failing_allocation),
        WITH_DB(db_number_needs_a_row),
        WITH_DB(db_query_runs_one_statement_twice_at_a_time),
        WITH_DB(db_query_compares_the_text),
        WITH_DB(db_query_forgets_old_statements),
        WITH_DB(db_query_survives_each_failing_allocation),
        WITH_DB(db_open_survives_each_failing_allocation),
        WITH_DB(db_error_gives_each_code_its_outcome),
        WITH_DB(values_over_the_ceiling_are_refused),
        WITH_DB(settings_are_as_the_brief_asks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
