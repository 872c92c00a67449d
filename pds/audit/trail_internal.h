/* Between trail.c (adding, keys), trail_read.c (lists, notes, proofs) and trail_check.c. */
#ifndef AUDIT_TRAIL_INTERNAL_H
#define AUDIT_TRAIL_INTERNAL_H
#include "pds/audit/tlog.h"
#include "pds/audit/trail_line.h"
#include "pds/base/err.h"
#include "pds/crypto/sign.h"

#include <stdint.h>

struct db;
struct stmt;

/* How many lines there are. */
MUST_CHECK enum err trail_size(struct db *db, int64_t *out);
/* A tlog_node over the trail; context is struct db. ERR_CORRUPT when it is not there. */
enum err trail_node(void *context, unsigned level, int64_t number, struct tlog_hash *out);
/* Where the root of subtree (level, number) lies in trail_node, for level 0 the number that is left free. */
int64_t trail_node_place(unsigned level, int64_t number);
/* A hash in a column. ERR_CORRUPT when it has another length. */
MUST_CHECK enum err trail_hash(const struct stmt *row, int column, struct tlog_hash *out);

/* The line of a row of TRAIL_COLUMNS; texts are borrowed from it. */
#define TRAIL_COLUMNS "number, at, kind, who, what, consent, leaf_hash, salt"
struct trail_line trail_line_of(const struct stmt *row);

/* The name of a store's trail. */
MUST_CHECK enum err trail_name(const uint8_t *store_id, char out[static TLOG_NAME_BYTES]);
/* The key that signs now. */
MUST_CHECK enum err trail_signer(struct db *db, struct tlog_verifier *key, struct sign_seed *seed);

/* The signing keys by number, after `after`: ERR_NOT_FOUND after the last. */
struct trail_key {
    int64_t number;
    struct tlog_verifier verifier;
    bool retired;
};
MUST_CHECK enum err trail_key_next(struct db *db, int64_t after, struct trail_key *out);
#endif
