/* Our HTTP as a whole: what handlers share, and the start of the server. */
#ifndef API_API_H
#define API_API_H
#include "pds/base/err.h"
#include "pds/crypto/passphrase.h"
#include "pds/store/store.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct server;
struct sessions;
struct signin;

struct api {
    struct store *store;             /* borrowed */
    struct sessions *sessions;       /* owned */
    struct signin *signin;           /* owned */
    _Atomic(struct server *) server; /* owned; NULL for a moment after the first request may have come */
    bool https;                      /* what browsers speak, be it to us or to a proxy */
    struct passphrase_cost cost;     /* of the passphrase slot, when it is wrapped again */
    int64_t started_at;
};

struct api_options {
    const char *listen;   /* "127.0.0.1:8765" */
    const char *tls_cert; /* files; NULL without TLS */
    const char *tls_key;
    const char *base_url; /* NULL: the address listened on */
    const char *proxy;    /* address whose X-Forwarded-For counts; NULL for none */
    struct passphrase_cost cost;
};

/* Serve the store (borrowed), open or locked. */
MUST_CHECK enum err api_open(struct store *store, const struct api_options *options, struct api **out);
const char *api_url(struct api *a); /* borrowed */
/* Lock the store: nobody comes in any more, sessions end, what may last is cut, the keys are wiped.
 * ERR_BUSY when something runs that cannot be cut: the keys go when it ends. */
MUST_CHECK enum err api_lock(struct api *a);
void api_close(struct api *a); /* lets running requests end; NULL is fine */
#endif
