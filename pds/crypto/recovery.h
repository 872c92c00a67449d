/* A recovery code: 128 random bits that one can print, with a checksum.
 * Written as 6 groups of 5 characters of Crockford's base 32 (26 for the bits, 4 for the
 * checksum): "7Q2MX-…". Reading is lenient about case, spaces, dashes and O/0, I/L/1. */
#ifndef CRYPTO_RECOVERY_H
#define CRYPTO_RECOVERY_H
#include "pds/base/err.h"
#include "pds/base/str.h"
#include "pds/crypto/secret.h"

enum { RECOVERY_BYTES = 16, RECOVERY_TEXT_BYTES = 36 };

/* A new code as printable text (RECOVERY_TEXT_BYTES - 1 characters). */
MUST_CHECK enum err recovery_make(struct secret_text **code);
/* The bits of a code as typed; ERR_INVALID when the checksum or the shape is wrong (a typing error,
 * told apart from a code of another store). */
MUST_CHECK enum err recovery_read(const struct secret_text *code, uint8_t bits[static RECOVERY_BYTES]);
#endif
