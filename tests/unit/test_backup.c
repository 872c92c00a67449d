#include "tests/harness/backup.h"
#include "tests/harness/fault.h"

#include "pds/audit/trail.h"
#include "pds/portable/backup.h"

#include <dirent.h>
#include <stdio.h>

static enum err make(struct tmpstore *t, int fd, json_t **out)
{
    if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET) != 0)
        return err_set(ERR_IO, "the test's file");
    return backup_make(t->store, fd, NULL, TMPSTORE_NOW, out);
}

static json_int_t number_of(const json_t *answer, const char *key)
{
    return json_integer_value(json_object_get(answer, key));
}

static enum err get(void *context, void *out, size_t size, size_t *got)
{
    return age_read(context, out, size, got);
}

/* Names and plain bytes of what is inside, as tar(1) lists them. */
static void list(int fd, struct buf *names, struct buf *manifest)
{
    static const struct pack_limits LIMITS = {GIB, 1000, 0};
    AUTO(age_reader_freep) struct age_reader *reader = backup_open(&fd);
    AUTO(pack_reader_freep) struct pack_reader *pack = NULL;
    struct str name;
    int64_t size;

    assert_ok(pack_reader_new(1 << PACK_TAR, &LIMITS, get, reader, &pack));
    while (!pack_next(pack, &name, &size)) {
        size_t got = 1;

        buf_add(names, name.ptr, name.len < 6 ? name.len : 6); /* those of files are random */
        buf_char(names, ' ');
        while (got > 0) {
            char piece[1000];

            assert_ok(pack_read(pack, piece, sizeof piece, &got));
            if (str_eq(name, STR(BACKUP_MANIFEST)))
                buf_add(manifest, piece, got);
        }
    }
}

static void a_backup_holds_database_files_and_their_hashes(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(json_freep) json_t *answer = NULL, *manifest = NULL;
    AUTO(buf_done) struct buf names, text;
    const char *recipient = NULL;
    int fd = backup_file(t);

    (void)state;
    buf_init(&names, 4096);
    buf_init(&text, 64 * KIB);
    backup_knows_code(t);
    backup_put_blob(t, "one", 3);
    backup_put_blob(t, "", 0);
    assert_ok(make(t, fd, &answer));
    list(fd, &names, &text);
    assert_string_equal(names.data, "vault. files/ files/ manife SHA256 ");
    assert_ok(json_read((struct str){text.data, text.len}, 64 * KIB, &manifest));
    assert_int_equal(json_array_size(json_object_get(manifest, "entries")), 3);
    assert_int_equal(number_of(answer, "files"), 2);
    assert_int_equal(number_of(answer, "bytes"), lseek(fd, 0, SEEK_END));
    assert_true(number_of(answer, "pages") > 10);
    assert_ok(json_get_text(answer, "recipient", &recipient));
    assert_memory_equal(recipient, "age1", 4);
    (void)close(fd);
}

static void a_backup_is_in_the_trail_that_it_holds(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(json_freep) json_t *answer = NULL, *lines = NULL;
    struct trail_filter filter = {.kind = STR("backed-up"), .from = INT64_MIN, .to = INT64_MAX};
    AUTO(store_view_done) struct store_view view = {0};
    int fd = backup_file(t);

    (void)state;
    backup_knows_code(t);
    assert_ok(make(t, fd, &answer));
    assert_ok(store_view(t->store, &view));
    assert_ok(trail_list(view.db, &filter, -1, 10, &lines));
    assert_int_equal(json_array_size(json_object_get(lines, "entries")), 1);
    (void)close(fd);
}

static enum err forget(struct db *db, void *context)
{
    (void)context;
    return db_run(db, "DELETE FROM setting", NO_PARAMS);
}

static void a_store_that_knows_no_recipient_says_what_to_do(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(secret_text_freep) struct secret_text *code = backup_code();
    json_t *answer = NULL;
    int fd = backup_file(t);

    (void)state;
    assert_ok(vault_write(t->vault, forget, NULL));
    assert_err(make(t, fd, &answer), ERR_NOT_FOUND);
    assert_non_null(strstr(err_story(), "recover STORE --age-identity"));
    assert_int_equal(lseek(fd, 0, SEEK_END), 0);
    assert_ok(recipient_keep_in(t->store, t->root, code, TMPSTORE_NOW));
    assert_ok(make(t, fd, &answer));
    json_decref(answer);
    (void)close(fd);
}

/* Flip a bit of the only file of a store. */
static void damage_blob(struct tmpstore *t)
{
    char folder[FS_PATH_BYTES], path[FS_PATH_BYTES];
    const struct dirent *entry;
    DIR *files;
    char byte;
    int fd;

    assert_ok(fs_join(folder, store_dir(t->store), "files"));
    assert_non_null(files = opendir(folder));
    while ((entry = readdir(files)) && entry->d_name[0] == '.')
        continue;
    assert_non_null(entry);
    assert_ok(fs_join(path, folder, entry->d_name));
    (void)closedir(files);
    assert_true((fd = open(path, O_RDWR)) >= 0);
    assert_int_equal(pread(fd, &byte, 1, 100), 1);
    byte ^= 4;
    assert_int_equal(pwrite(fd, &byte, 1, 100), 1);
    (void)close(fd);
}

static void a_damaged_file_yields_no_backup(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    static const uint8_t BYTES[5000];
    json_t *answer = NULL;
    int fd = backup_file(t);

    (void)state;
    backup_knows_code(t);
    backup_put_blob(t, BYTES, sizeof BYTES);
    damage_blob(t);
    assert_err(make(t, fd, &answer), ERR_CORRUPT);
    assert_non_null(strstr(err_story(), "blob 1"));
    assert_null(answer);
    (void)close(fd);
}

static void what_hinders_it_is_told(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    atomic_bool unwanted = true;
    json_t *answer = NULL;
    int fd = backup_file(t), none = open("/dev/null", O_RDONLY);

    (void)state;
    backup_knows_code(t);
    assert_err(backup_make(t->store, none, NULL, TMPSTORE_NOW, &answer), ERR_IO);
    assert_err(backup_make_while(t->store, fd, NULL, TMPSTORE_NOW, &unwanted, &answer), ERR_IO);
    store_shut(t->store);
    assert_err(make(t, fd, &answer), ERR_LOCKED);
    assert_null(answer);
    (void)close(fd);
    (void)close(none);
}

static void survives_each_failing_allocation(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    json_t *answer = NULL;
    int fd = backup_file(t);
    enum err e;

    (void)state;
    backup_knows_code(t);
    backup_put_blob(t, "one", 3);
    FAIL_EACH_ALLOCATION (e, make(t, fd, &answer)) {
        assert_true(e == ERR_NO_MEMORY || e == ERR_OK); /* SQLite does without some of its own */
        assert_true((e == ERR_OK) == (answer != NULL));
        json_decref(answer);
        answer = NULL;
    }
    json_decref(answer);
    (void)close(fd);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(a_backup_holds_database_files_and_their_hashes),
        cmocka_unit_test(a_backup_is_in_the_trail_that_it_holds),
        cmocka_unit_test(a_store_that_knows_no_recipient_says_what_to_do),
        cmocka_unit_test(a_damaged_file_yields_no_backup),
        cmocka_unit_test(what_hinders_it_is_told),
        cmocka_unit_test(survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
