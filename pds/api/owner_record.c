/* The owner reads datasets, records and sources, and puts records. */
#include "pds/api/handler.h"

#include "pds/api/accept.h"
#include "pds/api/api.h"
#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/store/query_text.h"
#include "pds/store/source.h"
#include "pds/vault/vault.h"

#include <stdatomic.h>
#include <string.h>

enum { WHOLE_BYTES = 256 * 1024, STREAMS_MAX = 4 };

/* Streams hold a reader each: some are left for everyone else. */
static atomic_int streams;

/* An answer that is too long to be made before it is sent. */
struct stream {
    struct store_view view;
    struct query *query; /* owned */
    struct query_options options;
    struct query_text text;
    struct buf piece; /* made, not sent yet */
    size_t sent;
};

static void stream_free(void *context)
{
    struct stream *s = context;

    if (!s)
        return;
    query_free(s->query);
    store_view_done(&s->view);
    buf_done(&s->piece);
    mem_free(s);
}

static void stream_freep(struct stream **s) { stream_free(*s); }

static void stream_end(void *context)
{
    stream_free(context);
    atomic_fetch_sub(&streams, 1);
}

static enum err stream_read(void *context, char *out, size_t size, size_t *got)
{
    struct stream *s = context;
    enum err e;

    if (store_is_closing(s->view.store))
        return err_set(ERR_LOCKED, "the store is being locked");
    if (s->sent == s->piece.len) {
        buf_clear(&s->piece);
        s->sent = 0;
        if (!s->text.ended && (e = query_text_fill(&s->text, &s->piece, size)))
            return e;
    }
    *got = s->piece.len - s->sent < size ? s->piece.len - s->sent : size;
    if (*got)
        memcpy(out, s->piece.data + s->sent, *got);
    s->sent += *got;
    return ERR_OK;
}

/* Without a word in the query, the Accept header decides; JSON when both are as good. */
static enum query_format format_of(const struct request *request)
{
    struct str accept = request_header(request, "Accept");

    return accept_quality(accept, "text/csv") > accept_quality(accept, "application/json") ? QUERY_CSV
                                                                                           : QUERY_JSON;
}

static enum err read_options(const struct request *request, struct query_options *o,
                             enum query_format *format, int64_t *limit)
{
    static const char *const NAMES[] = {"from",   "to",     "step",     "format",     "limit",
                                        "cursor", "source", "timezone", "provenance", NULL};
    struct str from, to, step, word, cursor, zone, origins;
    enum err e;

    *o = (struct query_options){.from = INT64_MIN, .to = INT64_MAX, .zone = zone_paris()};
    *format = format_of(request);
    *limit = LIMIT_POINTS_ANSWER;
    if ((e = request_query_only(request, NAMES)) || (e = dataset_find(request->params[0], &o->dataset)) ||
        (e = request_query(request, "from", &from)) || (e = request_query(request, "to", &to)) ||
        (e = request_query(request, "step", &step)) || (e = request_query(request, "format", &word)) ||
        (e = request_query(request, "cursor", &cursor)) ||
        (e = request_query(request, "provenance", &origins)) ||
        (e = request_query(request, "timezone", &zone)) ||
        (e = accept_number(request, "source", INT64_MAX, &o->source_id)) ||
        (e = accept_number(request, "limit", LIMIT_POINTS_ANSWER, limit)) ||
        (zone.ptr && (e = zone_find(zone, &o->zone))) ||
        (from.ptr && (e = query_time("from", from, o->zone, &o->from))) ||
        (to.ptr && (e = query_time("to", to, o->zone, &o->to))) ||
        (step.ptr && (e = step_parse(step, &o->step))) ||
        (word.ptr && (e = query_format_read(word, format))) ||
        (cursor.ptr && (e = query_time("cursor", cursor, o->zone, &o->from))))
        return e;
    if (origins.ptr && !str_eq(origins, STR("1")))
        return err_set(ERR_INVALID, "provenance is not 1");
    if (origins.ptr && o->step != STEP_NONE)
        return err_set(ERR_INVALID, "provenance is of records as they are, without a step");
    o->origins = origins.ptr != NULL;
    return o->from < o->to ? ERR_OK : err_set(ERR_INVALID, "from is not before to");
}

/* What did not fit is sent while it is read, if there is a place. */
static enum err answer_stream(struct stream **s, struct response *response)
{
    if (atomic_fetch_add(&streams, 1) >= STREAMS_MAX) {
        atomic_fetch_sub(&streams, 1);
        return err_set(ERR_BUSY, "%d long answers are being read", STREAMS_MAX);
    }
    response->source = stream_read;
    response->source_context = *s;
    response->source_free = stream_end;
    *s = NULL; /* the response's now */
    return ERR_OK;
}

enum err record_list(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    AUTO(stream_freep) struct stream *s = mem_new(sizeof *s);
    enum query_format format;
    int64_t limit;
    enum err e;

    if (!s)
        return err_set(ERR_NO_MEMORY, "records");
    buf_init(&s->piece, 2 * WHOLE_BYTES);
    if ((e = read_options(request, &s->options, &format, &limit)) || (e = store_view(api->store, &s->view)) ||
        (e = query_new(s->view.db, &s->options, &s->query)))
        return e;
    query_text_init(&s->text, s->query, &s->options, format, limit);
    if ((e = query_text_fill(&s->text, &s->piece, WHOLE_BYTES)))
        return e;
    response->status = 200;
    response->type = format == QUERY_JSON ? "application/json" : "text/csv; charset=utf-8";
    if (!s->text.ended)
        return answer_stream(&s, response);
    buf_add(&response->body, s->piece.data, s->piece.len);
    if ((e = buf_err(&response->body)))
        return e;
    return response_etag(response, request_header(request, "If-None-Match"));
}

static enum err answer_list(const struct request *request, struct response *response, const json_t *list)
{
    enum err e = response_json(response, 200, list);

    return e ? e : response_etag(response, request_header(request, "If-None-Match"));
}

enum err dataset_list(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(json_freep) json_t *list = NULL;
    enum err e;

    if ((e = store_view(api->store, &view)) || (e = source_datasets(view.db, &list)))
        return e;
    return answer_list(request, response, list);
}

enum err source_get_list(struct request *request, struct response *response, void *context)
{
    static const char *const NAMES[] = {"limit", "cursor", NULL};
    struct api *api = context;
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(json_freep) json_t *list = NULL;
    int64_t limit = LIMIT_LIST_ANSWER, after = 0;
    enum err e;

    if ((e = request_query_only(request, NAMES)) ||
        (e = accept_number(request, "limit", LIMIT_LIST_ANSWER, &limit)) ||
        (e = accept_number(request, "cursor", INT64_MAX, &after)) || (e = store_view(api->store, &view)) ||
        (e = source_list(view.db, after, limit, &list)))
        return e;
    return answer_list(request, response, list);
}
