#include "pds/api/accept.h"

enum { QUALITY_MAX = 1000, EXACT = 3 };

/* "0.25" in thousandths; -1 for what is no quality. */
static int read_quality(struct str text)
{
    int64_t n;

    return str_scaled(text, QUALITY_MAX, &n) || n < 0 || n > QUALITY_MAX ? -1 : (int)n;
}

/* How closely a range such as "text/ *" names a type: 0 not at all, to EXACT. */
static int closeness(struct str range, struct str type)
{
    struct str rest = type, group = {0};

    if (str_eq_nocase(range, type))
        return EXACT;
    if (str_eq(range, STR("*/*")))
        return 1;
    (void)str_split(&rest, '/', &group);
    return range.len == group.len + 2 && range.ptr[range.len - 1] == '*' && range.ptr[range.len - 2] == '/' &&
                   str_eq_nocase((struct str){range.ptr, group.len}, group)
               ? 2
               : 0;
}

int accept_quality(struct str header, const char *type)
{
    struct str part = {0}, word = {0};
    int best = 0, found = 0;

    if (!header.ptr || str_trim(header).len == 0)
        return QUALITY_MAX;
    while (str_split(&header, ',', &part)) {
        int quality = QUALITY_MAX, close = 0;

        if (str_split(&part, ';', &word))
            close = closeness(str_trim(word), str_of(type));
        while (str_split(&part, ';', &word)) {
            word = str_trim(word);
            if (str_starts(word, STR("q=")) || str_starts(word, STR("Q=")))
                quality = read_quality((struct str){word.ptr + 2, word.len - 2});
        }
        if (quality >= 0 && close > best) {
            best = close;
            found = quality;
        }
    }
    return found;
}

enum err accept_number(const struct request *request, const char *name, int64_t most, int64_t *out)
{
    struct str text;
    int64_t n;
    enum err e;

    if ((e = request_query(request, name, &text)))
        return e;
    if (!text.ptr)
        return ERR_OK;
    if (str_int64(text, &n) || n < 1)
        return err_set(ERR_INVALID, "%s is no positive number", name);
    *out = n < most ? n : most;
    return ERR_OK;
}
