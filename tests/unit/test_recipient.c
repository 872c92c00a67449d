#include "tests/harness/tmpstore.h"

#include "pds/crypto/recovery.h"
#include "pds/store/recipient.h"
#include "pds/store/setting.h"

#include <string.h>

static enum err keep(struct db *db, void *code) { return recipient_keep(db, code); }

static enum err put_short(struct db *db, void *context)
{
    (void)context;
    return setting_set(db, SETTING_BACKUP_RECIPIENT, "short", 5);
}

static enum err get(struct tmpstore *t, uint8_t out[static AGE_RECIPIENT_BYTES])
{
    AUTO(reader_done) struct reader r = {t->vault, NULL};

    assert_ok(vault_read(t->vault, &r.db));
    return recipient_get(r.db, out);
}

static void wanted_of(const struct secret_text *code, uint8_t out[static AGE_RECIPIENT_BYTES])
{
    AUTO(age_identity_freep) struct age_identity *identity = NULL;

    assert_ok(age_identity_of(code, &identity));
    assert_ok(age_recipient_of(identity, out));
}

static void a_new_store_knows_the_recipient_of_its_code(void **state)
{
    static const struct passphrase_cost CHEAPEST = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL, *code = NULL;
    AUTO(store_freep) struct store *s = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL;
    uint8_t wanted[AGE_RECIPIENT_BYTES], kept[AGE_RECIPIENT_BYTES];
    struct store_view view = {0};

    (void)state;
    assert_ok(secret_text_new("quatre chevaux", 14, &passphrase));
    assert_ok(store_create(tempdir_path(t->dir, "new"), passphrase, CHEAPEST, NULL, &code));
    assert_ok(store_new(tempdir_path(t->dir, "new"), &s));
    assert_ok(store_key_of_recovery(s, code, &root));
    assert_ok(store_unlock(s, root, TMPSTORE_NOW));
    assert_ok(store_view(s, &view));
    assert_ok(recipient_get(view.db, kept));
    store_view_done(&view);
    wanted_of(code, wanted);
    assert_memory_equal(kept, wanted, sizeof kept);
}

static void another_code_brings_another_recipient(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(secret_text_freep) struct secret_text *code = NULL, *mistyped = NULL;
    uint8_t before[AGE_RECIPIENT_BYTES], after[AGE_RECIPIENT_BYTES], wanted[AGE_RECIPIENT_BYTES];

    (void)state;
    assert_ok(recovery_make(&code));
    assert_ok(get(t, before));
    assert_ok(vault_write(t->vault, keep, code));
    assert_ok(get(t, after));
    wanted_of(code, wanted);
    assert_memory_equal(after, wanted, sizeof after);
    assert_memory_not_equal(after, before, sizeof after);
    assert_ok(secret_text_new("00000", 5, &mistyped));
    assert_err(vault_write(t->vault, keep, mistyped), ERR_INVALID);
    assert_ok(get(t, after));
    assert_memory_equal(after, wanted, sizeof after);
}

static void a_locked_store_is_opened_for_it(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    AUTO(store_key_freep) struct store_key *wrong = store_key_new();
    uint8_t kept[AGE_RECIPIENT_BYTES], wanted[AGE_RECIPIENT_BYTES];

    (void)state;
    assert_ok(recovery_make(&code));
    store_leave(t->store);
    assert_ok(store_lock(t->store));
    assert_ok(recipient_keep_in(t->store, t->root, code, TMPSTORE_NOW));
    assert_false(store_is_open(t->store));
    tmpstore_open(t);
    assert_err(recipient_keep_in(t->store, wrong, code, TMPSTORE_NOW), ERR_WRONG_KEY);
    assert_ok(get(t, kept));
    wanted_of(code, wanted);
    assert_memory_equal(kept, wanted, sizeof kept);
}

static void what_is_no_recipient_is_damage(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    uint8_t kept[AGE_RECIPIENT_BYTES];

    (void)state;
    assert_ok(vault_write(t->vault, put_short, NULL));
    assert_err(get(t, kept), ERR_CORRUPT);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(a_new_store_knows_the_recipient_of_its_code),
        cmocka_unit_test(another_code_brings_another_recipient),
        cmocka_unit_test(a_locked_store_is_opened_for_it),
        cmocka_unit_test(what_is_no_recipient_is_damage),
    };

    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
