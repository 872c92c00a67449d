#include "work.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double cpu_now(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double wall_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(sqlite3 *db, int rc)
{
    if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW)
        return;
    (void)fprintf(stderr, "bench: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static void run(sqlite3 *db, const char *sql) { must(db, sqlite3_exec(db, sql, NULL, NULL, NULL)); }

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s = NULL;

    must(db, sqlite3_prepare_v2(db, sql, -1, &s, NULL));
    return s;
}

/* Numbers that look random, the same in every run. */
static uint32_t next_number(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

/* A number in words: text of various lengths. */
static int in_words(uint32_t n, char *at, size_t size)
{
    static const char *const WORDS[] = {"zero", "one", "two",   "three", "four",
                                        "five", "six", "seven", "eight", "nine"};
    int used = 0;

    do {
        used += snprintf(at + used, size - (size_t)used, "%s ", WORDS[n % 10]);
        n /= 10;
    } while (n);
    return used;
}

static void step_all(sqlite3 *db, sqlite3_stmt *s, struct work_result *out)
{
    int rc;

    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(s); i++) {
            const unsigned char *text = sqlite3_column_text(s, i);

            for (int k = 0; text && text[k]; k++)
                out->digest = (long long)((unsigned long long)out->digest * 31u + text[k]);
        }
    }
    must(db, rc);
    must(db, sqlite3_reset(s));
}

struct timing {
    double cpu, wall;
};

static struct timing begin(void) { return (struct timing){cpu_now(), wall_now()}; }

static void end(struct work_result *out, const char *name, struct timing t)
{
    out->parts[out->count++] = (struct work_part){name, cpu_now() - t.cpu, wall_now() - t.wall};
}

static void insert_rows(sqlite3 *db, const char *sql, int count, int ordered, uint64_t *seed)
{
    sqlite3_stmt *s = prepare(db, sql);
    char words[200];

    run(db, "BEGIN");
    for (int i = 1; i <= count; i++) {
        uint32_t n = next_number(seed) % 500000;

        must(db, sqlite3_bind_int64(s, 1, ordered ? i : (int64_t)(next_number(seed) % 4000000) * 1000 + i));
        must(db, sqlite3_bind_int64(s, 2, n));
        must(db, sqlite3_bind_text(s, 3, words, in_words(n, words, sizeof words), SQLITE_TRANSIENT));
        must(db, sqlite3_step(s));
        must(db, sqlite3_reset(s));
    }
    run(db, "COMMIT");
    must(db, sqlite3_finalize(s));
}

static void ranges(sqlite3 *db, const char *sql, int count, int width, uint64_t *seed,
                   struct work_result *out)
{
    sqlite3_stmt *s = prepare(db, sql);

    run(db, "BEGIN");
    for (int i = 0; i < count; i++) {
        int64_t low = next_number(seed) % 500000;

        must(db, sqlite3_bind_int64(s, 1, low));
        must(db, sqlite3_bind_int64(s, 2, low + width));
        step_all(db, s, out);
    }
    run(db, "COMMIT");
    must(db, sqlite3_finalize(s));
}

static void once(sqlite3 *db, const char *sql, struct work_result *out)
{
    sqlite3_stmt *s = prepare(db, sql);

    step_all(db, s, out);
    must(db, sqlite3_finalize(s));
}

void work_general(sqlite3 *db, int size, struct work_result *out)
{
    uint64_t seed = 42;
    int n = size * 500;
    struct timing t;

    *out = (struct work_result){0};
    run(db, "CREATE TABLE t1 (a INTEGER, b INTEGER, c TEXT); CREATE TABLE t2 (a INTEGER PRIMARY KEY, b "
            "INTEGER, c TEXT);"
            "CREATE TABLE t3 (a INTEGER PRIMARY KEY, b INTEGER UNIQUE, c TEXT)");
    t = begin();
    insert_rows(db, "INSERT INTO t1 VALUES (?1, ?2, ?3)", n, 0, &seed);
    end(out, "inserts, no index", t), t = begin();
    insert_rows(db, "INSERT INTO t2 VALUES (?1, ?2, ?3)", n, 1, &seed);
    end(out, "inserts, ordered key", t), t = begin();
    insert_rows(db, "INSERT OR IGNORE INTO t3 VALUES (?1, ?2, ?3)", n, 0, &seed);
    end(out, "inserts, random key and index", t), t = begin();
    ranges(db, "SELECT count(*), avg(b), sum(length(c)) FROM t1 WHERE b BETWEEN ?1 AND ?2", 25, 10000, &seed,
           out);
    end(out, "ranges, no index", t), t = begin();
    once(db, "SELECT count(*) FROM t1 WHERE c LIKE '%five two%'", out);
    once(db, "SELECT a, b, c FROM t1 WHERE c LIKE '%nine nine%' ORDER BY a", out);
    end(out, "text scan and sort", t), t = begin();
    run(db, "CREATE INDEX t1b ON t1 (b); CREATE INDEX t1c ON t1 (c); CREATE INDEX t2b ON t2 (b, a)");
    end(out, "three indexes", t), t = begin();
    ranges(db, "SELECT count(*), avg(b), sum(length(c)) FROM t1 WHERE b BETWEEN ?1 AND ?2", n / 20, 200,
           &seed, out);
    ranges(db, "SELECT a, c FROM t2 WHERE b BETWEEN ?1 AND ?2", n / 20, 200, &seed, out);
    end(out, "ranges, indexed", t), t = begin();
    ranges(db, "UPDATE t2 SET b = b * 2 WHERE a BETWEEN ?1 AND ?1 + 2 AND ?2 > 0", n / 4, 0, &seed, out);
    ranges(db, "UPDATE t2 SET c = 'changed ' || c WHERE a = ?1 AND ?2 > 0", n / 4, 0, &seed, out);
    end(out, "updates by key", t), t = begin();
    run(db, "BEGIN; UPDATE t3 SET b = -b, c = c || '.'; COMMIT");
    end(out, "one large update", t), t = begin();
    run(db, "BEGIN; INSERT INTO t1 SELECT a, -b, c FROM t2; COMMIT");
    end(out, "insert from select", t), t = begin();
    run(db, "BEGIN; DELETE FROM t1 WHERE c LIKE '%four%'; DELETE FROM t2 WHERE a % 3 = 0; COMMIT");
    end(out, "deletes", t), t = begin();
    run(db, "BEGIN; INSERT INTO t2 SELECT a % 1000000007, b, c FROM t1 WHERE true ON CONFLICT DO NOTHING; "
            "REPLACE INTO t3 SELECT a, rowid + 600000, c FROM t1; COMMIT");
    end(out, "refill and replace", t), t = begin();
    once(db, "SELECT count(*), sum(t2.b) FROM t1 JOIN t2 ON t2.b = t1.b WHERE t1.b BETWEEN 1000 AND 60000",
         out);
    once(db, "SELECT count(*) FROM t3 WHERE a IN (SELECT a FROM t1)", out);
    end(out, "joins", t), t = begin();
    once(db, "PRAGMA integrity_check", out);
    end(out, "integrity check", t);
}

void work_inserts(sqlite3 *db, int rows, struct work_result *out)
{
    struct timing t;
    sqlite3_stmt *s;

    *out = (struct work_result){0};
    run(db, "CREATE TABLE bench_record (series_id INTEGER NOT NULL, start_at INTEGER NOT NULL, end_at "
            "INTEGER NOT NULL,"
            " value INTEGER NOT NULL, quality INTEGER NOT NULL, import_number INTEGER NOT NULL, line INTEGER "
            "NOT NULL, more TEXT,"
            " PRIMARY KEY (series_id, start_at, end_at)) STRICT, WITHOUT ROWID");
    t = begin();
    s = prepare(db, "INSERT INTO bench_record VALUES (1, ?1, ?2, ?3, 2, 1, ?4, NULL)");
    for (int i = 0; i < rows; i++) {
        if (i % 4096 == 0)
            run(db, i ? "COMMIT; BEGIN" : "BEGIN");
        must(db, sqlite3_bind_int64(s, 1, 1400000000 + (int64_t)i * 1800));
        must(db, sqlite3_bind_int64(s, 2, 1400000000 + (int64_t)(i + 1) * 1800));
        must(db, sqlite3_bind_int64(s, 3, (int64_t)(i * 7919LL % 100000)));
        must(db, sqlite3_bind_int64(s, 4, i));
        must(db, sqlite3_step(s));
        must(db, sqlite3_reset(s));
    }
    run(db, "COMMIT");
    must(db, sqlite3_finalize(s));
    end(out, "batch insert", t);
}

void work_records(sqlite3 *db, int rows, struct work_result *out)
{
    struct timing t;
    sqlite3_stmt *s;

    work_inserts(db, rows, out);
    run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    t = begin();
    s = prepare(db, "SELECT start_at, end_at, value, quality FROM bench_record WHERE series_id = 1 AND "
                    "start_at >= 0 ORDER BY start_at");
    while (sqlite3_step(s) == SQLITE_ROW)
        out->digest += sqlite3_column_int64(s, 0) ^ sqlite3_column_int64(s, 1) ^ sqlite3_column_int64(s, 2) ^
                       sqlite3_column_int64(s, 3);
    must(db, sqlite3_finalize(s));
    end(out, "range scan", t), t = begin();
    once(db, "SELECT count(*), sum(value), max(value), min(start_at) FROM bench_record", out);
    once(db, "SELECT start_at / 86400, sum(value) FROM bench_record GROUP BY 1 HAVING sum(value) < 0", out);
    end(out, "aggregate", t);
}

double work_commits(sqlite3 *db, double seconds)
{
    double start = wall_now();
    long count = 0;
    sqlite3_stmt *s;

    run(db, "CREATE TABLE commits (id INTEGER PRIMARY KEY, value INTEGER)");
    s = prepare(db, "INSERT INTO commits (value) VALUES (?1)");
    while (wall_now() - start < seconds) {
        must(db, sqlite3_bind_int64(s, 1, count++));
        must(db, sqlite3_step(s));
        must(db, sqlite3_reset(s));
    }
    must(db, sqlite3_finalize(s));
    return (double)count / (wall_now() - start);
}

double work_total_cpu(const struct work_result *r)
{
    double sum = 0;

    for (int i = 0; i < r->count; i++)
        sum += r->parts[i].cpu_s;
    return sum;
}

void work_print(const char *label, const struct work_result *r)
{
    (void)printf("{\"work\":\"%s\",\"cpu_s\":%.4f,\"digest\":%lld,\"parts\":{", label, work_total_cpu(r),
                 r->digest);
    for (int i = 0; i < r->count; i++)
        (void)printf("%s\"%s\":%.4f", i ? "," : "", r->parts[i].name, r->parts[i].cpu_s);
    (void)printf("}}\n");
}
