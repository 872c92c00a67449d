/* Between pack.c (names, the character set), pack_write.c and pack_read.c. */
#ifndef ARCHIVE_PACK_INTERNAL_H
#define ARCHIVE_PACK_INTERNAL_H
#include "pds/archive/pack.h"

#include <locale.h>
#include <stdbool.h>

enum { PACK_CHUNK_BYTES = 64 * 1024 };

/* ERR_INVALID unless a name is a label: relative, parts of at most LIMIT_FILE_NAME_BYTES between "/", none of
 * them empty, "." or "..", UTF-8, no control character, backslash or colon. */
MUST_CHECK enum err pack_check_name(struct str name);

/* libarchive takes names to be in the character set of the thread's locale. This one is UTF-8; made once a
 * writer or reader, and put in place around each call of the library. */
MUST_CHECK enum err pack_locale_new(locale_t *out);
static inline void pack_locale_back(const locale_t *before) { (void)uselocale(*before); }
#define WITH_LOCALE(locale)                                                                                  \
    AUTO(pack_locale_back) __attribute__((unused)) locale_t locale_before_ = uselocale(locale)
#endif
