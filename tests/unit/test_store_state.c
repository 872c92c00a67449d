/* Locked, opening, open, closing, alone: what comes in between, and sixteen threads that do it all at once.
 */
#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/json.h"
#include "pds/crypto/random.h"
#include "pds/store/dataset.h"
#include "pds/store/store_internal.h"
#include "pds/vault/vault.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static const struct passphrase_cost CHEAPEST = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};
static const uint8_t KEY[KEY_BYTES] = {9, 8, 7};
enum { NOW = 1800000000, STEP_US = 1000 };

static struct tempdir *dir;
static struct store *store;
static struct store_key *root;

/* A host that counts, and holds an opening up while it is told to. */
static atomic_int begun, opened, closing, closed;
static atomic_bool held;

static enum err host_opening(void *context, struct store *s)
{
    (void)context, (void)s;
    atomic_fetch_add(&begun, 1);
    while (atomic_load(&held))
        (void)usleep(STEP_US);
    return ERR_OK;
}

static enum err host_opened(void *context, struct store *s)
{
    (void)context, (void)s;
    atomic_fetch_add(&opened, 1);
    return ERR_OK;
}

static void host_closing(void *context, struct store *s)
{
    (void)context, (void)s;
    atomic_fetch_add(&closing, 1);
}

static void host_closed(void *context, struct store *s)
{
    (void)context, (void)s;
    atomic_fetch_add(&closed, 1);
}

static enum err host_key(void *context, struct store *s, struct store_key **out)
{
    (void)context;
    return store_key_of_keyfile(s, KEY, out);
}

static const struct store_host HOST = {host_opening, host_opened, host_closing, host_closed, host_key};

static int setup(void **state)
{
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    AUTO(secret_text_freep) struct secret_text *code = NULL;

    (void)state;
    json_start();
    assert_ok(random_start());
    assert_ok(dataset_start());
    dir = tempdir_new();
    clock_set(NOW);
    assert_ok(secret_text_new("quatre chevaux", 14, &passphrase));
    assert_ok(store_create(tempdir_path(dir, "store"), passphrase, CHEAPEST, KEY, &code));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tempdir_free(dir);
    dataset_stop();
    return 0;
}

static int look(void **state)
{
    (void)state;
    atomic_store(&begun, 0);
    atomic_store(&opened, 0);
    atomic_store(&closing, 0);
    atomic_store(&closed, 0);
    assert_ok(store_new(tempdir_path(dir, "store"), &store));
    store_set_host(store, &HOST, NULL);
    assert_ok(store_key_of_keyfile(store, KEY, &root));
    return 0;
}

/* Whatever happened: nothing is left of it. */
static int leave_nothing(void **state)
{
    (void)state;
    assert_ok(store_lock(store));
    assert_int_equal(store->state, STORE_LOCKED);
    assert_int_equal(store->users + store->borrowers + store->waiting, 0);
    assert_null(store->vault);
    assert_null(store->root);
    assert_int_equal(atomic_load(&opened), atomic_load(&closing));
    assert_int_equal(atomic_load(&begun), atomic_load(&closed));
    store_free(store);
    store_key_free(root);
    return 0;
}

static void *unlock_it(void *out)
{
    *(enum err *)out = store_unlock(store, root, NOW);
    return NULL;
}

static void *enter_it(void *out)
{
    struct vault *vault;

    if (!(*(enum err *)out = store_enter(store, &vault)))
        store_leave(store);
    return NULL;
}

static void *borrow_it(void *out)
{
    if (!(*(enum err *)out = store_borrow(store, root, NOW)))
        store_give_back(store);
    return NULL;
}

/* What opens it is held up, the store is shut, and it goes on. */
static enum err shut_during(void *(*what)(void *))
{
    int before = atomic_load(&begun);
    enum err e = ERR_INTERNAL;
    pthread_t thread;

    atomic_store(&held, true);
    assert_int_equal(pthread_create(&thread, NULL, what, &e), 0);
    while (atomic_load(&begun) == before)
        (void)usleep(STEP_US);
    store_shut(store);
    atomic_store(&held, false);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return e;
}

static void a_lock_during_an_opening_is_a_lock(void **state)
{
    static void *(*const WAYS[])(void *) = {unlock_it, borrow_it, enter_it};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(WAYS); i++) {
        if (WAYS[i] == enter_it)
            store_begin_at_rest(store);
        assert_int_equal(shut_during(WAYS[i]), ERR_LOCKED);
        assert_false(store_is_open(store));
        assert_false(store_is_awake(store));
        assert_null(store->root);
    }
    assert_ok(store_unlock(store, root, NOW)); /* and nothing of it lasts */
    assert_true(store_is_open(store));
}

static void a_lock_while_it_gets_another_key_is_a_lock(void **state)
{
    (void)state;
    assert_ok(store_unlock(store, root, NOW));
    assert_ok(store_alone(store));
    assert_err(store_alone(store), ERR_BUSY);
    assert_err(store_unlock(store, root, NOW), ERR_BUSY);
    assert_true(store_alone_end(store)); /* it was open */
    assert_ok(store_unlock(store, root, NOW));
    assert_ok(store_alone(store));
    store_shut(store);
    assert_false(store_alone_end(store));
    assert_ok(store_alone(store));
    assert_false(store_alone_end(store)); /* it was not */
}

/* A command that was under way gives back what was taken from it. */
static void what_a_command_gives_back_late_is_not_locked_again(void **state)
{
    int64_t begin = clock_monotonic_ms();

    (void)state;
    assert_ok(store_unlock(store, root, NOW));
    assert_ok(store_borrow(store, root, NOW));
    assert_ok(store_alone(store));
    store_give_back(store);
    assert_true(clock_monotonic_ms() - begin < 1000);
    assert_true(store_alone_end(store));
    assert_ok(store_borrow(store, root, NOW));
    assert_ok(store_lock(store));
    assert_ok(store_unlock(store, root, NOW));
    store_give_back(store);
    assert_true(store_is_open(store));
}

/* Whoever tries passphrases does not keep the owner of a store at rest waiting. */
static void a_store_at_rest_opens_while_a_passphrase_is_tried(void **state)
{
    struct vault *vault;

    (void)state;
    store_begin_at_rest(store);
    (void)pthread_mutex_lock(&store->derive);
    assert_ok(store_enter(store, &vault));
    store_leave(store);
    (void)pthread_mutex_unlock(&store->derive);
}

/* All at once. */
static atomic_bool over;
static atomic_long done[8];

/* What a thread does again and again. */
static void enter_and_leave(void)
{
    struct store_view view = {0};

    if (store_view(store, &view))
        return;
    assert_ptr_equal(view.vault, store->vault); /* set before anyone enters, cleared after all left */
    assert_non_null(view.db);
    store_view_done(&view);
}

static void unlock(void)
{
    enum err e = store_unlock(store, root, NOW);

    assert_true(e == ERR_OK || e == ERR_LOCKED || e == ERR_BUSY);
}

/* What was allowed before a lock is not after it. */
static void lock(void)
{
    uint64_t before = store_opening(store);

    if (store_lock(store) == ERR_OK && before)
        assert_int_not_equal(store_opening(store), before);
}

static void rest(void) { err_ignore(store_rest(store)); }

static void close_unused(void) { err_ignore(store_lock_unused(store)); }

static void borrow(void)
{
    if (store_borrow(store, root, NOW))
        return;
    enter_and_leave();
    store_give_back(store);
}

static void be_alone(void)
{
    if (store_alone(store))
        return;
    assert_null(store->vault);
    if (store_alone_end(store))
        err_ignore(store_unlock(store, root, NOW));
}

static void ask(void)
{
    char place[64];

    assert_false(store_is_damaged(store, place, sizeof place));
    (void)store_is_open(store);
    (void)store_is_awake(store);
    (void)store_is_closing(store);
    (void)store_used_at_ms(store);
}

static const struct {
    void (*act)(void);
    unsigned threads, pause_us;
} ROLES[] = {{enter_and_leave, 5, 0}, {unlock, 3, 500}, {lock, 2, 3000},     {rest, 2, 1000},
             {close_unused, 1, 5000}, {borrow, 1, 200}, {be_alone, 1, 7000}, {ask, 1, 0}};

static void *play(void *context)
{
    size_t role = (size_t)context;

    while (!atomic_load(&over)) {
        ROLES[role].act();
        atomic_fetch_add(&done[role], 1);
        if (ROLES[role].pause_us)
            (void)usleep(ROLES[role].pause_us);
    }
    return NULL;
}

static void sixteen_threads_do_it_all_at_once(void **state)
{
    enum { THREADS = 16 };
    pthread_t threads[THREADS];
    size_t n = 0;

    (void)state;
    atomic_store(&over, false);
    for (size_t role = 0; role < COUNT_OF(ROLES); role++) {
        atomic_store(&done[role], 0);
        for (unsigned i = 0; i < ROLES[role].threads; i++)
            assert_int_equal(pthread_create(&threads[n++], NULL, play, (void *)role), 0);
    }
    assert_int_equal(n, THREADS);
    (void)usleep(getenv("TRABOULE_NIGHTLY") ? 30000000 : 1500000);
    atomic_store(&over, true);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t role = 0; role < COUNT_OF(ROLES); role++)
        assert_true(atomic_load(&done[role]) > 0);
    assert_true(atomic_load(&opened) > 5);
    assert_ok(store_lock(store));
    assert_ok(store_unlock(store, root, NOW)); /* its lock on the disk was let go each time */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, look, leave_nothing)
    const struct CMUnitTest tests[] = {
        TEST(a_lock_during_an_opening_is_a_lock),
        TEST(a_lock_while_it_gets_another_key_is_a_lock),
        TEST(what_a_command_gives_back_late_is_not_locked_again),
        TEST(a_store_at_rest_opens_while_a_passphrase_is_tried),
        TEST(sixteen_threads_do_it_all_at_once),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
