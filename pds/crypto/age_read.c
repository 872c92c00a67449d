#include "pds/crypto/age_internal.h"

#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/crypto/random.h"

#include <sodium.h>
#include <string.h>

struct age_reader {
    struct age_secret *secret; /* guarded, owned */
    uint64_t number;           /* of the chunk to be read next */
    bool last;                 /* the one marked as the last was read */
    bool end;                  /* nothing follows what was read */
    enum err err;              /* the first failure */
    size_t len, at;            /* of plain */
    size_t ahead;              /* sealed bytes read already: 0 or 1 */
    struct age_input input;
    uint8_t plain[AGE_CHUNK_BYTES];
    uint8_t sealed[AGE_CHUNK_BYTES + AGE_TAG_BYTES + 1]; /* and one byte of the next chunk */
};

static enum err read_header(struct age_reader *r, const struct age_keys *keys)
{
    AUTO(buf_done) struct buf header;
    uint8_t told[SHA256_BYTES], mac[SHA256_BYTES];
    struct str text;
    enum err e;

    buf_init(&header, LIMIT_AGE_HEADER_BYTES);
    if ((e = age_header_read(&r->input, &header, told)))
        return e;
    text = (struct str){header.data, header.len};
    if ((e = age_unwrap(text, keys, r->secret)))
        return e;
    age_header_mac(r->secret, text, mac);
    return random_equal(mac, told, sizeof mac)
               ? ERR_OK
               : err_set(ERR_CORRUPT, "the header of the age file was changed");
}

static enum err read_nonce(struct age_reader *r)
{
    uint8_t nonce[AGE_NONCE_BYTES];
    size_t got = 0;
    enum err e;

    if ((e = age_input_read(&r->input, nonce, sizeof nonce, &got)))
        return e;
    if (got < sizeof nonce)
        return err_set(ERR_CORRUPT, "the age file is cut behind its header");
    age_payload_key(r->secret, nonce);
    return ERR_OK;
}

enum err age_reader_new(const struct age_keys *keys, age_get *get, void *context, struct age_reader **out)
{
    AUTO(age_reader_freep) struct age_reader *r = mem_new(sizeof *r);
    enum err e;

    if (!r || !(r->secret = secret_alloc(sizeof *r->secret)))
        return err_set(ERR_NO_MEMORY, "reading an age file");
    if ((e = age_input_begin(&r->input, get, context)) || (e = read_header(r, keys)) || (e = read_nonce(r)))
        return e;
    *out = r;
    r = NULL; /* the caller's now */
    return ERR_OK;
}

static bool open_chunk(const struct age_reader *r, size_t sealed, bool last, uint8_t *out, size_t *len)
{
    uint8_t nonce[AGE_CHUNK_NONCE_BYTES];
    unsigned long long opened = 0;

    age_chunk_nonce(r->number, last, nonce);
    if (sealed < AGE_TAG_BYTES || (sealed == AGE_TAG_BYTES && r->number > 0) ||
        crypto_aead_chacha20poly1305_ietf_decrypt(out, &opened, NULL, r->sealed, sealed, NULL, 0, nonce,
                                                  r->secret->payload_key) != 0)
        return false;
    *len = (size_t)opened;
    return true;
}

/* Open the next chunk into out, of AGE_CHUNK_BYTES. */
static enum err read_chunk(struct age_reader *r, uint8_t *out, size_t *len)
{
    size_t got = 0, sealed;
    enum err e;

    if (r->last)
        return err_set(ERR_CORRUPT, "something follows the last chunk of the age file");
    if (r->end)
        return err_set(ERR_CORRUPT, "the age file is cut before chunk %llu", (unsigned long long)r->number);
    if ((e = age_input_read(&r->input, r->sealed + r->ahead, sizeof r->sealed - r->ahead, &got)))
        /* what breaks the armor this far into a file is damage */
        return e == ERR_INVALID ? err_wrap(ERR_CORRUPT, "chunk %llu", (unsigned long long)r->number) : e;
    sealed = r->ahead + got;
    r->end = sealed < sizeof r->sealed;
    if (!r->end)
        sealed--; /* the byte of the next chunk */
    /* A whole chunk without its place as the last, or out of it, is given out; what comes of it, next time.
     */
    r->last = sealed < AGE_CHUNK_BYTES + AGE_TAG_BYTES || !open_chunk(r, sealed, false, out, len);
    if (r->last && !open_chunk(r, sealed, true, out, len))
        return err_set(ERR_CORRUPT, "chunk %llu of the age file was changed, or the file is cut there",
                       (unsigned long long)r->number);
    r->sealed[0] = r->sealed[sizeof r->sealed - 1];
    r->ahead = !r->end;
    r->number++;
    return ERR_OK;
}

enum err age_read(struct age_reader *r, void *out, size_t size, size_t *got)
{
    size_t part;

    if (r->err)
        return err_set(r->err, "an age file that failed already");
    if (size >= AGE_CHUNK_BYTES && r->at == r->len && !(r->last && r->end)) {
        r->err = read_chunk(r, out, got);
        return r->err;
    }
    if (r->at == r->len && !(r->last && r->end)) {
        r->at = r->len = 0;
        if ((r->err = read_chunk(r, r->plain, &r->len)))
            return r->err;
    }
    part = r->len - r->at < size ? r->len - r->at : size;
    memcpy(out, r->plain + r->at, part);
    r->at += part;
    *got = part;
    return ERR_OK;
}

const uint8_t *age_reader_key(const struct age_reader *r) { return r->secret->file_key; }

void age_reader_free(struct age_reader *r)
{
    if (!r)
        return;
    secret_release(r->secret);
    random_wipe(r->plain, sizeof r->plain);
    mem_free(r);
}
