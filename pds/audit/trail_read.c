/* Reading the trail: lists, checkpoints, proofs, keys. */
#include "pds/audit/trail.h"
#include "pds/audit/trail_internal.h"

#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/codec.h"
#include "pds/base/limits.h"
#include "pds/vault/db.h"

#include <inttypes.h>
#include <string.h>

/* An empty text stands for any; a line whose content is erased has none, and matches no filter by text. */
#define MATCHES                                                                                              \
    " at >= ?3 AND at < ?4 AND (?5 = '' OR kind = ?5) AND (?6 = '' OR who = ?6)"                             \
    " AND (?7 = '' OR consent = ?7)"

static const char SQL_UP[] =
    "SELECT " TRAIL_COLUMNS " FROM trail_entry WHERE number > ?1 AND" MATCHES " ORDER BY number LIMIT ?2";
static const char SQL_DOWN[] = "SELECT " TRAIL_COLUMNS " FROM trail_entry WHERE number < ?1 AND" MATCHES
                               " ORDER BY number DESC LIMIT ?2";
static const char SQL_ONE[] = "SELECT " TRAIL_COLUMNS " FROM trail_entry WHERE number = ?1";

static json_t *base64_or_null(const struct stmt *row, int column)
{
    struct str bytes = stmt_blob(row, column);
    char memory[64];
    struct buf text;

    if (stmt_is_null(row, column))
        return json_null();
    buf_over(&text, memory, sizeof memory);
    codec_base64(&text, bytes.ptr, bytes.len);
    return text.err ? NULL : json_stringn(text.data, text.len);
}

static enum err add_row(const struct stmt *row, json_t *entries)
{
    json_t *item;

    if (stmt_int(row, 1) < CLOCK_TEXT_MIN || stmt_int(row, 1) > CLOCK_TEXT_MAX)
        return err_set(ERR_CORRUPT, "line %" PRId64 " of the trail: its time", stmt_int(row, 0));
    item =
        json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "index", (json_int_t)stmt_int(row, 0), "time",
                  stmt_json_instant(row, 1), "kind", stmt_json_text(row, 2), "who", stmt_json_text(row, 3),
                  "what", stmt_json_text(row, 4), "consent", stmt_json_text(row, 5), "leaf_hash",
                  base64_or_null(row, 6), "salt", base64_or_null(row, 7));

    return json_array_append_new(entries, item) ? err_set(ERR_NO_MEMORY, "list of the trail") : ERR_OK;
}

enum err trail_entries(struct db *db, const struct trail_filter *filter, int64_t after, int64_t limit,
                       json_t *entries, int64_t *next)
{
    int64_t start = filter->newest_first && after < 0 ? INT64_MAX : after, number = -1, count = 0;
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

#define ANY(text) ((text).ptr ? (text) : STR(""))
    struct str kind = ANY(filter->kind), who = ANY(filter->who), consent = ANY(filter->consent);
#undef ANY

    if ((e = db_query(db, filter->newest_first ? SQL_DOWN : SQL_UP,
                      PARAMS(INT(start), INT(limit + 1), INT(filter->from), INT(filter->to), STR_TEXT(kind),
                             STR_TEXT(who), STR_TEXT(consent)),
                      &row)))
        return err_wrap(e, "list of the trail");
    for (*next = -1; !(e = stmt_next(row)); count++) {
        if (count == limit) {
            *next = number;
            return ERR_OK;
        }
        number = stmt_int(row, 0);
        if ((e = add_row(row, entries)))
            return e;
    }
    return e == ERR_NOT_FOUND ? ERR_OK : err_wrap(e, "list of the trail");
}

/* What a buf holds, as a member of an object. */
static enum err set_text(json_t *object, const char *key, const struct buf *text)
{
    if (buf_err(text) || json_object_set_new(object, key, json_stringn(text->data, text->len)))
        return err_set(ERR_NO_MEMORY, "list of the trail");
    return ERR_OK;
}

static enum err list_tail(struct db *db, int64_t next, json_t *list)
{
    AUTO(buf_done) struct buf text;
    enum err e;

    buf_init(&text, LIMIT_NOTE_BYTES);
    if ((e = trail_checkpoint(db, &text)) || (e = set_text(list, "checkpoint", &text)))
        return e;
    buf_clear(&text);
    if ((e = trail_vkey(db, &text)) || (e = set_text(list, "vkey", &text)))
        return e;
    buf_clear(&text);
    buf_printf(&text, "%" PRId64, next);
    if (next >= 0)
        return set_text(list, "next", &text);
    return json_object_set_new(list, "next", json_null()) ? err_set(ERR_NO_MEMORY, "list of the trail")
                                                          : ERR_OK;
}

enum err trail_list(struct db *db, const struct trail_filter *filter, int64_t after, int64_t limit,
                    json_t **out)
{
    AUTO(json_freep) json_t *list = json_pack("{s:[]}", "entries");
    int64_t next;
    enum err e;

    if (!list)
        return err_set(ERR_NO_MEMORY, "list of the trail");
    if ((e = trail_entries(db, filter, after, limit, json_object_get(list, "entries"), &next)) ||
        (e = list_tail(db, next, list)))
        return e;
    *out = list;
    list = NULL; /* the caller's now */
    return ERR_OK;
}

static enum err write_checkpoint(struct db *db, int64_t size, struct buf *out)
{
    AUTO(sign_seed_freep) struct sign_seed *seed = sign_seed_new();
    struct tlog_checkpoint c = {.size = size};
    struct tlog_verifier key;
    enum err e;

    if (!seed)
        return err_set(ERR_NO_MEMORY, "checkpoint");
    if ((e = tlog_root(size, trail_node, db, &c.root)) || (e = trail_signer(db, &key, seed)))
        return err_wrap(e, "checkpoint");
    memcpy(c.origin, key.name, sizeof c.origin);
    tlog_checkpoint_write(out, &c, seed);
    return buf_err(out);
}

enum err trail_checkpoint(struct db *db, struct buf *out)
{
    int64_t size;
    enum err e = trail_size(db, &size);

    return e ? e : write_checkpoint(db, size, out);
}

/* What a proof says beside, so that its reader can compute the leaf: content and salt, or, of an erased line,
 * the leaf's hash alone; and the key. */
static enum err write_extra(struct db *db, const struct stmt *row, struct buf *out)
{
    char memory[TRAIL_CONTENT_BYTES + 1];
    struct trail_line line = trail_line_of(row);
    bool erased = stmt_is_null(row, 7);
    struct str hash = stmt_blob(row, erased ? 6 : 7);
    struct buf content;
    enum err e;

    buf_over(&content, memory, sizeof memory);
    if (!erased && (e = trail_line_content(&line, &content)))
        return e;
    buf_text(out, erased ? "{\"leaf_hash\":\"" : "{\"content\":");
    if (!erased) {
        json_quote(out, (struct str){content.data, content.len});
        buf_text(out, ",\"salt\":\"");
    }
    codec_base64(out, hash.ptr, hash.len);
    buf_text(out, "\",\"vkey\":\"");
    if ((e = trail_vkey(db, out)))
        return e;
    buf_text(out, "\"}");
    return buf_err(out);
}

static enum err read_extra(struct db *db, int64_t index, struct buf *out)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    AUTO(buf_done) struct buf plain;
    enum err e;

    buf_init(&plain, LIMIT_NOTE_BYTES);
    if ((e = db_query(db, SQL_ONE, PARAMS(INT(index)), &row)) || (e = stmt_next(row)) ||
        (e = write_extra(db, row, &plain)))
        return err_wrap(e, "line %" PRId64 " of the trail", index);
    codec_base64(out, plain.data, plain.len);
    return buf_err(out);
}

enum err trail_proof(struct db *db, int64_t index, struct buf *out)
{
    struct tlog_proof proof = {.index = index};
    AUTO(buf_done) struct buf extra;
    AUTO(buf_done) struct buf note;
    int64_t size;
    enum err e;

    buf_init(&extra, LIMIT_PROOF_BYTES);
    buf_init(&note, LIMIT_NOTE_BYTES);
    if ((e = trail_size(db, &size)))
        return e;
    if (index < 0 || index >= size)
        return err_set(ERR_NOT_FOUND, "line %" PRId64 " of the trail", index);
    if ((e = read_extra(db, index, &extra)) ||
        (e = tlog_inclusion(index, size, trail_node, db, &proof.path)) ||
        (e = write_checkpoint(db, size, &note)))
        return err_wrap(e, "proof");
    proof.extra = (struct str){extra.data, extra.len};
    proof.note = (struct str){note.data, note.len};
    tlog_proof_write(out, &proof);
    return buf_err(out);
}

/* By whichever of our keys signed it: the note may be older than the last change of keys. */
static enum err read_ours(struct db *db, struct str note, struct tlog_checkpoint *out)
{
    struct trail_key key = {.number = 0};
    enum err e = tlog_checkpoint_read(note, NULL, out);

    if (e)
        return e;
    while (!(e = trail_key_next(db, key.number, &key))) {
        if (!tlog_checkpoint_read(note, &key.verifier, out))
            return str_eq(str_of(out->origin), str_of(key.verifier.name))
                       ? ERR_OK
                       : err_set(ERR_CORRUPT, "the checkpoint is of another trail");
    }
    return e == ERR_NOT_FOUND ? err_set(ERR_CORRUPT, "the checkpoint was signed by no key of this store") : e;
}

enum err trail_check_since(struct db *db, struct str note)
{
    struct tlog_checkpoint old;
    struct tlog_hash root;
    int64_t size;
    enum err e;

    if ((e = read_ours(db, note, &old)) || (e = trail_size(db, &size)))
        return e;
    if (old.size > size)
        return err_set(ERR_CORRUPT,
                       "the trail has %" PRId64 " lines and had %" PRId64
                       ": lines were cut, or an older state of the store was put back",
                       size, old.size);
    if ((e = tlog_root(old.size, trail_node, db, &root)))
        return e;
    if (memcmp(root.bytes, old.root.bytes, sizeof root.bytes) != 0)
        return err_set(ERR_CORRUPT,
                       "the first %" PRId64 " lines are not those of the checkpoint: the past was rewritten,"
                       " or an older state of the store was put back and went on",
                       old.size);
    return ERR_OK;
}

enum err trail_vkey(struct db *db, struct buf *out)
{
    struct trail_key key = {.number = 0};
    enum err e;

    while (!(e = trail_key_next(db, key.number, &key))) {
        if (!key.retired) {
            tlog_vkey_write(out, &key.verifier);
            return buf_err(out);
        }
    }
    return e;
}

/* A key by the log's name alone, or by a name that is never another key's. */
static json_t *jwk(const struct trail_key *key, bool by_log)
{
    char id[TLOG_KEY_ID_BYTES], memory[TLOG_NAME_BYTES + TLOG_KEY_ID_BYTES + 1], x_memory[48];
    struct buf kid, x;

    tlog_key_id(&key->verifier, id);
    buf_over(&kid, memory, sizeof memory);
    buf_over(&x, x_memory, sizeof x_memory);
    buf_printf(&kid, by_log ? "%s" : "%s+%s", key->verifier.name, id);
    codec_base64url(&x, key->verifier.public_key, SIGN_PUBLIC_BYTES);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "kty", "OKP", "crv", "Ed25519", "use", "sig", "alg",
                     "EdDSA", "kid", kid.data, "x", x.data);
}

/* Each key goes to the front, and the one that signs once more before it: whoever takes only the first few
 * takes the newest. */
static enum err add_jwk(json_t *keys, const struct trail_key *key)
{
    if (json_array_insert_new(keys, 0, jwk(key, false)) ||
        (!key->retired && json_array_insert_new(keys, 0, jwk(key, true))))
        return err_set(ERR_NO_MEMORY, "signing keys");
    return ERR_OK;
}

static enum err add_keys(struct db *db, json_t *keys)
{
    struct trail_key key = {.number = 0};
    enum err e;

    while (!(e = trail_key_next(db, key.number, &key)) && !(e = add_jwk(keys, &key)))
        continue;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err trail_jwks(struct db *db, json_t **out)
{
    AUTO(json_freep) json_t *set = json_pack("{s:[]}", "keys");
    enum err e;

    if (!set)
        return err_set(ERR_NO_MEMORY, "signing keys");
    if ((e = add_keys(db, json_object_get(set, "keys"))))
        return e;
    *out = set;
    set = NULL; /* the caller's now */
    return ERR_OK;
}

enum err trail_jwks_begun(const uint8_t *store_id, const struct sign_seed *seed, json_t **out)
{
    AUTO(json_freep) json_t *set = json_pack("{s:[]}", "keys");
    struct trail_key key = {.number = 1};
    enum err e;

    if (!set)
        return err_set(ERR_NO_MEMORY, "signing keys");
    sign_public(seed, key.verifier.public_key);
    if ((e = trail_name(store_id, key.verifier.name)) || (e = add_jwk(json_object_get(set, "keys"), &key)))
        return e;
    *out = set;
    set = NULL; /* the caller's now */
    return ERR_OK;
}
