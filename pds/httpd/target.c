#include "pds/httpd/target.h"

#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/codec.h"

#include <string.h>

static enum err check_bytes(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= 0x20 || c == 0x7f || c == '#')
            return err_set(ERR_INVALID, "byte %zu of the target", i);
    }
    return ERR_OK;
}

/* RFC 9112 3.2.2: an absolute target names its host itself. */
static bool take_scheme(struct str *rest)
{
    static const struct str schemes[] = {{"http://", 7}, {"https://", 8}};

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (str_starts_nocase(*rest, schemes[i])) {
            rest->ptr += schemes[i].len;
            rest->len -= schemes[i].len;
            return true;
        }
    return false;
}

enum err target_parse(struct str text, struct target *out)
{
    struct target t = {0};
    struct str rest = text;
    enum err e;

    if ((e = check_bytes(text)))
        return e;
    if (take_scheme(&rest)) {
        size_t n = 0;
        while (n < rest.len && rest.ptr[n] != '/' && rest.ptr[n] != '?')
            n++;
        t.authority = (struct str){rest.ptr, n};
        rest.ptr += n;
        rest.len -= n;
        if (n == 0)
            return err_set(ERR_INVALID, "a target without its host");
        if (rest.len == 0)
            rest = STR("/");
    }
    if (rest.len == 0 || rest.ptr[0] != '/')
        return err_set(ERR_INVALID, "a target of an unknown form");
    const char *mark = memchr(rest.ptr, '?', rest.len);
    t.path = rest;
    if (mark) {
        t.path.len = (size_t)(mark - rest.ptr);
        t.query = (struct str){mark + 1, rest.len - t.path.len - 1};
    }
    *out = t;
    return ERR_OK;
}

bool target_is_name(struct str name)
{
    if (name.len == 0 || name.len > LIMIT_STORE_NAME || name.ptr[0] == '-')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return true;
}

bool target_mount(struct str *path, struct str *name)
{
    struct str found;
    const char *slash;

    if (!str_starts(*path, STR("/@")))
        return false;
    found = (struct str){path->ptr + 2, path->len - 2};
    if (!(slash = memchr(found.ptr, '/', found.len)))
        return false;
    found.len = (size_t)(slash - found.ptr);
    if (!target_is_name(found))
        return false;
    *name = found;
    *path = (struct str){slash, path->len - 2 - found.len};
    return true;
}

static bool is_plain(struct str text, int plus)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '%' || c < 0x20 || c >= 0x7f || (plus && c == '+'))
            return false;
    }
    return true;
}

enum err target_decode(struct str text, int plus, struct arena *arena, struct str *out)
{
    AUTO(buf_done) struct buf decoded = {0};
    enum err e;

    if (is_plain(text, plus)) {
        *out = text;
        return ERR_OK;
    }
    buf_init(&decoded, text.len + 1);
    if ((e = codec_unpercent(text, plus, &decoded)) || (e = buf_err(&decoded)))
        return e;
    char *copy = arena_text(arena, (struct str){decoded.data, decoded.len});
    if (!copy)
        return err_set(ERR_NO_MEMORY, "decoding a target");
    *out = (struct str){copy, decoded.len};
    return ERR_OK;
}

enum err target_segments(struct str path, struct arena *arena, struct segments *out)
{
    struct str rest = path, raw;
    enum err e;

    if (path.len == 0 || path.ptr[0] != '/')
        return err_set(ERR_INVALID, "a path that does not begin with '/'");
    rest.ptr++;
    rest.len--;
    out->count = 0;
    while (str_split(&rest, '/', &raw)) {
        struct str segment = {0};
        if (out->count == LIMIT_URL_SEGMENTS)
            return err_set(ERR_NOT_FOUND, "a path of more than %d segments", LIMIT_URL_SEGMENTS);
        if ((e = target_decode(raw, 0, arena, &segment)))
            return err_wrap(e, "segment %zu", out->count + 1);
        if (str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
            return err_set(ERR_INVALID, "segment %zu is a dot", out->count + 1);
        out->at[out->count++] = segment;
    }
    return ERR_OK;
}
