#include "pds/crypto/passphrase.h"

#include "pds/base/buf.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/base/str.h"
#include "pds/crypto/passphrase_internal.h"

#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

_Static_assert(crypto_pwhash_argon2id_SALTBYTES == PASSPHRASE_SALT_BYTES, "size of a salt");

enum { MEMORY_PART = 32, MEMORY_KIB_HERE_MAX = 256 * 1024, SMALL_BYTES = 8192 };

struct passphrase_cost passphrase_cost_for(uint64_t memory_bytes)
{
    uint64_t kib = memory_bytes / MEMORY_PART / 1024;

    if (kib < PASSPHRASE_MEMORY_KIB_MIN)
        kib = PASSPHRASE_MEMORY_KIB_MIN;
    if (kib > MEMORY_KIB_HERE_MAX)
        kib = MEMORY_KIB_HERE_MAX;
    return (struct passphrase_cost){PASSPHRASE_PASSES_MIN, (uint32_t)kib};
}

/* The text of a small file of the system's; empty when there is none. */
static struct str read_small(const char *path, struct buf *text)
{
    buf_clear(text);
    if (fs_read(path, SMALL_BYTES, text) != ERR_OK)
        buf_clear(text);
    return (struct str){text->data, text->len};
}

uint64_t passphrase_memory_allowed(const char *membership, const char *root)
{
    static const struct str UNIFIED = {"0::", 3};
    char path[FS_PATH_BYTES] = "";
    struct buf text;
    struct str rest, line;
    int64_t allowed;
    enum err e;

    buf_init(&text, SMALL_BYTES);
    rest = read_small(membership, &text);
    while (str_split(&rest, '\n', &line))
        if (str_starts(line, UNIFIED)) /* a path too long is cut, and not found */
            (void)snprintf(path, sizeof path, "%s%.*s/memory.max", root, (int)(line.len - UNIFIED.len),
                           line.ptr + UNIFIED.len);
    e = str_int64(str_trim(read_small(path, &text)), &allowed); /* "max" is no number */
    buf_done(&text);
    return !e && allowed > 0 ? (uint64_t)allowed : UINT64_MAX;
}

struct passphrase_cost passphrase_cost_here(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);
    uint64_t memory = pages > 0 ? (uint64_t)pages * (uint64_t)page_bytes : 0;
    uint64_t allowed = passphrase_memory_allowed("/proc/self/cgroup", "/sys/fs/cgroup");

    return passphrase_cost_for(memory < allowed ? memory : allowed);
}

bool passphrase_cost_is_valid(struct passphrase_cost c)
{
    return c.passes >= PASSPHRASE_PASSES_MIN && c.passes <= PASSPHRASE_PASSES_MAX &&
           c.memory_kib >= PASSPHRASE_MEMORY_KIB_MIN && c.memory_kib <= PASSPHRASE_MEMORY_KIB_MAX;
}

enum err passphrase_derive(const struct secret_text *passphrase,
                           const uint8_t salt[static PASSPHRASE_SALT_BYTES], struct passphrase_cost cost,
                           uint8_t key[static KEY_BYTES])
{
    if (!passphrase_cost_is_valid(cost))
        return err_set(ERR_INVALID, "a derivation of %u passes over %u KiB", cost.passes, cost.memory_kib);
    if (crypto_pwhash(key, KEY_BYTES, passphrase->text, passphrase->len, salt, cost.passes,
                      (size_t)cost.memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return err_set(ERR_NO_MEMORY, "a derivation over %u KiB", cost.memory_kib);
    return ERR_OK;
}
