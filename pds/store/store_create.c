/* Making the folder of a store, and taking it away. */
#include "pds/store/store_internal.h"

#include "pds/base/auto.h"
#include "pds/crypto/keyfile.h"
#include "pds/crypto/recovery.h"
#include "pds/store/recipient.h"
#include "pds/vault/vault.h"
#include "pds/vault/vault_before.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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

/* The files in a folder whose names are so, or all. What was not made is not there. */
static void remove_files(const char *path, bool (*is_such)(const char *name))
{
    DIR *folder = opendir(path);
    const struct dirent *file;

    while (folder && (file = readdir(folder))) {
        if (!is_such || is_such(file->d_name))
            (void)unlinkat(dirfd(folder), file->d_name, 0);
    }
    if (folder)
        (void)closedir(folder); /* it was only read */
}

void store_remove(const char *dir)
{
    static const char *const NAMES[] = {"vault.db", "vault.db-wal", "keys.json", "lock"};
    char path[FS_PATH_BYTES];

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (!fs_join(path, dir, NAMES[i]))
            (void)unlink(path);
    }
    if (!fs_join(path, dir, "files")) {
        remove_files(path, NULL);
        (void)rmdir(path);
    }
    remove_files(dir, store_key_is_left); /* of who was killed */
    err_ignore(vault_before_remove(dir)); /* mostly there is none; what stays keeps the folder */
    (void)rmdir(dir);
}

static enum err begin_work(struct db *db, void *code) { return recipient_keep(db, code); }

/* What a new vault holds from its beginning. */
static enum err begin_vault(const char *dir, const struct keyfile *keys, const struct store_key *root,
                            struct secret_text *code)
{
    AUTO(vault_closep) struct vault *vault = NULL;
    enum err e;

    if ((e = vault_create(dir, root, keyfile_store_id(keys))) ||
        (e = vault_open(dir, root, keyfile_store_id(keys), &vault)))
        return e;
    return vault_write(vault, begin_work, code);
}

static enum err fill(const char *dir, const struct keyfile *keys, const struct store_key *root,
                     struct secret_text *code)
{
    char path[FS_PATH_BYTES];
    enum err e;

    if ((e = fs_join(path, dir, "files")) || (e = fs_make_private_dir(path)) ||
        (e = begin_vault(dir, keys, root, code)) || (e = fs_join(path, dir, "keys.json")))
        return e;
    if ((e = keyfile_save(keys, path))) /* last: a folder with keys.json is a whole store */
        return e;
    return (e = fs_join(path, dir, "..")) ? e : fs_sync_dir(path); /* or the power takes the folder's name */
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
    if ((e = fill(dir, keys, root, code))) {
        store_remove(dir);
        return err_wrap(e, "making a store");
    }
    *recovery_code = code;
    code = NULL; /* the caller's now */
    return ERR_OK;
}
