/* Our HTTP as a whole: what handlers share, and the start of the server. */
#ifndef API_API_H
#define API_API_H
#include "pds/base/err.h"
#include "pds/crypto/passphrase.h"
#include "pds/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct server;
struct sessions;
struct signin;

struct api {
    struct store *store;       /* borrowed */
    struct sessions *sessions; /* owned */
    struct signin *signin;     /* owned */
    struct server *server;     /* owned; NULL until it listens */
    bool tls;
    struct passphrase_cost cost; /* of the passphrase slot, when it is wrapped again */
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
const char *api_url(const struct api *a); /* borrowed */
void api_close(struct api *a);            /* lets running requests end; NULL is fine */
#endif
