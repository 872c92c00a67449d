#include "pds/api/owner_confirm.h"

#include "pds/api/problem.h"
#include "pds/api/signin.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/limits.h"
#include "pds/crypto/random.h"

#include <string.h>

enum err owner_take_secret(const struct request *request, json_t *body, const char *key,
                           struct secret_text **out)
{
    const char *text;
    enum err e;

    if ((e = json_get_text(body, key, &text)))
        return e;
    if (strlen(text) > LIMIT_PASSPHRASE_BYTES)
        return err_set(ERR_TOO_LARGE, "%s is longer than %ld bytes", key, LIMIT_PASSPHRASE_BYTES + 0L);
    e = secret_text_new(text, strlen(text), out);
    random_wipe((char *)text, strlen(text)); /* the tree is ours, and goes at once */
    random_wipe((char *)request->body.ptr, request->body.len);
    return e;
}

enum err owner_read_body(const struct request *request, const char *const keys[], json_t **out)
{
    enum err e;

    if ((e = request_json(request, out)))
        return e;
    if ((e = json_only_keys(*out, keys))) {
        json_decref(*out);
        *out = NULL;
    }
    return e;
}

enum err owner_derive(struct api *api, const struct request *request, owner_key_of *open,
                      const struct secret_text *secret, struct store_key **root, int *retry_after_s)
{
    enum err e;

    if ((e = signin_enter(api->signin, request->address, clock_monotonic_ms(), retry_after_s)))
        return e;
    e = open(api->store, secret, root);
    signin_leave(api->signin, request->address, e, clock_monotonic_ms());
    if (e == ERR_WRONG_KEY)
        store_sign_in_failed(api->store);
    return e;
}

enum err owner_tell_wait(const struct request *request, enum err e, int retry_after_s,
                         struct response *response)
{
    if (e != ERR_THROTTLED)
        return e;
    problem_fill(request, e, retry_after_s, response);
    return ERR_OK;
}

enum err owner_confirm(struct api *api, const struct request *request, json_t *body,
                       struct response *response, bool *confirmed)
{
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL;
    int retry_after_s = 0;
    enum err e;

    *confirmed = false;
    if ((e = owner_take_secret(request, body, "passphrase", &passphrase)))
        return e;
    if ((e = owner_derive(api, request, store_key_of_passphrase, passphrase, &root, &retry_after_s)))
        return owner_tell_wait(request, e, retry_after_s, response);
    *confirmed = true;
    return ERR_OK;
}

enum err owner_take(const struct owner_taking *taking, atomic_int *count, struct api *api,
                    const struct request *request, struct response *response)
{
    static const char *const KEYS[] = {"passphrase", NULL};
    AUTO(json_freep) json_t *body = NULL;
    bool confirmed;
    enum err e;

    if ((e = owner_read_body(request, KEYS, &body)) ||
        (e = owner_confirm(api, request, body, response, &confirmed)) || !confirmed)
        return e;
    if (atomic_fetch_add(count, 1) >= taking->most)
        e = err_set(ERR_BUSY, "%s", taking->busy);
    else
        e = taking->begin(api, request, response);
    if (e)
        atomic_fetch_sub(count, 1);
    return e;
}
