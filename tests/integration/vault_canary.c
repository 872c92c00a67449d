/* Canaries: unique values written through SQL are nowhere in the store's files, while it is open and when it
 * is closed, in clear or in base64; nor in any other file that the process made. */
#include "tests/integration/vault_common.h"

#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/codec.h"
#include "pds/base/fs.h"
#include "pds/vault/vault_internal.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { CANARIES = 200, CANARY_BYTES = 24, FILE_BYTES_MAX = 64 << 20 };

static const char SQL_MAKE[] =
    "CREATE TABLE canary_table (canary_key TEXT PRIMARY KEY, canary_value BLOB) STRICT";
static const char SQL_WORDS[] = "CREATE VIRTUAL TABLE canary_words USING fts5 (text)";
static const char SQL_PUT[] = "INSERT INTO canary_table VALUES (?1, ?2)";
static const char SQL_PUT_WORD[] = "INSERT INTO canary_words VALUES (?1)";
static const char SQL_DROP[] = "DELETE FROM canary_table WHERE rowid % 2 = 0";
static const char SQL_SORT[] = "SELECT max(a.canary_key || b.canary_key) FROM canary_table a, canary_table b"
                               " ORDER BY a.canary_value";

static char canaries[CANARIES][CANARY_BYTES + 1];
static struct home home;

static enum err make(struct db *db, void *context)
{
    enum err e = db_run(db, SQL_MAKE, NO_PARAMS);

    (void)context;
    return e ? e : db_run(db, SQL_WORDS, NO_PARAMS);
}

static enum err put(struct db *db, void *context)
{
    const char *canary = context;
    enum err e = db_run(db, SQL_PUT, PARAMS(TEXT(canary), BLOB(canary, CANARY_BYTES)));

    return e ? e : db_run(db, SQL_PUT_WORD, PARAMS(TEXT(canary)));
}

static enum err drop(struct db *db, void *context)
{
    (void)context;
    return db_run(db, SQL_DROP, NO_PARAMS);
}

static bool has(const struct buf *b, const void *what, size_t len)
{
    return b->len && memmem(b->data, b->len, what, len);
}

static void search_file(const char *path, const char *when)
{
    static const char *const NAMES[] = {"canary_table", "canary_words", "SQLite format 3", "CREATE TABLE"};
    struct buf file, text;

    buf_init(&file, FILE_BYTES_MAX);
    buf_init(&text, 256);
    assert_ok(fs_read(path, FILE_BYTES_MAX, &file));
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        if (has(&file, NAMES[i], strlen(NAMES[i])))
            fail_msg("%s is in %s, %s", NAMES[i], path, when);
    for (size_t i = 0; i < CANARIES; i++) {
        buf_clear(&text);
        codec_base64(&text, canaries[i], CANARY_BYTES);
        if (has(&file, canaries[i], 12) || has(&file, text.data, text.len))
            fail_msg("canary %zu is in %s, %s", i, path, when);
    }
    buf_done(&file);
    buf_done(&text);
}

static size_t search(const char *when)
{
    const char *root = tempdir_root(home.dir);
    struct dirent *entry;
    size_t files = 0;
    DIR *dir = opendir(root);

    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        char path[FS_PATH_BYTES];

        if (entry->d_name[0] == '.')
            continue;
        assert_ok(fs_join(path, root, entry->d_name));
        search_file(path, when);
        files++;
    }
    (void)closedir(dir);
    return files;
}

static void values_are_nowhere_in_clear(void **state)
{
    uint64_t random = test_seed();
    struct vault *v = NULL;
    struct db *db = NULL;
    AUTO(stmt_closep) struct stmt *row = NULL;

    (void)state;
    writer_set_checkpoint(100);
    assert_ok(home_create(&home));
    assert_ok(home_open(&home, &v));
    assert_ok(vault_write(v, make, NULL));
    for (size_t i = 0; i < CANARIES; i++) {
        for (size_t at = 0; at < CANARY_BYTES; at++)
            canaries[i][at] = (char)('a' + test_random(&random) % 26);
        assert_ok(vault_write(v, put, canaries[i]));
    }
    assert_ok(vault_write(v, drop, NULL));
    assert_ok(vault_read(v, &db));
    assert_ok(db_query(db, SQL_SORT, NO_PARAMS, &row));
    assert_ok(stmt_next(row));
    assert_int_equal(search("open"), 3);
    stmt_close(row);
    row = NULL;
    vault_read_end(v, db);
    vault_close(v);
    assert_int_equal(search("closed"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_are_nowhere_in_clear)};
    int failed;

    home = home_new();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    home_done(&home);
    return failed;
}
