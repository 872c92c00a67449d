/* An open vault of one test's own, under a fixed key: for modules above pds/vault. */
#ifndef HARNESS_TMPVAULT_H
#define HARNESS_TMPVAULT_H
#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/json.h"
#include "pds/base/mem.h"
#include "pds/crypto/random.h"
#include "pds/store/dataset.h"
#include "pds/vault/vault.h"

#include <stdlib.h>
#include <string.h>

struct tmpvault {
    struct tempdir *dir;
    struct store_key *key;
    struct vault *vault;
};

static const uint8_t TMPVAULT_ID[STORE_ID_BYTES] = {7};

static inline struct tmpvault *tmpvault_new(void)
{
    struct tmpvault *t = mem_new(sizeof *t);

    if (!t)
        abort(); /* no test goes on without it */
    json_start();
    assert_ok(random_start());
    assert_ok(dataset_start());
    t->dir = tempdir_new();
    t->key = store_key_new();
    memset(t->key->bytes, 42, KEY_BYTES);
    assert_ok(vault_create(tempdir_root(t->dir), t->key, TMPVAULT_ID));
    assert_ok(vault_open(tempdir_root(t->dir), t->key, TMPVAULT_ID, &t->vault));
    return t;
}

static inline void tmpvault_free(struct tmpvault *t)
{
    vault_close(t->vault);
    store_key_free(t->key);
    tempdir_free(t->dir);
    mem_free(t);
    dataset_stop();
}
static inline void tmpvault_freep(struct tmpvault **t) { tmpvault_free(*t); }
#endif
