/* Borrowed text: a pointer and a length, no NUL needed. Never owns. */
#ifndef BASE_STR_H
#define BASE_STR_H
#include "pds/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *ptr;
    size_t len; /* bytes */
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
/* The same for a row of a constant table, where C wants an initializer. */
#define STR_ROW(literal)                                                                                     \
    {                                                                                                        \
        "" literal, sizeof(literal) - 1                                                                      \
    }
/* For printf: printf("%.*s", STR_ARGS(s)) */
#define STR_ARGS(s) (int)(s).len, (s).ptr

struct str str_of(const char *text); /* of a C string; NULL gives an empty one */
bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII letters alike in either case */
bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
struct str str_trim(struct str s); /* without ASCII and no-break (C2 A0, E2 80 AF) spaces at both ends */

/* The part before the first `at`, taken off the front of *rest along with that byte.
 * Without one: all of *rest, which is then {NULL, 0}. False when *rest.ptr is NULL already. */
bool str_split(struct str *rest, char at, struct str *part);

/* A whole decimal number with an optional sign, nothing else around it. ERR_INVALID otherwise. */
MUST_CHECK enum err str_int64(struct str s, int64_t *out);

/* A decimal number with '.' or ',' as mark, as round-half-away integer of scale parts a unit:
 * str_scaled("0,984", 1000) is 984. However many digits it has, the outcome is exact. Leading
 * zeros, a sign and ",5" are fine; "5,", exponents and spaces are not. scale is 1 to INT64_MAX / 10. */
MUST_CHECK enum err str_scaled(struct str s, int64_t scale, int64_t *out);

/* Bytes of the character at the front of s; 0 when s is empty or what stands there is not UTF-8
 * (surrogates and overlong forms are not). */
size_t str_utf8_len(struct str s);
/* The whole of s is characters as above; the empty text is. */
bool str_is_utf8(struct str s);

/* Copy with a NUL into at of size bytes; ERR_TOO_LARGE when it does not fit or holds a NUL. */
MUST_CHECK enum err str_copy(struct str s, char *at, size_t size_bytes);
/* A copy with a NUL, the caller's (mem_free). ERR_NO_MEMORY. */
MUST_CHECK enum err str_keep(struct str s, char **out);
#endif
