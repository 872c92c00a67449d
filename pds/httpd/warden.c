#include "pds/httpd/warden.h"

#include "pds/base/clock.h"
#include "pds/base/deadline.h"
#include "pds/httpd/server_internal.h"

#include <linux/sockios.h>
#include <linux/tcp.h> /* the kernel's own: the C library's lacks the counters */
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <time.h>

enum { ROUND_MS = 250, STATE_ESTABLISHED = 1 /* of tcpi_state */ };

/* What the kernel knows of a connection, counters of bytes and of what is still to be sent included. */
static bool tcp_told(int fd, struct tcp_info *info)
{
    socklen_t size = sizeof *info;

    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &size) == 0 &&
           size >= offsetof(struct tcp_info, tcpi_notsent_bytes) + sizeof info->tcpi_notsent_bytes;
}

static uint64_t window_share(const struct pace *pace)
{
    return (uint64_t)pace->grace_ms * pace->body_bytes_per_s / 1000;
}

/* A request's first byte is invisible until its line is complete: the kernel's count betrays it. */
static bool idle_is_late(struct peer *p, const struct pace *pace, const struct tcp_info *info, int64_t since,
                         int64_t now)
{
    if (now - since > pace->idle_ms)
        return true;
    if (!info)
        return false;
    if (p->idle_since_ms != since) {
        p->idle_since_ms = since;
        p->idle_received = info->tcpi_bytes_received;
    } else if (info->tcpi_bytes_received != p->idle_received) {
        int idle = PEER_IDLE;
        p->idle_received = info->tcpi_bytes_received;
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
    bool late = false;

    if (p->window_since_ms != since) {
        p->window_since_ms = p->window_start_ms = since;
        p->window_bytes = bytes;
    } else if (now - p->window_start_ms >= pace->grace_ms) {
        late = bytes - p->window_bytes < window_share(pace);
        p->window_start_ms = now;
        p->window_bytes = bytes;
    }
    return late;
}

/* Bytes sent and not acknowledged; 0 when the kernel does not say. */
static uint64_t in_kernel(int fd)
{
    unsigned bytes = 0;

    return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

/* What lies in the kernel for a client must be taken at the same pace, or all of it when it is less than a
 * window's share. Whether it is the answer under way or one before does not matter: many small ones read one
 * by one would begin anew for ever. Who has taken all that was sent owes nothing, however slowly we make
 * more. */
static bool taking_is_late(struct peer *p, const struct pace *pace, const struct tcp_info *info, int64_t now)
{
    uint64_t share = window_share(pace);
    bool late = false;

    if (!info || (info->tcpi_unacked == 0 && info->tcpi_notsent_bytes == 0)) {
        p->taken_since_ms = 0;
    } else if (p->taken_since_ms == 0 || now - p->taken_since_ms >= pace->grace_ms) {
        uint64_t acked = info->tcpi_bytes_acked, owed = in_kernel(p->fd);
        late = p->taken_since_ms != 0 && acked < p->taken_goal;
        p->taken_since_ms = now;
        p->taken_goal = acked + (owed < share ? owed : share);
    }
    return late;
}

static bool is_late(struct peer *p, const struct pace *pace, const struct tcp_info *info, int64_t now)
{
    enum peer_state state = (enum peer_state)atomic_load_explicit(&p->state, memory_order_acquire);
    int64_t since = atomic_load_explicit(&p->since_ms, memory_order_relaxed);

    switch (state) {
    case PEER_HEAD:
        return now - since > pace->header_ms;
    case PEER_IDLE:
        return idle_is_late(p, pace, info, since, now);
    case PEER_BODY:
        return body_is_late(p, pace, since, now);
    case PEER_WORK: /* crew_hurry() has an eye on handlers */
    case PEER_SEND: /* taking_is_late(), and the library's own time-out on answers that stand still */
        break;
    }
    return false;
}

/* A suspended connection does not notice that its client has left. One that only says it will not ask again
 * (shutdown of its sending side) looks the same from here, and is taken to have left too: browsers and
 * services that follow a stream of events keep both sides open. */
static bool has_left(const struct tcp_info *info) { return info && info->tcpi_state != STATE_ESTABLISHED; }

static void wake(struct peer *p, const struct tcp_info *info)
{
    if (has_left(info))
        peer_cut(p);
    p->asleep = false;
    p->taken_since_ms = 0;
    MHD_resume_connection(p->connection);
}

/* What the kernel holds for a client that does not take it goes too, or closing would keep it for as long as
 * that client likes. */
static void drop(struct peer *p)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    peer_cut(p);
}

static void go_round(struct server *s)
{
    int64_t now = clock_monotonic_ms();

    for (struct peer *p = s->peers.first; p; p = p->next) {
        struct tcp_info told = {0}, *info = tcp_told(p->fd, &told) ? &told : NULL;
        if (p->asleep)
            wake(p, info);
        else if (p->doomed)
            continue;
        else if (taking_is_late(p, &s->pace, info, now))
            drop(p);
        else if (is_late(p, &s->pace, info, now))
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
        until = deadline_in(ms);
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
