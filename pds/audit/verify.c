#include "pds/audit/verify.h"
#include "pds/audit/verify_internal.h"

#include "pds/audit/trail_line.h"
#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "pds/base/limits.h"
#include "pds/crypto/sha256.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void verify_tell(struct verifying *v, const char *where, const char *what)
{
    if (json_array_size(v->problems) < LIMIT_LIST_ANSWER &&
        json_array_append_new(v->problems, json_pack("{s:s, s:s}", "where", where, "what", what)))
        v->err = ERR_NO_MEMORY;
}

void verify_set(struct verifying *v, const char *key, json_t *value)
{
    if (json_object_set_new(v->report, key, value))
        v->err = ERR_NO_MEMORY;
}

void verify_use_key(struct verifying *v, struct str vkey)
{
    if (v->key_count == 0 && !tlog_vkey_read(vkey, &v->keys[0]))
        v->key_count = 1;
}

bool verify_bytes(const json_t *text, uint8_t out[static TLOG_HASH_BYTES])
{
    struct str s = {json_string_value(text), json_string_length(text)};
    size_t len;

    return s.ptr && !codec_unbase64(s, out, TLOG_HASH_BYTES, &len) && len == TLOG_HASH_BYTES;
}

static void tell_key(struct verifying *v, const struct tlog_verifier *key)
{
    char memory[2 * TLOG_NAME_BYTES];
    struct buf vkey;

    buf_over(&vkey, memory, sizeof memory);
    tlog_vkey_write(&vkey, key);
    verify_set(v, "key", json_stringn(vkey.data, vkey.len));
}

/* The signature of one of the keys. */
static enum err check_signature(struct verifying *v, struct str note, struct tlog_checkpoint *c)
{
    enum err e = ERR_CORRUPT;

    for (size_t i = 0; i < v->key_count && e; i++) {
        if ((e = tlog_checkpoint_read(note, &v->keys[i], c)))
            continue;
        if (!str_eq(str_of(c->origin), str_of(v->keys[i].name)))
            return err_set(ERR_CORRUPT, "the checkpoint is of another log than the key's");
        tell_key(v, &v->keys[i]);
    }
    return e;
}

bool verify_note(struct verifying *v, struct str note, struct tlog_checkpoint *out)
{
    if (tlog_checkpoint_read(note, NULL, out)) {
        verify_tell(v, "checkpoint", err_story());
        return false;
    }
    if (v->key_count == 0)
        verify_tell(v, "checkpoint", "no key: nothing says whose signature this is");
    else if (check_signature(v, note, out))
        verify_tell(v, "checkpoint", err_story());
    verify_set(v, "origin", json_string(out->origin));
    verify_set(v, "size", json_integer(out->size));
    return true;
}

static enum err verify_checkpoint(struct verifying *v, struct str text)
{
    struct tlog_checkpoint c;

    if (v->key_count == 0)
        return err_set(ERR_INVALID, "a checkpoint does not carry its key: a key is needed to verify it");
    (void)verify_note(v, text, &c); /* what is wrong is told */
    return ERR_OK;
}

/* The leaf that the data beside a proof stand for. */
static bool leaf_of(struct verifying *v, const json_t *extra, struct tlog_hash *leaf)
{
    const json_t *content = json_object_get(extra, "content");
    uint8_t salt[TRAIL_SALT_BYTES], data[SHA256_BYTES];

    verify_set(v, "erased", json_integer(!content));
    if (!content) /* its hash is left */
        return verify_bytes(json_object_get(extra, "leaf_hash"), leaf->bytes);
    if (!json_is_string(content) || !verify_bytes(json_object_get(extra, "salt"), salt))
        return false;
    sha256_hmac(salt, sizeof salt, json_string_value(content), json_string_length(content), data);
    tlog_leaf(data, sizeof data, leaf);
    verify_set(v, "entry", json_incref((json_t *)content));
    return true;
}

static enum err read_extra(struct str base64, json_t **out)
{
    AUTO(buf_done) struct buf plain;
    size_t len;
    char *to;
    enum err e;

    buf_init(&plain, LIMIT_PROOF_BYTES);
    if (!(to = buf_reserve(&plain, base64.len)))
        return buf_err(&plain);
    if ((e = codec_unbase64(base64, (uint8_t *)to, base64.len, &len)))
        return e;
    return json_read((struct str){to, len}, LIMIT_PROOF_BYTES, out);
}

static enum err verify_proof(struct verifying *v, struct str text)
{
    AUTO(json_freep) json_t *extra = NULL;
    struct tlog_proof proof;
    struct tlog_checkpoint c;
    struct tlog_hash leaf;
    const json_t *vkey;
    enum err e;

    if (tlog_proof_read(text, &proof)) {
        verify_tell(v, "proof", err_story());
        return ERR_OK;
    }
    if ((e = read_extra(proof.extra, &extra)) == ERR_NO_MEMORY)
        return e;
    vkey = json_object_get(extra, "vkey");
    verify_use_key(v, (struct str){json_string_value(vkey), json_string_length(vkey)});
    verify_set(v, "index", json_integer(proof.index));
    if (!verify_note(v, proof.note, &c))
        return ERR_OK;
    if (!leaf_of(v, extra, &leaf))
        verify_tell(v, "proof", "what stands beside it gives no leaf of a trail");
    else if (tlog_check_inclusion(&leaf, proof.index, c.size, &proof.path, &c.root))
        verify_tell(v, "proof", err_story());
    return ERR_OK;
}

static bool has(struct str text, struct str word)
{
    return memmem(text.ptr, text.len, word.ptr, word.len) != NULL;
}

/* By its first line, or by the one that no other kind has: a damaged proof is still one. */
static bool is_proof(struct str text)
{
    return str_starts(text, STR("c2sp.org/tlog-proof@")) || has(text, STR("\nindex "));
}

static bool is_object(struct str text) { return str_starts(str_trim(text), STR("{")); }

/* By its member, or by what each line has: a damaged trail is still one. */
static bool is_trail(struct str text)
{
    return (is_object(text) && has(text, STR("\"entries\""))) || has(text, STR("\"leaf_hash\":"));
}

/* Its first two lines or its last ones: a damaged one is still a checkpoint. */
static bool is_note(struct str text)
{
    struct str rest = text, first;

    if (has(text, STR("\n\n\xE2\x80\x94 ")))
        return true;
    return str_split(&rest, '\n', &first) && tlog_name_is_valid(first) && rest.len > 0 &&
           rest.ptr[0] >= '0' && rest.ptr[0] <= '9' && has(rest, STR("\n\n"));
}

/* What can be verified, by how it begins. */
static const struct verify_kind {
    const char *name;
    bool (*is)(struct str text);
    enum err (*verify)(struct verifying *v, struct str text);
} KINDS[] = {
    {"tlog-proof", is_proof, verify_proof},
    {"trail", is_trail, verify_trail},
    {"checkpoint", is_note, verify_checkpoint},
};

/* A JWKS tells the key that signs by two names. */
static bool is_known(const struct verifying *v, const struct tlog_verifier *key)
{
    for (size_t i = 0; i < v->key_count; i++) {
        if (strcmp(v->keys[i].name, key->name) == 0 &&
            memcmp(v->keys[i].public_key, key->public_key, sizeof key->public_key) == 0)
            return true;
    }
    return false;
}

/* A key of a JWKS whose name is a log's. Others are of no use here, and no mistake. */
static void add_jwk(struct verifying *v, const json_t *key)
{
    const char *kty, *crv, *kid, *x;
    struct tlog_verifier one = {.name = ""};
    struct str name, rest;
    size_t len;

    if (json_get_text(key, "kty", &kty) || json_get_text(key, "crv", &crv) ||
        json_get_text(key, "kid", &kid) || json_get_text(key, "x", &x) || strcmp(kty, "OKP") != 0 ||
        strcmp(crv, "Ed25519") != 0 || v->key_count == VERIFY_KEYS_MAX)
        return;
    rest = str_of(kid);
    if (str_split(&rest, '+', &name) && tlog_name_is_valid(name) &&
        !str_copy(name, one.name, sizeof one.name) &&
        !codec_unbase64url(str_of(x), one.public_key, sizeof one.public_key, &len) &&
        len == sizeof one.public_key && !is_known(v, &one))
        v->keys[v->key_count++] = one;
}

static enum err read_jwks(struct verifying *v, struct str text)
{
    AUTO(json_freep) json_t *set = NULL;
    json_t *keys;
    enum err e;

    if ((e = json_read(text, LIMIT_NOTE_BYTES, &set)) || (e = json_get_array(set, "keys", &keys)))
        return err_wrap(e, "JWKS");
    for (size_t i = 0; i < json_array_size(keys); i++)
        add_jwk(v, json_array_get(keys, i));
    return v->key_count ? ERR_OK : err_set(ERR_INVALID, "JWKS: no Ed25519 key that is named as a log");
}

static enum err read_keys(struct verifying *v, struct str keys)
{
    struct str text = str_trim(keys);
    enum err e;

    v->trusted = text.len > 0;
    if (!v->trusted)
        return ERR_OK;
    if (is_object(text))
        return read_jwks(v, text);
    e = tlog_vkey_read(text, &v->keys[0]);
    v->key_count = e ? 0 : 1;
    return e;
}

static const struct verify_kind *kind_of(struct str text)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (KINDS[i].is(text))
            return &KINDS[i];
    }
    return NULL;
}

enum err verify_file(struct str text, struct str keys, json_t **out)
{
    AUTO(json_freep)
    json_t *report =
        json_pack("{s:n, s:b, s:n, s:n, s:n, s:n, s:n, s:b, s:[]}", "kind", "ok", false, "origin", "size",
                  "entries", "erased", "key", "trusted_key", false, "problems");
    struct verifying v = {.report = report, .problems = json_object_get(report, "problems")};
    const struct verify_kind *kind = kind_of(text);
    bool ok;
    enum err e;

    if (!report)
        return err_set(ERR_NO_MEMORY, "report");
    if (!kind)
        return err_set(ERR_UNSUPPORTED, "no proof, no checkpoint and no trail");
    if ((e = read_keys(&v, keys)))
        return e;
    verify_set(&v, "kind", json_string(kind->name));
    verify_set(&v, "trusted_key", json_boolean(v.trusted));
    if ((e = kind->verify(&v, text)))
        return e;
    ok = json_array_size(v.problems) == 0;
    verify_set(&v, "ok", json_boolean(ok));
    if (v.err)
        return err_set(v.err, "report");
    *out = report;
    report = NULL; /* the caller's now */
    return ok ? ERR_OK : err_set(ERR_CORRUPT, "something does not hold");
}
