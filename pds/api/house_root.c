/* What a house answers outside its stores: nothing that tells who lives there. */
#include "pds/api/house.h"

#include "pds/api/handler.h"
#include "pds/api/route.h"
#include "pds/httpd/target.h"

static const char WORDS[] = "Plusieurs coffres sont servis ici, chacun à son adresse : /@nom/\n"
                            "Several stores are served here, each at an address of its own: /@name/\n";

static enum err root_get(struct request *request, struct response *response, void *context)
{
    (void)request;
    (void)context;
    response->status = 200;
    response->type = "text/plain; charset=utf-8";
    buf_text(&response->body, WORDS);
    return buf_err(&response->body);
}

/* "/@name" is "/@name/" written in haste, be there such a store or not. The pages need the slash. */
static enum err slash_get(struct request *request, struct response *response, void *context)
{
    struct str path = request->path;

    (void)context;
    if (!str_starts(path, STR("/@")) || !target_is_name((struct str){path.ptr + 2, path.len - 2}))
        return err_set(ERR_NOT_FOUND, "no such path");
    response->status = 308;
    return response_header(response, "Location", "%.*s/", STR_ARGS(path));
}

const struct route HOUSE_ROUTES[] = {
    {"GET", "/health", ACCESS_ANYONE, BODY_NONE, RUN_INLINE, health_get, "Whether the daemon is there"},
    {"GET", "/metrics", ACCESS_LOOPBACK, BODY_NONE, RUN_INLINE, metrics_get,
     "Figures of the daemon, as Prometheus text"},
    {"GET", "/api/openapi.json", ACCESS_ANYONE, BODY_NONE, RUN_INLINE, openapi_get,
     "The interface of each store, described"},
    {"GET", "/", ACCESS_ANYONE, BODY_NONE, RUN_INLINE, root_get, "That stores are elsewhere"},
    {"GET", "/:mount", ACCESS_ANYONE, BODY_NONE, RUN_INLINE, slash_get, "To the same with a slash"},
};

size_t house_route_count(void) { return sizeof HOUSE_ROUTES / sizeof *HOUSE_ROUTES; }
