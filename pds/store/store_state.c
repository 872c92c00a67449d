/* Locked, opening, open, closing, alone: who may come in, and when the keys go.
 *
 * - locked, opening, open: unlock, borrow, the end of a rest. Back to locked where that fails.
 * - open, closing, locked: lock, rest, the last one to give back. Whoever is the last inside closes it.
 * - locked, alone, locked: another key.
 *
 * A lock that is asked for while it opens, or while someone is alone with it, is carried out when that ends.
 */
#include "pds/store/store_internal.h"

#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/deadline.h"
#include "pds/crypto/random.h"
#include "pds/store/blob.h"
#include "pds/store/erase.h"
#include "pds/store/import.h"
#include "pds/store/rekey_internal.h"
#include "pds/vault/vault.h"

#include <string.h>
#include <time.h>

/* How long a lock waits for who is inside, and who would open it for the end of a lock. Another key is worth
 * more patience: a download that is sent slowly hears only with its next piece that it is to end. */
enum { LOCK_WAIT_MS = 1500, ALONE_WAIT_MS = 5000, OPEN_WAIT_MS = 1000 };

/* With the mutex held. */
static void turn_to(struct store *s, enum store_state state)
{
    s->state = state;
    s->lockings += state == STORE_LOCKED;
    (void)pthread_cond_broadcast(&s->changed);
}

/* With the mutex held: wait for a change; false when the instant has passed. */
static bool wait_until(struct store *s, const struct timespec *until)
{
    return pthread_cond_timedwait(&s->changed, &s->mutex, until) == 0;
}

static enum err open_files(struct store *s, const struct store_key *root, int64_t now, struct vault **out)
{
    AUTO(vault_closep) struct vault *vault = NULL;
    enum err e;

    if ((e = vault_open(s->dir, root, s->id, &vault)))
        return err_wrap(e, "opening the store");
    rekey_tidy(s); /* of one that was cut: nobody else has the vault */
    if ((e = store_time_begin(s, vault, &now)) || (e = import_recover(vault, now)) ||
        (e = erase_recover(s, vault)) || (e = blob_sweep(s, vault)))
        return err_wrap(e, "opening the store");
    *out = vault;
    vault = NULL; /* the caller's now */
    return ERR_OK;
}

/* The same for a store with a host, which has the last word. */
static enum err open_hosted(struct store *s, const struct store_key *root, int64_t now, struct vault **out)
{
    struct vault *vault = NULL;
    enum err e;

    if (!s->host)
        return open_files(s, root, now, out);
    if ((e = s->host->opening(s->host_context, s)))
        return e;
    if (!(e = open_files(s, root, now, &vault)) && !(e = s->host->opened(s->host_context, s))) {
        *out = vault;
        return ERR_OK;
    }
    vault_close(vault);
    s->host->closed(s->host_context, s);
    return e;
}

/* With the mutex held, the store closing and nobody inside. Closing takes long: the mutex is free meanwhile.
 */
static void close_vault(struct store *s)
{
    struct vault *vault = s->vault;

    s->vault = NULL; /* nobody else closes it */
    store_key_free(s->root);
    s->root = NULL;
    (void)pthread_mutex_unlock(&s->mutex);
    if (s->host)
        s->host->closing(s->host_context, s);
    vault_close(vault);
    if (s->host)
        s->host->closed(s->host_context, s);
    (void)pthread_mutex_lock(&s->mutex);
    turn_to(s, STORE_LOCKED);
}

/* With the mutex held: nobody comes in any more. Who is opening it now, or alone with it, sees to it at the
 * end. */
static void shut(struct store *s)
{
    s->kept = s->resting = false;
    if (s->state == STORE_OPEN)
        turn_to(s, STORE_CLOSING);
    s->unwanted |= s->state == STORE_OPENING || s->state == STORE_ALONE;
}

/* With the mutex held, and the store locked. Opening takes long: meanwhile the mutex is free, and the state
 * keeps everyone out. */
static enum err open_vault(struct store *s, const struct store_key *root, int64_t now)
{
    struct store_key *copy = store_key_new();
    struct vault *vault = NULL;
    enum err e;

    if (!copy)
        return err_set(ERR_NO_MEMORY, "opening the store");
    memcpy(copy->bytes, root->bytes, sizeof copy->bytes);
    s->unwanted = false;
    turn_to(s, STORE_OPENING);
    (void)pthread_mutex_unlock(&s->mutex);
    e = open_hosted(s, root, now, &vault);
    (void)pthread_mutex_lock(&s->mutex);
    if (e) {
        store_key_free(copy);
        turn_to(s, STORE_LOCKED);
        return e;
    }
    s->root = copy;
    s->vault = vault;
    if (s->unwanted) {
        turn_to(s, STORE_CLOSING);
        close_vault(s);
        return err_set(ERR_LOCKED, "the store was locked while it opened");
    }
    if (!s->resting) { /* what was allowed before the rest still is, and what was found is known */
        s->openings++;
        s->damage[0] = '\0';
    }
    s->resting = false;
    s->used_at_ms = clock_monotonic_ms();
    turn_to(s, STORE_OPEN);
    return ERR_OK;
}

/* With the mutex held. An opening under way is waited for, a lock too, but only for a while: what it waits
 * for may take long. */
static enum err open_with(struct store *s, const struct store_key *root, int64_t now)
{
    struct timespec until = deadline_in(OPEN_WAIT_MS);

    while (s->state == STORE_OPENING || s->state == STORE_CLOSING || s->state == STORE_ALONE) {
        if (s->state == STORE_ALONE)
            return err_set(ERR_BUSY, "the store is being given another key");
        if (s->state == STORE_OPENING)
            (void)pthread_cond_wait(&s->changed, &s->mutex);
        else if (!wait_until(s, &until))
            return err_set(ERR_LOCKED, "the store is being locked");
    }
    if (s->state == STORE_LOCKED)
        return open_vault(s, root, now);
    if (!random_equal(s->root->bytes, root->bytes, sizeof root->bytes))
        return err_set(ERR_WRONG_KEY, "the store is open under another key");
    return ERR_OK;
}

enum err store_unlock(struct store *s, const struct store_key *root, int64_t now)
{
    enum err e;

    (void)pthread_mutex_lock(&s->mutex);
    if (!(e = open_with(s, root, now)))
        s->kept = true;
    (void)pthread_mutex_unlock(&s->mutex);
    return e;
}

enum err store_borrow(struct store *s, const struct store_key *root, int64_t now)
{
    enum err e;

    (void)pthread_mutex_lock(&s->mutex);
    if (!(e = open_with(s, root, now)))
        s->borrowers++;
    (void)pthread_mutex_unlock(&s->mutex);
    return e;
}

void store_shut(struct store *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    shut(s);
    (void)pthread_mutex_unlock(&s->mutex);
}

/* With the mutex held. What is opened after the first locking is not this lock's. */
static enum err lock(struct store *s, int wait_ms)
{
    struct timespec until = deadline_in(wait_ms);
    uint64_t before = s->lockings;
    bool in_time = true;

    shut(s);
    s->waiting++;
    while (s->state != STORE_LOCKED && s->lockings == before) {
        if (s->state == STORE_CLOSING && s->vault && s->users == 0)
            close_vault(s); /* also when the last one left just as the time passed: it left this to us */
        else if (in_time)
            in_time = wait_until(s, &until);
        else
            break;
    }
    s->waiting--;
    return s->state == STORE_LOCKED || s->lockings != before
               ? ERR_OK
               : err_set(ERR_BUSY, "the store locks once what runs in it has ended");
}

enum err store_lock(struct store *s)
{
    enum err e;

    (void)pthread_mutex_lock(&s->mutex);
    e = lock(s, LOCK_WAIT_MS);
    (void)pthread_mutex_unlock(&s->mutex);
    return e;
}

enum err store_alone(struct store *s)
{
    bool open;
    enum err e = ERR_OK;

    (void)pthread_mutex_lock(&s->mutex);
    open = s->kept;
    if (s->state == STORE_ALONE)
        e = err_set(ERR_BUSY, "the store is being given another key");
    else if ((e = lock(s, ALONE_WAIT_MS)))
        e = err_set(e, "something in the store runs on; it locks once that has ended: try again then");
    else if (s->state != STORE_LOCKED)
        e = err_set(ERR_BUSY, "the store was opened meanwhile");
    if (!e) {
        s->unwanted = !open;
        turn_to(s, STORE_ALONE);
    }
    (void)pthread_mutex_unlock(&s->mutex);
    return e;
}

bool store_alone_end(struct store *s)
{
    bool open;

    (void)pthread_mutex_lock(&s->mutex);
    open = !s->unwanted;
    turn_to(s, STORE_LOCKED);
    (void)pthread_mutex_unlock(&s->mutex);
    return open;
}

void store_give_back(struct store *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    s->used_at_ms = clock_monotonic_ms();
    if (--s->borrowers == 0 && !s->kept && s->state == STORE_OPEN)
        err_ignore(lock(s, LOCK_WAIT_MS)); /* who is still inside locks it when leaving */
    (void)pthread_mutex_unlock(&s->mutex);
}

uint64_t store_opening(struct store *s)
{
    uint64_t opening;

    (void)pthread_mutex_lock(&s->mutex);
    opening = s->kept && (s->state == STORE_OPEN || s->resting) ? s->openings : 0;
    (void)pthread_mutex_unlock(&s->mutex);
    return opening;
}

bool store_is_open(struct store *s) { return store_opening(s) != 0; }

bool store_is_closing(struct store *s)
{
    bool closing;

    (void)pthread_mutex_lock(&s->mutex);
    closing = s->state == STORE_CLOSING && !s->resting; /* nobody is asked to leave for a rest */
    (void)pthread_mutex_unlock(&s->mutex);
    return closing;
}

/* With the mutex held, and free meanwhile. After ERR_OK it is open, or locked by someone else. */
static enum err wake(struct store *s)
{
    struct timespec until = deadline_in(OPEN_WAIT_MS);
    AUTO(store_key_freep) struct store_key *root = NULL;
    enum err e = ERR_OK;

    while (s->resting && s->host && (s->state != STORE_LOCKED || (!root && !e))) {
        if (s->state != STORE_LOCKED) { /* another is faster, or it is still being closed */
            if (!wait_until(s, &until))
                return err_set(ERR_BUSY, "the store is being opened or closed");
            continue;
        }
        (void)pthread_mutex_unlock(&s->mutex);
        e = s->host->key(s->host_context, s, &root);
        (void)pthread_mutex_lock(&s->mutex);
    }
    if (!s->resting || !s->host)
        return ERR_OK;
    if (!e)
        e = open_vault(s, root, clock_now());
    if (e != ERR_WRONG_KEY)
        return e;
    shut(s); /* its slot was taken away: only the owner opens it now */
    return ERR_OK;
}

enum err store_enter(struct store *s, struct vault **vault)
{
    enum err e = ERR_OK;

    (void)pthread_mutex_lock(&s->mutex);
    if (s->resting)
        e = wake(s);
    if (!e && s->state != STORE_OPEN) {
        e = err_set(ERR_LOCKED, "the store is locked");
    } else if (!e) {
        s->users++;
        *vault = s->vault;
    }
    (void)pthread_mutex_unlock(&s->mutex);
    return e;
}

void store_leave(struct store *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    s->used_at_ms = clock_monotonic_ms();
    if (--s->users == 0) {
        (void)pthread_cond_broadcast(&s->changed);
        if (s->state == STORE_CLOSING && s->waiting == 0)
            close_vault(s); /* the lock did not wait for us */
    }
    (void)pthread_mutex_unlock(&s->mutex);
}

/* Close an open store that nobody is inside of. */
static enum err close_unused(struct store *s, bool rest)
{
    enum err e = ERR_OK;

    (void)pthread_mutex_lock(&s->mutex);
    if (s->state != STORE_OPEN || s->users || s->borrowers || (rest && !s->kept)) {
        e = err_set(ERR_BUSY, "the store is in use");
    } else {
        s->kept = s->resting = rest;
        turn_to(s, STORE_CLOSING);
        close_vault(s);
    }
    (void)pthread_mutex_unlock(&s->mutex);
    return e;
}

enum err store_rest(struct store *s) { return close_unused(s, true); }

enum err store_lock_unused(struct store *s) { return close_unused(s, false); }

void store_begin_at_rest(struct store *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    s->kept = s->resting = true;
    s->openings++;
    (void)pthread_mutex_unlock(&s->mutex);
}

bool store_is_awake(struct store *s)
{
    bool awake;

    (void)pthread_mutex_lock(&s->mutex);
    awake = s->state == STORE_OPEN;
    (void)pthread_mutex_unlock(&s->mutex);
    return awake;
}

int64_t store_used_at_ms(struct store *s)
{
    int64_t at;

    (void)pthread_mutex_lock(&s->mutex);
    at = s->users || s->borrowers ? clock_monotonic_ms() : s->used_at_ms;
    (void)pthread_mutex_unlock(&s->mutex);
    return at;
}

void store_touch(struct store *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    s->used_at_ms = clock_monotonic_ms();
    (void)pthread_mutex_unlock(&s->mutex);
}
