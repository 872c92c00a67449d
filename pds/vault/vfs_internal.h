/* The sealed files of one open store, as a VFS for SQLite over another VFS.
 *
 * All that reaches the disk goes through here sealed: pages of vault.db in place, headers and pages
 * of its write-ahead log in a stretched layout (docs/vault-format.md). SQLite sees plain pages whose
 * 40 reserved bytes are zeros. No other file is opened for it: no journal, no -shm, no temporary file.
 *
 * A place that does not authenticate gives SQLITE_CORRUPT, is noted in `damage` and is not overwritten
 * by what was going on. After a failed sync nothing is written any more (`ended`). */
#ifndef VAULT_VFS_INTERNAL_H
#define VAULT_VFS_INTERNAL_H
#include "pds/base/err.h"
#include "pds/base/fs.h"
#include "pds/crypto/keyring.h"
#include "pds/crypto/seal.h"
#include "pds/crypto/secret.h"
#include "pds/vault/anchor_internal.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PAGE_BYTES = 4096,
    PAGE_PLAIN_BYTES = PAGE_BYTES - SEAL_EXTRA_BYTES,
    LOCK_PAGE = 0x40000000 / PAGE_BYTES + 1, /* never written by SQLite */

    /* The log as SQLite sees it … */
    LOG_HEADER_BYTES = 32,
    FRAME_HEADER_BYTES = 24,
    FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES,
    /* … and as it is: 8 bytes of ours join each header. */
    LOG_HEADER_PLAIN_BYTES = LOG_HEADER_BYTES + 8,
    LOG_HEADER_SEALED_BYTES = LOG_HEADER_PLAIN_BYTES + SEAL_EXTRA_BYTES,
    FRAME_HEADER_PLAIN_BYTES = FRAME_HEADER_BYTES + 8,
    FRAME_HEADER_SEALED_BYTES = FRAME_HEADER_PLAIN_BYTES + SEAL_EXTRA_BYTES,
    FRAME_SEALED_BYTES = FRAME_HEADER_SEALED_BYTES + PAGE_BYTES,

    FRAME_CHUNK = 4096,  /* frames whose pages are remembered together */
    FRAME_CHUNKS = 1024, /* a log of 16 GiB */
    DAMAGE_BYTES = 256
};

static inline sqlite3_int64 frame_place(uint32_t frame) /* in the file; frames count from 1 */
{
    return LOG_HEADER_SEALED_BYTES + (sqlite3_int64)(frame - 1) * FRAME_SEALED_BYTES;
}

/* The write-ahead log of the store, shared by all connections. */
struct wal {
    /* Changed by the writing connection under the mutex; read by all. */
    _Atomic uint64_t generation;
    _Atomic uint32_t limit; /* frames that SQLite may see: found sound at open, or written since */
    _Atomic bool live;      /* the header of this generation stands in the file */
    _Atomic uint32_t pages; /* of the database, as the last commit told */
    /* Of the writing connection, under the mutex. */
    uint32_t durable;       /* committed, synced and answered */
    uint32_t tail_commit;   /* the last frame written that ends a commit */
    uint32_t tail_pages;    /* of the database, as that frame tells */
    uint32_t synced_commit; /* the same, when the log was last synced */
    uint32_t last;          /* frame whose header was written last */
    uint32_t
        unsigned_from; /* the first frame that SQLite wrote without checksum and did not sign since; 0 none */
    _Atomic(_Atomic uint32_t *) chunks[FRAME_CHUNKS]; /* owned; page number of each frame, 0 unknown */
};

/* The page that a checkpoint has just opened from the log: written to vault.db unchanged, its sealed
 * bytes serve again, since they are bound to the same store and page. */
struct reuse {
    uint32_t page; /* 0: nothing kept */
    uint8_t plain[PAGE_BYTES];
    uint8_t sealed[PAGE_BYTES];
};

struct vfs {
    sqlite3_vfs vfs; /* registered under name while open */
    char name[32];
    sqlite3_vfs *lower;
    char db_path[FS_PATH_BYTES];
    char wal_path[FS_PATH_BYTES];
    uint8_t store_id[STORE_ID_BYTES];
    struct page_key *page_key;     /* owned */
    struct anchor_key *anchor_key; /* owned */
    int lock_fd, db_fd;            /* hold the lock of the store and one on vault.db; -1 */
    bool registered;
    bool begun; /* vault.db was made for an opening that is not done: it goes with a failure */

    pthread_mutex_t mutex;
    struct anchor anchor;
    struct wal wal;
    pthread_mutex_t head_mutex; /* page 1 of vault.db is read and written whole */
    struct reuse reuse;         /* of the thread that runs a checkpoint */
    _Atomic bool ended;         /* a sync failed */
    _Atomic uint64_t unread;    /* reads of SQLite that the disk refused */
    _Atomic bool damaged;
    char damage[DAMAGE_BYTES]; /* the first place, under the mutex */
};

/* vfs_look.c: read the files before SQLite does, and tell a torn tail of the log from a cut one. */
MUST_CHECK enum err vfs_look(struct vfs *v);

/* For tests: the name of the VFS below (NULL: SQLite's "unix-excl") of stores opened from now on. */
void vfs_set_lower(const char *name);

/* Take the lock of the store in the folder dir and look at its files, before SQLite does. With make, vault.db
 * must not exist and is begun. ERR_BUSY, ERR_NOT_FOUND, ERR_WRONG_KEY, ERR_CORRUPT, as vault_open(). */
MUST_CHECK enum err vfs_open(const char *dir, const struct store_key *root, const uint8_t *store_id,
                             bool make, struct vfs **out);
/* The same without looking: for a check of files that refuse to open. */
MUST_CHECK enum err vfs_open_unseen(const char *dir, const struct store_key *root, const uint8_t *store_id,
                                    struct vfs **out);
void vfs_close(struct vfs *v); /* NULL is fine; its connections are closed before */
static inline void vfs_closep(struct vfs **v) { vfs_close(*v); }

/* Bring the anchor to the disk. ERR_IO ends writing. */
MUST_CHECK enum err vfs_settle(struct vfs *v);
bool vfs_is_unsettled(struct vfs *v);
uint32_t vfs_frames(struct vfs *v); /* of the log, committed */

/* Note damage; the place also becomes the thread's, for the next story. Gives SQLITE_CORRUPT. */
int vfs_damage(struct vfs *v, const char *format, ...) PRINTF_LIKE(2, 3);
/* The place this thread met damage at since the last call, or NULL; borrowed until then. */
const char *vfs_take_place(void);

/* A read for SQLite ends in rc: one that the disk refused is counted. */
int vfs_note_read(struct vfs *v, int rc);

/* What SQLite's code of a lower file means here. */
enum err vfs_err(int rc);

/* One file handle. The lower one stands behind it in memory. */
enum file_kind { FILE_DB, FILE_WAL };
struct sealed_file {
    sqlite3_file base;
    struct vfs *vfs;
    sqlite3_file *lower;
    enum file_kind kind;
    uint32_t pending; /* frame whose header waits for its page; 0 */
    uint8_t pending_header[FRAME_HEADER_BYTES];
};

/* What a page is bound to, in vault.db and in the log alike; what a header is bound to. */
void vfs_seal_page(struct vfs *v, uint32_t page, const uint8_t plain[static PAGE_BYTES],
                   uint8_t out[static PAGE_BYTES]);
bool vfs_open_page(struct vfs *v, uint32_t page, const uint8_t sealed[static PAGE_BYTES],
                   uint8_t out[static PAGE_BYTES]); /* in place is fine */
void vfs_seal_frame_header(struct vfs *v, uint64_t generation, uint32_t frame,
                           const uint8_t plain[static FRAME_HEADER_PLAIN_BYTES],
                           uint8_t out[static FRAME_HEADER_SEALED_BYTES]);
bool vfs_open_frame_header(struct vfs *v, uint64_t generation, uint32_t frame,
                           const uint8_t sealed[static FRAME_HEADER_SEALED_BYTES],
                           uint8_t out[static FRAME_HEADER_PLAIN_BYTES]);
void vfs_seal_log_header(struct vfs *v, const uint8_t plain[static LOG_HEADER_PLAIN_BYTES],
                         uint8_t out[static LOG_HEADER_SEALED_BYTES]);
bool vfs_open_log_header(struct vfs *v, const uint8_t sealed[static LOG_HEADER_SEALED_BYTES],
                         uint8_t out[static LOG_HEADER_PLAIN_BYTES]);

/* The part of a page that seals need is free, as it must be to get it back as it was (trap 1). */
bool vfs_tail_is_free(const uint8_t plain[static PAGE_BYTES]);

/* vfs_scrub.c: the page with the gap between its pointers and its cells emptied, where SQLite leaves copies
 * of cells that moved. False, and out untouched, when there is nothing to empty. pages: of the database. */
bool vfs_scrub(const uint8_t plain[static PAGE_BYTES], uint32_t number, uint32_t pages,
               uint8_t out[static PAGE_BYTES]);

/* What both kinds of file share. A failed sync ends writing for good: nobody knows what is on the disk then.
 */
int vfs_file_close(sqlite3_file *file);
int vfs_file_sector(sqlite3_file *file);
int vfs_file_traits(sqlite3_file *file);
int vfs_sync(struct sealed_file *f, int flags);
/* Read below. What the disk does not give is no damage of ours: SQLite would tell an EIO as a broken
 * structure. */
int vfs_lower_read(sqlite3_file *lower, void *out, int n, sqlite3_int64 at);

/* Between these this thread runs a checkpoint; the room for its page, or NULL. */
void vfs_reuse_begin(struct vfs *v);
void vfs_reuse_end(struct vfs *v);
struct reuse *vfs_reuse_here(struct vfs *v);

/* vfs_main.c: vault.db */
extern const sqlite3_io_methods VFS_DB_METHODS;
/* vfs_wal.c: the log */
extern const sqlite3_io_methods VFS_WAL_METHODS;
/* The plain page 1 of vault.db, or its newest form in the log when a power cut tore it. SQLITE_OK;
 * SQLITE_CORRUPT when neither opens; SQLITE_IOERR_READ when the disk gave none. */
int vfs_read_head(struct vfs *v, sqlite3_file *db, uint8_t out[static PAGE_BYTES]);

bool wal_set_page(struct wal *w, uint32_t frame,
                  uint32_t page);                 /* false: out of memory or over the ceiling */
uint32_t wal_page(struct wal *w, uint32_t frame); /* 0 unknown */
void wal_done(struct wal *w);
/* wal_sign.c: sign the frames up to `upto` that SQLite left without a checksum. Under the mutex. */
MUST_CHECK int wal_sign(struct sealed_file *f, uint32_t upto);
/* All frames are in vault.db, synced: give the log up, on the disk too. SQLite's codes. Under the mutex. */
MUST_CHECK int wal_renew(struct vfs *v);
/* A commit was answered: what was synced must be there from now on. */
void wal_committed(struct vfs *v);
/* Before a transaction: what a commit that failed left behind the durable frames, even synced, is not to
 * become durable by the next one's success. */
void wal_dismiss_failed(struct vfs *v);

/* Open a file of the store through the lower VFS; *out is released with vfs_lower_close(). */
MUST_CHECK enum err vfs_lower_open(struct vfs *v, enum file_kind kind, sqlite3_file **out);
void vfs_lower_close(sqlite3_file *f);
static inline void vfs_lower_closep(sqlite3_file **f) { vfs_lower_close(*f); }
#endif
