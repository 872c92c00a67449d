/* JSON for control messages, through jansson: strict reading under ceilings, typed getters
 * that name the path of what is wrong, and text for streams too large for a tree. */
#ifndef BASE_JSON_H
#define BASE_JSON_H
#include "pds/base/buf.h"
#include "pds/base/err.h"
#include "pds/base/str.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Once, before the first use by any thread: jansson allocates through mem, its hash is seeded. */
void json_start(void);

/* Read a whole text: at most LIMIT_JSON_DEPTH deep, LIMIT_JSON_KEYS keys an object, no key
 * twice, no NUL in a text. ERR_INVALID names line and column. *out is the caller's (json_decref). */
MUST_CHECK enum err json_read(struct str text, size_t max_bytes, json_t **out);
static inline void json_freep(json_t **j) { json_decref(*j); }

/* Compact text of a tree; object keys in the order they were set. */
void json_write(struct buf *out, const json_t *tree);

/* A text as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD. */
void json_quote(struct buf *out, struct str text);

/* Members of an object; `what` is missing or of another type: ERR_INVALID, the story names the key.
 * Texts are borrowed from the tree. */
MUST_CHECK enum err json_get_text(const json_t *object, const char *key, const char **out);
MUST_CHECK enum err json_get_int(const json_t *object, const char *key, int64_t *out);
MUST_CHECK enum err json_get_bool(const json_t *object, const char *key, bool *out);
MUST_CHECK enum err json_get_array(const json_t *object, const char *key, json_t **out);
MUST_CHECK enum err json_get_object(const json_t *object, const char *key, json_t **out);

/* ERR_INVALID when the object has a key that is not in the NULL-ended list. */
MUST_CHECK enum err json_only_keys(const json_t *object, const char *const keys[]);
#endif
