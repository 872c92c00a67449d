/* The slots of keys.json: wrapping the store key and unwrapping it. */
#include "pds/crypto/keyfile_internal.h"

#include "pds/base/auto.h"
#include "pds/crypto/random.h"
#include "pds/crypto/recovery.h"

#include <sodium.h>
#include <string.h>

/* What a slot's seal is bound to: format, version and cipher, then the store, the kind and its parameters. */
static const char BINDING[] = "traboule-keys/1/xchacha20poly1305";
enum { BOUND_BYTES = sizeof BINDING + STORE_ID_BYTES + 1 + 4 + 4 + SALT_BYTES };

static uint8_t *put(uint8_t *at, const void *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

static uint8_t *put_number(uint8_t *at, uint32_t n)
{
    for (unsigned i = 0; i < 4; i++)
        *at++ = (uint8_t)(n >> (8 * i));
    return at;
}

static void bound_of(const struct keyfile *k, enum slot_kind kind, const struct slot *s,
                     uint8_t bound[static BOUND_BYTES])
{
    uint8_t *at = put(bound, BINDING, sizeof BINDING);

    at = put(at, k->store_id, STORE_ID_BYTES);
    *at++ = (uint8_t)kind;
    at = put_number(at, s->cost.passes);
    at = put_number(at, s->cost.memory_kib);
    (void)put(at, s->salt, SALT_BYTES);
}

void keyfile_check_of(const struct store_key *root, uint8_t out[static KEYFILE_CHECK_BYTES])
{
    static const char PURPOSE[] = "traboule-keys/1/check";

    (void)crypto_generichash(out, KEYFILE_CHECK_BYTES, (const uint8_t *)PURPOSE, sizeof PURPOSE, root->bytes,
                             KEY_BYTES); /* lengths are constants */
}

/* A key from bytes that are random already: keyed BLAKE2b over the slot's binding, no work factor needed. */
static void derive_plain(const struct keyfile *k, enum slot_kind kind, const struct slot *s,
                         const uint8_t *secret, size_t len, struct slot_key *out)
{
    uint8_t bound[BOUND_BYTES];

    bound_of(k, kind, s, bound);
    (void)crypto_generichash(out->bytes, KEY_BYTES, bound, sizeof bound, secret,
                             len); /* lengths are constants */
}

static void wrap(struct keyfile *k, enum slot_kind kind, struct slot *s, const struct slot_key *key,
                 const struct store_key *root)
{
    uint8_t bound[BOUND_BYTES];

    bound_of(k, kind, s, bound);
    seal_slot(key, root->bytes, KEY_BYTES, bound, sizeof bound, s->sealed);
    s->present = true;
    k->now.slots[kind] = *s;
}

static enum err unwrap(const struct keyfile *k, enum slot_kind kind, const struct slot_key *key,
                       struct store_key **root)
{
    AUTO(store_key_freep) struct store_key *out = store_key_new();
    const struct slot *s = &k->now.slots[kind];
    uint8_t bound[BOUND_BYTES];

    if (!out)
        return err_set(ERR_NO_MEMORY, "the store key");
    bound_of(k, kind, s, bound);
    if (seal_slot_open(key, s->sealed, KEY_BYTES, bound, sizeof bound, out->bytes))
        return err_set(ERR_WRONG_KEY, "this %s does not open the store", keyfile_kind_name(kind));
    *root = out;
    out = NULL;
    return ERR_OK;
}

static enum err no_slot(enum slot_kind kind)
{
    return err_set(ERR_WRONG_KEY, "the store has no slot for a %s", keyfile_kind_name(kind));
}

enum err keyfile_set_passphrase(struct keyfile *k, const struct store_key *root,
                                const struct secret_text *passphrase, struct passphrase_cost cost)
{
    AUTO(slot_key_freep) struct slot_key *key = slot_key_new();
    struct slot s = {.cost = cost};
    enum err e;

    if (!key)
        return err_set(ERR_NO_MEMORY, "the key of a slot");
    random_bytes(s.salt, sizeof s.salt);
    if ((e = passphrase_derive(passphrase, s.salt, cost, key->bytes)))
        return e;
    wrap(k, SLOT_PASSPHRASE, &s, key, root);
    return ERR_OK;
}

enum err keyfile_open_passphrase(const struct keyfile *k, const struct secret_text *passphrase,
                                 struct store_key **root)
{
    AUTO(slot_key_freep) struct slot_key *key = NULL;
    const struct slot *s = &k->now.slots[SLOT_PASSPHRASE];
    enum err e;

    if (!s->present)
        return no_slot(SLOT_PASSPHRASE);
    if (!(key = slot_key_new()))
        return err_set(ERR_NO_MEMORY, "the key of a slot");
    if ((e = passphrase_derive(passphrase, s->salt, s->cost, key->bytes)))
        return e;
    return unwrap(k, SLOT_PASSPHRASE, key, root);
}

static enum err set_plain(struct keyfile *k, enum slot_kind kind, const struct store_key *root,
                          const uint8_t *secret, size_t len)
{
    AUTO(slot_key_freep) struct slot_key *key = slot_key_new();
    struct slot s = {0};

    if (!key)
        return err_set(ERR_NO_MEMORY, "the key of a slot");
    random_bytes(s.salt, sizeof s.salt);
    derive_plain(k, kind, &s, secret, len, key);
    wrap(k, kind, &s, key, root);
    return ERR_OK;
}

static enum err open_plain(const struct keyfile *k, enum slot_kind kind, const uint8_t *secret, size_t len,
                           struct store_key **root)
{
    AUTO(slot_key_freep) struct slot_key *key = NULL;

    if (!k->now.slots[kind].present)
        return no_slot(kind);
    if (!(key = slot_key_new()))
        return err_set(ERR_NO_MEMORY, "the key of a slot");
    derive_plain(k, kind, &k->now.slots[kind], secret, len, key);
    return unwrap(k, kind, key, root);
}

enum err keyfile_set_recovery(struct keyfile *k, const struct store_key *root, const struct secret_text *code)
{
    uint8_t bits[RECOVERY_BYTES];
    enum err e;

    if ((e = recovery_read(code, bits)))
        return e;
    e = set_plain(k, SLOT_RECOVERY, root, bits, sizeof bits);
    random_wipe(bits, sizeof bits);
    return e;
}

enum err keyfile_open_recovery(const struct keyfile *k, const struct secret_text *code,
                               struct store_key **root)
{
    uint8_t bits[RECOVERY_BYTES];
    enum err e;

    if ((e = recovery_read(code, bits)))
        return e;
    e = open_plain(k, SLOT_RECOVERY, bits, sizeof bits, root);
    random_wipe(bits, sizeof bits);
    return e;
}

enum err keyfile_set_keyfile(struct keyfile *k, const struct store_key *root,
                             const uint8_t key[static KEY_BYTES])
{
    return set_plain(k, SLOT_KEYFILE, root, key, KEY_BYTES);
}

enum err keyfile_open_keyfile(const struct keyfile *k, const uint8_t key[static KEY_BYTES],
                              struct store_key **root)
{
    return open_plain(k, SLOT_KEYFILE, key, KEY_BYTES, root);
}

enum err keyfile_drop(struct keyfile *k, enum slot_kind kind)
{
    int present = 0;

    for (int i = 1; i < SLOT_KINDS; i++)
        present += k->now.slots[i].present;
    if (!k->now.slots[kind].present)
        return err_set(ERR_NOT_FOUND, "no slot for a %s", keyfile_kind_name(kind));
    if (present == 1)
        return err_set(ERR_CONFLICT, "the %s is the last way to open this store", keyfile_kind_name(kind));
    k->now.slots[kind] = (struct slot){0};
    return ERR_OK;
}

bool keyfile_is_cheaper(const struct keyfile *k, struct passphrase_cost cost)
{
    const struct slot *s = &k->now.slots[SLOT_PASSPHRASE];

    return s->present && (s->cost.passes < cost.passes || s->cost.memory_kib < cost.memory_kib);
}
