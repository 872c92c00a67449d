/* The owner corrects a record, reads what it said before, and deletes records. */
#include "pds/api/handler.h"

#include "pds/api/accept.h"
#include "pds/api/api.h"
#include "pds/api/values.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/store/correction.h"
#include "pds/store/erase.h"
#include "pds/store/query.h"
#include "pds/vault/vault.h"

/* {"value": 1} stands beside the key, or {"values": {…}} names several: one of both. */
static enum err read_values(const json_t *body, struct correction *c)
{
    const json_t *several = json_object_get(body, "values"), *one = json_object_get(body, "value");
    const struct dataset *d = c->key.dataset;
    AUTO(json_freep) json_t *main = NULL;
    const char *name;
    json_t *number;

    if (!several == !one)
        return err_set(ERR_INVALID, "value or values, one of them");
    if (one) {
        if (!(main = json_pack("{s:O}", d->values[0].name, one)))
            return err_set(ERR_NO_MEMORY, "a correction");
        return values_read(main, d, c->values, &c->given);
    }
    if (!json_is_object(several) || json_object_size(several) == 0)
        return err_set(ERR_INVALID, "values is no object of numbers");
    json_object_foreach((json_t *)several, name, number)
    {
        if (dataset_value(d, name) < 0)
            return err_set(ERR_INVALID, "values has a name that %s does not", d->name);
    }
    return values_read(several, d, c->values, &c->given);
}

static enum err optional_text(const json_t *body, const char *key, struct str *out)
{
    const char *text = NULL;
    enum err e = json_object_get(body, key) ? json_get_text(body, key, &text) : ERR_OK;

    *out = str_of(text);
    return e;
}

static enum err read_correction(const struct request *request, const json_t *body, struct correction *c)
{
    static const char *const KEYS[] = {"source", "grain", "start", "end", "value", "values", "note", NULL};
    const char *start, *end;
    enum err e;

    if ((e = dataset_find(request->params[0], &c->key.dataset)) || (e = json_only_keys(body, KEYS)) ||
        (e = json_get_int(body, "source", &c->key.source_id)) ||
        (e = optional_text(body, "grain", &c->key.grain)) || (e = json_get_text(body, "start", &start)) ||
        (e = json_get_text(body, "end", &end)) || (e = clock_parse(str_of(start), &c->key.start_at, NULL)) ||
        (e = clock_parse(str_of(end), &c->key.end_at, NULL)) || (e = optional_text(body, "note", &c->note)) ||
        (e = read_values(body, c)))
        return e;
    return ERR_OK;
}

enum err correction_post(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    AUTO(json_freep) json_t *body = NULL;
    AUTO(json_freep) json_t *answer = NULL;
    struct correction correction = {0};
    struct correction_done done;
    struct vault *vault;
    enum err e;

    if ((e = request_json(request, &body)) || (e = read_correction(request, body, &correction)) ||
        (e = store_enter(api->store, &vault)))
        return e;
    e = correction_put(vault, &correction, request->now, &done);
    store_leave(api->store);
    if (e)
        return e;
    answer = json_pack("{s:b, s:s?, s:s?}", "replaced", (int)done.replaced, "import",
                       done.import[0] ? done.import : NULL, "annotation",
                       done.annotation[0] ? done.annotation : NULL);
    return answer ? response_json(response, 200, answer) : err_set(ERR_NO_MEMORY, "the answer");
}

/* A query parameter that has to be there. */
static enum err required(const struct request *request, const char *name, struct str *out)
{
    enum err e = request_query(request, name, out);

    return e || out->ptr ? e : err_set(ERR_INVALID, "%s is missing", name);
}

enum err correction_history_get(struct request *request, struct response *response, void *context)
{
    static const char *const NAMES[] = {"source", "grain", "start", "end", NULL};
    struct api *api = context;
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(json_freep) json_t *answer = NULL;
    struct correction_key key = {0};
    struct str source, start, end;
    enum err e;

    if ((e = request_query_only(request, NAMES)) || (e = dataset_find(request->params[0], &key.dataset)) ||
        (e = required(request, "source", &source)) || (e = required(request, "start", &start)) ||
        (e = required(request, "end", &end)) || (e = request_query(request, "grain", &key.grain)) ||
        (e = accept_number(request, "source", INT64_MAX, &key.source_id)) ||
        (e = clock_parse(start, &key.start_at, NULL)) || (e = clock_parse(end, &key.end_at, NULL)) ||
        (e = store_view(api->store, &view)) || (e = correction_history(view.db, &key, &answer)) ||
        (e = response_json(response, 200, answer)))
        return e;
    return response_etag(response, request_header(request, "If-None-Match"));
}

enum err record_delete(struct request *request, struct response *response, void *context)
{
    static const char *const NAMES[] = {"from", "to", "source", NULL};
    struct api *api = context;
    AUTO(json_freep) json_t *answer = NULL;
    AUTO(json_freep) json_t *erased = NULL;
    struct str from, to;
    struct erase_request wanted = {.bare = true};
    int64_t removed;
    enum err e;

    if ((e = request_query_only(request, NAMES)) || (e = dataset_find(request->params[0], &wanted.dataset)) ||
        (e = required(request, "from", &from)) || (e = required(request, "to", &to)) ||
        (e = query_time("from", from, zone_paris(), &wanted.from)) ||
        (e = query_time("to", to, zone_paris(), &wanted.to)) ||
        (e = accept_number(request, "source", INT64_MAX, &wanted.source_id)) ||
        (e = erase_run(api->store, &wanted, request->now, &erased)) ||
        (e = json_get_int(erased, "records", &removed)))
        return e;
    answer = json_pack("{s:I}", "removed", (json_int_t)removed);
    return answer ? response_json(response, 200, answer) : err_set(ERR_NO_MEMORY, "the answer");
}
