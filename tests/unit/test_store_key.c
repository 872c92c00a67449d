#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/fs.h"
#include "pds/base/json.h"
#include "pds/base/limits.h"
#include "pds/crypto/random.h"
#include "pds/store/store.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct passphrase_cost CHEAPEST = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};
static const struct passphrase_cost DEARER = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN + 1024};

/* One store, looked at as by two processes. */
struct made {
    struct tempdir *tmp;
    struct store *one, *other;
    struct secret_text *old, *fresh, *code;
    struct store_key *root;
};

static struct secret_text *text(const char *from)
{
    struct secret_text *t = NULL;

    assert_ok(secret_text_new(from, strlen(from), &t));
    return t;
}

static int made_new(void **state)
{
    static struct made m;

    json_start();
    assert_ok(random_start());
    m = (struct made){
        .tmp = tempdir_new(), .old = text("quatre chevaux"), .fresh = text("huit grands chevaux")};
    assert_ok(store_create(tempdir_path(m.tmp, "store"), m.old, CHEAPEST, NULL, &m.code));
    assert_ok(store_new(tempdir_path(m.tmp, "store"), &m.one));
    assert_ok(store_new(tempdir_path(m.tmp, "store"), &m.other));
    assert_ok(store_key_of_passphrase(m.one, m.old, &m.root));
    *state = &m;
    return 0;
}

static int made_free(void **state)
{
    struct made *m = *state;

    store_free(m->one);
    store_free(m->other);
    secret_text_free(m->old);
    secret_text_free(m->fresh);
    secret_text_free(m->code);
    store_key_free(m->root);
    tempdir_free(m->tmp);
    return 0;
}

static enum err open_with(const struct made *m, const struct secret_text *passphrase)
{
    AUTO(store_key_freep) struct store_key *root = NULL;
    enum err e = store_key_of_passphrase(m->one, passphrase, &root);

    assert_true(e || random_equal(root->bytes, m->root->bytes, KEY_BYTES));
    return e;
}

static void a_passphrase_or_the_code_opens_the_same_store(void **state)
{
    struct made *m = *state;
    AUTO(store_key_freep) struct store_key *root = NULL;

    assert_ok(open_with(m, m->old));
    assert_err(open_with(m, m->fresh), ERR_WRONG_KEY);
    assert_ok(store_key_of_recovery(m->one, m->code, &root));
    assert_memory_equal(root->bytes, m->root->bytes, KEY_BYTES);
    assert_ok(store_set_passphrase(m->one, m->root, m->fresh, CHEAPEST));
    assert_err(open_with(m, m->old), ERR_WRONG_KEY);
    assert_ok(open_with(m, m->fresh));
}

static size_t read_keys(const struct made *m, char *out, size_t size)
{
    char path[FS_PATH_BYTES];
    struct buf bytes;
    size_t len;

    assert_ok(fs_join(path, store_dir(m->one), "keys.json"));
    buf_init(&bytes, size);
    assert_ok(fs_read(path, size, &bytes));
    memcpy(out, bytes.data, len = bytes.len);
    buf_done(&bytes);
    return len;
}

static void a_dearer_slot_is_wrapped_again_once(void **state)
{
    struct made *m = *state;
    char before[LIMIT_KEYS_FILE_BYTES], after[LIMIT_KEYS_FILE_BYTES];
    size_t len = read_keys(m, before, sizeof before);

    assert_ok(store_raise_cost(m->one, m->root, m->old, CHEAPEST));
    assert_int_equal(read_keys(m, after, sizeof after), len);
    assert_memory_equal(before, after, len);
    assert_ok(store_raise_cost(m->one, m->root, m->old, DEARER));
    (void)read_keys(m, after, sizeof after);
    assert_memory_not_equal(before, after, len);
    assert_ok(open_with(m, m->old));
}

/* Signed in with the old one, changed elsewhere, then raised: the new one stays. */
static void raising_the_cost_does_not_bring_an_old_passphrase_back(void **state)
{
    struct made *m = *state;

    assert_ok(store_set_passphrase(m->other, m->root, m->fresh, CHEAPEST));
    assert_ok(store_raise_cost(m->one, m->root, m->old, DEARER));
    assert_err(open_with(m, m->old), ERR_WRONG_KEY);
    assert_ok(open_with(m, m->fresh));
}

struct change {
    struct made *m;
    atomic_bool done;
};

static void *change_it(void *context)
{
    struct change *c = context;

    assert_ok(store_set_passphrase(c->m->one, c->m->root, c->m->fresh, CHEAPEST));
    atomic_store(&c->done, true);
    return NULL;
}

/* Another process changes the keys: this one waits, from reading to writing. */
static void a_change_waits_for_that_of_another_process(void **state)
{
    struct made *m = *state;
    struct change c = {.m = m};
    struct timespec derivation = {.tv_sec = 1};
    int folder = open(store_dir(m->one), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    pthread_t thread;

    assert_int_equal(flock(folder, LOCK_EX), 0);
    assert_int_equal(pthread_create(&thread, NULL, change_it, &c), 0);
    (void)nanosleep(&derivation, NULL);
    assert_false(atomic_load(&c.done));
    (void)close(folder);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_ok(open_with(m, m->fresh));
}

static void keys_that_are_gone_are_damage_and_tell_no_path(void **state)
{
    struct made *m = *state;
    char path[FS_PATH_BYTES];

    assert_ok(fs_join(path, store_dir(m->one), "keys.json"));
    assert_int_equal(unlink(path), 0);
    assert_err(open_with(m, m->old), ERR_CORRUPT);
    assert_null(strchr(err_story(), '/'));
    assert_err(store_set_passphrase(m->one, m->root, m->fresh, CHEAPEST), ERR_CORRUPT);
    assert_false(fs_exists(path));
}

static void a_passphrase_that_is_too_weak_changes_nothing(void **state)
{
    struct made *m = *state;
    AUTO(secret_text_freep) struct secret_text *weak = text("court");

    assert_err(store_set_passphrase(m->one, m->root, weak, CHEAPEST), ERR_INVALID);
    assert_ok(open_with(m, m->old));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_passphrase_or_the_code_opens_the_same_store, made_new, made_free),
        cmocka_unit_test_setup_teardown(a_dearer_slot_is_wrapped_again_once, made_new, made_free),
        cmocka_unit_test_setup_teardown(raising_the_cost_does_not_bring_an_old_passphrase_back, made_new,
                                        made_free),
        cmocka_unit_test_setup_teardown(a_change_waits_for_that_of_another_process, made_new, made_free),
        cmocka_unit_test_setup_teardown(keys_that_are_gone_are_damage_and_tell_no_path, made_new, made_free),
        cmocka_unit_test_setup_teardown(a_passphrase_that_is_too_weak_changes_nothing, made_new, made_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
