/* The one allocator. SQLite and jansson go through it too, so that a test can
 * make the nth allocation fail and count what is alive. */
#ifndef BASE_MEM_H
#define BASE_MEM_H
#include "pds/base/err.h"

#include <stddef.h>

#if defined(__clang__)
#define OWNED(f) __attribute__((malloc, warn_unused_result))
#else
#define OWNED(f) __attribute__((malloc, malloc(f, 1), warn_unused_result))
#endif

void mem_free(void *p); /* NULL is fine */

/* size bytes set to zero, or NULL. Released with mem_free(). */
void *mem_new(size_t size_bytes) OWNED(mem_free);

/* count items of size bytes each, set to zero; NULL too when the product overflows. */
void *mem_array(size_t count, size_t size_bytes) OWNED(mem_free);

/* A copy of len bytes of text with a NUL behind, or NULL. */
char *mem_text(const char *text, size_t len) OWNED(mem_free);

/* p moved to a block of size bytes; on NULL p is untouched and still the caller's. */
void *mem_resize(void *p, size_t size_bytes) MUST_CHECK;

/* Usable size of a block of ours, in bytes (SQLite asks). */
size_t mem_size(void *p);

/* Blocks alive. */
long mem_live(void);

/* For tests: the nth allocation of this thread from now on fails (1 = the next), once;
 * 0 switches it off. mem_fail_hit() tells whether it was reached. */
void mem_fail_at(long nth);
int mem_fail_hit(void);
#endif
