/* Between the parts of age: age.c (keys as text), age_wrap.c (the file key and what wraps it), age_header.c
 * (the lines of the header), age_armor.c (bytes in, armor taken off), age_write.c, age_read.c. */
#ifndef CRYPTO_AGE_INTERNAL_H
#define CRYPTO_AGE_INTERNAL_H
#include "pds/base/str.h"
#include "pds/crypto/age.h"
#include "pds/crypto/sha256.h"

#include <stdbool.h>

enum {
    AGE_WRAPPED_BYTES = AGE_FILE_KEY_BYTES + 16, /* sealed with a tag */
    AGE_SALT_BYTES = 16,                         /* of scrypt */
    AGE_NONCE_BYTES = 16,                        /* of the payload */
    AGE_CHUNK_BYTES = 64 * 1024,
    AGE_TAG_BYTES = 16,
    AGE_LINE_CHARS = 64,
    AGE_LINE_BYTES = AGE_LINE_CHARS / 4 * 3,
    AGE_WORK_FACTOR_MAX = 22,
    AGE_ARGUMENTS_MAX = 4, /* told apart; of a stanza with more the first ones are kept */
};

#define AGE_FIRST_LINE "age-encryption.org/v1"

SECRET_KEY(wrap_key) /* seals the file key in one stanza */

/* The keys of one file. */
struct age_secret {
    uint8_t file_key[AGE_FILE_KEY_BYTES];
    uint8_t payload_key[KEY_BYTES];
};

/* Bytes of a file, their armor taken off. */
struct age_input {
    age_get *get;
    void *context;
    bool armored;
    bool over;       /* the armor's last line was read */
    size_t len, at;  /* of raw */
    size_t text_len; /* of the line's bytes, decoded */
    size_t text_at;  /* taken of them */
    uint64_t lines;  /* of the armor so far */
    bool last_line;  /* a short line was read: only the end may follow */
    uint8_t text[AGE_LINE_BYTES];
    uint8_t raw[16 * 1024];
};
/* Looks at the first byte. ERR_UNSUPPORTED when it begins no age file. */
MUST_CHECK enum err age_input_begin(struct age_input *in, age_get *get, void *context);
/* size bytes; *got is less only at the end. */
MUST_CHECK enum err age_input_read(struct age_input *in, void *out, size_t size, size_t *got);

/* One wrapping of the file key. Texts are borrowed from the header. */
struct age_stanza {
    struct str arguments[AGE_ARGUMENTS_MAX];
    size_t argument_count; /* all of them */
    size_t body_len;       /* bytes; those of a longer body are not kept */
    uint8_t body[AGE_WRAPPED_BYTES];
};
/* Read a header: all that its MAC covers into text, and the MAC. Its form is checked. */
MUST_CHECK enum err age_header_read(struct age_input *in, struct buf *text, uint8_t mac[static SHA256_BYTES]);
/* Take the next stanza off the front of what age_header_read() gave, first line included. ERR_NOT_FOUND when
 * the mark of the end is reached; *rest.ptr is left there. */
MUST_CHECK enum err age_header_next(struct str *rest, struct age_stanza *out);

/* Add the stanza that wraps the file key. */
MUST_CHECK enum err age_wrap_recipient(const struct age_secret *s,
                                       const uint8_t recipient[static AGE_RECIPIENT_BYTES], struct buf *out);
MUST_CHECK enum err age_wrap_passphrase(const struct age_secret *s, const struct secret_text *passphrase,
                                        int work_factor, struct buf *out);
/* Find the file key in a header's stanzas. ERR_WRONG_KEY when none is for these keys. */
MUST_CHECK enum err age_unwrap(struct str header, const struct age_keys *keys, struct age_secret *out);
/* The MAC of a header's text. */
void age_header_mac(const struct age_secret *s, struct str text, uint8_t mac[static SHA256_BYTES]);
void age_payload_key(struct age_secret *s, const uint8_t nonce[static AGE_NONCE_BYTES]);

/* The nonce of a chunk. */
enum { AGE_CHUNK_NONCE_BYTES = 12 };
void age_chunk_nonce(uint64_t number, bool last, uint8_t out[static AGE_CHUNK_NONCE_BYTES]);
#endif
