#include "connectors/files/csv_text.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { NO_BREAK = 0xA0, NARROW_NO_BREAK = 0x202F, MARK = 0xFEFF, NUMBER_BYTES = 48 };

/* U+00C0 to U+00FF without their accents. */
static const char PLAIN[64 + 1] = "aaaaaaaceeeeiiiidnooooo?ouuuuy?saaaaaaaceeeeiiiidnooooo?ouuuuy?y";

/* The code point at the front of s, taken off it. */
static uint32_t take(struct str *s, bool utf8)
{
    const unsigned char *b = (const unsigned char *)s->ptr;
    size_t len = utf8 ? str_utf8_len(*s) : 1;
    uint32_t point = b[0];

    if (len > 1)
        point &= 0xFFU >> (len + 1);
    for (size_t i = 1; i < len; i++)
        point = point << 6 | (b[i] & 0x3FU);
    *s = (struct str){s->ptr + len, s->len - len};
    return point;
}

static bool is_space(uint32_t point) { return point <= ' ' || point == NO_BREAK || point == NARROW_NO_BREAK; }

/* '\0' for what leaves no trace: marks, and accents that stand for themselves. */
static char plain(uint32_t point)
{
    if (point == MARK || (point >= 0x300 && point <= 0x36F))
        return '\0';
    if (point >= 'A' && point <= 'Z')
        return (char)(point + ('a' - 'A'));
    if (point < 0x7F)
        return (char)point;
    return point >= 0xC0 && point <= 0xFF ? PLAIN[point - 0xC0] : '?';
}

size_t csv_text_fold(struct str s, char *out, size_t size)
{
    bool utf8 = str_is_utf8(s), gap = false;
    size_t len = 0;

    assert(size > 0);
    while (s.len > 0) {
        uint32_t point = take(&s, utf8);
        char c = is_space(point) ? ' ' : plain(point);

        if (c == ' ')
            gap = len > 0;
        if (c == ' ' || c == '\0')
            continue;
        if (len + gap + 1 >= size)
            break;
        if (gap)
            out[len++] = ' ';
        gap = false;
        out[len++] = c;
    }
    out[len] = '\0';
    return len;
}

/* Spaces at the end, no-break ones of both encodings among them. */
static struct str trim(struct str s)
{
    s = str_trim(s);
    if (s.len == 0 || ((unsigned char)s.ptr[0] != NO_BREAK && (unsigned char)s.ptr[s.len - 1] != NO_BREAK) ||
        str_is_utf8(s))
        return s;
    while (s.len > 0 && ((unsigned char)s.ptr[0] == NO_BREAK || s.ptr[0] == ' '))
        s = (struct str){s.ptr + 1, s.len - 1};
    while (s.len > 0 && ((unsigned char)s.ptr[s.len - 1] == NO_BREAK || s.ptr[s.len - 1] == ' '))
        s.len--;
    return s;
}

enum err csv_text_utf8(struct str s, char *out, size_t size)
{
    bool utf8;
    size_t len = 0;

    s = trim(s);
    utf8 = str_is_utf8(s);
    while (s.len > 0) {
        struct str before = s;
        uint32_t point = take(&s, utf8);
        size_t taken = before.len - s.len;

        if (point < ' ' || (point >= 0x7F && point < NO_BREAK))
            return err_set(ERR_INVALID, "a control character");
        if (len + (utf8 || point < 0x80 ? taken : 2) >= size)
            return err_set(ERR_TOO_LARGE, "%zu bytes of text", before.len);
        if (utf8 || point < 0x80) {
            memcpy(out + len, before.ptr, taken);
            len += taken;
        } else {
            out[len++] = (char)(0xC0 | point >> 6);
            out[len++] = (char)(0x80 | (point & 0x3F));
        }
    }
    out[len] = '\0';
    return ERR_OK;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Bytes of a space between groups of digits at the front of s; 0 when there is none. */
static size_t group_space(struct str s)
{
    if (s.len > 0 && (s.ptr[0] == ' ' || (unsigned char)s.ptr[0] == NO_BREAK))
        return 1;
    if (str_starts(s, STR("\xC2\xA0")))
        return 2;
    return str_starts(s, STR("\xE2\x80\xAF")) ? 3 : 0;
}

/* Three digits, and then not a fourth. */
static bool is_group(struct str s)
{
    return s.len >= 3 && is_digit(s.ptr[0]) && is_digit(s.ptr[1]) && is_digit(s.ptr[2]) &&
           (s.len == 3 || !is_digit(s.ptr[3]));
}

/* The number without the spaces between its groups; false when it is too long to be one. */
static bool compact(struct str s, char *out, size_t *len)
{
    *len = 0;
    while (s.len > 0) {
        size_t gap = *len > 0 && is_digit(out[*len - 1]) ? group_space(s) : 0;

        if (gap && is_group((struct str){s.ptr + gap, s.len - gap}))
            s = (struct str){s.ptr + gap, s.len - gap};
        if (*len == NUMBER_BYTES)
            return false;
        out[(*len)++] = s.ptr[0];
        s = (struct str){s.ptr + 1, s.len - 1};
    }
    return true;
}

static bool is_missing(struct str s)
{
    return s.len == 0 || str_eq_nocase(s, STR("na")) || str_eq_nocase(s, STR("null"));
}

enum csv_value csv_text_number(struct str s, int64_t scale, int64_t *out)
{
    char text[NUMBER_BYTES];
    int64_t n = 0;
    size_t i = 0, len;

    while (i < s.len && i < 10 && is_digit(s.ptr[i]))
        n = n * 10 + (s.ptr[i++] - '0');
    if (i == s.len && i > 0 && scale <= 1000000) { /* nearly all of them */
        *out = n * scale;
        return CSV_NUMBER;
    }
    s = trim(s);
    if (is_missing(s))
        return CSV_MISSING;
    if (!compact(s, text, &len) || str_scaled((struct str){text, len}, scale, out))
        return CSV_BROKEN;
    return CSV_NUMBER;
}
