#include "pds/httpd/linger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

void lingering_init(struct lingering *l)
{
    l->count = 0;
    (void)pthread_mutex_init(&l->lock, NULL); /* cannot fail with default attributes */
}

void lingering_done(struct lingering *l)
{
    while (l->count > 0)
        (void)close(l->at[--l->count].fd);
    (void)pthread_mutex_destroy(&l->lock);
}

void lingering_add(struct lingering *l, int fd, int64_t now_ms)
{
    (void)pthread_mutex_lock(&l->lock);
    int copy = l->count < LINGER_MAX ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (copy >= 0)
        l->at[l->count++] = (struct linger_one){.fd = copy, .until_ms = now_ms + LINGER_MS};
    (void)pthread_mutex_unlock(&l->lock);
}

/* Whether more may come. */
static bool drain(struct linger_one *one)
{
    char waste[16384];
    ssize_t n;

    while ((n = recv(one->fd, waste, sizeof waste, MSG_DONTWAIT)) > 0) {
        one->drained += (size_t)n;
        if (one->drained > LINGER_BYTES)
            return false;
    }
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

size_t lingering_round(struct lingering *l, int64_t now_ms)
{
    size_t left;

    (void)pthread_mutex_lock(&l->lock);
    for (size_t i = l->count; i > 0; i--) {
        struct linger_one *one = &l->at[i - 1];
        if (drain(one) && now_ms < one->until_ms)
            continue;
        (void)close(one->fd);
        *one = l->at[--l->count];
    }
    left = l->count;
    (void)pthread_mutex_unlock(&l->lock);
    return left;
}
