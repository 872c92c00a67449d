#include "pds/httpd/peer.h"

#include "pds/base/clock.h"
#include "pds/base/deadline.h"
#include "pds/base/mem.h"
#include "pds/httpd/turn.h"

#include <string.h>

void peers_init(struct peers *all, const struct pace *pace, const char *proxy)
{
    memset(all, 0, sizeof *all);
    all->pace = pace;
    if (proxy && !address_read(str_of(proxy), all->proxy))
        all->proxy[0] = '\0'; /* server_open() has refused what is no address */
    (void)pthread_mutex_init(&all->lock, NULL);
    deadline_cond_init(&all->changed);
}

void peers_done(struct peers *all)
{
    (void)pthread_cond_destroy(&all->changed);
    (void)pthread_mutex_destroy(&all->lock);
}

void peer_turn_to(struct peer *p, enum peer_state state)
{
    atomic_store_explicit(&p->since_ms, clock_monotonic_ms(), memory_order_relaxed);
    atomic_store_explicit(&p->state, (int)state, memory_order_release);
}

void peer_cut(struct peer *p)
{
    if (!p->doomed)
        (void)shutdown(p->fd, SHUT_RDWR); /* the server's thread sees it and cleans up */
    p->doomed = true;
}

/* How long the client has kept us waiting; 0 when it is not its turn. */
static int64_t waited_ms(const struct peer *p, int64_t now)
{
    int64_t waited = now - atomic_load_explicit(&p->since_ms, memory_order_relaxed);

    switch ((enum peer_state)atomic_load_explicit(&p->state, memory_order_acquire)) {
    case PEER_HEAD:
        return waited;
    case PEER_IDLE:
        return waited > 1000 ? waited : 0; /* it may well be about to speak */
    case PEER_BODY:
        return atomic_load_explicit(&p->body_bytes, memory_order_relaxed) * 1000 <
                       (uint64_t)waited * (uint64_t)LIMIT_BODY_BYTES_PER_S
                   ? waited
                   : 0;
    case PEER_SEND:
        return waited > 5000 && !p->asleep ? waited : 0;
    case PEER_WORK:
        break;
    }
    return 0;
}

static bool make_room(struct peers *all)
{
    int64_t now = clock_monotonic_ms(), longest = 0;
    struct peer *worst = NULL;

    for (struct peer *p = all->first; p; p = p->next) {
        int64_t waited = p->doomed ? 0 : waited_ms(p, now);
        if (waited > longest) {
            longest = waited;
            worst = p;
        }
    }
    if (worst)
        peer_cut(worst);
    return worst != NULL;
}

bool peers_admit(struct peers *all, const struct sockaddr *address)
{
    char text[ADDRESS_BYTES], household[ADDRESS_BYTES];
    unsigned total = 0, same = 0;
    bool admitted;

    address_text(address, text);
    address_household(text, household);
    bool local = all->proxy[0] == '\0' && address_is_loopback(address);
    bool exempt = local || strcmp(text, all->proxy) == 0;
    (void)pthread_mutex_lock(&all->lock);
    for (const struct peer *p = all->first; p; p = p->next) {
        total += !p->doomed;
        same += !p->doomed && strcmp(p->household, household) == 0;
    }
    if (!exempt && same >= all->pace->per_address)
        admitted = false;
    else if (all->proxy[0] == '\0' && !local)
        admitted = total + all->pace->reserved < all->pace->connections;
    else
        admitted = total < all->pace->connections || (local && make_room(all));
    (void)pthread_mutex_unlock(&all->lock);
    return admitted;
}

struct peer *peer_new(struct peers *all, struct MHD_Connection *connection, int fd,
                      const struct sockaddr *address)
{
    struct peer *p = mem_new(sizeof *p);

    if (!p)
        return NULL;
    p->connection = connection;
    p->fd = fd;
    address_text(address, p->address);
    address_household(p->address, p->household);
    p->loopback = all->proxy[0] == '\0' && address_is_loopback(address);
    p->proxy = all->proxy[0] != '\0' && strcmp(p->address, all->proxy) == 0;
    peer_turn_to(p, PEER_HEAD);
    (void)pthread_mutex_lock(&all->lock);
    p->next = all->first;
    if (p->next)
        p->next->prev = p;
    all->first = p;
    if (all->count++ == 0)
        (void)pthread_cond_signal(&all->changed);
    (void)pthread_mutex_unlock(&all->lock);
    return p;
}

void peer_free(struct peers *all, struct peer *p)
{
    if (!p)
        return;
    (void)pthread_mutex_lock(&all->lock);
    *(p->prev ? &p->prev->next : &all->first) = p->next;
    if (p->next)
        p->next->prev = p->prev;
    all->count--;
    (void)pthread_mutex_unlock(&all->lock);
    turn_release(p->spare);
    mem_free(p);
}
