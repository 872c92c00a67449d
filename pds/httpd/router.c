#include "pds/httpd/router.h"

#include "pds/httpd/target.h"

#include <stdbool.h>
#include <string.h>

enum { PARAMS_MAX = sizeof((struct request *)NULL)->params / sizeof(struct str) };

struct match {
    struct str params[PARAMS_MAX];
    size_t count;
    size_t rest; /* segments from here on are the final *name; SIZE_MAX without one */
};

static bool segment_fits(struct str pattern, struct str segment, struct match *m)
{
    if (pattern.len > 0 && pattern.ptr[0] == ':') {
        if (segment.len == 0 || m->count == PARAMS_MAX)
            return false;
        m->params[m->count++] = segment;
        return true;
    }
    return str_eq(pattern, segment);
}

/* Whether a path of the table fits these segments. */
static bool path_fits(const char *pattern, const struct segments *s, struct match *m)
{
    struct str rest = {pattern + 1, strlen(pattern + 1)}, part;
    size_t i = 0;

    m->count = 0;
    m->rest = SIZE_MAX;
    while (str_split(&rest, '/', &part)) {
        if (i == s->count)
            return false;
        if (part.len > 0 && part.ptr[0] == '*') {
            m->rest = i;
            return m->count < PARAMS_MAX;
        }
        if (!segment_fits(part, s->at[i++], m))
            return false;
    }
    return i == s->count;
}

/* The final *name: the decoded segments joined again. One that holds a '/' of its own would be
 * read as two by whoever splits the value, so it is refused. */
static enum err join_rest(const struct segments *s, size_t from, struct arena *arena, struct str *out)
{
    size_t len = 0;

    for (size_t i = from; i < s->count; i++)
        len += s->at[i].len + 1;
    char *text = arena_get(arena, len + 1);
    if (!text)
        return err_set(ERR_NO_MEMORY, "the rest of a path");
    len = 0;
    for (size_t i = from; i < s->count; i++) {
        if (s->at[i].len > 0 && memchr(s->at[i].ptr, '/', s->at[i].len))
            return err_set(ERR_INVALID, "segment %zu holds a '/'", i + 1);
        if (i > from)
            text[len++] = '/';
        if (s->at[i].len > 0)
            memcpy(text + len, s->at[i].ptr, s->at[i].len);
        len += s->at[i].len;
    }
    *out = (struct str){text, len};
    return ERR_OK;
}

static enum err take(const struct route *row, const struct segments *s, struct match *m,
                     struct request *request)
{
    enum err e;

    if (m->rest != SIZE_MAX) {
        if ((e = join_rest(s, m->rest, request->arena, &m->params[m->count])))
            return e;
        m->count++;
    }
    memcpy(request->params, m->params, m->count * sizeof *m->params);
    request->param_count = m->count;
    request->route = row;
    return ERR_OK;
}

static bool method_fits(const char *method, struct str asked)
{
    struct str row = str_of(method);

    return str_eq(row, asked) || (str_eq(asked, STR("HEAD")) && str_eq(row, STR("GET")));
}

static void allow_add(char allow[static 64], const char *method)
{
    size_t used = strlen(allow), len = strlen(method);

    for (struct str rest = str_of(allow), word; str_split(&rest, ',', &word);)
        if (str_eq(str_trim(word), str_of(method)))
            return;
    if (used + len + 3 > 64)
        return;
    if (used > 0) {
        memcpy(allow + used, ", ", 3);
        used += 2;
    }
    memcpy(allow + used, method, len + 1);
}

enum err router_find(const struct route *table, size_t count, struct request *request, char allow[static 64])
{
    struct segments s;
    struct match m;
    enum err e;

    allow[0] = '\0';
    if ((e = target_segments(request->path, request->arena, &s)))
        return e;
    for (size_t i = 0; i < count; i++) {
        if (!path_fits(table[i].path, &s, &m))
            continue;
        if (method_fits(table[i].method, request->method))
            return take(&table[i], &s, &m, request);
        allow_add(allow, table[i].method);
        if (strcmp(table[i].method, "GET") == 0)
            allow_add(allow, "HEAD");
    }
    return allow[0] ? err_set(ERR_METHOD, "no such method here") : err_set(ERR_NOT_FOUND, "no such path");
}
