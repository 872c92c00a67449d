/* The traps of a sealed VFS (docs/vault-format.md), one test each. */
#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/fs.h"
#include "pds/crypto/random.h"
#include "pds/vault/bytes_internal.h"
#include "pds/vault/db_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint8_t ID[STORE_ID_BYTES] = "traps";

struct fixture {
    struct tempdir *dir;
    struct tempdir *copy; /* where a killed store is opened again */
    struct store_key *key;
    struct vfs *vfs;
    struct db *db;
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){.dir = tempdir_new(), .copy = tempdir_new()};
    assert_ok(random_start());
    assert_ok(db_start());
    f.key = store_key_new();
    assert_non_null(f.key);
    assert_ok(vfs_open(tempdir_root(f.dir), f.key, ID, true, &f.vfs));
    assert_ok(db_open(f.vfs, DB_MAKER, &f.db));
    assert_ok(db_script(f.db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB) STRICT"));
    *state = &f;
    return 0;
}

static void close_all(struct fixture *f)
{
    db_close(f->db);
    vfs_close(f->vfs);
    f->db = NULL;
    f->vfs = NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    close_all(f);
    store_key_free(f->key);
    tempdir_free(f->dir);
    tempdir_free(f->copy);
    return 0;
}

static void run(struct fixture *f, const char *sql) { assert_ok(db_script(f->db, sql)); }

static int64_t number(struct fixture *f, const char *sql)
{
    int64_t out = -1;

    assert_ok(db_number(f->db, sql, NO_PARAMS, &out));
    return out;
}

static const char SQL_FILL[] =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)"
    " INSERT INTO t (b) SELECT randomblob(300) FROM n";

/* A file of the store as it lies on the disk; freed by the caller. */
static uint8_t *bytes_of(struct tempdir *dir, const char *name, size_t *len)
{
    struct buf b;

    buf_init(&b, 64 << 20);
    assert_ok(fs_read(tempdir_path(dir, name), 64 << 20, &b));
    *len = b.len;
    return (uint8_t *)b.data; /* mem's: freed with buf_done() in free_bytes() */
}

static void free_bytes(uint8_t *bytes)
{
    struct buf b = {.data = (char *)bytes};

    buf_done(&b);
}

/* What a kill would leave, opened elsewhere. */
static void copy_store(struct fixture *f)
{
    static const char *const NAMES[] = {"vault.db", "vault.db-wal", "lock"};

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        uint8_t *bytes;
        size_t len;

        if (!fs_exists(tempdir_path(f->dir, NAMES[i])))
            continue;
        bytes = bytes_of(f->dir, NAMES[i], &len);
        assert_ok(fs_replace(tempdir_path(f->copy, NAMES[i]), bytes, len));
        free_bytes(bytes);
    }
}

static void reopen_copy(struct fixture *f)
{
    copy_store(f);
    close_all(f);
    assert_ok(vfs_open(tempdir_root(f->copy), f->key, ID, false, &f->vfs));
    assert_ok(db_open(f->vfs, DB_WRITER, &f->db));
}

static void change_byte(struct tempdir *dir, const char *name, long at)
{
    int fd = open(tempdir_path(dir, name), O_RDWR | O_CLOEXEC);
    uint8_t byte = 0;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 4;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    (void)close(fd);
}

static sqlite3_file *db_file(struct fixture *f)
{
    sqlite3_file *file = NULL;

    assert_int_equal(sqlite3_file_control(f->db->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file),
                     SQLITE_OK);
    return file;
}

static sqlite3_file *wal_file(struct fixture *f)
{
    sqlite3_file *file = NULL;

    assert_int_equal(sqlite3_file_control(f->db->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file),
                     SQLITE_OK);
    return file;
}

static int read_at(sqlite3_file *f, void *out, int n, sqlite3_int64 at)
{
    return f->pMethods->xRead(f, out, n, at);
}

static void trap_01_a_log_is_recovered_with_its_checksums(void **state)
{
    struct fixture *f = *state;

    run(f, SQL_FILL);
    run(f, SQL_FILL);
    reopen_copy(f);
    assert_int_equal(number(f, "SELECT count(*) FROM t"), 400);
}

static void trap_02_headers_of_the_log_are_sealed(void **state)
{
    struct fixture *f = *state;
    uint8_t *bytes, header[LOG_HEADER_BYTES];
    size_t len, frames;

    run(f, SQL_FILL);
    bytes = bytes_of(f->dir, "vault.db-wal", &len);
    frames = vfs_frames(f->vfs);
    assert_true(frames > 10);
    assert_true(len >= (size_t)frame_place((uint32_t)frames + 1));
    assert_int_equal((len - LOG_HEADER_SEALED_BYTES) % FRAME_SEALED_BYTES, 0);
    assert_int_equal(read_at(wal_file(f), header, sizeof header, 0), SQLITE_OK);
    assert_int_equal(bytes_get32(header) & ~1U, 0x377f0682);
    assert_null(memmem(bytes, len, header, 4));      /* the magic number */
    assert_null(memmem(bytes, len, header + 16, 8)); /* the salts, which stand in every frame */
    free_bytes(bytes);
}

static void trap_03_every_shape_of_read_gives_the_same_bytes(void **state)
{
    struct fixture *f = *state;
    uint8_t whole[FRAME_BYTES], part[FRAME_BYTES], head[LOG_HEADER_BYTES];
    static const int SHAPES[][2] = {{0, 24}, {16, 8}, {24, 4096}, {0, 4120}, {0, 4}, {100, 50}};
    sqlite3_file *wal;

    run(f, "PRAGMA cache_size = 5");
    run(f, "BEGIN");
    run(f, SQL_FILL); /* spills */
    run(f, "UPDATE t SET b = randomblob(310) WHERE a % 3 = 0");
    run(f, "UPDATE t SET b = randomblob(290) WHERE a % 2 = 0"); /* changes spilled frames: checksums are
                                                                   rewritten */
    run(f, "COMMIT");
    wal = wal_file(f);
    assert_int_equal(read_at(wal, head, sizeof head, 0), SQLITE_OK);
    assert_int_equal(read_at(wal, part, 8, 24), SQLITE_OK);
    assert_memory_equal(part, head + 24, 8);
    for (uint32_t frame = 0; frame < vfs_frames(f->vfs); frame++) {
        sqlite3_int64 at = LOG_HEADER_BYTES + (sqlite3_int64)frame * FRAME_BYTES;

        assert_int_equal(read_at(wal, whole, FRAME_BYTES, at), SQLITE_OK);
        for (size_t i = 0; i < COUNT_OF(SHAPES); i++) {
            assert_int_equal(read_at(wal, part, SHAPES[i][1], at + SHAPES[i][0]), SQLITE_OK);
            assert_memory_equal(part, whole + SHAPES[i][0], (size_t)SHAPES[i][1]);
        }
    }
    reopen_copy(f);
    assert_int_equal(number(f, "SELECT count(*) FROM t"), 200);
    assert_int_equal(number(f, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
                     1);
}

static void trap_04_a_bad_frame_is_not_the_end_of_the_log(void **state)
{
    struct fixture *f = *state;
    struct vfs *v = NULL;
    int fd;

    run(f, SQL_FILL);
    run(f, SQL_FILL);
    copy_store(f);
    fd = open(tempdir_path(f->copy, "vault.db-wal"), O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a torn end", 10), 10); /* never answered: no alarm */
    (void)close(fd);
    assert_ok(vfs_open(tempdir_root(f->copy), f->key, ID, false, &v));
    vfs_close(v);
    v = NULL;
    copy_store(f);
    change_byte(f->copy, "vault.db-wal", (long)frame_place(vfs_frames(f->vfs)) + 100);
    assert_err(vfs_open(tempdir_root(f->copy), f->key, ID, false, &v), ERR_CORRUPT);
    assert_non_null(strstr(err_story(), "vault.db-wal frame "));
}

static void trap_05_parts_of_pages_are_read_from_whole_ones(void **state)
{
    struct fixture *f = *state;
    sqlite3_file *db = db_file(f);
    uint8_t page[PAGE_BYTES], part[PAGE_BYTES];
    int traits = db->pMethods->xDeviceCharacteristics(db);

    run(f, SQL_FILL);
    run(f, "PRAGMA wal_checkpoint");
    assert_int_equal(read_at(db, page, PAGE_BYTES, 0), SQLITE_OK);
    assert_memory_equal(page, "SQLite format 3", 16);
    assert_int_equal(read_at(db, part, 100, 0), SQLITE_OK);
    assert_memory_equal(part, page, 100);
    assert_int_equal(read_at(db, part, 16, 24), SQLITE_OK);
    assert_memory_equal(part, page + 24, 16);
    assert_int_equal(read_at(db, page, PAGE_BYTES, PAGE_BYTES), SQLITE_OK);
    assert_int_equal(read_at(db, part, 1000, PAGE_BYTES + 500), SQLITE_OK);
    assert_memory_equal(part, page + 500, 1000);
    assert_int_equal(traits & ~(SQLITE_IOCAP_POWERSAFE_OVERWRITE | SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN), 0);
}

static void trap_06_a_database_without_our_bytes_is_not_restored_over(void **state)
{
    struct fixture *f = *state;
    sqlite3 *plain = NULL;
    sqlite3_backup *backup;

    run(f, SQL_FILL);
    assert_int_equal(sqlite3_open(":memory:", &plain), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(plain, "CREATE TABLE x (a); INSERT INTO x VALUES (zeroblob(9000))", NULL, NULL, NULL),
        SQLITE_OK);
    backup = sqlite3_backup_init(f->db->handle, "main", plain, "main");
    if (backup) {
        assert_int_not_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
        assert_int_not_equal(sqlite3_backup_finish(backup), SQLITE_OK);
    }
    (void)sqlite3_close(plain);
    assert_int_equal(number(f, "SELECT count(*) FROM t"), 200);
}

static void trap_07_the_reserve_is_kept_and_other_databases_are_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t head[100];
    char sql[FS_PATH_BYTES + 64];

    run(f, SQL_FILL);
    run(f, "DELETE FROM t WHERE a % 2 = 0");
    run(f, "VACUUM");
    run(f, "PRAGMA wal_checkpoint");
    assert_int_equal(read_at(db_file(f), head, sizeof head, 0), SQLITE_OK);
    assert_int_equal(head[20], SEAL_EXTRA_BYTES);
    (void)snprintf(sql, sizeof sql, "ATTACH '%s' AS other", tempdir_path(f->dir, "other.db"));
    assert_err(db_script(f->db, sql), ERR_IO);
    (void)snprintf(sql, sizeof sql, "VACUUM INTO '%s'", tempdir_path(f->dir, "other.db"));
    assert_err(db_script(f->db, sql), ERR_IO);
    assert_false(fs_exists(tempdir_path(f->dir, "other.db")));
    assert_int_equal(number(f, "SELECT count(*) FROM t"), 100);
}

static void trap_08_no_byte_is_made_that_no_seal_covers(void **state)
{
    struct fixture *f = *state;
    sqlite3_file *db = db_file(f);
    sqlite3_int64 hint = 1 << 20, before, after;
    uint8_t page[PAGE_BYTES];
    int chunk = 1 << 20;

    run(f, SQL_FILL);
    run(f, "PRAGMA wal_checkpoint");
    assert_int_equal(db->pMethods->xFileSize(db, &before), SQLITE_OK);
    assert_int_equal(db->pMethods->xFileControl(db, SQLITE_FCNTL_CHUNK_SIZE, &chunk), SQLITE_OK);
    assert_int_equal(db->pMethods->xFileControl(db, SQLITE_FCNTL_SIZE_HINT, &hint), SQLITE_OK);
    assert_int_equal(db->pMethods->xFileSize(db, &after), SQLITE_OK);
    assert_int_equal(after, before);
    assert_int_equal(before % PAGE_BYTES, 0);
    assert_int_equal(read_at(db, page, PAGE_BYTES, before),
                     SQLITE_CORRUPT); /* not zeros, which SQLite would believe */
    assert_int_equal(db->pMethods->xTruncate(db, before + PAGE_BYTES), SQLITE_IOERR_TRUNCATE);
    assert_int_equal(db->pMethods->xFileSize(db, &after), SQLITE_OK);
    assert_int_equal(after, before);
    assert_int_equal(LOCK_PAGE, 262145);
}

static void only_ours_in(const char *folder)
{
    struct dirent *entry;
    DIR *dir = opendir(folder);

    assert_non_null(dir);
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            assert_row(entry->d_name, strcmp(entry->d_name, "vault.db") == 0 ||
                                          strcmp(entry->d_name, "vault.db-wal") == 0 ||
                                          strcmp(entry->d_name, "lock") == 0);
    (void)closedir(dir);
}

static void trap_09_no_journal_and_no_temporary_file_is_made(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 20; i++)
        run(f, SQL_FILL);
    run(f, "BEGIN; SAVEPOINT s; UPDATE t SET b = randomblob(400); ROLLBACK TO s; COMMIT");
    run(f, "CREATE TEMP TABLE x AS SELECT b FROM t ORDER BY b; DROP TABLE x");
    only_ours_in(tempdir_root(f->dir));
    (void)sqlite3_exec(f->db->handle, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    only_ours_in(tempdir_root(f->dir));
    run(f, SQL_FILL);
    only_ours_in(tempdir_root(f->dir));
    assert_int_equal(number(f, "SELECT count(*) FROM t"), 4200);
}

static void trap_10_nothing_is_mapped_and_there_is_no_shm_file(void **state)
{
    struct fixture *f = *state;
    enum { READERS = 3 };
    struct db *readers[READERS] = {NULL};
    sqlite3_file *db = db_file(f);
    sqlite3_int64 mapped = 1 << 20;

    run(f, SQL_FILL);
    assert_int_equal(db->pMethods->iVersion, 2);
    assert_int_equal(db->pMethods->xFileControl(db, SQLITE_FCNTL_MMAP_SIZE, &mapped), SQLITE_OK);
    assert_int_equal(mapped, 0);
    for (size_t i = 0; i < READERS; i++) {
        int64_t count = 0;

        assert_ok(db_open(f->vfs, DB_READER, &readers[i]));
        assert_ok(db_number(readers[i], "SELECT count(*) FROM t", NO_PARAMS, &count));
        assert_int_equal(count, 200);
    }
    only_ours_in(tempdir_root(f->dir));
    for (size_t i = 0; i < READERS; i++)
        db_close(readers[i]);
}

static void trap_11_a_checkpoint_moves_sealed_pages_as_they_are(void **state)
{
    struct fixture *f = *state;
    uint8_t *db, *wal;
    size_t db_len, wal_len, moved = 0;
    uint32_t frames;

    run(f, SQL_FILL);
    frames = vfs_frames(f->vfs);
    run(f, "PRAGMA wal_checkpoint");
    db = bytes_of(f->dir, "vault.db", &db_len);
    wal = bytes_of(f->dir, "vault.db-wal", &wal_len);
    for (uint32_t frame = frames; frame > 0; frame--) {
        uint32_t page = wal_page(&f->vfs->wal, frame);

        assert_true(page >= 1 && (size_t)page * PAGE_BYTES <= db_len);
        moved += memcmp(db + (size_t)(page - 1) * PAGE_BYTES,
                        wal + frame_place(frame) + FRAME_HEADER_SEALED_BYTES, PAGE_BYTES) == 0;
    }
    assert_int_equal(moved, db_len / PAGE_BYTES);
    free_bytes(db);
    free_bytes(wal);
}

/* The limit is told to the owner; the trail's checkpoints, kept elsewhere, are what shows it. */
static void trap_12_seals_alone_do_not_show_a_page_put_back(void **state)
{
    struct fixture *f = *state;
    uint8_t *older;
    size_t len;
    int fd;

    run(f, "INSERT INTO t VALUES (1, x'01')");
    run(f, "PRAGMA wal_checkpoint");
    older = bytes_of(f->dir, "vault.db", &len);
    run(f, "UPDATE t SET b = x'02'");
    close_all(f);
    fd = open(tempdir_path(f->dir, "vault.db"), O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, older, len, 0), (ssize_t)len);
    (void)close(fd);
    free_bytes(older);
    assert_ok(vfs_open(tempdir_root(f->dir), f->key, ID, false, &f->vfs));
    assert_ok(db_open(f->vfs, DB_WRITER, &f->db));
    assert_int_equal(number(f, "SELECT count(*) FROM t WHERE b = x'01'"), 1);
}

/* SQLite 3.40 alone loses this commit: it forgets to sign the frames that it wrote after the ROLLBACK TO. */
static void trap_13_a_commit_after_a_rollback_to_is_recovered(void **state)
{
    struct fixture *f = *state;

    run(f, SQL_FILL);
    run(f, "PRAGMA cache_size = 5");
    run(f, "BEGIN; SAVEPOINT s");
    run(f, SQL_FILL);
    run(f, "UPDATE t SET b = randomblob(301) WHERE a > 250");
    run(f, "UPDATE t SET b = randomblob(302) WHERE a > 250"); /* spilled pages change again */
    run(f, "ROLLBACK TO s");
    run(f, SQL_FILL);
    run(f, "COMMIT");
    run(f, "INSERT INTO t VALUES (1000, x'01')");
    reopen_copy(f);
    assert_int_equal(number(f, "SELECT count(*) FROM t"), 401);
    assert_int_equal(number(f, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
                     1);
}

static void files_are_for_their_owner_alone(void **state)
{
    struct fixture *f = *state;
    static const char *const NAMES[] = {"vault.db", "vault.db-wal", "lock"};
    struct stat s;

    run(f, SQL_FILL);
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        assert_int_equal(stat(tempdir_path(f->dir, NAMES[i]), &s), 0);
        assert_row(NAMES[i], (s.st_mode & 0777) == 0600);
    }
}

#define TRAP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAP(trap_01_a_log_is_recovered_with_its_checksums),
        TRAP(trap_02_headers_of_the_log_are_sealed),
        TRAP(trap_03_every_shape_of_read_gives_the_same_bytes),
        TRAP(trap_04_a_bad_frame_is_not_the_end_of_the_log),
        TRAP(trap_05_parts_of_pages_are_read_from_whole_ones),
        TRAP(trap_06_a_database_without_our_bytes_is_not_restored_over),
        TRAP(trap_07_the_reserve_is_kept_and_other_databases_are_refused),
        TRAP(trap_08_no_byte_is_made_that_no_seal_covers),
        TRAP(trap_09_no_journal_and_no_temporary_file_is_made),
        TRAP(trap_10_nothing_is_mapped_and_there_is_no_shm_file),
        TRAP(trap_11_a_checkpoint_moves_sealed_pages_as_they_are),
        TRAP(trap_12_seals_alone_do_not_show_a_page_put_back),
        TRAP(trap_13_a_commit_after_a_rollback_to_is_recovered),
        TRAP(files_are_for_their_owner_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
