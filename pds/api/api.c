#include "pds/api/api.h"

#include "pds/api/exchange.h"
#include "pds/api/route.h"
#include "pds/api/session.h"
#include "pds/api/signin.h"
#include "pds/base/clock.h"
#include "pds/base/mem.h"
#include "pds/base/str.h"
#include "pds/httpd/server.h"

#include <string.h>

bool api_speaks_https(const struct api_options *options)
{
    return options->tls_cert || (options->base_url && str_starts(str_of(options->base_url), STR("https://")));
}

enum err api_check_developer(const struct api_options *options)
{
    static const char *const LOOPBACK[] = {"127.", "[::1]:", "localhost:"};

    if (!options->developer)
        return ERR_OK;
    for (size_t i = 0; i < sizeof LOOPBACK / sizeof *LOOPBACK; i++) {
        if (str_starts(str_of(options->listen), str_of(LOOPBACK[i])) && !options->proxy)
            return ERR_OK;
    }
    return err_set(ERR_USAGE, "--developer is for loopback alone, without a proxy");
}

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
    a->developer = options->developer;
    a->https = api_speaks_https(options);
    a->started_at = clock_now();
    if (!(a->sessions = sessions_new()) || !(a->signin = signin_new()))
        e = err_set(ERR_NO_MEMORY, "serving");
    if (!e && !(e = api_check_developer(options)) && !(e = server_open(&o, &server))) {
        atomic_store(&a->server, server);
        *out = a;
        return ERR_OK;
    }
    api_close(a);
    return e;
}

const char *api_url(struct api *a) { return server_url(atomic_load(&a->server)); }

/* The prefixes make browsers hold to Secure, and the first to this host alone; without https they cannot be
 * had. With it a cookie is for every path: stores behind one server have the second. */
const char *api_cookie_name(const struct api *a)
{
    if (!a->https)
        return "traboule";
    return a->mount[0] ? "__Secure-traboule" : "__Host-traboule";
}

struct str api_cookie_path(const struct api *a, char at[static API_MOUNT_BYTES])
{
    size_t len = strlen(a->mount);

    memcpy(at, a->mount, len);
    at[len] = '/';
    return (struct str){at, len + 1};
}

enum err api_lock(struct api *a)
{
    struct server *server = atomic_load(&a->server);

    store_shut(a->store);
    sessions_end_all(a->sessions);
    if (server && a->mount[0])
        server_cut_mount(server, str_of(a->mount + 2));
    else if (server)
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
