/* Rows off a stream. */
#include "pds/portable/sheet.h"

#include "pds/base/clock.h"
#include "pds/base/mem.h"

#include <inttypes.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024 };

void sheet_init(struct sheet *s, sheet_get *get, void *context)
{
    *s = (struct sheet){.get = get, .context = context, .next_line = 1};
}

void sheet_done(struct sheet *s)
{
    mem_free(s->bytes);
    s->bytes = NULL;
}

/* More bytes behind those that are there, which move to the front. */
static enum err fill(struct sheet *s)
{
    size_t got = 0;
    enum err e;

    if (s->start > 0) {
        memmove(s->bytes, s->bytes + s->start, s->end - s->start);
        s->end -= s->start;
        s->start = 0;
    }
    if (s->end > SHEET_LINE_BYTES)
        return err_set(ERR_TOO_LARGE, "line %" PRId64 " is longer than %d bytes", s->line, SHEET_LINE_BYTES);
    if (s->end == s->room) {
        size_t room = s->room ? s->room * 2 : BLOCK_BYTES;
        char *bytes = mem_resize(s->bytes, room);

        if (!bytes)
            return err_set(ERR_NO_MEMORY, "line %" PRId64, s->line);
        s->bytes = bytes;
        s->room = room;
    }
    if ((e = s->get(s->context, s->bytes + s->end, s->room - s->end, &got)))
        return err_wrap(e, "line %" PRId64, s->line);
    s->ended = got == 0;
    s->end += got;
    return ERR_OK;
}

/* The length of the row, and whether it holds quotes: up to the first newline outside of quotes. */
static enum err find_end(struct sheet *s, size_t *len, bool *quoted)
{
    bool inside = false;
    size_t at = 0;
    enum err e;

    *quoted = false;
    for (;; at++) {
        while (s->start + at == s->end && !s->ended) {
            if ((e = fill(s)))
                return e;
        }
        if (s->start + at == s->end)
            return at ? err_set(ERR_INVALID, "line %" PRId64 ": the file ends within it", s->line)
                      : err_set(ERR_NOT_FOUND, "the last line is behind");
        if (s->bytes[s->start + at] == '"') {
            inside = !inside;
            *quoted = true;
        }
        if (s->bytes[s->start + at] != '\n')
            continue;
        s->next_line++;
        if (!inside)
            break;
    }
    *len = at;
    return at <= SHEET_LINE_BYTES ? ERR_OK
                                  : err_set(ERR_TOO_LARGE, "line %" PRId64 " is longer than %d bytes",
                                            s->line, SHEET_LINE_BYTES);
}

static enum err add_field(struct sheet *s, const char *text, size_t len)
{
    if (s->count == SHEET_FIELDS_MAX)
        return err_set(ERR_INVALID, "line %" PRId64 " has more than %d cells", s->line, SHEET_FIELDS_MAX);
    s->fields[s->count++] = (struct str){text, len};
    return ERR_OK;
}

static enum err split_plain(struct sheet *s, const char *text, size_t len)
{
    const char *end = text + len, *mark;
    enum err e;

    for (; (mark = memchr(text, ',', (size_t)(end - text))); text = mark + 1) {
        if ((e = add_field(s, text, (size_t)(mark - text))))
            return e;
    }
    return add_field(s, text, (size_t)(end - text));
}

/* One field off the front of [*at, end), doubled quotes halved in place; *at is then at a ',' or the end. */
static enum err split_field(struct sheet *s, char **at, const char *end)
{
    char *text = *at, *out = text, *from = text;

    if (from == end || *from != '"') {
        for (; from < end && *from != ','; from++) {
            if (*from == '"')
                return err_set(ERR_INVALID, "line %" PRId64 ": a quote within a cell", s->line);
        }
        *at = from;
        return add_field(s, text, (size_t)(from - text));
    }
    for (from++; from < end && (*from != '"' || (from + 1 < end && from[1] == '"')); from++) {
        from += *from == '"';
        *out++ = *from;
    }
    if (from == end || (from + 1 < end && from[1] != ','))
        return err_set(ERR_INVALID, "line %" PRId64 ": text stands behind a closing quote", s->line);
    *at = from + 1;
    return add_field(s, text, (size_t)(out - text));
}

static enum err split_quoted(struct sheet *s, char *text, size_t len)
{
    const char *end = text + len;
    enum err e;

    while (!(e = split_field(s, &text, end)) && text < end)
        text++; /* the ',' */
    return e;
}

enum err sheet_next(struct sheet *s)
{
    size_t len;
    bool quoted;
    enum err e;

    s->line = s->next_line;
    s->count = 0;
    if ((e = find_end(s, &len, &quoted)))
        return e;
    if (memchr(s->bytes + s->start, '\0', len) || !str_is_utf8((struct str){s->bytes + s->start, len}))
        return err_set(ERR_INVALID, "line %" PRId64 " is not UTF-8 text", s->line);
    e = quoted ? split_quoted(s, s->bytes + s->start, len) : split_plain(s, s->bytes + s->start, len);
    s->start += len + 1;
    return e;
}

enum err sheet_expect(const struct sheet *s, struct str header)
{
    struct str name;

    for (size_t i = 0; str_split(&header, ',', &name); i++) {
        if (i >= s->count || !str_eq(s->fields[i], name))
            return err_set(ERR_INVALID, "line %" PRId64 ": column %zu is not %.*s", s->line, i + 1,
                           STR_ARGS(name));
        if (!header.ptr && s->count != i + 1)
            return err_set(ERR_INVALID, "line %" PRId64 " has more than %zu columns", s->line, i + 1);
    }
    return ERR_OK;
}

enum err sheet_read_instant(const struct sheet *s, size_t i, int64_t *out)
{
    enum err e = clock_parse(s->fields[i], out, NULL);

    return e ? err_wrap(e, "line %" PRId64, s->line) : ERR_OK;
}
