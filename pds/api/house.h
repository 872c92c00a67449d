/* A house: the stores of one folder behind one server, each under "/@name/" as one store alone is under "/".
 *
 * A folder of the house whose name target_is_name() takes, and which is a store, is served from the first
 * request for it until it goes; nothing is read before. Few are open at a time (LIMIT_STORES_OPEN): the one
 * used least recently gives way, one that nobody uses is closed. A store that the house's key file opens goes
 * to rest: its owner's sessions stay, and it opens again by itself. Any other is locked, and so is each that
 * its owner locks, until someone signs in.
 *
 * Stores are apart: sessions, cookies, failures, locks, and the workers that one may take. A name without a
 * store answers as a store would whose passphrase nobody knows. */
#ifndef API_HOUSE_H
#define API_HOUSE_H
#include "pds/api/api.h"
#include "pds/base/json.h"
#include "pds/httpd/router.h"

struct request;
struct response;

SECRET_KEY(house_key) /* the bytes of the key file that the stores have a slot for */

/* Told of each store of the house whose files are open; by several threads, never twice at once for one. */
struct house_watch {
    enum err (*opened)(void *context, struct store *s); /* a failure closes it again */
    void (*closing)(void *context, struct store *s);    /* nobody is inside any more */
    void (*ended)(void *context); /* every store is closed: after this none is touched any more */
    void *context;
};

struct house_options {
    struct api_options http;
    const char *dir;
    const struct house_key *key; /* borrowed; NULL without */
    int64_t idle_ms;             /* without use until a store is closed */
    struct house_watch watch;
};

struct house;
MUST_CHECK enum err house_open(const struct house_options *options, struct house **out);
const char *house_url(struct house *h); /* borrowed; stores are at <url>/@name/ */
unsigned house_open_count(struct house *h);
void house_close(struct house *h); /* lets running requests end; NULL is fine */

/* Close what nobody has used for idle_ms, what went, and of what comes back by itself as much as leaves
 * LIMIT_STORES_SPARE places; a thread of the house does it now and then. */
void house_tidy(struct house *h);

/* The path of every request: to the handlers of the store that its mount names. context is the house. */
void house_exchange(struct request *request, struct response *response, void *context);

/* house_stranger.c: the public keys that a name without a store tells: its own for ever, as long as the key
 * file is the same. ERR_LOCKED in a house without one. */
MUST_CHECK enum err house_stranger_jwks(const struct house *h, struct str name, json_t **out);

/* house_root.c: what answers for the house as a whole, naming nobody. */
extern const struct route HOUSE_ROUTES[];
size_t house_route_count(void);
#endif
