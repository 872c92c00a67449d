/* multipart/form-data from strangers. The first byte says how many bytes arrive at a time, the second how
 * many are asked for; the boundary is "B". */
#include "pds/httpd/multipart.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct feed {
    const uint8_t *at;
    size_t left, piece;
};

static enum err give(void *context, char *out, size_t size, size_t *got)
{
    struct feed *f = context;
    size_t n = f->left < f->piece ? f->left : f->piece;

    n = n < size ? n : size;
    if (n > 0)
        memcpy(out, f->at, n);
    f->at += n;
    f->left -= n;
    *got = n;
    return ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct multipart m;
    struct arena arena;
    struct part part;
    char bytes[256];
    size_t got = 1;

    if (size < 2)
        return 0;
    struct feed feed = {data + 2, size - 2, data[0] + 1U};
    arena_init(&arena, 1L << 20);
    struct str boundary;
    if (multipart_boundary((struct str){(const char *)data + 2, size - 2}, &boundary) == ERR_OK &&
        boundary.len == 0)
        __builtin_trap();
    if (multipart_init(&m, STR("B"), give, &feed) == ERR_OK)
        while (multipart_next(&m, &arena, &part) == ERR_OK)
            for (got = 1; got > 0;)
                if (multipart_read(&m, bytes, data[1] + 1U, &got))
                    break;
    multipart_done(&m);
    arena_done(&arena);
    return 0;
}
