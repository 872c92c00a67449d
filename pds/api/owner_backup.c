/* The owner takes a sealed copy of everything. */
#include "pds/api/handler.h"

#include "pds/api/api.h"
#include "pds/api/owner_confirm.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/mem.h"
#include "pds/portable/backup_stream.h"

#include <stdatomic.h>
#include <string.h>

/* A small one answers with its length, and with what went wrong; a larger one begins its answer before. */
enum { FIRST_WAIT_MS = 5000 };

/* The answer's context. */
struct download {
    struct api *api; /* borrowed: it outlasts its answers */
    struct backup_stream *stream;
};

static enum err download_read(void *context, char *out, size_t size, size_t *got)
{
    const struct download *d = context;

    return backup_stream_read(d->stream, out, size, got);
}

static void download_free(void *context)
{
    struct download *d = context;

    backup_stream_free(d->stream);
    atomic_fetch_sub(&d->api->backups, 1);
    mem_free(d);
}

static enum err begin(struct api *api, const struct request *request, struct response *response)
{
    AUTO(backup_stream_freep) struct backup_stream *stream = NULL;
    struct download *made;
    char at[CLOCK_TEXT_BYTES];
    uint64_t size = 0;
    enum err e;

    clock_text(request->now, at);
    at[strlen("2026-11-24")] = '\0';
    if ((e = backup_stream_new(api->store, request->now, &stream)) ||
        (e = backup_stream_wait(stream, FIRST_WAIT_MS, &size)) ||
        (e = response_header(response, "Content-Disposition", "attachment; filename=\"traboule-%s.age\"",
                             at)))
        return e;
    if (!(made = mem_new(sizeof *made)))
        return err_set(ERR_NO_MEMORY, "a backup");
    *made = (struct download){api, stream};
    response->status = 200;
    response->type = "application/age-encryption";
    response->source = download_read;
    response->source_context = made;
    response->source_free = download_free;
    response->sized = size > 0;
    response->source_bytes = size;
    stream = NULL; /* the response's now, with the count */
    return ERR_OK;
}

enum err backup_post(struct request *request, struct response *response, void *context)
{
    static const struct owner_taking BACKUP = {"a backup is being made", 1, begin};
    struct api *api = context;

    return owner_take(&BACKUP, &api->backups, api, request, response);
}
