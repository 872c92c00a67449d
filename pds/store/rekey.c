#include "pds/store/rekey.h"
#include "pds/store/rekey_internal.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/crypto/random.h"
#include "pds/crypto/recovery.h"
#include "pds/store/blob.h"
#include "pds/store/recipient.h"
#include "pds/store/store_internal.h"
#include "pds/vault/vault.h"
#include "pds/vault/vault_before.h"
#include "pds/vault/vault_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { PIECE_BYTES = 64 * 1024, STORY_BYTES = 512 };

struct rekey {
    struct store *store; /* borrowed */
    int64_t now;
    char dir[FS_PATH_BYTES];      /* of the new vault */
    struct keyfile *keys, *fresh; /* owned: as they are, and of the new key */
    struct store_key *old, *root; /* owned */
    struct secret_text *code;     /* owned; the new one */
    struct vault *from, *to;      /* owned */
    int lock;                     /* of the store, held to the end; -1 */
    char story[STORY_BYTES];      /* of what failed first */
    bool arrived;                 /* the new vault is in its place: there is no way back */
};

static void rekey_done(struct rekey *r)
{
    vault_close(r->to);
    vault_close(r->from);
    if (r->lock >= 0)
        (void)close(r->lock); /* lets the store go */
    keyfile_free(r->keys);
    keyfile_free(r->fresh);
    store_key_free(r->old);
    store_key_free(r->root);
    secret_text_free(r->code);
}

/* The key of today, and slots for the one of tomorrow. */
static enum err make_keys(struct rekey *r, const struct rekey_options *o)
{
    enum err e;

    if ((e = store_key_settled(r->store, &r->keys)))
        return e;
    if (keyfile_has(r->keys, SLOT_KEYFILE) && !o->keyfile_key && !o->drop_keyfile)
        return err_set(ERR_INVALID, "the store opens with a key file: say whether one still does");
    if ((e = keyfile_open_passphrase(r->keys, o->passphrase, &r->old)) ||
        (e = keyfile_renew(r->keys, &r->fresh, &r->root)) || (e = recovery_make(&r->code)) ||
        (e = keyfile_set_passphrase(r->fresh, r->root, o->passphrase, o->cost)) ||
        (e = keyfile_set_recovery(r->fresh, r->root, r->code)))
        return e;
    return o->keyfile_key ? keyfile_set_keyfile(r->fresh, r->root, o->keyfile_key) : ERR_OK;
}

static enum err put(void *context, const void *bytes, size_t len)
{
    return vault_maker_put(context, bytes, len);
}

/* All pages under the new key. */
static enum err copy_vault(struct rekey *r)
{
    AUTO(vault_maker_freep) struct vault_maker *maker = NULL;
    enum err e;

    rekey_tidy(r->store);
    if ((e = fs_join(r->dir, store_dir(r->store), "rekey")) || (e = fs_make_private_dir(r->dir)) ||
        (e = vault_maker_new(r->dir, r->root, store_id(r->store), &maker)) ||
        (e = vault_copy(r->from, NULL, put, maker)))
        return e;
    return vault_maker_finish(maker);
}

static enum err copy_bytes(struct blob_reader *from, struct blob_writer *to)
{
    uint8_t piece[PIECE_BYTES];
    uint64_t done = 0;
    size_t got;
    enum err e = ERR_OK;

    while (done < blob_size(from) && !(e = blob_read(from, done, piece, sizeof piece, &got)) &&
           !(e = blob_write(to, piece, got)))
        done += got;
    random_wipe(piece, sizeof piece);
    return e ? e : blob_finish(to);
}

struct replacing {
    struct blob_writer *writer;
    int64_t id;
};

static enum err replace(struct db *db, void *context)
{
    const struct replacing *p = context;

    return blob_replace(db, p->writer, p->id);
}

/* One blob, under another name and key. What the old vault knows keeps its file until the new one is in
 * place. */
static enum err seal_again(struct rekey *r, struct db *db, int64_t id)
{
    AUTO(blob_reader_freep) struct blob_reader *from = NULL;
    AUTO(blob_writer_freep) struct blob_writer *to = NULL;
    enum err e;

    if ((e = blob_reader_new(r->store, db, id, &from)) || (e = blob_writer_new(r->store, &to)) ||
        (e = copy_bytes(from, to)) || (e = vault_write(r->to, replace, &(struct replacing){to, id})))
        return err_wrap(e, "blob %" PRId64, id);
    blob_kept(to);
    return ERR_OK;
}

static enum err seal_blobs(struct rekey *r)
{
    AUTO(reader_done) struct reader view = {r->from, NULL};
    struct blob_row row = {0};
    enum err e = vault_read(r->from, &view.db);

    while (!e && !(e = blob_next(view.db, row.id, &row)))
        e = seal_again(r, view.db, row.id);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* What else knew a key: the trail's signature, and whom backups are for. */
static enum err renew(struct db *db, void *context)
{
    struct rekey *r = context;
    enum err e;

    if ((e = trail_begin(db, store_id(r->store), r->now)) || (e = trail_rekey(db, r->now)))
        return e;
    return recipient_keep(db, r->code);
}

/* The new vault, closed and whole in rekey/; its files too. */
static enum err make_vault(struct rekey *r, uint8_t mark[static KEYFILE_VAULT_BYTES])
{
    char log[FS_PATH_BYTES];
    enum err e;

    if ((e = copy_vault(r)) || (e = vault_open(r->dir, r->root, store_id(r->store), &r->to)) ||
        (e = seal_blobs(r)) || (e = vault_write(r->to, renew, r)))
        return e;
    vault_close(r->to);
    r->to = NULL;
    if ((e = fs_join(log, r->dir, "vault.db-wal")))
        return e;
    if (fs_exists(log))
        return err_set(ERR_IO, "the new vault was not closed in order");
    return (e = fs_sync_dir(r->dir)) ? e : rekey_vault_mark(r->dir, mark);
}

/* With nobody else at the vault nor at keys.json. */
static enum err switch_over(struct rekey *r, const uint8_t mark[static KEYFILE_VAULT_BYTES])
{
    AUTO(keyfile_freep) struct keyfile *keys = NULL;
    int folder = -1;
    enum err e;

    if ((e = store_key_hold(r->store, &folder)))
        return e;
    if (!(e = store_key_load(r->store, &keys)) && !keyfile_is_same(keys, r->keys))
        e = err_set(ERR_CONFLICT, "keys.json was changed meanwhile");
    if (!e && !(e = vault_before_remove(store_dir(r->store)))) { /* that of a migration: under the old key */
        keyfile_set_next(keys, r->fresh, mark);
        if (!(e = keyfile_save(keys, r->store->keys_path)))
            e = rekey_switch(r->store, keys, &r->arrived);
    }
    (void)close(folder); /* which lets it go */
    return e;
}

static enum err encrypt_again(struct rekey *r)
{
    uint8_t mark[KEYFILE_VAULT_BYTES];
    enum err e;

    if ((e = vault_open(store_dir(r->store), r->old, store_id(r->store), &r->from)) ||
        (e = vault_keep_lock(r->from, &r->lock)))
        return e;
    if ((e = make_vault(r, mark))) {
        vault_close(r->to);
        r->to = NULL;
        rekey_tidy(r->store);
        return e;
    }
    vault_close(r->from); /* the lock stays */
    r->from = NULL;
    return switch_over(r, mark);
}

/* What is left of the switch is done first, when something failed in it. Its old files go as it opens. */
static enum err open_again(struct rekey *r, bool kept)
{
    AUTO(keyfile_freep) struct keyfile *keys = NULL;
    enum err e;

    if ((e = store_key_settled(r->store, &keys)))
        return e;
    if (kept)
        return store_unlock(r->store, r->root, r->now);
    if ((e = store_borrow(r->store, r->root, r->now)))
        return e;
    store_give_back(r->store);
    return ERR_OK;
}

/* It is as it was, but for the sessions; where it does not open again, it is locked. */
static enum err give_up(struct rekey *r, bool kept, enum err failure)
{
    if (kept)
        err_ignore(store_unlock(r->store, r->old, r->now)); /* the failure that is told is the first one */
    return err_set(failure, "another key: %s", r->story);
}

enum err rekey_run(struct store *s, const struct rekey_options *options, int64_t now,
                   struct secret_text **code)
{
    AUTO(rekey_done) struct rekey r = {.store = s, .now = store_now(s, now), .lock = -1};
    bool kept;
    enum err e;

    if ((e = make_keys(&r, options)) || (e = store_alone(s)))
        return err_wrap(e, "another key");
    if ((e = encrypt_again(&r)))
        (void)snprintf(r.story, sizeof r.story, "%s", err_story()); /* cut when too long */
    vault_close(r.from);                                            /* when it failed */
    r.from = NULL;
    if (r.lock >= 0)
        (void)close(r.lock); /* the next opening takes it */
    r.lock = -1;
    kept = store_alone_end(s);
    if (e && !r.arrived)
        return give_up(&r, kept, e);
    *code = r.code;
    r.code = NULL; /* the caller's now */
    return (e = open_again(&r, kept)) ? err_wrap(e, "the store has its new key, but") : ERR_OK;
}
