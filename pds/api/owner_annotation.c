/* The owner's notes beside stretches of their data. */
#include "pds/api/handler.h"

#include "pds/api/accept.h"
#include "pds/api/api.h"
#include "pds/api/revision.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/limits.h"
#include "pds/store/annotation.h"
#include "pds/store/query.h"
#include "pds/vault/vault.h"

enum err annotation_get_list(struct request *request, struct response *response, void *context)
{
    static const char *const NAMES[] = {"dataset", "from", "to", "limit", "cursor", NULL};
    struct api *api = context;
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(json_freep) json_t *list = NULL;
    const struct dataset *dataset = NULL;
    struct str name, from, to;
    int64_t limit = LIMIT_LIST_ANSWER, after = 0, first = INT64_MIN, last = INT64_MAX;
    enum err e;

    if ((e = request_query_only(request, NAMES)) || (e = request_query(request, "dataset", &name)) ||
        (e = request_query(request, "from", &from)) || (e = request_query(request, "to", &to)) ||
        (name.ptr && (e = dataset_find(name, &dataset))) ||
        (from.ptr && (e = query_time("from", from, zone_paris(), &first))) ||
        (to.ptr && (e = query_time("to", to, zone_paris(), &last))) ||
        (e = accept_number(request, "limit", LIMIT_LIST_ANSWER, &limit)) ||
        (e = accept_number(request, "cursor", INT64_MAX, &after)) || (e = store_view(api->store, &view)) ||
        (e = annotation_list(view.db, dataset, first, last, after, limit, &list)) ||
        (e = response_json(response, 200, list)))
        return e;
    return response_etag(response, request_header(request, "If-None-Match"));
}

/* The annotation as it is now. */
static enum err answer_one(struct api *api, struct response *response, int status, struct str id)
{
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(json_freep) json_t *one = NULL;
    int64_t revision;
    enum err e;

    if ((e = store_view(api->store, &view)) || (e = annotation_get(view.db, id, &one)) ||
        (e = json_get_int(one, "revision", &revision)) || (e = response_json(response, status, one)))
        return e;
    return revision_tell(response, revision);
}

enum err annotation_get_one(struct request *request, struct response *response, void *context)
{
    return answer_one(context, response, 200, request->params[0]);
}

enum err annotation_post(struct request *request, struct response *response, void *context)
{
    static const char *const KEYS[] = {"dataset", "start", "end", "text", NULL};
    struct api *api = context;
    AUTO(json_freep) json_t *body = NULL;
    const char *name, *start, *end, *text;
    const struct dataset *dataset;
    char id[ID_CHARS + 1];
    int64_t first, last;
    struct vault *vault;
    enum err e;

    if ((e = request_json(request, &body)) || (e = json_only_keys(body, KEYS)) ||
        (e = json_get_text(body, "dataset", &name)) || (e = json_get_text(body, "start", &start)) ||
        (e = json_get_text(body, "end", &end)) || (e = json_get_text(body, "text", &text)) ||
        (e = dataset_find(str_of(name), &dataset)) || (e = clock_parse(str_of(start), &first, NULL)) ||
        (e = clock_parse(str_of(end), &last, NULL)) || (e = store_enter(api->store, &vault)))
        return e;
    e = annotation_add(vault, STR(""), dataset, first, last, str_of(text), request->now, id);
    store_leave(api->store);
    return e ? e : answer_one(api, response, 201, str_of(id));
}

enum err annotation_patch(struct request *request, struct response *response, void *context)
{
    static const char *const KEYS[] = {"text", NULL};
    struct api *api = context;
    AUTO(json_freep) json_t *body = NULL;
    const char *text;
    int64_t revision;
    struct vault *vault;
    enum err e;

    if ((e = revision_asked(request, &revision)) || (e = request_json(request, &body)) ||
        (e = json_only_keys(body, KEYS)) || (e = json_get_text(body, "text", &text)) ||
        (e = store_enter(api->store, &vault)))
        return e;
    e = annotation_change(vault, request->params[0], str_of(text), revision, request->now);
    store_leave(api->store);
    return e ? e : answer_one(api, response, 200, request->params[0]);
}

enum err annotation_remove(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    int64_t revision;
    struct vault *vault;
    enum err e;

    if ((e = revision_asked(request, &revision)) || (e = store_enter(api->store, &vault)))
        return e;
    e = annotation_delete(vault, request->params[0], revision, request->now);
    store_leave(api->store);
    response->status = 204;
    return e;
}
