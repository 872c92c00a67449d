#include "pds/httpd/throttle.h"

#include "pds/base/mem.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

enum { KEY_BYTES = 64, NONE = -1 };

/* Tokens are counted so finely that a millisecond earns per_minute of them exactly, and nothing is rounded.
 */
#define TOKEN ((int64_t)60000)

struct bucket {
    char key[KEY_BYTES];
    int64_t tokens;    /* TOKEN each */
    int64_t filled_at; /* ms */
    int newer, older;  /* by last use */
    int next;          /* in its chain */
};

struct throttle {
    pthread_mutex_t lock;
    int64_t per_minute, burst;
    int keys, used;
    int newest, oldest;
    int *chains;            /* owned; keys of them */
    struct bucket *buckets; /* owned */
};

struct throttle *throttle_new(unsigned per_minute, unsigned burst, unsigned keys)
{
    struct throttle *t = mem_new(sizeof *t);

    if (!t)
        return NULL;
    t->per_minute = per_minute ? per_minute : 1;
    t->burst = burst ? burst : 1;
    t->keys = keys ? (int)keys : 1;
    t->newest = t->oldest = NONE;
    t->chains = mem_array((size_t)t->keys, sizeof *t->chains);
    t->buckets = mem_array((size_t)t->keys, sizeof *t->buckets);
    (void)pthread_mutex_init(&t->lock, NULL); /* cannot fail with default attributes */
    if (!t->chains || !t->buckets) {
        throttle_free(t);
        return NULL;
    }
    for (int i = 0; i < t->keys; i++)
        t->chains[i] = NONE;
    return t;
}

void throttle_free(struct throttle *t)
{
    if (!t)
        return;
    (void)pthread_mutex_destroy(&t->lock);
    mem_free(t->chains);
    mem_free(t->buckets);
    mem_free(t);
}

static int *chain_of(struct throttle *t, const char *key)
{
    uint64_t h = 0xcbf29ce484222325U;

    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 0x100000001b3U;
    return &t->chains[(h ^ (h >> 32)) % (uint64_t)t->keys];
}

static void unlink_use(struct throttle *t, int i)
{
    struct bucket *b = &t->buckets[i];

    *(b->newer == NONE ? &t->newest : &t->buckets[b->newer].older) = b->older;
    *(b->older == NONE ? &t->oldest : &t->buckets[b->older].newer) = b->newer;
}

static void link_newest(struct throttle *t, int i)
{
    struct bucket *b = &t->buckets[i];

    b->newer = NONE;
    b->older = t->newest;
    *(t->newest == NONE ? &t->oldest : &t->buckets[t->newest].newer) = i;
    t->newest = i;
}

static void unchain(struct throttle *t, int i)
{
    int *at = chain_of(t, t->buckets[i].key);

    while (*at != i)
        at = &t->buckets[*at].next;
    *at = t->buckets[i].next;
}

/* The bucket of key, made when there is none; the one unseen for longest makes room. */
static struct bucket *bucket_of(struct throttle *t, const char *key, int64_t now_ms)
{
    int *chain = chain_of(t, key), i = *chain;

    while (i != NONE && strcmp(t->buckets[i].key, key) != 0)
        i = t->buckets[i].next;
    if (i != NONE) {
        unlink_use(t, i);
    } else {
        if (t->used < t->keys) {
            i = t->used++;
        } else {
            i = t->oldest;
            unlink_use(t, i);
            unchain(t, i);
        }
        memcpy(t->buckets[i].key, key, strlen(key) + 1);
        t->buckets[i].tokens = t->burst * TOKEN;
        t->buckets[i].filled_at = now_ms;
        t->buckets[i].next = *chain;
        *chain = i;
    }
    link_newest(t, i);
    return &t->buckets[i];
}

static void refill(const struct throttle *t, struct bucket *b, int64_t now_ms)
{
    int64_t passed = now_ms - b->filled_at, full = t->burst * TOKEN;

    b->filled_at = now_ms;
    if (passed <= 0) /* a clock put back earns nothing, and costs nothing */
        return;
    if (passed > full / t->per_minute || b->tokens + passed * t->per_minute > full)
        b->tokens = full;
    else
        b->tokens += passed * t->per_minute;
}

bool throttle_allows(struct throttle *t, const char *key, int64_t now_ms, int *retry_after_s)
{
    char cut[KEY_BYTES];
    size_t len = strnlen(key, KEY_BYTES - 1);
    bool allowed;

    memcpy(cut, key, len);
    cut[len] = '\0';
    (void)pthread_mutex_lock(&t->lock);
    struct bucket *b = bucket_of(t, cut, now_ms);
    refill(t, b, now_ms);
    allowed = b->tokens >= TOKEN;
    if (allowed)
        b->tokens -= TOKEN;
    int64_t wait_ms = (TOKEN - b->tokens + t->per_minute - 1) / t->per_minute;
    (void)pthread_mutex_unlock(&t->lock);
    *retry_after_s = allowed ? 0 : (int)((wait_ms + 999) / 1000);
    return allowed;
}
