#include "tests/harness/backup.h"

#include "pds/portable/backup_stream.h"
#include "pds/portable/restore.h"

#include <dirent.h>

/* Enough that it is still being made when the test goes on. */
enum { LARGE = 24 * 1024 * 1024, SMALL = 40 };

static size_t files_in(const char *path)
{
    size_t count = 0;
    DIR *folder = opendir(path);

    assert_non_null(folder);
    while (readdir(folder))
        count++;
    (void)closedir(folder);
    return count;
}

static void put_large(struct tmpstore *t)
{
    uint8_t *bytes = mem_new(LARGE);

    assert_non_null(bytes);
    backup_put_blob(t, bytes, LARGE);
    mem_free(bytes);
}

static void it_is_given_out_once_it_is_whole(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(backup_stream_freep) struct backup_stream *b = NULL;
    AUTO(backup_manifest_done) struct backup_manifest m = {0};
    AUTO(age_reader_freep) struct age_reader *reader = NULL;
    static char piece[100000];
    uint64_t size = 1, told = 0;
    int fd = backup_file(t);
    size_t before = files_in(store_dir(t->store)), got = 1;
    enum err e;

    (void)state;
    backup_knows_code(t);
    put_large(t);
    assert_ok(backup_stream_new(t->store, TMPSTORE_NOW, &b));
    assert_int_equal(files_in(store_dir(t->store)), before); /* it has no name */
    assert_ok(backup_stream_wait(b, 0, &size));
    assert_int_equal(size, 0);
    while (got > 0) {
        if ((e = backup_stream_read(b, piece, sizeof piece, &got)) == ERR_BUSY)
            continue;
        assert_ok(e);
        assert_ok(fs_write_all(fd, piece, got));
        told += got;
    }
    assert_ok(backup_stream_wait(b, 0, &size));
    assert_int_equal(size, told);
    reader = backup_open(&fd);
    assert_ok(backup_walk(reader, NULL, NULL, &m));
    assert_int_equal(m.count, 2);
    (void)close(fd);
}

static void who_goes_ends_it(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    struct backup_stream *b = NULL;

    (void)state;
    backup_knows_code(t);
    put_large(t);
    assert_ok(backup_stream_new(t->store, TMPSTORE_NOW, &b));
    backup_stream_free(b);
    backup_stream_free(NULL);
}

static enum err drop(struct db *db, void *id) { return blob_drop(db, *(const int64_t *)id); }

static uint64_t wait_for(struct backup_stream *b)
{
    uint64_t size = 0;

    while (size == 0)
        assert_ok(backup_stream_wait(b, 1000, &size));
    return size;
}

static void restores(struct tmpstore *t, int fd)
{
    AUTO(secret_text_freep) struct secret_text *code = backup_code(), *made = NULL;
    AUTO(json_freep) json_t *answer = NULL;
    struct restore_keys keys = {.recovery_code = code,
                                .passphrase = code,
                                .cost = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN}};

    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_ok(restore_make(fd, tempdir_path(t->dir, "again"), &keys, TMPSTORE_NOW, &made, &answer));
}

/* Whether a file is in it or not: the database that is in it has just the same. */
static void files_that_are_dropped_meanwhile_do_not_break_it(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(backup_stream_freep) struct backup_stream *b = NULL;
    AUTO(backup_manifest_done) struct backup_manifest m = {0};
    AUTO(age_reader_freep) struct age_reader *reader = NULL;
    static char piece[100000];
    int fd = backup_file(t);
    size_t got = 1;

    (void)state;
    backup_knows_code(t);
    put_large(t);
    for (int i = 0; i < SMALL; i++)
        backup_put_blob(t, "small", 5);
    assert_ok(backup_stream_new(t->store, TMPSTORE_NOW, &b));
    for (int64_t id = 2; id < 2 + SMALL; id++)
        assert_ok(vault_write(t->vault, drop, &id));
    assert_ok(blob_sweep(t->store, t->vault));
    (void)wait_for(b);
    while (got > 0) {
        assert_ok(backup_stream_read(b, piece, sizeof piece, &got));
        assert_ok(fs_write_all(fd, piece, got));
    }
    reader = backup_open(&fd);
    assert_ok(backup_walk(reader, NULL, NULL, &m));
    assert_true(m.count >= 2 && m.count <= 2 + SMALL);
    restores(t, fd); /* each row has its file, and each file its row */
    (void)close(fd);
}

static void what_fails_is_told_to_who_waits(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(backup_stream_freep) struct backup_stream *b = NULL;
    uint64_t size = 0;
    size_t got = 0;
    char byte;

    (void)state;
    store_shut(t->store);
    assert_ok(backup_stream_new(t->store, TMPSTORE_NOW, &b));
    assert_err(backup_stream_wait(b, 10000, &size), ERR_LOCKED);
    assert_non_null(strstr(err_story(), "locked"));
    assert_err(backup_stream_read(b, &byte, 1, &got), ERR_LOCKED);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(it_is_given_out_once_it_is_whole),
        cmocka_unit_test(who_goes_ends_it),
        cmocka_unit_test(files_that_are_dropped_meanwhile_do_not_break_it),
        cmocka_unit_test(what_fails_is_told_to_who_waits),
    };

    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
