/* Secrets in guarded memory: locked against swap, not dumped, wiped when freed.
 * One type a purpose, so that the compiler refuses a key in another's place. */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H
#include "pds/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { KEY_BYTES = 32 };

void secret_release(void *p);              /* wiped and given back; NULL is fine */
void *secret_alloc(size_t len) MUST_CHECK; /* guarded bytes set to zero, or NULL */

/* Text of a person: a passphrase or a recovery code as typed. */
struct secret_text {
    char *text; /* guarded, owned, NUL-ended */
    size_t len; /* bytes */
};
/* A copy of len bytes. ERR_TOO_LARGE over LIMIT_PASSPHRASE_BYTES. */
MUST_CHECK enum err secret_text_new(const char *text, size_t len, struct secret_text **out);
void secret_text_free(struct secret_text *s);
static inline void secret_text_freep(struct secret_text **s) { secret_text_free(*s); }

/* Declares struct NAME with 32 guarded bytes, NAME_new (bytes zero), NAME_free, NAME_freep. */
#define SECRET_KEY(name)                                                                                     \
    struct name {                                                                                            \
        uint8_t bytes[KEY_BYTES];                                                                            \
    };                                                                                                       \
    static inline struct name *name##_new(void) { return secret_alloc(sizeof(struct name)); }                \
    static inline void name##_free(struct name *k) { secret_release(k); }                                    \
    static inline void name##_freep(struct name **k) { secret_release(*k); }

SECRET_KEY(store_key)  /* the root: what the slots of keys.json wrap */
SECRET_KEY(slot_key)   /* wraps the store key in one slot */
SECRET_KEY(page_key)   /* seals pages of the database and frames of its log */
SECRET_KEY(anchor_key) /* seals the commit anchor */
SECRET_KEY(blob_key)   /* seals one file of the owner's */
SECRET_KEY(value_key)  /* seals small values (cursors, settings) */
SECRET_KEY(sign_seed)  /* Ed25519 seed of the store's signing key */
#endif
