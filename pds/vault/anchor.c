#include "pds/vault/anchor_internal.h"

#include "pds/base/mem.h"
#include "pds/crypto/seal.h"
#include "pds/vault/bytes_internal.h"

#include <string.h>

/* A slot: 16 bytes in clear that tell the format, then the sealed record. */
enum { HEAD_BYTES = 16, RECORD_BYTES = 24, SEALED_BYTES = RECORD_BYTES + SEAL_EXTRA_BYTES };
enum { SLOT_USED_BYTES = HEAD_BYTES + SEALED_BYTES, BOUND_BYTES = STORE_ID_BYTES + HEAD_BYTES };

_Static_assert((int)SLOT_USED_BYTES <= (int)ANCHOR_SLOT_BYTES, "a record fits one sector");

static const uint8_t MAGIC[8] = {'T', 'r', 'a', 'b', 'o', 'u', 'l', 'e'};
enum { FORMAT = 1, CIPHER_XCHACHA20_POLY1305 = 1 };

static void put_head(uint8_t at[static HEAD_BYTES])
{
    memset(at, 0, HEAD_BYTES);
    memcpy(at, MAGIC, sizeof MAGIC);
    bytes_put32(at + 8, FORMAT);
    bytes_put32(at + 12, CIPHER_XCHACHA20_POLY1305);
}

static void put_bound(const struct anchor *a, const uint8_t *head, uint8_t out[static BOUND_BYTES])
{
    memcpy(out, a->store_id, STORE_ID_BYTES);
    memcpy(out + STORE_ID_BYTES, head, HEAD_BYTES);
}

static bool is_blank(const uint8_t *slot, size_t len)
{
    while (len > 0 && slot[len - 1] == 0)
        len--;
    return len == 0;
}

static bool is_newer_format(const uint8_t *slot)
{
    return memcmp(slot, MAGIC, sizeof MAGIC) == 0 &&
           (bytes_get32(slot + 8) != FORMAT || bytes_get32(slot + 12) != CIPHER_XCHACHA20_POLY1305);
}

static bool open_slot(struct anchor *a, const uint8_t *slot, int number)
{
    uint8_t bound[BOUND_BYTES], record[RECORD_BYTES];
    uint64_t sequence;

    put_bound(a, slot, bound);
    if (seal_anchor_open(a->key, slot + HEAD_BYTES, RECORD_BYTES, bound, sizeof bound, record))
        return false;
    sequence = bytes_get64(record);
    if (a->known && sequence <= a->sequence)
        return true;
    a->known = true;
    a->sequence = sequence;
    a->now = (struct anchor_state){bytes_get64(record + 8), bytes_get64(record + 16)};
    a->slot = (number + 1) % ANCHOR_SLOTS; /* the newest is kept */
    return true;
}

static enum err read_slots(struct anchor *a)
{
    uint8_t slots[ANCHOR_SLOTS][ANCHOR_SLOT_BYTES] = {{0}};
    bool newer = false, blank = true;
    int rc = a->file->pMethods->xRead(a->file, slots, sizeof slots, 0);

    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
        return err_set(ERR_IO, "reading lock");
    for (int i = 0; i < ANCHOR_SLOTS; i++) {
        if (open_slot(a, slots[i], i))
            continue;
        newer = newer || is_newer_format(slots[i]);
        blank = blank && is_blank(slots[i], ANCHOR_SLOT_BYTES);
    }
    if (!a->known && newer)
        return err_set(ERR_UNSUPPORTED, "lock: a format of a newer program");
    a->broken = !a->known && !blank;
    return ERR_OK;
}

enum err anchor_open(struct anchor *a, sqlite3_vfs *lower, const char *path, const struct anchor_key *key,
                     const uint8_t *store_id)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_SUPER_JOURNAL; /* a kind that is not locked */
    int rc;

    memset(a, 0, sizeof *a);
    a->key = key;
    a->store_id = store_id;
    if (!(a->file = mem_new((size_t)lower->szOsFile)))
        return err_set(ERR_NO_MEMORY, "lock");
    rc = lower->xOpen(lower, path, a->file, flags, NULL);
    if (rc != SQLITE_OK)
        return err_set(rc == SQLITE_NOMEM ? ERR_NO_MEMORY : ERR_IO, "opening lock");
    a->dirty = true; /* what a killed process wrote may be on its way to the disk */
    return read_slots(a);
}

void anchor_close(struct anchor *a)
{
    if (a->file && a->file->pMethods)
        (void)a->file->pMethods->xClose(a->file); /* synced before, or told */
    mem_free(a->file);
    a->file = NULL;
}

int anchor_write(struct anchor *a, struct anchor_state state)
{
    uint8_t slot[ANCHOR_SLOT_BYTES] = {0}, bound[BOUND_BYTES], record[RECORD_BYTES];
    int rc;

    put_head(slot);
    put_bound(a, slot, bound);
    bytes_put64(record, a->sequence + 1);
    bytes_put64(record + 8, state.generation);
    bytes_put64(record + 16, state.frames);
    seal_anchor(a->key, record, sizeof record, bound, sizeof bound, slot + HEAD_BYTES);
    rc = a->file->pMethods->xWrite(a->file, slot, sizeof slot, (sqlite3_int64)a->slot * ANCHOR_SLOT_BYTES);
    if (rc != SQLITE_OK)
        return rc;
    a->sequence++;
    a->now = state;
    a->known = true;
    a->dirty = a->written = true;
    return SQLITE_OK;
}

int anchor_sync(struct anchor *a)
{
    int rc;

    if (!a->dirty)
        return SQLITE_OK;
    rc = a->file->pMethods->xSync(a->file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
    if (rc != SQLITE_OK)
        return rc;
    if (a->written)
        a->slot = (a->slot + 1) % ANCHOR_SLOTS;
    a->dirty = a->written = false;
    return SQLITE_OK;
}
