#include "pds/httpd/crew.h"

#include "pds/base/clock.h"

#include <string.h>

void crew_init(struct crew *c, unsigned threads, unsigned waiting_max)
{
    memset(c, 0, sizeof *c);
    (void)pthread_mutex_init(&c->lock, NULL); /* neither fails with default attributes */
    (void)pthread_cond_init(&c->work, NULL);
    c->max = threads < CREW_MAX ? threads : CREW_MAX;
    c->waiting_max = waiting_max;
    c->lasting_max = c->max > 1 ? c->max * 3 / 4 : 1;
    c->last = &c->first;
}

/* The place in the queue of the next that may run: those that may last leave some threads to the others, but
 * at the end, when none of them does. */
static struct job **find_next(struct crew *c)
{
    struct job **at = &c->first;

    while (*at && (*at)->lasting && c->lasting >= c->lasting_max && !c->stopping)
        at = &(*at)->next_waiting;
    return at;
}

static struct job *take(struct crew *c, struct job **at)
{
    struct job *job = *at;

    *at = job->next_waiting;
    if (c->last == &job->next_waiting)
        c->last = at;
    c->waiting--;
    c->lasting += job->lasting;
    return job;
}

static void unlist(struct crew *c, struct job *job)
{
    *(job->prev ? &job->prev->next : &c->all) = job->next;
    if (job->next)
        job->next->prev = job->prev;
}

static void *work(void *context)
{
    struct crew *c = context;
    struct job **next;

    (void)pthread_mutex_lock(&c->lock);
    while (true) {
        while (!*(next = find_next(c)) && !c->stopping) {
            c->idle++;
            (void)pthread_cond_wait(&c->work, &c->lock);
            c->idle--;
        }
        if (!*next)
            break;
        struct job *job = take(c, next);
        void (*done)(struct job *) = job->done;
        (void)pthread_mutex_unlock(&c->lock);
        job->run(job);
        (void)pthread_mutex_lock(&c->lock);
        c->lasting -= job->lasting; /* this thread looks for the next, which may be one that had to wait */
        unlist(c, job);
        (void)pthread_mutex_unlock(&c->lock);
        done(job);
        (void)pthread_mutex_lock(&c->lock);
    }
    (void)pthread_mutex_unlock(&c->lock);
    return NULL;
}

bool crew_give(struct crew *c, struct job *job)
{
    bool given = false;

    (void)pthread_mutex_lock(&c->lock);
    if (c->idle <= c->waiting && c->started < c->max && !c->stopping &&
        pthread_create(&c->threads[c->started], NULL, work, c) == 0)
        c->started++;
    if (c->started > 0 && !c->stopping && (c->waiting < c->waiting_max || c->waiting < c->idle)) {
        job->given_ms = clock_monotonic_ms();
        job->told_late = false;
        job->next_waiting = NULL;
        *c->last = job;
        c->last = &job->next_waiting;
        c->waiting++;
        job->prev = NULL;
        job->next = c->all;
        if (job->next)
            job->next->prev = job;
        c->all = job;
        given = true;
        (void)pthread_cond_signal(&c->work);
    }
    (void)pthread_mutex_unlock(&c->lock);
    return given;
}

void crew_hurry(struct crew *c, int64_t before_ms)
{
    (void)pthread_mutex_lock(&c->lock);
    for (struct job *job = c->all; job; job = job->next)
        if (job->late && !job->told_late && job->given_ms < before_ms) {
            job->told_late = true;
            job->late(job);
        }
    (void)pthread_mutex_unlock(&c->lock);
}

void crew_each(struct crew *c, void (*visit)(struct job *job, void *context), void *context)
{
    (void)pthread_mutex_lock(&c->lock);
    for (struct job *job = c->all; job; job = job->next)
        visit(job, context);
    (void)pthread_mutex_unlock(&c->lock);
}

void crew_stop(struct crew *c)
{
    (void)pthread_mutex_lock(&c->lock);
    c->stopping = true;
    (void)pthread_cond_broadcast(&c->work);
    (void)pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < c->started; i++)
        (void)pthread_join(c->threads[i], NULL);
    (void)pthread_cond_destroy(&c->work);
    (void)pthread_mutex_destroy(&c->lock);
}
