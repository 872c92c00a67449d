/* Canonical JSON (RFC 8785): one text for one value, to be hashed and signed. */
#ifndef BASE_CANON_H
#define BASE_CANON_H
#include "pds/base/buf.h"
#include "pds/base/err.h"
#include "pds/base/str.h"

#include <jansson.h>

/* Add the canonical text of a tree to out. ERR_INVALID for what RFC 8785 does not allow: a whole number over
 * 2^53, a text that is not UTF-8; ERR_TOO_LARGE deeper than LIMIT_JSON_DEPTH. On failure out may have grown.
 */
MUST_CHECK enum err canon_write(struct buf *out, const json_t *tree);
/* The same for one text. */
MUST_CHECK enum err canon_text(struct buf *out, struct str text);
#endif
