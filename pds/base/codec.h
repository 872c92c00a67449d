/* Bytes as text and back: hex, base64, base64url, percent. Strict: exactly one text
 * stands for the same bytes, anything else is ERR_INVALID. */
#ifndef BASE_CODEC_H
#define BASE_CODEC_H
#include "pds/base/buf.h"
#include "pds/base/err.h"
#include "pds/base/str.h"

#include <stddef.h>
#include <stdint.h>

void codec_hex(struct buf *out, const void *bytes, size_t len);         /* lower case */
void codec_base64(struct buf *out, const void *bytes, size_t len);      /* RFC 4648 4, padded */
void codec_base64_bare(struct buf *out, const void *bytes, size_t len); /* the same without padding */
void codec_base64url(struct buf *out, const void *bytes, size_t len);   /* RFC 4648 5, no padding */

/* Into out of max bytes; *len tells how many. Canonical only (no stray bits, RFC 4648 3.5). */
MUST_CHECK enum err codec_unhex(struct str text, uint8_t *out, size_t max, size_t *len);
MUST_CHECK enum err codec_unbase64(struct str text, uint8_t *out, size_t max, size_t *len);
MUST_CHECK enum err codec_unbase64_bare(struct str text, uint8_t *out, size_t max, size_t *len);
MUST_CHECK enum err codec_unbase64url(struct str text, uint8_t *out, size_t max, size_t *len);

/* %XX decoded once into out. With plus, '+' is a space (a query). Refuses bad escapes, NUL,
 * control characters and what is not UTF-8. */
MUST_CHECK enum err codec_unpercent(struct str text, int plus, struct buf *out);
void codec_percent(struct buf *out, struct str text); /* all but RFC 3986 unreserved */
#endif
