#include "pds/crypto/random.h"

#include <pthread.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

/* Random bytes drawn ahead: asking the system for 24 bytes costs a third of sealing a page. */
enum { AHEAD_BYTES = 4096 };

struct ahead {
    uint8_t bytes[AHEAD_BYTES];
    size_t left; /* not handed out yet, at the end of bytes */
};

static _Thread_local struct ahead ahead;
static pthread_once_t forks_seen = PTHREAD_ONCE_INIT;

/* Parent and child must not draw the same bytes. Of all threads only this one lives on in the child. */
static void forget_ahead(void) { sodium_memzero(&ahead, sizeof ahead); }

/* A seed of the system's, stretched by ChaCha20: a fifth of the price of asking for all of it. */
static void draw_ahead(void)
{
    uint8_t seed[randombytes_SEEDBYTES];

    randombytes_buf(seed, sizeof seed);
    randombytes_buf_deterministic(ahead.bytes, sizeof ahead.bytes, seed);
    ahead.left = AHEAD_BYTES;
    sodium_memzero(seed, sizeof seed);
}

static void watch_forks(void)
{
    if (pthread_atfork(NULL, NULL, forget_ahead) != 0)
        sodium_misuse(); /* out of memory at the first start: there is no safe way on */
}

enum err random_start(void)
{
    if (sodium_init() < 0)
        return err_set(ERR_INTERNAL, "libsodium does not start");
    return ERR_OK;
}

void random_bytes(void *out, size_t len) { randombytes_buf(out, len); }

void random_nonce(void *out, size_t len)
{
    uint8_t *from;

    if (len > ahead.left) {
        if (len > AHEAD_BYTES) {
            randombytes_buf(out, len);
            return;
        }
        (void)pthread_once(&forks_seen, watch_forks); /* fails only for a bad argument */
        draw_ahead();
    }
    from = ahead.bytes + AHEAD_BYTES - ahead.left;
    memcpy(out, from, len);
    sodium_memzero(from, len);
    ahead.left -= len;
}

bool random_equal(const void *a, const void *b, size_t len) { return sodium_memcmp(a, b, len) == 0; }

void random_wipe(void *p, size_t len) { sodium_memzero(p, len); }
