#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/base/mem.h"
#include "pds/cli/command.h"
#include "pds/cli/key.h"
#include "pds/crypto/random.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char PASSPHRASE[] = "a passphrase of the tests";
static const struct passphrase_cost CHEAP = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};

static const struct opt TABLE[] = {OPTION_KDF, OPTIONS_KEY, OPTIONS_END};

static struct tempdir *dir;
static struct store *store;
static uint8_t key[KEY_BYTES];

static const char *put(const char *name, const char *text)
{
    const char *path = tempdir_path(dir, name);

    assert_ok(fs_replace(path, text, strlen(text)));
    return path;
}

static int setup(void **state)
{
    struct secret_text *passphrase = NULL, *code = NULL;

    (void)state;
    json_start();
    assert_ok(random_start());
    dir = tempdir_new();
    assert_ok(key_file_make(tempdir_path(dir, "key"), key));
    assert_ok(secret_text_new(PASSPHRASE, strlen(PASSPHRASE), &passphrase));
    assert_ok(store_create(tempdir_path(dir, "store"), passphrase, CHEAP, key, &code));
    assert_ok(store_new(tempdir_path(dir, "store"), &store));
    secret_text_free(passphrase);
    secret_text_free(code);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    store_free(store);
    tempdir_free(dir);
    return 0;
}

static void parse(struct opts *o, const char *option, const char *value)
{
    char words[2][FS_PATH_BYTES];
    char *argv[] = {words[0], words[1]};
    static char kept[FS_PATH_BYTES];

    if (!option) {
        assert_ok(opt_parse(TABLE, 0, argv, o));
        return;
    }
    assert_ok(str_copy(str_of(value), kept, sizeof kept));
    assert_ok(str_copy(str_of(option), words[0], sizeof words[0]));
    argv[1] = kept;
    assert_ok(opt_parse(TABLE, 2, argv, o));
}

/* Each place alone, and each before the ones that follow it. */
static void passphrase_is_looked_for_in_its_places_in_their_order(void **state)
{
    const char *option = put("option", "of the option\nand more\n"),
               *variable = put("variable", "of the variable\r\n");
    const char *folder = tempdir_path(dir, "credentials");
    struct opts with, without;

    (void)state;
    assert_ok(fs_make_private_dir(folder));
    (void)put("credentials/traboule", "of the credentials");
    parse(&with, "--passphrase-file", option);
    parse(&without, NULL, NULL);
    for (int set = 0; set < 8; set++) {
        AUTO(secret_text_freep) struct secret_text *found = NULL;
        const char *wanted = set & 4 ? "of the option" : set & 2 ? "of the variable" : "of the credentials";
        enum err e;

        (void)(set & 2 ? setenv("TRABOULE_PASSPHRASE_FILE", variable, 1)
                       : unsetenv("TRABOULE_PASSPHRASE_FILE"));
        (void)(set & 1 ? setenv("CREDENTIALS_DIRECTORY", folder, 1) : unsetenv("CREDENTIALS_DIRECTORY"));
        e = key_passphrase(TABLE, set & 4 ? &with : &without, false, &found);
        if (set == 0) {
            assert_int_equal(e, ERR_NOT_FOUND);
            continue;
        }
        assert_ok(e);
        assert_string_equal(found->text, wanted);
        assert_int_equal(found->len, strlen(wanted));
    }
    (void)unsetenv("TRABOULE_PASSPHRASE_FILE");
    (void)setenv("CREDENTIALS_DIRECTORY", tempdir_root(dir), 1); /* one without our credential */
    assert_err(key_passphrase(TABLE, &without, false, &(struct secret_text *){NULL}), ERR_NOT_FOUND);
    (void)unsetenv("CREDENTIALS_DIRECTORY");
}

static void passphrase_file_that_says_nothing_is_a_failure(void **state)
{
    static const struct {
        const char *name, *text;
        enum err e;
    } ROWS[] = {{"empty", "", ERR_INVALID}, {"line end", "\n", ERR_INVALID}, {"CR LF", "\r\n", ERR_INVALID}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct secret_text *found = NULL;
        struct opts o;

        parse(&o, "--passphrase-file", put("file", ROWS[i].text));
        assert_row(ROWS[i].name, key_passphrase(TABLE, &o, true, &found) == ROWS[i].e && !found);
    }
    {
        struct secret_text *found = NULL;
        struct opts o;

        parse(&o, "--passphrase-file", tempdir_path(dir, "none"));
        assert_err(key_passphrase(TABLE, &o, false, &found), ERR_IO);
        assert_null(found);
    }
}

static void key_of_a_store_is_found_by_file_or_passphrase(void **state)
{
    AUTO(store_key_freep) struct store_key *by_file = NULL;
    AUTO(store_key_freep) struct store_key *by_passphrase = NULL;
    AUTO(secret_text_freep) struct secret_text *typed = NULL;
    struct store_key *none = NULL;
    struct secret_text *nothing = NULL;
    struct opts o;

    (void)state;
    parse(&o, "--key-file", tempdir_path(dir, "key"));
    assert_ok(key_find(store, TABLE, &o, false, &by_file, &nothing));
    assert_null(nothing);
    parse(&o, "--passphrase-file", put("right", PASSPHRASE));
    assert_ok(key_find(store, TABLE, &o, false, &by_passphrase, &typed));
    assert_string_equal(typed->text, PASSPHRASE);
    assert_memory_equal(by_file->bytes, by_passphrase->bytes, KEY_BYTES);

    parse(&o, "--passphrase-file", put("wrong", "another passphrase"));
    assert_err(key_find(store, TABLE, &o, false, &none, &nothing), ERR_WRONG_KEY);
    parse(&o, "--key-file", put("other", "0123456789abcdef0123456789abcdef"));
    assert_err(key_find(store, TABLE, &o, false, &none, NULL), ERR_WRONG_KEY);
    parse(&o, NULL, NULL);
    assert_err(key_find(store, TABLE, &o, false, &none, NULL), ERR_NOT_FOUND);
    assert_null(none);
    assert_null(nothing);
}

static void key_file_is_exactly_its_bytes(void **state)
{
    static const struct {
        const char *name, *text;
        enum err e;
    } ROWS[] = {
        {"empty", "", ERR_INVALID},
        {"one short", "0123456789abcdef0123456789abcde", ERR_INVALID},
        {"right", "0123456789abcdef0123456789abcdef", ERR_OK},
        {"one more", "0123456789abcdef0123456789abcdef\n", ERR_TOO_LARGE},
    };
    uint8_t read[KEY_BYTES], made[KEY_BYTES];
    struct stat st;
    const char *path = tempdir_path(dir, "made");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_row(ROWS[i].name, key_file_read(put("any", ROWS[i].text), read) == ROWS[i].e);
    assert_err(key_file_read(tempdir_path(dir, "none"), read), ERR_NOT_FOUND);

    assert_ok(key_file_make(path, made));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_ok(key_file_read(path, read));
    assert_memory_equal(read, made, KEY_BYTES);
    assert_err(key_file_make(path, read), ERR_CONFLICT); /* nothing is written over */
    assert_ok(key_file_read(path, read));
    assert_memory_equal(read, made, KEY_BYTES);
    assert_memory_not_equal(made, key, KEY_BYTES);
}

static void cost_is_the_owners_or_the_machines(void **state)
{
    static const struct {
        const char *word;
        uint32_t kib; /* 0: refused */
    } ROWS[] = {{"64", 65536},
                {"65", 66560},
                {"256", 262144},
                {"63", 0},
                {"257", 0},
                {"-64", 0},
                {"", 0},
                {"64 ", 0},
                {"0x40", 0},
                {"1e2", 0},
                {"99999999999999999999", 0}};
    struct passphrase_cost cost, here = passphrase_cost_here();
    struct opts o;

    (void)state;
    parse(&o, NULL, NULL);
    assert_ok(key_cost(TABLE, &o, &cost));
    assert_int_equal(cost.memory_kib, here.memory_kib);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        enum err e;

        parse(&o, "--kdf-memory-mib", ROWS[i].word);
        e = key_cost(TABLE, &o, &cost);
        assert_row(ROWS[i].word, e == (ROWS[i].kib ? ERR_OK : ERR_USAGE));
        assert_row(ROWS[i].word, e || (cost.memory_kib == ROWS[i].kib && passphrase_cost_is_valid(cost)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passphrase_is_looked_for_in_its_places_in_their_order),
        cmocka_unit_test(passphrase_file_that_says_nothing_is_a_failure),
        cmocka_unit_test(key_of_a_store_is_found_by_file_or_passphrase),
        cmocka_unit_test(key_file_is_exactly_its_bytes),
        cmocka_unit_test(cost_is_the_owners_or_the_machines),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
