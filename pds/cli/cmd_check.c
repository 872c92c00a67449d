#include "pds/cli/command.h"

#include "pds/base/auto.h"
#include "pds/store/store_check.h"

const struct opt CHECK_OPTIONS[] = {
    OPTIONS_KEY,
    OPTION_JSON,
    OPTIONS_END,
};

enum err cmd_check(struct invocation *inv)
{
    AUTO(json_freep) json_t *report = NULL;
    const json_t *problem;
    size_t i;
    enum err e;

    if ((e = store_check(inv->store, inv->root, &report)))
        return e;
    if (command_has(inv, "json")) {
        if ((e = command_json(inv, report)))
            return e;
    } else {
        (void)fprintf(inv->out,
                      "%" JSON_INTEGER_FORMAT " pages and %" JSON_INTEGER_FORMAT " files were read\n",
                      json_integer_value(json_object_get(report, "pages")),
                      json_integer_value(json_object_get(report, "files")));
        json_array_foreach(json_object_get(report, "problems"), i, problem)(void)
            fprintf(inv->out, "%s: %s\n", json_string_value(json_object_get(problem, "where")),
                    json_string_value(json_object_get(problem, "what")));
    }
    if (json_is_true(json_object_get(report, "ok")))
        return ERR_OK;
    if (json_integer_value(json_object_get(report, "unread")))
        return err_set(ERR_IO, "the disk refused reads: whether this is damage shows on another disk");
    return err_set(ERR_CORRUPT, "%zu problems", json_array_size(json_object_get(report, "problems")));
}
