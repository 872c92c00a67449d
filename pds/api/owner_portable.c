/* The owner takes everything along, and merges what another store gave. */
#include "pds/api/handler.h"

#include "pds/api/api.h"
#include "pds/api/owner_confirm.h"
#include "pds/api/posted.h"
#include "pds/base/auto.h"
#include "pds/portable/export_stream.h"
#include "pds/portable/merge.h"

#include <stdatomic.h>

enum { FIRST_WAIT_MS = 5000 };

/* Each has a thread and a reader of the vault. */
static atomic_int exports;

static enum err stream_read(void *context, char *out, size_t size, size_t *got)
{
    return export_stream_read(context, out, size, got);
}

static void stream_free(void *context)
{
    export_stream_free(context);
    atomic_fetch_sub(&exports, 1);
}

static enum err begin(struct api *api, const struct request *request, struct response *response)
{
    AUTO(export_stream_freep) struct export_stream *stream = NULL;
    enum err e;

    if ((e = export_stream_new(api->store, request->now, &stream)) ||
        (e = export_stream_wait(stream, FIRST_WAIT_MS)) ||
        (e = response_header(response, "Content-Disposition",
                             "attachment; filename=\"traboule-export.zip\"")))
        return e;
    response->status = 200;
    response->type = "application/zip";
    response->source = stream_read;
    response->source_context = stream;
    response->source_free = stream_free;
    stream = NULL; /* the response's now */
    return ERR_OK;
}

enum err export_post(struct request *request, struct response *response, void *context)
{
    static const struct owner_taking EXPORT = {"2 exports are being made", 2, begin};

    return owner_take(&EXPORT, &exports, context, request, response);
}

enum err merge_post(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    AUTO(json_freep) json_t *answer = NULL;
    struct posted posted = {request->upload, api->store};
    struct str field, file;
    enum err e;

    while (!(e = upload_next(request->upload, &field, &file)) && !str_eq(field, STR("file")))
        continue;
    if (e)
        return e == ERR_NOT_FOUND ? err_set(ERR_INVALID, "the form has no field \"file\"") : e;
    if ((e = merge_run(api->store, posted_read, &posted, request->now, &answer)))
        return e;
    return response_json(response, 200, answer);
}
