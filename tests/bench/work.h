/* The same SQL work on a connection, however its file is kept: plain, sealed, or by SQLCipher.
 *
 * Each part is timed in CPU seconds of the process (user and system), so that a busy machine weighs less. */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

struct sqlite3;

enum { WORK_PARTS_MAX = 4 };

struct work_part {
    const char *name;
    double cpu_s, wall_s;
};

struct work_result {
    struct work_part parts[WORK_PARTS_MAX];
    int count;
    long long digest; /* of all that was read: alike for every way of keeping */
};

/* Rows like records, in batches of 4,096 to a commit: what an import does to the table, and nothing else of
 * it. */
void work_inserts(struct sqlite3 *db, int rows, struct work_result *out);
/* The work of this program: rows like records are put in batches, read by range, summed. */
void work_records(struct sqlite3 *db, int rows, struct work_result *out);
/* Commits of one row each, as many as fit in the time; gives commits a second. */
double work_commits(struct sqlite3 *db, double seconds);

double work_cpu_now(void); /* seconds that this process has had */
double work_total_cpu(const struct work_result *r);
void work_print(const char *label, const struct work_result *r); /* one JSON object on standard output */
#endif
