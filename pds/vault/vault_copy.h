/* A vault as a plain SQLite database, out and in: for backups, restoring and a new key.
 *
 * What comes out is in clear: it goes into something sealed, nowhere else. */
#ifndef VAULT_VAULT_COPY_H
#define VAULT_VAULT_COPY_H
#include "pds/base/err.h"
#include "pds/crypto/keyring.h"
#include "pds/crypto/secret.h"

#include <stddef.h>
#include <stdint.h>

struct db;          /* pds/vault/db.h */
struct vault;       /* pds/vault/vault.h */
struct vault_maker; /* a vault being made */

/* Takes len bytes of the database, in order; what it returns other than ERR_OK ends the copy. */
typedef enum err vault_put(void *context, const void *bytes, size_t len);

/* The database as of the last commit, page after page, while others read and write; it opens with any SQLite.
 * size_bytes is told to `begin` (may be NULL) before the first. ERR_CORRUPT names the page: a damaged vault
 * gives no copy. ERR_BUSY when another copy or check does not end in 5 s: one is made at a time. */
typedef enum err vault_size(void *context, uint64_t size_bytes);
MUST_CHECK enum err vault_copy(struct vault *v, vault_size *begin, vault_put *put, void *context);
/* The same, and a reader of the caller's (vault_read) is brought to just the state that is copied, before
 * `begin` is called: what it reads from then on is what the copy holds. */
MUST_CHECK enum err vault_copy_seen(struct vault *v, struct db *seen, vault_size *begin, vault_put *put,
                                    void *context);

/* Make vault.db in the private folder dir, which has none and no log of one (ERR_CONFLICT), from the bytes of
 * such a copy. Nothing of it is left unless vault_maker_finish() is ERR_OK. ERR_INVALID when the bytes are no
 * such database. */
MUST_CHECK enum err vault_maker_new(const char *dir, const struct store_key *root,
                                    const uint8_t store_id[static STORE_ID_BYTES], struct vault_maker **out);
MUST_CHECK enum err vault_maker_put(struct vault_maker *m, const void *bytes, size_t len);
MUST_CHECK enum err vault_maker_finish(struct vault_maker *m);
void vault_maker_free(struct vault_maker *m); /* NULL is fine */
static inline void vault_maker_freep(struct vault_maker **m) { vault_maker_free(*m); }
#endif
