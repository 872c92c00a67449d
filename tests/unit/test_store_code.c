/* Another recovery code: the old one opens nothing, backups are for the new one, and the trail tells. */
#include "tests/harness/tmpstore.h"

#include "pds/crypto/age.h"
#include "pds/store/recipient.h"

#include <string.h>

static void the_new_code_opens_and_backups_are_for_it(void **state)
{
    static const char SQL_TOLD[] = "SELECT count(*) FROM trail_entry WHERE kind = 'recovery.changed'";
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(secret_text_freep) struct secret_text *first = NULL;
    AUTO(secret_text_freep) struct secret_text *second = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL;
    AUTO(age_identity_freep) struct age_identity *identity = NULL;
    AUTO(reader_done) struct reader r = {t->vault, NULL};
    uint8_t wanted[AGE_RECIPIENT_BYTES], kept[AGE_RECIPIENT_BYTES];
    int64_t told;

    (void)state;
    assert_ok(store_renew_code(t->store, TMPSTORE_NOW, &first));
    assert_ok(store_renew_code(t->store, TMPSTORE_NOW, &second));
    assert_err(store_key_of_recovery(t->store, first, &root), ERR_WRONG_KEY);
    assert_ok(store_key_of_recovery(t->store, second, &root));
    assert_memory_equal(root->bytes, t->root->bytes, KEY_BYTES);
    assert_ok(vault_read(t->vault, &r.db));
    assert_ok(recipient_get(r.db, kept));
    assert_ok(age_identity_of(second, &identity));
    assert_ok(age_recipient_of(identity, wanted));
    assert_memory_equal(kept, wanted, sizeof wanted);
    assert_ok(db_number(r.db, SQL_TOLD, NO_PARAMS, &told));
    assert_int_equal(told, 2);
}

static void a_locked_store_gets_none(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    struct secret_text *code = NULL;

    (void)state;
    store_leave(t->store);
    assert_ok(store_lock(t->store));
    assert_err(store_renew_code(t->store, TMPSTORE_NOW, &code), ERR_LOCKED);
    assert_null(code);
    tmpstore_open(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_new_code_opens_and_backups_are_for_it),
        cmocka_unit_test(a_locked_store_gets_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
