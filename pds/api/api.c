#include "pds/api/api.h"

#include "pds/api/exchange.h"
#include "pds/api/route.h"
#include "pds/api/session.h"
#include "pds/api/signin.h"
#include "pds/base/clock.h"
#include "pds/base/mem.h"
#include "pds/base/str.h"
#include "pds/httpd/server.h"

enum err api_open(struct store *store, const struct api_options *options, struct api **out)
{
    struct api *a = mem_new(sizeof *a);
    struct server_options o = {.listen = options->listen,
                               .tls_cert_file = options->tls_cert,
                               .tls_key_file = options->tls_key,
                               .base_url = options->base_url,
                               .proxy = options->proxy,
                               .routes = ROUTES,
                               .route_count = route_count(),
                               .context = a,
                               .exchange = exchange_run,
                               .refuse = exchange_refuse};
    struct server *server = NULL;
    enum err e = ERR_OK;

    if (!a)
        return err_set(ERR_NO_MEMORY, "serving");
    a->store = store;
    a->cost = options->cost;
    a->https =
        options->tls_cert || (options->base_url && str_starts(str_of(options->base_url), STR("https://")));
    a->started_at = clock_now();
    if (!(a->sessions = sessions_new()) || !(a->signin = signin_new()))
        e = err_set(ERR_NO_MEMORY, "serving");
    if (!e && !(e = server_open(&o, &server))) {
        atomic_store(&a->server, server);
        *out = a;
        return ERR_OK;
    }
    api_close(a);
    return e;
}

const char *api_url(struct api *a) { return server_url(atomic_load(&a->server)); }

enum err api_lock(struct api *a)
{
    struct server *server = atomic_load(&a->server);

    store_shut(a->store);
    sessions_end_all(a->sessions);
    if (server)
        server_cut_long(server);
    return store_lock(a->store);
}

void api_close(struct api *a)
{
    if (!a)
        return;
    server_close(atomic_load(&a->server));
    sessions_free(a->sessions);
    signin_free(a->signin);
    mem_free(a);
}
