#include "pds/base/arena.h"

#include "pds/base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK_BYTES = 4000 }; /* with the allocator's own words under a page */

struct arena_block {
    struct arena_block *before; /* owned */
    size_t used, room;
    _Alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *a, size_t max_bytes) { *a = (struct arena){.max = max_bytes}; }

void arena_done(struct arena *a)
{
    for (struct arena_block *block = a->last, *before; block; block = before) {
        before = block->before;
        mem_free(block);
    }
    arena_init(a, a->max);
}

/* A block with room for size bytes, from now on the last one; NULL when out of memory. */
static struct arena_block *block_add(struct arena *a, size_t size)
{
    size_t room =
        size > BLOCK_BYTES - sizeof(struct arena_block) ? size : BLOCK_BYTES - sizeof(struct arena_block);
    struct arena_block *block = mem_new(sizeof *block + room);

    if (!block)
        return NULL;
    block->room = room;
    block->before = a->last;
    a->last = block;
    return block;
}

void *arena_get(struct arena *a, size_t size_bytes)
{
    const size_t align = _Alignof(max_align_t);
    struct arena_block *block = a->last;
    size_t size;
    char *at;

    if (size_bytes == 0)
        size_bytes = 1; /* two things never share an address */
    if (size_bytes > a->max - a->used || size_bytes > SIZE_MAX - sizeof *block - align)
        return NULL;
    size = (size_bytes + align - 1) / align * align;
    if (!block || block->room - block->used < size) {
        if (!(block = block_add(a, size)))
            return NULL;
    }
    at = block->bytes + block->used;
    block->used += size;
    a->used += size_bytes;
    return at;
}

char *arena_text(struct arena *a, struct str s)
{
    char *copy = s.len < SIZE_MAX ? arena_get(a, s.len + 1) : NULL;

    if (copy && s.len)
        memcpy(copy, s.ptr, s.len);
    return copy;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    char *text;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || !(text = arena_get(a, (size_t)n + 1)))
        return NULL;
    va_start(args, format);
    (void)vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return text;
}
