/* Disk that is kept beyond the end of lock, spent and kept again. What it is for is shown by
 * tests/integration/program_full.mjs, on a disk that is full. */
#include "tests/harness/tmpvault.h"

#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/vault/vault_internal.h"
#include "pds/vault/vault_reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int64_t blocks_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size <= 1024); /* whatever is kept, the file ends where it did */
    return (int64_t)st.st_blocks * 512;
}

/* Where the file system cannot, there is nothing to see. */
static bool disk_can(struct tempdir *d)
{
    int fd = open(tempdir_path(d, "try"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool can = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4096) == 0;

    (void)close(fd);
    return can;
}

static void an_opened_vault_keeps_disk_and_gives_it_back(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    const char *lock = tempdir_path(t->dir, "lock");

    (void)state;
    if (!disk_can(t->dir))
        skip();
    assert_true(blocks_of(lock) >= LIMIT_RESERVE_BYTES);
    vault_reserve_spend(tempdir_root(t->dir));
    assert_true(blocks_of(lock) <= 4096);
    vault_reserve_keep(tempdir_root(t->dir));
    vault_reserve_keep(tempdir_root(t->dir));
    assert_true(blocks_of(lock) >= LIMIT_RESERVE_BYTES);
    vault_close(t->vault);
    t->vault = NULL;
    assert_true(blocks_of(lock) >= LIMIT_RESERVE_BYTES);
    assert_ok(vault_open(tempdir_root(t->dir), t->key, TMPVAULT_ID, &t->vault));
}

static void without_a_lock_nothing_happens(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();

    (void)state;
    vault_reserve_keep(tempdir_root(d));
    vault_reserve_spend(tempdir_root(d));
    assert_false(fs_exists(tempdir_path(d, "lock")));
    reserve_keep(-1);
    reserve_spend(-1);
}

static const char SQL_MAKE[] = "CREATE TABLE probe (n INTEGER PRIMARY KEY) STRICT";
static const char SQL_PUT[] = "INSERT INTO probe (n) VALUES (?1)";
static const char SQL_COUNT[] = "SELECT count(*) FROM probe";

/* Finds no space the first `times`. */
struct probe {
    int times, runs;
    int64_t n;
};

static enum err put(struct db *db, void *context)
{
    struct probe *p = context;
    enum err e = p->n ? db_run(db, SQL_PUT, PARAMS(INT(p->n))) : db_run(db, SQL_MAKE, NO_PARAMS);

    return ++p->runs <= p->times ? err_set(ERR_FULL, "a test") : e;
}

static void a_reserved_write_is_run_again_and_an_ordinary_one_is_not(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    AUTO(reader_done) struct reader r = {t->vault, NULL};
    struct probe make = {0}, ordinary = {.n = 1, .times = 1}, once = {.n = 2, .times = 1},
                 twice = {.n = 3, .times = 2}, never = {.n = 4};
    int64_t count;

    (void)state;
    assert_ok(vault_write(t->vault, put, &make));
    assert_err(vault_write(t->vault, put, &ordinary), ERR_FULL);
    assert_int_equal(ordinary.runs, 1);
    assert_ok(vault_write_reserved(t->vault, put, &once));
    assert_int_equal(once.runs, 2);
    assert_err(vault_write_reserved(t->vault, put, &twice), ERR_FULL);
    assert_string_equal(err_story(), "a test");
    assert_int_equal(twice.runs, 2);
    assert_ok(vault_write_reserved(t->vault, put, &never));
    assert_int_equal(never.runs, 1);
    assert_ok(vault_read(t->vault, &r.db));
    assert_ok(db_number(r.db, SQL_COUNT, NO_PARAMS, &count));
    assert_int_equal(count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_opened_vault_keeps_disk_and_gives_it_back),
        cmocka_unit_test(without_a_lock_nothing_happens),
        cmocka_unit_test(a_reserved_write_is_run_again_and_an_ordinary_one_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
