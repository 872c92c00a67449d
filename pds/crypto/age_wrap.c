/* The file key: wrapped for a recipient or a passphrase, and found again. */
#include "pds/crypto/age_internal.h"

#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "pds/crypto/random.h"

#include <sodium.h>
#include <string.h>

_Static_assert(crypto_aead_chacha20poly1305_ietf_KEYBYTES == KEY_BYTES, "size of a key");
_Static_assert(crypto_aead_chacha20poly1305_ietf_ABYTES == AGE_TAG_BYTES, "size of a tag");
_Static_assert(crypto_aead_chacha20poly1305_ietf_NPUBBYTES == AGE_CHUNK_NONCE_BYTES, "size of a nonce");

static const char X25519[] = "X25519", SCRYPT[] = "scrypt";
static const char X25519_INFO[] = "age-encryption.org/v1/X25519";
static const char SCRYPT_SALT[] = "age-encryption.org/v1/scrypt"; /* the stanza's salt follows */

/* A wrapping key seals one file key, so that its nonce is always zero. */
static const uint8_t ZERO_NONCE[AGE_CHUNK_NONCE_BYTES];

void age_header_mac(const struct age_secret *s, struct str text, uint8_t mac[static SHA256_BYTES])
{
    uint8_t key[SHA256_BYTES];

    sha256_hkdf(NULL, 0, s->file_key, sizeof s->file_key, "header", 6, key);
    sha256_hmac(key, sizeof key, text.ptr, text.len, mac);
    random_wipe(key, sizeof key);
}

void age_payload_key(struct age_secret *s, const uint8_t nonce[static AGE_NONCE_BYTES])
{
    sha256_hkdf(nonce, AGE_NONCE_BYTES, s->file_key, sizeof s->file_key, "payload", 7, s->payload_key);
}

void age_chunk_nonce(uint64_t number, bool last, uint8_t out[static AGE_CHUNK_NONCE_BYTES])
{
    memset(out, 0, AGE_CHUNK_NONCE_BYTES);
    for (unsigned i = 0; i < 8; i++)
        out[AGE_CHUNK_NONCE_BYTES - 2 - i] = (uint8_t)(number >> 8 * i);
    out[AGE_CHUNK_NONCE_BYTES - 1] = last;
}

/* The wrapping key of an X25519 stanza: from what the two share, and whom it is between. */
static enum err x25519_key(const uint8_t secret[static KEY_BYTES],
                           const uint8_t other[static AGE_RECIPIENT_BYTES],
                           const uint8_t share[static AGE_RECIPIENT_BYTES],
                           const uint8_t recipient[static AGE_RECIPIENT_BYTES], struct wrap_key *out)
{
    uint8_t shared[AGE_RECIPIENT_BYTES], salt[2 * AGE_RECIPIENT_BYTES];

    if (crypto_scalarmult(shared, secret, other) != 0) /* all of it zero */
        return err_set(ERR_INVALID, "a share of low order");
    memcpy(salt, share, AGE_RECIPIENT_BYTES);
    memcpy(salt + AGE_RECIPIENT_BYTES, recipient, AGE_RECIPIENT_BYTES);
    sha256_hkdf(salt, sizeof salt, shared, sizeof shared, X25519_INFO, sizeof X25519_INFO - 1, out->bytes);
    random_wipe(shared, sizeof shared);
    return ERR_OK;
}

static enum err scrypt_key(const struct secret_text *passphrase, const uint8_t salt[static AGE_SALT_BYTES],
                           int work_factor, struct wrap_key *out)
{
    uint8_t salted[sizeof SCRYPT_SALT - 1 + AGE_SALT_BYTES];

    memcpy(salted, SCRYPT_SALT, sizeof SCRYPT_SALT - 1);
    memcpy(salted + sizeof SCRYPT_SALT - 1, salt, AGE_SALT_BYTES);
    if (crypto_pwhash_scryptsalsa208sha256_ll((const uint8_t *)passphrase->text, passphrase->len, salted,
                                              sizeof salted, UINT64_C(1) << work_factor, 8, 1, out->bytes,
                                              sizeof out->bytes) != 0)
        return err_set(ERR_NO_MEMORY, "scrypt of work factor %d", work_factor);
    return ERR_OK;
}

static void put_body(const struct age_secret *s, const struct wrap_key *key, struct buf *out)
{
    uint8_t body[AGE_WRAPPED_BYTES];

    (void)crypto_aead_chacha20poly1305_ietf_encrypt(body, NULL, s->file_key, sizeof s->file_key, NULL, 0,
                                                    NULL, ZERO_NONCE, key->bytes); /* always 0 */
    codec_base64_bare(out, body, sizeof body); /* 43 characters: one line, and no full one */
    buf_char(out, '\n');
}

static bool open_body(const struct age_stanza *stanza, const struct wrap_key *key, struct age_secret *out)
{
    return crypto_aead_chacha20poly1305_ietf_decrypt(out->file_key, NULL, NULL, stanza->body,
                                                     sizeof stanza->body, NULL, 0, ZERO_NONCE,
                                                     key->bytes) == 0;
}

enum err age_wrap_recipient(const struct age_secret *s, const uint8_t recipient[static AGE_RECIPIENT_BYTES],
                            struct buf *out)
{
    AUTO(wrap_key_freep) struct wrap_key *key = wrap_key_new();
    uint8_t secret[KEY_BYTES], share[AGE_RECIPIENT_BYTES];
    enum err e;

    if (!key)
        return err_set(ERR_NO_MEMORY, "sealing to a recipient");
    random_bytes(secret, sizeof secret);
    if (crypto_scalarmult_base(share, secret) != 0)
        e = err_set(ERR_INTERNAL, "a share of low order");
    else
        e = x25519_key(secret, recipient, share, recipient, key);
    random_wipe(secret, sizeof secret);
    if (e)
        return err_wrap(e, "sealing to a recipient");
    buf_printf(out, "-> %s ", X25519);
    codec_base64_bare(out, share, sizeof share);
    buf_char(out, '\n');
    put_body(s, key, out);
    return buf_err(out);
}

enum err age_wrap_passphrase(const struct age_secret *s, const struct secret_text *passphrase,
                             int work_factor, struct buf *out)
{
    AUTO(wrap_key_freep) struct wrap_key *key = wrap_key_new();
    uint8_t salt[AGE_SALT_BYTES];
    enum err e;

    if (!key)
        return err_set(ERR_NO_MEMORY, "sealing to a passphrase");
    if (work_factor < 1 || work_factor > AGE_WORK_FACTOR_MAX)
        return err_set(ERR_INVALID, "a work factor of %d", work_factor);
    random_bytes(salt, sizeof salt);
    if ((e = scrypt_key(passphrase, salt, work_factor, key)))
        return err_wrap(e, "sealing to a passphrase");
    buf_printf(out, "-> %s ", SCRYPT);
    codec_base64_bare(out, salt, sizeof salt);
    buf_printf(out, " %d\n", work_factor);
    put_body(s, key, out);
    return buf_err(out);
}

/* An argument that stands for `size` bytes. */
static enum err read_argument(struct str text, uint8_t *out, size_t size)
{
    size_t len = 0;
    enum err e = codec_unbase64_bare(text, out, size, &len);

    if (e || len != size)
        return err_set(ERR_INVALID, "a stanza's argument is not %zu bytes", size);
    return ERR_OK;
}

static enum err open_x25519(const struct age_stanza *stanza, const struct age_identity *identity,
                            struct age_secret *out, bool *opened)
{
    AUTO(wrap_key_freep) struct wrap_key *key = wrap_key_new();
    uint8_t share[AGE_RECIPIENT_BYTES], recipient[AGE_RECIPIENT_BYTES];
    enum err e;

    if (!key)
        return err_set(ERR_NO_MEMORY, "opening a file key");
    if (stanza->argument_count != 2 || stanza->body_len != AGE_WRAPPED_BYTES)
        return err_set(ERR_INVALID, "an X25519 stanza of another shape");
    if ((e = read_argument(stanza->arguments[1], share, sizeof share)) ||
        (e = age_recipient_of(identity, recipient)) ||
        (e = x25519_key(identity->bytes, share, share, recipient, key)))
        return err_wrap(e, "an X25519 stanza");
    *opened = open_body(stanza, key, out);
    return ERR_OK;
}

/* A number as age writes it: digits alone, the first one not 0. */
static enum err read_work_factor(struct str text, int *out)
{
    int64_t factor = 0;

    if (text.len == 0 || text.ptr[0] < '1' || text.ptr[0] > '9' || str_int64(text, &factor) || factor < 1)
        return err_set(ERR_INVALID, "the work factor is no plain number");
    if (factor > AGE_WORK_FACTOR_MAX)
        return err_set(ERR_INVALID, "a work factor over %d", AGE_WORK_FACTOR_MAX);
    *out = (int)factor;
    return ERR_OK;
}

static enum err open_scrypt(const struct age_stanza *stanza, const struct secret_text *passphrase,
                            struct age_secret *out, bool *opened)
{
    AUTO(wrap_key_freep) struct wrap_key *key = wrap_key_new();
    uint8_t salt[AGE_SALT_BYTES];
    int work_factor = 0;
    enum err e;

    if (!key)
        return err_set(ERR_NO_MEMORY, "opening a file key");
    if (stanza->argument_count != 3 || stanza->body_len != AGE_WRAPPED_BYTES)
        return err_set(ERR_INVALID, "a scrypt stanza of another shape");
    if ((e = read_argument(stanza->arguments[1], salt, sizeof salt)) ||
        (e = read_work_factor(stanza->arguments[2], &work_factor)))
        return err_wrap(e, "a scrypt stanza");
    if (!passphrase) {
        *opened = false; /* its form was checked */
        return ERR_OK;
    }
    if ((e = scrypt_key(passphrase, salt, work_factor, key)))
        return e;
    *opened = open_body(stanza, key, out);
    return ERR_OK;
}

static enum err open_stanza(const struct age_stanza *stanza, const struct age_keys *keys,
                            struct age_secret *out, bool *opened)
{
    if (keys->identity && str_eq(stanza->arguments[0], STR("X25519")))
        return open_x25519(stanza, keys->identity, out, opened);
    if (str_eq(stanza->arguments[0], STR("scrypt")))
        return open_scrypt(stanza, keys->passphrase, out, opened);
    return ERR_OK; /* for others */
}

enum err age_unwrap(struct str header, const struct age_keys *keys, struct age_secret *out)
{
    struct age_stanza stanza;
    size_t count = 0;
    bool scrypt = false, opened = false;
    enum err e;

    while (!(e = age_header_next(&header, &stanza))) {
        count++;
        scrypt |= str_eq(stanza.arguments[0], STR("scrypt"));
        if (scrypt && count > 1)
            return err_set(ERR_INVALID, "a passphrase beside other keys");
        if (!opened && !keys->file_key && (e = open_stanza(&stanza, keys, out, &opened)))
            return err_wrap(e, "stanza %zu", count);
    }
    if (e != ERR_NOT_FOUND)
        return e;
    if (keys->file_key)
        memcpy(out->file_key, keys->file_key, AGE_FILE_KEY_BYTES);
    else if (!opened)
        return err_set(ERR_WRONG_KEY, "the file is sealed to %s",
                       scrypt             ? keys->passphrase ? "another passphrase" : "a passphrase"
                       : keys->passphrase ? "a key"
                                          : "another key");
    return ERR_OK;
}
