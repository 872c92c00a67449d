/* Reading the audit trail: its lines, its checkpoint, a proof, its key; whether it goes on from an older
 * checkpoint. */
#include "pds/cli/command.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/store/query.h"

#include <unistd.h>

const struct opt TRAIL_OPTIONS[] = {
    {"limit", 0, "N", "lines at most; without it all are told"},
    {"cursor", 0, "C", "the \"next\" of the answer before"},
    {"order", 0, "O", "asc, the oldest first (as it is without), or desc"},
    {"kind", 0, "K", "lines of this kind alone, such as imported"},
    {"who", 0, "W", "what this one did: owner, or an id"},
    {"consent", 0, "ID", "what happened under a consent"},
    {"from", 0, "T", "first instant: 2024-05-01 (its midnight) or 2024-05-01T00:00:00Z"},
    {"to", 0, "T", "the instant before which it ends"},
    {"vkey", 0, NULL, "print the key that verifies checkpoints, and nothing else"},
    {"checkpoint", 0, NULL, "print the signed checkpoint of now, and nothing else"},
    {"proof", 0, "INDEX", "print the proof that a line is in the trail, and nothing else"},
    {"since", 0, "FILE", "check that the trail goes on from a checkpoint kept earlier"},
    OPTIONS_KEY,
    OPTION_JSON,
    OPTIONS_END,
};

enum { PAGE = 500 };

/* What is asked for, besides the filter. */
struct asked {
    struct trail_filter filter;
    int64_t after, limit; /* limit 0: all */
};

static enum err read_time(const struct invocation *inv, const char *name, int64_t *out)
{
    const char *word = command_option(inv, name);

    if (word && query_time(name, str_of(word), zone_paris(), out))
        return err_wrap(ERR_USAGE, "--%s", name);
    return ERR_OK;
}

static enum err read_number(const struct invocation *inv, const char *name, int64_t least, int64_t *out)
{
    const char *word = command_option(inv, name);

    if (word && (str_int64(str_of(word), out) || *out < least))
        return err_set(ERR_USAGE, "--%s is no number that it takes", name);
    return ERR_OK;
}

static enum err read_asked(const struct invocation *inv, struct asked *a)
{
    struct str order = str_of(command_option(inv, "order"));
    enum event_kind kind;
    enum err e;

    *a = (struct asked){.filter = {.kind = str_of(command_option(inv, "kind")),
                                   .who = str_of(command_option(inv, "who")),
                                   .consent = str_of(command_option(inv, "consent")),
                                   .from = INT64_MIN,
                                   .to = INT64_MAX,
                                   .newest_first = str_eq(order, STR("desc"))},
                        .after = -1};
    if (order.len && !a->filter.newest_first && !str_eq(order, STR("asc")))
        return err_set(ERR_USAGE, "--order is asc or desc");
    if (a->filter.kind.len && event_read(a->filter.kind, &kind))
        return err_wrap(ERR_USAGE, "--kind");
    if ((e = read_number(inv, "limit", 1, &a->limit)) || (e = read_number(inv, "cursor", 0, &a->after)) ||
        (e = read_time(inv, "from", &a->filter.from)))
        return e;
    if (a->limit > LIMIT_LIST_ANSWER)
        a->limit = LIMIT_LIST_ANSWER;
    return read_time(inv, "to", &a->filter.to);
}

static const char *text_of(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));

    return text ? text : "-";
}

/* A line for a person; of an erased one only its number and time are left. */
static void say(struct buf *out, const json_t *entry)
{
    buf_printf(out, "%6" JSON_INTEGER_FORMAT "  %s  %-18s  ",
               json_integer_value(json_object_get(entry, "index")), text_of(entry, "time"),
               json_is_null(json_object_get(entry, "kind")) ? "(erased)" : text_of(entry, "kind"));
    buf_printf(out, "%-8s  %s", text_of(entry, "who"), text_of(entry, "what"));
    if (json_is_string(json_object_get(entry, "consent")))
        buf_printf(out, "  (consent %s)", text_of(entry, "consent"));
    buf_char(out, '\n');
}

/* The entries of a page. `first`: none was told before. */
static enum err tell_page(struct invocation *inv, const json_t *entries, bool first)
{
    AUTO(buf_done) struct buf text;
    bool json = command_has(inv, "json");
    const json_t *entry;
    size_t i;
    enum err e;

    buf_init(&text, 64 * MIB);
    json_array_foreach(entries, i, entry)
    {
        if (json && !(first && i == 0))
            buf_char(&text, ',');
        if (json)
            json_write(&text, entry);
        else
            say(&text, entry);
    }
    return (e = buf_err(&text)) ? e : command_write(inv, text.data ? text.data : "", text.len);
}

/* Page after page of one snapshot, so that a long trail takes no more memory than a short one. */
static enum err tell_pages(struct invocation *inv, struct db *db, const struct asked *a, int64_t *next)
{
    int64_t after = a->after;
    enum err e;

    for (bool first = true;; first = false) {
        AUTO(json_freep) json_t *entries = json_array();

        if (!entries)
            return err_set(ERR_NO_MEMORY, "the answer");
        if ((e = trail_entries(db, &a->filter, after, a->limit ? a->limit : PAGE, entries, next)) ||
            (e = tell_page(inv, entries, first)))
            return e;
        if (*next < 0 || a->limit)
            return ERR_OK;
        after = *next;
    }
}

static enum err tell_tail(struct invocation *inv, struct db *db, int64_t next)
{
    AUTO(buf_done) struct buf note;
    AUTO(buf_done) struct buf key;
    AUTO(buf_done) struct buf text;
    enum err e;

    buf_init(&note, LIMIT_NOTE_BYTES);
    buf_init(&key, LIMIT_NOTE_BYTES);
    buf_init(&text, 2 * LIMIT_NOTE_BYTES);
    if ((e = trail_checkpoint(db, &note)) || (e = trail_vkey(db, &key)))
        return e;
    buf_text(&text, "],\"checkpoint\":");
    json_quote(&text, (struct str){note.data, note.len});
    buf_text(&text, ",\"vkey\":");
    json_quote(&text, (struct str){key.data, key.len});
    if (next < 0)
        buf_text(&text, ",\"next\":null}\n");
    else
        buf_printf(&text, ",\"next\":\"%" JSON_INTEGER_FORMAT "\"}\n", (json_int_t)next);
    return (e = buf_err(&text)) ? e : command_write(inv, text.data, text.len);
}

static enum err tell_lines(struct invocation *inv, struct db *db)
{
    bool json = command_has(inv, "json");
    struct asked a;
    int64_t next = -1;
    enum err e;

    if ((e = read_asked(inv, &a)) || (json && (e = command_write(inv, "{\"entries\":[", 12))) ||
        (e = tell_pages(inv, db, &a, &next)))
        return e;
    return json ? tell_tail(inv, db, next) : ERR_OK;
}

static enum err read_all(int fd, struct buf *out)
{
    ssize_t got = 0;
    char *to;

    while ((to = buf_reserve(out, 4096)) && (got = read(fd, to, 4096)) > 0)
        buf_grew(out, (size_t)got);
    return got < 0 ? fs_error("reading", "the checkpoint") : buf_err(out);
}

static enum err check_since(struct invocation *inv, struct db *db)
{
    AUTO(buf_done) struct buf note;
    AUTO(json_freep) json_t *answer = NULL;
    enum err e;

    buf_init(&note, LIMIT_NOTE_BYTES);
    if ((e = read_all(inv->input, &note)) ||
        (e = trail_check_since(db, (struct str){note.data ? note.data : "", note.len})))
        return e;
    if (!command_has(inv, "json")) {
        (void)fprintf(inv->err, "The trail goes on from that checkpoint.\n"); /* the status says it too */
        return ERR_OK;
    }
    answer = json_pack("{s:b}", "ok", 1);
    return answer ? command_json(inv, answer) : err_set(ERR_NO_MEMORY, "the answer");
}

/* One text and nothing else: with --json it is the member of that name. */
static enum err tell_text(struct invocation *inv, const char *key, const struct buf *text)
{
    AUTO(json_freep) json_t *answer = NULL;

    if (!command_has(inv, "json"))
        return command_write(inv, text->data, text->len);
    answer = json_pack("{s:s%}", key, text->data, text->len);
    return answer ? command_json(inv, answer) : err_set(ERR_NO_MEMORY, "the answer");
}

static enum err tell_one(struct invocation *inv, struct db *db)
{
    AUTO(buf_done) struct buf text;
    const char *word = command_option(inv, "proof");
    int64_t index = 0;
    enum err e;

    buf_init(&text, LIMIT_PROOF_BYTES);
    if (word && ((e = read_number(inv, "proof", 0, &index)) || (e = trail_proof(db, index, &text))))
        return e;
    if (word)
        return tell_text(inv, "proof", &text);
    if ((e = command_has(inv, "vkey") ? trail_vkey(db, &text) : trail_checkpoint(db, &text)))
        return e;
    if (!command_has(inv, "vkey"))
        return tell_text(inv, "checkpoint", &text);
    if (!command_has(inv, "json"))
        buf_char(&text, '\n');
    return (e = buf_err(&text)) ? e : tell_text(inv, "vkey", &text);
}

enum err cmd_trail(struct invocation *inv)
{
    AUTO(store_view_done) struct store_view view = {0};
    bool since = command_has(inv, "since"), vkey = command_has(inv, "vkey"),
         checkpoint = command_has(inv, "checkpoint"), proof = command_has(inv, "proof");
    enum err e;

    if (since + vkey + checkpoint + proof > 1)
        return err_set(ERR_USAGE, "--vkey, --checkpoint, --proof and --since each stand alone");
    if ((e = store_view(inv->store, &view)))
        return e;
    if (since)
        return check_since(inv, view.db);
    return vkey || checkpoint || proof ? tell_one(inv, view.db) : tell_lines(inv, view.db);
}
