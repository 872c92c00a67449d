/* The target of a request line: its forms, and the segments of its path.
 *
 * A path is split on '/' first and each segment decoded once, so that "a%2Fb" stays
 * one segment and nothing is decoded twice (security brief 4.1). */
#ifndef HTTPD_TARGET_H
#define HTTPD_TARGET_H
#include "pds/base/arena.h"
#include "pds/base/err.h"
#include "pds/base/limits.h"
#include "pds/base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct target {
    struct str authority; /* of an absolute target ("http://host/path"); {NULL, 0} otherwise */
    struct str path;      /* raw, begins with '/' */
    struct str query;     /* raw, behind the '?'; {NULL, 0} without one */
};

struct segments {
    struct str at[LIMIT_URL_SEGMENTS]; /* decoded */
    size_t count;                      /* "/" has one, empty; "/a/" has two */
};

/* Views into text. ERR_INVALID for spaces, control characters, '#', and forms other than "/path" and
 * "http://host/path". */
MUST_CHECK enum err target_parse(struct str text, struct target *out);

/* Split a raw path "/@name/rest" into its name and "/rest". False, with both untouched, when it is none such:
 * a name is a small letter or digit, then up to LIMIT_STORE_NAME in all of these and '-'. */
bool target_mount(struct str *path, struct str *name);
/* Whether a text is such a name. */
bool target_is_name(struct str name);

/* The decoded segments of a raw path; those with an escape live in the arena. ERR_INVALID for a bad escape,
 * NUL, control character, bad UTF-8, "." or ".."; ERR_NOT_FOUND for more than LIMIT_URL_SEGMENTS. */
MUST_CHECK enum err target_segments(struct str path, struct arena *arena, struct segments *out);

/* One text decoded once, as above, '+' read as a space when plus is 1 (a query). */
MUST_CHECK enum err target_decode(struct str text, int plus, struct arena *arena, struct str *out);
#endif
