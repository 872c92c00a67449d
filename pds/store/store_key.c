/* The keys of a store: opening a slot of keys.json, and changing it. */
#include "pds/store/store_internal.h"

#include "pds/base/auto.h"
#include "pds/crypto/keyfile.h"
#include "pds/store/rekey_internal.h"
#include "pds/vault/vault_reserve.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Whoever changes keys.json holds the lock of the store's folder, from reading to writing: the daemon and
 * commands change it alike, and the last word would undo the others. The vault's own lock is another file:
 * it is held as long as the vault is open. */
static enum err hold_folder(const struct store *s, int how, int *out)
{
    int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), failed;

    if (fd < 0)
        return fs_error("opening", "the store's folder");
    while ((failed = flock(fd, how)) && errno == EINTR)
        continue;
    if (failed) {
        enum err e = fs_error("locking", "the store's folder");
        (void)close(fd); /* it was not locked */
        return e;
    }
    *out = fd;
    return ERR_OK;
}

/* keys.json as it is on disk now: a command may have changed it. The store is known, so that a file which is
 * not there, or cannot be read, is damage; the story names no path, since anyone who signs in may hear it. */
enum err store_key_load(const struct store *s, struct keyfile **out)
{
    enum err e = keyfile_load(s->keys_path, out);

    if (e == ERR_NOT_FOUND || e == ERR_FORBIDDEN)
        return err_set(ERR_CORRUPT, "keys.json is not there, or cannot be read");
    return e == ERR_IO ? err_set(e, "keys.json cannot be read") : e;
}

enum err store_key_settled(const struct store *s, struct keyfile **out)
{
    AUTO(keyfile_freep) struct keyfile *keys = NULL;
    enum err e;

    if ((e = store_key_load(s, &keys)) || (e = rekey_settle(s, &keys)))
        return e;
    *out = keys;
    keys = NULL; /* the caller's now */
    return ERR_OK;
}

enum err store_key_hold(const struct store *s, int *fd) { return hold_folder(s, LOCK_EX, fd); }

/* A full disk keeps nobody from changing what opens their store. */
enum err store_key_save(const struct store *s, const struct keyfile *keys)
{
    enum err e = keyfile_save(keys, s->keys_path);

    if (e != ERR_FULL)
        return e;
    vault_reserve_spend(s->dir);
    if (!(e = keyfile_save(keys, s->keys_path)))
        vault_reserve_keep(s->dir);
    return e;
}

bool store_key_is_left(const char *name)
{
    static const char BESIDE[] = "keys.json.new-"; /* fs_replace() writes there first */

    return strncmp(name, BESIDE, sizeof BESIDE - 1) == 0;
}

void store_key_tidy(struct store *s)
{
    AUTO(fs_closep) int fd = -1;
    const struct dirent *entry;
    DIR *folder;

    if (hold_folder(s, LOCK_EX | LOCK_NB, &fd) || !(folder = opendir(s->dir)))
        return; /* one is being written, or the next start takes it away */
    while ((entry = readdir(folder))) {
        if (store_key_is_left(entry->d_name))
            (void)unlinkat(fd, entry->d_name, 0); /* the next start tries again */
    }
    (void)closedir(folder); /* it was only read */
}

/* What opens a slot. */
struct unlocking {
    const struct secret_text *text; /* passphrase or code */
    const uint8_t *key;             /* of a key file */
};

static enum err open_kind(const struct keyfile *keys, enum slot_kind kind, struct unlocking by,
                          struct store_key **root)
{
    switch (kind) {
    case SLOT_PASSPHRASE:
        return keyfile_open_passphrase(keys, by.text, root);
    case SLOT_RECOVERY:
        return keyfile_open_recovery(keys, by.text, root);
    case SLOT_KEYFILE:
        break;
    }
    return keyfile_open_keyfile(keys, by.key, root);
}

static enum err load_and_open(struct store *s, enum slot_kind kind, struct unlocking by,
                              struct store_key **root)
{
    AUTO(keyfile_freep) struct keyfile *keys = NULL;
    enum err e = store_key_settled(s, &keys);

    return e ? e : open_kind(keys, kind, by, root);
}

static enum err open_slot(struct store *s, enum slot_kind kind, struct unlocking by, struct store_key **root)
{
    enum err e;

    if (s->decoy) /* it stands for many, which do not wait for each other */
        return open_kind(s->decoy, kind, by, root);
    if (kind ==
        SLOT_KEYFILE) /* nothing is derived: a store at rest does not wait for who tries passphrases */
        return load_and_open(s, kind, by, root);
    (void)pthread_mutex_lock(&s->derive);
    e = load_and_open(s, kind, by, root);
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

static enum err rewrap(struct store *s, struct keyfile *keys, const struct store_key *root,
                       const struct secret_text *passphrase, struct passphrase_cost cost)
{
    enum err e;

    if ((e = keyfile_fits(keys, root)) || (e = keyfile_set_passphrase(keys, root, passphrase, cost)) ||
        (e = store_key_save(s, keys)))
        return err_wrap(e, "wrapping the store key again");
    return ERR_OK;
}

enum err store_set_passphrase(struct store *s, const struct store_key *root,
                              const struct secret_text *passphrase, struct passphrase_cost cost)
{
    AUTO(fs_closep) int fd = -1;
    AUTO(keyfile_freep) struct keyfile *keys = NULL;
    enum err e;

    if ((e = passphrase_check_new(passphrase)))
        return e;
    (void)pthread_mutex_lock(&s->derive);
    if (!(e = hold_folder(s, LOCK_EX, &fd)) && !(e = store_key_load(s, &keys)))
        e = rewrap(s, keys, root, passphrase, cost);
    (void)pthread_mutex_unlock(&s->derive);
    return e;
}

/* The passphrase is tried on the slot as it is now: a slot that was changed since is another's, and stays. */
static enum err raise_slot(struct store *s, const struct store_key *root,
                           const struct secret_text *passphrase, struct passphrase_cost cost)
{
    AUTO(fs_closep) int fd = -1;
    AUTO(keyfile_freep) struct keyfile *keys = NULL;
    AUTO(store_key_freep) struct store_key *opened = NULL;
    enum err e;

    if ((e = hold_folder(s, LOCK_EX, &fd)) || (e = store_key_load(s, &keys)) ||
        !keyfile_is_cheaper(keys, cost))
        return e;
    if ((e = keyfile_open_passphrase(keys, passphrase, &opened)))
        return e == ERR_WRONG_KEY ? ERR_OK : e;
    return rewrap(s, keys, root, passphrase, cost);
}

enum err store_raise_cost(struct store *s, const struct store_key *root, const struct secret_text *passphrase,
                          struct passphrase_cost cost)
{
    enum err e;

    (void)pthread_mutex_lock(&s->derive);
    e = raise_slot(s, root, passphrase, cost);
    (void)pthread_mutex_unlock(&s->derive);
    return e;
}
