/* The owner's sessions: a random token in a cookie, kept here as its digest; a CSRF token bound to it.
 * In memory only: they end with the daemon, and with the opening of the store that they began under
 * (store_opening): whatever raced with a lock, no session outlives it. Thread-safe. */
#ifndef API_SESSION_H
#define API_SESSION_H
#include "pds/base/err.h"
#include "pds/base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { SESSION_TOKEN_TEXT = 44 /* 43 characters of base64url and a NUL */ };

struct sessions;
struct sessions *sessions_new(void); /* NULL: no memory */
void sessions_free(struct sessions *s);

/* Begin one; the oldest makes room when there are LIMIT_SESSIONS. */
MUST_CHECK enum err session_begin(struct sessions *s, uint64_t opening, int64_t now,
                                  char token[static SESSION_TOKEN_TEXT],
                                  char csrf[static SESSION_TOKEN_TEXT]);
/* The session of a token, which counts as used now. ERR_UNAUTHENTICATED when it is none or ended: begun under
 * another opening, LIMIT_SESSION_IDLE_S without use, LIMIT_SESSION_S after it began. csrf
 * (SESSION_TOKEN_TEXT bytes) and ends_at may be NULL. */
MUST_CHECK enum err session_find(struct sessions *s, struct str token, uint64_t opening, int64_t now,
                                 char *csrf, int64_t *ends_at);
void session_end(struct sessions *s, struct str token);
void sessions_end_others(struct sessions *s, struct str token);
void sessions_end_all(struct sessions *s);
#endif
