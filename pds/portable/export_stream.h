/* An export that is read as it is made: for an answer over HTTP, since it shall never lie on a disk in clear.
 *
 * A thread of its own makes it and waits for its reader, EXPORT_STREAM_BYTES ahead of it at most. */
#ifndef PORTABLE_EXPORT_STREAM_H
#define PORTABLE_EXPORT_STREAM_H
#include "pds/base/err.h"
#include "pds/store/store.h"

#include <stddef.h>
#include <stdint.h>

enum { EXPORT_STREAM_BYTES = 256 * 1024 };

struct export_stream;
/* Begin. The store outlives it. */
MUST_CHECK enum err export_stream_new(struct store *s, int64_t now, struct export_stream **out);
/* Wait until the first bytes are there or it failed, for so long at most: what can fail mostly does before.
 * ERR_OK when there is no failure so far. */
MUST_CHECK enum err export_stream_wait(struct export_stream *x, int64_t wait_ms);
/* Up to size bytes; *got 0 at its end. ERR_BUSY when nothing came for a moment. A failure is one to the last
 * byte: what was read is no whole file. */
MUST_CHECK enum err export_stream_read(struct export_stream *x, void *out, size_t size, size_t *got);
/* Ends it, done or not. */
void export_stream_free(struct export_stream *x); /* NULL is fine */
static inline void export_stream_freep(struct export_stream **x) { export_stream_free(*x); }
#endif
