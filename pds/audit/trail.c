/* Adding to the trail, and the keys that sign it. */
#include "pds/audit/trail.h"
#include "pds/audit/trail_internal.h"

#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/codec.h"
#include "pds/crypto/keyring.h"
#include "pds/crypto/random.h"
#include "pds/vault/db.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char SQL_LAST[] = "SELECT number, at FROM trail_entry ORDER BY number DESC LIMIT 1";
static const char SQL_LEAF[] = "SELECT leaf_hash FROM trail_entry WHERE number = ?1";
static const char SQL_NODE[] = "SELECT hash FROM trail_node WHERE place = ?1";
static const char SQL_ENTRY_ADD[] =
    "INSERT INTO trail_entry (number, leaf_hash, at, salt, kind, who, what, consent)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
static const char SQL_NODE_ADD[] = "INSERT INTO trail_node (place, hash) VALUES (?1, ?2)";
static const char SQL_BLANK[] = "UPDATE trail_entry SET salt = NULL, kind = NULL, who = NULL, what = NULL,"
                                " consent = NULL WHERE number < ?1 AND salt IS NOT NULL";
static const char SQL_SIGNER[] = "SELECT name, public_key, seed FROM signing_key WHERE until_at IS NULL";
static const char SQL_KEYS[] = "SELECT number, name, public_key, until_at IS NOT NULL FROM signing_key"
                               " WHERE number > ?1 ORDER BY number LIMIT 1";
static const char SQL_KEY_ADD[] =
    "INSERT INTO signing_key (name, seed, public_key, since_at) VALUES (?1, ?2, ?3, ?4)";
static const char SQL_KEY_RETIRE[] =
    "UPDATE signing_key SET seed = NULL, until_at = ?1 WHERE until_at IS NULL";

/* Rows of trail_node in the order in which they come about: a leaf first, then the roots of the subtrees that
 * it completes, each counted, though those of leaves stand in trail_entry. */
int64_t trail_node_place(unsigned level, int64_t number)
{
    int64_t leaf = ((number + 1) << level) - 1; /* the last one below it */
    int64_t place = 0;

    for (int64_t n = leaf; n > 0; n >>= 1)
        place += n; /* all that came about before that leaf */
    return place + level;
}

enum err trail_hash(const struct stmt *row, int column, struct tlog_hash *out)
{
    struct str bytes = stmt_blob(row, column);

    if (bytes.len != TLOG_HASH_BYTES)
        return err_set(ERR_CORRUPT, "a hash of %zu bytes", bytes.len);
    memcpy(out->bytes, bytes.ptr, TLOG_HASH_BYTES);
    return ERR_OK;
}

enum err trail_node(void *context, unsigned level, int64_t number, struct tlog_hash *out)
{
    int64_t at = level ? trail_node_place(level, number) : number;
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    if ((e = db_query(context, level ? SQL_NODE : SQL_LEAF, PARAMS(INT(at)), &row)) || (e = stmt_next(row)) ||
        (e = trail_hash(row, 0, out)))
        return err_wrap(e == ERR_NOT_FOUND ? ERR_CORRUPT : e, "trail: node %u of level %" PRId64 "", level,
                        number);
    return ERR_OK;
}

struct trail_line trail_line_of(const struct stmt *row)
{
    struct trail_line line = {.at = stmt_int(row, 1),
                              .kind = stmt_text(row, 2),
                              .who = stmt_text(row, 3),
                              .what = stmt_text(row, 4)};

    if (!stmt_is_null(row, 5))
        line.consent = stmt_text(row, 5);
    return line;
}

/* The last line: its number, -1 without one, and its time. */
static enum err last_line(struct db *db, int64_t *number, int64_t *at)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    *number = -1;
    *at = 0;
    if ((e = db_query(db, SQL_LAST, NO_PARAMS, &row)) || (e = stmt_next(row)))
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    *number = stmt_int(row, 0);
    *at = stmt_int(row, 1);
    return ERR_OK;
}

enum err trail_size(struct db *db, int64_t *out)
{
    int64_t number, at;
    enum err e = last_line(db, &number, &at);

    if (!e)
        *out = number + 1;
    return e;
}

enum err trail_time(struct db *db, int64_t *out)
{
    int64_t number, at;
    enum err e = last_line(db, &number, &at);

    if (!e)
        *out = at;
    return e;
}

/* The roots of the subtrees that a leaf completes. */
static enum err add_nodes(struct db *db, int64_t number, struct tlog_hash hash)
{
    int64_t place = trail_node_place(0, number);
    struct tlog_hash left;
    enum err e;

    for (unsigned level = 0; (number >> level) & 1; level++) {
        if ((e = trail_node(db, level, (number >> level) - 1, &left)))
            return e;
        tlog_parent(&left, &hash, &hash);
        place++;
        if ((e = db_run(db, SQL_NODE_ADD, PARAMS(INT(place), BLOB(hash.bytes, sizeof hash.bytes)))))
            return e;
    }
    return ERR_OK;
}

static int64_t later(int64_t a, int64_t b) { return a > b ? a : b; }

enum err trail_add(struct db *db, const struct event *event, int64_t now, int64_t *index)
{
    struct trail_line line = {.kind = str_of(event_name(event->kind)),
                              .who = str_of(event->who),
                              .what = str_of(event->what),
                              .consent = {NULL, 0}};
    uint8_t salt[TRAIL_SALT_BYTES];
    struct tlog_hash leaf;
    int64_t number, at;
    enum err e;

    if (event->consent)
        line.consent = str_of(event->consent);
    if ((e = last_line(db, &number, &at)))
        return err_wrap(e, "trail");
    number++;
    line.at = later(at, now < CLOCK_TEXT_MAX ? now : CLOCK_TEXT_MAX);
    random_bytes(salt, sizeof salt);
    if ((e = trail_line_leaf(&line, salt, &leaf)) ||
        (e = db_run(db, SQL_ENTRY_ADD,
                    PARAMS(INT(number), BLOB(leaf.bytes, sizeof leaf.bytes), INT(line.at),
                           BLOB(salt, sizeof salt), STR_TEXT(line.kind), STR_TEXT(line.who),
                           STR_TEXT(line.what), TEXT(event->consent)))) ||
        (e = add_nodes(db, number, leaf)))
        return err_wrap(e, "trail");
    if (index)
        *index = number;
    return ERR_OK;
}

enum err trail_blank(struct db *db, int64_t before) { return db_run(db, SQL_BLANK, PARAMS(INT(before))); }

static enum err read_key(const struct stmt *row, int column, struct tlog_verifier *out)
{
    struct str key = stmt_blob(row, column + 1);

    if (str_copy(stmt_text(row, column), out->name, sizeof out->name) || key.len != SIGN_PUBLIC_BYTES)
        return err_set(ERR_CORRUPT, "a signing key of %zu bytes", key.len);
    memcpy(out->public_key, key.ptr, SIGN_PUBLIC_BYTES);
    return ERR_OK;
}

enum err trail_signer(struct db *db, struct tlog_verifier *key, struct sign_seed *seed)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    struct str bytes;
    enum err e;

    if ((e = db_query(db, SQL_SIGNER, NO_PARAMS, &row)) || (e = stmt_next(row)) ||
        (e = read_key(row, 0, key)))
        return err_wrap(e, "signing key");
    bytes = stmt_blob(row, 2);
    if (bytes.len != KEY_BYTES)
        return err_set(ERR_CORRUPT, "signing key: a seed of %zu bytes", bytes.len);
    memcpy(seed->bytes, bytes.ptr, KEY_BYTES);
    return ERR_OK;
}

enum err trail_key_next(struct db *db, int64_t after, struct trail_key *out)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    if ((e = db_query(db, SQL_KEYS, PARAMS(INT(after)), &row)) || (e = stmt_next(row)) ||
        (e = read_key(row, 1, &out->verifier)))
        return err_wrap(e, "signing key");
    out->number = stmt_int(row, 0);
    out->retired = stmt_int(row, 3) != 0;
    return ERR_OK;
}

static enum err add_key(struct db *db, const char *name, int64_t now, struct tlog_verifier *out)
{
    AUTO(sign_seed_freep) struct sign_seed *seed = sign_seed_new();
    enum err e;

    if (!seed)
        return err_set(ERR_NO_MEMORY, "signing key");
    random_bytes(seed->bytes, sizeof seed->bytes);
    sign_public(seed, out->public_key);
    if ((e = str_copy(str_of(name), out->name, sizeof out->name)))
        return err_wrap(e, "name of the trail");
    return db_run(db, SQL_KEY_ADD,
                  PARAMS(TEXT(name), BLOB(seed->bytes, sizeof seed->bytes),
                         BLOB(out->public_key, sizeof out->public_key), INT(now)));
}

enum err trail_name(const uint8_t *store_id, char out[static TLOG_NAME_BYTES])
{
    struct buf name;

    buf_over(&name, out, TLOG_NAME_BYTES);
    buf_text(&name, TRAIL_NAME_PREFIX);
    codec_hex(&name, store_id, STORE_ID_BYTES);
    return buf_err(&name);
}

enum err trail_begin(struct db *db, const uint8_t *store_id, int64_t now)
{
    struct event begun = {EVENT_TRAIL_BEGUN, "owner", "", NULL};
    struct tlog_verifier key;
    struct trail_key first;
    char name[TLOG_NAME_BYTES];
    enum err e;

    if ((e = trail_key_next(db, 0, &first)) != ERR_NOT_FOUND)
        return e;
    if ((e = trail_name(store_id, name)) || (e = add_key(db, name, now, &key)) ||
        (e = trail_add(db, &begun, now, NULL)))
        return err_wrap(e, "beginning the trail");
    return ERR_OK;
}

enum err trail_is_begun(struct db *db, bool *out)
{
    struct trail_key first;
    enum err e = trail_key_next(db, 0, &first);

    if (e && e != ERR_NOT_FOUND)
        return e;
    *out = !e;
    return ERR_OK;
}

enum err trail_rekey(struct db *db, int64_t now)
{
    AUTO(sign_seed_freep) struct sign_seed *seed = sign_seed_new();
    struct event rekeyed = {EVENT_REKEYED, "owner", NULL, NULL};
    struct tlog_verifier old, fresh;
    char memory[TLOG_KEY_ID_BYTES];
    enum err e;

    if (!seed)
        return err_set(ERR_NO_MEMORY, "signing key");
    if ((e = trail_signer(db, &old, seed)) || (e = db_run(db, SQL_KEY_RETIRE, PARAMS(INT(now)))) ||
        (e = add_key(db, old.name, now, &fresh)))
        return err_wrap(e, "a fresh signing key");
    tlog_key_id(&fresh, memory);
    rekeyed.what = memory;
    return trail_add(db, &rekeyed, now, NULL);
}
