#include "pds/base/buf.h"

#include "pds/base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void buf_init(struct buf *b, size_t max_bytes) { *b = (struct buf){.max = max_bytes}; }

void buf_over(struct buf *b, char *memory, size_t size_bytes)
{
    assert(size_bytes > 0);
    *b = (struct buf){.data = memory, .room = size_bytes, .max = size_bytes - 1};
    memory[0] = '\0';
}

void buf_done(struct buf *b)
{
    mem_free(b->data);
    buf_init(b, b->max);
}

char *buf_reserve(struct buf *b, size_t len)
{
    size_t need, room;
    char *moved;

    if (b->err)
        return NULL;
    if (__builtin_add_overflow(b->len, len, &need) || need > b->max) {
        b->err = ERR_TOO_LARGE;
        return NULL;
    }
    if (need < b->room)
        return b->data + b->len;
    room = need + need / 2 + 64;
    if (room > b->max)
        room = b->max + 1; /* the NUL */
    if (!(moved = mem_resize(b->data, room))) {
        b->err = ERR_NO_MEMORY;
        return NULL;
    }
    b->data = moved;
    b->room = room;
    b->data[b->len] = '\0';
    return b->data + b->len;
}

void buf_grew(struct buf *b, size_t len)
{
    assert(len < b->room - b->len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
    char *to = buf_reserve(b, len);

    if (!to)
        return;
    if (len)
        memcpy(to, bytes, len);
    buf_grew(b, len);
}

void buf_text(struct buf *b, const char *text) { buf_add(b, text, strlen(text)); }

void buf_char(struct buf *b, char c) { buf_add(b, &c, 1); }

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    char *to;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (!(to = buf_reserve(b, n < 0 ? SIZE_MAX : (size_t)n))) /* below 0: longer than an int can tell */
        return;
    va_start(args, format);
    (void)vsnprintf(to, (size_t)n + 1, format, args);
    va_end(args);
    buf_grew(b, (size_t)n);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->err = ERR_OK;
    if (b->data)
        b->data[0] = '\0';
}

void buf_drop_front(struct buf *b, size_t len)
{
    assert(len <= b->len);
    if (len == 0)
        return;
    memmove(b->data, b->data + len, b->len - len + 1);
    b->len -= len;
}

enum err buf_err(const struct buf *b)
{
    if (b->err == ERR_TOO_LARGE)
        return err_set(ERR_TOO_LARGE, "over the ceiling of %zu bytes", b->max);
    if (b->err)
        return err_set(ERR_NO_MEMORY, "after %zu bytes", b->len);
    return ERR_OK;
}
