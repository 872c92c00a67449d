#include "tests/integration/vault_common.h"

#include "pds/base/auto.h"
#include "pds/crypto/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const uint8_t STORE_ID[STORE_ID_BYTES] = "a store of tests";
static const char SQL_MAKE[] =
    "CREATE TABLE probe (n INTEGER NOT NULL, k INTEGER NOT NULL, last INTEGER NOT NULL,"
    " bytes BLOB NOT NULL, PRIMARY KEY (n, k)) STRICT";
static const char SQL_INDEX[] = "CREATE INDEX probe_by_bytes ON probe (substr(bytes, 1, 8))";
static const char SQL_PUT[] = "INSERT INTO probe (n, k, last, bytes) VALUES (?1, ?2, 0, ?3)";
static const char SQL_TOUCH[] = "UPDATE probe SET last = ?2 WHERE n = ?1";
static const char SQL_SMALL[] = "PRAGMA cache_size = 6";
static const char SQL_SAVE[] = "SAVEPOINT taken_back";
static const char SQL_TAKE_BACK[] = "ROLLBACK TO taken_back";
static const char SQL_SAVED[] = "RELEASE taken_back";
static const char SQL_FILL[] = "WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 60)"
                               " INSERT INTO probe SELECT 1000000 + n, 0, 0, randomblob(600) FROM i";
static const char SQL_REFILL[] = "UPDATE probe SET bytes = randomblob(620) WHERE n > 1000000";
static const char SQL_ALL[] = "SELECT n, k, last, bytes FROM probe ORDER BY n, k";

enum { LONG_BYTES = 9000 };

struct home home_new(void)
{
    struct home h = {.dir = tempdir_new()};

    assert_ok(random_start());
    h.key = store_key_new();
    assert_non_null(h.key);
    memset(h.key->bytes, 0x5a, KEY_BYTES);
    return h;
}

void home_done(struct home *h)
{
    store_key_free(h->key);
    tempdir_free(h->dir);
}

enum err home_create(const struct home *h) { return vault_create(tempdir_root(h->dir), h->key, STORE_ID); }

enum err home_open(const struct home *h, struct vault **out)
{
    return vault_open(tempdir_root(h->dir), h->key, STORE_ID, out);
}

void probe_problem(void *text, const char *where, const char *what)
{
    if (text && !*(char *)text)
        (void)snprintf(text, PROBE_TEXT_BYTES, "%s: %s", where, what);
}

enum err home_check(const struct home *h, struct vault_check_report *out)
{
    return vault_check_files(tempdir_root(h->dir), h->key, STORE_ID, probe_problem, NULL, out);
}

static enum err prepare(struct db *db, void *context)
{
    enum err e = db_run(db, SQL_MAKE, NO_PARAMS);

    (void)context;
    return e ? e : db_run(db, SQL_INDEX, NO_PARAMS);
}

enum err probe_prepare(struct vault *v) { return vault_write(v, prepare, NULL); }

static size_t fill(int64_t n, int k, uint8_t bytes[static LONG_BYTES])
{
    uint64_t state = (uint64_t)(n * 8 + k);
    size_t len = (size_t)(test_random(&state) % (n % 5 == 0 ? LONG_BYTES : 300)) + 8;

    if (len > LONG_BYTES)
        len = LONG_BYTES;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)test_random(&state);
    return len;
}

static int rows_of(int64_t n) { return 1 + (int)(n % 3); }

/* Rows that are taken back, more of them than the page cache holds: spilled pages change again, and are
 * dropped. */
static enum err put_and_take_back(struct db *db)
{
    enum err e = db_run(db, SQL_SAVE, NO_PARAMS);

    if (!e)
        e = db_run(db, SQL_FILL, NO_PARAMS);
    for (int i = 0; i < 2 && !e; i++)
        e = db_run(db, SQL_REFILL, NO_PARAMS);
    if (!e)
        e = db_run(db, SQL_TAKE_BACK, NO_PARAMS);
    return e ? e : db_run(db, SQL_SAVED, NO_PARAMS);
}

static enum err put(struct db *db, void *context)
{
    int64_t n = *(const int64_t *)context;
    uint8_t bytes[LONG_BYTES];
    enum err e = db_run(db, SQL_SMALL, NO_PARAMS);

    if (!e && n % 4 == 3)
        e = put_and_take_back(db);
    for (int k = 0; k < rows_of(n) && !e; k++)
        e = db_run(db, SQL_PUT, PARAMS(INT(n), INT(k), BLOB(bytes, fill(n, k, bytes))));
    if (!e && n > 2)
        e = db_run(db, SQL_TOUCH, PARAMS(INT(n / 2), INT(n)));
    return e;
}

enum err probe_put(struct vault *v, int64_t n) { return vault_write(v, put, &n); }

/* The job that changed the rows of n last, when the jobs up to last happened. */
static int64_t touched_by(int64_t n, int64_t last)
{
    int64_t by = 2 * n + 1 <= last ? 2 * n + 1 : 2 * n;

    return by <= last && by > 2 ? by : 0;
}

static enum err check_row(const struct stmt *row, int64_t n, int k, int64_t *last_touch)
{
    uint8_t bytes[LONG_BYTES];
    size_t len = fill(n, k, bytes);
    struct str stored = stmt_blob(row, 3);

    if (stmt_int(row, 0) != n || stmt_int(row, 1) != k)
        return err_set(ERR_CORRUPT, "row %" PRId64 ".%d instead of %" PRId64 ".%d", stmt_int(row, 0),
                       (int)stmt_int(row, 1), n, k);
    if (stored.len != len || memcmp(stored.ptr, bytes, len) != 0)
        return err_set(ERR_CORRUPT, "row %" PRId64 ".%d: other bytes", n, k);
    *last_touch = stmt_int(row, 2);
    return ERR_OK;
}

static enum err check_touches(const int64_t *touches, int64_t count)
{
    for (int64_t n = 1; n <= count; n++)
        if (touches[n] != touched_by(n, count))
            return err_set(ERR_CORRUPT, "row %" PRId64 ": changed by %" PRId64 " instead of %" PRId64, n,
                           touches[n], touched_by(n, count));
    return ERR_OK;
}

enum { JOBS_MAX = 20000 };

enum err probe_count(struct vault *v, int64_t *out)
{
    AUTO(reader_done) struct reader r = {v, NULL};
    AUTO(stmt_closep) struct stmt *row = NULL;
    static int64_t touches[JOBS_MAX + 1];
    int64_t n = 1;
    int k = 0;
    enum err e;

    if ((e = vault_read(v, &r.db)) || (e = db_query(r.db, SQL_ALL, NO_PARAMS, &row)))
        return e;
    while (!(e = stmt_next(row)) && n <= JOBS_MAX) {
        if ((e = check_row(row, n, k, &touches[n])))
            return e;
        if (++k == rows_of(n)) {
            n++;
            k = 0;
        }
    }
    if (e != ERR_NOT_FOUND)
        return e ? e : err_set(ERR_TOO_LARGE, "jobs");
    if (k != 0)
        return err_set(ERR_CORRUPT, "job %" PRId64 ": half of it", n);
    if ((e = check_touches(touches, n - 1)))
        return e;
    *out = n - 1;
    return ERR_OK;
}

enum err probe_check(struct vault *v)
{
    char text[PROBE_TEXT_BYTES] = "";
    struct vault_check_report report;
    enum err e = vault_check(v, probe_problem, text, &report);

    if (e)
        return e;
    return report.problems ? err_set(ERR_CORRUPT, "%s", text) : ERR_OK;
}
