/* The owner's bundles of documents. */
#include "pds/api/handler.h"

#include "pds/api/api.h"
#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/store/bundle.h"

/* {"title","documents":[ids]}, both of them; texts are borrowed from it. */
struct told {
    struct str title;
    struct str *documents; /* arena-owned */
    size_t count;
};

static enum err read_body(const json_t *body, struct arena *arena, struct told *out)
{
    static const char *const KEYS[] = {"title", "documents", NULL};
    const char *title;
    json_t *documents;
    enum err e;

    if ((e = json_only_keys(body, KEYS)) || (e = json_get_text(body, "title", &title)) ||
        (e = json_get_array(body, "documents", &documents)))
        return e;
    out->title = str_of(title);
    out->count = json_array_size(documents);
    if (!(out->documents = arena_get(arena, (out->count + 1) * sizeof *out->documents)))
        return err_set(ERR_NO_MEMORY, "a bundle");
    for (size_t i = 0; i < out->count; i++) {
        const json_t *id = json_array_get(documents, i);

        if (!json_is_string(id))
            return err_set(ERR_INVALID, "document %zu of the bundle is no text", i + 1);
        out->documents[i] = (struct str){json_string_value(id), json_string_length(id)};
    }
    return ERR_OK;
}

static enum err load(struct api *api, struct str id, json_t **out)
{
    AUTO(store_view_done) struct store_view view = {0};
    enum err e = store_view(api->store, &view);

    return e ? e : bundle_get(view.db, id, out);
}

static enum err answer(struct api *api, struct response *response, int status, struct str id)
{
    AUTO(json_freep) json_t *one = NULL;
    enum err e = load(api, id, &one);

    return e ? e : response_json(response, status, one);
}

enum err bundle_get_list(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(json_freep) json_t *list = NULL;
    enum err e;

    if ((e = store_view(api->store, &view)) || (e = bundle_list(view.db, &list)) ||
        (e = response_json(response, 200, list)))
        return e;
    return response_etag(response, request_header(request, "If-None-Match"));
}

enum err bundle_post(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    AUTO(json_freep) json_t *body = NULL;
    struct told told;
    char id[ID_CHARS + 1];
    enum err e;

    if ((e = request_json(request, &body)) || (e = read_body(body, request->arena, &told)) ||
        (e = bundle_put(api->store, STR(""), told.title, told.documents, told.count, request->now, id)))
        return e;
    return answer(api, response, 201, str_of(id));
}

enum err bundle_replace(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    AUTO(json_freep) json_t *there = NULL;
    AUTO(json_freep) json_t *body = NULL;
    struct told told;
    char id[ID_CHARS + 1];
    enum err e;

    /* Ids are made here: none is put under another's. */
    if ((e = load(api, request->params[0], &there)) || (e = request_json(request, &body)) ||
        (e = read_body(body, request->arena, &told)) ||
        (e = bundle_put(api->store, request->params[0], told.title, told.documents, told.count, request->now,
                        id)))
        return e;
    return answer(api, response, 200, str_of(id));
}

enum err bundle_remove(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    enum err e = bundle_delete(api->store, request->params[0], request->now);

    if (!e)
        response->status = 204;
    return e;
}
