/* The owner imports files, lists imports, takes one back. */
#include "pds/api/handler.h"

#include "connectors/runner/intake.h"
#include "pds/api/accept.h"
#include "pds/api/api.h"
#include "pds/api/posted.h"
#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/store/import.h"

#include <stdio.h>

/* Whether a failure is of one file's content, so that the next file may do better. */
static bool is_of_file(enum err e) { return e == ERR_UNSUPPORTED || e == ERR_INVALID; }

/* Files one after the other. One that cannot be read stands in the answer with why; when none could be, that
 * is the outcome. */
static enum err import_parts(const struct intake_options *options, struct posted *p, json_t *entries)
{
    struct reading_input input = {.read = posted_read, .context = p};
    struct str field, file;
    unsigned count = 0, read = 0;
    enum err e, last = ERR_INVALID;
    char story[256] = "the form has no field \"file\"";

    while (!(e = upload_next(p->upload, &field, &file))) {
        if (!str_eq(field, STR("file")))
            continue;
        if (++count > LIMIT_FILES_IMPORT)
            return err_set(ERR_TOO_LARGE, "more than %d files", LIMIT_FILES_IMPORT);
        e = intake_file(options, file, &input, entries);
        read += e == ERR_OK;
        if (!e)
            continue;
        if (!is_of_file(e))
            return err_wrap(e, "file %u", count);
        last = e;
        (void)snprintf(story, sizeof story, "file %u: %.200s", count, err_story());
        if ((e = intake_add_failure(entries, file, last)))
            return e;
    }
    if (e != ERR_NOT_FOUND)
        return e;
    return read ? ERR_OK : err_set(last, "%s", story);
}

enum err import_post(struct request *request, struct response *response, void *context)
{
    static const char *const NAMES[] = {"dataset", "timezone", NULL};
    struct api *api = context;
    AUTO(json_freep) json_t *answer = json_pack("{s:[]}", "files");
    struct posted posted = {request->upload, api->store};
    struct intake_options options = {.zone = zone_paris(), .now = request->now};
    struct str dataset, zone;
    enum err e;

    if (!answer)
        return err_set(ERR_NO_MEMORY, "the answer");
    if ((e = request_query_only(request, NAMES)) || (e = request_query(request, "dataset", &dataset)) ||
        (e = request_query(request, "timezone", &zone)) ||
        (dataset.ptr && (e = dataset_find(dataset, &options.only))) ||
        (zone.ptr && (e = zone_find(zone, &options.zone))) || (e = store_enter(api->store, &options.vault)))
        return e;
    e = import_parts(&options, &posted, json_object_get(answer, "files"));
    store_leave(api->store);
    return e ? e : response_json(response, 200, answer);
}

enum err import_get_list(struct request *request, struct response *response, void *context)
{
    static const char *const NAMES[] = {"limit", "cursor", NULL};
    struct api *api = context;
    AUTO(json_freep) json_t *list = NULL;
    struct str cursor;
    struct vault *vault;
    int64_t limit = LIMIT_LIST_ANSWER;
    enum err e;

    if ((e = request_query_only(request, NAMES)) ||
        (e = accept_number(request, "limit", LIMIT_LIST_ANSWER, &limit)) ||
        (e = request_query(request, "cursor", &cursor)) || (e = store_enter(api->store, &vault)))
        return e;
    e = import_list(vault, cursor, limit, &list);
    store_leave(api->store);
    return e ? e : response_json(response, 200, list);
}

enum err import_undo_post(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    AUTO(json_freep) json_t *done = NULL;
    struct vault *vault;
    int64_t removed, restored;
    enum err e;

    if ((e = store_enter(api->store, &vault)))
        return e;
    e = import_undo(vault, request->params[0], request->now, &removed, &restored);
    store_leave(api->store);
    if (e)
        return e;
    done = json_pack("{s:s%, s:I, s:I}", "id", request->params[0].ptr, request->params[0].len, "removed",
                     (json_int_t)removed, "restored", (json_int_t)restored);
    return done ? response_json(response, 200, done) : err_set(ERR_NO_MEMORY, "the answer");
}
