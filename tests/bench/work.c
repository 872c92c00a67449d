#include "work.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

double work_cpu_now(void)
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

static struct timing begin(void) { return (struct timing){work_cpu_now(), wall_now()}; }

static void end(struct work_result *out, const char *name, struct timing t)
{
    out->parts[out->count++] = (struct work_part){name, work_cpu_now() - t.cpu, wall_now() - t.wall};
}

static void once(sqlite3 *db, const char *sql, struct work_result *out)
{
    sqlite3_stmt *s = prepare(db, sql);

    step_all(db, s, out);
    must(db, sqlite3_finalize(s));
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
