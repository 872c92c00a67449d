/* The time of a store: it never runs below the highest instant seen, so that nothing with an end lives longer
 * by a clock that is set back. */
#include "pds/store/store_internal.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/log.h"
#include "pds/vault/vault.h"

enum { DAY_S = 86400 };

/* Once for each opening, whatever the clock does. */
static void warn(struct store *s, const char *event, int64_t by_s)
{
    if (!atomic_exchange(&s->clock.warned, true))
        log_event(LOG_WARNING, event, LOG_NUMBERS({"seconds", by_s}));
}

int64_t store_now(struct store *s, int64_t now)
{
    int64_t seen = atomic_load(&s->clock.seen), began = atomic_load(&s->clock.boot_at);

    if (now < seen - DAY_S)
        warn(s, "clock-ran-back", seen - now);
    else if (began != 0 && now - clock_running_s() > began + DAY_S)
        warn(s, "clock-jumped", now - clock_running_s() - began);
    while (now > seen && !atomic_compare_exchange_weak(&s->clock.seen, &seen, now))
        continue;
    return now > seen ? now : seen;
}

struct beginning {
    const struct store *store;
    int64_t now;
};

static enum err begin_work(struct db *db, void *context)
{
    const struct beginning *b = context;

    return trail_begin(db, b->store->id, b->now);
}

static enum err look(struct vault *vault, bool *begun, int64_t *last)
{
    AUTO(reader_done) struct reader r = {vault, NULL};
    enum err e;

    if ((e = vault_read(vault, &r.db)) || (e = trail_is_begun(r.db, begun)))
        return e;
    return trail_time(r.db, last);
}

enum err store_time_begin(struct store *s, struct vault *vault, int64_t *now)
{
    struct beginning b = {s, *now};
    bool begun = false;
    int64_t last;
    enum err e;

    if ((e = look(vault, &begun, &last)))
        return err_wrap(e, "the trail");
    atomic_store(&s->clock.warned, false);
    atomic_store(&s->clock.boot_at, 0);
    if (last > atomic_load(&s->clock.seen))
        atomic_store(&s->clock.seen, last); /* nobody else is in the store */
    b.now = store_now(s, *now);
    atomic_store(&s->clock.boot_at, *now - clock_running_s());
    *now = b.now;
    return begun ? ERR_OK : vault_write(vault, begin_work, &b);
}
