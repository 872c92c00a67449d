#include "pds/httpd/gate.h"

#include <stddef.h>

void gate_init(struct gate *g, void (*resume)(void *what), void *what)
{
    (void)pthread_mutex_init(&g->lock, NULL); /* neither fails with default attributes */
    (void)pthread_cond_init(&g->moved, NULL);
    g->resume = resume;
    g->what = what;
    g->suspended = false;
    g->gone = false;
}

void gate_done(struct gate *g)
{
    (void)pthread_cond_destroy(&g->moved);
    (void)pthread_mutex_destroy(&g->lock);
}

void gate_open(struct gate *g)
{
    if (!g->suspended)
        return;
    g->suspended = false;
    g->resume(g->what);
}

void gate_leave(struct gate *g)
{
    gate_lock(g);
    g->gone = true;
    g->suspended = false;
    (void)pthread_cond_broadcast(&g->moved);
    gate_unlock(g);
}
