#include "pds/cli/command.h"
#include "pds/cli/input.h"

#include "connectors/runner/intake.h"
#include "pds/base/auto.h"
#include "pds/base/zone.h"
#include "pds/vault/vault.h"

#include <inttypes.h>
#include <string.h>

const struct opt IMPORT_OPTIONS[] = {
    {"dataset", 0, "D", "take readings of this dataset only"},
    {"timezone", 0, "Z", "of local times that a file does not place itself (Europe/Paris)"},
    OPTIONS_KEY,
    OPTION_JSON,
    OPTIONS_END,
};

struct source_file {
    int fd;
    struct store *store;
};

static enum err read_fd(void *context, void *out, size_t size, size_t *got)
{
    const struct source_file *f = context;

    return input_read(f->fd, f->store, out, size, got);
}

static void say_entry(struct invocation *inv, const json_t *entry)
{
    const char *file = json_string_value(json_object_get(entry, "file"));
    const json_t *error = json_object_get(entry, "error"), *warning;
    const json_t *dataset = json_object_get(entry, "dataset");
    size_t i;

    if (error) {
        (void)fprintf(inv->err, "%s: %s\n", file, json_string_value(json_object_get(error, "detail")));
        return;
    }
    (void)fprintf(inv->out, "%s: %s\n", file,
                  json_is_string(dataset) ? json_string_value(dataset) : "nothing in it");
    for (size_t n = 0; n < 5; n++) {
        static const char *const NAMES[] = {"new", "same", "replaced", "rejected", "gaps"};
        json_int_t count = json_integer_value(json_object_get(entry, NAMES[n]));

        (void)fprintf(inv->out, "  %-9s %" JSON_INTEGER_FORMAT "\n", NAMES[n], count);
    }
    if (json_is_string(json_object_get(entry, "first")))
        (void)fprintf(inv->out, "  from      %s\n  to        %s\n",
                      json_string_value(json_object_get(entry, "first")),
                      json_string_value(json_object_get(entry, "last")));
    if (json_is_number(json_object_get(entry, "total")))
        (void)fprintf(inv->out, "  total     %.15g %s\n", json_number_value(json_object_get(entry, "total")),
                      json_string_value(json_object_get(entry, "unit")));
    json_array_foreach(json_object_get(entry, "warnings"), i, warning)
    {
        (void)fprintf(inv->out, "  line %" JSON_INTEGER_FORMAT ": %s\n",
                      json_integer_value(json_object_get(warning, "line")),
                      json_string_value(json_object_get(warning, "reason")));
    }
}

static enum err import_all(struct invocation *inv, const struct intake_options *options, json_t *entries)
{
    enum err e, first = ERR_OK;
    char story[512] = "";

    for (size_t i = 0; i < inv->file_count; i++) {
        struct str file = input_name(inv->opts->args[inv->command->first_file + i]);
        struct source_file source = {inv->files[i], inv->store};
        struct reading_input input = {.read = read_fd, .context = &source};

        e = intake_file(options, file, &input, entries);
        if (!e)
            continue;
        if (!first) {
            first = e;
            (void)snprintf(story, sizeof story, "%.*s: %s", STR_ARGS(file), err_story());
        }
        if ((e = intake_add_failure(entries, file, e)))
            return e;
    }
    return first ? err_set(first, "%s", story) : ERR_OK;
}

enum err cmd_import(struct invocation *inv)
{
    AUTO(json_freep) json_t *answer = json_pack("{s:[]}", "files");
    const char *dataset = command_option(inv, "dataset"), *zone = command_option(inv, "timezone");
    struct intake_options options = {.zone = zone_paris(), .now = inv->now};
    json_t *entries = json_object_get(answer, "files"), *entry;
    size_t i;
    enum err e, failed;

    if (!answer)
        return err_set(ERR_NO_MEMORY, "the answer");
    if ((dataset && dataset_find(str_of(dataset), &options.only)) ||
        (zone && zone_find(str_of(zone), &options.zone)))
        return ERR_USAGE; /* the story is told */
    if ((e = store_enter(inv->store, &options.vault)))
        return e;
    failed = import_all(inv, &options, entries);
    store_leave(inv->store);
    if (command_has(inv, "json")) {
        e = command_json(inv, answer);
    } else {
        json_array_foreach(entries, i, entry) say_entry(inv, entry);
    }
    return failed ? failed : e;
}
