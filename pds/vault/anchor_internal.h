/* The anchor: what the write-ahead log must hold, told apart from the log itself.
 *
 * To SQLite a bad frame is the end of its log, be it torn by a power cut, rotten or cut off by
 * somebody. The anchor, in the file `lock`, remembers up to which frame commits were answered. It
 * may lag behind the log, never lead it: what it asks for was synced before it was written.
 *
 * Two slots of 512 bytes; the newer one that authenticates counts. Between two syncs only one of
 * them is written, over and over, so that a power cut leaves the other whole. Layout:
 * docs/vault-format.md. Used under the mutex of its vfs. */
#ifndef VAULT_ANCHOR_INTERNAL_H
#define VAULT_ANCHOR_INTERNAL_H
#include "pds/base/err.h"
#include "pds/crypto/keyring.h"
#include "pds/crypto/secret.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum { ANCHOR_SLOT_BYTES = 512, ANCHOR_SLOTS = 2 };

struct anchor_state {
    uint64_t generation; /* of the log: logs of an earlier one are in vault.db, whole and synced */
    uint64_t frames;     /* the first frames of that generation, committed and synced */
};

struct anchor {
    sqlite3_file *file;           /* owned */
    const struct anchor_key *key; /* borrowed */
    const uint8_t *store_id;      /* borrowed, STORE_ID_BYTES */
    struct anchor_state now;
    uint64_t sequence;
    int slot;     /* the one to write until the next sync */
    bool known;   /* something was read or written: now means something */
    bool broken;  /* there are bytes, and neither slot authenticates */
    bool dirty;   /* something of it may not be on the disk yet */
    bool written; /* `slot` was written since the last sync */
};

/* Read the slots of the file at path, opened through the VFS lower. ERR_UNSUPPORTED for a newer
 * format. An empty file leaves `known` false; one that nothing authenticates sets `broken`. */
MUST_CHECK enum err anchor_open(struct anchor *a, sqlite3_vfs *lower, const char *path,
                                const struct anchor_key *key, const uint8_t *store_id);
void anchor_close(struct anchor *a); /* of one that was never opened is fine */

/* These two give SQLite's codes. */
MUST_CHECK int anchor_write(struct anchor *a, struct anchor_state state);
MUST_CHECK int anchor_sync(struct anchor *a); /* nothing to do when not dirty */
#endif
