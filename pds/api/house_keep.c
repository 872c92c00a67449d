/* Which stores of a house are open: few at a time, those that are used. */
#include "pds/api/house_internal.h"

#include "pds/api/session.h"
#include "pds/base/clock.h"
#include "pds/base/deadline.h"

#include <stdlib.h>
#include <time.h>

enum { ROOM_WAIT_MS = 100, ROOM_WAITS = 5 };

/* An open store, and when it was used. */
struct awake {
    struct resident *who;
    bool by_key;
    int64_t used_at_ms;
};

/* Close a store that nobody is inside of: to come back by itself when the house's key opens it, else locked.
 */
static enum err close_unused(struct house *h, struct resident *r)
{
    enum err e;

    atomic_store(&r->by_key, house_has_key(h, r->api.store));
    if (atomic_load(&r->by_key))
        return store_rest(r->api.store);
    if (!(e = store_lock_unused(r->api.store)))
        sessions_end_all(r->api.sessions);
    return e;
}

static int by_use(const void *a, const void *b)
{
    const struct awake *x = a, *y = b;

    if (x->by_key != y->by_key)
        return x->by_key ? -1 : 1;
    return (x->used_at_ms > y->used_at_ms) - (x->used_at_ms < y->used_at_ms);
}

/* The open stores, as they give way: first those whose owners will not notice, or strangers who ask for what
 * is public in many stores would sign others out; of these the one used least recently. */
static size_t list_awake(struct house *h, struct awake out[static LIMIT_STORES_OPEN])
{
    size_t n = 0;

    (void)pthread_mutex_lock(&h->mutex);
    for (size_t i = 0; i < h->count && n < LIMIT_STORES_OPEN; i++) {
        struct resident *r = h->residents[i];

        if (store_is_awake(r->api.store))
            out[n++] = (struct awake){r, atomic_load(&r->by_key), store_used_at_ms(r->api.store)};
    }
    (void)pthread_mutex_unlock(&h->mutex);
    qsort(out, n, sizeof *out, by_use);
    return n;
}

static bool take_room(struct house *h, bool *ending)
{
    bool room;

    (void)pthread_mutex_lock(&h->mutex);
    *ending = h->ending;
    if ((room = !h->ending && h->open_count < LIMIT_STORES_OPEN))
        h->open_count++;
    if (h->open_count > LIMIT_STORES_OPEN - LIMIT_STORES_SPARE && !h->crowded) {
        h->crowded = true;
        (void)pthread_cond_signal(&h->changed);
    }
    (void)pthread_mutex_unlock(&h->mutex);
    return room;
}

/* Close one that is in nobody's hands. */
static bool make_room(struct house *h)
{
    struct awake list[LIMIT_STORES_OPEN] = {0};
    size_t n = list_awake(h, list);

    for (size_t i = 0; i < n; i++) {
        if (close_unused(h, list[i].who) == ERR_OK)
            return true;
    }
    return false;
}

/* One may be being closed, which nobody sees among the open ones. */
static void wait_a_little(struct house *h)
{
    struct timespec at = deadline_in(ROOM_WAIT_MS);

    (void)pthread_mutex_lock(&h->mutex);
    if (h->open_count >= LIMIT_STORES_OPEN)
        (void)pthread_cond_timedwait(&h->fewer, &h->mutex, &at);
    (void)pthread_mutex_unlock(&h->mutex);
}

static enum err opening(void *context, struct store *s)
{
    bool ending;

    (void)s;
    for (int waits = 0; !take_room(context, &ending);) {
        if (ending)
            return err_set(ERR_LOCKED, "the daemon is ending");
        if (make_room(context))
            continue;
        if (waits++ == ROOM_WAITS)
            return err_set(ERR_BUSY, "%d stores are open, and all in use", LIMIT_STORES_OPEN);
        wait_a_little(context);
    }
    return ERR_OK;
}

static enum err opened(void *context, struct store *s)
{
    const struct house *h = context;

    return h->watch.opened ? h->watch.opened(h->watch.context, s) : ERR_OK;
}

static void closing(void *context, struct store *s)
{
    const struct house *h = context;

    if (h->watch.closing)
        h->watch.closing(h->watch.context, s);
}

static void closed(void *context, struct store *s)
{
    struct house *h = context;

    (void)s;
    (void)pthread_mutex_lock(&h->mutex);
    h->open_count--;
    (void)pthread_cond_signal(&h->fewer);
    (void)pthread_mutex_unlock(&h->mutex);
}

static enum err key(void *context, struct store *s, struct store_key **root)
{
    const struct house *h = context;

    return store_key_of_keyfile(s, h->key->bytes, root); /* without a key none is at rest */
}

const struct store_host HOUSE_HOST = {opening, opened, closing, closed, key};

unsigned house_open_count(struct house *h)
{
    unsigned count;

    (void)pthread_mutex_lock(&h->mutex);
    count = h->open_count;
    (void)pthread_mutex_unlock(&h->mutex);
    return count;
}

/* The keys of those who went. Who is still inside was told to go, and wipes them when leaving. */
static void lock_gone(struct house *h)
{
    struct resident *first;

    (void)pthread_mutex_lock(&h->mutex);
    first = h->gone; /* who comes later stands before it */
    (void)pthread_mutex_unlock(&h->mutex);
    for (struct resident *r = first; r; r = r->next_gone)
        err_ignore(store_lock(r->api.store)); /* the next round tries again */
}

void house_tidy(struct house *h)
{
    struct awake list[LIMIT_STORES_OPEN] = {0};
    int64_t now_ms = clock_monotonic_ms();
    size_t n = list_awake(h, list);

    lock_gone(h);
    for (size_t i = 0; i < n; i++) {
        bool crowded = house_open_count(h) > LIMIT_STORES_OPEN - LIMIT_STORES_SPARE;

        if (now_ms - list[i].used_at_ms >= h->idle_ms || (crowded && list[i].by_key))
            err_ignore(close_unused(h, list[i].who)); /* in use after all */
    }
}
