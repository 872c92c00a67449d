/* The owner puts records that they have read from a meter, or typed. */
#include "pds/api/handler.h"

#include "pds/api/api.h"
#include "pds/api/values.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/store/import.h"

static enum err read_values(const json_t *item, const struct dataset *d, struct record *r)
{
    enum err e = values_read(item, d, r->values, &r->present);

    if (e)
        return e;
    return r->present & 1U ? ERR_OK : err_set(ERR_INVALID, "%s is missing", d->values[0].name);
}

static enum err read_record(const json_t *item, const struct dataset *d, int64_t line, struct record *r)
{
    const char *start, *end, *quality = "measured";
    enum err e;

    *r = (struct record){.line = line};
    if ((e = json_get_text(item, "start", &start)) || (e = json_get_text(item, "end", &end)) ||
        (json_object_get(item, "quality") && (e = json_get_text(item, "quality", &quality))) ||
        (e = clock_parse(str_of(start), &r->start_at, NULL)) ||
        (e = clock_parse(str_of(end), &r->end_at, NULL)) ||
        (e = record_quality_read(str_of(quality), &r->quality)) || (e = read_values(item, d, r)))
        return e;
    if (d->instant ? r->end_at != r->start_at : r->end_at <= r->start_at)
        return err_set(ERR_INVALID, d->instant ? "end differs from start" : "end is not after start");
    return ERR_OK;
}

static enum err put_all(struct import *m, const struct dataset *d, const json_t *records)
{
    struct record r;
    const json_t *item;
    size_t i;
    enum err e;

    json_array_foreach(records, i, item)
    {
        if ((e = read_record(item, d, (int64_t)i + 1, &r)) ||
            (e = import_add(m, d, "owner", STR(""), "typed", &r)))
            return err_wrap(e, "record %zu", i + 1);
    }
    return ERR_OK;
}

static enum err put(struct vault *vault, const struct request *request, const struct dataset *d,
                    const json_t *records, struct response *response)
{
    AUTO(import_freep) struct import *m = NULL;
    AUTO(json_freep) json_t *answer = NULL;
    const struct import_count *n;
    enum err e;

    if ((e = import_new(vault, STR(""), request->now, &m)))
        return e;
    import_set_format(m, "owner.json");
    import_set_event(m, EVENT_RECORDS_PUT);
    if ((e = put_all(m, d, records)) || (e = import_close(m, request->now))) {
        import_fail(m, e, request->now);
        return e;
    }
    (void)import_counts(m, &n); /* there is one: the list was not empty */
    answer = json_pack("{s:s, s:I, s:I, s:I, s:I}", "import", import_id(m), "new", (json_int_t)n->new_count,
                       "same", (json_int_t)n->same, "replaced", (json_int_t)n->replaced, "rejected",
                       (json_int_t)n->rejected);
    return answer ? response_json(response, 200, answer) : err_set(ERR_NO_MEMORY, "the answer");
}

enum err record_post(struct request *request, struct response *response, void *context)
{
    static const char *const KEYS[] = {"records", NULL};
    struct api *api = context;
    AUTO(json_freep) json_t *body = NULL;
    const struct dataset *d;
    struct vault *vault;
    json_t *records;
    enum err e;

    if ((e = dataset_find(request->params[0], &d)) || (e = request_json(request, &body)) ||
        (e = json_only_keys(body, KEYS)) || (e = json_get_array(body, "records", &records)))
        return e;
    if (json_array_size(records) == 0)
        return err_set(ERR_INVALID, "records is empty");
    if ((e = store_enter(api->store, &vault)))
        return e;
    e = put(vault, request, d, records, response);
    store_leave(api->store);
    return e;
}
