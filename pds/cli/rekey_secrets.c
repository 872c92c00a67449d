#include "pds/cli/rekey_secrets.h"

#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/cli/key.h"
#include "pds/crypto/random.h"

#include <sys/mman.h>
#include <unistd.h>

/* The bytes: 1 or 0, the key or zeros, the passphrase. */
enum { HEAD_BYTES = 1 + KEY_BYTES, ROOM_BYTES = HEAD_BYTES + LIMIT_PASSPHRASE_BYTES };

void rekey_secrets_done(struct rekey_secrets *s)
{
    if (s->fd >= 0)
        (void)close(s->fd); /* it has no name: it is gone */
    s->fd = -1;
    if (s->made[0] && !s->used)
        (void)unlink(s->made); /* it opens nothing */
}

bool rekey_secrets_open(const struct rekey_secrets *s, struct store *store)
{
    AUTO(store_key_freep) struct store_key *root = NULL;
    uint8_t key[KEY_BYTES];
    bool opens = s->made[0] && !key_file_read(s->made, key) && !store_key_of_keyfile(store, key, &root);

    random_wipe(key, sizeof key);
    return opens;
}

static enum err find_key(const char *path, struct rekey_secrets *out, uint8_t key[static KEY_BYTES])
{
    enum err e;

    if (fs_exists(path))
        return key_file_read(path, key);
    if ((e = str_copy(str_of(path), out->made, sizeof out->made)) || (e = key_file_make(path, key)))
        out->made[0] = '\0';
    return e;
}

static enum err write_all(struct rekey_secrets *out, const struct secret_text *passphrase, const uint8_t *key)
{
    uint8_t head[HEAD_BYTES] = {key != NULL};
    enum err e;

    if (key)
        memcpy(head + 1, key, KEY_BYTES);
    if ((out->fd = memfd_create("rekey", MFD_CLOEXEC)) < 0)
        e = fs_error("making", "a file in memory");
    else if (!(e = fs_write_all(out->fd, head, sizeof head)) &&
             !(e = fs_write_all(out->fd, passphrase->text, passphrase->len)) && lseek(out->fd, 0, SEEK_SET))
        e = fs_error("winding back", "a file in memory");
    random_wipe(head, sizeof head);
    return e;
}

enum err rekey_secrets_find(struct store *store, const struct opt table[], const struct opts *o,
                            struct rekey_secrets *out, struct store_key **root)
{
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    const char *path = opt_get(table, o, "key-file");
    uint8_t key[KEY_BYTES];
    enum err e;

    if (path && opt_has(table, o, "drop-key-file"))
        return err_set(ERR_USAGE, "--key-file and --drop-key-file do not go together");
    if ((e = key_passphrase(table, o, true, &passphrase)) ||
        (e = store_key_of_passphrase(store, passphrase, root)) || (path && (e = find_key(path, out, key))))
        return e;
    e = write_all(out, passphrase, path ? key : NULL);
    random_wipe(key, sizeof key);
    return e;
}

enum err rekey_secrets_read(int fd, struct secret_text **passphrase, uint8_t key[static KEY_BYTES],
                            bool *has_key)
{
    uint8_t *room = secret_alloc(ROOM_BYTES);
    ssize_t got;
    enum err e;

    if (!room)
        return err_set(ERR_NO_MEMORY, "secrets of a rekey");
    got = pread(fd, room, ROOM_BYTES, 0);
    if (got < 0)
        e = fs_error("reading", "a file in memory");
    else if (got <= HEAD_BYTES || room[0] > 1)
        e = err_set(ERR_INVALID, "what came with the command is no secret of a rekey");
    else if (!(e = secret_text_new((const char *)room + HEAD_BYTES, (size_t)got - HEAD_BYTES, passphrase))) {
        memcpy(key, room + 1, KEY_BYTES);
        *has_key = room[0];
    }
    secret_release(room);
    return e;
}
