#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/base/json.h"
#include "pds/cli/control.h"
#include "pds/cli/porter.h"
#include "pds/crypto/random.h"
#include "pds/store/dataset.h"

#include <stdio.h>
#include <string.h>

enum { NOW = 1800000000 };

static const uint8_t KEY[KEY_BYTES] = {1, 2, 3};
static struct tempdir *dir;
static const char *store_path;
static struct store_key *root;

static int setup(void **state)
{
    static const char PASSPHRASE[] = "a passphrase of the tests";
    const struct passphrase_cost cheap = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    AUTO(store_freep) struct store *store = NULL;

    (void)state;
    json_start();
    assert_ok(random_start());
    assert_ok(dataset_start());
    dir = tempdir_new();
    store_path = tempdir_path(dir, "store");
    assert_ok(secret_text_new(PASSPHRASE, strlen(PASSPHRASE), &passphrase));
    assert_ok(store_create(store_path, passphrase, cheap, KEY, &code));
    assert_ok(store_new(store_path, &store));
    assert_ok(store_key_of_keyfile(store, KEY, &root));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    store_key_free(root);
    tempdir_free(dir);
    dataset_stop();
    return 0;
}

static bool has_socket(void)
{
    char path[FS_PATH_BYTES];

    assert_ok(fs_join(path, store_path, "control"));
    return fs_exists(path);
}

/* A command on the store, by the socket. */
static enum err call(void)
{
    char program[] = "traboule", command[] = "datasets", path[FS_PATH_BYTES];
    char *argv[] = {program, command, path, NULL};
    int status = -1;
    enum err e;

    (void)snprintf(path, sizeof path, "%s", store_path);
    e = control_call(store_path, root, 3, argv, NULL, 0, &status);
    assert_true(e || status == 0);
    return e;
}

static void socket_is_there_while_the_store_is_open(void **state)
{
    AUTO(porter_freep) struct porter *porter = porter_new();
    AUTO(store_freep) struct store *store = NULL;
    struct house_watch watch = porter_watch(porter);

    (void)state;
    assert_ok(store_new(store_path, &store));
    for (int i = 0; i < 3; i++) { /* what was left is swept when the next opens */
        assert_false(has_socket());
        assert_err(call(), ERR_NOT_FOUND);
        assert_ok(store_unlock(store, root, NOW));
        assert_ok(watch.opened(watch.context, store));
        assert_true(has_socket());
        assert_ok(call());
        watch.closing(watch.context, store);
        assert_false(has_socket());
        assert_true(store_is_open(store)); /* the porter does not close it */
        assert_ok(store_lock(store));
    }
    watch.closing(watch.context, store); /* of a store that it knows nothing of */
    watch.ended(watch.context);
}

static void second_porter_is_told_that_another_serves(void **state)
{
    AUTO(porter_freep) struct porter *porter = porter_new();
    AUTO(store_freep) struct store *store = NULL;
    struct house_watch watch = porter_watch(porter);

    (void)state;
    assert_ok(store_new(store_path, &store));
    assert_ok(watch.opened(watch.context, store));
    assert_err(watch.opened(watch.context, store), ERR_BUSY);
    watch.ended(watch.context); /* even with an open one */
    assert_false(has_socket());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(socket_is_there_while_the_store_is_open),
        cmocka_unit_test(second_porter_is_told_that_another_serves),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
