#include "pds/base/mem.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static atomic_long live;
static _Thread_local long fail_in;
static _Thread_local int fail_hit;

static int fails_now(void)
{
    if (fail_in == 0 || --fail_in > 0)
        return 0;
    fail_hit = 1;
    return 1;
}

/* Apart from mem_new(), whose attributes analysers would take for those of a second block. */
static void *zeroed(size_t size_bytes)
{
    void *p = fails_now() ? NULL : calloc(1, size_bytes ? size_bytes : 1);

    if (p)
        atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return p;
}

void *mem_new(size_t size_bytes) { return zeroed(size_bytes); }

void *mem_array(size_t count, size_t size_bytes)
{
    size_t total;

    return __builtin_mul_overflow(count, size_bytes, &total) ? NULL : zeroed(total);
}

char *mem_text(const char *text, size_t len)
{
    char *copy = len < SIZE_MAX ? zeroed(len + 1) : NULL;

    if (copy && len)
        memcpy(copy, text, len);
    return copy;
}

void *mem_resize(void *p, size_t size_bytes)
{
    void *moved;

    if (fails_now())
        return NULL;
    moved = realloc(p, size_bytes ? size_bytes : 1);
    if (moved && !p)
        atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return moved;
}

void mem_free(void *p)
{
    if (p)
        atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    free(p);
}

size_t mem_size(void *p) { return malloc_usable_size(p); }

long mem_live(void) { return atomic_load_explicit(&live, memory_order_relaxed); }

void mem_fail_at(long nth)
{
    fail_in = nth;
    fail_hit = 0;
}

int mem_fail_hit(void) { return fail_hit; }
