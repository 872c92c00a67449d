#include "pds/httpd/asset.h"

#include "pds/httpd/etag.h"
#include "pds/httpd/header.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

static const struct {
    const char *ending, *type;
} TYPES[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".webp", "image/webp"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
    {".md", "text/markdown; charset=utf-8"},
    {".csv", "text/csv; charset=utf-8"},
    {".xml", "application/xml"},
    {".pdf", "application/pdf"},
    {".zip", "application/zip"},
};

static const char *type_of(const char *path)
{
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (str_ends(str_of(path), str_of(TYPES[i].ending)))
            return TYPES[i].type;
    return "application/octet-stream";
}

/* Digests of assets already asked for, by the place of their first byte, which never changes. When the
 * memory is full, further digests are computed each time. */
enum { KNOWN_MAX = 1024 };
static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    const char *start;
    struct digest digest;
} known[KNOWN_MAX];

static struct digest digest_of(const char *start, const char *end)
{
    size_t at = ((uintptr_t)start >> 4) % KNOWN_MAX;
    struct digest d = {0};
    bool found = false;
    size_t tries = 0;

    (void)pthread_mutex_lock(&known_lock);
    for (; tries < 16 && known[at].start && !found; tries++) {
        found = known[at].start == start;
        if (found)
            d = known[at].digest;
        else
            at = (at + 1) % KNOWN_MAX;
    }
    if (!found) {
        d = etag_digest(start, (size_t)(end - start));
        if (!known[at].start) {
            known[at].start = start;
            known[at].digest = d;
        }
    }
    (void)pthread_mutex_unlock(&known_lock);
    return d;
}

/* Whether the client takes gzip: named, and not with a weight of nothing (RFC 9110 12.5.3). */
static bool takes_gzip(struct str list)
{
    struct str item;

    while (str_split(&list, ',', &item)) {
        struct str name = {0}, weight;
        if (!str_split(&item, ';', &name) || !str_eq_nocase(str_trim(name), STR("gzip")))
            continue;
        weight = str_trim(item);
        if (!str_starts_nocase(weight, STR("q=0")))
            return true;
        for (size_t i = 3; i < weight.len; i++)
            if (weight.ptr[i] >= '1' && weight.ptr[i] <= '9')
                return true;
        return false;
    }
    return false;
}

static enum err add_headers(struct response *response, bool gzip, bool varies, const char *tag)
{
    enum err e;

    if ((e = response_header(response, "ETag", "%s", tag)) ||
        (e = response_header(response, "Cache-Control", "no-cache")))
        return e;
    if (varies && (e = response_header(response, "Vary", "Accept-Encoding")))
        return e;
    return gzip ? response_header(response, "Content-Encoding", "gzip") : ERR_OK;
}

enum err asset_answer(const struct asset table[], struct str path, const struct request *request,
                      struct response *response)
{
    const struct asset *a = table;
    char tag[ETAG_BYTES];
    enum err e;

    while (a->path && !str_eq(str_of(a->path), path))
        a++;
    if (!a->path)
        return err_set(ERR_NOT_FOUND, "no such page file");
    bool varies = a->gzip_start != NULL;
    bool gzip = varies && takes_gzip(request_header(request, "Accept-Encoding"));
    const char *start = gzip ? a->gzip_start : a->start, *end = gzip ? a->gzip_end : a->end;

    etag_text(digest_of(start, end), gzip ? "g" : "", tag);
    if (etag_listed(request_header(request, "If-None-Match"), tag)) {
        response->status = 304;
        return add_headers(response, false, varies, tag);
    }
    if ((e = add_headers(response, gzip, varies, tag)))
        return e;
    response->status = 200;
    response->type = type_of(a->path);
    response->fixed = start;
    response->fixed_len = (size_t)(end - start);
    return ERR_OK;
}
