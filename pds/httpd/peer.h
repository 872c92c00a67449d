/* The connections of a server: who is at the other end, what is awaited of whom, since when. */
#ifndef HTTPD_PEER_H
#define HTTPD_PEER_H
#include "pds/base/limits.h"
#include "pds/httpd/listener.h"
#include "pds/httpd/pace.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct MHD_Connection;
struct turn;

enum peer_state {
    PEER_HEAD, /* a request's head is on its way */
    PEER_IDLE, /* between two requests */
    PEER_BODY, /* a request's body is on its way */
    PEER_WORK, /* a handler is at it, or its queue is full: the client need not do anything */
    PEER_SEND, /* the answer is on its way */
};

struct peer {
    struct peer *next, *prev;
    struct MHD_Connection *connection;
    int fd;
    char address[ADDRESS_BYTES], household[ADDRESS_BYTES];
    bool loopback, proxy;
    struct turn *spare; /* owned; of the request before, to be used again */
    _Atomic int
        state; /* enum peer_state; written by the server's thread, but HEAD after IDLE by the warden too */
    _Atomic int64_t since_ms;
    atomic_bool streams; /* the answer under way is made while it is sent */
    _Atomic uint64_t body_bytes;
    /* Under the lock of peers: */
    char mount[LIMIT_STORE_NAME + 1]; /* whose answer streams; "" without mounts */
    bool doomed;                      /* its socket was shut down */
    bool asleep;                      /* suspended by an answer that has nothing to send yet */
    /* The warden's own: */
    int64_t window_since_ms, window_start_ms;
    uint64_t window_bytes;
    int64_t taken_since_ms; /* that bytes lie in the kernel for the client; 0 when none do */
    uint64_t taken_goal;    /* how many bytes it must have acknowledged a window later */
    int64_t idle_since_ms;
    uint64_t idle_received;
};

struct peers {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* one came, or the warden should stop; its clock is monotonic */
    struct peer *first;
    unsigned count;
    const struct pace *pace;
    char proxy[ADDRESS_BYTES]; /* "" without */
};

void peers_init(struct peers *all, const struct pace *pace, const char *proxy);
void peers_done(struct peers *all);

/* Whether one more from there may come in; when the house is full, a connection of this machine takes the
 * place of the one that has kept us waiting for longest. */
bool peers_admit(struct peers *all, const struct sockaddr *address);
struct peer *peer_new(struct peers *all, struct MHD_Connection *connection, int fd,
                      const struct sockaddr *address);
/* Before its socket is closed, so that no deadline can reach a number that means another connection. */
void peer_free(struct peers *all, struct peer *p);

void peer_turn_to(struct peer *p, enum peer_state state);
/* Shut the socket down, under the lock of peers. */
void peer_cut(struct peer *p);
#endif
