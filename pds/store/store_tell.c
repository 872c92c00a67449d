/* What happens to a store as a whole, told in its trail. */
#include "pds/store/store_internal.h"

#include "pds/audit/trail.h"
#include "pds/base/clock.h"
#include "pds/vault/vault.h"

#include <inttypes.h>
#include <stdio.h>

enum { FAILURES_EVERY_S = 60 };

/* Lines that go together. */
struct telling {
    const struct event *events;
    size_t count;
    int64_t now;
};

static enum err tell_work(struct db *db, void *context)
{
    const struct telling *t = context;
    enum err e = ERR_OK;

    for (size_t i = 0; i < t->count && !e; i++)
        e = trail_add(db, &t->events[i], t->now, NULL);
    return e;
}

static enum err tell(struct store *s, const struct event *events, size_t count, int64_t now)
{
    struct telling t = {events, count, store_now(s, now)};
    struct vault *vault;
    enum err e;

    if ((e = store_enter(s, &vault)))
        return e;
    e = vault_write(vault, tell_work, &t);
    store_leave(s);
    return e;
}

enum err store_tell(struct store *s, const struct event *event, int64_t now)
{
    return tell(s, event, 1, now);
}

enum err store_tell_with_key(struct store *s, const struct store_key *root, const struct event *event,
                             int64_t now)
{
    enum err e;

    if ((e = store_borrow(s, root, now)))
        return e;
    e = store_tell(s, event, now);
    store_give_back(s);
    return e;
}

/* The failed tries that no line tells of yet, and `last` behind them when it is not NULL. */
static enum err tell_failures(struct store *s, const struct event *last, int64_t now)
{
    int64_t count = atomic_exchange(&s->failures.count, 0);
    char what[24];
    struct event events[2] = {{EVENT_SIGN_IN_FAILED, "stranger", what, NULL}};
    enum err e;

    (void)snprintf(what, sizeof what, "%" PRId64, count);
    if (last)
        events[1] = *last;
    e = count ? tell(s, events, last ? 2 : 1, now) : last ? tell(s, last, 1, now) : ERR_OK;
    if (e)
        (void)atomic_fetch_add(&s->failures.count, count); /* for the next line */
    return e;
}

enum err store_signed_in(struct store *s, int64_t now)
{
    static const struct event SIGN_IN = {EVENT_SIGN_IN, "owner", "", NULL};

    return tell_failures(s, &SIGN_IN, now);
}

/* Only counted: it may be a stranger who asks, and the time that a write takes would tell them of the store.
 */
void store_sign_in_failed(struct store *s) { (void)atomic_fetch_add(&s->failures.count, 1); }

enum err store_tell_failures(struct store *s, int64_t now)
{
    int64_t told_at = atomic_load(&s->failures.told_at), running = clock_running_s();

    if (atomic_load(&s->failures.count) == 0 || (told_at && running < told_at + FAILURES_EVERY_S) ||
        !atomic_compare_exchange_strong(&s->failures.told_at, &told_at, running))
        return ERR_OK;
    return tell_failures(s, NULL, now);
}
