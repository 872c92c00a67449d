/* Secrets of the owner's in a request: taken out of it, and tried behind the gate of sign-in. What leaves
 * with all of a store, or ends it, asks a signed-in owner for the passphrase again. */
#ifndef API_OWNER_CONFIRM_H
#define API_OWNER_CONFIRM_H
#include "pds/api/api.h"
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/crypto/secret.h"
#include "pds/httpd/request.h"
#include "pds/httpd/response.h"

#include <stdatomic.h>
#include <stdbool.h>

/* The body as a JSON object of these keys, the caller's. */
MUST_CHECK enum err owner_read_body(const struct request *request, const char *const keys[], json_t **out);
/* A secret out of it into guarded memory; the body's copies are wiped. */
MUST_CHECK enum err owner_take_secret(const struct request *request, json_t *body, const char *key,
                                      struct secret_text **out);

typedef enum err owner_key_of(struct store *s, const struct secret_text *secret, struct store_key **root);
/* One derivation behind the gate. On ERR_THROTTLED *retry_after_s tells how long to wait. */
MUST_CHECK enum err owner_derive(struct api *api, const struct request *request, owner_key_of *open,
                                 const struct secret_text *secret, struct store_key **root,
                                 int *retry_after_s);
/* The failure of a derivation: told here, with ERR_OK, when it is a matter of waiting. */
MUST_CHECK enum err owner_tell_wait(const struct request *request, enum err e, int retry_after_s,
                                    struct response *response);

/* The body's "passphrase" must be the owner's: ERR_WRONG_KEY when it is not. When they have to wait, the
 * response says so, and *confirmed is false with ERR_OK. */
MUST_CHECK enum err owner_confirm(struct api *api, const struct request *request, json_t *body,
                                  struct response *response, bool *confirmed);

/* An answer that takes all of the store along, few at a time. */
struct owner_taking {
    const char *busy; /* the story when `most` are under way */
    int most;
    /* Fills the response, whose source_free then lowers the count. */
    enum err (*begin)(struct api *api, const struct request *request, struct response *response);
};
/* Such an answer to a body {"passphrase"}, once that is confirmed. count: of those under way. */
MUST_CHECK enum err owner_take(const struct owner_taking *taking, atomic_int *count, struct api *api,
                               const struct request *request, struct response *response);
#endif
