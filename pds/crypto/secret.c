#include "pds/crypto/secret.h"

#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"

#include <sodium.h>
#include <string.h>

/* In front of each secret stands the address of a block of mem, so that what counts live blocks
 * and makes the nth allocation fail sees secrets too. 16 bytes keep the secret aligned. */
enum { HEAD_BYTES = 16 };
_Static_assert(sizeof(void *) <= HEAD_BYTES, "room for an address");

void *secret_alloc(size_t len)
{
    void *counted = mem_new(1);
    uint8_t *block;

    if (!counted)
        return NULL;
    if (len > SIZE_MAX - HEAD_BYTES || !(block = sodium_malloc(HEAD_BYTES + len))) {
        mem_free(counted);
        return NULL;
    }
    memset(block, 0, HEAD_BYTES + len);
    memcpy(block, &counted, sizeof counted);
    return block + HEAD_BYTES;
}

void secret_release(void *p)
{
    uint8_t *block;
    void *counted;

    if (!p)
        return;
    block = (uint8_t *)p - HEAD_BYTES;
    memcpy(&counted, block, sizeof counted);
    mem_free(counted);
    sodium_free(block); /* wipes */
}

enum err secret_text_new(const char *text, size_t len, struct secret_text **out)
{
    AUTO(secret_text_freep) struct secret_text *s = NULL;

    if (len > LIMIT_PASSPHRASE_BYTES)
        return err_set(ERR_TOO_LARGE, "a secret of %zu bytes", len);
    if (!(s = mem_new(sizeof *s)) || !(s->text = secret_alloc(len + 1)))
        return err_set(ERR_NO_MEMORY, "a secret");
    if (len)
        memcpy(s->text, text, len);
    s->len = len;
    *out = s;
    s = NULL;
    return ERR_OK;
}

void secret_text_free(struct secret_text *s)
{
    if (!s)
        return;
    secret_release(s->text);
    mem_free(s);
}
