#include "pds/cli/key.h"

#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/fs.h"
#include "pds/base/str.h"
#include "pds/cli/prompt.h"
#include "pds/crypto/random.h"

#include <stdlib.h>
#include <string.h>

enum { KDF_MIB_MIN = PASSPHRASE_MEMORY_KIB_MIN / 1024, KDF_MIB_MAX = 256 };

/* A file that was named and is not there is a failure, not a place that does not speak. */
static enum err read_named(const char *path, struct secret_text **out)
{
    enum err e = prompt_file(path, out);

    return e == ERR_NOT_FOUND ? err_wrap(ERR_IO, "the passphrase's file") : e;
}

enum err key_passphrase(const struct opt table[], const struct opts *o, bool ask, struct secret_text **out)
{
    const char *file = opt_get(table, o, "passphrase-file");
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    char path[FS_PATH_BYTES];

    if (!file)
        file = getenv("TRABOULE_PASSPHRASE_FILE");
    if (file)
        return read_named(file, out);
    if (credentials && !fs_join(path, credentials, "traboule") && fs_exists(path))
        return read_named(path, out);
    return ask ? prompt_secret("Passphrase of the store", out)
               : err_set(ERR_NOT_FOUND, "no passphrase was given");
}

enum err key_recovery_code(const struct opt table[], const struct opts *o, struct secret_text **out)
{
    const char *file = opt_get(table, o, "recovery-code-file");

    if (!file)
        file = getenv("TRABOULE_RECOVERY_CODE_FILE");
    return file ? prompt_file(file, out) : prompt_secret("Recovery code", out);
}

enum err key_cost(const struct opt table[], const struct opts *o, struct passphrase_cost *out)
{
    const char *word = opt_get(table, o, "kdf-memory-mib");
    int64_t mib;

    *out = passphrase_cost_here();
    if (!word)
        return ERR_OK;
    if (str_int64(str_of(word), &mib) || mib < KDF_MIB_MIN || mib > KDF_MIB_MAX)
        return err_set(ERR_USAGE, "--kdf-memory-mib is no number from %d to %d", KDF_MIB_MIN, KDF_MIB_MAX);
    out->memory_kib = (uint32_t)mib * 1024;
    return ERR_OK;
}

enum err key_file_read(const char *path, uint8_t key[static KEY_BYTES])
{
    AUTO(buf_done) struct buf bytes;
    enum err e;

    buf_init(&bytes, KEY_BYTES);
    if ((e = fs_read(path, KEY_BYTES, &bytes)))
        return err_wrap(e, "key file");
    if (bytes.len != KEY_BYTES)
        return err_set(ERR_INVALID, "key file %s holds %zu bytes, not %d", path, bytes.len, KEY_BYTES);
    memcpy(key, bytes.data, KEY_BYTES);
    random_wipe(bytes.data, bytes.len);
    return ERR_OK;
}

enum err key_file_make(const char *path, uint8_t key[static KEY_BYTES])
{
    random_bytes(key, KEY_BYTES);
    return fs_make(path, key, KEY_BYTES);
}

enum err key_find(struct store *store, const struct opt table[], const struct opts *o, bool ask,
                  struct store_key **root, struct secret_text **passphrase)
{
    AUTO(secret_text_freep) struct secret_text *typed = NULL;
    const char *file = opt_get(table, o, "key-file");
    uint8_t key[KEY_BYTES];
    enum err e;

    if (passphrase)
        *passphrase = NULL;
    if (file) {
        if (!(e = key_file_read(file, key)))
            e = store_key_of_keyfile(store, key, root);
        random_wipe(key, sizeof key);
        return e;
    }
    if ((e = key_passphrase(table, o, ask, &typed)) || (e = store_key_of_passphrase(store, typed, root)))
        return e;
    if (passphrase) {
        *passphrase = typed;
        typed = NULL; /* the caller's now */
    }
    return ERR_OK;
}
