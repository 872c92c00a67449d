/* Memory of one request or one run, given back at once. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H
#include "pds/base/err.h"
#include "pds/base/str.h"

#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *last; /* owned */
    size_t used;              /* bytes given out */
    size_t max;               /* bytes, the ceiling */
};

void arena_init(struct arena *a, size_t max_bytes);
void arena_done(struct arena *a); /* everything it gave is gone; a is empty and usable again */

/* size bytes set to zero, aligned for any type; NULL when out of memory or over the ceiling. */
void *arena_get(struct arena *a, size_t size_bytes);
char *arena_text(struct arena *a, struct str s); /* a copy with a NUL; NULL as above */
char *arena_printf(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3);
#endif
