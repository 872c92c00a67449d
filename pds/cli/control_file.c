/* Where the answer of a command goes that runs in the daemon. */
#include "pds/cli/control_internal.h"

#include "pds/base/mem.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROUND_MS = 100, BUFFER_BYTES = 8192 };

struct target {
    int fd; /* owned */
    struct store *store;
    const atomic_bool *closing;
    char buffer[BUFFER_BYTES]; /* the stream's: a recovery code may have stood in it */
};

/* The caller may not read: a pipe into a pager stands still as long as it likes. That must not hold a lock of
 * the store, nor the daemon's end. */
static bool wait_for_room(const struct target *t)
{
    struct pollfd at = {.fd = t->fd, .events = POLLOUT};
    int ready;

    while ((ready = poll(&at, 1, ROUND_MS)) == 0 || (ready < 0 && errno == EINTR)) {
        if (atomic_load(t->closing) || store_is_closing(t->store)) {
            errno = ECANCELED;
            return false;
        }
    }
    return ready > 0;
}

/* Pieces of PIPE_BUF at most: where poll() sees room, a pipe takes such a one without waiting (pipe(7)). */
static ssize_t write_target(void *context, const char *bytes, size_t len)
{
    const struct target *t = context;
    size_t done = 0;

    while (done < len) {
        size_t piece = len - done < PIPE_BUF ? len - done : PIPE_BUF;
        ssize_t n;

        if (!wait_for_room(t))
            return 0;
        n = write(t->fd, bytes + done, piece);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return 0;
        done += n > 0 ? (size_t)n : 0;
    }
    return (ssize_t)len;
}

static int close_target(void *context)
{
    struct target *t = context;
    int failed = close(t->fd);

    explicit_bzero(t->buffer, sizeof t->buffer);
    mem_free(t); /* written out before: the stream only forgets it now */
    return failed;
}

FILE *control_file(int fd, struct store *store, const atomic_bool *closing)
{
    struct target *t = mem_new(sizeof *t);
    FILE *file;

    if (!t)
        return NULL;
    t->fd = fd;
    t->store = store;
    t->closing = closing;
    file = fopencookie(t, "w", (cookie_io_functions_t){.write = write_target, .close = close_target});
    if (file)
        (void)setvbuf(file, t->buffer, _IOFBF, sizeof t->buffer); /* fails for unknown modes alone */
    else
        mem_free(t);
    return file;
}
