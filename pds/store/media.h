/* What kind of bytes a file holds: told by the bytes and the name, never by who sends it. */
#ifndef STORE_MEDIA_H
#define STORE_MEDIA_H
#include "pds/base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum { MEDIA_HEAD_BYTES = 1024 }; /* enough of a file's front to tell */

/* The media type, a constant: of a short list, "application/octet-stream" for all else. Nothing that a
 * browser would run (HTML, SVG, scripts) has a type of its own here. */
const char *media_type_of(const void *head, size_t len, struct str file);
/* Whether a page may show it in a frame or an image. */
bool media_is_shown(struct str type);
/* Whether it is text whose words are searched. */
bool media_is_text(struct str type);
#endif
