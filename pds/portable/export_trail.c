/* The trail, as `trail --json` tells it, of the same snapshot as all the rest. */
#include "pds/portable/export_internal.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/limits.h"

static const struct trail_filter ALL = {.from = INT64_MIN, .to = INT64_MAX};

static enum err put_entries(struct export *x, const json_t *list, int64_t *last)
{
    const json_t *entry, *entries = json_object_get(list, "entries");
    size_t i;
    enum err e;

    json_array_foreach(entries, i, entry)
    {
        buf_text(&x->piece, *last < 0 ? "\n" : ",\n");
        json_write(&x->piece, entry);
        *last = json_integer_value(json_object_get(entry, "index"));
        if ((e = export_flow(x)))
            return e;
    }
    return ERR_OK;
}

enum err export_write_trail(struct export *x, const struct export_part *part)
{
    AUTO(json_freep) json_t *list = NULL;
    int64_t last = -1, before;
    enum err e;

    (void)part;
    buf_text(&x->piece, "{\"entries\":[");
    do {
        before = last;
        json_decref(list);
        list = NULL;
        if ((e = trail_list(x->db, &ALL, last, LIMIT_LIST_ANSWER, &list)) ||
            (e = put_entries(x, list, &last)))
            return e;
    } while (last > before);
    buf_text(&x->piece, "],\n\"checkpoint\":");
    json_write(&x->piece, json_object_get(list, "checkpoint"));
    buf_text(&x->piece, ",\n\"vkey\":");
    json_write(&x->piece, json_object_get(list, "vkey"));
    buf_text(&x->piece, ",\n\"next\":null}\n");
    return export_flow(x);
}
