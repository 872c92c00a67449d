#include "pds/httpd/range.h"

#include <stdbool.h>

/* Digits at the front of s, taken off it; false without one, or for more than the number holds. */
static bool take_number(struct str *s, uint64_t *out)
{
    uint64_t n = 0;
    size_t i = 0;

    for (; i < s->len && s->ptr[i] >= '0' && s->ptr[i] <= '9'; i++) {
        uint64_t digit = (uint64_t)(s->ptr[i] - '0');

        if (n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    s->ptr += i;
    s->len -= i;
    *out = n;
    return i > 0;
}

/* "-500": the last bytes. */
static struct range of_end(struct str rest, uint64_t size)
{
    struct range r = {RANGE_ALL, 0, size};
    uint64_t n;

    if (!take_number(&rest, &n) || rest.len > 0)
        return r;
    r.bytes = n < size ? n : size;
    r.first = size - r.bytes;
    r.kind = r.bytes > 0 ? RANGE_PART : RANGE_BEYOND;
    return r;
}

struct range range_read(struct str header, uint64_t size)
{
    struct range r = {RANGE_ALL, 0, size};
    struct str rest = str_trim(header);
    uint64_t first, last = UINT64_MAX;

    if (!str_starts_nocase(rest, STR("bytes=")))
        return r;
    rest = str_trim((struct str){rest.ptr + 6, rest.len - 6});
    if (rest.len > 0 && *rest.ptr == '-')
        return of_end((struct str){rest.ptr + 1, rest.len - 1}, size);
    if (!take_number(&rest, &first) || rest.len == 0 || *rest.ptr != '-')
        return r;
    rest = (struct str){rest.ptr + 1, rest.len - 1};
    if (rest.len > 0 && (!take_number(&rest, &last) || rest.len > 0 || last < first))
        return r;
    if (first >= size) {
        r.kind = RANGE_BEYOND;
        return r;
    }
    r.kind = RANGE_PART;
    r.first = first;
    r.bytes = last < size ? last - first + 1 : size - first;
    return r;
}
