/* Listens, checks each request by the rules of security brief 4.1, runs its handler, answers.
 * One thread serves the sockets; handlers marked RUN_WORKER run on a few others. */
#ifndef HTTPD_SERVER_H
#define HTTPD_SERVER_H
#include "pds/base/err.h"
#include "pds/httpd/router.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server_options {
    const char *listen; /* "127.0.0.1:8765", "[::1]:0"; port 0 takes a free one */
    const char
        *tls_cert_file; /* PEM; NULL without TLS: then the address must be loopback unless proxy is set */
    const char *tls_key_file;
    const char *base_url; /* NULL: the address listened on. Its authority, and loopback spellings when the
                             address is loopback, are the only hosts answered (421 otherwise) */
    const char *proxy;    /* numeric address whose X-Forwarded-For counts; NULL for none */
    const struct route *routes;
    size_t route_count;
    void *context; /* given to handlers */
    /* The one path of every request around its handler (authenticate, run, translate errors): called on the
     * handler's thread in place of route->handler. Never fails: it fills the response. */
    void (*exchange)(struct request *request, struct response *response, void *context);
    /* Fill a response for a request refused before it had a route; e has its story. */
    void (*refuse)(struct request *request, enum err e, struct response *response, void *context);
    unsigned workers; /* threads for RUN_WORKER; 0 takes 16 */
};

struct server_stats {
    uint64_t connections, requests, refused, bytes_out;
    uint64_t by_status[6]; /* [2] counts 2xx, … */
};

struct server;
MUST_CHECK enum err server_open(const struct server_options *options, struct server **out);
const char *server_url(const struct server *s); /* "http://127.0.0.1:8765" */
void server_stats(const struct server *s, struct server_stats *out);
void server_close(
    struct server *s); /* stops listening, lets running handlers end (10 s at most), closes all */
static inline void server_closep(struct server **s) { server_close(*s); }
#endif
