#include "pds/cli/input.h"

#include "pds/base/fs.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { ROUND_MS = 100 };

/* A file may be a pipe that nobody writes to: that must not hold a lock of the store. */
static enum err wait_for_bytes(int fd, struct store *store)
{
    struct pollfd at = {.fd = fd, .events = POLLIN};
    int ready;

    do {
        if (store_is_closing(store))
            return err_set(ERR_LOCKED, "the store is being locked");
        ready = poll(&at, 1, ROUND_MS);
    } while (ready == 0 || (ready < 0 && errno == EINTR));
    return ERR_OK; /* what poll() cannot tell, read() does */
}

enum err input_read(int fd, struct store *store, void *out, size_t size, size_t *got)
{
    ssize_t n;
    enum err e;

    do {
        if ((e = wait_for_bytes(fd, store)))
            return e;
        n = read(fd, out, size);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return fs_error("reading", "a file");
    *got = (size_t)n;
    return ERR_OK;
}

struct str input_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return str_of(slash ? slash + 1 : path);
}
