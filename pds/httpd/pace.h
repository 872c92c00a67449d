/* Deadlines and ceilings of a server. The program uses PACE_DEFAULT; tests make them short. */
#ifndef HTTPD_PACE_H
#define HTTPD_PACE_H
#include "pds/base/limits.h"
#include "pds/httpd/server.h"

#include <stddef.h>

struct pace {
    int header_ms; /* from the connection, or a request's first byte, to the end of its header */
    int idle_ms;   /* between two requests, and of an answer that nobody reads */
    int grace_ms; /* a body must bring grace_ms × body_bytes_per_s in each window of this length, and as much
                     must be taken of what is sent */
    size_t body_bytes_per_s;
    int handler_ms;                              /* of a handler that does not stream */
    int close_ms;                                /* that server_close() gives to running handlers */
    unsigned requests_per_min, requests_at_once; /* of one household, this machine without proxy excepted */
    unsigned connections, per_address, reserved;
    unsigned waiting;   /* requests that wait for a worker */
    size_t drain_bytes; /* of a refused body that are read and thrown away, so that the refusal is heard */
};

#define PACE_DEFAULT                                                                                         \
    {                                                                                                        \
        .header_ms = LIMIT_HEADER_DEADLINE_MS, .idle_ms = LIMIT_IDLE_MS, .grace_ms = LIMIT_BODY_GRACE_MS,    \
        .body_bytes_per_s = LIMIT_BODY_BYTES_PER_S, .handler_ms = LIMIT_HANDLER_MS, .close_ms = 10000,       \
        .requests_per_min = LIMIT_REQUESTS_PER_MIN, .requests_at_once = LIMIT_REQUESTS_PER_MIN / 2,          \
        .connections = LIMIT_CONNECTIONS, .per_address = LIMIT_CONNECTIONS_ADDRESS,                          \
        .reserved = LIMIT_CONNECTIONS_RESERVED, .waiting = 128, .drain_bytes = 64 * MIB,                     \
    }

MUST_CHECK enum err server_open_paced(const struct server_options *options, const struct pace *pace,
                                      struct server **out);
#endif
