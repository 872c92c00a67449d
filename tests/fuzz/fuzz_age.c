/* An age file as anyone may have written it: opened with the identity of the public test vectors, and with a
 * file key, read to its end. A passphrase is not tried: the file says how long that takes. */
#include "tests/harness/bytes.h"
#include "pds/base/auto.h"
#include "pds/crypto/age.h"
#include "pds/crypto/random.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char IDENTITY[] = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";
static const uint8_t FILE_KEY[] = "YELLOW SUBMARINE";

static struct age_identity *read_identity(void)
{
    AUTO(secret_text_freep) struct secret_text *text = NULL;
    struct age_identity *identity = NULL;

    if (random_start() || secret_text_new(IDENTITY, sizeof IDENTITY - 1, &text) ||
        age_identity_read(text, &identity))
        abort();
    return identity;
}

static void read_all(const struct age_keys *keys, const uint8_t *data, size_t size)
{
    AUTO(age_reader_freep) struct age_reader *r = NULL;
    struct bytes s = {.text = {(const char *)data, size}};
    uint8_t bytes[777];
    size_t got = 1, total = 0;

    if (age_reader_new(keys, bytes_get, &s, &r))
        return;
    while (got > 0 && !age_read(r, bytes, sizeof bytes, &got))
        total += got;
    if (total > size)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(age_identity_freep) struct age_identity *identity = read_identity();
    uint8_t recipient[AGE_RECIPIENT_BYTES];
    struct str text = {(const char *)data, size};

    read_all(&(struct age_keys){.identity = identity}, data, size);
    read_all(&(struct age_keys){.file_key = FILE_KEY}, data, size);
    (void)(age_recipient_read(text, recipient) == ERR_OK); /* either outcome is fine */
    return 0;
}
