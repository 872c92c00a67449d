#include "tests/harness/test.h"
#include "tests/harness/fault.h"
#include "tests/harness/tempdir.h"

#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/crypto/random.h"
#include "pds/vault/vault.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(vault_keeps_what_was_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(vault_write_rolls_back_a_failed_job_with_its_story, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(vault_folder_holds_nothing_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(vault_open_refuses_a_second_owner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(vault_open_tells_a_wrong_key, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
