/* What anyone may know of the daemon, and what this machine's monitoring may. */
#include "pds/api/handler.h"

#include "pds/api/api.h"
#include "pds/api/house.h"
#include "pds/base/auto.h"
#include "pds/base/embed.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/httpd/server.h"
#include "pds/vault/vault.h"

#include <inttypes.h>
#include <unistd.h>

extern const struct embed API_FILES[]; /* openapi.json */

enum err health_get(struct request *request, struct response *response, void *context)
{
    const struct api *api = context;
    char place[256];

    (void)request;
    response->status = 200;
    response->type = "application/json";
    buf_printf(&response->body, "{\"status\":\"%s\"%s}\n", store_is_open(api->store) ? "open" : "locked",
               store_is_damaged(api->store, place, sizeof place) ? ",\"damaged\":true" : "");
    return buf_err(&response->body);
}

enum err openapi_get(struct request *request, struct response *response, void *context)
{
    (void)context;
    response->status = 200;
    response->type = "application/json";
    buf_add(&response->body, API_FILES[0].start, (size_t)(API_FILES[0].end - API_FILES[0].start));
    return response_etag(response, request_header(request, "If-None-Match"));
}

/* Pages in memory are the second number of statm (proc(5)). */
static uint64_t resident_bytes(void)
{
    AUTO(buf_done) struct buf text;
    struct str rest, part;
    int64_t pages = 0;

    buf_init(&text, 4 * KIB);
    if (fs_read("/proc/self/statm", 4 * KIB, &text))
        return 0;
    rest = (struct str){text.data, text.len};
    (void)str_split(&rest, ' ', &part); /* the whole size; what follows is what is in memory */
    if (!str_split(&rest, ' ', &part) || str_int64(part, &pages))
        return 0;
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void metric(struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
    buf_printf(out, "# HELP traboule_%s %s\n# TYPE traboule_%s %s\ntraboule_%s %" PRIu64 "\n", name, help,
               name, type, name, value);
}

enum err metrics_get(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    struct server *server = atomic_load(&api->server);
    struct server_stats http = {0};
    struct vault_stats vault = {0};
    struct vault *open;
    struct buf *out = &response->body;

    response->status = 200;
    response->type = "text/plain; version=0.0.4; charset=utf-8";
    if (server)
        server_stats(server, &http);
    if (store_is_awake(api->store) && !store_enter(api->store, &open)) { /* none is opened for its figures */
        vault_stats(open, &vault);
        store_leave(api->store);
    }
    if (api->house)
        metric(out, "stores_open", "gauge", "Stores whose files are open", house_open_count(api->house));
    else
        metric(out, "store_open", "gauge", "1 when the store is open", store_is_open(api->store));
    metric(out, "uptime_seconds", "gauge", "Since the daemon began to serve",
           (uint64_t)(request->now - api->started_at));
    metric(out, "resident_bytes", "gauge", "Memory in use", resident_bytes());
    metric(out, "allocations", "gauge", "Blocks of memory alive", (uint64_t)mem_live());
    metric(out, "http_connections_total", "counter", "Connections accepted", http.connections);
    metric(out, "http_requests_total", "counter", "Requests answered", http.requests);
    metric(out, "http_refused_total", "counter", "Requests refused before a handler", http.refused);
    metric(out, "http_sent_bytes_total", "counter", "Bytes of bodies sent", http.bytes_out);
    buf_text(out, "# HELP traboule_http_responses_total Answers by class of status\n"
                  "# TYPE traboule_http_responses_total counter\n");
    for (int i = 1; i < 6; i++)
        buf_printf(out, "traboule_http_responses_total{class=\"%dxx\"} %" PRIu64 "\n", i, http.by_status[i]);
    metric(out, "vault_pages", "gauge", "Pages of the database", vault.pages);
    metric(out, "vault_commits_total", "counter", "Commits made durable", vault.commits);
    metric(out, "vault_writes_total", "counter", "Writes that shared them", vault.jobs);
    return buf_err(out);
}
