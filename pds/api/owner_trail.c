/* The owner reads the trail; anyone gets the keys that verify what the store signed. */
#include "pds/api/handler.h"

#include "pds/api/accept.h"
#include "pds/api/api.h"
#include "pds/api/house.h"
#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/store/query.h"

static enum err read_order(struct str word, bool *newest_first)
{
    *newest_first = str_eq(word, STR("desc"));
    return !word.ptr || *newest_first || str_eq(word, STR("asc"))
               ? ERR_OK
               : err_set(ERR_INVALID, "order is asc or desc");
}

static enum err read_kind(struct str word)
{
    enum event_kind kind;

    return word.ptr ? event_read(word, &kind) : ERR_OK;
}

static enum err read_filter(const struct request *request, struct trail_filter *f, int64_t *after,
                            int64_t *limit)
{
    static const char *const NAMES[] = {"limit", "cursor", "kind",  "who", "consent",
                                        "from",  "to",     "order", NULL};
    struct str from, to, order, cursor;
    enum err e;

    *f = (struct trail_filter){.from = INT64_MIN, .to = INT64_MAX};
    *after = -1;
    *limit = LIMIT_LIST_ANSWER;
    if ((e = request_query_only(request, NAMES)) ||
        (e = accept_number(request, "limit", LIMIT_LIST_ANSWER, limit)) ||
        (e = request_query(request, "kind", &f->kind)) || (e = read_kind(f->kind)) ||
        (e = request_query(request, "who", &f->who)) ||
        (e = request_query(request, "consent", &f->consent)) || (e = request_query(request, "from", &from)) ||
        (e = request_query(request, "to", &to)) || (e = request_query(request, "order", &order)) ||
        (e = read_order(order, &f->newest_first)) || (e = request_query(request, "cursor", &cursor)) ||
        (from.ptr && (e = query_time("from", from, zone_paris(), &f->from))) ||
        (to.ptr && (e = query_time("to", to, zone_paris(), &f->to))))
        return e;
    if (cursor.ptr && (str_int64(cursor, after) || *after < 0))
        return err_set(ERR_INVALID, "cursor is none that was answered");
    return ERR_OK;
}

enum err trail_get_list(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(json_freep) json_t *list = NULL;
    struct trail_filter filter;
    int64_t after, limit;
    enum err e;

    if ((e = read_filter(request, &filter, &after, &limit)) || (e = store_view(api->store, &view)) ||
        (e = trail_list(view.db, &filter, after, limit, &list)))
        return e;
    return response_json(response, 200, list);
}

/* What these answer is text for programs that know no JSON. */
static void answer_text(struct response *response)
{
    response->status = 200;
    response->type = "text/plain; charset=utf-8";
}

enum err trail_checkpoint_get(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    AUTO(store_view_done) struct store_view view = {0};
    enum err e;

    (void)request;
    if ((e = store_view(api->store, &view)) || (e = trail_checkpoint(view.db, &response->body)))
        return e;
    answer_text(response);
    return ERR_OK;
}

enum err trail_proof_get(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    AUTO(store_view_done) struct store_view view = {0};
    int64_t index;
    enum err e;

    if (str_int64(request->params[0], &index))
        return err_set(ERR_NOT_FOUND, "a line of the trail has a number");
    if ((e = store_view(api->store, &view)) || (e = trail_proof(view.db, index, &response->body)))
        return e;
    answer_text(response);
    return ERR_OK;
}

enum err jwks_get(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(json_freep) json_t *set = NULL;
    enum err e;

    if (api->stranger_in)
        e = house_stranger_jwks(api->stranger_in, request->mount, &set);
    else if (!(e = store_view(api->store, &view)))
        e = trail_jwks(view.db, &set);
    if (e)
        return e;
    return response_json(response, 200, set);
}
