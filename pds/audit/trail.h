/* The audit trail: a Merkle log of what happened in a store, each line committed with a salt.
 *
 * Lines are only ever added. Their content can be erased: the leaf's hash stays, so that the log verifies and
 * shows that something was there. A leaf is HMAC-SHA-256(salt, content), content being the canonical JSON
 * (RFC 8785) of {"consent","kind","time","what","who"}; docs/trail.md tells it to the byte. */
#ifndef AUDIT_TRAIL_H
#define AUDIT_TRAIL_H
#include "pds/audit/event.h"
#include "pds/audit/tlog.h"
#include "pds/base/buf.h"
#include "pds/base/err.h"
#include "pds/base/json.h"

#include <stdint.h>

struct db; /* pds/vault/db.h */

/* The trail's name, in its notes, is this and the store's id in hex. It is no address: .invalid never is. */
#define TRAIL_NAME_PREFIX "traboule.invalid/"

/* Add a line, inside the write that does what it tells of: both are durable, or neither. Its time is now, or
 * the time of the last line if that is later. *index may be NULL. */
MUST_CHECK enum err trail_add(struct db *db, const struct event *event, int64_t now, int64_t *index);

/* The highest time seen, so that the clock never runs back: the last line's; 0 for an empty trail. */
MUST_CHECK enum err trail_time(struct db *db, int64_t *out);

struct trail_filter {
    struct str kind, who, consent; /* empty: any */
    int64_t from, to;              /* seconds, [from, to); INT64_MIN, INT64_MAX: without limit */
    bool newest_first;
};
/* {"entries":[{"index","time","kind","who","what","consent","leaf_hash","salt"}],"checkpoint","vkey","next"},
 * those after index `after` in the order asked for (-1: from its beginning), at most limit. "checkpoint" is
 * of the same moment as the entries; kind, who, what, salt of an erased line are null. hashes in base64. */
MUST_CHECK enum err trail_list(struct db *db, const struct trail_filter *filter, int64_t after, int64_t limit,
                               json_t **out);

/* The same, the entries alone: added to an array. *next: the index to go on after, -1 at the end. */
MUST_CHECK enum err trail_entries(struct db *db, const struct trail_filter *filter, int64_t after,
                                  int64_t limit, json_t *entries, int64_t *next);

/* The signed note of the trail as it is. In a read: nothing is kept. */
MUST_CHECK enum err trail_checkpoint(struct db *db, struct buf *out);
/* The tlog-proof of a line. ERR_NOT_FOUND when there is none. */
MUST_CHECK enum err trail_proof(struct db *db, int64_t index, struct buf *out);
/* Whether the trail goes on from an older checkpoint note that somebody kept. ERR_CORRUPT when it does not:
 * the past was rewritten, or an older state put back; the story says which. */
MUST_CHECK enum err trail_check_since(struct db *db, struct str note);
/* The verifier key, as C2SP writes it. */
MUST_CHECK enum err trail_vkey(struct db *db, struct buf *out);

/* Erase content and salts of all lines before index `before`. Inside a write. */
MUST_CHECK enum err trail_blank(struct db *db, int64_t before);

/* Recompute everything; `found` is called for each line or node that is wrong. *lines is how many were read.
 */
typedef void trail_problem(void *context, const char *where, const char *what);
MUST_CHECK enum err trail_check(struct db *db, trail_problem *found, void *context, int64_t *lines);

/* Begin the trail of a store that has none: a signing key, the first line. Inside a write; nothing when there
 * is one. store_id names the log. */
MUST_CHECK enum err trail_begin(struct db *db, const uint8_t *store_id, int64_t now);
MUST_CHECK enum err trail_is_begun(struct db *db, bool *out);
/* Retire the signing key for a fresh one, and tell it in the trail (EVENT_REKEYED). Inside a write. */
MUST_CHECK enum err trail_rekey(struct db *db, int64_t now);
/* {"keys":[…]} (RFC 7517, RFC 8037), the newest first: the key that signs, its "kid" being the trail's name,
 * as in its notes; then each key, that one and the retired, as "NAME+KEYID", as verifier keys begin: a name
 * that never comes to mean another key. */
MUST_CHECK enum err trail_jwks(struct db *db, json_t **out);
/* The same of a store that never had another key than the one of seed. */
MUST_CHECK enum err trail_jwks_begun(const uint8_t *store_id, const struct sign_seed *seed, json_t **out);
#endif
