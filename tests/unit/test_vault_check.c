#include "tests/harness/fault.h"
#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/crypto/random.h"
#include "pds/vault/db_internal.h"
#include "pds/vault/vault.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_BYTES = 256 };

static const uint8_t ID[STORE_ID_BYTES] = "checks";
static const char SCHEMA[] =
    "PRAGMA foreign_keys = OFF; CREATE TABLE parent (id INTEGER PRIMARY KEY) STRICT;"
    "CREATE TABLE child (id INTEGER PRIMARY KEY, up INTEGER REFERENCES parent (id), t TEXT);";
static const char ORPHAN[] = "INSERT INTO child VALUES (7, 99, 'x')";
static const char SQL_PUT[] = "INSERT INTO child (t) VALUES (hex(randomblob(3000)))";
static const char SQL_SUM[] = "SELECT sum(length(t)) FROM child";

struct fixture {
    struct tempdir *dir;
    struct store_key *key;
    struct vault *vault;
    char text[TEXT_BYTES];
};

static void make(struct fixture *f, const char *sql)
{
    struct vfs *v = NULL;
    struct db *db = NULL;

    assert_ok(vfs_open(tempdir_root(f->dir), f->key, ID, true, &v));
    assert_ok(db_open(v, DB_MAKER, &db));
    assert_ok(db_script(db, SCHEMA));
    assert_ok(db_script(db, sql));
    db_close(db);
    vfs_close(v);
}

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){.dir = tempdir_new()};
    assert_ok(random_start());
    assert_ok(db_start());
    f.key = store_key_new();
    assert_non_null(f.key);
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

static void keep_first(void *context, const char *where, const char *what)
{
    char *text = context;

    if (!text[0])
        (void)snprintf(text, TEXT_BYTES, "%s: %s", where, what);
}

static uint64_t check(struct fixture *f)
{
    struct vault_check_report report = {0};

    f->text[0] = 0;
    assert_ok(vault_check(f->vault, keep_first, f->text, &report));
    return report.problems;
}

static void flip(struct fixture *f, const char *name, long at)
{
    int fd = open(tempdir_path(f->dir, name), O_RDWR | O_CLOEXEC);
    uint8_t byte = 0;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    (void)close(fd);
}

static enum err put(struct db *db, void *context)
{
    (void)context;
    return db_run(db, SQL_PUT, NO_PARAMS);
}

static void a_reference_to_nothing_is_told(void **state)
{
    struct fixture *f = *state;

    make(f, ORPHAN);
    assert_ok(vault_open(tempdir_root(f->dir), f->key, ID, &f->vault));
    assert_int_equal(check(f), 1);
    assert_string_equal(f->text, "table child row 7: what it refers to is missing");
}

static void a_page_damaged_while_open_is_named_and_ends_writing(void **state)
{
    struct fixture *f = *state;
    const char *story = NULL;

    make(f, "");
    assert_ok(vault_open(tempdir_root(f->dir), f->key, ID, &f->vault));
    for (int i = 0; i < 20; i++)
        assert_ok(vault_write(f->vault, put, NULL));
    assert_int_equal(check(f), 0);
    vault_close(f->vault); /* and what readers remember of its pages */
    f->vault = NULL;
    assert_ok(vault_open(tempdir_root(f->dir), f->key, ID, &f->vault));
    flip(f, "vault.db", 2 * PAGE_BYTES + 9);
    assert_int_equal(check(f), 1);
    assert_string_equal(f->text, "vault.db page 3: its seal is broken");
    assert_false(vault_is_damaged(f->vault, &story)); /* nobody was given anything of it yet */
    {
        AUTO(reader_done) struct reader r = {f->vault, NULL};
        int64_t sum;

        assert_ok(vault_read(f->vault, &r.db));
        assert_err(db_number(r.db, SQL_SUM, NO_PARAMS, &sum), ERR_CORRUPT);
        assert_string_equal(err_story(), "vault.db page 3: its seal is broken");
    }
    assert_true(vault_is_damaged(f->vault, &story));
    assert_string_equal(story, "vault.db page 3: its seal is broken");
    assert_err(vault_write(f->vault, put, NULL), ERR_CORRUPT);
}

static void a_frame_damaged_while_open_is_named(void **state)
{
    struct fixture *f = *state;
    struct vault_check_report report = {0};

    make(f, "");
    assert_ok(vault_open(tempdir_root(f->dir), f->key, ID, &f->vault));
    for (int i = 0; i < 20; i++)
        assert_ok(vault_write(f->vault, put, NULL));
    flip(f, "vault.db-wal", (long)frame_place(3) + 200);
    assert_true(check(f) > 0);
    assert_non_null(strstr(f->text, "vault.db-wal frame 3: its seal is broken"));
    vault_close(f->vault);
    f->vault = NULL;
    f->text[0] = 0;
    assert_ok(vault_check_files(tempdir_root(f->dir), f->key, ID, keep_first, f->text, &report));
}

/* Without memory a check is not made; it tells no damage for it. */
static void checking_survives_each_failing_allocation(void **state)
{
    struct fixture *f = *state;
    struct vault_check_report report = {0};
    long live;
    enum err e;

    make(f, "");
    assert_ok(vault_open(tempdir_root(f->dir), f->key, ID, &f->vault));
    for (int i = 0; i < 3; i++)
        assert_ok(vault_write(f->vault, put, NULL));
    assert_int_equal(check(f), 0);
    live = mem_live();
    FAIL_EACH_ALLOCATION (e, vault_check(f->vault, keep_first, f->text, &report)) {
        assert_true(!e || e == ERR_NO_MEMORY); /* SQLite does without some allocations */
        assert_string_equal(f->text, "");
        assert_true(mem_live() <= live + 4096); /* what a connection keeps for its next statement */
    }
    vault_close(f->vault);
    f->vault = NULL;
    live = mem_live();
    FAIL_EACH_ALLOCATION (e,
                          vault_check_files(tempdir_root(f->dir), f->key, ID, keep_first, f->text, &report)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_string_equal(f->text, "");
        assert_int_equal(mem_live(), live);
    }
    assert_int_equal(report.problems, 0);
}

#define CHECK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECK(a_reference_to_nothing_is_told),
        CHECK(a_page_damaged_while_open_is_named_and_ends_writing),
        CHECK(a_frame_damaged_while_open_is_named),
        CHECK(checking_survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
