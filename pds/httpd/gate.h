/* Where a worker and the server's thread meet over one connection.
 *
 * The server's thread suspends a connection and says so under the lock; whoever has what
 * it waited for calls gate_open(), which resumes it once. Nobody waits in vain and nothing
 * is resumed twice, because both happen under the same lock. */
#ifndef HTTPD_GATE_H
#define HTTPD_GATE_H
#include <pthread.h>
#include <stdbool.h>

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;       /* tells the worker that bytes came, or that none will */
    void (*resume)(void *what); /* the connection */
    void *what;
    bool suspended;
    bool gone; /* the client, or the server is closing */
};

void gate_init(struct gate *g, void (*resume)(void *what), void *what);
void gate_done(struct gate *g);
static inline void gate_lock(struct gate *g) { (void)pthread_mutex_lock(&g->lock); }
static inline void gate_unlock(struct gate *g) { (void)pthread_mutex_unlock(&g->lock); }
void gate_open(struct gate *g);  /* under the lock */
void gate_leave(struct gate *g); /* takes the lock: the client is gone, nothing is to be resumed */
#endif
