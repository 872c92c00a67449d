/* Random SQL, statement by statement, on plain SQLite and on a sealed database: outcomes, messages and rows
 * are the same, through cache spills, savepoints, overflow pages, VACUUM, checkpoints, reopening and kills.
 */
#include "tests/integration/vault_common.h"
#include "tests/integration/vault_disk.h"

#include "pds/base/buf.h"
#include "pds/vault/db_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATEMENTS = 110000, LOOK_EVERY = 1500, TABLES = 5, SQL_BYTES = 512, ROWS_BYTES = 8 << 20 };

static const uint8_t ID[STORE_ID_BYTES] = "differential";
static struct home home;

struct pair {
    uint64_t random;
    sqlite3 *plain;
    struct vfs *vfs;
    struct db *db;
    uint64_t statements, failures, reopened, killed, checkpoints, vacuums;
    char sql[SQL_BYTES];
};

static int below(struct pair *p, int n) { return (int)(test_random(&p->random) % (uint64_t)n); }

static const char *value(struct pair *p, char *at, size_t size)
{
    switch (below(p, 8)) {
    case 0:
        return "NULL";
    case 1:
        (void)snprintf(at, size, "%d.5", below(p, 1000));
        break;
    case 2: /* long enough for overflow pages */
        (void)snprintf(at, size, "hex(zeroblob(%d)) || '%d'", below(p, 9000), below(p, 100));
        break;
    case 3:
        (void)snprintf(at, size, "zeroblob(%d)", below(p, 20000));
        break;
    case 4:
        (void)snprintf(at, size, "x'%08x%08x'", (unsigned)below(p, 1 << 30), (unsigned)below(p, 1 << 30));
        break;
    case 5:
        (void)snprintf(at, size, "'word %d and %d'", below(p, 50), below(p, 5000));
        break;
    default:
        (void)snprintf(at, size, "%d", below(p, 3000));
    }
    return at;
}

static void make_insert(struct pair *p)
{
    char b[64], c[64];
    int t = below(p, TABLES);

    (void)snprintf(p->sql, SQL_BYTES, "INSERT%s INTO t%d (a, b, c) VALUES (%d, %s, %s)",
                   below(p, 3) ? " OR REPLACE" : "", t, below(p, 400), value(p, b, sizeof b),
                   value(p, c, sizeof c));
}

static void make_change(struct pair *p)
{
    char v[64];
    int t = below(p, TABLES), from = below(p, 400);

    switch (below(p, 4)) {
    case 0:
        (void)snprintf(p->sql, SQL_BYTES, "DELETE FROM t%d WHERE a BETWEEN %d AND %d", t, from,
                       from + below(p, 40));
        break;
    case 1:
        (void)snprintf(p->sql, SQL_BYTES, "UPDATE t%d SET c = %s WHERE a > %d AND a < %d", t,
                       value(p, v, sizeof v), from, from + below(p, 30));
        break;
    case 2:
        (void)snprintf(p->sql, SQL_BYTES, "UPDATE OR IGNORE t%d SET a = a + %d WHERE a %% 7 = %d", t,
                       below(p, 5), below(p, 7));
        break;
    default:
        (void)snprintf(p->sql, SQL_BYTES,
                       "INSERT OR IGNORE INTO t%d SELECT a + %d, b, c FROM t%d WHERE a < %d", t, below(p, 50),
                       below(p, TABLES), below(p, 60));
    }
}

/* '@' is a table's number, '#' any. */
static void fill_in(struct pair *p, const char *pattern)
{
    size_t len = 0;

    for (; *pattern && len < SQL_BYTES - 8; pattern++) {
        if (*pattern == '@' || *pattern == '#')
            len += (size_t)snprintf(p->sql + len, SQL_BYTES - len, "%d",
                                    below(p, *pattern == '@' ? TABLES : 400));
        else
            p->sql[len++] = *pattern;
    }
    p->sql[len] = 0;
}

static void make_query(struct pair *p)
{
    static const char *const QUERIES[] = {
        "SELECT a, b FROM t@ WHERE a > # ORDER BY a LIMIT 20",
        "SELECT a, length(c), substr(c, 1, 20) FROM t@ WHERE a < # ORDER BY a",
        "SELECT count(*), sum(a), max(length(b)) FROM t@ WHERE a <> #",
        "SELECT b, count(*) FROM t@ GROUP BY b HAVING count(*) < # ORDER BY 1, 2 LIMIT 30",
        "SELECT a FROM t@ WHERE b = # ORDER BY a DESC",
        "SELECT x.a, y.b FROM t@ x JOIN t0 y ON x.a = y.a WHERE y.a < # ORDER BY x.a, y.b",
    };

    fill_in(p, QUERIES[below(p, COUNT_OF(QUERIES))]);
}

static void make_schema(struct pair *p)
{
    int t = below(p, TABLES);

    switch (below(p, 7)) {
    case 0:
        (void)snprintf(p->sql, SQL_BYTES, "DROP TABLE t%d", t);
        break;
    case 1:
        (void)snprintf(p->sql, SQL_BYTES, "CREATE TABLE t%d (a PRIMARY KEY, b, c) WITHOUT ROWID", t);
        break;
    case 2:
        (void)snprintf(p->sql, SQL_BYTES, "CREATE TABLE t%d (a INTEGER PRIMARY KEY, b, c)", t);
        break;
    case 3:
        (void)snprintf(p->sql, SQL_BYTES, "CREATE INDEX i%d_%d ON t%d (%s)", t, below(p, 2), t,
                       below(p, 2) ? "b" : "c, a");
        break;
    case 4:
        (void)snprintf(p->sql, SQL_BYTES, "DROP INDEX i%d_%d", t, below(p, 2));
        break;
    case 5:
        (void)snprintf(p->sql, SQL_BYTES, "REINDEX t%d", t);
        break;
    default:
        (void)snprintf(p->sql, SQL_BYTES,
                       "INSERT INTO words (rowid, text) SELECT a, 'alpha ' || b FROM t%d WHERE a < 30", t);
    }
}

static void make_frame(struct pair *p)
{
    static const char *const FRAMES[] = {
        "BEGIN",
        "BEGIN IMMEDIATE",
        "COMMIT",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT s",
        "SAVEPOINT r",
        "RELEASE s",
        "ROLLBACK TO s",
        "ROLLBACK TO r",
        "RELEASE r",
        "DELETE FROM words",
        "SELECT rowid, text FROM words WHERE words MATCH 'alpha' ORDER BY rowid LIMIT 9",
    };

    (void)snprintf(p->sql, SQL_BYTES, "%s", FRAMES[below(p, COUNT_OF(FRAMES))]);
}

static void make_statement(struct pair *p)
{
    int kind = below(p, 100);

    if (kind < 34)
        make_insert(p);
    else if (kind < 54)
        make_change(p);
    else if (kind < 74)
        make_query(p);
    else if (kind < 78)
        make_schema(p);
    else
        make_frame(p);
}

static bool is_change(const char *sql)
{
    return strncmp(sql, "INSERT", 6) == 0 || strncmp(sql, "UPDATE", 6) == 0 || strncmp(sql, "DELETE", 6) == 0;
}

/* Outcome and rows as text. */
static void ask(sqlite3 *db, const char *sql, struct buf *out)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);

    buf_clear(out);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        if ((rc = sqlite3_step(s)) != SQLITE_ROW)
            break;
        for (int i = 0; i < sqlite3_column_count(s); i++) {
            const void *bytes = sqlite3_column_blob(s, i);

            buf_printf(out, "%d:", sqlite3_column_type(s, i));
            buf_add(out, bytes ? bytes : "", (size_t)sqlite3_column_bytes(s, i));
            buf_char(out, '|');
        }
        buf_char(out, '\n');
    }
    buf_printf(out, "%d %s", rc, rc == SQLITE_DONE ? "" : sqlite3_errmsg(db));
    if (rc == SQLITE_DONE && !sqlite3_stmt_readonly(s))
        buf_printf(out, ", %d changed", is_change(sql) ? sqlite3_changes(db) : 0);
    (void)sqlite3_finalize(s);
    assert_ok(buf_err(out));
}

static void compare(struct pair *p, const char *sql)
{
    static struct buf plain = {.max = ROWS_BYTES}, sealed = {.max = ROWS_BYTES};

    ask(p->plain, sql, &plain);
    ask(p->db->handle, sql, &sealed);
    p->statements++;
    p->failures += strstr(plain.data + (plain.len > 200 ? plain.len - 200 : 0), "101 ") == NULL;
    if (plain.len != sealed.len || memcmp(plain.data, sealed.data, plain.len) != 0)
        fail_msg("statement %" PRIu64 " \"%s\":\n%.300s\ninstead of\n%.300s", p->statements, sql, sealed.data,
                 plain.data);
    if (plain.len > 1 << 16) {
        buf_done(&plain);
        buf_done(&sealed);
    }
}

static void open_sealed(struct pair *p, bool make)
{
    assert_ok(vfs_open(tempdir_root(home.dir), home.key, ID, make, &p->vfs));
    assert_ok(db_open(p->vfs, make ? DB_MAKER : DB_WRITER, &p->db));
    (void)sqlite3_limit(p->db->handle, SQLITE_LIMIT_LENGTH, 1 << 28);
    assert_ok(db_script(p->db, "PRAGMA cache_size = 12; PRAGMA foreign_keys = OFF"));
}

static void close_sealed(struct pair *p)
{
    db_close(p->db);
    vfs_close(p->vfs);
}

/* Both roll back what is open; the sealed one is closed, or killed, and opened again. */
static void reopen(struct pair *p)
{
    bool kill = below(p, 2) == 0;

    if (!sqlite3_get_autocommit(p->plain))
        compare(p, below(p, 2) ? "ROLLBACK" : "COMMIT");
    if (kill)
        disk_keep();
    close_sealed(p);
    if (kill)
        disk_put_back();
    open_sealed(p, false);
    p->reopened++;
    p->killed += kill;
}

static void maintain(struct pair *p)
{
    static const char *const MODES[] = {"PASSIVE", "FULL", "RESTART", "TRUNCATE"};
    char sql[64];

    switch (below(p, 4)) {
    case 0:
        reopen(p);
        break;
    case 1:
        compare(p, "VACUUM"); /* fails alike inside a transaction */
        p->vacuums++;
        break;
    default:
        (void)snprintf(sql, sizeof sql, "PRAGMA wal_checkpoint(%s)", MODES[below(p, 4)]);
        (void)sqlite3_exec(p->db->handle, sql, NULL, NULL, NULL); /* busy inside a transaction */
        p->checkpoints++;
    }
}

static void look(struct pair *p)
{
    char sql[64];

    for (int t = 0; t < TABLES; t++) {
        (void)snprintf(sql, sizeof sql, "SELECT * FROM t%d ORDER BY a", t);
        compare(p, sql);
    }
    compare(p, "SELECT name, sql FROM sqlite_schema ORDER BY name");
    compare(p, "PRAGMA integrity_check");
}

static void sealed_and_plain_do_the_same(void **state)
{
    static struct pair p;

    (void)state;
    p.random = test_seed();
    disk_empty();
    assert_int_equal(sqlite3_open(":memory:", &p.plain), SQLITE_OK);
    (void)sqlite3_extended_result_codes(p.plain, 1);
    open_sealed(&p, true);
    for (int t = 0; t < TABLES; t++) {
        (void)snprintf(p.sql, SQL_BYTES, "CREATE TABLE t%d (a INTEGER PRIMARY KEY, b, c)", t);
        compare(&p, p.sql);
    }
    compare(&p, "CREATE VIRTUAL TABLE words USING fts5 (text)");
    while (p.statements < STATEMENTS) {
        make_statement(&p);
        compare(&p, p.sql);
        if (below(&p, 250) == 0)
            maintain(&p);
        if (p.statements % LOOK_EVERY < 2)
            look(&p);
    }
    look(&p);
    print_message("%" PRIu64 " statements, %" PRIu64 " of them failing alike; %" PRIu64
                  " times reopened, %" PRIu64 " of them after a kill; %" PRIu64 " checkpoints, %" PRIu64
                  " VACUUM\n",
                  p.statements, p.failures, p.reopened, p.killed, p.checkpoints, p.vacuums);
    assert_false(atomic_load(&p.vfs->damaged));
    close_sealed(&p);
    (void)sqlite3_close(p.plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sealed_and_plain_do_the_same)};
    int failed;

    disk_start();
    home = home_new();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    disk_empty();
    home_done(&home);
    return failed;
}
