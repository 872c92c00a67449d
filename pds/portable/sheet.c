#include "pds/portable/sheet.h"

#include "pds/base/clock.h"

#include <string.h>

/* Marks at which some program splits a line: behind one, a cell may begin. */
static bool is_mark(char c)
{
    return c == ',' || c == ';' || c == '|' || c == '\t' || c == '\n' || c == '\r';
}

/* What may stand before the first character of a cell without being it. */
static bool is_blank(char c) { return c == '"' || c == ' '; }

/* Bytes of a character that begins a formula; 0 when it does not. "＝", "＋", "－", "＠" count in some
 * languages. */
static size_t formula_len(struct str rest)
{
    static const char *const WIDE[] = {"\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"};

    if (rest.len && strchr("=+-@'\t\r", rest.ptr[0]))
        return 1;
    for (size_t i = 0; i < sizeof WIDE / sizeof *WIDE; i++) {
        if (str_starts(rest, str_of(WIDE[i])))
            return 3;
    }
    return 0;
}

static void put_byte(struct buf *out, char c)
{
    if (c == '"')
        buf_char(out, '"');
    buf_char(out, c);
}

static bool needs_quotes(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == ' ' || is_mark(text.ptr[i]))
            return true;
    }
    return false;
}

void sheet_text(struct buf *out, struct str text)
{
    bool quoted = needs_quotes(text), begins = true;

    if (quoted)
        buf_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (begins && text.ptr[i] && formula_len((struct str){text.ptr + i, text.len - i}))
            buf_char(out, '\'');
        put_byte(out, c);
        begins = is_mark(c) || (begins && is_blank(c));
    }
    if (quoted)
        buf_char(out, '"');
}

void sheet_instant(struct buf *out, int64_t at)
{
    char text[CLOCK_TEXT_BYTES];

    clock_text(at, text);
    buf_add(out, text, CLOCK_TEXT_BYTES - 1);
}

struct str sheet_read_text(const struct sheet *s, size_t i)
{
    char *text = (char *)s->fields[i].ptr; /* within the reader's own buffer */
    size_t len = s->fields[i].len, kept = 0;
    bool begins = true;

    for (size_t at = 0; at < len; at++) {
        if (begins && text[at] == '\'' && at + 1 < len)
            at++; /* what stands behind it is the text */
        text[kept] = text[at];
        begins = is_mark(text[kept]) || (begins && is_blank(text[kept]));
        kept++;
    }
    return (struct str){text, kept};
}
