#include "tests/integration/vault_disk.h"

#include "tests/harness/test.h"
#include "tests/integration/vault_disk_shm.h"

#include "pds/vault/db_internal.h"
#include "pds/vault/vfs_internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR_BYTES = 512 };

struct change {
    size_t place, len;
    uint8_t *bytes; /* owned; NULL for a truncation to place */
};

struct node {
    struct disk_file now, durable;
    struct change *changes; /* owned; since the last sync */
    size_t change_count, change_room;
};

struct disk_handle {
    sqlite3_file base;
    int which;
    int level;
    struct disk_shm shm;
};

static struct {
    pthread_mutex_t mutex;
    struct node nodes[DISK_FILES],
        ghosts[DISK_FILES]; /* ghosts: removed, and the removal is not on the disk */
    bool has_ghost[DISK_FILES];
    struct disk_counts counts;
    uint64_t fail_in;
    enum disk_fault fault;
    bool stays, hit;
    void (*seen)(void *context);
    void *context;
    int holders; /* of a shared lock on vault.db */
    struct node kept[DISK_FILES], kept_ghosts[DISK_FILES];
    bool kept_has_ghost[DISK_FILES];
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

static int which_of(const char *name)
{
    const char *base = name ? strrchr(name, '/') : NULL;

    if (!base)
        return -1;
    if (strcmp(base, "/vault.db") == 0)
        return DISK_DB;
    if (strcmp(base, "/vault.db-wal") == 0)
        return DISK_WAL;
    return strcmp(base, "/lock") == 0 ? DISK_LOCK : -1;
}

static void file_resize(struct disk_file *f, size_t len)
{
    f->bytes = must(realloc(f->bytes, len + 1));
    if (len > f->len)
        memset(f->bytes + f->len, 0, len - f->len);
    f->len = len;
}

static void file_copy(const struct disk_file *from, struct disk_file *to)
{
    *to = (struct disk_file){.exists = from->exists};
    file_resize(to, from->len);
    if (from->len)
        memcpy(to->bytes, from->bytes, from->len);
}

static void changes_done(struct node *n)
{
    for (size_t i = 0; i < n->change_count; i++)
        free(n->changes[i].bytes);
    n->change_count = 0;
}

static void node_done(struct node *n)
{
    changes_done(n);
    free(n->changes);
    free(n->now.bytes);
    free(n->durable.bytes);
    memset(n, 0, sizeof *n);
}

static void apply(struct disk_file *f, const struct change *c, bool torn, uint64_t *random)
{
    if (!c->bytes) {
        file_resize(f, c->place);
        return;
    }
    if (c->place + c->len > f->len)
        file_resize(f, c->place + c->len);
    for (size_t done = 0, len; done < c->len; done += len) {
        len = SECTOR_BYTES - (c->place + done) % SECTOR_BYTES;
        if (len > c->len - done)
            len = c->len - done;
        if (!torn || test_random(random) % 2 == 0)
            memcpy(f->bytes + c->place + done, c->bytes + done, len);
    }
}

static void note_change(struct node *n, size_t place, const void *bytes, size_t len)
{
    struct change *c;

    if (n->change_count == n->change_room) {
        n->change_room = n->change_room * 2 + 16;
        n->changes = must(realloc(n->changes, n->change_room * sizeof *n->changes));
    }
    c = &n->changes[n->change_count++];
    *c = (struct change){.place = place, .len = len};
    if (bytes) {
        c->bytes = must(malloc(len + 1));
        memcpy(c->bytes, bytes, len);
    }
}

/* Count a call; true when it must fail. Watchers are called before it happens. */
static bool fails(bool changes)
{
    bool fail = false;

    if (changes && disk.seen)
        disk.seen(disk.context);
    pthread_mutex_lock(&disk.mutex);
    disk.counts.ops++;
    if (disk.fail_in > 0 && --disk.fail_in == 0) {
        disk.hit = fail = true;
        disk.fail_in = disk.stays ? 1 : 0;
    }
    pthread_mutex_unlock(&disk.mutex);
    return fail;
}

static struct disk_handle *handle(sqlite3_file *f) { return (struct disk_handle *)(void *)f; }

static int disk_read(sqlite3_file *f, void *out, int n, sqlite3_int64 offset)
{
    struct disk_file *file = &disk.nodes[handle(f)->which].now;
    size_t at = (size_t)offset, len = (size_t)n, have;

    if (fails(false))
        return SQLITE_IOERR_READ;
    pthread_mutex_lock(&disk.mutex);
    have = at < file->len ? file->len - at : 0;
    if (have > len)
        have = len;
    if (have)
        memcpy(out, file->bytes + at, have);
    pthread_mutex_unlock(&disk.mutex);
    memset((char *)out + have, 0, len - have);
    return have == len ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int disk_write(sqlite3_file *f, const void *bytes, int n, sqlite3_int64 offset)
{
    struct node *node = &disk.nodes[handle(f)->which];
    size_t at = (size_t)offset, len = (size_t)n;
    bool fail = fails(true);

    if (fail && disk.fault != DISK_SHORT)
        return disk.fault == DISK_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    if (fail)
        len /= 2;
    pthread_mutex_lock(&disk.mutex);
    disk.counts.writes++;
    if (at + len > node->now.len)
        file_resize(&node->now, at + len);
    memcpy(node->now.bytes + at, bytes, len);
    note_change(node, at, bytes, len);
    pthread_mutex_unlock(&disk.mutex);
    return fail ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

static int disk_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    struct node *node = &disk.nodes[handle(f)->which];

    if (fails(true))
        return SQLITE_IOERR_TRUNCATE;
    pthread_mutex_lock(&disk.mutex);
    file_resize(&node->now, (size_t)size);
    note_change(node, (size_t)size, NULL, 0);
    pthread_mutex_unlock(&disk.mutex);
    return SQLITE_OK;
}

static int disk_sync(sqlite3_file *f, int flags)
{
    int which = handle(f)->which;
    struct node *node = &disk.nodes[which];

    (void)flags;
    if (fails(true))
        return SQLITE_IOERR_FSYNC;
    pthread_mutex_lock(&disk.mutex);
    disk.counts.syncs++;
    disk.counts.db_syncs += which == DISK_DB;
    disk.counts.wal_syncs += which == DISK_WAL;
    for (size_t i = 0; i < node->change_count; i++)
        apply(&node->durable, &node->changes[i], false, NULL);
    node->durable.exists = true;
    changes_done(node);
    if (disk.has_ghost[which]) /* the folder is synced along */
        node_done(&disk.ghosts[which]);
    disk.has_ghost[which] = false;
    pthread_mutex_unlock(&disk.mutex);
    return SQLITE_OK;
}

static int disk_size(sqlite3_file *f, sqlite3_int64 *size)
{
    if (fails(false))
        return SQLITE_IOERR_FSTAT;
    pthread_mutex_lock(&disk.mutex);
    *size = (sqlite3_int64)disk.nodes[handle(f)->which].now.len;
    pthread_mutex_unlock(&disk.mutex);
    return SQLITE_OK;
}

static int disk_lock(sqlite3_file *f, int level)
{
    struct disk_handle *h = handle(f);
    int rc = SQLITE_OK;

    pthread_mutex_lock(&disk.mutex);
    if (level > SQLITE_LOCK_RESERVED && disk.holders > (h->level >= SQLITE_LOCK_SHARED))
        rc = SQLITE_BUSY;
    else {
        if (h->level < SQLITE_LOCK_SHARED && level >= SQLITE_LOCK_SHARED)
            disk.holders++;
        h->level = level;
    }
    pthread_mutex_unlock(&disk.mutex);
    return rc;
}

static int disk_unlock(sqlite3_file *f, int level)
{
    struct disk_handle *h = handle(f);

    pthread_mutex_lock(&disk.mutex);
    if (h->level >= SQLITE_LOCK_SHARED && level < SQLITE_LOCK_SHARED)
        disk.holders--;
    h->level = level;
    pthread_mutex_unlock(&disk.mutex);
    return SQLITE_OK;
}

static int disk_reserved(sqlite3_file *f, int *out)
{
    (void)f;
    *out = 0;
    return SQLITE_OK;
}

static int disk_control(sqlite3_file *f, int op, void *arg)
{
    (void)f, (void)op, (void)arg;
    return SQLITE_NOTFOUND;
}

static int disk_sector(sqlite3_file *f)
{
    (void)f;
    return 4096;
}

static int disk_traits(sqlite3_file *f)
{
    (void)f;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int shm_map(sqlite3_file *f, int region, int size, int extend, void volatile **out)
{
    return disk_shm_map(&handle(f)->shm, region, size, extend, out);
}

static int shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return disk_shm_lock(&handle(f)->shm, offset, n, flags);
}

static void shm_barrier(sqlite3_file *f)
{
    (void)f;
    disk_shm_barrier();
}

static int shm_unmap(sqlite3_file *f, int delete)
{
    (void)delete;
    return disk_shm_unmap(&handle(f)->shm);
}

static int disk_close(sqlite3_file *f)
{
    (void)shm_unmap(f, 0);
    return disk_unlock(f, SQLITE_LOCK_NONE);
}

static const sqlite3_io_methods METHODS = {
    .iVersion = 2,
    .xClose = disk_close,
    .xRead = disk_read,
    .xWrite = disk_write,
    .xTruncate = disk_truncate,
    .xSync = disk_sync,
    .xFileSize = disk_size,
    .xLock = disk_lock,
    .xUnlock = disk_unlock,
    .xCheckReservedLock = disk_reserved,
    .xFileControl = disk_control,
    .xSectorSize = disk_sector,
    .xDeviceCharacteristics = disk_traits,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
    int which = which_of(name);

    (void)vfs;
    *handle(f) = (struct disk_handle){.which = which};
    if (which < 0 || fails(false))
        return SQLITE_CANTOPEN;
    pthread_mutex_lock(&disk.mutex);
    if (which != DISK_WAL || flags & SQLITE_OPEN_CREATE)
        disk.nodes[which].now.exists = true; /* the others were made in the folder */
    if (disk.nodes[which].now.exists)
        f->pMethods = &METHODS;
    pthread_mutex_unlock(&disk.mutex);
    if (out_flags)
        *out_flags = flags;
    return f->pMethods ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
    int which = which_of(name);

    (void)vfs, (void)sync_dir;
    if (which < 0 || fails(true))
        return SQLITE_IOERR_DELETE;
    pthread_mutex_lock(&disk.mutex);
    if (!disk.has_ghost[which]) { /* the oldest removal that is not on the disk yet */
        disk.ghosts[which] = disk.nodes[which];
        disk.has_ghost[which] = true;
        memset(&disk.nodes[which], 0, sizeof disk.nodes[which]);
    } else {
        node_done(&disk.nodes[which]);
    }
    pthread_mutex_unlock(&disk.mutex);
    return SQLITE_OK;
}

static int disk_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    int which = which_of(name);

    (void)vfs, (void)flags;
    if (which < 0 || fails(false))
        return SQLITE_IOERR_ACCESS;
    pthread_mutex_lock(&disk.mutex);
    *out = disk.nodes[which].now.exists && (which != DISK_DB || disk.nodes[which].now.len > 0);
    pthread_mutex_unlock(&disk.mutex);
    return SQLITE_OK;
}

void disk_start(void)
{
    static sqlite3_vfs vfs;
    sqlite3_vfs *real;

    if (db_start())
        abort();
    real = sqlite3_vfs_find("unix-excl");
    vfs = *real;
    vfs.iVersion = 2;
    vfs.szOsFile = sizeof(struct disk_handle);
    vfs.zName = "disk";
    vfs.xOpen = disk_open;
    vfs.xDelete = disk_delete;
    vfs.xAccess = disk_access;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
        abort();
    vfs_set_lower("disk");
    disk_empty();
}

void disk_empty(void)
{
    for (int i = 0; i < DISK_FILES; i++) {
        node_done(&disk.nodes[i]);
        node_done(&disk.ghosts[i]);
        disk.has_ghost[i] = false;
    }
    disk.counts = (struct disk_counts){0};
    disk.fail_in = 0;
    disk.hit = false;
    disk.seen = NULL;
}

struct disk_counts disk_counts(void)
{
    struct disk_counts c;

    pthread_mutex_lock(&disk.mutex);
    c = disk.counts;
    pthread_mutex_unlock(&disk.mutex);
    return c;
}

void disk_fail_at(uint64_t nth, enum disk_fault fault, bool stays)
{
    pthread_mutex_lock(&disk.mutex);
    disk.fail_in = nth;
    disk.fault = fault;
    disk.stays = stays;
    disk.hit = false;
    pthread_mutex_unlock(&disk.mutex);
}

bool disk_fail_hit(void) { return disk.hit; }

void disk_watch(void (*seen)(void *context), void *context)
{
    disk.context = context;
    disk.seen = seen;
}

void disk_take(struct disk_image *out)
{
    pthread_mutex_lock(&disk.mutex);
    for (int i = 0; i < DISK_FILES; i++)
        file_copy(&disk.nodes[i].now, &out->files[i]);
    pthread_mutex_unlock(&disk.mutex);
}

enum cut_style { CUT_ALL, CUT_NONE, CUT_SOME, CUT_TORN, CUT_PREFIX, CUT_STYLES };

static bool keeps(enum cut_style style, uint64_t *random, size_t i, size_t first_lost)
{
    switch (style) {
    case CUT_ALL:
        return false;
    case CUT_NONE:
        return true;
    case CUT_PREFIX:
        return i < first_lost;
    default:
        return test_random(random) % 2 == 0;
    }
}

static void node_cut(const struct node *n, uint64_t *random, struct disk_file *out)
{
    enum cut_style style = (enum cut_style)(test_random(random) % CUT_STYLES);
    size_t first_lost = n->change_count ? (size_t)(test_random(random) % (n->change_count + 1)) : 0;

    file_copy(&n->durable, out);
    out->exists = n->now.exists && (n->durable.exists || test_random(random) % 2 == 0);
    if (!out->exists) { /* not even its name was on the disk */
        file_resize(out, 0);
        return;
    }
    for (size_t i = 0; i < n->change_count; i++)
        if (style == CUT_TORN || keeps(style, random, i, first_lost))
            apply(out, &n->changes[i], style == CUT_TORN, random);
}

void disk_cut(uint64_t *random, struct disk_image *out)
{
    pthread_mutex_lock(&disk.mutex);
    for (int i = 0; i < DISK_FILES; i++) {
        bool removal_lost = disk.has_ghost[i] && test_random(random) % 2 == 0;

        node_cut(removal_lost ? &disk.ghosts[i] : &disk.nodes[i], random, &out->files[i]);
    }
    pthread_mutex_unlock(&disk.mutex);
}

void disk_image_copy(const struct disk_image *from, struct disk_image *out)
{
    for (int i = 0; i < DISK_FILES; i++)
        file_copy(&from->files[i], &out->files[i]);
}

void disk_image_done(struct disk_image *image)
{
    for (int i = 0; i < DISK_FILES; i++)
        free(image->files[i].bytes);
    memset(image, 0, sizeof *image);
}

void disk_load(const struct disk_image *image)
{
    disk_empty();
    for (int i = 0; i < DISK_FILES; i++) {
        file_copy(&image->files[i], &disk.nodes[i].now);
        file_copy(&image->files[i], &disk.nodes[i].durable);
    }
}

static void node_copy(const struct node *from, struct node *to)
{
    node_done(to);
    file_copy(&from->now, &to->now);
    file_copy(&from->durable, &to->durable);
    for (size_t i = 0; i < from->change_count; i++)
        note_change(to, from->changes[i].place, from->changes[i].bytes, from->changes[i].len);
}

void disk_keep(void)
{
    pthread_mutex_lock(&disk.mutex);
    for (int i = 0; i < DISK_FILES; i++) {
        node_copy(&disk.nodes[i], &disk.kept[i]);
        node_copy(&disk.ghosts[i], &disk.kept_ghosts[i]);
        disk.kept_has_ghost[i] = disk.has_ghost[i];
    }
    pthread_mutex_unlock(&disk.mutex);
}

void disk_put_back(void)
{
    disk_empty();
    for (int i = 0; i < DISK_FILES; i++) {
        disk.nodes[i] = disk.kept[i];
        disk.ghosts[i] = disk.kept_ghosts[i];
        disk.has_ghost[i] = disk.kept_has_ghost[i];
        memset(&disk.kept[i], 0, sizeof disk.kept[i]);
        memset(&disk.kept_ghosts[i], 0, sizeof disk.kept_ghosts[i]);
    }
}

bool disk_file_equals(const struct disk_image *image, int file)
{
    const struct disk_file *a = &image->files[file], *b = &disk.nodes[file].now;

    return a->len == b->len && /* SQLite makes an empty log */
           (a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

bool disk_equals(const struct disk_image *image)
{
    for (int i = 0; i < DISK_FILES; i++)
        if (!disk_file_equals(image, i))
            return false;
    return true;
}
