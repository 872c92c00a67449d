#include "pds/httpd/disposition.h"

#include "pds/base/limits.h"
#include "pds/httpd/header.h"
#include "pds/httpd/target.h"

#include <stdbool.h>
#include <string.h>

static void skip_spaces(struct str *rest)
{
    while (rest->len > 0 && (*rest->ptr == ' ' || *rest->ptr == '\t')) {
        rest->ptr++;
        rest->len--;
    }
}

/* What stands between quotes. Browsers escape a quote as %22 and leave backslashes alone, curl writes \" and
 * \\: only these two pairs are undone, so that C:\name stays what it is. */
static enum err take_quoted(struct str *rest, struct arena *arena, struct str *out)
{
    char *copy = arena_get(arena, rest->len + 1);
    size_t len = 0, i = 1;

    if (!copy)
        return err_set(ERR_NO_MEMORY, "a parameter");
    for (; i < rest->len && rest->ptr[i] != '"'; i++) {
        if (rest->ptr[i] == '\\' && i + 1 < rest->len &&
            (rest->ptr[i + 1] == '"' || rest->ptr[i + 1] == '\\'))
            i++;
        copy[len++] = rest->ptr[i];
    }
    if (i >= rest->len)
        return err_set(ERR_INVALID, "a quotation without end");
    rest->ptr += i + 1;
    rest->len -= i + 1;
    *out = (struct str){copy, len};
    return ERR_OK;
}

static enum err take_value(struct str *rest, struct arena *arena, struct str *out)
{
    size_t n = 0;

    if (rest->len > 0 && *rest->ptr == '"')
        return take_quoted(rest, arena, out);
    while (n < rest->len && rest->ptr[n] != ';' && rest->ptr[n] != ' ' && rest->ptr[n] != '\t')
        n++;
    *out = (struct str){rest->ptr, n};
    rest->ptr += n;
    rest->len -= n;
    return ERR_OK;
}

enum err parameter_find(struct str parameters, struct str name, struct arena *arena, struct str *out)
{
    struct str rest = parameters, found = {0};
    enum err e;

    for (skip_spaces(&rest); rest.len > 0; skip_spaces(&rest)) {
        struct str key, value = {0};
        size_t n = 0;
        if (*rest.ptr == ';') {
            rest.ptr++;
            rest.len--;
            continue;
        }
        while (n < rest.len && rest.ptr[n] != '=' && rest.ptr[n] != ';')
            n++;
        key = (struct str){rest.ptr, n};
        if (n == rest.len || rest.ptr[n] == ';' || !header_name_is_token(key))
            return err_set(ERR_INVALID, "a parameter without a value");
        rest.ptr += n + 1;
        rest.len -= n + 1;
        if ((e = take_value(&rest, arena, &value)))
            return e;
        skip_spaces(&rest);
        if (rest.len > 0 && *rest.ptr != ';')
            return err_set(ERR_INVALID, "something behind a parameter's value");
        if (!str_eq_nocase(key, name))
            continue;
        if (found.ptr)
            return err_set(ERR_INVALID, "a parameter twice");
        found = value;
    }
    *out = found;
    return ERR_OK;
}

/* RFC 5987: UTF-8'language'percent-encoded. */
static enum err take_extended(struct str value, struct arena *arena, struct str *out)
{
    struct str rest = value, charset = {0}, language = {0};

    if (!str_split(&rest, '\'', &charset) || !str_split(&rest, '\'', &language) || !rest.ptr ||
        !str_eq_nocase(charset, STR("UTF-8")))
        return err_set(ERR_INVALID, "an extended file name that is not UTF-8");
    return target_decode(rest, 0, arena, out);
}

static enum err check_label(struct str label)
{
    if (label.len > LIMIT_FILE_NAME_BYTES)
        return err_set(ERR_INVALID, "a name of more than %d bytes", LIMIT_FILE_NAME_BYTES);
    if (!header_value_is_clean(label) || memchr(label.ptr, '\t', label.len) || !str_is_utf8(label))
        return err_set(ERR_INVALID, "a name that is not clean UTF-8");
    return ERR_OK;
}

/* A file's name is a label: some send the folders it was in, which are nobody's business here. */
static struct str base_name(struct str label)
{
    for (size_t i = label.len; i > 0; i--)
        if (label.ptr[i - 1] == '/' || label.ptr[i - 1] == '\\')
            return (struct str){label.ptr + i, label.len - i};
    return label;
}

static enum err own(struct str *text, struct arena *arena)
{
    const char *copy = arena_text(arena, *text);

    if (!copy)
        return err_set(ERR_NO_MEMORY, "the name of a part");
    text->ptr = copy;
    return ERR_OK;
}

enum err disposition_parse(struct str value, struct arena *arena, struct str *name, struct str *file_name)
{
    struct str rest = value, kind = {0}, field = {0}, plain = {0}, extended = {0};
    enum err e;

    if (!str_split(&rest, ';', &kind) || !str_eq_nocase(str_trim(kind), STR("form-data")))
        return err_set(ERR_INVALID, "a part that is not form-data");
    if ((e = parameter_find(rest, STR("name"), arena, &field)) ||
        (e = parameter_find(rest, STR("filename"), arena, &plain)) ||
        (e = parameter_find(rest, STR("filename*"), arena, &extended)))
        return e;
    if (!field.ptr)
        return err_set(ERR_INVALID, "a part without a name");
    if (extended.ptr && (e = take_extended(extended, arena, &plain)))
        return e;
    if ((e = check_label(field)) || (plain.ptr && (e = check_label(plain))))
        return e;
    if (plain.ptr)
        plain = base_name(plain);
    if ((e = own(&field, arena)) || (plain.ptr && (e = own(&plain, arena))))
        return e;
    *name = field;
    *file_name = plain;
    return ERR_OK;
}
