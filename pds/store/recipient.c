#include "pds/store/recipient.h"

#include "pds/base/auto.h"
#include "pds/store/setting.h"
#include "pds/vault/vault.h"

#include <string.h>

enum err recipient_keep(struct db *db, const struct secret_text *code)
{
    AUTO(age_identity_freep) struct age_identity *identity = NULL;
    uint8_t recipient[AGE_RECIPIENT_BYTES];
    enum err e;

    if ((e = age_identity_of(code, &identity)) || (e = age_recipient_of(identity, recipient)) ||
        (e = setting_set(db, SETTING_BACKUP_RECIPIENT, recipient, sizeof recipient)))
        return err_wrap(e, "the recipient of backups");
    return ERR_OK;
}

enum err recipient_get(struct db *db, uint8_t out[static AGE_RECIPIENT_BYTES])
{
    AUTO(buf_done) struct buf kept;
    enum err e;

    buf_init(&kept, AGE_RECIPIENT_BYTES + 1);
    if ((e = setting_get(db, SETTING_BACKUP_RECIPIENT, &kept)))
        return e;
    if (kept.len != AGE_RECIPIENT_BYTES)
        return err_set(ERR_CORRUPT, "the recipient of backups has %zu bytes", kept.len);
    memcpy(out, kept.data, kept.len);
    return ERR_OK;
}

static enum err keep_work(struct db *db, void *context)
{
    const struct secret_text *code = context;

    return recipient_keep(db, code);
}

enum err recipient_keep_in(struct store *s, const struct store_key *root, const struct secret_text *code,
                           int64_t now)
{
    struct secret_text lent = *code;
    struct vault *vault;
    enum err e;

    if ((e = store_borrow(s, root, now)))
        return e;
    if (!(e = store_enter(s, &vault))) {
        e = vault_write(vault, keep_work, &lent);
        store_leave(s);
    }
    store_give_back(s);
    return e;
}
