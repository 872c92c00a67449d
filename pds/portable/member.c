#include "pds/portable/member.h"

#include <string.h>

void member_init(struct member *m, member_get *get, void *context)
{
    *m = (struct member){.get = get, .context = context};
    buf_init(&m->text, MEMBER_BYTES);
}

void member_done(struct member *m)
{
    json_decref(m->value);
    m->value = NULL;
    buf_done(&m->text);
}

/* The byte under the cursor; -1 at the end of the text. */
static enum err peek(struct member *m, int *out)
{
    enum err e;

    if (m->at == m->len && !m->ended) {
        m->at = m->len = 0;
        if ((e = m->get(m->context, m->block, sizeof m->block, &m->len)))
            return e;
        m->ended = m->len == 0;
    }
    *out = m->ended ? -1 : (unsigned char)m->block[m->at];
    return ERR_OK;
}

/* The next byte that is no space, still under the cursor. */
static enum err peek_word(struct member *m, int *out)
{
    enum err e;

    while (!(e = peek(m, out)) && *out > 0 && strchr(" \t\r\n", *out))
        m->at++;
    return e;
}

static enum err no_object(void) { return err_set(ERR_INVALID, "not a JSON object of the form expected"); }

/* This very character must come next; it is taken. */
static enum err expect(struct member *m, char wanted)
{
    int c;
    enum err e = peek_word(m, &c);

    if (e)
        return e;
    if (c != wanted)
        return no_object();
    m->at++;
    return ERR_OK;
}

/* One value's text into m->text, as far as brackets and quotes tell where it ends; the JSON reader says
 * whether it is one. */
static enum err take_value(struct member *m)
{
    int depth = 0, c;
    bool quoted = false, escaped = false;
    enum err e;

    buf_clear(&m->text);
    if ((e = peek_word(m, &c)))
        return e;
    for (; !(e = peek(m, &c)) && c >= 0; m->at++) {
        if (!quoted && depth == 0 && strchr(",]}: \t\r\n", c) && c != 0)
            break;
        buf_char(&m->text, (char)c);
        if (m->text.err)
            return err_wrap(buf_err(&m->text), "a value");
        if (quoted) {
            quoted = c != '"' || escaped;
            escaped = c == '\\' && !escaped;
        } else {
            quoted = c == '"';
            depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        }
        if (!quoted && depth == 0 && strchr("}]\"", c) && c != 0) {
            m->at++;
            break;
        }
    }
    return e ? e : m->text.len ? ERR_OK : no_object();
}

static enum err next_value(struct member *m)
{
    json_t *value;
    enum err e;

    if ((e = take_value(m)) || (e = json_read((struct str){m->text.data, m->text.len}, MEMBER_BYTES, &value)))
        return err_wrap(e, "%s", m->key[0] ? "a member" : "a key");
    json_decref(m->value);
    m->value = value;
    return ERR_OK;
}

/* "," between, the closing bracket after: *more tells which. */
static enum err separator(struct member *m, char closing, bool *more)
{
    int c;
    enum err e;

    if ((e = peek_word(m, &c)))
        return e;
    if (c == closing || (!m->first && c == ',')) {
        *more = c == ',';
        m->at++;
    } else if (m->first) {
        *more = true;
    } else {
        return no_object();
    }
    m->first = false;
    return ERR_OK;
}

static enum err next_key(struct member *m)
{
    const char *key;
    enum err e;

    m->key[0] = '\0';
    if ((e = next_value(m)))
        return e;
    if (!(key = json_string_value(m->value)) || strlen(key) >= sizeof m->key || !*key)
        return no_object();
    (void)memcpy(m->key, key, strlen(key) + 1);
    return expect(m, ':');
}

static enum err at_end(struct member *m)
{
    int c;
    enum err e = peek_word(m, &c);

    if (e)
        return e;
    return c < 0 ? err_set(ERR_NOT_FOUND, "the last member is behind") : no_object();
}

enum err member_next(struct member *m)
{
    bool more;
    int c;
    enum err e;

    if (!m->begun) {
        if ((e = expect(m, '{')))
            return e;
        m->begun = m->first = true;
    }
    for (;;) {
        if ((e = separator(m, m->in_array ? ']' : '}', &more)))
            return e;
        if (m->in_array && more)
            return next_value(m);
        if (!m->in_array && !more)
            return at_end(m);
        if (m->in_array) {
            m->in_array = m->element = false;
            continue;
        }
        if ((e = next_key(m)) || (e = peek_word(m, &c)))
            return e;
        if (c != '[')
            return next_value(m);
        m->at++;
        m->in_array = m->element = m->first = true;
    }
}
