/* A key from a passphrase: Argon2id (RFC 9106), its cost kept beside the salt. */
#ifndef CRYPTO_PASSPHRASE_H
#define CRYPTO_PASSPHRASE_H
#include "pds/base/err.h"
#include "pds/crypto/secret.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PASSPHRASE_SALT_BYTES = 16,
    PASSPHRASE_PASSES_MIN = 3,
    PASSPHRASE_MEMORY_KIB_MIN = 64 * 1024,
    PASSPHRASE_PASSES_MAX = 64,
    PASSPHRASE_MEMORY_KIB_MAX = 4 * 1024 * 1024
};

struct passphrase_cost {
    uint32_t passes;
    uint32_t memory_kib;
};

/* What a machine of this memory should pay: 3 passes over 1/32 of it, between 64 and 256 MiB. */
struct passphrase_cost passphrase_cost_for(uint64_t memory_bytes);
/* What this one should pay: its memory, or less where its control group is held to less. */
struct passphrase_cost passphrase_cost_here(void);
bool passphrase_cost_is_valid(struct passphrase_cost c); /* within the bounds above */

/* 32 bytes from a passphrase into key. ERR_INVALID for a cost out of bounds, ERR_NO_MEMORY. Takes
 * 0.1 to 1 s by design. */
MUST_CHECK enum err passphrase_derive(const struct secret_text *passphrase,
                                      const uint8_t salt[static PASSPHRASE_SALT_BYTES],
                                      struct passphrase_cost cost, uint8_t key[static KEY_BYTES]);

/* Whether a new passphrase may be chosen: at least LIMIT_PASSPHRASE_MIN characters, valid UTF-8 and not
 * on the list of common ones. ERR_INVALID with a story that says which rule, in words for the owner. */
MUST_CHECK enum err passphrase_check_new(const struct secret_text *passphrase);
#endif
