/* A store key that takes the place of another. */
#include "pds/crypto/keyfile_internal.h"

#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/crypto/random.h"

#include <string.h>

enum err keyfile_renew(const struct keyfile *k, struct keyfile **out, struct store_key **root)
{
    enum err e = keyfile_new_of(k->store_id, out, root);

    if (e)
        return e;
    (*out)->now.has_check = true;
    keyfile_check_of(*root, (*out)->now.check);
    return ERR_OK;
}

void keyfile_set_next(struct keyfile *k, const struct keyfile *next,
                      const uint8_t vault[static KEYFILE_VAULT_BYTES])
{
    k->has_next = true;
    k->next = next->now;
    memcpy(k->next_vault, vault, sizeof k->next_vault);
}

const uint8_t *keyfile_next_vault(const struct keyfile *k) { return k->has_next ? k->next_vault : NULL; }

void keyfile_promote(struct keyfile *k)
{
    k->now = k->next;
    keyfile_drop_next(k);
}

void keyfile_drop_next(struct keyfile *k)
{
    k->has_next = false;
    memset(&k->next, 0, sizeof k->next);
}

enum err keyfile_fits(const struct keyfile *k, const struct store_key *root)
{
    uint8_t check[KEYFILE_CHECK_BYTES];

    keyfile_check_of(root, check);
    if (!k->now.has_check || random_equal(check, k->now.check, sizeof check))
        return ERR_OK;
    return err_set(ERR_CONFLICT, "the store was given another key meanwhile");
}

bool keyfile_is_same(const struct keyfile *a, const struct keyfile *b)
{
    AUTO(buf_done) struct buf text;
    AUTO(buf_done) struct buf other;

    buf_init(&text, LIMIT_KEYS_FILE_BYTES);
    buf_init(&other, LIMIT_KEYS_FILE_BYTES);
    keyfile_write(&text, a);
    keyfile_write(&other, b);
    return !text.err && !other.err && text.len == other.len && memcmp(text.data, other.data, text.len) == 0;
}
