/* What a rekey must know, from one end of the control socket to the other. */
#include "tests/harness/tmpstore.h"

#include "pds/base/fs.h"
#include "pds/cli/rekey_secrets.h"

#include <fcntl.h>

#include <string.h>
#include <unistd.h>

static const struct opt OPTIONS[] = {
    {"passphrase-file", 0, "F", "a test"},
    {"key-file", 0, "F", "a test"},
    {"drop-key-file", 0, NULL, "a test"},
    {NULL, 0, NULL, NULL},
};

static enum err find(struct tmpstore *t, const char *passphrase, const char *key_file, bool drop,
                     struct rekey_secrets *out)
{
    AUTO(store_key_freep) struct store_key *root = NULL;
    const char *file = tempdir_path(t->dir, "passphrase");
    struct opts opts = {0};
    enum err e;

    assert_ok(fs_replace(file, passphrase, strlen(passphrase)));
    opts.values[0] = file;
    opts.values[1] = key_file;
    opts.values[2] = drop ? "" : NULL;
    *out = (struct rekey_secrets){.fd = -1};
    e = rekey_secrets_find(t->store, OPTIONS, &opts, out, &root);
    assert_int_equal(e == ERR_OK, root != NULL && out->fd >= 0);
    return e;
}

static void must_say(const struct rekey_secrets *s, const char *passphrase, const uint8_t *key)
{
    AUTO(secret_text_freep) struct secret_text *typed = NULL;
    uint8_t read[KEY_BYTES];
    bool has_key = !key;

    assert_ok(rekey_secrets_read(s->fd, &typed, read, &has_key));
    assert_string_equal(typed->text, passphrase);
    assert_int_equal(has_key, key != NULL);
    if (key)
        assert_memory_equal(read, key, KEY_BYTES);
}

static void passphrase_and_key_arrive(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    const char *path = tempdir_path(t->dir, "key");
    struct rekey_secrets s;

    (void)state;
    assert_ok(find(t, "quatre chevaux\n", NULL, true, &s));
    must_say(&s, "quatre chevaux", NULL);
    must_say(&s, "quatre chevaux", NULL); /* it does not depend on where it stands */
    rekey_secrets_done(&s);
    assert_ok(fs_make(path, TMPSTORE_KEY, KEY_BYTES));
    assert_ok(find(t, "quatre chevaux\n", path, false, &s));
    must_say(&s, "quatre chevaux", TMPSTORE_KEY);
    rekey_secrets_done(&s);
    assert_true(fs_exists(path)); /* it was there before */
}

static void a_key_file_that_was_made_in_vain_goes(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    const char *path = tempdir_path(t->dir, "fresh");
    struct rekey_secrets s;

    (void)state;
    assert_ok(find(t, "quatre chevaux\n", path, false, &s));
    assert_true(fs_exists(path));
    rekey_secrets_done(&s);
    assert_false(fs_exists(path));
    assert_ok(find(t, "quatre chevaux\n", path, false, &s));
    assert_false(rekey_secrets_open(&s, t->store));
    s.used = true;
    rekey_secrets_done(&s);
    assert_true(fs_exists(path));
    assert_ok(fs_replace(path, TMPSTORE_KEY, KEY_BYTES)); /* as if the store had come to open with it */
    assert_true(rekey_secrets_open(&s, t->store));
    assert_false(rekey_secrets_open(&(struct rekey_secrets){.fd = -1}, t->store));
}

static void what_is_wrong_is_told_before_anything_is_begun(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    const char *path = tempdir_path(t->dir, "fresh");
    struct rekey_secrets s;
    struct secret_text *typed = NULL;
    uint8_t key[KEY_BYTES];
    bool has_key;
    int fds[2];

    (void)state;
    assert_err(find(t, "une autre phrase\n", path, false, &s), ERR_WRONG_KEY);
    assert_false(fs_exists(path));
    assert_err(find(t, "quatre chevaux\n", path, true, &s), ERR_USAGE);
    assert_err(find(t, "quatre chevaux\n", tempdir_path(t->dir, "none/key"), false, &s), ERR_NOT_FOUND);
    rekey_secrets_done(&s);
    assert_int_equal(pipe(fds), 0);
    assert_err(rekey_secrets_read(fds[0], &typed, key, &has_key), ERR_IO);
    (void)close(fds[0]);
    (void)close(fds[1]);
    assert_ok(fs_replace(path, "\2", 1));
    s.fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_err(rekey_secrets_read(s.fd, &typed, key, &has_key), ERR_INVALID);
    rekey_secrets_done(&s);
    assert_null(typed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passphrase_and_key_arrive),
        cmocka_unit_test(a_key_file_that_was_made_in_vain_goes),
        cmocka_unit_test(what_is_wrong_is_told_before_anything_is_begun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
