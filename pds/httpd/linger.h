/* Connections that were answered before their body was read.
 *
 * To close a socket with unread bytes resets it, and a client that is still writing then hears of an
 * error rather than of the answer. So a copy of the descriptor stays open for a moment: the library has
 * said that nothing more will be sent, and what still comes is thrown away (RFC 9112 9.6). */
#ifndef HTTPD_LINGER_H
#define HTTPD_LINGER_H
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum { LINGER_MAX = 32, LINGER_MS = 2000, LINGER_BYTES = 16 * 1024 * 1024 };

struct linger_one {
    int fd;
    int64_t until_ms;
    size_t drained;
};

struct lingering {
    pthread_mutex_t lock;
    struct linger_one at[LINGER_MAX];
    size_t count;
};

void lingering_init(struct lingering *l);
void lingering_done(struct lingering *l); /* closes all */
/* Keep a copy of fd; when there are too many already the client has to live with a reset. */
void lingering_add(struct lingering *l, int fd, int64_t now_ms);
/* Throw away what came; how many are left. */
size_t lingering_round(struct lingering *l, int64_t now_ms);
#endif
