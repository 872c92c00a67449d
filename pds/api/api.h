/* Our HTTP as a whole: what the handlers of one store share, and the start of a server for it alone. Many
 * stores behind one server are a house (pds/api/house.h), which makes one of these for each. */
#ifndef API_API_H
#define API_API_H
#include "pds/base/err.h"
#include "pds/base/limits.h"
#include "pds/base/str.h"
#include "pds/crypto/passphrase.h"
#include "pds/store/store.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { API_MOUNT_BYTES = LIMIT_STORE_NAME + 3 };

struct server;
struct house; /* pds/api/house.h */
struct sessions;
struct signin;

struct api {
    struct store *store;             /* borrowed */
    struct sessions *sessions;       /* owned */
    struct signin *signin;           /* owned */
    _Atomic(struct server *) server; /* owned, but in a house; NULL for a moment after the first request may
                                        have come */
    struct house *house;             /* borrowed; only for what answers for a house as a whole */
    struct house *stranger_in;       /* borrowed; only for a name without a store */
    char mount[API_MOUNT_BYTES];     /* "/@name", in front of every path of the store's; "" for one store */
    bool https;                      /* what browsers speak, be it to us or to a proxy */
    bool developer;                  /* serve --developer: what eases the writing of a service is open */
    struct passphrase_cost cost;     /* of the passphrase slot, when it is wrapped again */
    atomic_int backups;              /* that are made or taken away now */
    int64_t started_at;
};

struct api_options {
    const char *listen;   /* "127.0.0.1:8765" */
    const char *tls_cert; /* files; NULL without TLS */
    const char *tls_key;
    const char *base_url; /* NULL: the address listened on */
    const char *proxy;    /* address whose X-Forwarded-For counts; NULL for none */
    bool developer;       /* ERR_USAGE off loopback */
    struct passphrase_cost cost;
};

/* Serve the store (borrowed), open or locked. */
MUST_CHECK enum err api_open(struct store *store, const struct api_options *options, struct api **out);
const char *api_url(struct api *a); /* of the server, without a mount; borrowed */
bool api_speaks_https(const struct api_options *options);
/* ERR_USAGE when --developer goes with an address that others reach. */
MUST_CHECK enum err api_check_developer(const struct api_options *options);
/* The name of the session's cookie, and the Path that it is sent back for. */
const char *api_cookie_name(const struct api *a);
struct str api_cookie_path(const struct api *a, char at[static API_MOUNT_BYTES]);
/* Lock the store: nobody comes in any more, sessions end, what may last is cut, the keys are wiped.
 * ERR_BUSY when something runs that cannot be cut: the keys go when it ends. */
MUST_CHECK enum err api_lock(struct api *a);
void api_close(struct api *a); /* lets running requests end; NULL is fine */
#endif
