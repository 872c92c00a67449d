#include "connectors/files/csv_line.h"

#include "pds/base/mem.h"

#include <string.h>

enum { BLOCK_BYTES = 64 * 1024 };

static const struct str MARK = {"\xEF\xBB\xBF", 3}; /* byte order mark */

enum err csv_line_init(struct csv_line *l, const struct reading_input *in)
{
    char *bytes = mem_new(BLOCK_BYTES);

    if (!bytes)
        return err_set(ERR_NO_MEMORY, "reading lines");
    *l = (struct csv_line){.in = in, .bytes = bytes, .room = BLOCK_BYTES, .next_number = 1};
    return ERR_OK;
}

void csv_line_done(struct csv_line *l)
{
    mem_free(l->bytes);
    l->bytes = NULL;
}

static size_t have(const struct csv_line *l) { return l->end - l->start; }

/* More bytes behind those that are there, which move to the front. Called with at most
 * LIMIT_CSV_LINE_BYTES of them, so that the buffer stays below that and one block. */
static enum err fill(struct csv_line *l)
{
    size_t got = 0;
    enum err e;

    if (l->start > 0) {
        memmove(l->bytes, l->bytes + l->start, have(l));
        l->end -= l->start;
        l->start = 0;
    }
    if (l->end == l->room) {
        size_t most = LIMIT_CSV_LINE_BYTES + BLOCK_BYTES, room = l->room * 2 < most ? l->room * 2 : most;
        char *bytes = mem_resize(l->bytes, room);

        if (!bytes)
            return err_set(ERR_NO_MEMORY, "line %lld", (long long)l->number);
        l->bytes = bytes;
        l->room = room;
    }
    if ((e = l->in->read(l->in->context, l->bytes + l->end, l->room - l->end, &got)))
        return err_wrap(e, "line %lld", (long long)l->number);
    if (got > l->room - l->end)
        return err_set(ERR_INTERNAL, "an input gave more than asked");
    l->ended = got == 0;
    l->end += got;
    return ERR_OK;
}

/* Where a physical line ends: the place of the first newline at or after `from`, or of the end of the
 * input. *over when that is past the ceiling; *at is then past it too. */
static enum err find_newline(struct csv_line *l, size_t from, size_t *at, bool *over)
{
    const char *hit = NULL;
    enum err e;

    while (!(hit = have(l) > from ? memchr(l->bytes + l->start + from, '\n', have(l) - from) : NULL) &&
           !l->ended && have(l) <= LIMIT_CSV_LINE_BYTES) {
        from = have(l) > from ? have(l) : from;
        if ((e = fill(l)))
            return e;
    }
    *at = hit ? (size_t)(hit - (l->bytes + l->start)) : have(l);
    *over = *at > LIMIT_CSV_LINE_BYTES;
    return ERR_OK;
}

enum place { AT_START, IN_PLAIN, IN_QUOTES, AFTER_QUOTE, AFTER_RETURN, BROKEN };

static enum place step(enum place place, char c)
{
    if (c == '"' && place == IN_QUOTES)
        return AFTER_QUOTE;
    if (c == '"' && (place == AT_START || place == AFTER_QUOTE))
        return IN_QUOTES;
    if (place == IN_QUOTES)
        return IN_QUOTES;
    if (place == AFTER_QUOTE && c == '\r') /* the line's last byte, or broken */
        return AFTER_RETURN;
    if (place == AFTER_RETURN || (place == AFTER_QUOTE && c != ';'))
        return BROKEN;
    return c == ';' ? AT_START : IN_PLAIN;
}

/* Where the reader of a line stands, as to quotes, after these bytes. */
static enum place walk(const char *text, size_t len, enum place place)
{
    for (size_t i = 0; i < len && place != BROKEN; i++)
        place = step(place, text[i]);
    return place;
}

/* The length of the line under the cursor. Quotes may hold newlines; but quotes that do not come out even
 * below the ceiling, or have text behind them, spoil one physical line only, as if it held no newline. */
static enum err find_end(struct csv_line *l, size_t *len, bool *quoted)
{
    size_t at, first, from = 0;
    enum place place = AT_START;
    bool over;
    enum err e;

    if ((e = find_newline(l, 0, &at, &over)))
        return e;
    if (over)
        l->flaw = "the line is longer than 1 MiB";
    first = at;
    *quoted = !over && at > 0 && memchr(l->bytes + l->start, '"', at);
    while (*quoted) {
        place = walk(l->bytes + l->start + from, at - from, place);
        if (place != IN_QUOTES)
            break;
        from = at;
        over = at == have(l); /* the input ends inside the quotes */
        if (!over && (e = find_newline(l, at + 1, &at, &over)))
            return e;
        if (over)
            break;
    }
    if (place == BROKEN)
        l->flaw = "text stands behind a closing quote";
    else if (*quoted && over)
        l->flaw = "a quote is not closed";
    *len = *quoted && l->flaw ? first : at;
    return ERR_OK;
}

/* Drop a line whose end is not known yet. */
static enum err drop(struct csv_line *l)
{
    const char *hit;
    enum err e;

    while (!(hit = have(l) ? memchr(l->bytes + l->start, '\n', have(l)) : NULL)) {
        l->start = l->end;
        if (l->ended)
            return ERR_OK;
        if ((e = fill(l)))
            return e;
    }
    l->start = (size_t)(hit - l->bytes) + 1;
    return ERR_OK;
}

static void add_field(struct csv_line *l, const char *text, size_t len)
{
    if (l->count == LIMIT_CSV_COLUMNS)
        l->flaw = "the line has more than 512 columns";
    else if (len > LIMIT_CSV_FIELD_BYTES)
        l->flaw = "a column is longer than 64 KiB";
    else
        l->fields[l->count++] = (struct str){text, len};
}

static void split_plain(struct csv_line *l, const char *text, size_t len)
{
    const char *end = text + len;

    for (const char *c = text; c < end; c++)
        if (*c == ';') {
            add_field(l, text, (size_t)(c - text));
            text = c + 1;
        }
    add_field(l, text, (size_t)(end - text));
}

/* One field off the front of [text, end): quotes taken off and doubled ones halved, in place. */
static char *split_field(struct csv_line *l, char *text, const char *end)
{
    char *out = text, *from = text;

    if (from == end || *from != '"') {
        while (from < end && *from != ';')
            from++;
        add_field(l, text, (size_t)(from - text));
        return from;
    }
    for (from++; from < end && (*from != '"' || (from + 1 < end && from[1] == '"')); from++) {
        from += *from == '"';
        *out++ = *from;
    }
    from++; /* behind the closing quote: find_end() saw that there is one */
    add_field(l, text, (size_t)(out - text));
    return from; /* at a ';' or at the end: there too */
}

static void split_quoted(struct csv_line *l, char *text, size_t len)
{
    char *end = text + len;

    for (text = split_field(l, text, end); text < end; text = split_field(l, text + 1, end))
        if (l->flaw)
            return;
}

static void split(struct csv_line *l, size_t len, bool quoted)
{
    char *text = l->bytes + l->start;

    if (len > 0 && text[len - 1] == '\r')
        len--;
    if (len == 0)
        return;
    if (quoted)
        split_quoted(l, text, len);
    else
        split_plain(l, text, len);
    if (l->flaw)
        l->count = 0;
}

/* Newlines in the quotes of a line. */
static int64_t newlines(const char *text, size_t len)
{
    int64_t n = 0;

    for (const char *hit = text; (hit = memchr(hit, '\n', len - (size_t)(hit - text))); hit++)
        n++;
    return n;
}

static enum err skip_mark(struct csv_line *l)
{
    enum err e;

    while (have(l) < MARK.len && !l->ended)
        if ((e = fill(l)))
            return e;
    if (str_starts((struct str){l->bytes, l->end}, MARK))
        l->start = MARK.len;
    return ERR_OK;
}

enum err csv_line_next(struct csv_line *l)
{
    size_t len;
    bool quoted;
    enum err e;

    l->number = l->next_number;
    l->count = 0;
    l->flaw = NULL;
    if (l->number == 1 && (e = skip_mark(l)))
        return e;
    if ((e = find_end(l, &len, &quoted)))
        return e;
    if (len == 0 && l->ended && have(l) == 0)
        return err_set(ERR_NOT_FOUND, "the last line is behind");
    l->next_number++;
    if (len > LIMIT_CSV_LINE_BYTES)
        return drop(l);
    if (quoted && !l->flaw)
        l->next_number += newlines(l->bytes + l->start, len);
    if (!l->flaw)
        split(l, len, quoted);
    l->start += len < have(l) ? len + 1 : len;
    return ERR_OK;
}
