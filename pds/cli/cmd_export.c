/* All of a store into open formats, and out of them. */
#include "pds/cli/command.h"

#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/cli/input.h"
#include "pds/portable/export.h"
#include "pds/portable/merge.h"

const struct opt EXPORT_OPTIONS[] = {
    {"output", 'o', "FILE.zip", "the file to write: it is NOT encrypted"},
    {"digest", 0, NULL, "tell the digests alone: alike for two stores that hold the same"},
    OPTIONS_KEY,
    OPTION_JSON,
    OPTIONS_END,
};

const struct opt MERGE_OPTIONS[] = {
    OPTIONS_KEY,
    OPTION_JSON,
    OPTIONS_END,
};

static enum err put(void *context, const void *bytes, size_t len)
{
    const struct invocation *inv = context;

    if (store_is_closing(inv->store))
        return err_set(ERR_LOCKED, "the store is being locked");
    return fs_write_all(inv->output, bytes, len);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static json_int_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void say_export(struct invocation *inv, const json_t *answer)
{
    static const char *const NAMES[] = {"documents", "annotations", "bundles"};
    const json_t *dataset;
    size_t i;

    json_array_foreach(json_object_get(answer, "datasets"), i, dataset)
    {
        (void)fprintf(inv->out, "%-36s %10" JSON_INTEGER_FORMAT " records  %s\n", text_of(dataset, "name"),
                      number_of(dataset, "records"), text_of(dataset, "digest"));
    }
    for (i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        (void)fprintf(inv->out, "%-36s %10" JSON_INTEGER_FORMAT "\n", NAMES[i], number_of(answer, NAMES[i]));
    (void)fprintf(inv->out, "digest %s\n", text_of(answer, "digest"));
    if (inv->output >= 0)
        (void)fprintf(inv->out, "The file is not encrypted: keep it in a safe place.\n");
}

enum err cmd_export(struct invocation *inv)
{
    AUTO(json_freep) json_t *answer = NULL;
    enum err e;

    if ((inv->output < 0) != command_has(inv, "digest"))
        return err_set(ERR_USAGE, "either -o FILE.zip or --digest");
    if (inv->output < 0)
        e = export_digest(inv->store, &answer);
    else
        e = export_make(inv->store, put, inv, inv->now, &answer);
    if (e)
        return e;
    if (command_has(inv, "json"))
        return command_json(inv, answer);
    say_export(inv, answer);
    return ERR_OK;
}

static enum err get(void *context, void *out, size_t size, size_t *got)
{
    const struct invocation *inv = context;

    return input_read(inv->files[0], inv->store, out, size, got);
}

static void say_notes(FILE *to, const json_t *list, const char *word)
{
    const json_t *note;
    size_t i;

    json_array_foreach(list, i, note)
    {
        (void)fprintf(to, "%s: %s%s%s\n", word, text_of(note, "where"), *text_of(note, "where") ? ": " : "",
                      text_of(note, "what"));
    }
}

static void say_merge(struct invocation *inv, const json_t *answer)
{
    static const char *const KINDS[] = {"documents", "annotations", "bundles"};
    const json_t *dataset;
    size_t i;

    json_array_foreach(json_object_get(answer, "datasets"), i, dataset)
    {
        (void)fprintf(inv->out,
                      "%s: %" JSON_INTEGER_FORMAT " new, %" JSON_INTEGER_FORMAT
                      " the same, %" JSON_INTEGER_FORMAT " replaced, %" JSON_INTEGER_FORMAT
                      " kept as they are\n",
                      text_of(dataset, "name"), number_of(dataset, "new"), number_of(dataset, "same"),
                      number_of(dataset, "replaced"), number_of(dataset, "conflicts"));
    }
    for (i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        const json_t *kind = json_object_get(answer, KINDS[i]);

        (void)fprintf(inv->out,
                      "%s: %" JSON_INTEGER_FORMAT " new, %" JSON_INTEGER_FORMAT
                      " the same, %" JSON_INTEGER_FORMAT " in conflict\n",
                      KINDS[i], number_of(kind, "new"), number_of(kind, "same"),
                      number_of(kind, "conflicts"));
    }
    say_notes(inv->out, json_object_get(answer, "conflicts"), "conflict");
    say_notes(inv->err, json_object_get(answer, "warnings"), "warning");
}

enum err cmd_merge(struct invocation *inv)
{
    AUTO(json_freep) json_t *answer = NULL;
    enum err e;

    if ((e = merge_run(inv->store, get, inv, inv->now, &answer)))
        return e;
    if (command_has(inv, "json"))
        return command_json(inv, answer);
    say_merge(inv, answer);
    return ERR_OK;
}
