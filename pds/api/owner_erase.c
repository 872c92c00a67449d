/* The owner erases: a dataset, a source, a period of them, everything. The passphrase is asked again. */
#include "pds/api/handler.h"

#include "pds/api/api.h"
#include "pds/api/owner_confirm.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/store/erase.h"

static enum err read_time(const json_t *body, const char *key, int64_t *out)
{
    const char *text;
    enum err e;

    if (!json_object_get(body, key))
        return ERR_OK;
    if ((e = json_get_text(body, key, &text)) || (e = clock_parse(str_of(text), out, NULL)))
        return err_wrap(e, "%s", key);
    return ERR_OK;
}

static enum err read_request(const json_t *body, struct erase_request *r)
{
    const json_t *all = json_object_get(body, "all");
    const char *dataset;
    enum err e;

    *r = (struct erase_request){.from = INT64_MIN, .to = INT64_MAX};
    if (all && !json_is_boolean(all))
        return err_set(ERR_INVALID, "all is neither true nor false");
    r->whole = json_is_true(all);
    if (json_object_get(body, "dataset") &&
        ((e = json_get_text(body, "dataset", &dataset)) || (e = dataset_find(str_of(dataset), &r->dataset))))
        return e;
    if (json_object_get(body, "source") && ((e = json_get_int(body, "source", &r->source_id))))
        return e;
    if (json_object_get(body, "source") && r->source_id <= 0)
        return err_set(ERR_NOT_FOUND, "no source has this number");
    return (e = read_time(body, "from", &r->from)) ? e : read_time(body, "to", &r->to);
}

enum err erase_post(struct request *request, struct response *response, void *context)
{
    static const char *const KEYS[] = {"passphrase", "dataset", "source", "all", "from", "to", NULL};
    struct api *api = context;
    AUTO(json_freep) json_t *body = NULL;
    AUTO(json_freep) json_t *answer = NULL;
    struct erase_request wanted;
    bool confirmed;
    enum err e;

    if ((e = owner_read_body(request, KEYS, &body)) || (e = read_request(body, &wanted)) ||
        (e = owner_confirm(api, request, body, response, &confirmed)) || !confirmed ||
        (e = erase_run(api->store, &wanted, request->now, &answer)))
        return e;
    return response_json(response, 200, answer);
}
