/* A store of one test's own, under a key file's key, open or locked: for what needs a folder, a vault and a
 * state. */
#ifndef HARNESS_TMPSTORE_H
#define HARNESS_TMPSTORE_H
#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/json.h"
#include "pds/base/mem.h"
#include "pds/crypto/random.h"
#include "pds/store/dataset.h"
#include "pds/store/store.h"
#include "pds/vault/vault.h"

#include <stdlib.h>

enum { TMPSTORE_NOW = 1800000000 }; /* 2027-01-15 */

struct tmpstore {
    struct tempdir *dir;
    struct store *store;
    struct store_key *root;
    struct vault *vault; /* borrowed; entered until tmpstore_free(); NULL for one that was made locked */
};

static const uint8_t TMPSTORE_KEY[KEY_BYTES] = {9, 8, 7};

static inline void tmpstore_open(struct tmpstore *t)
{
    assert_ok(store_unlock(t->store, t->root, TMPSTORE_NOW));
    assert_ok(store_enter(t->store, &t->vault));
}

/* As a lock and an opening do. */
static inline void tmpstore_reopen(struct tmpstore *t)
{
    store_leave(t->store);
    assert_ok(store_lock(t->store));
    tmpstore_open(t);
}

static inline struct tmpstore *tmpstore_locked(void)
{
    static const struct passphrase_cost CHEAPEST = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    struct tmpstore *t = mem_new(sizeof *t);

    if (!t)
        abort(); /* no test goes on without it */
    json_start();
    assert_ok(random_start());
    assert_ok(dataset_start());
    t->dir = tempdir_new();
    assert_ok(secret_text_new("quatre chevaux", 14, &passphrase));
    assert_ok(store_create(tempdir_path(t->dir, "store"), passphrase, CHEAPEST, TMPSTORE_KEY, &code));
    assert_ok(store_new(tempdir_path(t->dir, "store"), &t->store));
    assert_ok(store_key_of_keyfile(t->store, TMPSTORE_KEY, &t->root));
    return t;
}

static inline struct tmpstore *tmpstore_new(void)
{
    struct tmpstore *t = tmpstore_locked();

    tmpstore_open(t);
    return t;
}

static inline void tmpstore_free(struct tmpstore *t)
{
    if (t->vault)
        store_leave(t->store);
    store_free(t->store);
    store_key_free(t->root);
    tempdir_free(t->dir);
    mem_free(t);
    dataset_stop();
}
static inline void tmpstore_freep(struct tmpstore **t) { tmpstore_free(*t); }

/* For cmocka: a locked one as the state of each test. */
static inline int tmpstore_set_up(void **state)
{
    *state = tmpstore_locked();
    return 0;
}
static inline int tmpstore_tear_down(void **state)
{
    tmpstore_free(*state);
    return 0;
}
#endif
