/* age v1 files (https://age-encryption.org/v1, C2SP age.md): what backups are, so that they open without us.
 *
 * Written for one X25519 recipient or for one passphrase (scrypt); read with an identity, a passphrase, or
 * the file key of the writer. Payload in chunks of 64 KiB, each authenticated, the last one marked. */
#ifndef CRYPTO_AGE_H
#define CRYPTO_AGE_H
#include "pds/base/buf.h"
#include "pds/base/err.h"
#include "pds/base/str.h"
#include "pds/crypto/recovery.h"
#include "pds/crypto/secret.h"

#include <stddef.h>
#include <stdint.h>

enum { AGE_RECIPIENT_BYTES = 32, AGE_FILE_KEY_BYTES = 16 };

SECRET_KEY(age_identity) /* an X25519 secret */

/* The backup identity of a store, from the bits of its recovery code: docs/keys.md. */
void age_identity_of_code(const uint8_t bits[static RECOVERY_BYTES], struct age_identity *out);
/* The same of a code as typed. ERR_INVALID when it is mistyped. */
MUST_CHECK enum err age_identity_of(const struct secret_text *code, struct age_identity **out);
MUST_CHECK enum err age_recipient_of(const struct age_identity *identity,
                                     uint8_t out[static AGE_RECIPIENT_BYTES]);
/* "AGE-SECRET-KEY-1…" and back (Bech32); "age1…" and back. ERR_INVALID. */
MUST_CHECK enum err age_identity_text(const struct age_identity *identity, struct secret_text **out);
MUST_CHECK enum err age_identity_read(const struct secret_text *text, struct age_identity **out);
void age_recipient_text(struct buf *out, const uint8_t recipient[static AGE_RECIPIENT_BYTES]);
MUST_CHECK enum err age_recipient_read(struct str text, uint8_t out[static AGE_RECIPIENT_BYTES]);

/* Takes bytes of the file, in order. */
typedef enum err age_put(void *context, const void *bytes, size_t len);
/* Gives up to size bytes of the file, in order; *got 0 at its end. */
typedef enum err age_get(void *context, void *out, size_t size, size_t *got);

struct age_writer;
MUST_CHECK enum err age_writer_new(const uint8_t recipient[static AGE_RECIPIENT_BYTES], age_put *put,
                                   void *context, struct age_writer **out);
/* work_factor is log2 of scrypt's N; 18 is the age program's. */
MUST_CHECK enum err age_writer_new_passphrase(const struct secret_text *passphrase, int work_factor,
                                              age_put *put, void *context, struct age_writer **out);
MUST_CHECK enum err age_write(struct age_writer *w, const void *bytes, size_t len);
MUST_CHECK enum err age_finish(struct age_writer *w);
/* To read back what was written without the identity: AGE_FILE_KEY_BYTES, borrowed. */
const uint8_t *age_file_key(const struct age_writer *w);
void age_writer_free(struct age_writer *w);
static inline void age_writer_freep(struct age_writer **w) { age_writer_free(*w); }

/* What opens a file: one of them, the others NULL. */
struct age_keys {
    const struct age_identity *identity;
    const struct secret_text *passphrase; /* work factor at most 22 */
    const uint8_t *file_key;
};
struct age_reader;
/* Reads the header. ERR_UNSUPPORTED when it is no age v1 file, ERR_INVALID when its header breaks the format,
 * ERR_WRONG_KEY when it is for others. Armor is read too. */
MUST_CHECK enum err age_reader_new(const struct age_keys *keys, age_get *get, void *context,
                                   struct age_reader **out);
/* Up to size plain bytes, all of them verified; *got 0 at the end, and only when the last chunk was marked
 * so. ERR_CORRUPT names the chunk. */
MUST_CHECK enum err age_read(struct age_reader *r, void *out, size_t size, size_t *got);
/* What opens the same file again, without the work that a passphrase takes: AGE_FILE_KEY_BYTES, borrowed. */
const uint8_t *age_reader_key(const struct age_reader *r);
void age_reader_free(struct age_reader *r);
static inline void age_reader_freep(struct age_reader **r) { age_reader_free(*r); }
#endif
