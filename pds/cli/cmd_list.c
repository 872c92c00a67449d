/* Commands that list: datasets, sources, imports (and undo). */
#include "pds/cli/command.h"

#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/store/import.h"
#include "pds/store/source.h"

#include <inttypes.h>
#include <string.h>

const struct opt LIST_OPTIONS[] = {
    OPTIONS_KEY,
    OPTION_JSON,
    OPTIONS_END,
};

const struct opt PAGE_OPTIONS[] = {
    {"limit", 0, "N", "rows at most; the answer's \"next\" says where to go on"},
    {"cursor", 0, "C", "the \"next\" of the answer before"},
    OPTIONS_KEY,
    OPTION_JSON,
    OPTIONS_END,
};

static enum err read_limit(struct invocation *inv, int64_t *out)
{
    const char *word = command_option(inv, "limit");

    *out = LIMIT_LIST_ANSWER;
    if (word && (str_int64(str_of(word), out) || *out < 1))
        return err_set(ERR_USAGE, "--limit is no positive number");
    if (*out > LIMIT_LIST_ANSWER)
        *out = LIMIT_LIST_ANSWER;
    return ERR_OK;
}

/* One value of a column, as a person reads it. */
static void say(struct invocation *inv, const json_t *item, const char *key, int width)
{
    const json_t *value = json_object_get(item, key);

    if (json_is_integer(value))
        (void)fprintf(inv->out, "%*" JSON_INTEGER_FORMAT "  ", width, json_integer_value(value));
    else
        (void)fprintf(inv->out, "%-*s  ", width, json_is_string(value) ? json_string_value(value) : "-");
}

struct column {
    const char *key;
    int width;
};

static enum err answer(struct invocation *inv, const json_t *list, const char *key,
                       const struct column columns[])
{
    const json_t *item;
    size_t i;

    if (command_has(inv, "json"))
        return command_json(inv, list);
    json_array_foreach(json_object_get(list, key), i, item)
    {
        for (const struct column *c = columns; c->key; c++)
            say(inv, item, c->key, c->width);
        (void)fputc('\n', inv->out);
    }
    return ERR_OK;
}

enum err cmd_datasets(struct invocation *inv)
{
    static const struct column COLUMNS[] = {{"name", 36},  {"unit", 3},  {"records", 9},
                                            {"first", 20}, {"last", 20}, {NULL, 0}};
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(json_freep) json_t *list = NULL;
    enum err e;

    if ((e = store_view(inv->store, &view)) || (e = source_datasets(view.db, &list)))
        return e;
    return answer(inv, list, "datasets", COLUMNS);
}

enum err cmd_sources(struct invocation *inv)
{
    static const struct column COLUMNS[] = {{"id", 4},      {"provider", 12}, {"reference", 16},
                                            {"records", 9}, {"first", 20},    {"last", 20},
                                            {NULL, 0}};
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(json_freep) json_t *list = NULL;
    const char *cursor = command_option(inv, "cursor");
    int64_t limit, after = 0;
    enum err e;

    if ((e = read_limit(inv, &limit)))
        return e;
    if (cursor && (str_int64(str_of(cursor), &after) || after < 1))
        return err_set(ERR_USAGE, "--cursor is none that was answered");
    if ((e = store_view(inv->store, &view)) || (e = source_list(view.db, after, limit, &list)))
        return e;
    return answer(inv, list, "sources", COLUMNS);
}

static enum err undo(struct invocation *inv, struct vault *vault)
{
    AUTO(json_freep) json_t *done = NULL;
    int64_t removed, restored;
    enum err e;

    if ((e = import_undo(vault, str_of(inv->opts->args[2]), inv->now, &removed, &restored)))
        return e;
    if (!command_has(inv, "json")) {
        (void)fprintf(inv->out, "removed %" PRId64 " records, restored %" PRId64 "\n", removed, restored);
        return ERR_OK;
    }
    done = json_pack("{s:s, s:I, s:I}", "id", inv->opts->args[2], "removed", (json_int_t)removed, "restored",
                     (json_int_t)restored);
    return done ? command_json(inv, done) : err_set(ERR_NO_MEMORY, "the answer");
}

enum err cmd_imports(struct invocation *inv)
{
    static const struct column COLUMNS[] = {{"id", 26},        {"at", 20},      {"new", 7},
                                            {"same", 7},       {"replaced", 8}, {"rejected", 8},
                                            {"undone_at", 20}, {"file", 1},     {NULL, 0}};
    AUTO(json_freep) json_t *list = NULL;
    const char *cursor = command_option(inv, "cursor");
    struct vault *vault;
    int64_t limit;
    enum err e;

    if (inv->opts->arg_count > 1 && (strcmp(inv->opts->args[1], "undo") != 0 || inv->opts->arg_count != 3))
        return err_set(ERR_USAGE, "expected: traboule imports STORE [undo ID]");
    if ((e = read_limit(inv, &limit)) || (e = store_enter(inv->store, &vault)))
        return e;
    if (inv->opts->arg_count == 3)
        e = undo(inv, vault);
    else if (!(e = import_list(vault, str_of(cursor ? cursor : ""), limit, &list)))
        e = answer(inv, list, "imports", COLUMNS);
    store_leave(inv->store);
    return e;
}
