#include "pds/api/session.h"

#include "pds/base/buf.h"
#include "pds/base/clock.h"
#include "pds/base/codec.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/crypto/random.h"
#include "pds/crypto/seal.h"

#include <pthread.h>
#include <string.h>

enum { TOKEN_BYTES = 32, DIGEST_BYTES = 32 };

struct row {
    uint8_t digest[DIGEST_BYTES];
    int64_t began_at, used_at;           /* seconds, UTC; began_at 0: free */
    int64_t began_running, used_running; /* clock_running_s() */
    uint64_t opening;
};

struct sessions {
    pthread_mutex_t mutex;
    uint8_t key[DIGEST_BYTES]; /* of the digests: nobody else can compute one, so rows are found by plain
                                  comparison */
    struct row rows[LIMIT_SESSIONS];
};

struct sessions *sessions_new(void)
{
    struct sessions *s = mem_new(sizeof *s);

    if (s) {
        (void)pthread_mutex_init(&s->mutex, NULL); /* default attributes cannot fail on Linux */
        random_bytes(s->key, sizeof s->key);
    }
    return s;
}

void sessions_free(struct sessions *s)
{
    if (!s)
        return;
    (void)pthread_mutex_destroy(&s->mutex);
    random_wipe(s, sizeof *s);
    mem_free(s);
}

/* BLAKE2b of our key, a purpose and the token's text. */
static void digest(const struct sessions *s, const char *purpose, struct str token,
                   uint8_t out[static DIGEST_BYTES])
{
    struct seal_hash h;

    seal_hash_init(&h);
    seal_hash_add(&h, s->key, sizeof s->key);
    seal_hash_add(&h, purpose, strlen(purpose) + 1);
    seal_hash_add(&h, token.ptr, token.len);
    seal_hash_end(&h, out);
}

static enum err text_of(const uint8_t bytes[static TOKEN_BYTES], char out[static SESSION_TOKEN_TEXT])
{
    struct buf text;
    enum err e;

    buf_init(&text, SESSION_TOKEN_TEXT);
    codec_base64url(&text, bytes, TOKEN_BYTES);
    if (!(e = buf_err(&text)))
        memcpy(out, text.data, text.len + 1);
    buf_done(&text);
    return e;
}

static enum err csrf_of(const struct sessions *s, struct str token, char out[static SESSION_TOKEN_TEXT])
{
    uint8_t bytes[DIGEST_BYTES];

    digest(s, "csrf", token, bytes);
    return text_of(bytes, out);
}

/* By the store's time, or by that of the machine: the first stands still while the clock is behind what it
 * showed once. */
static bool is_over(const struct row *row, int64_t now)
{
    int64_t running = clock_running_s();

    return row->began_at == 0 || now - row->used_at >= LIMIT_SESSION_IDLE_S ||
           now - row->began_at >= LIMIT_SESSION_S || running - row->used_running >= LIMIT_SESSION_IDLE_S ||
           running - row->began_running >= LIMIT_SESSION_S;
}

static bool is_older(const struct row *a, const struct row *b)
{
    return a->used_at != b->used_at ? a->used_at < b->used_at : a->used_running < b->used_running;
}

enum err session_begin(struct sessions *s, uint64_t opening, int64_t now,
                       char token[static SESSION_TOKEN_TEXT], char csrf[static SESSION_TOKEN_TEXT])
{
    uint8_t bytes[TOKEN_BYTES];
    size_t place = 0;
    enum err e;

    random_bytes(bytes, sizeof bytes);
    if ((e = text_of(bytes, token)) || (e = csrf_of(s, str_of(token), csrf)))
        return e;
    random_wipe(bytes, sizeof bytes);
    (void)pthread_mutex_lock(&s->mutex);
    for (size_t i = 0; i < LIMIT_SESSIONS; i++) {
        if (is_over(&s->rows[i], now)) {
            place = i;
            break;
        }
        if (is_older(&s->rows[i], &s->rows[place]))
            place = i;
    }
    digest(s, "session", str_of(token), s->rows[place].digest);
    s->rows[place].began_at = s->rows[place].used_at = now;
    s->rows[place].began_running = s->rows[place].used_running = clock_running_s();
    s->rows[place].opening = opening;
    (void)pthread_mutex_unlock(&s->mutex);
    return ERR_OK;
}

/* Place of a token's row, or LIMIT_SESSIONS; with the mutex held. Digests are keyed: a plain
 * comparison tells nobody anything. */
static size_t place_of(const struct sessions *s, struct str token)
{
    uint8_t wanted[DIGEST_BYTES];

    digest(s, "session", token, wanted);
    for (size_t i = 0; i < LIMIT_SESSIONS; i++) {
        if (s->rows[i].began_at && memcmp(s->rows[i].digest, wanted, sizeof wanted) == 0)
            return i;
    }
    return LIMIT_SESSIONS;
}

enum err session_find(struct sessions *s, struct str token, uint64_t opening, int64_t now, char *csrf,
                      int64_t *ends_at)
{
    size_t place;
    bool over = true;

    if (token.len != SESSION_TOKEN_TEXT - 1)
        return err_set(ERR_UNAUTHENTICATED, "no session");
    (void)pthread_mutex_lock(&s->mutex);
    place = place_of(s, token);
    if (place < LIMIT_SESSIONS) {
        over = s->rows[place].opening != opening || is_over(&s->rows[place], now);
        if (over) {
            memset(&s->rows[place], 0, sizeof s->rows[place]);
        } else {
            s->rows[place].used_at = now;
            s->rows[place].used_running = clock_running_s();
        }
        if (!over && ends_at)
            *ends_at = s->rows[place].began_at + LIMIT_SESSION_S;
    }
    (void)pthread_mutex_unlock(&s->mutex);
    if (over)
        return err_set(ERR_UNAUTHENTICATED, "no session");
    return csrf ? csrf_of(s, token, csrf) : ERR_OK;
}

void session_end(struct sessions *s, struct str token)
{
    size_t place;

    (void)pthread_mutex_lock(&s->mutex);
    place = place_of(s, token);
    if (place < LIMIT_SESSIONS)
        memset(&s->rows[place], 0, sizeof s->rows[place]);
    (void)pthread_mutex_unlock(&s->mutex);
}

void sessions_end_others(struct sessions *s, struct str token)
{
    size_t place;

    (void)pthread_mutex_lock(&s->mutex);
    place = place_of(s, token);
    for (size_t i = 0; i < LIMIT_SESSIONS; i++) {
        if (i != place)
            memset(&s->rows[i], 0, sizeof s->rows[i]);
    }
    (void)pthread_mutex_unlock(&s->mutex);
}

void sessions_end_all(struct sessions *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    memset(s->rows, 0, sizeof s->rows);
    (void)pthread_mutex_unlock(&s->mutex);
}
