/* A disk in memory under the vault, for tests: it fails on demand, counts, and can be looked at as a
 * power cut would leave it, with writes that were not synced dropped, torn or out of order.
 *
 * It holds the three files of one store by name. The store's folder is a real one, with an empty vault.db
 * and the lock that keeps others out. */
#ifndef VAULT_DISK_H
#define VAULT_DISK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DISK_DB, DISK_WAL, DISK_LOCK, DISK_FILES };

struct disk_file {
    uint8_t *bytes; /* owned */
    size_t len;
    bool exists;
};
struct disk_image {
    struct disk_file files[DISK_FILES];
};

enum disk_fault { DISK_EIO, DISK_FULL, DISK_SHORT };

struct disk_counts {
    uint64_t ops, writes, syncs, db_syncs, wal_syncs;
};

/* The disk of this process, empty, used by vaults opened from now on. */
void disk_start(void);
void disk_empty(void);
struct disk_counts disk_counts(void);

/* The nth call from now on fails (1 = the next), once, or with `stays` that one and all after it. 0: none. */
void disk_fail_at(uint64_t nth, enum disk_fault fault, bool stays);
bool disk_fail_hit(void);
/* Call back before each write, sync, truncation and removal; NULL ends it. */
void disk_watch(void (*seen)(void *context), void *context);

/* As the files are now; and as they might be after a power cut now. Released with disk_image_done(). */
void disk_take(struct disk_image *out);
void disk_cut(uint64_t *random, struct disk_image *out);
void disk_image_copy(const struct disk_image *from, struct disk_image *out);
void disk_image_done(struct disk_image *i);
void disk_load(const struct disk_image *i);
/* Keep the files as they are, with what is not synced of them; and put them back once, as after a kill. */
void disk_keep(void);
void disk_put_back(void);
bool disk_equals(const struct disk_image *i);
bool disk_file_equals(const struct disk_image *i, int file);
#endif
