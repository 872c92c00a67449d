/* The start of cryptography, random bytes, constant-time comparison, wiping. */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H
#include "pds/base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Once, before anything else of pds/crypto, by any number of threads. */
MUST_CHECK enum err random_start(void);
void random_bytes(void *out, size_t len);
/* The same, from a buffer of this thread refilled seldom: for nonces (decision 0003). Forgotten at fork. */
void random_nonce(void *out, size_t len);
bool random_equal(const void *a, const void *b, size_t len); /* in constant time */
void random_wipe(void *p, size_t len);
#endif
