/* THE table of routes: method, path, who may call, body, where it runs, handler, meaning.
 * The OpenAPI document is held to it by a test. */
#ifndef API_ROUTE_H
#define API_ROUTE_H
#include "pds/httpd/router.h"

#include <stddef.h>

enum access {
    ACCESS_ANYONE,   /* also while the store is locked */
    ACCESS_LOOPBACK, /* this machine, no proxy between */
    ACCESS_OWNER,    /* the store is open and its owner signed in; changes need the CSRF token */
};

extern const struct route ROUTES[];
size_t route_count(void);
#endif
