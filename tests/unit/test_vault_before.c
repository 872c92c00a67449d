/* Names of copies made before a migration, and their removal. That they are made, and are what they should
 * be, is shown by tests/integration/vault_migrate.c. */
#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/vault/vault_before.h"

#include <string.h>
#include <sys/stat.h>

static void names_are_told_apart(void **state)
{
    static const struct {
        const char *name;
        bool is;
    } ROWS[] = {
        {"vault.db.before-001", true}, {"vault.db.before-001.new-a1B2c3", true},
        {"vault.db", false},           {"vault.db-wal", false},
        {"vault.db.before", false},    {"", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_row(ROWS[i].name, vault_before_is(ROWS[i].name) == ROWS[i].is);
}

static void all_of_them_are_removed_and_nothing_else(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();
    static const char *const NAMES[] = {"vault.db.before-001", "vault.db.before-002",
                                        "vault.db.before-002.new-x"};
    const char *kept = tempdir_path(d, "vault.db");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        assert_ok(fs_make(tempdir_path(d, NAMES[i]), "sealed", 6));
    assert_ok(fs_make(kept, "sealed", 6));
    assert_ok(vault_before_remove(tempdir_root(d)));
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        assert_false(fs_exists(tempdir_path(d, NAMES[i])));
    assert_true(fs_exists(kept));
    assert_ok(vault_before_remove(tempdir_root(d)));
}

static void what_cannot_be_removed_is_told(void **state)
{
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();

    (void)state;
    assert_err(vault_before_remove(tempdir_path(d, "none")), ERR_NOT_FOUND);
    assert_int_equal(mkdir(tempdir_path(d, "vault.db.before-001"), 0700), 0);
    assert_err(vault_before_remove(tempdir_root(d)), ERR_IO); /* EISDIR */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_told_apart),
        cmocka_unit_test(all_of_them_are_removed_and_nothing_else),
        cmocka_unit_test(what_cannot_be_removed_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
