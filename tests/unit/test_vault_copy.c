#include "tests/harness/fault.h"
#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/fs.h"
#include "pds/crypto/random.h"
#include "pds/vault/vault.h"
#include "pds/vault/vault_copy.h"
#include "pds/vault/vault_internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { COPY_BYTES_MAX = 16 << 20 };

static const uint8_t ID[STORE_ID_BYTES] = "copies", OTHER_ID[STORE_ID_BYTES] = "restored";
static const char SQL_MAKE[] = "CREATE TABLE c (a INTEGER PRIMARY KEY, b TEXT) STRICT";
static const char SQL_PUT[] = "INSERT INTO c (b) VALUES (hex(randomblob(1500)))";
static const char SQL_TOUCH[] = "UPDATE c SET b = printf('%01500d', ?1)";
static const char SQL_DIFFERENT[] = "SELECT count(DISTINCT b) FROM c";
static const char SQL_COUNT[] = "SELECT count(*) FROM c";

struct fixture {
    struct tempdir *dir, *other;
    struct store_key *key, *other_key;
    struct vault *vault;
    struct buf copy;
    uint64_t announced;
    bool write_meanwhile;
};

static enum err make(struct db *db, void *context)
{
    (void)context;
    return db_run(db, SQL_MAKE, NO_PARAMS);
}

static enum err put(struct db *db, void *context)
{
    (void)context;
    return db_run(db, SQL_PUT, NO_PARAMS);
}

/* Changes all rows to one number. */
static enum err touch(struct db *db, void *context)
{
    static int64_t number;

    (void)context;
    number++;
    return db_run(db, SQL_TOUCH, PARAMS(INT(number)));
}

struct other {
    struct fixture *f;
    pthread_t id;
    bool copies; /* else it checks */
    _Atomic bool stop;
    _Atomic int wrong, made, busy;
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){.dir = tempdir_new(), .other = tempdir_new()};
    assert_ok(random_start());
    f.key = store_key_new();
    f.other_key = store_key_new();
    assert_true(f.key && f.other_key);
    memset(f.other_key->bytes, 9, KEY_BYTES);
    buf_init(&f.copy, COPY_BYTES_MAX);
    assert_ok(vault_create(tempdir_root(f.dir), f.key, ID));
    assert_ok(vault_open(tempdir_root(f.dir), f.key, ID, &f.vault));
    assert_ok(vault_write(f.vault, make, NULL));
    for (int i = 0; i < 30; i++)
        assert_ok(vault_write(f.vault, put, NULL));
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    vault_close(f->vault);
    store_key_free(f->key);
    store_key_free(f->other_key);
    buf_done(&f->copy);
    tempdir_free(f->dir);
    tempdir_free(f->other);
    return 0;
}

static enum err note_size(void *context, uint64_t size_bytes)
{
    ((struct fixture *)context)->announced = size_bytes;
    return ERR_OK;
}

static enum err take(void *context, const void *bytes, size_t len)
{
    struct fixture *f = context;

    buf_add(&f->copy, bytes, len);
    if (f->write_meanwhile && f->copy.len % (3 * PAGE_BYTES) == 0)
        assert_ok(vault_write(f->vault, put, NULL));
    return buf_err(&f->copy);
}

static int64_t count(struct vault *v)
{
    AUTO(reader_done) struct reader r = {v, NULL};
    int64_t out = -1;

    assert_ok(vault_read(v, &r.db));
    assert_ok(db_number(r.db, SQL_COUNT, NO_PARAMS, &out));
    return out;
}

/* What plain SQLite says of the copy. */
static int64_t plain_number(struct fixture *f, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    int64_t out;

    assert_ok(fs_replace(tempdir_path(f->other, "plain.db"), f->copy.data, f->copy.len));
    assert_int_equal(sqlite3_open(tempdir_path(f->other, "plain.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_string_equal(sqlite3_column_text(s, 0), "ok");
    (void)sqlite3_finalize(s);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    out = sqlite3_column_int64(s, 0);
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
    return out;
}

static int64_t plain_count(struct fixture *f) { return plain_number(f, SQL_COUNT); }

static void a_copy_is_a_plain_database_of_one_moment(void **state)
{
    struct fixture *f = *state;

    f->write_meanwhile = true;
    assert_ok(vault_copy(f->vault, note_size, take, f));
    assert_int_equal(f->copy.len, f->announced);
    assert_int_equal(plain_count(f), 30);
    assert_true(count(f->vault) > 30);
}

/* Whatever the reader saw before, and whatever is written meanwhile. */
static void a_reader_sees_just_what_is_copied(void **state)
{
    struct fixture *f = *state;
    struct db *reader = NULL;
    int64_t seen = 0;

    assert_ok(vault_read(f->vault, &reader));
    assert_ok(db_number(reader, SQL_COUNT, NO_PARAMS, &seen));
    assert_ok(vault_write(f->vault, put, NULL));
    f->write_meanwhile = true;
    assert_ok(vault_copy_seen(f->vault, reader, note_size, take, f));
    assert_ok(db_number(reader, SQL_COUNT, NO_PARAMS, &seen));
    vault_read_end(f->vault, reader);
    assert_int_equal(seen, 31);
    assert_int_equal(plain_count(f), 31);
    assert_true(count(f->vault) > 31);
}

static void a_copy_needs_nobody_to_end_their_reading(void **state)
{
    struct fixture *f = *state;
    struct db *reader = NULL;
    int64_t seen;

    assert_ok(vault_read(f->vault, &reader));
    assert_ok(db_number(reader, SQL_COUNT, NO_PARAMS, &seen)); /* holds the log back */
    for (int i = 0; i < 10; i++)
        assert_ok(vault_write(f->vault, put, NULL));
    f->write_meanwhile = true;
    assert_ok(vault_copy(f->vault, NULL, take, f));
    vault_read_end(f->vault, reader);
    assert_int_equal(plain_count(f), 40);
}

static enum err drop(void *context, const void *bytes, size_t len)
{
    (void)context, (void)bytes, (void)len;
    return ERR_OK;
}

static void count_problem(void *context, const char *where, const char *what)
{
    (void)where, (void)what;
    atomic_fetch_add((_Atomic int *)context, 1);
}

static void *copy_or_check(void *context)
{
    struct other *o = context;
    struct vault_check_report report;

    while (!atomic_load(&o->stop)) {
        enum err e = o->copies ? vault_copy(o->f->vault, NULL, drop, NULL)
                               : vault_check(o->f->vault, count_problem, &o->wrong, &report);

        if (e && e != ERR_BUSY)
            atomic_fetch_add(&o->wrong, 1);
        if (!e)
            atomic_fetch_add(&o->made, 1);
        else
            atomic_fetch_add(&o->busy, 1);
    }
    return NULL;
}

/* While this copy is under way, others begin; what is written between would tear it. */
static enum err take_with_others(void *context, const void *bytes, size_t len)
{
    struct fixture *f = context;

    if (f->copy.len % (20 * PAGE_BYTES) == 0)
        (void)usleep(3000);
    for (int i = 0; i < 3; i++)
        assert_ok(vault_write(f->vault, touch, NULL));
    return take(f, bytes, len);
}

static void copies_and_checks_at_once_stay_whole(void **state)
{
    struct fixture *f = *state;
    struct other others[] = {{.f = f, .copies = true}, {.f = f}, {.f = f}};

    vault_close(f->vault);
    f->vault = NULL;
    writer_set_checkpoint(20);
    assert_ok(vault_open(tempdir_root(f->dir), f->key, ID, &f->vault));
    writer_set_checkpoint(0);
    assert_ok(vault_write(f->vault, touch, NULL));
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_int_equal(pthread_create(&others[i].id, NULL, copy_or_check, &others[i]), 0);
    for (int i = 0; i < 5; i++) {
        enum err e;

        f->copy.len = 0;
        while ((e = vault_copy(f->vault, NULL, take_with_others, f)) == ERR_BUSY) {
        }
        assert_ok(e);
        assert_int_equal(plain_count(f), 30);
        assert_int_equal(plain_number(f, SQL_DIFFERENT), 1);
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        atomic_store(&others[i].stop, true);
        assert_int_equal(pthread_join(others[i].id, NULL), 0);
        assert_int_equal(others[i].wrong, 0);
    }
    assert_true(others[0].made + others[1].made + others[2].made > 0);
}

static enum err copy_again(void *context, const void *bytes, size_t len)
{
    struct fixture *f = context;
    struct vault_check_report report;
    _Atomic int problems = 0;

    if (f->copy.len == 0) {
        assert_err(vault_copy(f->vault, NULL, drop, NULL), ERR_BUSY);
        assert_err(vault_check(f->vault, count_problem, &problems, &report), ERR_BUSY);
    }
    return take(f, bytes, len);
}

static void a_second_copy_or_check_waits_no_longer_than_it_may(void **state)
{
    struct fixture *f = *state;
    struct vault_check_report report;
    _Atomic int problems = 0;

    vault_set_wait(50);
    assert_ok(vault_copy(f->vault, NULL, copy_again, f));
    assert_ok(vault_check(f->vault, count_problem, &problems, &report));
    vault_set_wait(0);
    assert_int_equal(plain_count(f), 30);
}

static enum err pass_on(void *context, const void *bytes, size_t len)
{
    return vault_maker_put(context, bytes, len);
}

static void a_copy_becomes_a_vault_of_another_key(void **state)
{
    struct fixture *f = *state;
    AUTO(vault_maker_freep) struct vault_maker *m = NULL;
    struct vault *v = NULL;

    assert_ok(vault_maker_new(tempdir_root(f->other), f->other_key, OTHER_ID, &m));
    assert_ok(vault_copy(f->vault, NULL, pass_on, m));
    assert_ok(vault_maker_finish(m));
    vault_maker_free(m);
    m = NULL;
    assert_ok(vault_open(tempdir_root(f->other), f->other_key, OTHER_ID, &v));
    assert_int_equal(count(v), 30);
    assert_ok(vault_write(v, put, NULL));
    vault_close(v);
}

static void what_is_no_copy_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    size_t lens[] = {0, 1, 100, PAGE_BYTES, 3 * PAGE_BYTES + 5};
    size_t heads[] = {0, 4, 8, 12, 16, 20, 55}; /* another magic, page size, reserve; a map of pages */

    assert_ok(vault_copy(f->vault, NULL, take, f));
    for (size_t i = 0; i < COUNT_OF(lens); i++) { /* cut */
        struct vault_maker *m = NULL;

        assert_ok(vault_maker_new(tempdir_root(f->other), f->other_key, OTHER_ID, &m));
        for (size_t at = 0; at < lens[i]; at += 7)
            assert_ok(vault_maker_put(m, f->copy.data + at, lens[i] - at < 7 ? lens[i] - at : 7));
        assert_err(vault_maker_finish(m), ERR_INVALID);
        vault_maker_free(m);
        assert_false(fs_exists(tempdir_path(f->other, "vault.db")));
    }
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        struct vault_maker *m = NULL;
        size_t at = heads[i];

        f->copy.data[at] ^= 0x55;
        assert_ok(vault_maker_new(tempdir_root(f->other), f->other_key, OTHER_ID, &m));
        assert_err(vault_maker_put(m, f->copy.data, f->copy.len), ERR_INVALID);
        vault_maker_free(m);
        f->copy.data[at] ^= 0x55;
    }
}

static void a_vault_is_not_made_beside_the_log_of_another(void **state)
{
    struct fixture *f = *state;
    AUTO(vault_maker_freep) struct vault_maker *m = NULL;
    const char *dir = tempdir_root(f->dir), *db = tempdir_path(f->dir, "vault.db");
    uint64_t generation;

    assert_ok(vault_copy(f->vault, NULL, take, f));
    assert_ok(vault_write(f->vault, put, NULL));
    generation = f->vault->vfs->anchor.now.generation;
    assert_int_equal(rename(tempdir_path(f->dir, "vault.db-wal"), tempdir_path(f->dir, "log")), 0);
    vault_close(f->vault);
    f->vault = NULL;
    assert_int_equal(unlink(db), 0);
    assert_int_equal(rename(tempdir_path(f->dir, "log"), tempdir_path(f->dir, "vault.db-wal")), 0);
    assert_err(vault_maker_new(dir, f->key, ID, &m), ERR_CONFLICT);
    assert_err(vault_create(dir, f->key, ID), ERR_CONFLICT);
    assert_false(fs_exists(db));
    assert_int_equal(unlink(tempdir_path(f->dir, "vault.db-wal")), 0);
    assert_ok(vault_maker_new(dir, f->key, ID, &m));
    assert_ok(vault_maker_put(m, f->copy.data, f->copy.len));
    assert_ok(vault_maker_finish(m));
    vault_maker_free(m);
    m = NULL;
    assert_ok(vault_open(dir, f->key, ID, &f->vault));
    assert_true(f->vault->vfs->anchor.now.generation > generation); /* so that the old log stays old */
    assert_int_equal(count(f->vault), 30);
}

static void a_damaged_vault_gives_no_copy(void **state)
{
    struct fixture *f = *state;
    const char *story = NULL;
    struct buf bytes;

    vault_close(f->vault);
    f->vault = NULL;
    buf_init(&bytes, COPY_BYTES_MAX);
    assert_ok(fs_read(tempdir_path(f->dir, "vault.db"), COPY_BYTES_MAX, &bytes));
    bytes.data[bytes.len - 100] ^= 1;
    assert_ok(fs_replace(tempdir_path(f->dir, "vault.db"), bytes.data, bytes.len));
    buf_done(&bytes);
    assert_ok(vault_open(tempdir_root(f->dir), f->key, ID, &f->vault));
    assert_err(vault_copy(f->vault, NULL, take, f), ERR_CORRUPT);
    assert_true(vault_is_damaged(f->vault, &story));
    assert_err(vault_copy(f->vault, NULL, take, f), ERR_CORRUPT);
}

static void flip(struct fixture *f, const char *name, off_t at)
{
    int fd = open(tempdir_path(f->dir, name), O_RDWR | O_CLOEXEC);
    uint8_t byte;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    (void)close(fd);
}

static void a_damaged_log_gives_no_copy(void **state)
{
    struct fixture *f = *state;
    struct db *reader = NULL;
    const char *story = NULL;
    int64_t seen;

    assert_ok(vault_read(f->vault, &reader));
    assert_ok(db_number(reader, SQL_COUNT, NO_PARAMS, &seen)); /* so that the log is copied from */
    for (int i = 0; i < 10; i++)
        assert_ok(vault_write(f->vault, put, NULL));
    flip(f, "vault.db-wal", (off_t)frame_place(vfs_frames(f->vault->vfs)) + FRAME_HEADER_SEALED_BYTES + 50);
    assert_err(vault_copy(f->vault, NULL, take, f), ERR_CORRUPT);
    assert_non_null(strstr(err_story(), "vault.db-wal frame"));
    assert_true(vault_is_damaged(f->vault, &story));
    vault_read_end(f->vault, reader);
}

/* What a page says of itself is held to what a vault's page is. */
static void pages_that_no_vault_has_are_refused(void **state)
{
    enum { HEAD_COUNT_AT = 31, TAIL_AT = PAGE_BYTES - 1 };
    static const struct {
        const char *name;
        size_t at;
        bool at_once; /* else when it ends */
    } ROWS[] = {{"fewer pages than page 1 announces", HEAD_COUNT_AT, false},
                {"the tail of page 1 is taken", TAIL_AT, true},
                {"the tail of page 3 is taken", 2 * PAGE_BYTES + TAIL_AT, true}};
    struct fixture *f = *state;
    struct vault_maker *m = NULL;

    assert_ok(vault_copy(f->vault, NULL, take, f));
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        enum err e;

        f->copy.data[ROWS[i].at]++;
        assert_ok(vault_maker_new(tempdir_root(f->other), f->other_key, OTHER_ID, &m));
        e = vault_maker_put(m, f->copy.data, f->copy.len);
        assert_row(ROWS[i].name, e == (ROWS[i].at_once ? ERR_INVALID : ERR_OK));
        if (!e)
            assert_err(vault_maker_finish(m), ERR_INVALID);
        vault_maker_free(m);
        assert_row(ROWS[i].name, !fs_exists(tempdir_path(f->other, "vault.db")));
        f->copy.data[ROWS[i].at]--;
    }
    assert_ok(vault_maker_new(tempdir_root(f->other), f->other_key, OTHER_ID, &m));
    assert_ok(vault_maker_put(m, f->copy.data, f->copy.len));
    assert_err(vault_maker_put(m, f->copy.data, PAGE_BYTES), ERR_INVALID); /* one more than announced */
    vault_maker_free(m);
}

static enum err make_again(struct fixture *f)
{
    AUTO(vault_maker_freep) struct vault_maker *m = NULL;
    enum err e;

    if ((e = vault_maker_new(tempdir_root(f->other), f->other_key, OTHER_ID, &m)) ||
        (e = vault_maker_put(m, f->copy.data, f->copy.len)))
        return e;
    return vault_maker_finish(m);
}

static void copying_survives_each_failing_allocation(void **state)
{
    struct fixture *f = *state;
    struct db *reader = NULL;
    int64_t seen;
    enum err e;

    assert_ok(vault_read(f->vault, &reader));
    assert_ok(db_number(reader, SQL_COUNT, NO_PARAMS, &seen));
    assert_ok(vault_write(f->vault, put, NULL));
    FAIL_EACH_ALLOCATION (e, (buf_clear(&f->copy), vault_copy(f->vault, NULL, take, f))) {
        assert_int_equal(e, ERR_NO_MEMORY);
    }
    vault_read_end(f->vault, reader);
    assert_int_equal(plain_count(f), 31);
    FAIL_EACH_ALLOCATION (e, make_again(f)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_false(fs_exists(tempdir_path(f->other, "vault.db")));
    }
}

#define COPY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COPY(a_copy_is_a_plain_database_of_one_moment),
        COPY(a_reader_sees_just_what_is_copied),
        COPY(a_copy_needs_nobody_to_end_their_reading),
        COPY(copies_and_checks_at_once_stay_whole),
        COPY(a_second_copy_or_check_waits_no_longer_than_it_may),
        COPY(a_copy_becomes_a_vault_of_another_key),
        COPY(what_is_no_copy_leaves_nothing),
        COPY(a_vault_is_not_made_beside_the_log_of_another),
        COPY(a_damaged_vault_gives_no_copy),
        COPY(a_damaged_log_gives_no_copy),
        COPY(pages_that_no_vault_has_are_refused),
        COPY(copying_survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
