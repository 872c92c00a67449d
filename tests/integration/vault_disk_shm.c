#include "tests/integration/vault_disk_shm.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>

enum { SHM_LOCKS = 8, SHM_REGIONS = 64 };

static struct {
    pthread_mutex_t mutex;
    void *regions[SHM_REGIONS];
    int mapped;
    int shared[SHM_LOCKS];
    bool exclusive[SHM_LOCKS];
} shm = {.mutex = PTHREAD_MUTEX_INITIALIZER};

int disk_shm_map(struct disk_shm *h, int region, int size, int extend, void volatile **out)
{
    int rc = SQLITE_OK;

    if (region >= SHM_REGIONS)
        return SQLITE_IOERR_SHMMAP;
    pthread_mutex_lock(&shm.mutex);
    if (!h->maps) {
        h->maps = true;
        shm.mapped++;
    }
    if (!shm.regions[region] && extend && !(shm.regions[region] = calloc(1, (size_t)size)))
        rc = SQLITE_NOMEM;
    *out = shm.regions[region];
    pthread_mutex_unlock(&shm.mutex);
    return rc;
}

static bool may_lock(int slot, bool shared, const struct disk_shm *h)
{
    int mine = h->shared >> slot & 1;

    return !shm.exclusive[slot] && (shared || shm.shared[slot] == mine);
}

static void lock_one(struct disk_shm *h, int slot, bool shared)
{
    uint16_t bit = (uint16_t)(1U << slot);

    if (shared) {
        shm.shared[slot] += !(h->shared & bit);
        h->shared |= bit;
    } else {
        shm.exclusive[slot] = true;
        h->exclusive |= bit;
    }
}

static void unlock_one(struct disk_shm *h, int slot)
{
    uint16_t bit = (uint16_t)(1U << slot);

    shm.shared[slot] -= (h->shared & bit) != 0;
    if (h->exclusive & bit)
        shm.exclusive[slot] = false;
    h->shared &= (uint16_t)~bit;
    h->exclusive &= (uint16_t)~bit;
}

int disk_shm_lock(struct disk_shm *h, int offset, int n, int flags)
{
    bool lock = (flags & SQLITE_SHM_LOCK) != 0, shared = (flags & SQLITE_SHM_SHARED) != 0;
    int rc = SQLITE_OK;

    pthread_mutex_lock(&shm.mutex);
    for (int i = offset; i < offset + n; i++)
        if (lock && !may_lock(i, shared, h))
            rc = SQLITE_BUSY;
    for (int i = offset; i < offset + n && rc == SQLITE_OK; i++) {
        if (lock)
            lock_one(h, i, shared);
        else
            unlock_one(h, i);
    }
    pthread_mutex_unlock(&shm.mutex);
    return rc;
}

void disk_shm_barrier(void)
{
    pthread_mutex_lock(&shm.mutex);
    pthread_mutex_unlock(&shm.mutex);
}

int disk_shm_unmap(struct disk_shm *h)
{
    if (!h->maps)
        return SQLITE_OK;
    h->maps = false;
    (void)disk_shm_lock(h, 0, SHM_LOCKS, SQLITE_SHM_UNLOCK);
    pthread_mutex_lock(&shm.mutex);
    if (--shm.mapped == 0)
        for (int i = 0; i < SHM_REGIONS; i++) {
            free(shm.regions[i]);
            shm.regions[i] = NULL;
        }
    pthread_mutex_unlock(&shm.mutex);
    return SQLITE_OK;
}
