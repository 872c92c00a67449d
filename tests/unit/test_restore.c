#include "tests/harness/backup.h"

#include "pds/audit/trail.h"
#include "pds/portable/backup.h"
#include "pds/portable/restore.h"
#include "pds/store/store_check.h"

#include <dirent.h>
#include <sys/stat.h>

static const struct passphrase_cost CHEAPEST = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};
static const uint8_t KEY_FILE[KEY_BYTES] = {1, 2, 3};

/* A store with records, files, and a backup of it. */
struct fixture {
    struct tmpstore *t;
    struct secret_text *code, *passphrase;
    int fd;
};

static void fixture_done(struct fixture *f)
{
    (void)close(f->fd);
    secret_text_free(f->code);
    secret_text_free(f->passphrase);
    tmpstore_free(f->t);
}

static void fixture_init(struct fixture *f)
{
    AUTO(json_freep) json_t *answer = NULL;

    *f = (struct fixture){.t = tmpstore_new(), .code = backup_code()};
    assert_ok(secret_text_new("une phrase nouvelle", 19, &f->passphrase));
    portable_furnish(f->t);
    backup_knows_code(f->t);
    backup_put_blob(f->t, "one", 3);
    backup_put_blob(f->t, "another", 7);
    f->fd = backup_file(f->t);
    assert_ok(backup_make(f->t->store, f->fd, NULL, TMPSTORE_NOW, &answer));
}

static enum err restore(struct fixture *f, const char *name, struct restore_keys keys,
                        struct secret_text **code)
{
    AUTO(json_freep) json_t *answer = NULL;

    keys.passphrase = f->passphrase;
    keys.cost = CHEAPEST;
    *code = NULL;
    assert_int_equal(lseek(f->fd, 0, SEEK_SET), 0);
    return restore_make(f->fd, tempdir_path(f->t->dir, name), &keys, TMPSTORE_NOW, code, &answer);
}

static enum err restore_with_code(struct fixture *f, const char *name)
{
    struct secret_text *code;
    enum err e = restore(f, name, (struct restore_keys){.recovery_code = f->code}, &code);

    assert_null(code); /* the old one goes on */
    return e;
}

/* Open what was restored. */
static struct store *open_store(struct fixture *f, const char *name, struct store_key **root)
{
    struct store *s = NULL;

    assert_ok(store_new(tempdir_path(f->t->dir, name), &s));
    assert_ok(store_key_of_recovery(s, f->code, root));
    assert_ok(store_unlock(s, *root, TMPSTORE_NOW));
    return s;
}

static void key_of_blob(struct store *s, uint8_t out[static KEY_BYTES])
{
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(stmt_closep) struct stmt *row = NULL;

    assert_ok(store_view(s, &view));
    assert_ok(db_query(view.db, "SELECT key FROM blob WHERE id = 1", NO_PARAMS, &row));
    assert_ok(stmt_next(row));
    memcpy(out, stmt_blob(row, 0).ptr, KEY_BYTES);
}

static void digest_of(struct store *s, char out[static PORTABLE_DIGEST])
{
    struct tmpstore t = {.store = s};

    portable_digest(&t, out);
}

static void the_restored_store_is_the_same_under_other_keys(void **state)
{
    AUTO(fixture_done) struct fixture f;
    AUTO(store_freep) struct store *s = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL, *by_passphrase = NULL;
    char before[PORTABLE_DIGEST], after[PORTABLE_DIGEST];
    uint8_t old[KEY_BYTES], fresh[KEY_BYTES];

    (void)state;
    fixture_init(&f);
    digest_of(f.t->store, before);
    assert_ok(restore_with_code(&f, "again"));
    s = open_store(&f, "again", &root);
    digest_of(s, after);
    assert_string_equal(after, before);
    assert_memory_equal(store_id(s), store_id(f.t->store), STORE_ID_BYTES);
    assert_ok(store_key_of_passphrase(s, f.passphrase, &by_passphrase));
    assert_memory_equal(by_passphrase->bytes, root->bytes, KEY_BYTES);
    assert_memory_not_equal(root->bytes, f.t->root->bytes, KEY_BYTES);
    key_of_blob(f.t->store, old);
    key_of_blob(s, fresh);
    assert_memory_not_equal(old, fresh, KEY_BYTES);
}

static void the_trail_goes_on(void **state)
{
    AUTO(fixture_done) struct fixture f;
    AUTO(store_freep) struct store *s = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL;
    AUTO(buf_done) struct buf note, before, after;
    struct store_view view = {0};

    (void)state;
    fixture_init(&f);
    buf_init(&note, 4096);
    buf_init(&before, 4096);
    buf_init(&after, 4096);
    assert_ok(store_view(f.t->store, &view));
    assert_ok(trail_checkpoint(view.db, &note));
    assert_ok(trail_vkey(view.db, &before));
    store_view_done(&view);
    assert_ok(restore_with_code(&f, "again"));
    s = open_store(&f, "again", &root);
    assert_ok(store_view(s, &view));
    assert_ok(trail_vkey(view.db, &after));
    assert_string_equal(after.data, before.data);
    assert_ok(trail_check_since(view.db, (struct str){note.data, note.len}));
    store_view_done(&view);
}

static void other_keys_bring_a_new_code(void **state)
{
    AUTO(fixture_done) struct fixture f;
    AUTO(age_identity_freep) struct age_identity *identity = NULL;
    AUTO(secret_text_freep) struct secret_text *made = NULL;
    AUTO(store_freep) struct store *s = NULL;
    AUTO(store_key_freep) struct store_key *by_code = NULL, *by_file = NULL, *none = NULL;

    (void)state;
    fixture_init(&f);
    assert_ok(age_identity_of(f.code, &identity));
    assert_ok(
        restore(&f, "again", (struct restore_keys){.identity = identity, .keyfile_key = KEY_FILE}, &made));
    assert_non_null(made);
    assert_ok(store_new(tempdir_path(f.t->dir, "again"), &s));
    assert_ok(store_key_of_recovery(s, made, &by_code));
    assert_ok(store_key_of_keyfile(s, KEY_FILE, &by_file));
    assert_memory_equal(by_code->bytes, by_file->bytes, KEY_BYTES);
    assert_err(store_key_of_recovery(s, f.code, &none), ERR_WRONG_KEY);
}

static size_t beside(struct fixture *f)
{
    size_t count = 0;
    const struct dirent *entry;
    DIR *folder = opendir(tempdir_root(f->t->dir));

    assert_non_null(folder);
    while ((entry = readdir(folder)))
        count += strstr(entry->d_name, ".new-") != NULL;
    (void)closedir(folder);
    return count;
}

static void what_fails_leaves_nothing(void **state)
{
    AUTO(fixture_done) struct fixture f;
    AUTO(secret_text_freep) struct secret_text *other = NULL, *made = NULL;
    struct stat facts;
    char byte = 0;

    (void)state;
    fixture_init(&f);
    assert_ok(recovery_make(&other));
    assert_err(restore(&f, "again", (struct restore_keys){.recovery_code = other}, &made), ERR_WRONG_KEY);
    assert_err(restore_with_code(&f, "store"), ERR_CONFLICT);
    assert_err(restore_with_code(&f, "no/where"), ERR_NOT_FOUND);
    assert_int_equal(fstat(f.fd, &facts), 0);
    assert_int_equal(pread(f.fd, &byte, 1, facts.st_size - 100), 1);
    byte ^= 1;
    assert_int_equal(pwrite(f.fd, &byte, 1, facts.st_size - 100), 1);
    assert_err(restore_with_code(&f, "again"), ERR_CORRUPT);
    f.passphrase->text[5] = '\0'; /* too short a one */
    f.passphrase->len = 5;
    assert_err(restore_with_code(&f, "again"), ERR_INVALID);
    assert_false(fs_exists(tempdir_path(f.t->dir, "again")));
    assert_int_equal(beside(&f), 0);
}

static void an_empty_folder_gives_way(void **state)
{
    AUTO(fixture_done) struct fixture f;
    AUTO(store_freep) struct store *s = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL;
    AUTO(json_freep) json_t *report = NULL;
    bool ok = false;

    (void)state;
    fixture_init(&f);
    assert_ok(fs_make_private_dir(tempdir_path(f.t->dir, "empty")));
    assert_ok(restore_with_code(&f, "empty/"));
    s = open_store(&f, "empty", &root);
    assert_ok(store_check(s, NULL, &report));
    assert_ok(json_get_bool(report, "ok", &ok));
    assert_true(ok);
}

static void what_is_no_file_is_refused(void **state)
{
    AUTO(fixture_done) struct fixture f;
    int ends[2], kept;

    (void)state;
    fixture_init(&f);
    assert_int_equal(pipe(ends), 0);
    kept = f.fd;
    f.fd = ends[0];
    {
        struct restore_keys keys = {.recovery_code = f.code, .passphrase = f.passphrase, .cost = CHEAPEST};
        AUTO(json_freep) json_t *answer = NULL;
        struct secret_text *code = NULL;

        assert_err(restore_make(f.fd, tempdir_path(f.t->dir, "again"), &keys, TMPSTORE_NOW, &code, &answer),
                   ERR_UNSUPPORTED);
    }
    f.fd = kept;
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(the_restored_store_is_the_same_under_other_keys),
        cmocka_unit_test(the_trail_goes_on),
        cmocka_unit_test(other_keys_bring_a_new_code),
        cmocka_unit_test(what_fails_leaves_nothing),
        cmocka_unit_test(an_empty_folder_gives_way),
        cmocka_unit_test(what_is_no_file_is_refused),
    };

    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
