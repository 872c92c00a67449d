#include "pds/base/json.h"

#include "pds/base/limits.h"
#include "pds/base/mem.h"

#include <stddef.h>
#include <string.h>

/* jansson's scanner ignores a failure to grow its token and then works on a shorter one. So within a
 * read the first failure is hidden from it, by a little memory kept for that, and it dooms the read: the
 * text ends there, no other allocation succeeds, and what came out is thrown away. A text in quotes may
 * outgrow the spare, and is then refused at its end; a number or a word, which jansson asserts to be
 * whole, may not. */
enum { SPARE_BYTES = 256, WORD_BYTES = 100 };
static _Thread_local struct {
    bool reading, doomed;
    _Alignas(max_align_t) char bytes[SPARE_BYTES];
} spare;

static void *json_alloc(size_t size_bytes)
{
    void *p = spare.doomed ? NULL : mem_new(size_bytes);

    if (p || !spare.reading || spare.doomed)
        return p;
    spare.doomed = true;
    return size_bytes <= sizeof spare.bytes ? spare.bytes : NULL;
}

/* What people send may hold a passphrase, and jansson keeps copies of its own: all of them are wiped. */
static void json_release(void *p)
{
    if (!p)
        return;
    explicit_bzero(p, p == spare.bytes ? sizeof spare.bytes : mem_size(p));
    if (p != spare.bytes)
        mem_free(p);
}

void json_start(void)
{
    json_set_alloc_funcs(json_alloc, json_release);
    json_object_seed(0); /* from the system's random source */
}

static enum err refuse_at(struct str text, size_t at, const char *reason)
{
    size_t line = 1, column = 1;

    for (size_t i = 0; i < at; i++) {
        if (text.ptr[i] == '\n') {
            line++;
            column = 1;
        } else if (((uint8_t)text.ptr[i] & 0xC0) != 0x80) {
            column++;
        }
    }
    return err_set(ERR_INVALID, "line %zu, column %zu: %s", line, column, reason);
}

struct scan {
    int keys[LIMIT_JSON_DEPTH + 1]; /* colons so far, by depth */
    int depth;
    int word; /* bytes so far of a number or a word */
    bool in_string, escaped;
};

/* One byte seen; why the text is refused, or NULL. What is no JSON at all is left to the reader. */
static const char *scan_byte(struct scan *s, char c)
{
    if ((uint8_t)c < 0x20 && (s->in_string || (c != '\t' && c != '\n' && c != '\r')))
        return "a control character";
    if (s->in_string) {
        if (c == '"' && !s->escaped)
            s->in_string = false;
        s->escaped = c == '\\' && !s->escaped;
        return NULL;
    }
    s->word = strchr(" \t\n\r{}[]:,\"", c) ? 0 : s->word + 1;
    if (s->word > WORD_BYTES)
        return "a number or word that is too long";
    if (c == '"')
        s->in_string = true;
    if (c == '{' || c == '[') {
        if (s->depth == LIMIT_JSON_DEPTH)
            return "nested too deeply";
        s->keys[++s->depth] = 0;
    }
    if ((c == '}' || c == ']') && s->depth > 0)
        s->depth--;
    if (c == ':' && ++s->keys[s->depth] > LIMIT_JSON_KEYS)
        return "an object with too many keys";
    return NULL;
}

/* The ceilings hold before a tree is built. */
static enum err check_ceilings(struct str text)
{
    struct scan scan = {0};

    for (size_t i = 0; i < text.len; i++) {
        const char *refused = scan_byte(&scan, text.ptr[i]);
        if (refused)
            return refuse_at(text, i, refused);
    }
    return ERR_OK;
}

/* One byte at a time, so that nothing is read any more after a failed allocation. */
static size_t next_byte(void *to, size_t room, void *from)
{
    struct str *rest = from;

    if (rest->len == 0 || room == 0 || spare.doomed)
        return 0;
    memcpy(to, rest->ptr, 1);
    *rest = (struct str){rest->ptr + 1, rest->len - 1};
    return 1;
}

static const char *reason_of(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_invalid_utf8:
        return "bytes that are not UTF-8";
    case json_error_premature_end_of_input:
        return "the text ends too early";
    case json_error_end_of_input_expected:
        return "something stands behind the end";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a NUL in a text";
    case json_error_duplicate_key:
        return "a key that stands there already";
    case json_error_numeric_overflow:
        return "a number that is too large";
    default:
        return "not JSON";
    }
}

enum err json_read(struct str text, size_t max_bytes, json_t **out)
{
    struct str rest = text;
    json_error_t error;
    json_t *tree;
    bool doomed;
    enum err e;

    if (text.len > max_bytes)
        return err_set(ERR_TOO_LARGE, "JSON of %zu bytes where %zu are the most", text.len, max_bytes);
    if ((e = check_ceilings(text)))
        return e;
    spare.reading = true;
    tree = json_load_callback(next_byte, &rest, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    doomed = spare.doomed;
    spare.reading = false;
    spare.doomed = false;
    if (doomed) {
        json_decref(tree);
        return err_set(ERR_NO_MEMORY, "reading JSON of %zu bytes", text.len);
    }
    if (!tree)
        return err_set(ERR_INVALID, "line %d, column %d: %s", error.line, error.column, reason_of(&error));
    *out = tree;
    return ERR_OK;
}

static int add_bytes(const char *bytes, size_t len, void *to)
{
    struct buf *out = to;

    buf_add(out, bytes, len);
    return out->err ? -1 : 0;
}

void json_write(struct buf *out, const json_t *tree)
{
    if (json_dump_callback(tree, add_bytes, out, JSON_COMPACT | JSON_ENCODE_ANY) && !out->err)
        out->err = ERR_NO_MEMORY; /* jansson's own notes; a tree has no cycles and only valid texts */
}

static void quote_control(struct buf *out, uint8_t c)
{
    static const char SHORT[] = "\bb\tt\nn\ff\rr";

    for (size_t i = 0; i < sizeof SHORT - 1; i += 2) {
        if ((uint8_t)SHORT[i] == c) {
            buf_add(out, (char[2]){'\\', SHORT[i + 1]}, 2);
            return;
        }
    }
    buf_printf(out, "\\u%04x", c);
}

/* Bytes at the front of s that need no escape. */
static size_t plain_len(struct str s)
{
    size_t n = 0;

    while (n < s.len) {
        uint8_t c = (uint8_t)s.ptr[n];
        size_t step = c < 0x80 ? 1 : str_utf8_len((struct str){s.ptr + n, s.len - n});
        if (c < 0x20 || c == '"' || c == '\\' || step == 0)
            break;
        n += step;
    }
    return n;
}

void json_quote(struct buf *out, struct str text)
{
    buf_char(out, '"');
    while (text.len) {
        size_t n = plain_len(text);
        buf_add(out, text.ptr, n);
        if (n < text.len) {
            uint8_t c = (uint8_t)text.ptr[n++];
            if (c >= 0x80)
                buf_text(out, "\xEF\xBF\xBD"); /* U+FFFD */
            else if (c < 0x20)
                quote_control(out, c);
            else
                buf_add(out, (char[2]){'\\', (char)c}, 2);
        }
        text = (struct str){text.ptr + n, text.len - n};
    }
    buf_char(out, '"');
}

/* The member of an object, if it is as wanted. */
static enum err get(const json_t *object, const char *key, bool (*is_wanted)(const json_t *),
                    const char *wanted, json_t **out)
{
    json_t *member = json_object_get(object, key);

    if (!json_is_object(object))
        return err_set(ERR_INVALID, "\"%s\" is asked of what is not an object", key);
    if (!member)
        return err_set(ERR_INVALID, "\"%s\" is missing", key);
    if (!is_wanted(member))
        return err_set(ERR_INVALID, "\"%s\" is not %s", key, wanted);
    *out = member;
    return ERR_OK;
}

static bool is_text(const json_t *j) { return json_typeof(j) == JSON_STRING; }
static bool is_int(const json_t *j) { return json_typeof(j) == JSON_INTEGER; }
static bool is_bool(const json_t *j) { return json_typeof(j) == JSON_TRUE || json_typeof(j) == JSON_FALSE; }
static bool is_array(const json_t *j) { return json_typeof(j) == JSON_ARRAY; }
static bool is_object(const json_t *j) { return json_typeof(j) == JSON_OBJECT; }

enum err json_get_text(const json_t *object, const char *key, const char **out)
{
    json_t *member;
    enum err e = get(object, key, is_text, "a text", &member);

    if (!e)
        *out = json_string_value(member);
    return e;
}

enum err json_get_int(const json_t *object, const char *key, int64_t *out)
{
    json_t *member;
    enum err e = get(object, key, is_int, "a whole number", &member);

    if (!e)
        *out = json_integer_value(member);
    return e;
}

enum err json_get_bool(const json_t *object, const char *key, bool *out)
{
    json_t *member;
    enum err e = get(object, key, is_bool, "true or false", &member);

    if (!e)
        *out = json_typeof(member) == JSON_TRUE;
    return e;
}

enum err json_get_array(const json_t *object, const char *key, json_t **out)
{
    return get(object, key, is_array, "a list", out);
}

enum err json_get_object(const json_t *object, const char *key, json_t **out)
{
    return get(object, key, is_object, "an object", out);
}

static bool is_listed(const char *key, const char *const keys[])
{
    for (; *keys; keys++)
        if (strcmp(key, *keys) == 0)
            return true;
    return false;
}

enum err json_only_keys(const json_t *object, const char *const keys[])
{
    size_t place = 0;
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        place++;
        if (!is_listed(key, keys))
            return err_set(ERR_INVALID, "key %zu of %zu is not known, %zu bytes", place,
                           json_object_size(object), strlen(key));
    }
    return ERR_OK;
}
