#include "pds/api/signin.h"

#include "pds/base/limits.h"
#include "pds/base/mem.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { ADDRESSES = 256, ADDRESSES_SHARED = 4096, BUSY_RETRY_S = 2, NET_BYTES = 16 };
/* Those pushed out leave their places as they wake. */
enum { INSIDE_MAX = LIMIT_DERIVATIONS + 2 * LIMIT_DERIVATIONS_WAITING };

struct attempt {
    uint8_t net[NET_BYTES];          /* whom it counts for: net_of() */
    char name[LIMIT_STORE_NAME + 1]; /* and with whom */
    bool known;
    bool welcome; /* somebody signed in from there */
    unsigned failures, running;
    int64_t open_at_ms; /* not before */
    int64_t seen_ms;
};

/* What is asked for, be it inside or waiting. */
struct place {
    char name[LIMIT_STORE_NAME + 1];
    bool taken, running, pushed;
    unsigned rank; /* rank_of() its address */
    uint64_t turn; /* order of coming */
};

struct entrance {
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    struct place places[INSIDE_MAX];
    uint64_t turns;
    unsigned name_running, name_waiting; /* ceilings of one name */
    size_t row_count;
    struct attempt rows[];
};

struct signin {
    struct entrance *gate;
    bool owns;
    char name[LIMIT_STORE_NAME + 1]; /* "" but for a view */
};

static struct signin *make(size_t row_count, unsigned name_running, unsigned name_waiting)
{
    struct signin *s = mem_new(sizeof *s);
    struct entrance *g = s ? mem_new(sizeof *g + row_count * sizeof *g->rows) : NULL;

    if (!g) {
        mem_free(s);
        return NULL;
    }
    (void)pthread_mutex_init(&g->mutex, NULL); /* default attributes cannot fail on Linux */
    (void)pthread_cond_init(&g->freed, NULL);
    g->name_running = name_running;
    g->name_waiting = name_waiting;
    g->row_count = row_count;
    s->gate = g;
    s->owns = true;
    return s;
}

struct signin *signin_new(void) { return make(ADDRESSES, LIMIT_DERIVATIONS, LIMIT_DERIVATIONS_WAITING); }

struct signin *signin_new_shared(void) { return make(ADDRESSES_SHARED, 1, LIMIT_DERIVATIONS_WAITING / 2); }

struct signin *signin_new_view(struct signin *shared, struct str name)
{
    struct signin *s = mem_new(sizeof *s);

    if (!s)
        return NULL;
    s->gate = shared->gate;
    if (str_copy(name, s->name, sizeof s->name)) { /* no name of ours is longer */
        mem_free(s);
        return NULL;
    }
    return s;
}

void signin_free(struct signin *s)
{
    if (s && s->owns) {
        (void)pthread_cond_destroy(&s->gate->freed); /* nobody waits any more */
        (void)pthread_mutex_destroy(&s->gate->mutex);
        mem_free(s->gate);
    }
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
    struct attempt *rows = s->gate->rows, *first = rows;
    uint8_t net[NET_BYTES];

    net_of(address, net);
    for (size_t i = 0; i < s->gate->row_count; i++) {
        if (rows[i].known && memcmp(rows[i].net, net, sizeof net) == 0 &&
            strcmp(rows[i].name, s->name) == 0) {
            rows[i].seen_ms = now_ms;
            return &rows[i];
        }
        if (first->known && (!rows[i].known || goes_before(&rows[i], first, now_ms)))
            first = &rows[i];
    }
    *first = (struct attempt){.known = true, .seen_ms = now_ms};
    memcpy(first->net, net, sizeof net);
    memcpy(first->name, s->name, sizeof first->name);
    return first;
}

/* Seconds until the next try; 0: now. After the free failures an address tries once at a time. */
static int wait_of(const struct attempt *row, int64_t now_ms)
{
    if (row->open_at_ms > now_ms)
        return (int)((row->open_at_ms - now_ms + 999) / 1000);
    return row->failures >= LIMIT_FAILURES_FREE && row->running > 0 ? BUSY_RETRY_S : 0;
}

static bool is_of(const struct place *p, const struct signin *s)
{
    return p->taken && strcmp(p->name, s->name) == 0;
}

static unsigned count(const struct signin *s, bool running, bool of_name)
{
    unsigned n = 0;

    for (size_t i = 0; i < INSIDE_MAX; i++) {
        const struct place *p = &s->gate->places[i];

        n += p->taken && !p->pushed && p->running == running && (!of_name || is_of(p, s));
    }
    return n;
}

static bool has_room(const struct signin *s)
{
    return count(s, true, false) < LIMIT_DERIVATIONS && count(s, true, true) < s->gate->name_running;
}

/* Who is let in first, the lowest: somebody who guesses is behind those who do not, and before whoever begins
 * from a fresh address comes one from where the owner signed in already. */
static unsigned rank_of(const struct attempt *row)
{
    return row->failures ? row->failures + 1 : !row->welcome;
}

static bool is_waiting(const struct place *p) { return p->taken && !p->running && !p->pushed; }

static bool is_before(const struct place *a, const struct place *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->turn < b->turn;
}

/* Whether nobody waits who is to go first and may. */
static bool is_next(const struct signin *s, const struct place *own)
{
    for (size_t i = 0; i < INSIDE_MAX; i++) {
        const struct place *p = &s->gate->places[i];
        struct signin other = {.gate = s->gate};

        if (p == own || !is_waiting(p) || !is_before(p, own))
            continue;
        memcpy(other.name, p->name, sizeof other.name);
        if (has_room(&other))
            return false;
    }
    return true;
}

/* When all places are taken, of the name or of all, the last in order leaves for one that goes before it. */
static bool push_out(struct signin *s, unsigned rank)
{
    bool of_name = count(s, false, true) >= s->gate->name_waiting;
    struct place *last = NULL;

    for (struct place *p = s->gate->places; p < s->gate->places + INSIDE_MAX; p++) {
        if (is_waiting(p) && (!of_name || is_of(p, s)) && (!last || is_before(last, p)))
            last = p;
    }
    if (!last || last->rank <= rank)
        return false;
    last->pushed = true;
    (void)pthread_cond_broadcast(&s->gate->freed);
    return true;
}

/* A place to wait at, not running yet; NULL when there is none for this name. */
static struct place *take_place(struct signin *s, unsigned rank)
{
    struct place *p = s->gate->places;

    if ((count(s, false, false) >= LIMIT_DERIVATIONS_WAITING ||
         count(s, false, true) >= s->gate->name_waiting) &&
        !push_out(s, rank))
        return NULL;
    while (p < s->gate->places + INSIDE_MAX && p->taken)
        p++;
    if (p == s->gate->places + INSIDE_MAX)
        return NULL;
    *p = (struct place){.taken = true, .rank = rank, .turn = s->gate->turns++};
    memcpy(p->name, s->name, sizeof p->name);
    return p;
}

/* With the mutex held. What was true before the wait for a place may not be any more after it. */
static int enter(struct signin *s, const char *address, int64_t now_ms)
{
    struct place *place;
    struct attempt *row = row_of(s, address, now_ms);
    int wait_s = wait_of(row, now_ms);

    if (wait_s)
        return wait_s;
    if (!(place = take_place(s, rank_of(row))))
        return BUSY_RETRY_S;
    while (!place->pushed && !(has_room(s) && is_next(s, place)))
        (void)pthread_cond_wait(&s->gate->freed, &s->gate->mutex);
    row = row_of(s, address, now_ms);
    wait_s = place->pushed ? BUSY_RETRY_S : wait_of(row, now_ms);
    if (wait_s)
        place->taken = false;
    else
        place->running = true;
    row->running += !wait_s;
    (void)pthread_cond_broadcast(&s->gate->freed); /* another may be next */
    return wait_s;
}

static void leave_place(struct signin *s)
{
    struct place *p = s->gate->places;

    while (!is_of(p, s) || !p->running) /* there is one, whichever */
        p++;
    p->taken = false;
    (void)pthread_cond_broadcast(&s->gate->freed);
}

enum err signin_enter(struct signin *s, const char *address, int64_t now_ms, int *retry_after_s)
{
    int wait_s;

    (void)pthread_mutex_lock(&s->gate->mutex);
    wait_s = enter(s, address, now_ms);
    (void)pthread_mutex_unlock(&s->gate->mutex);
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

    (void)pthread_mutex_lock(&s->gate->mutex);
    leave_place(s);
    row = row_of(s, address, now_ms);
    row->running--;
    if (outcome == ERR_OK) {
        row->failures = 0;
        row->open_at_ms = 0;
        row->welcome = true;
    } else if (outcome == ERR_WRONG_KEY || outcome == ERR_INVALID) {
        count_failure(row, now_ms);
    }
    (void)pthread_mutex_unlock(&s->gate->mutex);
}
