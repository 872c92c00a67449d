/* What SQLite leaves behind in a page. With secure_delete it overwrites what is deleted, but not the copies
 * that stay between a page's pointers and its cells when cells move to a neighbour: a cell deleted there
 * later would go on standing here. No reader looks at that gap, so that it can be emptied on the way to
 * vault.db. */
#include "pds/vault/vfs_internal.h"

#include <string.h>

enum {
    FILE_HEADER_BYTES = 100,
    CELL_COUNT_AT = 3,
    CELLS_AT = 5,
    LEAF_HEADER_BYTES = 8,
    INNER_HEADER_BYTES = 12
};

/* An overflow page or one of the free list begins with a page number instead: below this many pages its first
 * byte is none of the kinds below. */
enum { SCRUB_PAGES_MAX = 0x02000000 };

static unsigned number_at(const uint8_t *at) { return (unsigned)at[0] << 8 | at[1]; }

/* Where the gap of a page of a b-tree is: [*from, *to); false when it is no such page. */
static bool find_gap(const uint8_t *plain, uint32_t number, size_t *from, size_t *to)
{
    const uint8_t *head = number == 1 ? plain + FILE_HEADER_BYTES : plain;
    size_t header, cells = number_at(head + CELLS_AT);

    switch (head[0]) {
    case 2:
    case 5:
        header = INNER_HEADER_BYTES;
        break;
    case 10:
    case 13:
        header = LEAF_HEADER_BYTES;
        break;
    default:
        return false;
    }
    *from = (size_t)(head - plain) + header + 2 * (size_t)number_at(head + CELL_COUNT_AT);
    *to = cells ? cells : 65536;
    return *from <= *to && *to <= PAGE_PLAIN_BYTES;
}

bool vfs_scrub(const uint8_t plain[static PAGE_BYTES], uint32_t number, uint32_t pages,
               uint8_t out[static PAGE_BYTES])
{
    static const uint8_t ZEROS[PAGE_BYTES] = {0};
    size_t from, to;

    if (pages >= SCRUB_PAGES_MAX || !find_gap(plain, number, &from, &to) ||
        memcmp(plain + from, ZEROS, to - from) == 0)
        return false;
    memcpy(out, plain, PAGE_BYTES);
    memset(out + from, 0, to - from);
    return true;
}
