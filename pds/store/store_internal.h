/* Between store.c (what it is), store_state.c (open and locked), store_key.c and store_code.c (keys.json),
 * store_create.c and store_check.c (the folder), store_time.c, store_tell.c, rekey*.c and blob*.c. */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H
#include "pds/base/fs.h"
#include "pds/crypto/keyring.h"
#include "pds/store/store.h"

#include <pthread.h>
#include <stdatomic.h>

enum store_state {
    STORE_LOCKED,
    STORE_OPENING,
    STORE_OPEN,
    STORE_CLOSING,
    STORE_ALONE /* of store_alone() */
};

struct keyfile; /* pds/crypto/keyfile.h */

/* What blob.c keeps of an open store. */
struct blob_yard {
    pthread_mutex_t mutex;       /* guards `writers` */
    pthread_mutex_t sweep;       /* one sweep at a time, and none while held; guards the rest. Taken first. */
    struct blob_writer *writers; /* their files have no row yet */
    unsigned holds;
    bool sweep_due;
};

/* What store_time.c knows of clocks. */
struct store_clock {
    _Atomic int64_t seen;    /* the highest instant */
    _Atomic int64_t boot_at; /* when the machine started, by the clock at opening; 0: not known */
    _Atomic bool warned;     /* in this opening */
};

/* Wrong passphrases and codes that no line of the trail tells of yet. */
struct store_failures {
    _Atomic int64_t count;
    _Atomic int64_t told_at; /* clock_running_s() of the last line while the store was open; 0: none yet */
};

struct store {
    char dir[FS_PATH_BYTES];
    char keys_path[FS_PATH_BYTES];
    uint8_t id[STORE_ID_BYTES];
    pthread_mutex_t derive; /* one derivation, or one change of keys.json, at a time */
    pthread_mutex_t mutex;  /* guards what follows; never held for long */
    pthread_cond_t changed; /* the state, or nobody is inside any more; its clock is monotonic */
    enum store_state state;
    struct vault *vault;           /* owned; only while open or closing */
    struct store_key *root;        /* owned; the same */
    unsigned users;                /* of store_enter() */
    unsigned borrowers;            /* of store_borrow() */
    unsigned waiting;              /* for the last of the users to leave */
    uint64_t openings;             /* so far */
    uint64_t lockings;             /* so far: times that it came to be locked */
    bool unwanted;                 /* a lock was asked for while it was being opened, or alone */
    bool kept;                     /* open until it is locked, not only for borrowers */
    bool resting;                  /* kept, with its files closed, or being closed or opened */
    int64_t used_at_ms;            /* when somebody left last */
    char damage[128];              /* the first place that a check found damaged since the opening; else "" */
    const struct store_host *host; /* borrowed; NULL without; constant, and what follows */
    void *host_context;
    struct keyfile *decoy; /* owned; of a store that is none */
    struct blob_yard blobs;
    struct store_clock clock;
    struct store_failures failures;
};

/* store_time.c: read the highest instant seen from the trail, or begin that of a store without one. *now
 * becomes the store's. */
MUST_CHECK enum err store_time_begin(struct store *s, struct vault *vault, int64_t *now);

/* Lock it, and keep everyone out until store_alone_end(), which says whether it was open before, and nobody
 * asked for a lock since. */
MUST_CHECK enum err store_alone(struct store *s);
bool store_alone_end(struct store *s);

/* store_key.c: take away what a cut change of keys.json left beside it. */
void store_key_tidy(struct store *s);
/* keys.json as it is on the disk. A change is made with the folder held: *fd, closed to let it go. */
MUST_CHECK enum err store_key_load(const struct store *s, struct keyfile **out);
/* The same, with the folder not held: what is left of a rekey is settled before. */
MUST_CHECK enum err store_key_settled(const struct store *s, struct keyfile **out);
MUST_CHECK enum err store_key_hold(const struct store *s, int *fd);
/* Save it, with the disk that is kept when there is no other room. */
MUST_CHECK enum err store_key_save(const struct store *s, const struct keyfile *keys);
bool store_key_is_left(const char *name); /* whether a file's name is that of such a thing */
/* store.c: what a check found damaged is told until the store is opened anew. The first place counts. */
void store_note_damage(struct store *s, const char *where);
#endif
