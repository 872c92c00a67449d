/* Signing in and out, locking, and the keys' changes. */
#include "pds/api/handler.h"

#include "pds/api/api.h"
#include "pds/api/exchange.h"
#include "pds/api/owner_confirm.h"
#include "pds/api/session.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/limits.h"
#include "pds/base/log.h"
#include "pds/crypto/random.h"

#include <string.h>

/* A line that should be in the trail. What it tells of has happened, and the owner of a store that is full or
 * damaged is not kept out by its trail. */
static void noted(enum err e)
{
    if (e)
        log_failure("trail", e);
}

static enum err answer_session(const struct api *api, struct response *response, const char *csrf,
                               int64_t ends_at)
{
    struct buf *out = &response->body;
    char ends[CLOCK_TEXT_BYTES], place[256];

    clock_text(ends_at, ends);
    response->status = 200;
    response->type = "application/json";
    buf_printf(out, "{\"csrf\":\"%s\",\"idle_seconds\":%d,\"expires_at\":\"%s\"", csrf, LIMIT_SESSION_IDLE_S,
               ends);
    if (store_is_damaged(api->store, place, sizeof place)) {
        buf_text(out, ",\"damaged\":");
        json_quote(out, str_of(place));
    }
    buf_char(out, '}');
    return buf_err(out);
}

static enum err set_cookie(const struct api *api, struct response *response, const char *token)
{
    char at[API_MOUNT_BYTES];
    struct str path = api_cookie_path(api, at);

    return response_header(response, "Set-Cookie", "%s=%s; Path=%.*s; HttpOnly; SameSite=Strict%s%s",
                           api_cookie_name(api), token, STR_ARGS(path), api->https ? "; Secure" : "",
                           *token ? "" : "; Max-Age=0");
}

static enum err begin_session(struct api *api, const struct request *request, struct response *response)
{
    char token[SESSION_TOKEN_TEXT], csrf[SESSION_TOKEN_TEXT];
    uint64_t opening = store_opening(api->store);
    enum err e;

    if (!opening)
        return err_set(ERR_LOCKED, "the store was locked meanwhile");
    if ((e = session_begin(api->sessions, opening, request->now, token, csrf)))
        return e;
    if (!(e = set_cookie(api, response, token)))
        e = answer_session(api, response, csrf, request->now + LIMIT_SESSION_S);
    random_wipe(token, sizeof token);
    random_wipe(csrf, sizeof csrf);
    return e;
}

enum err session_post(struct request *request, struct response *response, void *context)
{
    static const char *const KEYS[] = {"passphrase", NULL};
    struct api *api = context;
    AUTO(json_freep) json_t *body = NULL;
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL;
    int retry_after_s = 0;
    enum err e;

    if ((e = owner_read_body(request, KEYS, &body)) ||
        (e = owner_take_secret(request, body, "passphrase", &passphrase)))
        return e;
    if ((e = owner_derive(api, request, store_key_of_passphrase, passphrase, &root, &retry_after_s)))
        return owner_tell_wait(request, e, retry_after_s, response);
    if ((e = store_unlock(api->store, root, request->now)))
        return e;
    /* Signed in all the same when the slot cannot be written again; the next sign-in tries once more. */
    err_ignore(store_raise_cost(api->store, root, passphrase, api->cost));
    noted(store_signed_in(api->store, request->now));
    return begin_session(api, request, response);
}

enum err session_get(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    char csrf[SESSION_TOKEN_TEXT];
    int64_t ends_at;
    enum err e;

    if ((e = session_find(api->sessions, exchange_token(request, api), store_opening(api->store),
                          request->now, csrf, &ends_at)))
        return e;
    e = answer_session(api, response, csrf, ends_at);
    random_wipe(csrf, sizeof csrf);
    return e;
}

enum err session_delete(struct request *request, struct response *response, void *context)
{
    struct api *api = context;

    session_end(api->sessions, exchange_token(request, api));
    response->status = 204;
    return set_cookie(api, response, "");
}

enum err lock_post(struct request *request, struct response *response, void *context)
{
    static const struct event LOCKED = {EVENT_LOCKED, "owner", "", NULL};
    struct api *api = context;
    enum err e;

    noted(store_tell(api->store, &LOCKED, request->now));
    if ((e = api_lock(api)))
        return e;
    response->status = 204;
    return set_cookie(api, response, "");
}

/* {"<current>", "<next>"}: open by the first, wrap for the second. */
static enum err change_passphrase(struct api *api, struct request *request, struct response *response,
                                  const char *current, const char *next, owner_key_of *open,
                                  enum event_kind kind)
{
    const char *const keys[] = {current, next, NULL};
    AUTO(json_freep) json_t *body = NULL;
    AUTO(secret_text_freep) struct secret_text *old = NULL;
    AUTO(secret_text_freep) struct secret_text *fresh = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL;
    int retry_after_s = 0;
    enum err e;

    if ((e = owner_read_body(request, keys, &body)) ||
        (e = owner_take_secret(request, body, current, &old)) ||
        (e = owner_take_secret(request, body, next, &fresh)) || (e = passphrase_check_new(fresh)))
        return e;
    if ((e = owner_derive(api, request, open, old, &root, &retry_after_s)))
        return owner_tell_wait(request, e, retry_after_s, response);
    if ((e = store_set_passphrase(api->store, root, fresh, api->cost)))
        return e;
    noted(store_tell_with_key(api->store, root, &(struct event){kind, "owner", "", NULL}, request->now));
    response->status = 204;
    return ERR_OK;
}

enum err passphrase_post(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    enum err e = change_passphrase(api, request, response, "current", "new", store_key_of_passphrase,
                                   EVENT_PASSPHRASE_CHANGED);

    if (!e && response->status == 204)
        sessions_end_others(api->sessions, exchange_token(request, api)); /* they knew the old one */
    return e;
}

enum err recover_post(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    enum err e = change_passphrase(api, request, response, "code", "passphrase", store_key_of_recovery,
                                   EVENT_RECOVERY_USED);

    if (!e && response->status == 204)
        sessions_end_all(api->sessions); /* whoever was in with the old one is out */
    return e;
}
