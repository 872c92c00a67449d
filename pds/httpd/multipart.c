#include "pds/httpd/multipart.h"

#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/httpd/disposition.h"
#include "pds/httpd/header.h"

#include <string.h>

static bool is_boundary_char(char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    return c != '\0' && strchr("'()+_,-./:=? ", c) != NULL; /* RFC 2046 5.1.1 */
}

enum err multipart_boundary(struct str content_type, struct str *out)
{
    struct str rest = content_type, media = {0}, at;

    if (!str_split(&rest, ';', &media) || !str_eq_nocase(str_trim(media), STR("multipart/form-data")))
        return err_set(ERR_UNSUPPORTED, "a body that is not multipart/form-data");
    /* Looked for by hand rather than with parameter_find(): a boundary has no character that needs a
     * backslash. */
    while (str_split(&rest, ';', &at)) {
        at = str_trim(at);
        if (!str_starts_nocase(at, STR("boundary=")))
            continue;
        at.ptr += 9;
        at.len -= 9;
        if (at.len >= 2 && at.ptr[0] == '"' && at.ptr[at.len - 1] == '"') {
            at.ptr++;
            at.len -= 2;
        }
        for (size_t i = 0; i < at.len; i++)
            if (!is_boundary_char(at.ptr[i]))
                return err_set(ERR_INVALID, "byte %zu of the boundary", i);
        if (at.len == 0 || at.len > MULTIPART_BOUNDARY_MAX || at.ptr[at.len - 1] == ' ')
            return err_set(ERR_INVALID, "a boundary of %zu bytes", at.len);
        *out = at;
        return ERR_OK;
    }
    return err_set(ERR_INVALID, "no boundary");
}

enum err multipart_init(struct multipart *m, struct str boundary, multipart_source *source, void *context)
{
    memset(m, 0, sizeof *m);
    if (boundary.len == 0 || boundary.len > MULTIPART_BOUNDARY_MAX)
        return err_set(ERR_INVALID, "a boundary of %zu bytes", boundary.len);
    if (!(m->window = mem_new(MULTIPART_WINDOW)))
        return err_set(ERR_NO_MEMORY, "reading an upload");
    m->source = source;
    m->context = context;
    memcpy(m->delimiter, "\r\n--", 4);
    memcpy(m->delimiter + 4, boundary.ptr, boundary.len);
    m->delimiter_len = boundary.len + 4;
    /* The first delimiter may stand at the very start: pretend that a line ended before it. */
    memcpy(m->window, "\r\n", 2);
    m->end = 2;
    return ERR_OK;
}

void multipart_done(struct multipart *m)
{
    mem_free(m->window);
    m->window = NULL;
}

static enum err fail(struct multipart *m, enum err e)
{
    m->err = e;
    return e;
}

static size_t have(const struct multipart *m) { return m->end - m->start; }

/* More bytes behind those that the window holds. */
static enum err fill(struct multipart *m)
{
    size_t got = 0;
    enum err e;

    if (m->start > 0 && (m->start == m->end || m->end == MULTIPART_WINDOW)) {
        memmove(m->window, m->window + m->start, have(m));
        m->end -= m->start;
        m->start = 0;
    }
    if ((e = m->source(m->context, m->window + m->end, MULTIPART_WINDOW - m->end, &got)))
        return fail(m, e);
    m->end += got;
    m->ended = got == 0;
    return ERR_OK;
}

/* At least n bytes in the window, n much smaller than it; ERR_INVALID when the body ends before. */
static enum err want(struct multipart *m, size_t n)
{
    enum err e;

    while (have(m) < n) {
        if (m->ended)
            return fail(m, err_set(ERR_INVALID, "the upload ends in the middle of a part"));
        if ((e = fill(m)))
            return e;
    }
    return ERR_OK;
}

/* How many bytes of the window surely belong to the part, and whether the delimiter follows them. */
static size_t body_bytes(const struct multipart *m, bool *delimited)
{
    const char *at = memmem(m->window + m->start, have(m), m->delimiter, m->delimiter_len);

    *delimited = at != NULL;
    if (at)
        return (size_t)(at - (m->window + m->start));
    return have(m) >= m->delimiter_len ? have(m) - m->delimiter_len + 1 : 0;
}

/* Behind a delimiter: "--" ends the body, CR LF begins a part; spaces may come before (RFC 2046 5.1.1). */
static enum err end_delimiter(struct multipart *m)
{
    enum err e;

    m->start += m->delimiter_len;
    m->inside = false;
    if ((e = want(m, 2)))
        return e;
    if (memcmp(m->window + m->start, "--", 2) == 0) {
        m->last = true;
        return ERR_OK;
    }
    for (size_t spaces = 0; m->window[m->start] == ' ' || m->window[m->start] == '\t'; spaces++) {
        if (spaces == MULTIPART_BOUNDARY_MAX)
            return fail(m, err_set(ERR_INVALID, "spaces behind a boundary"));
        m->start++;
        if ((e = want(m, 2)))
            return e;
    }
    if (memcmp(m->window + m->start, "\r\n", 2) != 0)
        return fail(m, err_set(ERR_INVALID, "a boundary that does not end its line"));
    m->start += 2;
    return ERR_OK;
}

/* Pass over the rest of a part (or what stands before the first). */
static enum err skip(struct multipart *m)
{
    bool delimited = false;
    enum err e;

    while (true) {
        m->start += body_bytes(m, &delimited);
        if (delimited)
            return end_delimiter(m);
        if (m->ended)
            return fail(m, err_set(ERR_INVALID, "the upload ends without its last boundary"));
        if ((e = fill(m)))
            return e;
    }
}

/* One line of a part's header, without its end; empty closes the header. */
static enum err take_line(struct multipart *m, size_t *room, struct str *out)
{
    while (true) {
        const char *from = m->window + m->start, *at = memmem(from, have(m), "\r\n", 2);
        size_t len = at ? (size_t)(at - from) : have(m);
        enum err e;

        if (len + 2 > *room)
            return fail(m, err_set(ERR_INVALID, "part %zu: more than %d bytes of header", m->parts,
                                   MULTIPART_HEADER_MAX));
        if (at) {
            *out = (struct str){from, len};
            m->start += len + 2;
            *room -= len + 2;
            return ERR_OK;
        }
        if (m->ended)
            return fail(m, err_set(ERR_INVALID, "part %zu: the header does not end", m->parts));
        if ((e = fill(m)))
            return e;
    }
}

static enum err read_header(struct multipart *m, struct arena *arena, struct part *out)
{
    size_t room = MULTIPART_HEADER_MAX;
    struct part p = {0};
    struct str line, name;
    enum err e;

    while (true) {
        if ((e = take_line(m, &room, &line)))
            return e;
        if (line.len == 0)
            break;
        if (!str_split(&line, ':', &name) || !line.ptr || !header_name_is_token(name))
            return fail(m, err_set(ERR_INVALID, "part %zu: a line of its header", m->parts));
        if (!str_eq_nocase(name, STR("Content-Disposition")))
            continue;
        if (p.name.ptr)
            return fail(m, err_set(ERR_INVALID, "part %zu: two dispositions", m->parts));
        if ((e = disposition_parse(str_trim(line), arena, &p.name, &p.file_name)))
            return fail(m, err_wrap(e, "part %zu", m->parts));
    }
    if (!p.name.ptr)
        return fail(m, err_set(ERR_INVALID, "part %zu: no disposition", m->parts));
    *out = p;
    return ERR_OK;
}

enum err multipart_next(struct multipart *m, struct arena *arena, struct part *out)
{
    enum err e;

    if (m->err)
        return err_set(m->err, "the upload is broken");
    if (!m->last && (m->inside || m->parts == 0) && (e = skip(m)))
        return e;
    if (m->last)
        return err_set(ERR_NOT_FOUND, "no further part");
    if (++m->parts > MULTIPART_PARTS_MAX)
        return fail(m, err_set(ERR_TOO_LARGE, "more than %d parts", MULTIPART_PARTS_MAX));
    if ((e = read_header(m, arena, out)))
        return e;
    /* An empty part's delimiter shares the line end that closed the header. */
    m->start -= 2;
    memcpy(m->window + m->start, "\r\n", 2);
    m->inside = true;
    bool delimited = false;
    if ((e = want(m, m->delimiter_len)))
        return e;
    if (body_bytes(m, &delimited) == 0 && delimited)
        return ERR_OK; /* multipart_read() finds it at once */
    m->start += 2;
    return ERR_OK;
}

enum err multipart_read(struct multipart *m, void *out, size_t size, size_t *got)
{
    enum err e;

    if (m->err)
        return err_set(m->err, "the upload is broken");
    *got = 0;
    while (m->inside && size > 0) {
        bool delimited = false;
        size_t n = body_bytes(m, &delimited);
        if (n > 0) {
            n = n < size ? n : size;
            memcpy(out, m->window + m->start, n);
            m->start += n;
            *got = n;
            return ERR_OK;
        }
        if (delimited)
            return end_delimiter(m);
        if (m->ended)
            return fail(m, err_set(ERR_INVALID, "the upload ends in the middle of a part"));
        if ((e = fill(m)))
            return e;
    }
    return ERR_OK;
}
