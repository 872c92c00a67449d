/* The gate before a key derivation (security brief 4.3): few at once, few waiting, and after
 * LIMIT_FAILURES_FREE failures from an address one at a time, with a delay that doubles from 1 s to
 * LIMIT_FAILURE_DELAY_MAX_S. Never a lasting lock-out; this machine has a count of its own, so that the owner
 * at it is not kept out by others. Who waits goes in by the failures of their address, one from where
 * somebody signed in first of all, and pushes out who has more when all places are taken. An IPv6 network of
 * 64 bits counts as one address. Thread-safe.
 *
 * Many stores of one daemon share a gate, each through a view of its own: its own counts, one derivation at a
 * time and half of the waiting places. A name that has no store is kept to the same, or it would be known by
 * that. */
#ifndef API_SIGNIN_H
#define API_SIGNIN_H
#include "pds/base/err.h"
#include "pds/base/str.h"

#include <stdint.h>

struct signin;
struct signin *signin_new(void);        /* NULL: no memory */
struct signin *signin_new_shared(void); /* a gate that is used through views only */
/* The view of a name (copied) on a shared gate, which must outlive it. NULL: no memory. */
struct signin *signin_new_view(struct signin *shared, struct str name);
void signin_free(struct signin *s);
static inline void signin_freep(struct signin **s) { signin_free(*s); }

/* Wait for a place to derive. ERR_THROTTLED with the seconds to wait in *retry_after_s: then there is no
 * signin_leave(). address is numeric text. */
MUST_CHECK enum err signin_enter(struct signin *s, const char *address, int64_t now_ms, int *retry_after_s);
/* After the try, with its outcome: ERR_OK forgets the failures before, a wrong secret counts as one, and a
 * try that could not be made changes nothing. */
void signin_leave(struct signin *s, const char *address, enum err outcome, int64_t now_ms);
#endif
