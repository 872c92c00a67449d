#include "pds/api/signin.h"

#include "pds/base/limits.h"
#include "pds/base/mem.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { ADDRESSES = 256, BUSY_RETRY_S = 2, NET_BYTES = 16 };

struct attempt {
    uint8_t net[NET_BYTES]; /* whom it counts for: net_of() */
    bool known;
    unsigned failures, running;
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

/* Whom an address counts for, as IPv6: all of this machine is one, IPv4 in IPv6 clothes is IPv4, and of IPv6
 * the half that a household is given whole. */
static void net_of(const char *address, uint8_t net[static NET_BYTES])
{
    static const uint8_t MAPPED[12] = {[10] = 0xFF, [11] = 0xFF}, LOOPBACK[NET_BYTES] = {[15] = 1};
    char mapped[64];

    memset(net, 0, NET_BYTES);
    (void)snprintf(mapped, sizeof mapped, "::ffff:%s", address); /* what is cut is no address */
    if (inet_pton(AF_INET6, mapped, net) != 1 && inet_pton(AF_INET6, address, net) != 1)
        return; /* whoever has no address shares one */
    if (memcmp(net, MAPPED, sizeof MAPPED) == 0) {
        if (net[12] == 127)
            memcpy(net, LOOPBACK, NET_BYTES);
    } else if (memcmp(net, LOOPBACK, NET_BYTES) != 0) {
        memset(net + NET_BYTES / 2, 0, NET_BYTES / 2);
    }
}

/* Whether a makes room rather than b: one that waits out a delay goes only when all do, the one that ends
 * first. */
static bool goes_before(const struct attempt *a, const struct attempt *b, int64_t now_ms)
{
    bool a_closed = a->open_at_ms > now_ms, b_closed = b->open_at_ms > now_ms;

    if (a->running || b->running)
        return b->running && !a->running;
    if (a_closed || b_closed)
        return b_closed && (!a_closed || a->open_at_ms < b->open_at_ms);
    return a->seen_ms < b->seen_ms;
}

/* The row of an address, made when there is none. With the mutex held; it stays while one of its tries is
 * running. */
static struct attempt *row_of(struct signin *s, const char *address, int64_t now_ms)
{
    struct attempt *first = &s->rows[0];
    uint8_t net[NET_BYTES];

    net_of(address, net);
    for (size_t i = 0; i < ADDRESSES; i++) {
        if (s->rows[i].known && memcmp(s->rows[i].net, net, sizeof net) == 0) {
            s->rows[i].seen_ms = now_ms;
            return &s->rows[i];
        }
        if (first->known && (!s->rows[i].known || goes_before(&s->rows[i], first, now_ms)))
            first = &s->rows[i];
    }
    *first = (struct attempt){.known = true, .seen_ms = now_ms};
    memcpy(first->net, net, sizeof net);
    return first;
}

/* Seconds until the next try; 0: now. After the free failures an address tries once at a time. */
static int wait_of(const struct attempt *row, int64_t now_ms)
{
    if (row->open_at_ms > now_ms)
        return (int)((row->open_at_ms - now_ms + 999) / 1000);
    return row->failures >= LIMIT_FAILURES_FREE && row->running > 0 ? BUSY_RETRY_S : 0;
}

/* With the mutex held. What was true before the wait for a place may not be any more after it. */
static int enter(struct signin *s, const char *address, int64_t now_ms)
{
    struct attempt *row;
    int wait_s = wait_of(row_of(s, address, now_ms), now_ms);

    if (!wait_s && s->running >= LIMIT_DERIVATIONS && s->waiting >= LIMIT_DERIVATIONS_WAITING)
        wait_s = BUSY_RETRY_S;
    if (wait_s)
        return wait_s;
    s->waiting++;
    while (s->running >= LIMIT_DERIVATIONS)
        (void)pthread_cond_wait(&s->freed, &s->mutex);
    s->waiting--;
    row = row_of(s, address, now_ms);
    if ((wait_s = wait_of(row, now_ms))) {
        (void)pthread_cond_signal(&s->freed); /* the place is another's */
        return wait_s;
    }
    row->running++;
    s->running++;
    return 0;
}

enum err signin_enter(struct signin *s, const char *address, int64_t now_ms, int *retry_after_s)
{
    int wait_s;

    (void)pthread_mutex_lock(&s->mutex);
    wait_s = enter(s, address, now_ms);
    (void)pthread_mutex_unlock(&s->mutex);
    if (!wait_s)
        return ERR_OK;
    *retry_after_s = wait_s;
    return err_set(ERR_THROTTLED, "wait %d s before the next try", wait_s);
}

static void count_failure(struct attempt *row, int64_t now_ms)
{
    int64_t delay_s = 1;

    if (++row->failures < LIMIT_FAILURES_FREE)
        return;
    for (unsigned i = LIMIT_FAILURES_FREE; i < row->failures && delay_s < LIMIT_FAILURE_DELAY_MAX_S; i++)
        delay_s *= 2;
    if (delay_s > LIMIT_FAILURE_DELAY_MAX_S)
        delay_s = LIMIT_FAILURE_DELAY_MAX_S;
    row->open_at_ms = now_ms + delay_s * 1000;
}

void signin_leave(struct signin *s, const char *address, enum err outcome, int64_t now_ms)
{
    struct attempt *row;

    (void)pthread_mutex_lock(&s->mutex);
    s->running--;
    (void)pthread_cond_signal(&s->freed);
    row = row_of(s, address, now_ms);
    row->running--;
    if (outcome == ERR_OK) {
        row->failures = 0;
        row->open_at_ms = 0;
    } else if (outcome == ERR_WRONG_KEY || outcome == ERR_INVALID) {
        count_failure(row, now_ms);
    }
    (void)pthread_mutex_unlock(&s->mutex);
}
