#include "pds/cli/command.h"

#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/store/query_text.h"

#include <errno.h>
#include <string.h>

enum { PIECE_BYTES = 64 * 1024 };

const struct opt QUERY_OPTIONS[] = {
    {"from", 0, "T", "first instant: 2024-05-01 (its midnight) or 2024-05-01T00:00:00Z"},
    {"to", 0, "T", "instant where to stop, not included"},
    {"step", 0, "S", "PT30M, PT1H, P1D, P1W, P1M or P1Y; without it, records as they are"},
    {"format", 0, "F", "json (default) or csv"},
    {"source", 0, "ID", "records of this source alone (traboule sources)"},
    {"timezone", 0, "Z", "of days, weeks, months and years, and of dates (Europe/Paris)"},
    {"limit", 0, "N", "rows at most; the answer's \"next\" says where to go on"},
    OPTIONS_KEY,
    {"json", 0, NULL, "the same as --format json"},
    OPTIONS_END,
};

static enum err read_options(struct invocation *inv, struct query_options *o, enum query_format *format,
                             int64_t *limit)
{
    const char *from = command_option(inv, "from"), *to = command_option(inv, "to"),
               *step = command_option(inv, "step");
    const char *word = command_option(inv, "format"), *rows = command_option(inv, "limit");
    const char *source = command_option(inv, "source"), *zone = command_option(inv, "timezone");
    enum err e;

    *o = (struct query_options){.from = INT64_MIN, .to = INT64_MAX, .zone = zone_paris()};
    *format = QUERY_JSON;
    *limit = INT64_MAX;
    if ((e = dataset_find(str_of(inv->opts->args[1]), &o->dataset)))
        return e;
    if ((zone && zone_find(str_of(zone), &o->zone)) || (source && str_int64(str_of(source), &o->source_id)) ||
        (from && query_time("--from", str_of(from), o->zone, &o->from)) ||
        (to && query_time("--to", str_of(to), o->zone, &o->to)) ||
        (step && step_parse(str_of(step), &o->step)) || (word && query_format_read(str_of(word), format)) ||
        (rows && str_int64(str_of(rows), limit)))
        return ERR_USAGE; /* the story is told */
    if (*limit < 1)
        return err_set(ERR_USAGE, "--limit is at least 1");
    if (o->from >= o->to)
        return err_set(ERR_USAGE, "--from is not before --to");
    return ERR_OK;
}

enum err cmd_query(struct invocation *inv)
{
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(query_freep) struct query *q = NULL;
    AUTO(buf_done) struct buf piece;
    struct query_options options;
    struct query_text text;
    enum query_format format;
    int64_t limit;
    enum err e;

    buf_init(&piece, MIB);
    if ((e = read_options(inv, &options, &format, &limit)) || (e = store_view(inv->store, &view)) ||
        (e = query_new(view.db, &options, &q)))
        return e;
    query_text_init(&text, q, &options, format, limit);
    while (!text.ended) {
        buf_clear(&piece);
        if ((e = query_text_fill(&text, &piece, PIECE_BYTES)))
            return e;
        if (store_is_closing(inv->store))
            return err_set(ERR_LOCKED, "the store is being locked");
        if ((e = command_write(inv, piece.data, piece.len)))
            return e;
    }
    return ERR_OK;
}
