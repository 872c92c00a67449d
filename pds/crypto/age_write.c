#include "pds/crypto/age_internal.h"

#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/crypto/random.h"

#include <sodium.h>
#include <string.h>

struct age_writer {
    age_put *put;
    void *context;
    struct age_secret *secret; /* guarded, owned */
    uint64_t number;           /* of the chunk being filled */
    size_t len;                /* plain bytes of it */
    enum err err;              /* the first failure; ERR_CONFLICT once finished */
    uint8_t plain[AGE_CHUNK_BYTES];
    uint8_t sealed[AGE_CHUNK_BYTES + AGE_TAG_BYTES];
};

static enum err writer_new(age_put *put, void *context, struct age_writer **out)
{
    AUTO(age_writer_freep) struct age_writer *w = mem_new(sizeof *w);

    if (!w || !(w->secret = secret_alloc(sizeof *w->secret)))
        return err_set(ERR_NO_MEMORY, "an age file");
    random_bytes(w->secret->file_key, sizeof w->secret->file_key);
    w->put = put;
    w->context = context;
    *out = w;
    w = NULL; /* the caller's now */
    return ERR_OK;
}

/* header holds the stanza and all before it: add what ends it, and write it out. */
static enum err begin(struct age_writer *w, struct buf *header)
{
    uint8_t mac[SHA256_BYTES], nonce[AGE_NONCE_BYTES];
    enum err e;

    buf_text(header, "---");
    if ((e = buf_err(header)))
        return e;
    age_header_mac(w->secret, (struct str){header->data, header->len}, mac);
    buf_char(header, ' ');
    codec_base64_bare(header, mac, sizeof mac);
    buf_char(header, '\n');
    random_bytes(nonce, sizeof nonce);
    age_payload_key(w->secret, nonce);
    buf_add(header, nonce, sizeof nonce);
    if ((e = buf_err(header)))
        return e;
    return w->put(w->context, header->data, header->len);
}

enum err age_writer_new(const uint8_t recipient[static AGE_RECIPIENT_BYTES], age_put *put, void *context,
                        struct age_writer **out)
{
    AUTO(age_writer_freep) struct age_writer *w = NULL;
    AUTO(buf_done) struct buf header;
    enum err e;

    buf_init(&header, LIMIT_AGE_HEADER_BYTES);
    buf_text(&header, AGE_FIRST_LINE "\n");
    if ((e = writer_new(put, context, &w)) || (e = age_wrap_recipient(w->secret, recipient, &header)) ||
        (e = begin(w, &header)))
        return e;
    *out = w;
    w = NULL; /* the caller's now */
    return ERR_OK;
}

enum err age_writer_new_passphrase(const struct secret_text *passphrase, int work_factor, age_put *put,
                                   void *context, struct age_writer **out)
{
    AUTO(age_writer_freep) struct age_writer *w = NULL;
    AUTO(buf_done) struct buf header;
    enum err e;

    buf_init(&header, LIMIT_AGE_HEADER_BYTES);
    buf_text(&header, AGE_FIRST_LINE "\n");
    if ((e = writer_new(put, context, &w)) ||
        (e = age_wrap_passphrase(w->secret, passphrase, work_factor, &header)) || (e = begin(w, &header)))
        return e;
    *out = w;
    w = NULL; /* the caller's now */
    return ERR_OK;
}

/* Seal len plain bytes, which may be those in w->plain, as the next chunk. */
static enum err put_chunk(struct age_writer *w, const uint8_t *plain, size_t len, bool last)
{
    uint8_t nonce[AGE_CHUNK_NONCE_BYTES];

    age_chunk_nonce(w->number, last, nonce);
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(w->sealed, NULL, plain, len, NULL, 0, NULL, nonce,
                                                    w->secret->payload_key); /* always 0 */
    if ((w->err = w->put(w->context, w->sealed, len + AGE_TAG_BYTES)))
        return w->err;
    w->number++;
    w->len = 0;
    return ERR_OK;
}

enum err age_write(struct age_writer *w, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;
    enum err e;

    if (w->err)
        return err_set(w->err, "an age file that was finished or failed already");
    while (len > 0) {
        size_t part = AGE_CHUNK_BYTES - w->len;

        if (part == 0) { /* a full chunk waits until more comes: only then is it not the last */
            if ((e = put_chunk(w, w->plain, AGE_CHUNK_BYTES, false)))
                return e;
            continue;
        }
        if (w->len == 0 && len > AGE_CHUNK_BYTES) {
            if ((e = put_chunk(w, from, AGE_CHUNK_BYTES, false)))
                return e;
        } else {
            part = part < len ? part : len;
            memcpy(w->plain + w->len, from, part);
            w->len += part;
        }
        from += part;
        len -= part;
    }
    return ERR_OK;
}

enum err age_finish(struct age_writer *w)
{
    enum err e;

    if (w->err)
        return err_set(w->err, "an age file that was finished or failed already");
    if ((e = put_chunk(w, w->plain, w->len, true)))
        return e;
    w->err = ERR_CONFLICT;
    return ERR_OK;
}

const uint8_t *age_file_key(const struct age_writer *w) { return w->secret->file_key; }

void age_writer_free(struct age_writer *w)
{
    if (!w)
        return;
    secret_release(w->secret);
    random_wipe(w->plain, sizeof w->plain);
    mem_free(w);
}
