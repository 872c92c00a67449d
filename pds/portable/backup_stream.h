/* A backup that is read while a thread makes it, for an answer over HTTP. It is made in a file of the store's
 * folder that has no name: sealed, and gone with the stream, however that ends. Nothing of it is given out
 * before all of it was read back. */
#ifndef PORTABLE_BACKUP_STREAM_H
#define PORTABLE_BACKUP_STREAM_H
#include "pds/base/err.h"
#include "pds/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct backup_stream;
MUST_CHECK enum err backup_stream_new(struct store *s, int64_t now, struct backup_stream **out);
/* Wait for its end, but not longer than that; *size_bytes is 0 when it goes on. What failed is told. */
MUST_CHECK enum err backup_stream_wait(struct backup_stream *b, int64_t wait_ms, uint64_t *size_bytes);
/* The next bytes; *got is 0 at the end. ERR_BUSY: it goes on. */
MUST_CHECK enum err backup_stream_read(struct backup_stream *b, void *out, size_t size, size_t *got);
void backup_stream_free(struct backup_stream *b); /* ends the thread; NULL is fine */
static inline void backup_stream_freep(struct backup_stream **b) { backup_stream_free(*b); }
#endif
