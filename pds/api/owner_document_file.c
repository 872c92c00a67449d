/* The files of the owner's documents, up and down. */
#include "pds/api/handler.h"

#include "pds/api/accept.h"
#include "pds/api/api.h"
#include "pds/api/document_form.h"
#include "pds/api/problem.h"
#include "pds/api/revision.h"
#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "pds/base/mem.h"
#include "pds/crypto/sealfile.h"
#include "pds/crypto/sha256.h"
#include "pds/httpd/etag.h"
#include "pds/httpd/range.h"
#include "pds/store/document.h"

#include <inttypes.h>
#include <string.h>

enum err document_post(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    AUTO(document_form_done) struct document_form form = {.with_facts = true};
    char id[ID_CHARS + 1];
    struct vault *vault;
    enum err e;

    if ((e = store_enter(api->store, &vault)))
        return e;
    if (!(e = document_form_read(request, api->store, &form)))
        e = document_add(api->store, STR(""), form.blob, form.file, str_of(form.type), &form.facts,
                         request->now, id);
    document_form_done(&form); /* its file belongs to the open store */
    store_leave(api->store);
    if (e || (e = response_header(response, "Location", "%s/api/documents/%s", api->mount, id)))
        return e;
    return document_answer(api, response, 201, str_of(id));
}

/* Nobody has to send gigabytes to hear that there is no such document. */
static enum err check_there(struct api *api, struct str id)
{
    AUTO(store_view_done) struct store_view view = {0};
    struct document_file file;
    enum err e = store_view(api->store, &view);

    return e ? e : document_file(view.db, id, 0, &file);
}

enum err document_version_post(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    AUTO(document_form_done) struct document_form form = {0};
    int64_t revision;
    struct vault *vault;
    enum err e;

    if ((e = revision_asked(request, &revision)) || (e = check_there(api, request->params[0])) ||
        (e = store_enter(api->store, &vault)))
        return e;
    if (!(e = document_form_read(request, api->store, &form)))
        e = document_add_version(api->store, request->params[0], form.blob, form.file, str_of(form.type),
                                 revision, request->now);
    document_form_done(&form); /* its file belongs to the open store */
    store_leave(api->store);
    return e ? e : document_answer(api, response, 201, request->params[0]);
}

/* A file that is being sent. It keeps the store from being locked only as long as it takes to be cut. */
struct download {
    struct store *store;        /* entered */
    struct blob_reader *reader; /* owned */
    uint64_t at, end;
};

static void download_free(void *context)
{
    struct download *d = context;

    if (!d)
        return;
    blob_reader_free(d->reader);
    if (d->store)
        store_leave(d->store);
    mem_free(d);
}

static void download_freep(struct download **d) { download_free(*d); }

static enum err download_read(void *context, char *out, size_t size, size_t *got)
{
    struct download *d = context;
    size_t len = d->end - d->at < size ? (size_t)(d->end - d->at) : size;
    size_t over = (size_t)((d->at + len) % SEALFILE_CHUNK_BYTES);
    enum err e;

    if (store_is_closing(d->store))
        return err_set(ERR_LOCKED, "the store is being locked");
    if (len > over && d->at + len < d->end)
        len -= over; /* pieces end where chunks do, so that none is opened twice */
    if ((e = blob_read(d->reader, d->at, out, len, got)))
        return e;
    d->at += *got;
    return ERR_OK;
}

/* The name for everyone, and for those who read no UTF-8 one without what has a meaning in a header. */
static enum err tell_name(struct response *response, bool shown, const char *file)
{
    AUTO(buf_done) struct buf percent;
    char plain[sizeof((struct document_file *)0)->file];
    size_t i;
    enum err e;

    for (i = 0; file[i]; i++) {
        unsigned char c = (unsigned char)file[i];

        plain[i] = c < 0x20 || c >= 0x7f || strchr("\"\\%/;", c) ? '_' : file[i];
    }
    plain[i] = '\0';
    buf_init(&percent, 3 * sizeof plain);
    codec_percent(&percent, str_of(file));
    if ((e = buf_err(&percent)))
        return e;
    return response_header(response, "Content-Disposition", "%s; filename=\"%s\"; filename*=UTF-8''%s",
                           shown ? "inline" : "attachment", i ? plain : "document",
                           percent.len ? percent.data : "document");
}

static enum err tell_headers(struct response *response, const struct document_file *file, bool shown,
                             const char *tag)
{
    enum err e;

    if ((e = tell_name(response, shown, file->file)) || (e = response_header(response, "ETag", "%s", tag)) ||
        (e = response_header(response, "Accept-Ranges", "bytes")) ||
        (e = response_header(response, "Content-Security-Policy", "sandbox; default-src 'none'")))
        return e;
    return ERR_OK;
}

static enum err read_query(const struct request *request, int64_t *version, bool *shown)
{
    static const char *const NAMES[] = {"version", "inline", NULL};
    struct str word;
    enum err e;

    *version = 0;
    if ((e = request_query_only(request, NAMES)) ||
        (e = accept_number(request, "version", INT64_MAX, version)) ||
        (e = request_query(request, "inline", &word)))
        return e;
    if (word.ptr && !str_eq(word, STR("1")))
        return err_set(ERR_INVALID, "inline is not 1");
    *shown = word.ptr != NULL;
    return ERR_OK;
}

/* Which part of it: a range counts for GET, and only of the version that If-Range names (RFC 9110 13.1.5). */
static struct range range_asked(const struct request *request, const char *tag, uint64_t size)
{
    struct str condition = request_header(request, "If-Range");

    if (!str_eq(request->method, STR("GET")) || (condition.ptr && !str_eq(condition, str_of(tag))))
        return (struct range){RANGE_ALL, 0, size};
    return range_read(request_header(request, "Range"), size);
}

static enum err answer_beyond(const struct request *request, struct response *response, uint64_t size)
{
    response->status = 416;
    problem_fill(request, err_set(ERR_INVALID, "a range behind the end of the file"), 0, response);
    return response_header(response, "Content-Range", "bytes */%" PRIu64, size);
}

static enum err open_download(struct api *api, struct str id, int64_t version, struct document_file *file,
                              struct download *d)
{
    AUTO(store_view_done) struct store_view view = {0};
    struct vault *vault;
    enum err e;

    if ((e = store_enter(api->store, &vault)))
        return e;
    d->store = api->store;
    if ((e = store_view(api->store, &view)) || (e = document_file(view.db, id, version, file)))
        return e;
    return blob_reader_new(api->store, view.db, file->blob_id, &d->reader);
}

static enum err send(struct response *response, struct range range, uint64_t size, struct download **d)
{
    enum err e;

    if (range.kind == RANGE_PART &&
        (e = response_header(response, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range.first,
                             range.first + range.bytes - 1, size)))
        return e;
    response->status = range.kind == RANGE_PART ? 206 : 200;
    (*d)->at = range.first;
    (*d)->end = range.first + range.bytes;
    response->source = download_read;
    response->source_context = *d;
    response->source_free = download_free;
    response->sized = true;
    response->source_bytes = range.bytes;
    *d = NULL; /* the response's now */
    return ERR_OK;
}

enum err document_content_get(struct request *request, struct response *response, void *context)
{
    AUTO(download_freep) struct download *d = mem_new(sizeof *d);
    char tag[SHA256_TEXT_BYTES + 2], digest[SHA256_TEXT_BYTES];
    struct document_file file;
    struct range range;
    int64_t version;
    bool shown;
    enum err e;

    if (!d)
        return err_set(ERR_NO_MEMORY, "a file");
    if ((e = read_query(request, &version, &shown)) ||
        (e = open_download(context, request->params[0], version, &file, d)))
        return e;
    if (shown && !media_is_shown(str_of(file.type)))
        return err_set(ERR_UNSUPPORTED, "a file of this type is only downloaded");
    sha256_text(file.sha256, digest);
    (void)snprintf(tag, sizeof tag, "\"%s\"", digest); /* it fits */
    range = range_asked(request, tag, file.size);
    if (etag_listed(request_header(request, "If-None-Match"), tag)) {
        response->status = 304;
        return response_header(response, "ETag", "%s", tag);
    }
    if (range.kind == RANGE_BEYOND)
        return answer_beyond(request, response, file.size);
    response->type = arena_printf(request->arena, "%s%s", file.type,
                                  str_starts(str_of(file.type), STR("text/")) ? "; charset=utf-8" : "");
    if (!response->type)
        return err_set(ERR_NO_MEMORY, "a file");
    if ((e = tell_headers(response, &file, shown, tag)))
        return e;
    return send(response, range, file.size, &d);
}
