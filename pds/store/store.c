#include "pds/store/store.h"

#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/base/mem.h"
#include "pds/crypto/keyfile.h"
#include "pds/crypto/keyring.h"
#include "pds/crypto/random.h"
#include "pds/crypto/recovery.h"
#include "pds/store/import.h"
#include "pds/vault/vault.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct store {
    char dir[FS_PATH_BYTES];
    char keys_path[FS_PATH_BYTES];
    uint8_t id[STORE_ID_BYTES];
    pthread_mutex_t derive; /* one derivation, or one change of keys.json, at a time */
    pthread_mutex_t mutex;  /* guards what follows */
    pthread_cond_t idle;    /* nobody is inside any more, or it is locked now */
    struct vault *vault;    /* owned; NULL while locked */
    struct store_key *root; /* owned; NULL while locked */
    unsigned users;         /* of store_enter() */
    unsigned borrowers;     /* of store_borrow() */
    bool kept;              /* open until it is locked, not only for borrowers */
    bool closing;
};

enum err store_new(const char *dir, struct store **out)
{
    AUTO(store_freep) struct store *s = mem_new(sizeof *s);
    AUTO(keyfile_freep) struct keyfile *keys = NULL;
    enum err e;

    if (!s)
        return err_set(ERR_NO_MEMORY, "store");
    (void)pthread_mutex_init(&s->derive, NULL); /* default attributes cannot fail on Linux */
    (void)pthread_mutex_init(&s->mutex, NULL);
    (void)pthread_cond_init(&s->idle, NULL);
    if ((e = str_copy(str_of(dir), s->dir, sizeof s->dir)) || (e = fs_check_private_dir(dir)) ||
        (e = fs_join(s->keys_path, dir, "keys.json")) || (e = keyfile_load(s->keys_path, &keys)))
        return err_wrap(e, "store");
    memcpy(s->id, keyfile_store_id(keys), sizeof s->id);
    *out = s;
    s = NULL; /* the caller's now */
    return ERR_OK;
}

void store_free(struct store *s)
{
    if (!s)
        return;
    store_lock(s);
    (void)pthread_cond_destroy(&s->idle); /* nobody waits any more */
    (void)pthread_mutex_destroy(&s->mutex);
    (void)pthread_mutex_destroy(&s->derive);
    mem_free(s);
}

const char *store_dir(const struct store *s) { return s->dir; }

const uint8_t *store_id(const struct store *s) { return s->id; }

static enum err wrap_keys(struct keyfile *keys, const struct store_key *root,
                          const struct secret_text *passphrase, struct passphrase_cost cost,
                          const uint8_t *keyfile_key, struct secret_text **code)
{
    AUTO(secret_text_freep) struct secret_text *made = NULL;
    enum err e;

    if ((e = keyfile_set_passphrase(keys, root, passphrase, cost)) || (e = recovery_make(&made)) ||
        (e = keyfile_set_recovery(keys, root, made)) ||
        (keyfile_key && (e = keyfile_set_keyfile(keys, root, keyfile_key))))
        return e;
    *code = made;
    made = NULL; /* the caller's now */
    return ERR_OK;
}

/* Take a half-made store away: only what store_create() itself makes. */
static void remove_half(const char *dir)
{
    static const char *const NAMES[] = {"vault.db", "vault.db-wal", "keys.json", "lock", "files"};
    char path[FS_PATH_BYTES];

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (!fs_join(path, dir, NAMES[i]))
            (void)(unlink(path) && rmdir(path)); /* what was not made is not there */
    }
    (void)rmdir(dir);
}

static enum err fill(const char *dir, const struct keyfile *keys, const struct store_key *root)
{
    char path[FS_PATH_BYTES];
    enum err e;

    if ((e = fs_join(path, dir, "files")) || (e = fs_make_private_dir(path)) ||
        (e = vault_create(dir, root, keyfile_store_id(keys))) || (e = fs_join(path, dir, "keys.json")))
        return e;
    return keyfile_save(keys, path); /* last: a folder with keys.json is a whole store */
}

enum err store_create(const char *dir, const struct secret_text *passphrase, struct passphrase_cost cost,
                      const uint8_t *keyfile_key, struct secret_text **recovery_code)
{
    AUTO(keyfile_freep) struct keyfile *keys = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL;
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    enum err e;

    if ((e = passphrase_check_new(passphrase)) || (e = keyfile_new(&keys, &root)) ||
        (e = wrap_keys(keys, root, passphrase, cost, keyfile_key, &code)) || (e = fs_make_private_dir(dir)))
        return err_wrap(e, "making a store");
    if ((e = fill(dir, keys, root))) {
        remove_half(dir);
        return err_wrap(e, "making a store");
    }
    *recovery_code = code;
    code = NULL; /* the caller's now */
    return ERR_OK;
}

/* What opens a slot of the keys as they are on disk now: a command may have changed them. */
struct unlocking {
    const struct secret_text *text; /* passphrase or code */
    const uint8_t *key;             /* of a key file */
};

static enum err open_slot(struct store *s, enum slot_kind kind, struct unlocking by, struct store_key **root)
{
    AUTO(keyfile_freep) struct keyfile *keys = NULL;
    enum err e;

    (void)pthread_mutex_lock(&s->derive);
    if ((e = keyfile_load(s->keys_path, &keys)))
        e = err_wrap(e, "keys of the store");
    else if (kind == SLOT_PASSPHRASE)
        e = keyfile_open_passphrase(keys, by.text, root);
    else if (kind == SLOT_RECOVERY)
        e = keyfile_open_recovery(keys, by.text, root);
    else
        e = keyfile_open_keyfile(keys, by.key, root);
    (void)pthread_mutex_unlock(&s->derive);
    return e;
}

enum err store_key_of_passphrase(struct store *s, const struct secret_text *passphrase,
                                 struct store_key **root)
{
    return open_slot(s, SLOT_PASSPHRASE, (struct unlocking){.text = passphrase}, root);
}

enum err store_key_of_recovery(struct store *s, const struct secret_text *code, struct store_key **root)
{
    return open_slot(s, SLOT_RECOVERY, (struct unlocking){.text = code}, root);
}

enum err store_key_of_keyfile(struct store *s, const uint8_t key[static KEY_BYTES], struct store_key **root)
{
    return open_slot(s, SLOT_KEYFILE, (struct unlocking){.key = key}, root);
}

/* With the mutex held, and the store locked. */
static enum err open_vault(struct store *s, const struct store_key *root, int64_t now)
{
    AUTO(store_key_freep) struct store_key *copy = store_key_new();
    AUTO(vault_closep) struct vault *vault = NULL;
    enum err e;

    if (!copy)
        return err_set(ERR_NO_MEMORY, "opening the store");
    memcpy(copy->bytes, root->bytes, sizeof copy->bytes);
    if ((e = vault_open(s->dir, root, s->id, &vault)) || (e = import_recover(vault, now)))
        return err_wrap(e, "opening the store");
    s->root = copy;
    copy = NULL; /* the store's now */
    s->vault = vault;
    vault = NULL; /* the store's now */
    return ERR_OK;
}

/* With the mutex held. One that is being locked is waited for, then opened again. */
static enum err open_with(struct store *s, const struct store_key *root, int64_t now)
{
    while (s->closing)
        (void)pthread_cond_wait(&s->idle, &s->mutex);
    if (!s->vault)
        return open_vault(s, root, now);
    if (!random_equal(s->root->bytes, root->bytes, sizeof root->bytes))
        return err_set(ERR_WRONG_KEY, "the store is open under another key");
    return ERR_OK;
}

enum err store_unlock(struct store *s, const struct store_key *root, int64_t now)
{
    enum err e;

    (void)pthread_mutex_lock(&s->mutex);
    if (!(e = open_with(s, root, now)))
        s->kept = true;
    (void)pthread_mutex_unlock(&s->mutex);
    return e;
}

enum err store_borrow(struct store *s, const struct store_key *root, int64_t now)
{
    enum err e;

    (void)pthread_mutex_lock(&s->mutex);
    if (!(e = open_with(s, root, now)))
        s->borrowers++;
    (void)pthread_mutex_unlock(&s->mutex);
    return e;
}

/* With the mutex held. */
static void close_vault(struct store *s)
{
    struct vault *vault;

    s->kept = false;
    if (!s->vault || s->closing)
        return;
    s->closing = true;
    while (s->users > 0)
        (void)pthread_cond_wait(&s->idle, &s->mutex);
    vault = s->vault;
    s->vault = NULL;
    store_key_free(s->root);
    s->root = NULL;
    vault_close(vault);
    s->closing = false;
    (void)pthread_cond_broadcast(&s->idle);
}

void store_lock(struct store *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    close_vault(s);
    (void)pthread_mutex_unlock(&s->mutex);
}

void store_give_back(struct store *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    if (--s->borrowers == 0 && !s->kept)
        close_vault(s);
    (void)pthread_mutex_unlock(&s->mutex);
}

bool store_is_open(struct store *s)
{
    bool open;

    (void)pthread_mutex_lock(&s->mutex);
    open = s->kept && !s->closing;
    (void)pthread_mutex_unlock(&s->mutex);
    return open;
}

bool store_is_open_with(struct store *s, const struct store_key *root)
{
    bool same;

    (void)pthread_mutex_lock(&s->mutex);
    same = s->root && !s->closing && random_equal(s->root->bytes, root->bytes, sizeof root->bytes);
    (void)pthread_mutex_unlock(&s->mutex);
    return same;
}

bool store_is_closing(struct store *s)
{
    bool closing;

    (void)pthread_mutex_lock(&s->mutex);
    closing = s->closing;
    (void)pthread_mutex_unlock(&s->mutex);
    return closing;
}

enum err store_enter(struct store *s, struct vault **vault)
{
    enum err e = ERR_OK;

    (void)pthread_mutex_lock(&s->mutex);
    if (!s->vault || s->closing) {
        e = err_set(ERR_LOCKED, "the store is locked");
    } else {
        s->users++;
        *vault = s->vault;
    }
    (void)pthread_mutex_unlock(&s->mutex);
    return e;
}

void store_leave(struct store *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    if (--s->users == 0)
        (void)pthread_cond_broadcast(&s->idle);
    (void)pthread_mutex_unlock(&s->mutex);
}

enum err store_view(struct store *s, struct store_view *out)
{
    enum err e;

    if ((e = store_enter(s, &out->vault)))
        return e;
    out->store = s;
    if ((e = vault_read(out->vault, &out->db)))
        store_view_done(out);
    return e;
}

void store_view_done(struct store_view *v)
{
    if (!v->store)
        return;
    vault_read_end(v->vault, v->db);
    store_leave(v->store);
    *v = (struct store_view){0};
}

/* With the derive mutex held. */
static enum err rewrap(struct store *s, struct keyfile *keys, const struct store_key *root,
                       const struct secret_text *passphrase, struct passphrase_cost cost)
{
    enum err e;

    if ((e = keyfile_set_passphrase(keys, root, passphrase, cost)) || (e = keyfile_save(keys, s->keys_path)))
        return err_wrap(e, "wrapping the store key again");
    return ERR_OK;
}

enum err store_set_passphrase(struct store *s, const struct store_key *root,
                              const struct secret_text *passphrase, struct passphrase_cost cost)
{
    AUTO(keyfile_freep) struct keyfile *keys = NULL;
    enum err e;

    if ((e = passphrase_check_new(passphrase)))
        return e;
    (void)pthread_mutex_lock(&s->derive);
    if (!(e = keyfile_load(s->keys_path, &keys)))
        e = rewrap(s, keys, root, passphrase, cost);
    (void)pthread_mutex_unlock(&s->derive);
    return e;
}

enum err store_raise_cost(struct store *s, const struct store_key *root, const struct secret_text *passphrase,
                          struct passphrase_cost cost)
{
    AUTO(keyfile_freep) struct keyfile *keys = NULL;
    enum err e;

    (void)pthread_mutex_lock(&s->derive);
    if (!(e = keyfile_load(s->keys_path, &keys)) && keyfile_is_cheaper(keys, cost))
        e = rewrap(s, keys, root, passphrase, cost);
    (void)pthread_mutex_unlock(&s->derive);
    return e;
}

bool store_is_damaged(struct store *s, const char **story)
{
    bool damaged = false;

    (void)pthread_mutex_lock(&s->mutex);
    if (s->vault)
        damaged = vault_is_damaged(s->vault, story);
    (void)pthread_mutex_unlock(&s->mutex);
    return damaged;
}
