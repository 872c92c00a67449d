#include "pds/api/exchange.h"

#include "pds/api/api.h"
#include "pds/api/problem.h"
#include "pds/api/route.h"
#include "pds/api/session.h"
#include "pds/base/log.h"
#include "pds/crypto/random.h"

struct str exchange_token(const struct request *request, const void *context)
{
    const struct api *api = context;

    return request_cookie(request, api_cookie_name(api));
}

static bool is_change(const struct request *request)
{
    return !str_eq(request->method, STR("GET")) && !str_eq(request->method, STR("HEAD"));
}

/* A browser says where a change comes from: it must be our own pages (security brief 4.4). Programs say
 * nothing. */
static enum err check_origin(const struct request *request, const struct api *api)
{
    struct str origin = request_header(request, "Origin"), site = request_header(request, "Sec-Fetch-Site");
    struct str scheme = api->https ? STR("https://") : STR("http://"), host = request_header(request, "Host");

    if (site.ptr && !str_eq(site, STR("same-origin")))
        return err_set(ERR_FORBIDDEN, "a change from another site");
    if (!origin.ptr)
        return ERR_OK;
    if (!str_starts(origin, scheme) ||
        !str_eq_nocase((struct str){origin.ptr + scheme.len, origin.len - scheme.len}, host))
        return err_set(ERR_FORBIDDEN, "a change from another origin");
    return ERR_OK;
}

static enum err check_owner(const struct request *request, struct api *api)
{
    char csrf[SESSION_TOKEN_TEXT] = "";
    struct str given = request_header(request, "X-CSRF-Token");
    uint64_t opening = store_opening(api->store);
    enum err e;

    if (!opening)
        return err_set(ERR_LOCKED, "the store is locked");
    if (request_header(request, "Authorization").ptr)
        return err_set(ERR_INVALID, "an owner's request carries no Authorization");
    if ((e = session_find(api->sessions, exchange_token(request, api), opening, request->now,
                          is_change(request) ? csrf : NULL, NULL)))
        return e;
    if (is_change(request) &&
        (given.len != SESSION_TOKEN_TEXT - 1 || !random_equal(given.ptr, csrf, SESSION_TOKEN_TEXT - 1)))
        e = err_set(ERR_FORBIDDEN, "the CSRF token is missing or wrong");
    if (!e)
        store_touch(api->store); /* whoever only looks at a page is there all the same */
    random_wipe(csrf, sizeof csrf);
    return e;
}

/* Tries of others, which the owner learns of from the trail. It is written where waiting is fine. */
static void tell_failures(const struct request *request, struct api *api)
{
    enum err e = request->route->where == RUN_WORKER ? store_tell_failures(api->store, request->now) : ERR_OK;

    if (e)
        log_failure("trail", e); /* the request is not held up by it */
}

static enum err check_access(const struct request *request, struct api *api)
{
    enum err e;

    if (is_change(request) && (e = check_origin(request, api)))
        return e;
    switch ((enum access)request->route->access) {
    case ACCESS_ANYONE:
        return ERR_OK;
    case ACCESS_LOOPBACK:
        return request->loopback ? ERR_OK : err_set(ERR_FORBIDDEN, "from this machine only");
    case ACCESS_OWNER:
        return check_owner(request, api);
    }
    return err_set(ERR_INTERNAL, "a route without access");
}

void exchange_run(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    enum err e;

    request->now = store_now(api->store, request->now);
    e = check_access(request, api);
    if (!e && request->route->access == ACCESS_OWNER)
        tell_failures(request, api);
    if (!e)
        e = request->route->handler(request, response, api);
    if (!e)
        return;
    if (err_row(e)->http >= 500 && e != ERR_LOCKED)
        log_failure("request", e);
    problem_fill(request, e, 0, response);
}

void exchange_refuse(struct request *request, enum err e, struct response *response, void *context)
{
    (void)context;
    problem_fill(request, e, 0, response);
}
