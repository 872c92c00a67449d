/* Names of files within an export. */
#include "pds/portable/export_internal.h"

#include <string.h>

/* U+00C0 to U+00FF without what stands over and under the letters. */
static const char LATIN[] = "AAAAAAACEEEEIIIIDNOOOOO-OUUUUYTsaaaaaaaceeeeiiiidnooooo-ouuuuyty";

static char plain(struct str rest, size_t len, bool dots)
{
    unsigned char c = (unsigned char)rest.ptr[0], next = len == 2 ? (unsigned char)rest.ptr[1] : 0;

    if (len == 2 && c == 0xC3)
        return LATIN[next - 0x80];
    if (len != 1)
        return '-';
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
        (c == '.' && dots))
        return (char)c;
    return '-';
}

void export_name(struct buf *out, struct str text, bool dots, size_t most)
{
    size_t begun = out->len;

    for (size_t i = 0, len; i < text.len && out->len - begun < most; i += len) {
        struct str rest = {text.ptr + i, text.len - i};
        char c;

        len = str_utf8_len(rest);
        c = len ? plain(rest, len, dots) : '-';
        len = len ? len : 1;
        /* Neither first nor twice: no hidden file, no option, no "..". */
        if ((c == '-' || c == '.') && (out->len == begun || strchr("-.", out->data[out->len - 1])))
            continue;
        buf_char(out, c);
    }
    while (out->len > begun && !out->err && strchr("-.", out->data[out->len - 1]))
        out->data[--out->len] = '\0';
    if (out->len == begun)
        buf_char(out, '_');
}
