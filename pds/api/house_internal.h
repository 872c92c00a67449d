/* Between house.c (who lives there, and their requests), house_keep.c (which of them are open) and
 * house_stranger.c (who does not live there). */
#ifndef API_HOUSE_INTERNAL_H
#define API_HOUSE_INTERNAL_H
#include "pds/api/house.h"
#include "pds/base/fs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

/* A store of a house. */
struct resident {
    struct api api; /* its store, sessions and signin are owned */
    char name[LIMIT_STORE_NAME + 1];
    dev_t dev; /* the folder that it was found as */
    ino_t ino;
    atomic_bool by_key;  /* the house's key opened it when it was last tried */
    atomic_uint at_work; /* requests at workers */
    struct resident *next_gone;
};

/* A name without a store that is asked for now. */
struct asked {
    char name[LIMIT_STORE_NAME + 1];
    unsigned at_work; /* requests at workers */
};

struct house {
    struct api own; /* for what is asked of the house; its store is the decoy, its sessions nobody's */
    char dir[FS_PATH_BYTES];
    int dir_fd;
    const struct house_key *key; /* borrowed; NULL without */
    int64_t idle_ms;
    struct house_watch watch;
    struct signin *signin;           /* owned; the gate that all share */
    pthread_mutex_t strangers_mutex; /* guards the next; no other is taken while it is held */
    struct asked strangers[LIMIT_WORKERS];
    pthread_mutex_t mutex;       /* guards what follows; taken before a store's, never while one is held */
    pthread_cond_t changed;      /* somebody went, or the house ends; its clock is monotonic */
    pthread_cond_t fewer;        /* one was closed */
    struct resident **residents; /* owned, by name */
    size_t count, room;
    struct resident *gone; /* owned: their folders are not there any more */
    unsigned open_count;   /* stores whose files are open, or being opened or closed */
    bool crowded;          /* closing one takes longer than opening one: the thread does it ahead */
    bool ending;
    pthread_t thread;
    bool has_thread;
};

extern const struct store_host HOUSE_HOST; /* house_keep.c */

/* house_stranger.c: one more request for this name at the workers; false when it has its share. */
bool house_stranger_enter(struct house *h, struct str name);
void house_stranger_leave(struct house *h, struct str name);

/* Whether the house's key opens it. */
bool house_has_key(const struct house *h, struct store *s);
/* What an api of the house has in common with the others. */
void house_equip(struct house *h, struct api *api);
#endif
