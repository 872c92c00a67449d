/* Nothing of what was deleted stays in the files: not in free pages, not between cells, not in the log. */
#include "tests/harness/fault.h"
#include "tests/harness/image.h"
#include "tests/harness/tmpvault.h"

#include "pds/vault/vault_internal.h"

#include <stdio.h>
#include <sys/stat.h>

enum { ROWS = 6000, LONG_BYTES = 12000 };

static const char *const CANARIES[] = {"CANARY", NULL};

static const char SQL_MAKE[] =
    "CREATE TABLE probe (s INTEGER NOT NULL, a INTEGER NOT NULL, t TEXT NOT NULL, PRIMARY KEY (s, a)) STRICT,"
    " WITHOUT ROWID";
static const char SQL_LONG[] = "CREATE TABLE long (n INTEGER PRIMARY KEY, t TEXT NOT NULL) STRICT";
static const char SQL_PUT[] = "INSERT INTO probe (s, a, t) VALUES (?1, ?2, ?3)";
static const char SQL_PUT_LONG[] = "INSERT OR REPLACE INTO long (n, t) VALUES (?1, ?2)";
static const char SQL_ERASE[] = "DELETE FROM probe WHERE s = 1";
static const char SQL_ERASE_LONG[] = "DELETE FROM long WHERE t LIKE '%CANARY%'";
static const char SQL_COUNT[] = "SELECT count(*) FROM probe";

static enum err make(struct db *db, void *context)
{
    (void)context;
    return db_run(db, SQL_MAKE, NO_PARAMS) ? ERR_INTERNAL : db_run(db, SQL_LONG, NO_PARAMS);
}

/* Rows in no order, so that pages split and cells move; every third series and some long texts are canaries.
 * Of both tables some rows go on in overflow pages. */
static enum err fill(struct db *db, void *context)
{
    uint64_t *random = context;
    char text[LONG_BYTES];
    enum err e = ERR_OK;

    for (int64_t n = 0; n < ROWS && !e; n++) {
        int64_t i = n * 4001 % ROWS;

        (void)snprintf(text, sizeof text, "%s%06d%.*s", i % 3 == 1 ? "CANARY" : "orange", (int)i,
                       (int)test_between(random, 0, 30), "..............................");
        if (i % 50 == 0)
            (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%*s", 3000,
                           i % 3 == 1 ? "CANARY" : "orange");
        e = db_run(db, SQL_PUT, PARAMS(INT(i % 3), INT(i), TEXT(text)));
        if (i % 10 || e)
            continue;
        memset(text, 'x', sizeof text);
        memcpy(text + (size_t)test_between(random, 0, 2000), i % 20 ? "CANARY" : "orange", 6);
        memcpy(text + (size_t)test_between(random, 2010, 9000), i % 20 ? "CANARY" : "orange", 6);
        text[i % 40 ? (size_t)test_between(random, 2200, 2399) : (size_t)test_between(random, 9100, 11999)] =
            '\0';
        e = db_run(db, SQL_PUT_LONG, PARAMS(INT(i * 7 % 6007), TEXT(text)));
    }
    return e;
}

static enum err erase(struct db *db, void *context)
{
    (void)context;
    return db_run(db, SQL_ERASE, NO_PARAMS) ? ERR_INTERNAL : db_run(db, SQL_ERASE_LONG, NO_PARAMS);
}

static struct tmpvault *filled(void)
{
    struct tmpvault *t = tmpvault_new();
    uint64_t random = test_seed();

    assert_ok(vault_write(t->vault, make, NULL));
    assert_ok(vault_write(t->vault, fill, &random));
    assert_true(image_count(tempdir_root(t->dir), t->key, TMPVAULT_ID, CANARIES) > 1000);
    return t;
}

static int64_t size_of(struct tmpvault *t, const char *name)
{
    struct stat st;

    return stat(tempdir_path(t->dir, name), &st) ? -1 : (int64_t)st.st_size;
}

static void must_be_sound(struct tmpvault *t)
{
    AUTO(reader_done) struct reader r = {t->vault, NULL};
    int64_t count;

    assert_ok(vault_read(t->vault, &r.db));
    assert_ok(db_number(r.db, SQL_COUNT, NO_PARAMS, &count));
    assert_int_equal(count, ROWS / 3 * 2);
}

static void ignore_problem(void *context, const char *where, const char *what)
{
    (void)context;
    print_error("%s: %s\n", where, what);
}

static void purge_leaves_nothing_of_what_was_deleted(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = filled();
    struct vault_check_report report;

    (void)state;
    assert_ok(vault_purge(t->vault, 1000)); /* now the pages are in vault.db */
    assert_true(image_count(tempdir_root(t->dir), t->key, TMPVAULT_ID, CANARIES) > 1000);
    assert_ok(vault_write(t->vault, erase, NULL));
    assert_true(image_count(tempdir_root(t->dir), t->key, TMPVAULT_ID, CANARIES) > 1000);
    assert_ok(vault_purge(t->vault, 1000));
    assert_int_equal(image_count(tempdir_root(t->dir), t->key, TMPVAULT_ID, CANARIES), 0);
    assert_int_equal(size_of(t, "vault.db-wal"), 0);
    must_be_sound(t);
    assert_ok(vault_check(t->vault, ignore_problem, NULL, &report));
    assert_int_equal(report.problems, 0);
}

static void purge_of_a_log_that_was_never_begun_is_fine(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();

    (void)state;
    assert_ok(vault_purge(t->vault, 0));
    assert_ok(vault_write(t->vault, make, NULL));
    assert_ok(vault_purge(t->vault, 0));
    assert_ok(vault_purge(t->vault, 0));
}

static void purge_waits_for_readers_and_tells_when_one_stays(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = filled();
    struct db *reader = NULL;
    int64_t count;

    (void)state;
    assert_ok(vault_read(t->vault, &reader));
    assert_ok(db_number(reader, SQL_COUNT, NO_PARAMS, &count));
    assert_ok(vault_write(t->vault, erase, NULL));
    assert_err(vault_purge(t->vault, 50), ERR_BUSY);
    assert_string_equal(err_story(), "a reader keeps old pages");
    assert_ok(db_number(reader, SQL_COUNT, NO_PARAMS, &count));
    assert_int_equal(count, ROWS);
    vault_read_end(t->vault, reader);
    assert_ok(vault_purge(t->vault, 50));
    assert_int_equal(image_count(tempdir_root(t->dir), t->key, TMPVAULT_ID, CANARIES), 0);
}

static void what_was_purged_opens_again(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = filled();

    (void)state;
    assert_ok(vault_write(t->vault, erase, NULL));
    assert_ok(vault_purge(t->vault, 1000));
    vault_close(t->vault);
    t->vault = NULL;
    assert_ok(vault_open(tempdir_root(t->dir), t->key, TMPVAULT_ID, &t->vault));
    must_be_sound(t);
}

static void shrinking_gives_free_pages_back(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = filled();
    struct vault_check_report report;
    int64_t before;

    (void)state;
    assert_ok(vault_write(t->vault, erase, NULL));
    assert_ok(vault_purge(t->vault, 1000));
    before = size_of(t, "vault.db");
    assert_ok(vault_shrink(t->vault));
    assert_ok(vault_purge(t->vault, 1000));
    assert_true(size_of(t, "vault.db") < before * 3 / 4);
    must_be_sound(t);
    assert_ok(vault_check(t->vault, ignore_problem, NULL, &report));
    assert_int_equal(report.problems, 0);
    assert_int_equal(image_count(tempdir_root(t->dir), t->key, TMPVAULT_ID, CANARIES), 0);
}

/* A copy keeps the same promise: it is made of pages as they were, and made into a vault without their gaps.
 */
static void damage_and_a_copy_under_way_keep_the_log(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = filled();

    (void)state;
    vault_set_wait(50);
    assert_ok(vault_hold(t->vault));
    assert_err(vault_purge(t->vault, 50), ERR_BUSY);
    assert_err(vault_shrink(t->vault), ERR_BUSY);
    vault_unhold(t->vault);
    vault_set_wait(0);
    (void)vfs_damage(t->vault->vfs, "a test");
    assert_err(vault_purge(t->vault, 50), ERR_CORRUPT);
    assert_err(vault_shrink(t->vault), ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(purge_leaves_nothing_of_what_was_deleted),
        cmocka_unit_test(purge_of_a_log_that_was_never_begun_is_fine),
        cmocka_unit_test(purge_waits_for_readers_and_tells_when_one_stays),
        cmocka_unit_test(what_was_purged_opens_again),
        cmocka_unit_test(shrinking_gives_free_pages_back),
        cmocka_unit_test(damage_and_a_copy_under_way_keep_the_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
