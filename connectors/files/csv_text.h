/* What stands in a column of a file whose encoding nobody tells: UTF-8 if it is valid as such, else Latin-1.
 */
#ifndef FILES_CSV_TEXT_H
#define FILES_CSV_TEXT_H
#include "pds/base/err.h"
#include "pds/base/str.h"

#include <stddef.h>
#include <stdint.h>

/* Lower-case ASCII without accents, for comparing: "  Type de Données " is "type de donnees". Runs of
 * spaces of any kind are one space, byte order marks are nothing, what has no ASCII form is '?'. Cut to size
 * - 1 characters and NUL-ended; the length is returned. */
size_t csv_text_fold(struct str s, char *out, size_t size);

/* The same text in UTF-8 without spaces around, NUL-ended. ERR_TOO_LARGE, ERR_INVALID for control characters.
 */
MUST_CHECK enum err csv_text_utf8(struct str s, char *out, size_t size);

enum csv_value { CSV_MISSING, CSV_NUMBER, CSV_BROKEN };
/* A number with '.' or ',' as mark, as integer of scale parts a unit (str_scaled), spaces around it or
 * between groups of three digits. Empty, "NA" and "null" are missing, never zero. */
enum csv_value csv_text_number(struct str s, int64_t scale, int64_t *out);
#endif
