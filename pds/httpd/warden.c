#include "pds/httpd/warden.h"

#include "pds/base/clock.h"
#include "pds/httpd/server_internal.h"

#include <linux/tcp.h> /* the kernel's own: the C library's lacks the counters */
#include <netinet/in.h>
#include <stddef.h>
#include <time.h>

enum { ROUND_MS = 250, STATE_ESTABLISHED = 1 /* of tcpi_state */ };

/* Bytes that came over the connection since it began, as the kernel counts them; 0 when it does not. */
static bool tcp_told(int fd, struct tcp_info *info)
{
    socklen_t size = sizeof *info;

    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &size) == 0 &&
           size >= offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info->tcpi_bytes_received;
}

/* A request's first byte is invisible until its line is complete: the kernel's count betrays it. */
static bool idle_is_late(struct peer *p, const struct pace *pace, int64_t since, int64_t now)
{
    struct tcp_info info = {0};

    if (now - since > pace->idle_ms)
        return true;
    if (!tcp_told(p->fd, &info))
        return false;
    if (p->idle_since_ms != since) {
        p->idle_since_ms = since;
        p->idle_received = info.tcpi_bytes_received;
    } else if (info.tcpi_bytes_received != p->idle_received) {
        int idle = PEER_IDLE;
        p->idle_received = info.tcpi_bytes_received;
        if (atomic_compare_exchange_strong(&p->state, &idle, PEER_HEAD))
            atomic_store(&p->since_ms, now);
    }
    return false;
}

/* A body must bring its share in each window, or it could dribble on for days on the strength of a good
 * start. */
static bool body_is_late(struct peer *p, const struct pace *pace, int64_t since, int64_t now)
{
    uint64_t bytes = atomic_load_explicit(&p->body_bytes, memory_order_relaxed);
    uint64_t share = (uint64_t)pace->grace_ms * pace->body_bytes_per_s / 1000;
    bool late = false;

    if (p->window_since_ms != since) {
        p->window_since_ms = p->window_start_ms = since;
        p->window_bytes = bytes;
    } else if (now - p->window_start_ms >= pace->grace_ms) {
        late = bytes - p->window_bytes < share;
        p->window_start_ms = now;
        p->window_bytes = bytes;
    }
    return late;
}

static bool is_late(struct peer *p, const struct pace *pace, int64_t now)
{
    enum peer_state state = (enum peer_state)atomic_load_explicit(&p->state, memory_order_acquire);
    int64_t since = atomic_load_explicit(&p->since_ms, memory_order_relaxed);

    switch (state) {
    case PEER_HEAD:
        return now - since > pace->header_ms;
    case PEER_IDLE:
        return idle_is_late(p, pace, since, now);
    case PEER_BODY:
        return body_is_late(p, pace, since, now);
    case PEER_WORK: /* crew_hurry() has an eye on handlers */
    case PEER_SEND: /* the library's own time-out has one on answers that stand still */
        break;
    }
    return false;
}

/* A suspended connection does not notice that its client has left. */
static bool has_left(int fd)
{
    struct tcp_info info = {0};

    return tcp_told(fd, &info) && info.tcpi_state != STATE_ESTABLISHED;
}

static void wake(struct peer *p)
{
    if (has_left(p->fd))
        peer_cut(p);
    p->asleep = false;
    MHD_resume_connection(p->connection);
}

static void go_round(struct server *s)
{
    int64_t now = clock_monotonic_ms();

    for (struct peer *p = s->peers.first; p; p = p->next) {
        if (p->asleep)
            wake(p);
        else if (!p->doomed && is_late(p, &s->pace, now))
            peer_cut(p);
    }
}

static int round_ms(const struct pace *pace)
{
    int shortest = pace->header_ms < pace->grace_ms ? pace->header_ms : pace->grace_ms;

    shortest = shortest < pace->handler_ms ? shortest : pace->handler_ms;
    shortest = shortest < pace->idle_ms ? shortest : pace->idle_ms;
    shortest /= 4;
    return shortest < 10 ? 10 : shortest < ROUND_MS ? shortest : ROUND_MS;
}

void *warden_run(void *server)
{
    struct server *s = server;
    struct timespec until;
    int ms = round_ms(&s->pace);
    size_t lingering = 0;

    (void)pthread_mutex_lock(&s->peers.lock);
    while (!s->retired) {
        if (s->peers.count == 0 && lingering == 0) {
            (void)pthread_cond_wait(&s->peers.changed, &s->peers.lock); /* nobody to look after: sleep */
            continue;
        }
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += (long)ms * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        (void)pthread_cond_timedwait(&s->peers.changed, &s->peers.lock, &until);
        go_round(s);
        (void)pthread_mutex_unlock(&s->peers.lock);
        lingering = lingering_round(&s->lingering, clock_monotonic_ms());
        crew_hurry(&s->crew, clock_monotonic_ms() - s->pace.handler_ms);
        (void)pthread_mutex_lock(&s->peers.lock);
    }
    (void)pthread_mutex_unlock(&s->peers.lock);
    return NULL;
}
