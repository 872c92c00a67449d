#include "pds/archive/pack_internal.h"

#include "pds/base/limits.h"

#include <string.h>

/* One part of a name. A colon is a drive, or a stream of a file, elsewhere; a backslash a separator. */
static bool part_is_label(struct str part)
{
    if (part.len == 0 || part.len > LIMIT_FILE_NAME_BYTES || str_eq(part, STR(".")) ||
        str_eq(part, STR("..")))
        return false;
    for (size_t i = 0; i < part.len; i++) {
        unsigned char c = (unsigned char)part.ptr[i];

        if (c < ' ' || c == 0x7f || c == '\\' || c == ':')
            return false;
    }
    return str_is_utf8(part);
}

enum err pack_check_name(struct str name)
{
    struct str part;

    if (name.len == 0 || name.len > LIMIT_ARCHIVE_NAME_BYTES)
        return err_set(ERR_INVALID, "a name of %zu bytes in an archive", name.len);
    while (str_split(&name, '/', &part)) {
        if (!part_is_label(part))
            return err_set(ERR_INVALID, "a name in an archive that is no plain relative one");
    }
    return ERR_OK;
}

enum err pack_locale_new(locale_t *out)
{
    locale_t made = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);

    if (made == (locale_t)0)
        return err_set(ERR_UNSUPPORTED, "this system has no locale C.UTF-8, which archives need");
    *out = made;
    return ERR_OK;
}
