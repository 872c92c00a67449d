/* A whole trail, as `traboule trail --json` tells it: {"entries":[…],"checkpoint","vkey","next"}. It may be
 * long, so that no tree of it is built: its entries are read one by one. */
#include "pds/audit/verify_internal.h"

#include "pds/audit/trail_line.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct trail_file {
    struct verifying *v;
    struct tlog_frontier frontier;
    int64_t at;                     /* of the last entry */
    int64_t erased;                 /* how many have no content */
    bool entries, checkpoint, next; /* members seen */
    struct str note;                /* "checkpoint", owned by tree */
    json_t *note_tree, *vkey_tree;  /* owned */
};

static void skip_spaces(struct str *rest)
{
    while (rest->len && strchr(" \t\r\n", *rest->ptr) && *rest->ptr)
        *rest = (struct str){rest->ptr + 1, rest->len - 1};
}

/* The byte that must come next, spaces before it aside. */
static bool take(struct str *rest, char wanted)
{
    skip_spaces(rest);
    if (rest->len == 0 || *rest->ptr != wanted)
        return false;
    *rest = (struct str){rest->ptr + 1, rest->len - 1};
    return true;
}

/* How long the value at the front is: to its closing bracket, or to what ends a number or a word. What is
 * within is for json_read() to judge. */
static size_t value_len(struct str s)
{
    bool in_text = false;
    size_t depth = 0, i;

    for (i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (in_text) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_text = false;
            if (c == '"' && depth == 0)
                return i + 1;
        } else if (c == '"') {
            in_text = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            if (depth == 0)
                return i;
            if (--depth == 0)
                return i + 1;
        } else if (depth == 0 && strchr(", \t\r\n", c)) {
            return i;
        }
    }
    return s.len;
}

static enum err take_value(struct str *rest, json_t **out)
{
    size_t len;
    enum err e;

    skip_spaces(rest);
    len = value_len(*rest);
    if (len > rest->len)
        len = rest->len;
    if ((e = json_read((struct str){rest->ptr, len}, LIMIT_NOTE_BYTES, out)))
        return e;
    *rest = (struct str){rest->ptr + len, rest->len - len};
    return ERR_OK;
}

static struct str text_of(const json_t *j)
{
    return (struct str){json_string_value(j), json_string_length(j)};
}

static bool is_text_or_null(const json_t *j) { return json_is_string(j) || json_is_null(j); }

/* The leaf that the content of an entry gives. */
static const char *content_fault(const json_t *entry, int64_t at, const struct tlog_hash *leaf)
{
    const json_t *kind = json_object_get(entry, "kind"), *who = json_object_get(entry, "who"),
                 *what = json_object_get(entry, "what"), *consent = json_object_get(entry, "consent"),
                 *salt = json_object_get(entry, "salt");
    struct trail_line line = {at, text_of(kind), text_of(who), text_of(what), text_of(consent)};
    uint8_t bytes[TRAIL_SALT_BYTES];
    struct tlog_hash wanted;

    if (json_is_null(salt)) /* erased */
        return json_is_null(kind) && json_is_null(who) && json_is_null(what) && json_is_null(consent)
                   ? NULL
                   : "it has content and no salt";
    if (!json_is_string(kind) || !json_is_string(who) || !json_is_string(what) || !is_text_or_null(consent) ||
        !verify_bytes(salt, bytes) || trail_line_leaf(&line, bytes, &wanted))
        return "it is no line of a trail";
    return memcmp(wanted.bytes, leaf->bytes, sizeof wanted.bytes) != 0
               ? "its content is not what its hash says"
               : NULL;
}

static const char *entry_fault(struct trail_file *f, const json_t *entry, struct tlog_hash *leaf)
{
    static const char *const KEYS[] = {"index",   "time",      "kind", "who", "what",
                                       "consent", "leaf_hash", "salt", NULL};
    const char *time, *fault;
    char text[CLOCK_TEXT_BYTES];
    int64_t index, at;

    if (json_get_int(entry, "index", &index) || json_only_keys(entry, KEYS) ||
        !verify_bytes(json_object_get(entry, "leaf_hash"), leaf->bytes))
        return "it is no line of a trail";
    if (index != f->frontier.size)
        return "another line stands here";
    if (json_get_text(entry, "time", &time) || clock_parse(str_of(time), &at, NULL))
        return "its time is none";
    clock_text(at, text);
    if (strcmp(text, time) != 0)
        return "its time is none";
    fault = at < f->at ? "it is older than the line before" : NULL;
    f->at = at;
    return fault ? fault : content_fault(entry, at, leaf);
}

static enum err take_entries(struct trail_file *f, struct str *rest)
{
    enum err e;

    if (!take(rest, '['))
        return err_set(ERR_INVALID, "\"entries\" is not an array");
    if (take(rest, ']'))
        return ERR_OK;
    do {
        AUTO(json_freep) json_t *entry = NULL;
        struct tlog_hash leaf = {{0}};
        const char *fault;
        char where[32];

        (void)snprintf(where, sizeof where, "entry %" PRId64, f->frontier.size);
        if ((e = take_value(rest, &entry)))
            return err_wrap(e, "%s", where);
        if ((fault = entry_fault(f, entry, &leaf)))
            verify_tell(f->v, where, fault);
        f->erased += json_is_null(json_object_get(entry, "salt"));
        tlog_frontier_add(&f->frontier, &leaf);
    } while (take(rest, ','));
    return take(rest, ']') ? ERR_OK : err_set(ERR_INVALID, "\"entries\" does not end");
}

/* One member of the whole. */
static enum err take_member(struct trail_file *f, const char *key, struct str *rest)
{
    AUTO(json_freep) json_t *value = NULL;
    bool *seen = strcmp(key, "entries") == 0 ? &f->entries : strcmp(key, "next") == 0 ? &f->next : NULL;
    json_t **kept = strcmp(key, "checkpoint") == 0 ? &f->note_tree
                    : strcmp(key, "vkey") == 0     ? &f->vkey_tree
                                                   : NULL;
    enum err e;

    if ((!seen && !kept) || (seen && *seen) || (kept && *kept))
        return err_set(ERR_INVALID, "a member that no trail has, or has once");
    if (seen)
        *seen = true;
    if (seen == &f->entries)
        return take_entries(f, rest);
    if ((e = take_value(rest, &value)))
        return err_wrap(e, "\"%s\"", key);
    if (kept) {
        *kept = value;
        value = NULL;
    } else if (!json_is_null(value)) {
        verify_tell(f->v, "next", "this is a part of a trail, not the whole");
    }
    return ERR_OK;
}

static enum err take_members(struct trail_file *f, struct str *rest)
{
    enum err e;

    if (!take(rest, '{'))
        return err_set(ERR_INVALID, "not an object");
    do {
        AUTO(json_freep) json_t *key = NULL;

        if ((e = take_value(rest, &key)))
            return e;
        if (!json_is_string(key) || !take(rest, ':'))
            return err_set(ERR_INVALID, "a member without a name");
        if ((e = take_member(f, json_string_value(key), rest)))
            return e;
    } while (take(rest, ','));
    if (!take(rest, '}'))
        return err_set(ERR_INVALID, "the object does not end");
    skip_spaces(rest);
    return rest->len ? err_set(ERR_INVALID, "something stands behind the end") : ERR_OK;
}

static void check_root(struct trail_file *f)
{
    struct tlog_checkpoint c;
    struct tlog_hash root;
    const json_t *key;
    char what[96];

    verify_use_key(f->v, text_of(f->vkey_tree));
    if (!verify_note(f->v, text_of(f->note_tree), &c))
        return;
    key = json_object_get(f->v->report, "key");
    if (f->vkey_tree && json_is_string(key) && !json_equal(key, f->vkey_tree))
        verify_tell(f->v, "vkey", "it is not the key that signed the checkpoint");
    tlog_frontier_root(&f->frontier, &root);
    if (c.size != f->frontier.size) {
        (void)snprintf(what, sizeof what, "it is over %" PRId64 " lines, and %" PRId64 " are here", c.size,
                       f->frontier.size);
        verify_tell(f->v, "checkpoint", what);
    } else if (memcmp(root.bytes, c.root.bytes, sizeof root.bytes) != 0) {
        verify_tell(f->v, "checkpoint", "these lines have another root: one was altered, put in or moved");
    }
}

enum err verify_trail(struct verifying *v, struct str text)
{
    struct trail_file f = {.v = v, .at = INT64_MIN};
    struct str rest = text;
    char what[256];
    enum err e = take_members(&f, &rest);

    if (e == ERR_INVALID || e == ERR_TOO_LARGE) {
        (void)snprintf(what, sizeof what, "%s", err_story());
        verify_tell(v, "file", what);
        e = ERR_OK;
    } else if (!e && (!f.entries || !json_is_string(f.note_tree))) {
        verify_tell(v, "file", "no entries, or no checkpoint");
    } else if (!e) {
        check_root(&f);
    }
    json_decref(f.note_tree);
    json_decref(f.vkey_tree);
    verify_set(v, "entries", json_integer(f.frontier.size));
    verify_set(v, "erased", json_integer(f.erased));
    return e;
}
