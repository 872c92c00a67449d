#include "tests/harness/tmpstore.h"

#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/fs.h"
#include "pds/store/store.h"
#include "pds/vault/vault.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

enum { NOW = TMPSTORE_NOW };

static void store_unlocks_and_locks(void **state)
{
    struct tmpstore *m = *state;
    struct vault *vault;
    uint64_t first;

    assert_false(store_is_open(m->store));
    assert_int_equal(store_opening(m->store), 0);
    assert_err(store_enter(m->store, &vault), ERR_LOCKED);
    assert_ok(store_unlock(m->store, m->root, NOW));
    first = store_opening(m->store);
    assert_true(first > 0);
    assert_ok(store_unlock(m->store, m->root, NOW));
    assert_int_equal(store_opening(m->store), first);
    assert_ok(store_lock(m->store));
    assert_false(store_is_open(m->store));
    assert_ok(store_lock(m->store));
    assert_ok(store_unlock(m->store, m->root, NOW));
    assert_true(store_opening(m->store) > first);
    m->root->bytes[0] ^= 1;
    assert_err(store_unlock(m->store, m->root, NOW), ERR_WRONG_KEY);
    assert_ok(store_lock(m->store));
    assert_err(store_unlock(m->store, m->root, NOW), ERR_WRONG_KEY);
    assert_false(store_is_open(m->store));
    assert_false(store_is_closing(m->store));
}

static void a_borrowed_store_is_locked_to_others_and_locks_when_given_back(void **state)
{
    struct tmpstore *m = *state;
    struct vault *vault;

    assert_ok(store_borrow(m->store, m->root, NOW));
    assert_ok(store_borrow(m->store, m->root, NOW));
    assert_false(store_is_open(m->store));
    store_give_back(m->store);
    assert_ok(store_enter(m->store, &vault));
    store_leave(m->store);
    store_give_back(m->store);
    assert_err(store_enter(m->store, &vault), ERR_LOCKED);
    assert_ok(store_borrow(m->store, m->root, NOW));
    assert_ok(store_unlock(m->store, m->root, NOW));
    store_give_back(m->store);
    assert_true(store_is_open(m->store)); /* kept by its owner */
}

/* Someone inside who does not leave: the lock gives up waiting, and so does who would open; nobody comes in,
 * and the keys go when they leave. */
static void lock_and_unlock_wait_for_a_while_only(void **state)
{
    struct tmpstore *m = *state;
    struct vault *vault, *other;
    int64_t begin = clock_monotonic_ms();

    assert_ok(store_unlock(m->store, m->root, NOW));
    assert_ok(store_enter(m->store, &vault));
    assert_err(store_lock(m->store), ERR_BUSY);
    assert_true(store_is_closing(m->store));
    assert_false(store_is_open(m->store));
    assert_err(store_enter(m->store, &other), ERR_LOCKED);
    assert_err(store_unlock(m->store, m->root, NOW), ERR_LOCKED);
    assert_true(clock_monotonic_ms() - begin < 4000);
    store_leave(m->store);
    assert_false(store_is_closing(m->store));
    assert_ok(store_unlock(m->store, m->root, NOW)); /* its file lock is free: the vault was closed */
}

static void *leave_soon(void *context)
{
    struct tmpstore *m = context;
    struct timespec soon = {.tv_nsec = 50000000};

    while (!store_is_closing(m->store))
        (void)nanosleep(&soon, NULL);
    store_leave(m->store);
    return NULL;
}

static void lock_waits_for_who_leaves_soon(void **state)
{
    struct tmpstore *m = *state;
    struct vault *vault;
    pthread_t thread;

    assert_ok(store_unlock(m->store, m->root, NOW));
    assert_ok(store_enter(m->store, &vault));
    assert_int_equal(pthread_create(&thread, NULL, leave_soon, m), 0);
    assert_ok(store_lock(m->store));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(store_is_closing(m->store));
}

enum { ROUNDS = 30, ASKED_LEAST = 100 * ROUNDS };

struct opener {
    struct store *store;
    const struct store_key *root;
    atomic_int at; /* odd: it opens just now; 2 * ROUNDS: it is through */
};

static void *open_again_and_again(void *context)
{
    struct opener *o = context;

    for (int i = 0; i < ROUNDS; i++) {
        atomic_store(&o->at, 2 * i + 1);
        assert_ok(store_unlock(o->store, o->root, NOW));
        atomic_store(&o->at, 2 * i + 2);
        assert_ok(store_lock(o->store));
    }
    return NULL;
}

/* Whoever asks while the store is opening is answered while it is opening: thousands of times. */
static void nobody_who_asks_waits_for_an_opening(void **state)
{
    struct tmpstore *m = *state;
    struct opener o = {.store = m->store, .root = m->root};
    struct vault *vault;
    char place[64];
    pthread_t thread;
    long asked = 0;
    int before = 0;

    assert_int_equal(pthread_create(&thread, NULL, open_again_and_again, &o), 0);
    while (before < 2 * ROUNDS) {
        before = atomic_load(&o.at);
        assert_false(store_is_damaged(m->store, place, sizeof place));
        (void)store_is_open(m->store);
        (void)store_is_closing(m->store);
        if (!store_enter(m->store, &vault))
            store_leave(m->store);
        asked += before % 2 == 1 && atomic_load(&o.at) == before;
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(asked > ASKED_LEAST);
}

static void what_a_cut_change_of_the_keys_left_goes_with_the_next_look(void **state)
{
    struct tmpstore *m = *state;
    AUTO(store_freep) struct store *again = NULL;
    char left[FS_PATH_BYTES], other[FS_PATH_BYTES];

    assert_ok(fs_join(left, store_dir(m->store), "keys.json.new-AbC123"));
    assert_ok(fs_join(other, store_dir(m->store), "keys.json.bak"));
    assert_ok(fs_replace(left, "x", 1));
    assert_ok(fs_replace(other, "x", 1));
    assert_ok(store_new(store_dir(m->store), &again));
    assert_false(fs_exists(left));
    assert_true(fs_exists(other));
}

static void store_new_says_why_it_is_none(void **state)
{
    struct tmpstore *m = *state;
    struct store *none = NULL;

    assert_err(store_new(tempdir_path(m->dir, "none"), &none), ERR_NOT_FOUND);
    assert_ok(fs_make_private_dir(tempdir_path(m->dir, "empty")));
    assert_err(store_new(tempdir_path(m->dir, "empty"), &none), ERR_NOT_FOUND);
    assert_int_equal(chmod(store_dir(m->store), 0750), 0);
    assert_err(store_new(store_dir(m->store), &none), ERR_FORBIDDEN);
    assert_null(none);
    store_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(store_unlocks_and_locks, tmpstore_set_up, tmpstore_tear_down),
        cmocka_unit_test_setup_teardown(a_borrowed_store_is_locked_to_others_and_locks_when_given_back,
                                        tmpstore_set_up, tmpstore_tear_down),
        cmocka_unit_test_setup_teardown(lock_and_unlock_wait_for_a_while_only, tmpstore_set_up,
                                        tmpstore_tear_down),
        cmocka_unit_test_setup_teardown(lock_waits_for_who_leaves_soon, tmpstore_set_up, tmpstore_tear_down),
        cmocka_unit_test_setup_teardown(nobody_who_asks_waits_for_an_opening, tmpstore_set_up,
                                        tmpstore_tear_down),
        cmocka_unit_test_setup_teardown(what_a_cut_change_of_the_keys_left_goes_with_the_next_look,
                                        tmpstore_set_up, tmpstore_tear_down),
        cmocka_unit_test_setup_teardown(store_new_says_why_it_is_none, tmpstore_set_up, tmpstore_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
