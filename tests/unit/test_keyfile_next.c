/* Two store keys in one keys.json, and which of them is the store's. */
#include "tests/harness/fault.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/json.h"
#include "pds/base/limits.h"
#include "pds/crypto/keyfile.h"
#include "pds/crypto/random.h"

#include <stdio.h>
#include <string.h>

static const uint8_t OLD_FILE[KEY_BYTES] = {1}, NEW_FILE[KEY_BYTES] = {2};
static const uint8_t MARK[KEYFILE_VAULT_BYTES] = {7, 7, 7};

struct pair {
    struct keyfile *now, *next;
    struct store_key *old, *fresh;
};

static struct pair pair_new(void)
{
    struct pair p = {0};

    assert_ok(random_start());
    json_start();
    assert_ok(keyfile_new(&p.now, &p.old));
    assert_ok(keyfile_set_keyfile(p.now, p.old, OLD_FILE));
    assert_ok(keyfile_renew(p.now, &p.next, &p.fresh));
    assert_ok(keyfile_set_keyfile(p.next, p.fresh, NEW_FILE));
    return p;
}

static void pair_done(struct pair *p)
{
    keyfile_free(p->now);
    keyfile_free(p->next);
    store_key_free(p->old);
    store_key_free(p->fresh);
}

static struct keyfile *through_text(const struct keyfile *k)
{
    AUTO(buf_done) struct buf text;
    struct keyfile *out = NULL;

    buf_init(&text, LIMIT_KEYS_FILE_BYTES);
    keyfile_write(&text, k);
    assert_ok(buf_err(&text));
    assert_ok(keyfile_parse((struct str){text.data, text.len}, &out));
    return out;
}

static bool opens(const struct keyfile *k, const uint8_t *file, const struct store_key *wanted)
{
    AUTO(store_key_freep) struct store_key *root = NULL;

    return keyfile_open_keyfile(k, file, &root) == ERR_OK &&
           memcmp(root->bytes, wanted->bytes, sizeof root->bytes) == 0;
}

static void a_renewed_key_is_another_of_the_same_store(void **state)
{
    AUTO(pair_done) struct pair p = pair_new();

    (void)state;
    assert_memory_equal(keyfile_store_id(p.now), keyfile_store_id(p.next), STORE_ID_BYTES);
    assert_memory_not_equal(p.old->bytes, p.fresh->bytes, KEY_BYTES);
    assert_true(opens(p.next, NEW_FILE, p.fresh));
    assert_false(opens(p.next, OLD_FILE, p.old));
    assert_false(keyfile_is_same(p.now, p.next));
    assert_true(keyfile_is_same(p.now, p.now));
}

static void both_are_kept_until_one_is_chosen(void **state)
{
    AUTO(pair_done) struct pair p = pair_new();
    AUTO(keyfile_freep) struct keyfile *read = NULL;
    AUTO(keyfile_freep) struct keyfile *again = NULL;

    (void)state;
    assert_null(keyfile_next_vault(p.now));
    keyfile_set_next(p.now, p.next, MARK);
    read = through_text(p.now);
    assert_true(keyfile_is_same(read, p.now));
    assert_memory_equal(keyfile_next_vault(read), MARK, sizeof MARK);
    assert_true(opens(read, OLD_FILE, p.old)); /* the old one is the store's still */
    assert_false(opens(read, NEW_FILE, p.fresh));

    again = through_text(read);
    keyfile_drop_next(again);
    assert_null(keyfile_next_vault(again));
    assert_true(opens(again, OLD_FILE, p.old));

    keyfile_promote(read);
    assert_null(keyfile_next_vault(read));
    assert_true(opens(read, NEW_FILE, p.fresh));
    assert_false(opens(read, OLD_FILE, p.old));
    assert_true(keyfile_is_same(read, p.next));
}

static void a_key_of_before_does_not_fit_afterwards(void **state)
{
    AUTO(pair_done) struct pair p = pair_new();
    AUTO(keyfile_freep) struct keyfile *read = through_text(p.next);

    (void)state;
    assert_ok(keyfile_fits(p.now, p.old));
    assert_ok(keyfile_fits(p.now, p.fresh)); /* before any rekey nothing is known */
    assert_ok(keyfile_fits(read, p.fresh));
    assert_err(keyfile_fits(read, p.old), ERR_CONFLICT);
}

static void text_that_breaks_the_form_is_damage(void **state)
{
    static const struct {
        const char *name, *from, *to;
    } ROWS[] = {
        {"a mark cut short", "\"vault\": \"BwcH", "\"vault\": \""},
        {"no mark", "\"vault\"", "\"value\""},
        {"a short check", "\"check\": \"", "\"check\": \"AA"},
        {"a text instead of slots", "\"next\": {", "\"next\": 1, \"more\": {"},
    };
    AUTO(pair_done) struct pair p = pair_new();
    AUTO(buf_done) struct buf text;
    struct keyfile *out = NULL;
    char changed[4096];

    (void)state;
    keyfile_set_next(p.now, p.next, MARK);
    buf_init(&text, LIMIT_KEYS_FILE_BYTES);
    keyfile_write(&text, p.now);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        const char *at = strstr(text.data, ROWS[i].from);

        assert_row(ROWS[i].name, at);
        (void)snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text.data), text.data, ROWS[i].to,
                       at + strlen(ROWS[i].from));
        assert_row(ROWS[i].name, keyfile_parse(str_of(changed), &out) == ERR_CORRUPT);
    }
    assert_null(out);
}

static void each_failing_allocation_is_told(void **state)
{
    AUTO(pair_done) struct pair p = pair_new();
    struct keyfile *next = NULL;
    struct store_key *root = NULL;
    enum err e;

    (void)state;
    FAIL_EACH_ALLOCATION (e, keyfile_renew(p.now, &next, &root))
        assert_int_equal(e, ERR_NO_MEMORY);
    keyfile_free(next);
    store_key_free(root);
    next = NULL;
    root = NULL;
    FAIL_EACH_ALLOCATION (e, keyfile_new_of(MARK, &next, &root)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(next);
        assert_null(root);
    }
    assert_memory_equal(keyfile_store_id(next), MARK, STORE_ID_BYTES);
    keyfile_free(next);
    store_key_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_renewed_key_is_another_of_the_same_store),
        cmocka_unit_test(both_are_kept_until_one_is_chosen),
        cmocka_unit_test(a_key_of_before_does_not_fit_afterwards),
        cmocka_unit_test(text_that_breaks_the_form_is_damage),
        cmocka_unit_test(each_failing_allocation_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
