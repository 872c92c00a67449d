/* The command "documents": list, add, get, find, delete. */
#include "pds/cli/command.h"
#include "pds/cli/input.h"

#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/store/document.h"
#include "pds/store/media.h"

#include <inttypes.h>
#include <string.h>

enum { PIECE_BYTES = 256 * 1024, VERB = 1, OPERAND = 2 };

const struct opt DOCUMENTS_OPTIONS[] = {
    {"kind", 0, "K", "add: what it is, such as identity-card (other); list, find: those of a kind"},
    {"title", 0, "T", "add: its title (the file's name)"},
    {"number", 0, "N", "add: the number printed on it"},
    {"issuer", 0, "I", "add: who issued it"},
    {"issued", 0, "DAY", "add: when, as 2024-05-01"},
    {"expires", 0, "DAY", "add: until when it is valid"},
    {"tags", 0, "A,B", "add: its tags, between commas"},
    {"note", 0, "TEXT", "add: a note"},
    {"tag", 0, "A", "list, find: those with a tag"},
    {"bundle", 0, "ID", "list, find: those of a bundle"},
    {"expiring", 0, "DAY", "list, find: those whose reminder or expiry has come by that day"},
    {"output", 'o', "FILE", "get: write it there (standard output)"},
    {"version", 0, "N", "get: which one (the newest)"},
    {"limit", 0, "N", "rows at most; the answer's \"next\" says where to go on"},
    {"cursor", 0, "C", "the \"next\" of the answer before"},
    OPTIONS_KEY,
    OPTION_JSON,
    OPTIONS_END,
};

/* A text that is not told has no pointer. */
static struct str option(const struct invocation *inv, const char *name)
{
    const char *value = command_option(inv, name);

    return value ? str_of(value) : (struct str){0};
}

static enum err number_option(const struct invocation *inv, const char *name, int64_t most, int64_t *out)
{
    struct str word = option(inv, name);

    if (word.ptr && (str_int64(word, out) || *out < 1))
        return err_set(ERR_USAGE, "--%s is no positive number", name);
    if (*out > most)
        *out = most;
    return ERR_OK;
}

static void say_row(struct invocation *inv, const json_t *d)
{
    const char *expires = json_string_value(json_object_get(d, "expires"));

    (void)fprintf(inv->out, "%s  %-20s  %-10s  %10" JSON_INTEGER_FORMAT "  %s\n",
                  json_string_value(json_object_get(d, "id")), json_string_value(json_object_get(d, "kind")),
                  expires ? expires : "-", json_integer_value(json_object_get(d, "size")),
                  json_string_value(json_object_get(d, "title")));
}

static enum err list(struct invocation *inv, struct str words)
{
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(json_freep) json_t *found = NULL;
    struct document_filter f = {.words = words,
                                .kind = option(inv, "kind"),
                                .tag = option(inv, "tag"),
                                .bundle = option(inv, "bundle"),
                                .expiring = option(inv, "expiring")};
    int64_t limit = LIMIT_DOCUMENTS_ANSWER;
    const json_t *one;
    size_t i;
    enum err e;

    if ((e = number_option(inv, "limit", LIMIT_DOCUMENTS_ANSWER, &limit)) ||
        (e = store_view(inv->store, &view)) ||
        (e = document_list(view.db, &f, option(inv, "cursor"), limit, &found)))
        return e;
    if (command_has(inv, "json"))
        return command_json(inv, found);
    json_array_foreach(json_object_get(found, "documents"), i, one) say_row(inv, one);
    return ERR_OK;
}

static enum err cmd_list(struct invocation *inv) { return list(inv, (struct str){0}); }

static enum err cmd_find(struct invocation *inv)
{
    AUTO(buf_done) struct buf words;
    enum err e;

    buf_init(&words, LIMIT_CONTROL_REQUEST_BYTES);
    for (size_t i = OPERAND; i < inv->opts->arg_count; i++) {
        buf_text(&words, i > OPERAND ? " " : "");
        buf_text(&words, inv->opts->args[i]);
    }
    if ((e = buf_err(&words)))
        return e;
    return list(inv, (struct str){words.data, words.len});
}

static enum err read_facts(const struct invocation *inv, struct str tags[static DOCUMENT_TAGS_MAX + 1],
                           struct document_facts *out)
{
    struct document_facts f = {.kind = option(inv, "kind"),
                               .title = option(inv, "title"),
                               .reference = option(inv, "number"),
                               .issuer = option(inv, "issuer"),
                               .issued_on = option(inv, "issued"),
                               .expires_on = option(inv, "expires"),
                               .note = option(inv, "note"),
                               .tags = tags,
                               .remind_days = -1};
    struct str rest = option(inv, "tags"), tag;

    f.has_tags = rest.ptr != NULL;
    while (f.tag_count <= DOCUMENT_TAGS_MAX && str_split(&rest, ',', &tag)) {
        if (str_trim(tag).len > 0)
            tags[f.tag_count++] = str_trim(tag);
    }
    *out = f;
    return document_facts_check(out) ? ERR_USAGE : ERR_OK; /* the story is told */
}

/* The whole file into the blob. Its front tells its type. */
static enum err pour(const struct invocation *inv, struct blob_writer *blob, char *room, struct str name,
                     const char **type)
{
    char head[MEDIA_HEAD_BYTES];
    size_t head_len = 0, got;
    enum err e;

    while (!(e = input_read(inv->files[0], inv->store, room, PIECE_BYTES, &got)) && got > 0) {
        size_t part = got < sizeof head - head_len ? got : sizeof head - head_len;

        memcpy(head + head_len, room, part);
        head_len += part;
        if (blob_written(blob) + got > LIMIT_UPLOAD_FILE_BYTES)
            return err_set(ERR_TOO_LARGE, "the file has more than %ld bytes", LIMIT_UPLOAD_FILE_BYTES);
        if ((e = blob_write(blob, room, got)))
            return e;
    }
    *type = media_type_of(head, head_len, name);
    return e ? e : blob_finish(blob);
}

/* The document that was made, as --json tells it or in a line. */
static enum err say_one(struct invocation *inv, const char *id)
{
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(json_freep) json_t *one = NULL;
    enum err e;

    if ((e = store_view(inv->store, &view)) || (e = document_get(view.db, str_of(id), &one)))
        return e;
    if (command_has(inv, "json"))
        return command_json(inv, one);
    say_row(inv, one);
    return ERR_OK;
}

static enum err add(struct invocation *inv, char *room, char id[static ID_CHARS + 1])
{
    AUTO(blob_writer_freep) struct blob_writer *blob = NULL;
    struct str tags[DOCUMENT_TAGS_MAX + 1], name = input_name(inv->opts->args[OPERAND]);
    struct document_facts facts;
    const char *type = NULL;
    enum err e;

    if ((e = read_facts(inv, tags, &facts)) || (e = blob_writer_new(inv->store, &blob)) ||
        (e = pour(inv, blob, room, name, &type)))
        return e;
    return document_add(inv->store, STR(""), blob, name, str_of(type), &facts, inv->now, id);
}

static enum err cmd_add(struct invocation *inv)
{
    char id[ID_CHARS + 1], *room;
    struct vault *vault;
    enum err e;

    if ((e = store_enter(inv->store, &vault)))
        return e;
    if (!(room = mem_new(PIECE_BYTES))) {
        e = err_set(ERR_NO_MEMORY, "reading a file");
    } else {
        e = add(inv, room, id);
        explicit_bzero(room, PIECE_BYTES);
    }
    mem_free(room);
    store_leave(inv->store);
    return e ? e : say_one(inv, id);
}

static enum err write_out(struct invocation *inv, const char *bytes, size_t len)
{
    if (store_is_closing(inv->store))
        return err_set(ERR_LOCKED, "the store is being locked");
    return inv->output >= 0 ? fs_write_all(inv->output, bytes, len) : command_write(inv, bytes, len);
}

static enum err open_file(struct invocation *inv, struct blob_reader **out)
{
    AUTO(store_view_done) struct store_view view = {0};
    struct document_file file;
    int64_t version = 0;
    enum err e;

    if ((e = number_option(inv, "version", INT64_MAX, &version)) || (e = store_view(inv->store, &view)) ||
        (e = document_file(view.db, str_of(inv->opts->args[OPERAND]), version, &file)))
        return e;
    return blob_reader_new(inv->store, view.db, file.blob_id, out);
}

static enum err get(struct invocation *inv, char *room)
{
    AUTO(blob_reader_freep) struct blob_reader *r = NULL;
    uint64_t at = 0;
    size_t got;
    enum err e;

    if ((e = open_file(inv, &r)))
        return e;
    while (!(e = blob_read(r, at, room, PIECE_BYTES, &got)) && got > 0) {
        if ((e = write_out(inv, room, got)))
            return e;
        at += got;
    }
    return e;
}

static enum err cmd_get(struct invocation *inv)
{
    char *room;
    struct vault *vault;
    enum err e;

    if ((e = store_enter(inv->store, &vault)))
        return e;
    if (!(room = mem_new(PIECE_BYTES))) {
        e = err_set(ERR_NO_MEMORY, "writing a file");
    } else {
        e = get(inv, room);
        explicit_bzero(room, PIECE_BYTES);
    }
    mem_free(room);
    store_leave(inv->store);
    return e;
}

static enum err cmd_delete(struct invocation *inv)
{
    AUTO(json_freep) json_t *answer = json_pack("{s:s}", "deleted", inv->opts->args[OPERAND]);
    enum err e = document_delete(inv->store, str_of(inv->opts->args[OPERAND]), 0, inv->now);

    if (e)
        return e;
    if (!answer)
        return err_set(ERR_NO_MEMORY, "the answer");
    return command_has(inv, "json") ? command_json(inv, answer) : ERR_OK;
}

/* What may stand behind the store. */
static const struct {
    const char *verb;
    size_t min_args, max_args;
    enum err (*run)(struct invocation *inv);
} VERBS[] = {
    {"add", 3, 3, cmd_add},
    {"get", 3, 3, cmd_get},
    {"find", 3, OPT_ARGS_MAX, cmd_find},
    {"delete", 3, 3, cmd_delete},
};

enum err cmd_documents(struct invocation *inv)
{
    size_t count = inv->opts->arg_count;

    if (count == VERB)
        return inv->output < 0 ? cmd_list(inv) : err_set(ERR_USAGE, "--output goes with get");
    for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++) {
        if (strcmp(inv->opts->args[VERB], VERBS[i].verb) != 0 || count < VERBS[i].min_args ||
            count > VERBS[i].max_args)
            continue;
        if (inv->output >= 0 && VERBS[i].run != cmd_get)
            return err_set(ERR_USAGE, "--output goes with get");
        return VERBS[i].run(inv);
    }
    return err_set(ERR_USAGE, "expected: traboule documents %s", inv->command->arguments);
}
