#include "pds/cli/command.h"

#include "pds/base/auto.h"
#include "pds/base/zone.h"
#include "pds/store/erase.h"
#include "pds/store/query.h"

const struct opt ERASE_OPTIONS[] = {
    {"dataset", 0, "D", "records and annotations of this dataset"},
    {"source", 0, "ID", "records of this source (traboule sources)"},
    {"all", 0, NULL, "everything that the store holds; the store stays, empty"},
    {"from", 0, "T", "only records that start at this instant or later"},
    {"to", 0, "T", "only records that start before this instant"},
    {"timezone", 0, "Z", "of dates (Europe/Paris)"},
    OPTIONS_KEY,
    OPTION_JSON,
    OPTIONS_END,
};

static enum err read_request(struct invocation *inv, struct erase_request *r)
{
    const char *from = command_option(inv, "from"), *to = command_option(inv, "to"),
               *zone_name = command_option(inv, "timezone"), *dataset = command_option(inv, "dataset"),
               *source = command_option(inv, "source");
    const struct zone *zone = zone_paris();

    *r = (struct erase_request){.from = INT64_MIN, .to = INT64_MAX, .whole = command_has(inv, "all")};
    if ((zone_name && zone_find(str_of(zone_name), &zone)) ||
        (dataset && dataset_find(str_of(dataset), &r->dataset)) ||
        (source && str_int64(str_of(source), &r->source_id)) ||
        (from && query_time("--from", str_of(from), zone, &r->from)) ||
        (to && query_time("--to", str_of(to), zone, &r->to)))
        return ERR_USAGE; /* the story is told */
    if (source && r->source_id <= 0)
        return err_set(ERR_USAGE, "--source is a number of traboule sources");
    if (!r->whole && !dataset && !source)
        return err_set(ERR_USAGE, "say what to erase: --dataset, --source or --all");
    if (r->whole && (dataset || source || from || to))
        return err_set(ERR_USAGE, "--all goes with none of the others");
    return r->from < r->to ? ERR_OK : err_set(ERR_USAGE, "--from is not before --to");
}

enum err cmd_erase(struct invocation *inv)
{
    AUTO(json_freep) json_t *answer = NULL;
    struct erase_request request;
    enum err e;

    if ((e = read_request(inv, &request)) || (e = erase_run(inv->store, &request, inv->now, &answer)))
        return e;
    if (command_has(inv, "json"))
        return command_json(inv, answer);
    (void)fprintf(inv->out,
                  "%" JSON_INTEGER_FORMAT " records, %" JSON_INTEGER_FORMAT
                  " documents and %" JSON_INTEGER_FORMAT " annotations are erased\n",
                  json_integer_value(json_object_get(answer, "records")),
                  json_integer_value(json_object_get(answer, "documents")),
                  json_integer_value(json_object_get(answer, "annotations"))); /* checked at the end */
    return ERR_OK;
}
