#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/base/json.h"
#include "pds/crypto/random.h"
#include "pds/store/store.h"

#include <string.h>

static const struct passphrase_cost CHEAPEST = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};

static enum err create(const char *dir, const char *words)
{
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    AUTO(secret_text_freep) struct secret_text *code = NULL;

    json_start();
    assert_ok(random_start());
    assert_ok(secret_text_new(words, strlen(words), &passphrase));
    return store_create(dir, passphrase, CHEAPEST, NULL, &code);
}

static void store_create_refuses_a_weak_passphrase_and_what_is_there(void **state)
{
    AUTO(tempdir_freep) struct tempdir *tmp = tempdir_new();

    (void)state;
    assert_err(create(tempdir_path(tmp, "weak"), "court"), ERR_INVALID);
    assert_false(fs_exists(tempdir_path(tmp, "weak")));
    assert_err(create(tempdir_root(tmp), "quatre chevaux"), ERR_CONFLICT);
    assert_err(create(tempdir_path(tmp, "no/where"), "quatre chevaux"), ERR_NOT_FOUND);
    assert_ok(create(tempdir_path(tmp, "slash/"), "quatre chevaux"));
}

static void store_remove_leaves_nothing_of_a_store_and_nothing_else_goes(void **state)
{
    AUTO(tempdir_freep) struct tempdir *tmp = tempdir_new();
    char path[FS_PATH_BYTES];

    (void)state;
    assert_ok(create(tempdir_path(tmp, "store"), "quatre chevaux"));
    store_remove(tempdir_path(tmp, "store"));
    assert_false(fs_exists(tempdir_path(tmp, "store")));
    assert_ok(create(tempdir_path(tmp, "store"), "quatre chevaux"));
    assert_ok(fs_join(path, tempdir_path(tmp, "store"), "mine"));
    assert_ok(fs_replace(path, "x", 1));
    store_remove(tempdir_path(tmp, "store"));
    assert_true(fs_exists(path));
    store_remove(tempdir_path(tmp, "none"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store_create_refuses_a_weak_passphrase_and_what_is_there),
        cmocka_unit_test(store_remove_leaves_nothing_of_a_store_and_nothing_else_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
