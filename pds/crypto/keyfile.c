#include "pds/crypto/keyfile_internal.h"

#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "pds/base/fs.h"
#include "pds/base/json.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/crypto/random.h"

#include <string.h>

enum { VERSION = 1 };

static const char FORMAT[] = "traboule-keys";
static const char CIPHER[] = "xchacha20poly1305";

static const char *const COSTLY_KEYS[] = {"kind", "kdf", "passes", "memory_kib", "salt", "sealed", NULL};
static const char *const PLAIN_KEYS[] = {"kind", "kdf", "salt", "sealed", NULL};

/* One derivation a kind: what a version 1 file may say. */
static const struct slot_row {
    const char *name;
    const char *kdf;
    const char *const *keys;
} SLOT_ROWS[SLOT_KINDS] = {
    [SLOT_PASSPHRASE] = {"passphrase", "argon2id13", COSTLY_KEYS},
    [SLOT_RECOVERY] = {"recovery", "blake2b", PLAIN_KEYS},
    [SLOT_KEYFILE] = {"keyfile", "blake2b", PLAIN_KEYS},
};

enum err keyfile_new(struct keyfile **out, struct store_key **root)
{
    AUTO(keyfile_freep) struct keyfile *k = mem_new(sizeof *k);
    struct store_key *key = k ? store_key_new() : NULL;

    if (!key)
        return err_set(ERR_NO_MEMORY, "a new store's keys");
    random_bytes(k->store_id, sizeof k->store_id);
    random_bytes(key->bytes, sizeof key->bytes);
    *out = k;
    k = NULL;
    *root = key;
    return ERR_OK;
}

enum err keyfile_new_of(const uint8_t store_id[static STORE_ID_BYTES], struct keyfile **out,
                        struct store_key **root)
{
    enum err e = keyfile_new(out, root);

    if (!e)
        memcpy((*out)->store_id, store_id, STORE_ID_BYTES);
    return e;
}

struct keyfile *keyfile_new_decoy(struct passphrase_cost cost)
{
    struct keyfile *k = mem_new(sizeof *k);

    if (!k)
        return NULL;
    random_bytes(k->store_id, sizeof k->store_id);
    for (int kind = 1; kind < SLOT_KINDS; kind++) {
        k->now.slots[kind].present = true;
        random_bytes(k->now.slots[kind].salt, sizeof k->now.slots[kind].salt);
        random_bytes(k->now.slots[kind].sealed, sizeof k->now.slots[kind].sealed);
    }
    k->now.slots[SLOT_PASSPHRASE].cost = cost;
    return k;
}

void keyfile_free(struct keyfile *k) { mem_free(k); }

const uint8_t *keyfile_store_id(const struct keyfile *k) { return k->store_id; }

bool keyfile_has(const struct keyfile *k, enum slot_kind kind) { return k->now.slots[kind].present; }

const char *keyfile_kind_name(enum slot_kind kind) { return SLOT_ROWS[kind].name; }

static enum err get_bytes(const json_t *object, const char *key, uint8_t *out, size_t len)
{
    const char *text;
    size_t got = 0;
    enum err e;

    if ((e = json_get_text(object, key, &text)))
        return e;
    if ((e = codec_unbase64url(str_of(text), out, len, &got)))
        return err_wrap(e, "%s", key);
    return got == len ? ERR_OK : err_set(ERR_INVALID, "%s: %zu bytes instead of %zu", key, got, len);
}

/* A text that can only be this one: another is a format that this program does not know. */
static enum err expect_text(const json_t *object, const char *key, const char *expected)
{
    const char *text;
    enum err e;

    if ((e = json_get_text(object, key, &text)))
        return e;
    return strcmp(text, expected) == 0 ? ERR_OK : err_set(ERR_INVALID, "%s is not %s", key, expected);
}

static enum err read_cost(const json_t *object, struct passphrase_cost *out)
{
    int64_t passes, memory_kib;
    enum err e;

    if ((e = json_get_int(object, "passes", &passes)) ||
        (e = json_get_int(object, "memory_kib", &memory_kib)))
        return e;
    if (passes < 0 || passes > PASSPHRASE_PASSES_MAX || memory_kib < 0 ||
        memory_kib > PASSPHRASE_MEMORY_KIB_MAX)
        return err_set(ERR_INVALID, "its cost is out of bounds");
    *out = (struct passphrase_cost){(uint32_t)passes, (uint32_t)memory_kib};
    return passphrase_cost_is_valid(*out) ? ERR_OK : err_set(ERR_INVALID, "its cost is out of bounds");
}

static enum err read_kind(const json_t *object, enum slot_kind *out)
{
    const char *text;
    enum err e;

    if ((e = json_get_text(object, "kind", &text)))
        return e;
    for (int kind = 1; kind < SLOT_KINDS; kind++)
        if (strcmp(text, SLOT_ROWS[kind].name) == 0) {
            *out = (enum slot_kind)kind;
            return ERR_OK;
        }
    return err_set(ERR_INVALID, "its kind is unknown");
}

static enum err read_slot(struct key_set *set, const json_t *object)
{
    struct slot s = {.present = true};
    enum slot_kind kind;
    enum err e;

    if ((e = read_kind(object, &kind)) || (e = json_only_keys(object, SLOT_ROWS[kind].keys)) ||
        (e = expect_text(object, "kdf", SLOT_ROWS[kind].kdf)) ||
        (e = get_bytes(object, "salt", s.salt, sizeof s.salt)) ||
        (e = get_bytes(object, "sealed", s.sealed, sizeof s.sealed)))
        return e;
    if (kind == SLOT_PASSPHRASE && (e = read_cost(object, &s.cost)))
        return e;
    if (set->slots[kind].present)
        return err_set(ERR_INVALID, "a second one of kind %s", SLOT_ROWS[kind].name);
    set->slots[kind] = s;
    return ERR_OK;
}

static enum err read_slots(struct key_set *set, json_t *slots)
{
    size_t count = json_array_size(slots);
    enum err e;

    if (count < 1 || count > LIMIT_KEY_SLOTS)
        return err_set(ERR_INVALID, "%zu slots", count);
    for (size_t i = 0; i < count; i++)
        if ((e = read_slot(set, json_array_get(slots, i))))
            return err_wrap(e, "slot %zu", i + 1);
    return ERR_OK;
}

/* The slots of one store key, and its check where a rekey wrote one. */
static enum err read_set(struct key_set *set, const json_t *object)
{
    json_t *slots;
    enum err e;

    if ((e = json_get_array(object, "slots", &slots)) || (e = read_slots(set, slots)))
        return e;
    set->has_check = json_object_get(object, "check");
    return set->has_check ? get_bytes(object, "check", set->check, sizeof set->check) : ERR_OK;
}

static enum err read_next(struct keyfile *k, const json_t *tree)
{
    static const char *const KEYS[] = {"vault", "check", "slots", NULL};
    json_t *next;
    enum err e;

    if (!json_object_get(tree, "next"))
        return ERR_OK;
    k->has_next = true;
    if ((e = json_get_object(tree, "next", &next)) || (e = json_only_keys(next, KEYS)) ||
        (e = get_bytes(next, "vault", k->next_vault, sizeof k->next_vault)) || (e = read_set(&k->next, next)))
        return err_wrap(e, "next");
    return ERR_OK;
}

static enum err read_tree(const json_t *tree, struct keyfile *k)
{
    static const char *const KEYS[] = {"format", "version", "store", "cipher",
                                       "check",  "slots",   "next",  NULL};
    int64_t version;
    enum err e;

    if ((e = expect_text(tree, "format", FORMAT)) || (e = json_get_int(tree, "version", &version)))
        return e;
    if (version > VERSION)
        return err_set(ERR_UNSUPPORTED, "version %lld, of a newer program", (long long)version);
    if (version != VERSION)
        return err_set(ERR_INVALID, "version %lld", (long long)version);
    if ((e = json_only_keys(tree, KEYS)) || (e = expect_text(tree, "cipher", CIPHER)) ||
        (e = get_bytes(tree, "store", k->store_id, sizeof k->store_id)) || (e = read_set(&k->now, tree)))
        return e;
    return read_next(k, tree);
}

/* This file is ours: what is wrong with it is damage, whatever a parser calls it. */
static enum err as_damage(enum err e) { return e == ERR_NO_MEMORY || e == ERR_UNSUPPORTED ? e : ERR_CORRUPT; }

enum err keyfile_parse(struct str text, struct keyfile **out)
{
    AUTO(keyfile_freep) struct keyfile *k = mem_new(sizeof *k);
    AUTO(json_freep) json_t *tree = NULL;
    enum err e;

    if (!k)
        return err_set(ERR_NO_MEMORY, "keys.json");
    if ((e = json_read(text, LIMIT_KEYS_FILE_BYTES, &tree)) || (e = read_tree(tree, k)))
        return err_wrap(as_damage(e), "keys.json");
    *out = k;
    k = NULL;
    return ERR_OK;
}

static void write_slot(struct buf *out, const struct slot_row *row, const struct slot *s)
{
    buf_printf(out, "    {\"kind\": \"%s\", \"kdf\": \"%s\", ", row->name, row->kdf);
    if (row->keys == COSTLY_KEYS)
        buf_printf(out, "\"passes\": %u, \"memory_kib\": %u, ", s->cost.passes, s->cost.memory_kib);
    buf_text(out, "\"salt\": \"");
    codec_base64url(out, s->salt, sizeof s->salt);
    buf_text(out, "\",\n     \"sealed\": \"");
    codec_base64url(out, s->sealed, sizeof s->sealed);
    buf_text(out, "\"}");
}

static void write_bytes(struct buf *out, const char *name, const uint8_t *bytes, size_t len)
{
    buf_printf(out, ",\n  \"%s\": \"", name);
    codec_base64url(out, bytes, len);
    buf_char(out, '"');
}

static void write_set(struct buf *out, const struct key_set *set)
{
    const char *before = "\n";

    if (set->has_check)
        write_bytes(out, "check", set->check, sizeof set->check);
    buf_text(out, ",\n  \"slots\": [");
    for (int kind = 1; kind < SLOT_KINDS; kind++)
        if (set->slots[kind].present) {
            buf_text(out, before);
            write_slot(out, &SLOT_ROWS[kind], &set->slots[kind]);
            before = ",\n";
        }
    buf_text(out, "\n  ]");
}

void keyfile_write(struct buf *out, const struct keyfile *k)
{
    buf_printf(out, "{\n  \"format\": \"%s\",\n  \"version\": %d", FORMAT, VERSION);
    write_bytes(out, "store", k->store_id, sizeof k->store_id);
    buf_printf(out, ",\n  \"cipher\": \"%s\"", CIPHER);
    write_set(out, &k->now);
    if (k->has_next) {
        buf_text(out, ",\n  \"next\": {\"vault\": \"");
        codec_base64url(out, k->next_vault, sizeof k->next_vault);
        buf_char(out, '"');
        write_set(out, &k->next);
        buf_text(out, "\n  }");
    }
    buf_text(out, "\n}\n");
}

enum err keyfile_load(const char *path, struct keyfile **out)
{
    struct buf text;
    enum err e;

    buf_init(&text, LIMIT_KEYS_FILE_BYTES);
    if (!(e = fs_read(path, LIMIT_KEYS_FILE_BYTES, &text)))
        e = keyfile_parse((struct str){text.data, text.len}, out);
    else if (e == ERR_TOO_LARGE)
        e = err_wrap(ERR_CORRUPT, "keys.json");
    buf_done(&text);
    return e;
}

enum err keyfile_save(const struct keyfile *k, const char *path)
{
    struct buf text;
    enum err e;

    buf_init(&text, LIMIT_KEYS_FILE_BYTES);
    keyfile_write(&text, k);
    if (!(e = buf_err(&text)))
        e = fs_replace(path, text.data, text.len);
    buf_done(&text);
    return e ? err_wrap(e, "saving keys.json") : ERR_OK;
}
