/* The memory that connections on the disk of tests share instead of a -shm file, and its locks. */
#ifndef VAULT_DISK_SHM_H
#define VAULT_DISK_SHM_H
#include <stdbool.h>
#include <stdint.h>

struct disk_shm { /* of one connection */
    bool maps;
    uint16_t shared, exclusive;
};

/* SQLite's codes, as its xShm methods. */
int disk_shm_map(struct disk_shm *h, int region, int size, int extend, void volatile **out);
int disk_shm_lock(struct disk_shm *h, int offset, int n, int flags);
void disk_shm_barrier(void);
int disk_shm_unmap(struct disk_shm *h);
#endif
