#include "pds/base/str.h"

#include "pds/base/mem.h"

#include <assert.h>
#include <string.h>

static unsigned char lower(char c)
{
    unsigned char u = (unsigned char)c;

    return u >= 'A' && u <= 'Z' ? (unsigned char)(u + ('a' - 'A')) : u;
}

static bool same_bytes(const char *a, const char *b, size_t len)
{
    return len == 0 || memcmp(a, b, len) == 0;
}

static bool same_nocase(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

struct str str_of(const char *text)
{
    if (!text)
        text = "";
    return (struct str){text, strlen(text)};
}

bool str_eq(struct str a, struct str b) { return a.len == b.len && same_bytes(a.ptr, b.ptr, a.len); }

bool str_eq_nocase(struct str a, struct str b) { return a.len == b.len && same_nocase(a.ptr, b.ptr, a.len); }

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && same_bytes(s.ptr, prefix.ptr, prefix.len);
}

bool str_starts_nocase(struct str s, struct str prefix)
{
    return s.len >= prefix.len && same_nocase(s.ptr, prefix.ptr, prefix.len);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || same_bytes(s.ptr + (s.len - suffix.len), suffix.ptr, suffix.len));
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Bytes of the space at the front of s; 0 when there is none. */
static size_t space_front(struct str s)
{
    if (s.len && is_space(s.ptr[0]))
        return 1;
    if (str_starts(s, STR("\xC2\xA0"))) /* no-break */
        return 2;
    return str_starts(s, STR("\xE2\x80\xAF")) ? 3 : 0; /* narrow no-break */
}

static size_t space_back(struct str s)
{
    if (s.len && is_space(s.ptr[s.len - 1]))
        return 1;
    if (str_ends(s, STR("\xC2\xA0")))
        return 2;
    return str_ends(s, STR("\xE2\x80\xAF")) ? 3 : 0;
}

struct str str_trim(struct str s)
{
    size_t n;

    while ((n = space_front(s)) > 0)
        s = (struct str){s.ptr + n, s.len - n};
    while ((n = space_back(s)) > 0)
        s.len -= n;
    return s;
}

bool str_split(struct str *rest, char at, struct str *part)
{
    const char *hit;
    size_t before;

    if (!rest->ptr)
        return false;
    hit = rest->len ? memchr(rest->ptr, at, rest->len) : NULL;
    if (!hit) {
        *part = *rest;
        *rest = (struct str){NULL, 0};
        return true;
    }
    before = (size_t)(hit - rest->ptr);
    *part = (struct str){rest->ptr, before};
    *rest = (struct str){hit + 1, rest->len - before - 1};
    return true;
}

/* Take a sign off the front; true for '-'. */
static bool take_sign(struct str *s)
{
    bool minus;

    if (s->len == 0 || (s->ptr[0] != '-' && s->ptr[0] != '+'))
        return false;
    minus = s->ptr[0] == '-';
    *s = (struct str){s->ptr + 1, s->len - 1};
    return minus;
}

/* Digits off the front of s as a number; how many there were. *fits falls when it is too large. */
static size_t take_digits(struct str *s, uint64_t *out, bool *fits)
{
    uint64_t n = 0;
    size_t i = 0;

    for (; i < s->len && s->ptr[i] >= '0' && s->ptr[i] <= '9'; i++) {
        uint64_t digit = (uint64_t)(s->ptr[i] - '0');
        if (__builtin_mul_overflow(n, (uint64_t)10, &n) || __builtin_add_overflow(n, digit, &n))
            *fits = false;
    }
    *out = n;
    *s = (struct str){s->ptr + i, s->len - i};
    return i;
}

static enum err signed_number(bool minus, bool fits, uint64_t size, int64_t *out)
{
    if (!fits || size > (uint64_t)INT64_MAX + (minus ? 1 : 0))
        return err_set(ERR_INVALID, "a number past 64 bits");
    *out = minus ? (int64_t)(0 - size) : (int64_t)size;
    return ERR_OK;
}

enum err str_int64(struct str s, int64_t *out)
{
    size_t len = s.len;
    bool minus = take_sign(&s);
    bool fits = true;
    uint64_t n;

    if (take_digits(&s, &n, &fits) == 0 || s.len)
        return err_set(ERR_INVALID, "not a whole number, %zu bytes", len);
    return signed_number(minus, fits, n, out);
}

/* The digits behind the mark as parts of a unit, rounded. From the last digit to the first: what is
 * cut off by each division can no more change the outcome, so any number of digits is exact. */
static uint64_t fraction_parts(struct str digits, uint64_t scale)
{
    uint64_t tenths = 0;

    for (size_t i = digits.len; i-- > 0;)
        tenths = tenths / 10 + (uint64_t)(digits.ptr[i] - '0') * scale;
    return tenths / 10 + (tenths % 10 >= 5);
}

enum err str_scaled(struct str s, int64_t scale, int64_t *out)
{
    size_t len = s.len, whole_digits, fraction_digits = 1;
    bool minus = take_sign(&s);
    bool fits = true, ignored = true;
    uint64_t n, unused;
    struct str fraction = {NULL, 0};

    assert(scale > 0 && scale <= INT64_MAX / 10);
    whole_digits = take_digits(&s, &n, &fits);
    if (s.len && (s.ptr[0] == '.' || s.ptr[0] == ',')) {
        s = (struct str){s.ptr + 1, s.len - 1};
        fraction.ptr = s.ptr;
        fraction_digits = fraction.len = take_digits(&s, &unused, &ignored);
    }
    if (s.len || fraction_digits == 0 || (whole_digits == 0 && fraction.len == 0))
        return err_set(ERR_INVALID, "not a decimal number, %zu bytes", len);
    if (__builtin_mul_overflow(n, (uint64_t)scale, &n) ||
        __builtin_add_overflow(n, fraction_parts(fraction, (uint64_t)scale), &n))
        fits = false;
    return signed_number(minus, fits, n, out);
}

size_t str_utf8_len(struct str s)
{
    const unsigned char *b = (const unsigned char *)s.ptr;
    unsigned char least = 0x80, most = 0xBF; /* of the second byte: Unicode 15, table 3-7 */
    size_t len;

    if (s.len == 0)
        return 0;
    if (b[0] < 0x80)
        return 1;
    if (b[0] < 0xC2 || b[0] > 0xF4)
        return 0;
    len = b[0] < 0xE0 ? 2 : b[0] < 0xF0 ? 3 : 4;
    if (b[0] == 0xE0)
        least = 0xA0; /* overlong below */
    else if (b[0] == 0xED)
        most = 0x9F; /* surrogates above */
    else if (b[0] == 0xF0)
        least = 0x90;
    else if (b[0] == 0xF4)
        most = 0x8F; /* past U+10FFFF */
    if (s.len < len || b[1] < least || b[1] > most)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((b[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

bool str_is_utf8(struct str s)
{
    while (s.len) {
        uint64_t eight = UINT64_C(0x80);
        size_t n;
        if (s.len >= sizeof eight)
            memcpy(&eight, s.ptr, sizeof eight);
        if ((eight & UINT64_C(0x8080808080808080)) == 0)
            n = sizeof eight;
        else if ((n = str_utf8_len(s)) == 0)
            return false;
        s = (struct str){s.ptr + n, s.len - n};
    }
    return true;
}

enum err str_keep(struct str s, char **out)
{
    char *copy = mem_text(s.ptr ? s.ptr : "", s.len);

    if (!copy)
        return err_set(ERR_NO_MEMORY, "a text of %zu bytes", s.len);
    *out = copy;
    return ERR_OK;
}

enum err str_copy(struct str s, char *at, size_t size_bytes)
{
    if (s.len >= size_bytes)
        return err_set(ERR_TOO_LARGE, "a text of %zu bytes where %zu are the most", s.len,
                       size_bytes ? size_bytes - 1 : 0);
    if (s.len && memchr(s.ptr, '\0', s.len))
        return err_set(ERR_TOO_LARGE, "a text with a NUL");
    if (s.len)
        memcpy(at, s.ptr, s.len);
    at[s.len] = '\0';
    return ERR_OK;
}
