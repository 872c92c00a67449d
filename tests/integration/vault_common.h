/* What the vault's larger tests share: a store's folder, and jobs whose traces tell which of them happened.
 */
#ifndef VAULT_COMMON_H
#define VAULT_COMMON_H
#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/crypto/secret.h"
#include "pds/vault/vault.h"

#include <stdint.h>

struct home {
    struct tempdir *dir;   /* owned */
    struct store_key *key; /* owned */
};

/* A private folder and a key; no vault yet. */
struct home home_new(void);
void home_done(struct home *h);
MUST_CHECK enum err home_create(const struct home *h);
MUST_CHECK enum err home_open(const struct home *h, struct vault **out);
MUST_CHECK enum err home_check(const struct home *h,
                               struct vault_check_report *out); /* of files; tells nothing */

/* Each job n puts one to three rows with bytes that follow from n, some long, and changes the row of an
 * earlier one. */
MUST_CHECK enum err probe_prepare(struct vault *v);
MUST_CHECK enum err probe_put(struct vault *v, int64_t n);
/* How many jobs happened: they must be 1 … *out, each whole. ERR_CORRUPT tells the first that is not. */
MUST_CHECK enum err probe_count(struct vault *v, int64_t *out);

/* PRAGMA integrity_check and every seal: ERR_CORRUPT with the first problem. */
MUST_CHECK enum err probe_check(struct vault *v);

/* For vault_check(): keeps the first problem told in a buffer of PROBE_TEXT_BYTES, if it is not NULL. */
enum { PROBE_TEXT_BYTES = 256 };
void probe_problem(void *text, const char *where, const char *what);
#endif
