#include "pds/cli/command.h"

#include "pds/base/auto.h"
#include "pds/store/store_check.h"

enum { DAY_S = 86400 };

const struct opt CHECK_OPTIONS[] = {
    OPTIONS_KEY,
    OPTION_JSON,
    OPTIONS_END,
};

/* No damage, but what the owner should know: until then, new lines bear that time. */
static void say_ahead(struct invocation *inv, int64_t ahead_s)
{
    if (ahead_s > DAY_S)
        (void)fprintf(inv->out,
                      "the store's time is %" JSON_INTEGER_FORMAT
                      " days ahead of this machine's clock, which was wrong once or is now\n",
                      (json_int_t)(ahead_s / DAY_S)); /* the status does not say it */
}

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
        say_ahead(inv, json_integer_value(json_object_get(report, "ahead_s")));
    }
    if (json_is_true(json_object_get(report, "ok")))
        return ERR_OK;
    if (json_integer_value(json_object_get(report, "unread")))
        return err_set(ERR_IO, "the disk refused reads: whether this is damage shows on another disk");
    return err_set(ERR_CORRUPT, "%zu problems", json_array_size(json_object_get(report, "problems")));
}
