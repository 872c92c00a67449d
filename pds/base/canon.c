#include "pds/base/canon.h"

#include "pds/base/json.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The whole numbers that a double tells apart (RFC 8785 3.2.2.3, RFC 7493 2.2). */
#define WHOLE_MAX (INT64_C(1) << 53)

/* json_quote() escapes what RFC 8785 3.2.2.2 wants escaped, and as it wants. */
enum err canon_text(struct buf *out, struct str text)
{
    if (!str_is_utf8(text))
        return err_set(ERR_INVALID, "a text that is not UTF-8");
    json_quote(out, text);
    return buf_err(out);
}

/* ECMAScript's Number::toString: the digits of the shortest decimal that reads back as the same double, and
 * `point`, where the decimal point stands among them. */
static void add_digits(struct buf *out, const char *digits, int count, int point)
{
    if (point > 21 || point <= -6) {
        buf_char(out, digits[0]);
        if (count > 1)
            buf_printf(out, ".%s", digits + 1);
        buf_printf(out, "e%c%d", point > 0 ? '+' : '-', abs(point - 1));
    } else if (point <= 0) {
        buf_printf(out, "0.%.*s%s", -point, "00000", digits);
    } else if (count <= point) {
        buf_printf(out, "%s%.*s", digits, point - count, "00000000000000000000");
    } else {
        buf_printf(out, "%.*s.%s", point, digits, digits + point);
    }
}

static void add_real(struct buf *out, double value)
{
    char text[32], digits[24];
    int precision = 0, count = 0;
    double back;

    if (value == 0) { /* of either sign */
        buf_char(out, '0');
        return;
    }
    do {
        (void)snprintf(text, sizeof text, "%.*e", precision, fabs(value));
        back = strtod(text, NULL);
    } while (back != fabs(value) && ++precision < 17);
    for (const char *c = text; *c != 'e'; c++) {
        if (*c >= '0' && *c <= '9')
            digits[count++] = *c;
    }
    while (count > 1 && digits[count - 1] == '0')
        count--;
    digits[count] = '\0';
    if (value < 0)
        buf_char(out, '-');
    add_digits(out, digits, count, (int)strtol(strchr(text, 'e') + 1, NULL, 10) + 1);
}

static enum err add_whole(struct buf *out, int64_t n)
{
    if (n > WHOLE_MAX || n < -WHOLE_MAX)
        return err_set(ERR_INVALID, "a whole number over 2^53");
    buf_printf(out, "%" PRId64, n);
    return ERR_OK;
}

/* Order of UTF-16 code units (RFC 8785 3.2.3). It differs from that of bytes where a character beyond the
 * basic plane, whose first unit is D800 to DBFF, meets one of E000 to FFFF. */
static int unit_of(const unsigned char *c)
{
    return *c >= 0xF0 ? 0xEE : *c >= 0xEE ? *c + 1 : *c; /* 0xEE: between ED and what EE has become */
}

static int compare_keys(const void *a, const void *b)
{
    const unsigned char *x = *(const unsigned char *const *)a, *y = *(const unsigned char *const *)b;

    while (*x && *x == *y) {
        x++;
        y++;
    }
    if (*x >= 0xF0 && *y >= 0xF0) /* both beyond: as their bytes */
        return *x - *y;
    return unit_of(x) - unit_of(y);
}

static enum err add_value(struct buf *out, const json_t *tree, int depth);

static enum err add_array(struct buf *out, const json_t *array, int depth)
{
    enum err e;

    buf_char(out, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i)
            buf_char(out, ',');
        if ((e = add_value(out, json_array_get(array, i), depth)))
            return e;
    }
    buf_char(out, ']');
    return ERR_OK;
}

static enum err add_members(struct buf *out, const json_t *object, const char **keys, size_t count, int depth)
{
    enum err e;

    qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_char(out, ',');
        if ((e = canon_text(out, str_of(keys[i]))))
            return e;
        buf_char(out, ':');
        if ((e = add_value(out, json_object_get(object, keys[i]), depth)))
            return e;
    }
    return ERR_OK;
}

static enum err add_object(struct buf *out, const json_t *object, int depth)
{
    const char **keys = mem_array(json_object_size(object) + 1, sizeof *keys);
    json_t *at = (json_t *)object; /* jansson walks only what may change */
    const char *key;
    json_t *value;
    size_t count = 0;
    enum err e;

    if (!keys)
        return err_set(ERR_NO_MEMORY, "canonical JSON");
    json_object_foreach(at, key, value) keys[count++] = key;
    buf_char(out, '{');
    e = add_members(out, object, keys, count, depth);
    buf_char(out, '}');
    mem_free(keys);
    return e;
}

static enum err add_value(struct buf *out, const json_t *tree, int depth)
{
    if (depth == LIMIT_JSON_DEPTH)
        return err_set(ERR_TOO_LARGE, "JSON deeper than %d", LIMIT_JSON_DEPTH);
    switch (json_typeof(tree)) {
    case JSON_OBJECT:
        return add_object(out, tree, depth + 1);
    case JSON_ARRAY:
        return add_array(out, tree, depth + 1);
    case JSON_STRING:
        return canon_text(out, (struct str){json_string_value(tree), json_string_length(tree)});
    case JSON_INTEGER:
        return add_whole(out, json_integer_value(tree));
    case JSON_REAL:
        add_real(out, json_real_value(tree));
        return ERR_OK;
    case JSON_TRUE:
        buf_text(out, "true");
        return ERR_OK;
    case JSON_FALSE:
        buf_text(out, "false");
        return ERR_OK;
    default:
        buf_text(out, "null");
        return ERR_OK;
    }
}

enum err canon_write(struct buf *out, const json_t *tree)
{
    enum err e = add_value(out, tree, 0);

    return e ? err_wrap(e, "canonical JSON") : buf_err(out);
}
