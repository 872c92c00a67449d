/* Bytes in memory as what readers take and writers fill. */
#ifndef HARNESS_BYTES_H
#define HARNESS_BYTES_H
#include "pds/base/buf.h"
#include "pds/base/err.h"
#include "pds/base/str.h"

#include <string.h>

/* To be read, in pieces of at most so many bytes; or failing after some. 0: neither. */
struct bytes {
    struct str text;
    size_t piece, fail_at, at;
};

static inline enum err bytes_get(void *context, void *out, size_t size, size_t *got)
{
    struct bytes *b = context;
    size_t len = b->text.len - b->at;

    if (b->fail_at && b->at >= b->fail_at)
        return err_set(ERR_IO, "the source fails");
    if (len > size)
        len = size;
    if (b->piece && len > b->piece)
        len = b->piece;
    if (len)
        memcpy(out, b->text.ptr + b->at, len);
    b->at += len;
    *got = len;
    return ERR_OK;
}

/* Into a struct buf. */
static inline enum err bytes_put(void *context, const void *bytes, size_t len)
{
    buf_add(context, bytes, len);
    return buf_err(context);
}
#endif
