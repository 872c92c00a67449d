#include "tests/harness/test.h"
#include "tests/harness/fault.h"
#include "tests/harness/tempdir.h"

#include "pds/base/auto.h"
#include "pds/base/embed.h"
#include "pds/base/fs.h"
#include "pds/crypto/random.h"
#include "pds/vault/vault.h"
#include "pds/vault/vault_internal.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct embed MIGRATIONS[];

static const uint8_t STORE_ID[STORE_ID_BYTES] = {1, 2, 3};
static const char SQL_MAKE[] = "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT) STRICT";
static const char SQL_PUT[] = "INSERT INTO t (a, b) VALUES (?1, ?2)";
static const char SQL_COUNT[] = "SELECT count(*) FROM t";

struct fixture {
    struct tempdir *dir;
    struct store_key *key;
    struct vault *vault;
};

static enum err make_table(struct db *db, void *context)
{
    (void)context;
    return db_run(db, SQL_MAKE, NO_PARAMS);
}

static enum err put_row(struct db *db, void *context)
{
    return db_run(db, SQL_PUT, PARAMS(INT(*(const int64_t *)context), TEXT("a row")));
}

static enum err put_row_and_fail(struct db *db, void *context)
{
    enum err e = put_row(db, context);

    return e ? e : err_set(ERR_INVALID, "job %d", 7);
}

static int64_t count_rows(struct vault *v)
{
    struct db *db = NULL;
    int64_t count = -1;

    assert_ok(vault_read(v, &db));
    assert_ok(db_number(db, SQL_COUNT, NO_PARAMS, &count));
    vault_read_end(v, db);
    return count;
}

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){.dir = tempdir_new()};
    assert_ok(random_start());
    f.key = store_key_new();
    assert_non_null(f.key);
    memset(f.key->bytes, 7, KEY_BYTES);
    assert_ok(vault_create(tempdir_root(f.dir), f.key, STORE_ID));
    assert_ok(vault_open(tempdir_root(f.dir), f.key, STORE_ID, &f.vault));
    assert_ok(vault_write(f.vault, make_table, NULL));
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

static void vault_keeps_what_was_written(void **state)
{
    struct fixture *f = *state;

    for (int64_t i = 0; i < 100; i++)
        assert_ok(vault_write(f->vault, put_row, &i));
    assert_int_equal(count_rows(f->vault), 100);
    vault_close(f->vault);
    f->vault = NULL;
    assert_ok(vault_open(tempdir_root(f->dir), f->key, STORE_ID, &f->vault));
    assert_int_equal(count_rows(f->vault), 100);
}

static void vault_write_rolls_back_a_failed_job_with_its_story(void **state)
{
    struct fixture *f = *state;
    int64_t one = 1;

    assert_err(vault_write(f->vault, put_row_and_fail, &one), ERR_INVALID);
    assert_string_equal(err_story(), "job 7");
    assert_int_equal(count_rows(f->vault), 0);
    assert_ok(vault_write(f->vault, put_row, &one));
    assert_err(vault_write(f->vault, put_row, &one), ERR_CONFLICT);
    assert_int_equal(count_rows(f->vault), 1);
}

static void vault_folder_holds_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct dirent *entry;
    int64_t one = 1;
    DIR *dir;

    assert_ok(vault_write(f->vault, put_row, &one));
    assert_int_equal(count_rows(f->vault), 1);
    dir = opendir(tempdir_root(f->dir));
    assert_non_null(dir);
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            assert_true(strcmp(entry->d_name, "vault.db") == 0 ||
                        strcmp(entry->d_name, "vault.db-wal") == 0 || strcmp(entry->d_name, "lock") == 0);
    closedir(dir);
    vault_close(f->vault);
    f->vault = NULL;
    assert_false(fs_exists(tempdir_path(f->dir, "vault.db-wal")));
}

static void vault_open_refuses_a_second_owner(void **state)
{
    struct fixture *f = *state;
    struct vault *second = NULL;

    assert_err(vault_open(tempdir_root(f->dir), f->key, STORE_ID, &second), ERR_BUSY);
    assert_null(second);
}

static void vault_open_refuses_a_second_owner_when_lock_was_removed(void **state)
{
    struct fixture *f = *state;
    struct vault *second = NULL;
    int64_t one = 1;

    assert_int_equal(unlink(tempdir_path(f->dir, "lock")), 0);
    assert_err(vault_open(tempdir_root(f->dir), f->key, STORE_ID, &second), ERR_BUSY);
    assert_false(fs_exists(tempdir_path(f->dir, "lock")));
    assert_ok(vault_write(f->vault, put_row, &one));
    vault_close(f->vault);
    f->vault = NULL;
    assert_ok(vault_open(tempdir_root(f->dir), f->key, STORE_ID, &f->vault));
    assert_int_equal(count_rows(f->vault), 1);
}

static void vault_open_tells_a_wrong_key(void **state)
{
    struct fixture *f = *state;
    AUTO(store_key_freep) struct store_key *other = store_key_new();
    uint8_t other_id[STORE_ID_BYTES] = {9};
    struct vault *v = NULL;

    vault_close(f->vault);
    f->vault = NULL;
    assert_err(vault_open(tempdir_root(f->dir), other, STORE_ID, &v), ERR_WRONG_KEY);
    assert_err(vault_open(tempdir_root(f->dir), f->key, other_id, &v), ERR_WRONG_KEY);
    assert_null(v);
}

static void vault_open_survives_each_failing_allocation(void **state)
{
    struct fixture *f = *state;
    long live;
    enum err e;

    vault_close(f->vault);
    f->vault = NULL;
    live = mem_live();
    FAIL_EACH_ALLOCATION (e, vault_open(tempdir_root(f->dir), f->key, STORE_ID, &f->vault)) {
        if (!e) { /* SQLite does without some allocations */
            vault_close(f->vault);
            f->vault = NULL;
            continue;
        }
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(f->vault);
        assert_int_equal(mem_live(), live);
    }
    assert_int_equal(count_rows(f->vault), 0);
}

/* In a folder of its own each time. */
static enum err create_afresh(struct fixture *f)
{
    AUTO(tempdir_freep) struct tempdir *dir = tempdir_new();

    return vault_create(tempdir_root(dir), f->key, STORE_ID);
}

static void vault_create_survives_each_failing_allocation(void **state)
{
    struct fixture *f = *state;
    const struct embed first[2] = {MIGRATIONS[0]}; /* each step more is some hundred syncs more */
    long live = mem_live();
    enum err e;

    vault_set_steps(first);
    FAIL_EACH_ALLOCATION (e, create_afresh(f)) {
        if (e) /* SQLite does without some allocations */
            assert_err(e, ERR_NO_MEMORY);
        assert_int_equal(mem_live(), live);
    }
    vault_set_steps(NULL);
    assert_int_equal(mem_live(), live);
}

static enum err count_once(struct vault *v, int64_t *out)
{
    struct db *db = NULL;
    enum err e = vault_read(v, &db);

    if (!e)
        e = db_number(db, SQL_COUNT, NO_PARAMS, out);
    vault_read_end(v, db);
    return e;
}

static void vault_read_survives_each_failing_allocation(void **state)
{
    struct fixture *f = *state;
    int64_t count = -1;
    enum err e;

    FAIL_EACH_ALLOCATION (e, count_once(f->vault, &count)) {
        if (!e) { /* SQLite does without some allocations */
            assert_int_equal(count, 0);
            count = -1;
            continue;
        }
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_int_equal(count, -1);
    }
    assert_int_equal(count, 0);
}

struct failing {
    int64_t row;
    long nth;
    bool hit;
};

/* On the writer's thread: allocations of the statements fail, and those of the commit that follows. */
static enum err put_with_failure(struct db *db, void *context)
{
    struct failing *f = context;
    enum err e;

    mem_fail_at(f->nth);
    e = put_row(db, &f->row);
    if (e) {
        f->hit = mem_fail_hit();
        mem_fail_at(0);
    }
    return e;
}

static enum err stop_failing(struct db *db, void *context)
{
    (void)db;
    ((struct failing *)context)->hit = mem_fail_hit();
    mem_fail_at(0);
    return ERR_OK;
}

static void vault_write_survives_each_failing_allocation(void **state)
{
    struct fixture *f = *state;
    struct failing job = {.hit = true};
    int64_t kept = 0;

    for (job.nth = 1; job.hit; job.nth++) {
        enum err e;

        job.row = job.nth;
        job.hit = false;
        e = vault_write(f->vault, put_with_failure, &job);
        if (e)
            assert_int_equal(e, ERR_NO_MEMORY);
        else
            kept++;
        if (!job.hit)
            assert_ok(vault_write(f->vault, stop_failing, &job));
        assert_int_equal(count_rows(f->vault), kept);
    }
    assert_true(kept > 0);
}

static void note_problem(void *context, const char *where, const char *what)
{
    (void)context;
    fail_msg("%s: %s", where, what);
}

static void vault_check_of_a_sound_store_finds_nothing(void **state)
{
    struct fixture *f = *state;
    struct vault_check_report report = {0};
    const char *story = "";

    for (int64_t i = 0; i < 50; i++)
        assert_ok(vault_write(f->vault, put_row, &i));
    assert_ok(vault_check(f->vault, note_problem, NULL, &report));
    assert_int_equal(report.problems, 0);
    assert_true(report.pages > 3);
    assert_false(vault_is_damaged(f->vault, &story));
    assert_null(story);
    vault_close(f->vault);
    f->vault = NULL;
    assert_ok(vault_check_files(tempdir_root(f->dir), f->key, STORE_ID, note_problem, NULL, &report));
    assert_int_equal(report.problems, 0);
}

static void vault_stats_count(void **state)
{
    struct fixture *f = *state;
    struct vault_stats before, after;
    int64_t one = 1;

    vault_stats(f->vault, &before);
    assert_ok(vault_write(f->vault, put_row, &one));
    vault_stats(f->vault, &after);
    assert_true(after.pages >= 3);
    assert_int_equal(after.jobs - before.jobs, 1);
    assert_int_equal(after.commits - before.commits, 1);
}

static void vault_create_refuses_a_folder_that_has_one_or_that_others_read(void **state)
{
    struct fixture *f = *state;
    AUTO(tempdir_freep) struct tempdir *open = tempdir_new();

    assert_err(vault_create(tempdir_root(f->dir), f->key, STORE_ID), ERR_BUSY);
    vault_close(f->vault);
    f->vault = NULL;
    assert_err(vault_create(tempdir_root(f->dir), f->key, STORE_ID), ERR_CONFLICT);
    assert_ok(vault_open(tempdir_root(f->dir), f->key, STORE_ID, &f->vault));
    assert_int_equal(chmod(tempdir_root(open), 0755), 0);
    assert_err(vault_create(tempdir_root(open), f->key, STORE_ID), ERR_FORBIDDEN);
    assert_err(vault_open(tempdir_path(open, "nowhere"), f->key, STORE_ID, &f->vault), ERR_NOT_FOUND);
    assert_err(vault_open(tempdir_root(open), f->key, STORE_ID, &f->vault), ERR_NOT_FOUND);
    assert_false(fs_exists(tempdir_path(open, "lock")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(vault_keeps_what_was_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(vault_write_rolls_back_a_failed_job_with_its_story, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(vault_folder_holds_nothing_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(vault_open_refuses_a_second_owner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(vault_open_refuses_a_second_owner_when_lock_was_removed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(vault_open_tells_a_wrong_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(vault_open_survives_each_failing_allocation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(vault_create_survives_each_failing_allocation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(vault_read_survives_each_failing_allocation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(vault_write_survives_each_failing_allocation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(vault_check_of_a_sound_store_finds_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(vault_stats_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(vault_create_refuses_a_folder_that_has_one_or_that_others_read,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
