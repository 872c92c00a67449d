/* Another key for a store. That a kill at any step harms nothing: tests/integration/program_rekey.mjs. */
#include "tests/harness/fault.h"
#include "tests/harness/image.h"
#include "tests/harness/tmpstore.h"

#include "pds/crypto/keyfile.h"
#include "pds/store/document.h"
#include "pds/store/recipient.h"
#include "pds/store/rekey.h"
#include "pds/store/rekey_internal.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct passphrase_cost CHEAPEST = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};
static const char TEXT[] = "a paper that is sealed twice";
static const char *const TITLES[] = {"a title of a paper", NULL};

static struct secret_text *passphrase_of(const char *text)
{
    struct secret_text *out = NULL;

    assert_ok(secret_text_new(text, strlen(text), &out));
    return out;
}

static void add_paper(struct tmpstore *t)
{
    AUTO(blob_writer_freep) struct blob_writer *w = NULL;
    struct document_facts facts = {.title = STR("a title of a paper"), .remind_days = -1};
    char id[ID_CHARS + 1];

    assert_ok(blob_writer_new(t->store, &w));
    assert_ok(blob_write(w, TEXT, sizeof TEXT));
    assert_ok(blob_finish(w));
    assert_ok(document_add(t->store, STR(""), w, STR("a.txt"), STR("text/plain"), &facts, TMPSTORE_NOW, id));
}

static void must_read_paper(struct store *s)
{
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(blob_reader_freep) struct blob_reader *r = NULL;
    struct blob_row row;
    char text[sizeof TEXT];
    size_t got;

    assert_ok(store_view(s, &view));
    assert_ok(blob_next(view.db, 0, &row));
    assert_ok(blob_reader_new(s, view.db, row.id, &r));
    assert_ok(blob_read(r, 0, text, sizeof text, &got));
    assert_int_equal(got, sizeof TEXT);
    assert_memory_equal(text, TEXT, sizeof TEXT);
}

/* Rekeying locks: nobody may be inside. */
static enum err rekey(struct tmpstore *t, const char *passphrase, const uint8_t *keyfile, bool drop,
                      struct secret_text **code)
{
    AUTO(secret_text_freep) struct secret_text *typed = passphrase_of(passphrase);
    struct rekey_options options = {
        .passphrase = typed, .cost = CHEAPEST, .keyfile_key = keyfile, .drop_keyfile = drop};
    enum err e;

    store_leave(t->store);
    e = rekey_run(t->store, &options, TMPSTORE_NOW, code);
    assert_ok(store_enter(t->store, &t->vault)); /* it was open: it is again */
    return e;
}

static void all_is_there_under_another_key(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL;
    AUTO(store_key_freep) struct store_key *by_code = NULL;
    AUTO(age_identity_freep) struct age_identity *identity = NULL;
    AUTO(secret_text_freep) struct secret_text *other = passphrase_of("huit chevaux gris");
    AUTO(reader_done) struct reader r = {0};
    uint64_t opening = store_opening(t->store);
    uint8_t wanted[AGE_RECIPIENT_BYTES], kept[AGE_RECIPIENT_BYTES];
    size_t opened = 1;

    (void)state;
    add_paper(t);
    assert_true(image_count(store_dir(t->store), t->root, store_id(t->store), TITLES) > 0);
    assert_ok(rekey(t, "quatre chevaux", TMPSTORE_KEY, false, &code));
    (void)image_scan(store_dir(t->store), t->root, store_id(t->store), TITLES, &opened);
    assert_int_equal(opened, 0);                    /* no page and no frame opens with the old key */
    assert_true(store_opening(t->store) > opening); /* what was allowed has ended */
    must_read_paper(t->store);
    assert_ok(store_key_of_keyfile(t->store, TMPSTORE_KEY, &root));
    assert_memory_not_equal(root->bytes, t->root->bytes, KEY_BYTES);
    assert_ok(store_key_of_recovery(t->store, code, &by_code));
    assert_memory_equal(by_code->bytes, root->bytes, KEY_BYTES);

    r.vault = t->vault;
    assert_ok(vault_read(t->vault, &r.db));
    assert_ok(recipient_get(r.db, kept));
    assert_ok(age_identity_of(code, &identity));
    assert_ok(age_recipient_of(identity, wanted));
    assert_memory_equal(kept, wanted, sizeof wanted);
    vault_read_end(t->vault, r.db);
    r.db = NULL;
    assert_ok(vault_purge(t->vault, 1000));
    assert_true(image_count(store_dir(t->store), root, store_id(t->store), TITLES) > 0);
    assert_err(store_set_passphrase(t->store, t->root, other, CHEAPEST),
               ERR_CONFLICT); /* whoever had the old key before wraps it no more */
    memcpy(t->root->bytes, root->bytes, KEY_BYTES);
}

static void what_is_refused_leaves_all_as_it_was(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(store_key_freep) struct store_key *root = NULL;
    struct secret_text *code = NULL;

    (void)state;
    add_paper(t);
    assert_err(rekey(t, "quatre chevaux", NULL, false, &code), ERR_INVALID);
    assert_err(rekey(t, "cinq chevaux ...", NULL, true, &code), ERR_WRONG_KEY);
    assert_null(code);
    assert_ok(store_key_of_keyfile(t->store, TMPSTORE_KEY, &root));
    assert_memory_equal(root->bytes, t->root->bytes, KEY_BYTES);
    must_read_paper(t->store);
    assert_false(fs_exists(tempdir_path(t->dir, "store/rekey")));
}

static void who_is_inside_is_not_thrown_out(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(secret_text_freep) struct secret_text *typed = passphrase_of("quatre chevaux");
    struct rekey_options options = {.passphrase = typed, .cost = CHEAPEST, .drop_keyfile = true};
    struct secret_text *code = NULL;

    (void)state;
    assert_err(rekey_run(t->store, &options, TMPSTORE_NOW, &code), ERR_BUSY);
    assert_null(code);
}

static void no_key_file_opens_it_when_that_was_the_wish(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    AUTO(secret_text_freep) struct secret_text *typed = passphrase_of("quatre chevaux");
    struct store_key *root = NULL;

    (void)state;
    assert_ok(rekey(t, "quatre chevaux", NULL, true, &code));
    assert_err(store_key_of_keyfile(t->store, TMPSTORE_KEY, &root), ERR_WRONG_KEY);
    assert_ok(store_key_of_passphrase(t->store, typed, &root));
    memcpy(t->root->bytes, root->bytes, KEY_BYTES);
    store_key_free(root);
}

/* What a crash leaves between two steps, as the next program finds it. */
static struct keyfile *with_next(struct tmpstore *t, bool arrived)
{
    struct keyfile *keys = NULL, *next = NULL;
    struct store_key *fresh = NULL;
    uint8_t mark[KEYFILE_VAULT_BYTES];

    assert_ok(keyfile_load(tempdir_path(t->dir, "store/keys.json"), &keys));
    assert_ok(keyfile_renew(keys, &next, &fresh));
    assert_ok(keyfile_set_keyfile(next, fresh, TMPSTORE_KEY));
    assert_ok(rekey_vault_mark(store_dir(t->store), mark));
    mark[0] ^= !arrived;
    keyfile_set_next(keys, next, mark);
    assert_ok(keyfile_save(keys, tempdir_path(t->dir, "store/keys.json")));
    store_key_free(fresh);
    keyfile_free(keys);
    return next;
}

static void a_switch_that_did_not_come_is_dropped(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(store_freep) struct store *again = NULL;
    AUTO(keyfile_freep) struct keyfile *after = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL;

    (void)state;
    store_leave(t->store);
    assert_ok(store_lock(t->store));
    keyfile_free(with_next(t, false));
    assert_ok(fs_make_private_dir(tempdir_path(t->dir, "store/rekey")));
    assert_ok(fs_make(tempdir_path(t->dir, "store/rekey/vault.db"), "half", 4));
    assert_ok(store_new(store_dir(t->store), &again));
    assert_ok(keyfile_load(tempdir_path(t->dir, "store/keys.json"), &after));
    assert_null(keyfile_next_vault(after));
    assert_ok(store_key_of_keyfile(again, TMPSTORE_KEY, &root));
    assert_memory_equal(root->bytes, t->root->bytes, KEY_BYTES);
    assert_ok(store_unlock(again, root, TMPSTORE_NOW));
    assert_false(fs_exists(tempdir_path(t->dir, "store/rekey")));
    assert_ok(store_lock(again));
    tmpstore_open(t);
}

static void a_switch_that_came_is_finished(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(store_freep) struct store *again = NULL;
    AUTO(keyfile_freep) struct keyfile *next = NULL;
    AUTO(keyfile_freep) struct keyfile *after = NULL;

    (void)state;
    store_leave(t->store);
    assert_ok(store_lock(t->store));
    next = with_next(t, true);
    assert_ok(store_new(store_dir(t->store), &again));
    assert_ok(keyfile_load(tempdir_path(t->dir, "store/keys.json"), &after));
    assert_true(keyfile_is_same(after, next));
    assert_false(fs_exists(tempdir_path(t->dir, "store/lock"))); /* of the vault before */
    /* Only here is the key not the vault's: put back what opens it. */
    assert_int_equal(store_is_open(again), false);
    assert_ok(keyfile_set_keyfile(after, t->root, TMPSTORE_KEY));
    assert_ok(keyfile_save(after, tempdir_path(t->dir, "store/keys.json")));
    tmpstore_open(t);
}

/* A program that met a failure in the midst of a switch goes on with it, without being started again. */
static void a_switch_that_failed_is_finished_by_who_signs_in(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(keyfile_freep) struct keyfile *next = NULL;
    AUTO(keyfile_freep) struct keyfile *after = NULL;
    AUTO(store_key_freep) struct store_key *fresh = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL;

    (void)state;
    store_leave(t->store);
    assert_ok(store_lock(t->store));
    next = with_next(t, true);
    assert_ok(keyfile_open_keyfile(next, TMPSTORE_KEY, &fresh));
    assert_ok(store_key_of_keyfile(t->store, TMPSTORE_KEY, &root));
    assert_memory_equal(root->bytes, fresh->bytes, KEY_BYTES);
    assert_ok(keyfile_load(tempdir_path(t->dir, "store/keys.json"), &after));
    assert_true(keyfile_is_same(after, next));
    assert_ok(keyfile_set_keyfile(after, t->root, TMPSTORE_KEY)); /* as above */
    assert_ok(keyfile_save(after, tempdir_path(t->dir, "store/keys.json")));
    tmpstore_open(t);
}

/* The copy of before a migration is sealed under the old key: it goes first. */
static void no_copy_under_the_old_key_stays(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL;
    const char *path = tempdir_path(t->dir, "store/vault.db.before-001");

    (void)state;
    assert_int_equal(mkdir(path, 0700), 0); /* cannot be removed as a file */
    assert_err(rekey(t, "quatre chevaux", TMPSTORE_KEY, false, &code), ERR_IO);
    assert_null(code);
    assert_ok(store_key_of_keyfile(t->store, TMPSTORE_KEY, &root));
    assert_memory_equal(root->bytes, t->root->bytes, KEY_BYTES);
    assert_int_equal(rmdir(path), 0);
    assert_ok(fs_make(path, "sealed", 6));
    assert_ok(rekey(t, "quatre chevaux", TMPSTORE_KEY, false, &code));
    assert_false(fs_exists(path));
    store_key_free(root);
    root = NULL;
    assert_ok(store_key_of_keyfile(t->store, TMPSTORE_KEY, &root));
    memcpy(t->root->bytes, root->bytes, KEY_BYTES);
}

static void each_failing_allocation_leaves_a_store_that_opens(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(secret_text_freep) struct secret_text *typed = passphrase_of("quatre chevaux");
    struct rekey_options options = {.passphrase = typed, .cost = CHEAPEST, .keyfile_key = TMPSTORE_KEY};

    (void)state;
    add_paper(t);
    for (long nth = 1; nth < 400; nth += 37) {
        struct secret_text *code = NULL;
        struct store_key *root = NULL;
        enum err e;

        store_leave(t->store);
        mem_fail_at(nth);
        e = rekey_run(t->store, &options, TMPSTORE_NOW, &code);
        mem_fail_at(0);
        assert_true(e == ERR_OK || e == ERR_NO_MEMORY || e == ERR_IO);
        assert_ok(store_key_of_keyfile(t->store, TMPSTORE_KEY, &root));
        assert_int_equal(code != NULL, memcmp(t->root->bytes, root->bytes, KEY_BYTES) != 0);
        secret_text_free(code);
        assert_ok(store_unlock(t->store, root, TMPSTORE_NOW));
        memcpy(t->root->bytes, root->bytes, KEY_BYTES);
        store_key_free(root);
        assert_ok(store_enter(t->store, &t->vault));
        must_read_paper(t->store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_there_under_another_key),
        cmocka_unit_test(what_is_refused_leaves_all_as_it_was),
        cmocka_unit_test(who_is_inside_is_not_thrown_out),
        cmocka_unit_test(no_key_file_opens_it_when_that_was_the_wish),
        cmocka_unit_test(a_switch_that_did_not_come_is_dropped),
        cmocka_unit_test(a_switch_that_came_is_finished),
        cmocka_unit_test(a_switch_that_failed_is_finished_by_who_signs_in),
        cmocka_unit_test(no_copy_under_the_old_key_stays),
        cmocka_unit_test(each_failing_allocation_leaves_a_store_that_opens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
