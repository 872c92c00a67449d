/* The threads that run handlers: started when there is work, as many as there is work for, up to a ceiling.
 */
#ifndef HTTPD_CREW_H
#define HTTPD_CREW_H
#include "pds/base/str.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CREW_MAX = 64 };

/* One thing to do. It belongs to whoever gives it; the crew is through with it when done() is called. */
struct job {
    void (*run)(struct job *job);
    void (*done)(struct job *job);
    void (*late)(
        struct job *job); /* called at most once, when it took too long; NULL for a job without deadline */
    void (*abandon)(struct job *job); /* nobody waits for it any more: wake who does. Under the crew's lock */
    void (*cut)(struct job *job);     /* it may last, and should end soon; NULL for what is short */
    bool lasting;     /* it may last as long as a client likes: some threads are kept from such */
    struct str mount; /* whom it is for, where one server serves many; borrowed until done() */
    struct job *next_waiting;
    struct job *next, *prev; /* of all, waiting and running */
    int64_t given_ms;
    bool told_late;
};

struct crew {
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_t threads[CREW_MAX];
    unsigned started, idle, max;
    unsigned waiting, waiting_max;
    unsigned lasting, lasting_max; /* of those that run */
    struct job *first, **last;     /* waiting */
    struct job *all;
    bool stopping;
};

void crew_init(struct crew *c, unsigned threads, unsigned waiting_max);
/* False when too many wait already: nothing was given. */
bool crew_give(struct crew *c, struct job *job);
/* Call late(), under the crew's lock, of the jobs given before that instant. */
void crew_hurry(struct crew *c, int64_t before_ms);
/* Under the crew's lock. */
void crew_each(struct crew *c, void (*visit)(struct job *job, void *context), void *context);
/* Wait for what runs and waits to end, then for the threads. */
void crew_stop(struct crew *c);
#endif
