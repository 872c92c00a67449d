/* A turn: one request and its answer.
 *
 * It is born when a request line arrives and passes through phases on the server's thread. A handler that
 * works elsewhere holds a reference of its own, so that a client that leaves takes nothing from under it;
 * what the handler sees of the request is a copy. */
#ifndef HTTPD_TURN_H
#define HTTPD_TURN_H
#include "pds/base/arena.h"
#include "pds/base/buf.h"
#include "pds/httpd/crew.h"
#include "pds/httpd/gate.h"
#include "pds/httpd/head.h"
#include "pds/httpd/request.h"
#include "pds/httpd/response.h"

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct peer;
struct server;

enum turn_phase {
    TURN_HEAD,    /* the head is arriving */
    TURN_HELD,    /* the head is here; a handler decides whether it wants the body */
    TURN_BODY,    /* the body is arriving */
    TURN_WHOLE,   /* there is no body, or all of it is here: run the handler next */
    TURN_RUNNING, /* a worker is at it */
    TURN_READY,   /* the answer is there */
};

struct turn {
    atomic_int refs; /* the connection's, and a worker's */
    struct server *server;
    struct peer *peer;
    struct MHD_Connection *connection;
    enum turn_phase phase;
    struct str target;     /* raw, a copy */
    const char *target_at; /* where the library has it */
    struct head head;
    struct verdict verdict;
    struct arena arena;
    struct request request;
    struct response response;
    struct buf body;   /* gathered */
    uint64_t drained;  /* bytes of a body that nobody wants */
    bool too_large;    /* the gathered body is */
    bool close;        /* after the answer */
    bool unread;       /* a body, or what stands behind a head that cannot be trusted */
    int retry_after_s; /* of a refusal for now; 0 leaves it to the answer */
    bool given;        /* to a worker */
    struct job job;
    struct gate gate;
    bool done, late; /* under the gate's lock: the handler has ended; its time has passed */
};

/* The three callbacks of the library, with a server as their context. */
void *turn_begin(void *server, const char *uri, struct MHD_Connection *connection);
enum MHD_Result turn_serve(void *server, struct MHD_Connection *connection, const char *url,
                           const char *method, const char *version, const char *data, size_t *size,
                           void **turn);
void turn_end(void *server, struct MHD_Connection *connection, void **turn,
              enum MHD_RequestTerminationCode why);

void turn_release(struct turn *t); /* NULL is fine */

/* turn_head.c: read the head, check it, find its route. True when the request may go on; otherwise the answer
 * is ready, and must be sent before the body when t->close is set. */
bool turn_admit(struct turn *t, const char *method, const char *version);
/* What a handler may see of the head, with an arena of its own; no route, no body. */
void turn_view(struct turn *t, struct arena *arena, struct request *out);
/* Make the answer of a refusal; status 0 takes e's own. */
void turn_refuse(struct turn *t, struct request *request, enum err e, int status, struct response *response);
#endif
