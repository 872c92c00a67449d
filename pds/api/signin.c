#include "pds/api/signin.h"

#include "pds/base/limits.h"
#include "pds/base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { ADDRESSES = 256, ADDRESS_BYTES = 64, BUSY_RETRY_S = 2 };

struct attempt {
    char address[ADDRESS_BYTES];
    unsigned failures;
    int64_t open_at_ms; /* not before */
    int64_t seen_ms;
};

struct signin {
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    unsigned running, waiting;
    struct attempt rows[ADDRESSES];
};

struct signin *signin_new(void)
{
    struct signin *s = mem_new(sizeof *s);

    if (s) {
        (void)pthread_mutex_init(&s->mutex, NULL); /* default attributes cannot fail on Linux */
        (void)pthread_cond_init(&s->freed, NULL);
    }
    return s;
}

void signin_free(struct signin *s)
{
    if (!s)
        return;
    (void)pthread_cond_destroy(&s->freed); /* nobody waits any more */
    (void)pthread_mutex_destroy(&s->mutex);
    mem_free(s);
}

/* The row of an address; the one unseen for longest makes room for a new one. With the mutex held. */
static struct attempt *row_of(struct signin *s, const char *address, int64_t now_ms)
{
    struct attempt *oldest = &s->rows[0];

    for (size_t i = 0; i < ADDRESSES; i++) {
        if (strcmp(s->rows[i].address, address) == 0) {
            s->rows[i].seen_ms = now_ms;
            return &s->rows[i];
        }
        if (s->rows[i].seen_ms < oldest->seen_ms)
            oldest = &s->rows[i];
    }
    *oldest = (struct attempt){.seen_ms = now_ms};
    (void)snprintf(oldest->address, sizeof oldest->address, "%s", address);
    return oldest;
}

enum err signin_enter(struct signin *s, const char *address, int64_t now_ms, int *retry_after_s)
{
    const struct attempt *row;
    int wait_s = 0;

    (void)pthread_mutex_lock(&s->mutex);
    row = row_of(s, address, now_ms);
    if (row->open_at_ms > now_ms)
        wait_s = (int)((row->open_at_ms - now_ms + 999) / 1000);
    else if (s->running >= LIMIT_DERIVATIONS && s->waiting >= LIMIT_DERIVATIONS_WAITING)
        wait_s = BUSY_RETRY_S;
    if (!wait_s) {
        s->waiting++;
        while (s->running >= LIMIT_DERIVATIONS)
            (void)pthread_cond_wait(&s->freed, &s->mutex);
        s->waiting--;
        s->running++;
    }
    (void)pthread_mutex_unlock(&s->mutex);
    if (!wait_s)
        return ERR_OK;
    *retry_after_s = wait_s;
    return err_set(ERR_THROTTLED, "wait %d s before the next try", wait_s);
}

void signin_leave(struct signin *s, const char *address, bool failed, int64_t now_ms)
{
    struct attempt *row;
    int64_t delay_s = 1;

    (void)pthread_mutex_lock(&s->mutex);
    s->running--;
    (void)pthread_cond_signal(&s->freed);
    row = row_of(s, address, now_ms);
    if (!failed) {
        row->failures = 0;
        row->open_at_ms = 0;
    } else if (++row->failures >= LIMIT_FAILURES_FREE) {
        for (unsigned i = LIMIT_FAILURES_FREE; i < row->failures && delay_s < LIMIT_FAILURE_DELAY_MAX_S; i++)
            delay_s *= 2;
        if (delay_s > LIMIT_FAILURE_DELAY_MAX_S)
            delay_s = LIMIT_FAILURE_DELAY_MAX_S;
        row->open_at_ms = now_ms + delay_s * 1000;
    }
    (void)pthread_mutex_unlock(&s->mutex);
}
