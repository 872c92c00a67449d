#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/clock.h"
#include "pds/base/fs.h"
#include "pds/base/mem.h"
#include "pds/crypto/random.h"
#include "pds/vault/vault.h"
#include "pds/vault/vault_internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 16, JOBS_EACH = 60, LOG_BYTES_MAX = 64 << 20 };

static const uint8_t ID[STORE_ID_BYTES] = "writers";
static const char SQL_MAKE[] = "CREATE TABLE w (a INTEGER PRIMARY KEY, b INTEGER NOT NULL) STRICT";
static const char SQL_PUT[] = "INSERT INTO w (a, b) VALUES (?1, ?2)";
static const char SQL_COUNT[] = "SELECT count(*) FROM w";
static const char SQL_ODD[] = "SELECT count(*) FROM w WHERE b = 1";
static const char SQL_COMMIT[] = "COMMIT";

static const char SQL_MAKE_TEXT[] = "CREATE TABLE x (t TEXT) STRICT";
static const char SQL_PUT_TEXT[] = "INSERT INTO x (t) VALUES (hex(randomblob(1500)))";
static const char SQL_COUNT_TEXT[] = "SELECT count(*) FROM x";

struct fixture {
    struct tempdir *dir;
    struct store_key *key;
    struct vault *vault;
};

struct thread {
    struct fixture *f;
    pthread_t id;
    int number;
    _Atomic int wrong;
};

static enum err make(struct db *db, void *context)
{
    (void)context;
    return db_run(db, SQL_MAKE, NO_PARAMS);
}

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){.dir = tempdir_new()};
    assert_ok(random_start());
    f.key = store_key_new();
    assert_non_null(f.key);
    assert_ok(vault_create(tempdir_root(f.dir), f.key, ID));
    assert_ok(vault_open(tempdir_root(f.dir), f.key, ID, &f.vault));
    assert_ok(vault_write(f.vault, make, NULL));
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    vault_close(f->vault);
    store_key_free(f->key);
    tempdir_free(f->dir);
    return 0;
}

static int64_t ask(struct vault *v, const char *sql)
{
    AUTO(reader_done) struct reader r = {v, NULL};
    int64_t out = -1;

    assert_ok(vault_read(v, &r.db));
    assert_ok(db_number(r.db, sql, NO_PARAMS, &out));
    return out;
}

static enum err make_texts(struct db *db, void *context)
{
    (void)context;
    return db_run(db, SQL_MAKE_TEXT, NO_PARAMS);
}

struct burst {
    int rows;
    long fail_at; /* of the allocations of the commit */
};

struct put {
    int64_t a;
    bool fail;
};

static enum err put(struct db *db, void *context)
{
    const struct put *p = context;
    enum err e = db_run(db, SQL_PUT, PARAMS(INT(p->a), INT(p->fail)));

    if (!e && p->fail)
        return err_set(ERR_INVALID, "job %d", (int)p->a);
    return e;
}

/* Every fifth job fails after it has written. */
static void *write_many(void *context)
{
    struct thread *t = context;
    char story[32];

    for (int i = 0; i < JOBS_EACH; i++) {
        struct put p = {t->number * 1000 + i, i % 5 == 4};
        enum err e = vault_write(t->f->vault, put, &p);

        (void)snprintf(story, sizeof story, "job %d", (int)p.a);
        if (p.fail ? e != ERR_INVALID || strcmp(err_story(), story) != 0 : e != ERR_OK)
            atomic_fetch_add(&t->wrong, 1);
    }
    return NULL;
}

static void sixteen_writers_share_commits_and_fail_alone(void **state)
{
    struct fixture *f = *state;
    static struct thread threads[THREADS];
    struct vault_stats before, after;

    vault_stats(f->vault, &before);
    for (int i = 0; i < THREADS; i++) {
        threads[i] = (struct thread){.f = f, .number = i};
        assert_int_equal(pthread_create(&threads[i].id, NULL, write_many, &threads[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i].id, NULL), 0);
        assert_int_equal(threads[i].wrong, 0);
    }
    vault_stats(f->vault, &after);
    assert_int_equal(ask(f->vault, SQL_COUNT), THREADS * JOBS_EACH * 4 / 5);
    assert_int_equal(ask(f->vault, SQL_ODD), 0);
    assert_int_equal(after.jobs - before.jobs, THREADS * JOBS_EACH * 4 / 5);
    print_message("%d jobs in %d commits\n", (int)(after.jobs - before.jobs),
                  (int)(after.commits - before.commits));
    assert_true((after.commits - before.commits) * 3 < after.jobs - before.jobs);
}

static void *read_many(void *context)
{
    struct thread *t = context;

    for (int i = 0; i < 200; i++) {
        AUTO(reader_done) struct reader r = {t->f->vault, NULL};
        int64_t first = -1, second = -2;

        if (vault_read(r.vault, &r.db) || db_number(r.db, SQL_COUNT, NO_PARAMS, &first) ||
            db_number(r.db, SQL_COUNT, NO_PARAMS, &second) || first != second)
            atomic_fetch_add(&t->wrong, 1);
    }
    return NULL;
}

static void readers_see_one_state_while_others_write(void **state)
{
    struct fixture *f = *state;
    static struct thread threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        threads[i] = (struct thread){.f = f, .number = i};
        assert_int_equal(pthread_create(&threads[i].id, NULL, i < 4 ? write_many : read_many, &threads[i]),
                         0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i].id, NULL), 0);
        assert_int_equal(threads[i].wrong, 0);
    }
}

static void a_snapshot_does_not_hold_writers_back(void **state)
{
    struct fixture *f = *state;
    struct db *db = NULL;
    int64_t seen = -1;

    assert_ok(vault_read(f->vault, &db));
    assert_ok(db_number(db, SQL_COUNT, NO_PARAMS, &seen));
    for (int64_t i = 0; i < 20; i++) {
        struct put p = {i, false};

        assert_ok(vault_write(f->vault, put, &p));
    }
    assert_ok(db_number(db, SQL_COUNT, NO_PARAMS, &seen));
    assert_int_equal(seen, 0);
    vault_read_end(f->vault, db);
    assert_int_equal(ask(f->vault, SQL_COUNT), 20);
}

static enum err write_inside(struct db *db, void *context)
{
    struct put p = {1, false};

    (void)db;
    return vault_write(((struct fixture *)context)->vault, put, &p);
}

static enum err commit_inside(struct db *db, void *context)
{
    struct put p = {1, false};
    enum err e = put(db, &p);

    (void)context;
    return e ? e : db_run(db, SQL_COMMIT, NO_PARAMS);
}

static void jobs_that_break_the_rules_are_told(void **state)
{
    struct fixture *f = *state;
    struct put p = {2, false};

    assert_err(vault_write(f->vault, write_inside, f), ERR_INTERNAL);
    assert_err(vault_write(f->vault, commit_inside, f), ERR_INTERNAL);
    assert_ok(vault_write(f->vault, put, &p));
}

static enum err leave_open(struct db *db, void *context)
{
    struct stmt *left = NULL;
    enum err e = db_query(db, SQL_COUNT, NO_PARAMS, &left);

    (void)context;
    return e ? e : stmt_next(left);
}

static void a_statement_left_open_holds_nothing(void **state)
{
    struct fixture *f = *state;
    struct put p = {3, false};

    assert_ok(vault_write(f->vault, leave_open, NULL));
    assert_ok(vault_write(f->vault, put, &p));
    assert_int_equal(ask(f->vault, SQL_COUNT), 1);
}

static enum err write_as_reader(struct db *db)
{
    struct put p = {4, false};

    return put(db, &p);
}

static void readers_cannot_write(void **state)
{
    struct fixture *f = *state;
    struct db *db = NULL;

    assert_ok(vault_read(f->vault, &db));
    assert_err(write_as_reader(db), ERR_INTERNAL);
    vault_read_end(f->vault, db);
    assert_int_equal(ask(f->vault, SQL_COUNT), 0);
}

static enum err put_texts(struct db *db, void *context)
{
    const struct burst *b = context;
    enum err e = ERR_OK;

    for (int i = 0; i < b->rows && !e; i++)
        e = db_run(db, SQL_PUT_TEXT, NO_PARAMS);
    mem_fail_at(b->fail_at);
    return e;
}

static enum err stop_failing(struct db *db, void *context)
{
    (void)db, (void)context;
    mem_fail_at(0);
    return ERR_OK;
}

/* The files as a kill would leave them now, opened elsewhere. */
static struct vault *open_after_kill(struct fixture *f, struct tempdir *elsewhere)
{
    static const char *const NAMES[] = {"vault.db", "vault.db-wal", "lock"};
    struct vault *v = NULL;

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        struct buf b;

        buf_init(&b, LOG_BYTES_MAX);
        assert_ok(fs_read(tempdir_path(f->dir, NAMES[i]), LOG_BYTES_MAX, &b));
        assert_ok(fs_replace(tempdir_path(elsewhere, NAMES[i]), b.data, b.len));
        buf_done(&b);
    }
    assert_ok(vault_open(tempdir_root(elsewhere), f->key, ID, &v));
    return v;
}

static void reopen_without_checkpoints(struct fixture *f)
{
    vault_close(f->vault);
    f->vault = NULL;
    writer_set_checkpoint(UINT32_MAX);
    assert_ok(vault_open(tempdir_root(f->dir), f->key, ID, &f->vault));
    writer_set_checkpoint(0);
}

/* SQLite's index of the log needs memory at frame 4 063: by then the commit is in the log, and synced. */
static void a_commit_that_failed_does_not_last_by_the_next_one(void **state)
{
    struct fixture *f = *state;
    AUTO(tempdir_freep) struct tempdir *elsewhere = tempdir_new();
    struct burst burst = {.rows = 100};
    int64_t before, failures = 0;
    struct vault *after;
    uint32_t frames;
    enum err e;

    reopen_without_checkpoints(f);
    assert_ok(vault_write(f->vault, make_texts, NULL));
    while (vfs_frames(f->vault->vfs) < 4050) {
        burst.rows = vfs_frames(f->vault->vfs) < 3700 ? 100 : 1;
        assert_ok(vault_write(f->vault, put_texts, &burst));
    }
    frames = vfs_frames(f->vault->vfs);
    before = ask(f->vault, SQL_COUNT_TEXT);
    for (burst = (struct burst){30, 1}; (e = vault_write(f->vault, put_texts, &burst)); burst.fail_at++) {
        assert_int_equal(e, ERR_NO_MEMORY);
        failures++;
        assert_ok(vault_write(f->vault, stop_failing, NULL)); /* commits nothing */
        assert_int_equal(vfs_frames(f->vault->vfs), frames);
    }
    assert_ok(vault_write(f->vault, stop_failing, NULL));
    assert_true(failures > 0);
    assert_int_equal(ask(f->vault, SQL_COUNT_TEXT), before + 30);
    after = open_after_kill(f, elsewhere);
    assert_int_equal(ask(after, SQL_COUNT_TEXT), before + 30);
    vault_close(after);
}

static enum err nothing(struct db *db, void *context)
{
    (void)db, (void)context;
    return ERR_OK;
}

static void *read_once(void *context)
{
    struct thread *t = context;

    t->number = (int)ask(t->f->vault, SQL_COUNT);
    return NULL;
}

static void a_reader_too_many_waits_for_its_turn(void **state)
{
    struct fixture *f = *state;
    struct db *readers[LIMIT_READERS] = {NULL};
    struct thread t = {.f = f, .number = -1};
    struct put p = {5, false};

    for (int i = 0; i < LIMIT_READERS; i++)
        assert_ok(vault_read(f->vault, &readers[i]));
    assert_int_equal(pthread_create(&t.id, NULL, read_once, &t), 0);
    assert_ok(vault_write(f->vault, put, &p));
    for (int i = 0; i < LIMIT_READERS; i++)
        vault_read_end(f->vault, readers[i]);
    assert_int_equal(pthread_join(t.id, NULL), 0);
    assert_int_equal(t.number, 1); /* it began after the write */
}

static void a_reader_too_many_is_told_in_the_end(void **state)
{
    struct fixture *f = *state;
    struct db *readers[LIMIT_READERS] = {NULL}, *more = NULL;

    vault_set_wait(50);
    for (int i = 0; i < LIMIT_READERS; i++)
        assert_ok(vault_read(f->vault, &readers[i]));
    assert_err(vault_read(f->vault, &more), ERR_BUSY);
    assert_null(more);
    for (int i = 0; i < LIMIT_READERS; i++)
        vault_read_end(f->vault, readers[i]);
    assert_ok(vault_read(f->vault, &more));
    vault_read_end(f->vault, more);
    vault_set_wait(0);
}

static void the_anchor_is_settled_when_nothing_is_written(void **state)
{
    struct fixture *f = *state;
    struct put p = {6, false};

    assert_ok(vault_write(f->vault, put, &p));
    for (int i = 0; i < 100 && vfs_is_unsettled(f->vault->vfs); i++)
        (void)usleep(20000);
    assert_false(vfs_is_unsettled(f->vault->vfs));
    p.a++;
    assert_ok(vault_write(f->vault, put, &p));
}

/* A commit each 20 ms leaves no 50 ms without one. */
static void the_anchor_is_settled_while_jobs_keep_coming(void **state)
{
    struct fixture *f = *state;
    int64_t since = clock_monotonic_ms(), longest = 0;

    for (struct put p = {100, false}; p.a < 160; p.a++) {
        int64_t now;

        assert_ok(vault_write(f->vault, put, &p));
        (void)usleep(20000);
        now = clock_monotonic_ms();
        if (!vfs_is_unsettled(f->vault->vfs))
            since = now;
        longest = now - since > longest ? now - since : longest;
    }
    print_message("%d ms without\n", (int)longest);
    assert_true(longest < 900); /* LATE_MS, and what a busy machine adds; 1 200 ms without it */
}

static void the_anchor_is_settled_after_many_frames(void **state)
{
    struct fixture *f = *state;
    struct burst burst = {.rows = LATE_FRAMES};
    struct put p = {300, false};

    assert_ok(vault_write(f->vault, make_texts, NULL));
    assert_ok(vault_write(f->vault, put_texts, &burst));
    assert_ok(vault_write(f->vault, nothing, NULL)); /* begins once the one before is done with */
    assert_false(vfs_is_unsettled(f->vault->vfs));
    assert_ok(vault_write(f->vault, put, &p));
}

static void ending_a_read_keeps_the_story_of_a_failure(void **state)
{
    struct fixture *f = *state;
    struct db *db = NULL;

    assert_ok(vault_read(f->vault, &db));
    assert_err(db_run(db, "SELECT missing FROM w", NO_PARAMS), ERR_INTERNAL);
    vault_read_end(f->vault, db);
    assert_string_equal(err_story(), "SQLite: no such column: missing");
}

#define WITH_VAULT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_VAULT(sixteen_writers_share_commits_and_fail_alone),
        WITH_VAULT(readers_see_one_state_while_others_write),
        WITH_VAULT(a_snapshot_does_not_hold_writers_back),
        WITH_VAULT(jobs_that_break_the_rules_are_told),
        WITH_VAULT(a_statement_left_open_holds_nothing),
        WITH_VAULT(readers_cannot_write),
        WITH_VAULT(ending_a_read_keeps_the_story_of_a_failure),
        WITH_VAULT(a_commit_that_failed_does_not_last_by_the_next_one),
        WITH_VAULT(a_reader_too_many_waits_for_its_turn),
        WITH_VAULT(a_reader_too_many_is_told_in_the_end),
        WITH_VAULT(the_anchor_is_settled_when_nothing_is_written),
        WITH_VAULT(the_anchor_is_settled_while_jobs_keep_coming),
        WITH_VAULT(the_anchor_is_settled_after_many_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
