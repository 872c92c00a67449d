/* The sealed database of one store, and the connections to it.
 *
 * One process owns an open store (locks on `lock` and vault.db). Readers do not block each other or
 * the writer; writes wait their turn and share one sync (group commit). What vault_write()
 * has answered with ERR_OK is durable. */
#ifndef VAULT_VAULT_H
#define VAULT_VAULT_H
#include "pds/base/err.h"
#include "pds/crypto/keyring.h"
#include "pds/crypto/secret.h"
#include "pds/vault/db.h"

#include <stdbool.h>
#include <stdint.h>

struct vault;
struct buf;

/* Make vault.db in the folder dir (private, existing, without one) and bring the schema up. Closed again
 * after. ERR_CONFLICT when there is one, or the log of one. */
MUST_CHECK enum err vault_create(const char *dir, const struct store_key *root,
                                 const uint8_t store_id[static STORE_ID_BYTES]);

/* Open. ERR_BUSY when another process has it; ERR_WRONG_KEY, ERR_CORRUPT (the story names file and
 * page or frame). Migrates an older schema, after a copy (vault_before.h): ERR_FULL when there is no room for
 * that. root is borrowed for the call. */
MUST_CHECK enum err vault_open(const char *dir, const struct store_key *root,
                               const uint8_t store_id[static STORE_ID_BYTES], struct vault **out);
void vault_close(struct vault *v); /* waits for writers; checkpoints; wipes keys. NULL is fine */
static inline void vault_closep(struct vault **v) { vault_close(*v); }

/* A descriptor that holds the store's lock beyond vault_close(), until it is closed. */
MUST_CHECK enum err vault_keep_lock(struct vault *v, int *fd);

/* A reader connection with a snapshot of its own until vault_read_end(); waits when all
 * LIMIT_READERS are taken; ERR_BUSY when none is given back in 5 s. Nothing that the holder does blocks
 * writers. */
MUST_CHECK enum err vault_read(struct vault *v, struct db **out);
void vault_read_end(struct vault *v, struct db *db); /* NULL is fine */
/* AUTO(reader_done) struct reader r = {v, NULL}; then vault_read(v, &r.db): given back by itself. */
struct reader {
    struct vault *vault;
    struct db *db;
};
static inline void reader_done(struct reader *r) { vault_read_end(r->vault, r->db); }

/* Run work inside a transaction on the writer and wait until it is durable. All of it happens or
 * none. Many callers share one commit. `work` may run on another thread and must not call vault_write.
 * Returns what work returned, or the failure of the commit; the story is carried over. So when a shared
 * commit finds no space (ERR_FULL), all who shared it are told, also one that alone would have fitted: `work`
 * is not run twice. */
typedef enum err vault_work(struct db *db, void *context);
MUST_CHECK enum err vault_write(struct vault *v, vault_work *work, void *context);

/* The same for what must work on a full disk: when it finds no space it is run again, alone, with the disk
 * that is kept for it (vault_reserve.h). So `work` may be called twice, and begins anew each time. */
MUST_CHECK enum err vault_write_reserved(struct vault *v, vault_work *work, void *context);

/* After deletions: bring all to vault.db and cut the log to nothing, so that no file holds an old page.
 * Readers of older states are waited for, ERR_BUSY after about wait_ms. Then, or before, the free pages can
 * be given back to the file system: the vault is written anew, as large as what is in it, through memory. */
MUST_CHECK enum err vault_purge(struct vault *v, int64_t wait_ms);
MUST_CHECK enum err vault_shrink(struct vault *v);

/* Whether damage was met since opening, and where; *story stays until close. */
bool vault_is_damaged(struct vault *v, const char **story);

/* Read and verify every page and frame, SQLite's own integrity and foreign keys. `found` is called
 * for each problem with its place ("vault.db page 17") and what is wrong. ERR_OK when the check could
 * be made, whatever it found. ERR_BUSY when another check or copy does not end in 5 s. */
struct vault_check_report {
    uint64_t pages; /* pages and frames read */
    uint64_t problems;
    uint64_t unread; /* reads that the disk refused: then what was found may be its failing, and no damage */
};
typedef void vault_problem(void *context, const char *where, const char *what);
MUST_CHECK enum err vault_check(struct vault *v, vault_problem *found, void *context,
                                struct vault_check_report *out);
/* The same for a store that cannot be opened: pages and frames only, from the files. */
MUST_CHECK enum err vault_check_files(const char *dir, const struct store_key *root,
                                      const uint8_t store_id[static STORE_ID_BYTES], vault_problem *found,
                                      void *context, struct vault_check_report *out);

struct vault_stats {
    uint64_t pages;         /* of the database */
    uint64_t commits, jobs; /* commits made, jobs that shared them */
};
void vault_stats(struct vault *v, struct vault_stats *out);
#endif
