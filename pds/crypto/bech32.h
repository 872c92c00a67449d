/* Bech32 (BIP 173): bytes as text with a prefix and a checksum that finds up to four mistyped characters.
 * Without its limit of length, as age uses it. */
#ifndef CRYPTO_BECH32_H
#define CRYPTO_BECH32_H
#include "pds/base/err.h"
#include "pds/base/str.h"

#include <stddef.h>
#include <stdint.h>

/* The size of what bech32_write() fills for a prefix of so many characters and len bytes, a NUL included. */
#define BECH32_TEXT_BYTES(prefix_chars, len) ((prefix_chars) + 1 + ((len)*8 + 4) / 5 + 6 + 1)

/* prefix (lower case) and bytes as NUL-ended lower-case text into out of size bytes, which must be enough. */
void bech32_write(const char *prefix, const uint8_t *bytes, size_t len, char *out, size_t size);
/* Back: all lower or all upper case, the prefix (lower case) as given, len bytes exactly. ERR_INVALID tells
 * nothing of the text, which may be a secret. */
MUST_CHECK enum err bech32_read(struct str text, const char *prefix, uint8_t *out, size_t len);
#endif
