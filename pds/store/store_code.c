/* Another recovery code. */
#include "pds/store/store_internal.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/crypto/keyfile.h"
#include "pds/crypto/recovery.h"
#include "pds/store/recipient.h"
#include "pds/vault/vault.h"

#include <string.h>
#include <unistd.h>

struct renewal {
    const struct secret_text *code;
    int64_t now;
};

/* Backups from now on are for the code that the owner is shown. */
static enum err renew(struct db *db, void *context)
{
    const struct renewal *r = context;
    const struct event event = {EVENT_RECOVERY_CHANGED, "owner", "", NULL};
    enum err e = recipient_keep(db, r->code);

    return e ? e : trail_add(db, &event, r->now, NULL);
}

static enum err wrap(struct store *s, const struct store_key *root, const struct secret_text *code)
{
    AUTO(keyfile_freep) struct keyfile *keys = NULL;
    int folder = -1;
    enum err e;

    (void)pthread_mutex_lock(&s->derive);
    if (!(e = store_key_hold(s, &folder))) {
        if (!(e = store_key_load(s, &keys)) && !(e = keyfile_fits(keys, root)) &&
            !(e = keyfile_set_recovery(keys, root, code)))
            e = store_key_save(s, keys);
        (void)close(folder); /* which lets it go */
    }
    (void)pthread_mutex_unlock(&s->derive);
    return e;
}

static enum err copy_root(struct store *s, struct store_key **out)
{
    struct store_key *root = store_key_new();
    enum err e = root ? ERR_OK : err_set(ERR_NO_MEMORY, "another recovery code");

    if (e)
        return e;
    (void)pthread_mutex_lock(&s->mutex);
    if (s->root)
        memcpy(root->bytes, s->root->bytes, sizeof root->bytes);
    else
        e = err_set(ERR_LOCKED, "the store is locked");
    (void)pthread_mutex_unlock(&s->mutex);
    if (e)
        store_key_free(root);
    else
        *out = root;
    return e;
}

/* keys.json first: in between, backups are still for the code before, which the owner has. */
enum err store_renew_code(struct store *s, int64_t now, struct secret_text **code)
{
    AUTO(store_key_freep) struct store_key *root = NULL;
    AUTO(secret_text_freep) struct secret_text *made = NULL;
    struct vault *vault;
    enum err e;

    if ((e = store_enter(s, &vault)))
        return e;
    if (!(e = copy_root(s, &root)) && !(e = recovery_make(&made)) && !(e = wrap(s, root, made)))
        e = vault_write_reserved(vault, renew, &(struct renewal){made, store_now(s, now)});
    store_leave(s);
    if (e)
        return err_wrap(e, "another recovery code");
    *code = made;
    made = NULL; /* the caller's now */
    return ERR_OK;
}
