#include "pds/base/codec.h"

#include <string.h>

static const char HEX_LOWER[] = "0123456789abcdef";
static const char HEX_UPPER[] = "0123456789ABCDEF";
static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char BASE64URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void codec_hex(struct buf *out, const void *bytes, size_t len)
{
    const uint8_t *b = bytes;
    char *to = buf_reserve(out, len * 2 < len ? SIZE_MAX : len * 2);

    if (!to)
        return;
    for (size_t i = 0; i < len; i++) {
        to[2 * i] = HEX_LOWER[b[i] >> 4];
        to[2 * i + 1] = HEX_LOWER[b[i] & 15];
    }
    buf_grew(out, len * 2);
}

/* The last 1 or 2 bytes as 2 or 3 characters; how many. */
static size_t base64_tail(const uint8_t *b, size_t len, const char alphabet[static 64], char *to)
{
    if (len == 0)
        return 0;
    to[0] = alphabet[b[0] >> 2];
    if (len == 1) {
        to[1] = alphabet[(b[0] & 3) << 4];
        return 2;
    }
    to[1] = alphabet[(b[0] & 3) << 4 | b[1] >> 4];
    to[2] = alphabet[(b[1] & 15) << 2];
    return 3;
}

static void base64(struct buf *out, const uint8_t *b, size_t len, const char alphabet[static 64], int padded)
{
    char *start = buf_reserve(out, len > SIZE_MAX / 2 ? SIZE_MAX : (len + 2) / 3 * 4), *to = start;

    if (!start)
        return;
    for (; len >= 3; len -= 3, b += 3) {
        *to++ = alphabet[b[0] >> 2];
        *to++ = alphabet[(b[0] & 3) << 4 | b[1] >> 4];
        *to++ = alphabet[(b[1] & 15) << 2 | b[2] >> 6];
        *to++ = alphabet[b[2] & 63];
    }
    to += base64_tail(b, len, alphabet, to);
    while (padded && (to - start) % 4)
        *to++ = '=';
    buf_grew(out, (size_t)(to - start));
}

void codec_base64(struct buf *out, const void *bytes, size_t len) { base64(out, bytes, len, BASE64, 1); }

void codec_base64_bare(struct buf *out, const void *bytes, size_t len) { base64(out, bytes, len, BASE64, 0); }

void codec_base64url(struct buf *out, const void *bytes, size_t len)
{
    base64(out, bytes, len, BASE64URL, 0);
}

/* The value of a lower-case hexadecimal digit; -1 for anything else. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum err codec_unhex(struct str text, uint8_t *out, size_t max, size_t *len)
{
    if (text.len % 2)
        return err_set(ERR_INVALID, "hexadecimal of odd length %zu", text.len);
    for (size_t i = 0; i < text.len; i++)
        if (hex_value(text.ptr[i]) < 0)
            return err_set(ERR_INVALID, "no lower-case hexadecimal digit at byte %zu", i);
    if (text.len / 2 > max)
        return err_set(ERR_TOO_LARGE, "%zu bytes where %zu are the most", text.len / 2, max);
    for (size_t i = 0; i < text.len / 2; i++)
        out[i] =
            (uint8_t)((unsigned)hex_value(text.ptr[2 * i]) << 4 | (unsigned)hex_value(text.ptr[2 * i + 1]));
    *len = text.len / 2;
    return ERR_OK;
}

static int base64_value(char c, const char alphabet[static 64])
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == alphabet[62] ? 62 : c == alphabet[63] ? 63 : -1;
}

/* text holds no padding any more. */
static enum err unbase64(struct str text, const char alphabet[static 64], uint8_t *out, size_t max,
                         size_t *len)
{
    size_t bytes = text.len / 4 * 3 + (text.len % 4 ? text.len % 4 - 1 : 0), n = 0;
    unsigned bits = 0, value = 0, stray = text.len % 4 == 2 ? 15 : text.len % 4 == 3 ? 3 : 0;

    if (text.len % 4 == 1)
        return err_set(ERR_INVALID, "base64 cut at %zu characters", text.len);
    for (size_t i = 0; i < text.len; i++)
        if (base64_value(text.ptr[i], alphabet) < 0)
            return err_set(ERR_INVALID, "no base64 at byte %zu", i);
    if (text.len && ((unsigned)base64_value(text.ptr[text.len - 1], alphabet) & stray))
        return err_set(ERR_INVALID, "base64 with stray bits at its end"); /* RFC 4648 3.5 */
    if (bytes > max)
        return err_set(ERR_TOO_LARGE, "%zu bytes where %zu are the most", bytes, max);
    for (size_t i = 0; i < text.len; i++) {
        value = (value << 6 | (unsigned)base64_value(text.ptr[i], alphabet)) & 0xFFFF;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[n++] = (uint8_t)(value >> bits);
        }
    }
    *len = n;
    return ERR_OK;
}

enum err codec_unbase64(struct str text, uint8_t *out, size_t max, size_t *len)
{
    if (text.len % 4)
        return err_set(ERR_INVALID, "base64 of %zu characters, not a multiple of 4", text.len);
    for (int i = 0; i < 2 && text.len && text.ptr[text.len - 1] == '='; i++)
        text.len--;
    return unbase64(text, BASE64, out, max, len);
}

enum err codec_unbase64_bare(struct str text, uint8_t *out, size_t max, size_t *len)
{
    return unbase64(text, BASE64, out, max, len);
}

enum err codec_unbase64url(struct str text, uint8_t *out, size_t max, size_t *len)
{
    return unbase64(text, BASE64URL, out, max, len);
}

static int hex_value_any(char c) { return hex_value(c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c); }

/* What was decoded, as a whole: valid UTF-8 without control characters (C0, DEL and C1). */
static enum err check_decoded(struct str s)
{
    if (!str_is_utf8(s))
        return err_set(ERR_INVALID, "decoded bytes are not UTF-8");
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.ptr[i];
        if (c < 0x20 || c == 0x7F || (c == 0xC2 && (uint8_t)s.ptr[i + 1] < 0xA0))
            return err_set(ERR_INVALID, "a control character at decoded byte %zu", i);
    }
    return ERR_OK;
}

/* Bytes of text decoded to to; how many, or where a bad escape stands in *bad. */
static size_t decode_percent(struct str text, int plus, char *to, size_t *bad)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '+' && plus) {
            c = ' ';
        } else if (c == '%') {
            int high = i + 2 < text.len ? hex_value_any(text.ptr[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_value_any(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0) {
                *bad = i;
                return 0;
            }
            c = (char)(high << 4 | low);
            i += 2;
        }
        to[n++] = c;
    }
    return n;
}

enum err codec_unpercent(struct str text, int plus, struct buf *out)
{
    size_t bad = SIZE_MAX, n;
    char *to = buf_reserve(out, text.len);
    enum err e;

    if (!to)
        return buf_err(out);
    n = decode_percent(text, plus, to, &bad);
    if (bad != SIZE_MAX)
        e = err_set(ERR_INVALID, "a bad escape at byte %zu", bad);
    else
        e = check_decoded((struct str){to, n});
    buf_grew(out, e ? 0 : n);
    return e;
}

static int is_unreserved(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void codec_percent(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.ptr[i];
        if (is_unreserved(c))
            buf_char(out, (char)c);
        else
            buf_add(out, (char[3]){'%', HEX_UPPER[c >> 4], HEX_UPPER[c & 15]}, 3);
    }
}
