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
    /* PEM; NULL without TLS: then the address must be loopback unless proxy is set. TLS is 1.2 at least. */
    const char *tls_cert_file, *tls_key_file;
    const char *base_url; /* NULL: the address listened on. Its authority, and loopback spellings when the
                             address is loopback, are the only hosts answered (421 otherwise) */
    const char *proxy;    /* numeric address whose X-Forwarded-For counts; NULL for none */
    const struct route *routes;
    size_t route_count;
    /* Those under "/@name/", for each name alike; their path is what follows the name. NULL for none. */
    const struct route *mounted;
    size_t mounted_count;
    void *context; /* given to handlers */
    /* The one path of every request around its handler (authenticate, run, translate errors): called on the
     * handler's thread in place of route->handler. Never fails: it fills the response. An upload's runs
     * before its body is read; "100 Continue" is sent when it asks for the first part. NULL calls the
     * handler, and refuse() when it fails. */
    void (*exchange)(struct request *request, struct response *response, void *context);
    /* Fill a response for a request refused before its handler, or whose handler took too long; e has its
     * story. response->status holds the status that will be sent, which may say more than e's own (414, 431,
     * 501…). request->route is NULL when none was found. On the server's thread; NULL writes one plain line.
     */
    void (*refuse)(struct request *request, enum err e, struct response *response, void *context);
    unsigned workers; /* threads for RUN_WORKER; 0 takes LIMIT_WORKERS */
};

struct server_stats {
    uint64_t connections, requests, refused, bytes_out;
    uint64_t by_status[6]; /* [2] counts 2xx, … */
};

struct server;
/* ERR_FORBIDDEN when others could listen in, ERR_INVALID for an address, certificate or base URL that makes
 * no sense, ERR_CONFLICT when the port is taken. */
MUST_CHECK enum err server_open(const struct server_options *options, struct server **out);
const char *server_url(const struct server *s); /* "http://127.0.0.1:8765" */
void server_stats(const struct server *s, struct server_stats *out);
/* Cut what may last: a client whose answer is made while it is sent loses its connection, a handler that
 * reads an upload gets ERR_BUSY. What is short goes on. */
void server_cut_long(struct server *s);
/* The same for what came in under one mount. */
void server_cut_mount(struct server *s, struct str mount);
/* Stops listening, lets running handlers end, and cuts what is left after 10 s: an upload's reader then gets
 * ERR_IO. Returns once the last handler has, since they borrow the caller's context. */
void server_close(struct server *s);
static inline void server_closep(struct server **s) { server_close(*s); }
#endif
