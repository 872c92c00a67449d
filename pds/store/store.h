/* A store: a private folder with keys.json, the sealed database and its lock; locked or open.
 *
 * Its use is counted: store_enter() lends the open database until store_leave(), and store_lock()
 * lets nobody in any more, asks long readers to end (store_is_closing), waits for them, then wipes the keys.
 * All functions may be called by any thread; those that only ask never wait for one that opens or closes. */
#ifndef STORE_STORE_H
#define STORE_STORE_H
#include "pds/audit/event.h"
#include "pds/base/err.h"
#include "pds/crypto/passphrase.h"
#include "pds/crypto/secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;
struct vault; /* pds/vault/vault.h */
struct db;

/* Make a store in a folder that does not exist yet. A key file's 32 bytes may be given too, or NULL.
 * The recovery code is the caller's, to be shown once. After a failure nothing is left. */
MUST_CHECK enum err store_create(const char *dir, const struct secret_text *passphrase,
                                 struct passphrase_cost cost, const uint8_t *keyfile_key,
                                 struct secret_text **recovery_code);
/* Take away a folder that store_create() made, with all that is in it: of a store that shall not be. */
void store_remove(const char *dir);

/* Look at a store: it is there, private, its keys.json reads. It is locked. ERR_NOT_FOUND, ERR_FORBIDDEN,
 * ERR_CORRUPT. What a cut change of keys.json left beside it goes. */
MUST_CHECK enum err store_new(const char *dir, struct store **out);
void store_free(struct store *s); /* locks first; NULL is fine */
static inline void store_freep(struct store **s) { store_free(*s); }

const char *store_dir(const struct store *s);
const uint8_t *store_id(const struct store *s); /* STORE_ID_BYTES, borrowed */

/* The key behind a passphrase, a recovery code or a key file (KEY_BYTES). ERR_WRONG_KEY; ERR_CORRUPT when
 * keys.json is gone or cannot be read. Slow for a passphrase, by design; one at a time for each store, but
 * that a key file waits for nobody. *root is the caller's. */
MUST_CHECK enum err store_key_of_passphrase(struct store *s, const struct secret_text *passphrase,
                                            struct store_key **root);
MUST_CHECK enum err store_key_of_recovery(struct store *s, const struct secret_text *code,
                                          struct store_key **root);
MUST_CHECK enum err store_key_of_keyfile(struct store *s, const uint8_t key[static KEY_BYTES],
                                         struct store_key **root);

/* Open with a key (borrowed; a copy is kept in guarded memory while open). Opening an open store with the
 * right key changes nothing; ERR_WRONG_KEY with another. ERR_LOCKED when a lock under way does not end soon.
 * Imports that a crash cut are undone. */
MUST_CHECK enum err store_unlock(struct store *s, const struct store_key *root, int64_t now);
/* The first half of a lock: nobody enters any more, and who is inside is asked to leave. */
void store_shut(struct store *s);
/* Lock; when locked already: nothing. Waits a little for those inside; ERR_BUSY when that did not do: then
 * the last of them to leave wipes the keys. */
MUST_CHECK enum err store_lock(struct store *s);
/* The same for one command: the store is open until store_give_back(), or until it is locked before. Where
 * nobody unlocked it besides, it stays locked to everyone else's eyes (store_is_open), and the last to give
 * it back locks it. */
MUST_CHECK enum err store_borrow(struct store *s, const struct store_key *root, int64_t now);
void store_give_back(struct store *s);
bool store_is_open(struct store *s);
/* The number of this opening, 0 while locked (as store_is_open): what was allowed under one does not outlive
 * it. */
uint64_t store_opening(struct store *s);

/* ERR_LOCKED when it is. Otherwise *vault is lent until store_leave(). */
MUST_CHECK enum err store_enter(struct store *s, struct vault **vault);
void store_leave(struct store *s);
bool store_is_closing(struct store *s);

/* store_enter() and a reader, both given back by store_view_done(): AUTO(store_view_done) struct store_view
 * view = {0}; */
struct store_view {
    struct store *store;
    struct vault *vault;
    struct db *db;
};
MUST_CHECK enum err store_view(struct store *s, struct store_view *out);
void store_view_done(struct store_view *v);

/* The time by which the store acts: now, or the highest instant seen if that is later. What was given here
 * counts as seen while the program runs; what the trail tells, for ever. Once an opening, the log warns of a
 * clock that ran back, or forward, by more than a day. */
int64_t store_now(struct store *s, int64_t now);

/* Add a line to the trail of the open store. */
MUST_CHECK enum err store_tell(struct store *s, const struct event *event, int64_t now);
/* The same when it may be locked: it is opened for that. ERR_BUSY when another process has it open. */
MUST_CHECK enum err store_tell_with_key(struct store *s, const struct store_key *root,
                                        const struct event *event, int64_t now);
/* Lines of signing in. Wrong passphrases and codes are counted, since a locked store has nowhere to write. A
 * line tells how many before that of a sign-in, and while the store is open when the owner asks for
 * something, at most one a minute. */
MUST_CHECK enum err store_signed_in(struct store *s, int64_t now);
void store_sign_in_failed(struct store *s);
MUST_CHECK enum err store_tell_failures(struct store *s, int64_t now);

/* Wrap the store's key for a new passphrase; keys.json is replaced as a whole, under a lock that holds other
 * processes too. ERR_INVALID for one that passphrase_check_new() refuses. root is the store's key. */
MUST_CHECK enum err store_set_passphrase(struct store *s, const struct store_key *root,
                                         const struct secret_text *passphrase, struct passphrase_cost cost);
/* Another recovery code for the open store; the old one opens neither it nor later backups. Told in the
 * trail. *code is the caller's, to be shown once. After a failure the old one may be gone: then another try
 * helps. */
MUST_CHECK enum err store_renew_code(struct store *s, int64_t now, struct secret_text **code);
/* After a sign-in: wrap again when the slot costs less than this machine should pay, and is still this
 * passphrase's. */
MUST_CHECK enum err store_raise_cost(struct store *s, const struct store_key *root,
                                     const struct secret_text *passphrase, struct passphrase_cost cost);

/* Who keeps many stores and opens few at a time (pds/api/house.h). Called without a lock of the store's.
 * After opening() has said ERR_OK there is one closed(), after opened() has one closing() before it. */
struct store_host {
    enum err (*opening)(void *context, struct store *s); /* whether one more may be opened */
    enum err (*opened)(void *context, struct store *s);  /* a failure closes it again */
    void (*closing)(void *context, struct store *s);     /* nobody is inside any more */
    void (*closed)(void *context, struct store *s);
    /* The key that opens a store at rest; the caller's. ERR_WRONG_KEY: then it is locked. */
    enum err (*key)(void *context, struct store *s, struct store_key **root);
};
/* Before anyone else has the store; both are borrowed. */
void store_set_host(struct store *s, const struct store_host *host, void *context);

/* At rest, a store's files are closed and its keys wiped, and yet it is open to its owner: the opening stays,
 * and the host's key opens the files at the next store_enter(). An open store of a host goes to rest;
 * ERR_BUSY when someone is inside, or it is not open. A lock ends the rest. */
MUST_CHECK enum err store_rest(struct store *s);
/* The same for a store just looked at, which the host's key opens. */
void store_begin_at_rest(struct store *s);
/* Lock, unless someone is inside (ERR_BUSY). */
MUST_CHECK enum err store_lock_unused(struct store *s);
/* Whether its files are open. */
bool store_is_awake(struct store *s);
/* When it was used last (clock_monotonic_ms), now while someone is inside; and a use that does not go in. */
int64_t store_used_at_ms(struct store *s);
void store_touch(struct store *s);

/* A store that is none: no folder, no key opens it, and whoever tries one pays what that costs elsewhere. It
 * says that it is locked, or open when it shall look so; nobody enters. */
MUST_CHECK enum err store_new_decoy(struct passphrase_cost cost, bool looks_open, struct store **out);

/* Damage met since opening, in use or by a check; its place is copied when there is any. */
bool store_is_damaged(struct store *s, char *place, size_t size);
#endif
