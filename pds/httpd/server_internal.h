/* What the parts of a server share. */
#ifndef HTTPD_SERVER_INTERNAL_H
#define HTTPD_SERVER_INTERNAL_H
#include "pds/httpd/crew.h"
#include "pds/httpd/linger.h"
#include "pds/httpd/listener.h"
#include "pds/httpd/pace.h"
#include "pds/httpd/peer.h"
#include "pds/httpd/server.h"
#include "pds/httpd/throttle.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct server {
    struct server_options options; /* its texts are looked at while opening only */
    struct pace pace;
    struct listener listener;
    struct MHD_Daemon *daemon;
    struct peers peers;
    struct crew crew;
    struct lingering lingering;
    struct throttle *throttle; /* owned; NULL when only this machine can ask */
    pthread_t warden;
    bool warden_runs;
    bool tls;
    bool https;          /* what clients speak, be it to us or to a proxy */
    atomic_bool closing; /* no new request */
    atomic_bool ending;  /* what has not ended by now is cut: nothing may be suspended any more */
    atomic_bool retired; /* the warden may go */
    atomic_uint turns;   /* that have begun and not ended */
    struct {
        atomic_uint_least64_t connections, requests, refused, bytes_out, by_status[6];
    } stats;
};

static inline void server_count(atomic_uint_least64_t *counter, uint64_t by)
{
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}
#endif
