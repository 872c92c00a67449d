/* The owner's documents: listed, found, told, changed, deleted. Their files: owner_document_file.c. */
#include "pds/api/handler.h"

#include "pds/api/accept.h"
#include "pds/api/api.h"
#include "pds/api/document_form.h"
#include "pds/api/revision.h"
#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/httpd/etag.h"
#include "pds/store/document.h"

#include <stdio.h>

enum err document_kind_list(struct request *request, struct response *response, void *context)
{
    AUTO(json_freep) json_t *list = json_pack("{s:[]}", "kinds");
    enum err e;

    (void)context;
    for (const struct document_kind *k = DOCUMENT_KINDS; k->name; k++) {
        if (json_array_append_new(json_object_get(list, "kinds"),
                                  json_pack("{s:s, s:s, s:s, s:i}", "name", k->name, "fr", k->fr, "en", k->en,
                                            "remind_days", k->remind_days)))
            return err_set(ERR_NO_MEMORY, "kinds of document");
    }
    if ((e = response_json(response, 200, list)))
        return e;
    return response_etag(response, request_header(request, "If-None-Match"));
}

enum err document_get_list(struct request *request, struct response *response, void *context)
{
    static const char *const NAMES[] = {"q", "kind", "tag", "bundle", "expiring", "limit", "cursor", NULL};
    struct api *api = context;
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(json_freep) json_t *list = NULL;
    struct document_filter f = {0};
    struct str cursor;
    int64_t limit = LIMIT_DOCUMENTS_ANSWER;
    enum err e;

    if ((e = request_query_only(request, NAMES)) || (e = request_query(request, "q", &f.words)) ||
        (e = request_query(request, "kind", &f.kind)) || (e = request_query(request, "tag", &f.tag)) ||
        (e = request_query(request, "bundle", &f.bundle)) ||
        (e = request_query(request, "expiring", &f.expiring)) ||
        (e = request_query(request, "cursor", &cursor)) ||
        (e = accept_number(request, "limit", LIMIT_DOCUMENTS_ANSWER, &limit)) ||
        (e = store_view(api->store, &view)) || (e = document_list(view.db, &f, cursor, limit, &list)) ||
        (e = response_json(response, 200, list)))
        return e;
    return response_etag(response, request_header(request, "If-None-Match"));
}

enum err document_answer(struct api *api, struct response *response, int status, struct str id)
{
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(json_freep) json_t *one = NULL;
    int64_t revision;
    enum err e;

    if ((e = store_view(api->store, &view)) || (e = document_get(view.db, id, &one)) ||
        (e = json_get_int(one, "revision", &revision)) || (e = response_json(response, status, one)))
        return e;
    return revision_tell(response, revision);
}

enum err document_get_one(struct request *request, struct response *response, void *context)
{
    struct str known = request_header(request, "If-None-Match");
    enum err e = document_answer(context, response, 200, request->params[0]);

    if (e || known.len == 0 || response->header_count == 0 ||
        !etag_listed(known, response->headers[response->header_count - 1].value))
        return e;
    buf_done(&response->body);
    response->status = 304;
    response->type = NULL;
    return ERR_OK;
}

enum err document_patch(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    AUTO(json_freep) json_t *body = NULL;
    struct document_facts facts;
    int64_t revision;
    enum err e;

    if ((e = revision_asked(request, &revision)) || (e = request_json(request, &body)) ||
        (e = document_form_json(body, request->arena, &facts)) ||
        (e = document_change(api->store, request->params[0], &facts, revision, request->now)))
        return e;
    return document_answer(api, response, 200, request->params[0]);
}

enum err document_remove(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    int64_t revision;
    enum err e;

    if ((e = revision_asked(request, &revision)) ||
        (e = document_delete(api->store, request->params[0], revision, request->now)))
        return e;
    response->status = 204;
    return ERR_OK;
}
