/* Growing bytes with a ceiling fixed at birth.
 *
 * A buf that failed once (no memory, or over its ceiling) stays failed and keeps
 * what it had: a writer may ignore the single outcomes and ask buf_err() once at
 * the end, which every writer must. */
#ifndef BASE_BUF_H
#define BASE_BUF_H
#include "pds/base/err.h"

#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data; /* owned; NULL while empty; a NUL stands behind the last byte */
    size_t len; /* bytes used */
    size_t room;
    size_t max; /* bytes, the ceiling */
    enum err err;
};

void buf_init(struct buf *b, size_t max_bytes);
/* A buf in memory that the caller has, a NUL's byte included: it never allocates and never grows.
 * It is left without buf_done(). */
void buf_over(struct buf *b, char *memory, size_t size_bytes);
void buf_done(struct buf *b); /* gives the memory back; b is empty and usable again */

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_text(struct buf *b, const char *text); /* a C string */
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);

/* Room for len more bytes at the end, to be filled and then told with buf_grew(); NULL when it failed. */
char *buf_reserve(struct buf *b, size_t len);
void buf_grew(struct buf *b, size_t len);

void buf_clear(struct buf *b);                  /* no bytes, no failure, memory kept */
void buf_drop_front(struct buf *b, size_t len); /* forget the first len bytes */

/* The first failure of any call since birth or buf_clear(), with its story told. */
MUST_CHECK enum err buf_err(const struct buf *b);
#endif
