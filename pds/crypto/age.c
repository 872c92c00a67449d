#include "pds/crypto/age.h"

#include "pds/base/auto.h"
#include "pds/crypto/bech32.h"
#include "pds/crypto/random.h"

#include <sodium.h>
#include <string.h>

_Static_assert(crypto_scalarmult_BYTES == AGE_RECIPIENT_BYTES, "size of a recipient");
_Static_assert(crypto_scalarmult_SCALARBYTES == KEY_BYTES, "size of an identity");
_Static_assert(crypto_generichash_KEYBYTES_MIN <= RECOVERY_BYTES, "the bits of a code are a key of BLAKE2b");

static const char IDENTITY_PREFIX[] = "age-secret-key-", RECIPIENT_PREFIX[] = "age";
enum {
    IDENTITY_TEXT_BYTES = BECH32_TEXT_BYTES(sizeof IDENTITY_PREFIX - 1, KEY_BYTES),
    RECIPIENT_TEXT_BYTES = BECH32_TEXT_BYTES(sizeof RECIPIENT_PREFIX - 1, AGE_RECIPIENT_BYTES)
};

/* A released context never changes: the backups of before would not open (docs/keys.md). */
static const char CONTEXT[] = "traboule-backup-identity/1";

void age_identity_of_code(const uint8_t bits[static RECOVERY_BYTES], struct age_identity *out)
{
    /* Fails only for lengths that BLAKE2b does not know. */
    (void)crypto_generichash(out->bytes, sizeof out->bytes, (const uint8_t *)CONTEXT, sizeof CONTEXT, bits,
                             RECOVERY_BYTES);
}

enum err age_identity_of(const struct secret_text *code, struct age_identity **out)
{
    struct age_identity *identity = age_identity_new();
    uint8_t bits[RECOVERY_BYTES];
    enum err e;

    if (!identity)
        return err_set(ERR_NO_MEMORY, "an identity");
    if ((e = recovery_read(code, bits))) {
        age_identity_free(identity);
        return e;
    }
    age_identity_of_code(bits, identity);
    random_wipe(bits, sizeof bits);
    *out = identity;
    return ERR_OK;
}

enum err age_recipient_of(const struct age_identity *identity, uint8_t out[static AGE_RECIPIENT_BYTES])
{
    return crypto_scalarmult_base(out, identity->bytes) == 0
               ? ERR_OK
               : err_set(ERR_INVALID, "an identity that has no recipient");
}

/* In capitals, as age writes secret keys. */
enum err age_identity_text(const struct age_identity *identity, struct secret_text **out)
{
    char text[IDENTITY_TEXT_BYTES];
    enum err e;

    bech32_write(IDENTITY_PREFIX, identity->bytes, sizeof identity->bytes, text, sizeof text);
    for (char *c = text; *c; c++) {
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    }
    e = secret_text_new(text, sizeof text - 1, out);
    random_wipe(text, sizeof text);
    return e;
}

enum err age_identity_read(const struct secret_text *text, struct age_identity **out)
{
    AUTO(age_identity_freep) struct age_identity *identity = age_identity_new();
    enum err e;

    if (!identity)
        return err_set(ERR_NO_MEMORY, "an identity");
    if ((e = bech32_read(str_trim((struct str){text->text, text->len}), IDENTITY_PREFIX, identity->bytes,
                         sizeof identity->bytes)))
        return err_wrap(e, "an age identity");
    *out = identity;
    identity = NULL; /* the caller's now */
    return ERR_OK;
}

void age_recipient_text(struct buf *out, const uint8_t recipient[static AGE_RECIPIENT_BYTES])
{
    char text[RECIPIENT_TEXT_BYTES];

    bech32_write(RECIPIENT_PREFIX, recipient, AGE_RECIPIENT_BYTES, text, sizeof text);
    buf_text(out, text);
}

enum err age_recipient_read(struct str text, uint8_t out[static AGE_RECIPIENT_BYTES])
{
    uint8_t recipient[AGE_RECIPIENT_BYTES];
    enum err e;

    if ((e = bech32_read(text, RECIPIENT_PREFIX, recipient, sizeof recipient)))
        return err_wrap(e, "an age recipient");
    memcpy(out, recipient, sizeof recipient);
    return ERR_OK;
}
