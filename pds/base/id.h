/* Identifiers that sort by time: 26 characters of Crockford's base 32, 48 bits of
 * milliseconds and 80 random bits. */
#ifndef BASE_ID_H
#define BASE_ID_H
#include "pds/base/err.h"
#include "pds/base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { ID_CHARS = 26 };

/* A new id for the instant now_ms (milliseconds since 1970, UTC), NUL-ended. */
MUST_CHECK enum err id_make(int64_t now_ms, char out[static ID_CHARS + 1]);
bool id_is_valid(struct str text);
#endif
