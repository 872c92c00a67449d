/* Recomputing all of the trail. */
#include "pds/audit/trail.h"
#include "pds/audit/trail_internal.h"

#include "pds/base/auto.h"
#include "pds/vault/db.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char SQL_ENTRIES[] = "SELECT " TRAIL_COLUMNS " FROM trail_entry ORDER BY number";
static const char SQL_NODES[] = "SELECT place, hash FROM trail_node ORDER BY place";

/* Far more than will ever be, and few enough that no place of a node overflows. */
#define LINE_MAX_NUMBER (INT64_C(1) << 60)

struct checking {
    trail_problem *found;
    void *context;
    struct stmt *nodes; /* stands on the next row of them */
    bool nodes_left;
    struct tlog_hash open[TLOG_DEPTH_MAX + 1]; /* by level: the root that waits for its right sibling */
    int64_t expected;                          /* number of the next line */
    int64_t at;                                /* of the last line */
};

static void tell(struct checking *c, const char *what, int64_t line)
{
    char where[48];

    (void)snprintf(where, sizeof where, "trail line %" PRId64, line);
    c->found(c->context, where, what);
}

static enum err next_node(struct checking *c)
{
    enum err e = stmt_next(c->nodes);

    c->nodes_left = !e;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The stored root of a subtree that line `line` completed. Rows come in the order of their places. */
static enum err check_node(struct checking *c, int64_t place, int64_t line, const struct tlog_hash *wanted)
{
    struct tlog_hash stored;
    enum err e;

    while (c->nodes_left && stmt_int(c->nodes, 0) < place) {
        tell(c, "a hash stands over it that belongs nowhere", line);
        if ((e = next_node(c)))
            return e;
    }
    if (!c->nodes_left || stmt_int(c->nodes, 0) != place) {
        tell(c, "the hash over it is missing", line);
        return ERR_OK;
    }
    if (trail_hash(c->nodes, 1, &stored) || memcmp(stored.bytes, wanted->bytes, sizeof stored.bytes) != 0)
        tell(c, "the hash over it is not that of its leaves", line);
    return next_node(c);
}

/* A stored hash that is wrong is told once, where it stands: what stands above is held to what the leaves
 * give, so that one altered line is not told as many. */
static enum err check_nodes(struct checking *c, int64_t line, struct tlog_hash hash)
{
    int64_t place = trail_node_place(0, line);
    unsigned level = 0;
    enum err e;

    for (; (line >> level) & 1; level++) {
        tlog_parent(&c->open[level], &hash, &hash);
        if ((e = check_node(c, ++place, line, &hash)))
            return e;
    }
    c->open[level] = hash;
    return ERR_OK;
}

static const char *line_fault(const struct stmt *row, const struct tlog_hash *leaf, int64_t last_at)
{
    struct trail_line line = trail_line_of(row);
    struct str salt = stmt_blob(row, 7);
    enum event_kind kind;
    struct tlog_hash wanted;

    if (line.at < last_at)
        return "it is older than the line before";
    if (stmt_is_null(row, 7)) {
        for (int column = 2; column <= 5; column++) {
            if (!stmt_is_null(row, column))
                return "it has content and no salt";
        }
        return NULL; /* erased */
    }
    if (salt.len != TRAIL_SALT_BYTES || event_read(line.kind, &kind) ||
        trail_line_leaf(&line, (const uint8_t *)salt.ptr, &wanted))
        return "it is no line of a trail";
    return memcmp(wanted.bytes, leaf->bytes, sizeof wanted.bytes) != 0
               ? "its content is not what its hash says"
               : NULL;
}

static enum err check_line(struct checking *c, const struct stmt *row)
{
    int64_t number = stmt_int(row, 0);
    struct tlog_hash leaf = {{0}};
    const char *fault;

    if (number < 0 || number > LINE_MAX_NUMBER) {
        tell(c, "it is no line of a trail", number);
        return ERR_OK;
    }
    if (number != c->expected)
        tell(c, "it is missing", c->expected);
    c->expected = number + 1;
    if (trail_hash(row, 6, &leaf))
        tell(c, "it has no hash", number);
    else if ((fault = line_fault(row, &leaf, c->at)))
        tell(c, fault, number);
    c->at = stmt_int(row, 1);
    return check_nodes(c, number, leaf);
}

/* The key that signs is there, and its halves are of one key. */
static enum err check_keys(struct db *db, struct checking *c)
{
    AUTO(sign_seed_freep) struct sign_seed *seed = sign_seed_new();
    uint8_t public_key[SIGN_PUBLIC_BYTES];
    struct tlog_verifier key;
    enum err e;

    if (!seed)
        return err_set(ERR_NO_MEMORY, "check of the trail");
    if ((e = trail_signer(db, &key, seed)) == ERR_NOT_FOUND || e == ERR_CORRUPT) {
        c->found(c->context, "signing key", "it is not there, or not whole");
        return ERR_OK;
    }
    if (e)
        return e;
    sign_public(seed, public_key);
    if (memcmp(public_key, key.public_key, sizeof public_key) != 0)
        c->found(c->context, "signing key", "its halves do not fit");
    return ERR_OK;
}

enum err trail_check(struct db *db, trail_problem *found, void *context, int64_t *lines)
{
    struct checking c = {.found = found, .context = context, .at = INT64_MIN};
    AUTO(stmt_closep) struct stmt *rows = NULL;
    AUTO(stmt_closep) struct stmt *nodes = NULL;
    int64_t count = 0;
    enum err e;

    if ((e = db_query(db, SQL_NODES, NO_PARAMS, &nodes)))
        return err_wrap(e, "check of the trail");
    c.nodes = nodes;
    if ((e = next_node(&c)) || (e = db_query(db, SQL_ENTRIES, NO_PARAMS, &rows)))
        return err_wrap(e, "check of the trail");
    for (; !(e = stmt_next(rows)); count++) {
        if ((e = check_line(&c, rows)))
            return err_wrap(e, "check of the trail");
    }
    if (e != ERR_NOT_FOUND)
        return err_wrap(e, "check of the trail");
    if (c.nodes_left)
        tell(&c, "it is missing, and a hash over it is there", c.expected);
    if (count && (e = check_keys(db, &c)))
        return err_wrap(e, "check of the trail");
    *lines = count;
    return ERR_OK;
}
