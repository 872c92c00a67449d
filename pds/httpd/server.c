#include "pds/httpd/server.h"

#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/fs.h"
#include "pds/base/mem.h"
#include "pds/httpd/server_internal.h"
#include "pds/httpd/turn.h"
#include "pds/httpd/warden.h"

#include <string.h>
#include <time.h>

enum { POOL_BYTES = 48 * 1024, KEY_FILE_BYTES = 256 * 1024, THROTTLED_HOUSEHOLDS = 4096 };

static const char TLS_PRIORITIES[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE";

/* Nothing is decoded by the library: target_segments() does, once. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static enum MHD_Result admit(void *context, const struct sockaddr *address, socklen_t size)
{
    struct server *s = context;

    (void)size;
    return !s->closing && peers_admit(&s->peers, address) ? MHD_YES : MHD_NO;
}

static void notice(void *context, struct MHD_Connection *connection, void **peer,
                   enum MHD_ConnectionNotificationCode what)
{
    struct server *s = context;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        peer_free(&s->peers, *peer);
        *peer = NULL;
        return;
    }
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    int number = fd ? fd->connect_fd : -1;
    const union MHD_ConnectionInfo *from =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    server_count(&s->stats.connections, 1);
    *peer = from ? peer_new(&s->peers, connection, number, from->client_addr) : NULL;
}

struct pem {
    struct buf cert, key;
};

static void pem_done(struct pem *p)
{
    if (p->key.data)
        explicit_bzero(p->key.data, p->key.room);
    buf_done(&p->key);
    buf_done(&p->cert);
}

static enum err read_pem(const struct server_options *o, struct pem *out)
{
    enum err e;

    buf_init(&out->cert, KEY_FILE_BYTES);
    buf_init(&out->key, KEY_FILE_BYTES);
    if (!o->tls_cert_file)
        return ERR_OK;
    if (!o->tls_key_file)
        return err_set(ERR_INVALID, "a certificate needs its key");
    /* Room at once, so that the key is never left behind in a block that was outgrown. */
    if (!buf_reserve(&out->key, KEY_FILE_BYTES))
        return err_set(ERR_NO_MEMORY, "reading the key");
    if ((e = fs_read(o->tls_cert_file, KEY_FILE_BYTES, &out->cert)) ||
        (e = fs_read(o->tls_key_file, KEY_FILE_BYTES, &out->key)))
        return err_wrap(e, "the certificate and its key");
    return ERR_OK;
}

static enum err start_daemon(struct server *s, const struct pem *pem)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, pem->cert.data},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, pem->key.data},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned idle_s = (unsigned)(s->pace.idle_ms + 999) / 1000;

    if (s->tls)
        flags |= MHD_USE_TLS;
    else
        tls[0].option = MHD_OPTION_END;
    if (s->listener.ipv6)
        flags |= MHD_USE_IPv6;
    /* peers_admit() counts; the library's own ceiling leaves room for those it has cut and not yet buried. */
    s->daemon = MHD_start_daemon(flags, 0, admit, s, turn_serve, s, MHD_OPTION_LISTEN_SOCKET, s->listener.fd,
                                 MHD_OPTION_URI_LOG_CALLBACK, turn_begin, s, MHD_OPTION_UNESCAPE_CALLBACK,
                                 leave_escaped, s, MHD_OPTION_NOTIFY_COMPLETED, turn_end, s,
                                 MHD_OPTION_NOTIFY_CONNECTION, notice, s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                 (size_t)POOL_BYTES, MHD_OPTION_CONNECTION_LIMIT, 2 * s->pace.connections,
                                 MHD_OPTION_CONNECTION_TIMEOUT, idle_s, MHD_OPTION_STRICT_FOR_CLIENT, 0,
                                 MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (!s->daemon)
        return s->tls
                   ? err_set(ERR_INVALID, "starting with TLS: are the certificate and the key of one pair?")
                   : err_set(ERR_INTERNAL, "starting the server's thread");
    return ERR_OK;
}

static enum err check_options(const struct server_options *o)
{
    char address[ADDRESS_BYTES];

    if (o->proxy && !address_read(str_of(o->proxy), address))
        return err_set(ERR_INVALID, "a proxy is named by its numeric address");
    return ERR_OK;
}

static enum err start(struct server *s)
{
    AUTO(pem_done) struct pem pem = {0};
    enum err e;

    if ((e = read_pem(&s->options, &pem)) || (e = listener_open(&s->options, &s->listener)))
        return e;
    if ((s->options.proxy || !s->listener.loopback) &&
        !(s->throttle =
              throttle_new(s->pace.requests_per_min, s->pace.requests_at_once, THROTTLED_HOUSEHOLDS)))
        return err_set(ERR_NO_MEMORY, "counting requests");
    if (pthread_create(&s->warden, NULL, warden_run, s) != 0)
        return err_set(ERR_NO_MEMORY, "starting the warden's thread");
    s->warden_runs = true;
    return start_daemon(s, &pem);
}

enum err server_open_paced(const struct server_options *options, const struct pace *pace, struct server **out)
{
    AUTO(server_closep) struct server *s = NULL;
    enum err e;

    if ((e = check_options(options)))
        return e;
    if (!(s = mem_new(sizeof *s)))
        return err_set(ERR_NO_MEMORY, "opening the server");
    s->options = *options;
    s->pace = *pace;
    s->tls = options->tls_cert_file != NULL;
    s->https = s->tls || (options->base_url && strncmp(options->base_url, "https://", 8) == 0);
    s->listener.fd = -1;
    peers_init(&s->peers, &s->pace, options->proxy);
    lingering_init(&s->lingering);
    crew_init(&s->crew, options->workers ? options->workers : LIMIT_WORKERS, pace->waiting);
    if ((e = start(s)))
        return err_wrap(e, "serving %s", options->listen ? options->listen : "nothing");
    *out = s;
    s = NULL;
    return ERR_OK;
}

enum err server_open(const struct server_options *options, struct server **out)
{
    static const struct pace pace = PACE_DEFAULT;

    return server_open_paced(options, &pace, out);
}

const char *server_url(const struct server *s) { return s->listener.url; }

void server_stats(const struct server *s, struct server_stats *out)
{
    out->connections = atomic_load(&s->stats.connections);
    out->requests = atomic_load(&s->stats.requests);
    out->refused = atomic_load(&s->stats.refused);
    out->bytes_out = atomic_load(&s->stats.bytes_out);
    for (size_t i = 0; i < sizeof out->by_status / sizeof *out->by_status; i++)
        out->by_status[i] = atomic_load(&s->stats.by_status[i]);
}

/* Wait for the turns that have begun; the warden goes on keeping their deadlines. */
static void let_end(struct server *s)
{
    int64_t until = clock_monotonic_ms() + s->pace.close_ms;
    struct timespec pause = {.tv_nsec = 2000000};

    while (atomic_load(&s->turns) > 0 && clock_monotonic_ms() < until)
        (void)nanosleep(&pause, NULL);
}

/* Who is between two requests, or has not finished asking, has nothing to wait for; answers without an end
 * end here. */
static void send_home(struct server *s)
{
    (void)pthread_mutex_lock(&s->peers.lock);
    for (struct peer *p = s->peers.first; p; p = p->next) {
        int state = atomic_load(&p->state);
        if (p->asleep)
            MHD_resume_connection(p->connection);
        else if (state == PEER_IDLE || state == PEER_HEAD)
            peer_cut(p);
        p->asleep = false;
    }
    (void)pthread_mutex_unlock(&s->peers.lock);
}

/* context: the mount, NULL for all. */
static void cut(struct job *job, void *context)
{
    const struct str *mount = context;

    if (job->cut && (!mount || str_eq(job->mount, *mount)))
        job->cut(job);
}

static void abandon(struct job *job, void *context)
{
    (void)context;
    job->abandon(job);
}

static void cut_long(struct server *s, struct str *mount)
{
    (void)pthread_mutex_lock(&s->peers.lock);
    for (struct peer *p = s->peers.first; p; p = p->next) {
        if (atomic_load(&p->state) != PEER_SEND || !atomic_load(&p->streams) ||
            (mount && !str_eq(str_of(p->mount), *mount)))
            continue;
        peer_cut(p);
        if (p->asleep)
            MHD_resume_connection(p->connection);
        p->asleep = false;
    }
    (void)pthread_mutex_unlock(&s->peers.lock);
    crew_each(&s->crew, cut, mount);
}

void server_cut_long(struct server *s) { cut_long(s, NULL); }

void server_cut_mount(struct server *s, struct str mount) { cut_long(s, &mount); }

static void retire_warden(struct server *s)
{
    (void)pthread_mutex_lock(&s->peers.lock);
    s->retired = true;
    (void)pthread_cond_signal(&s->peers.changed);
    (void)pthread_mutex_unlock(&s->peers.lock);
    if (s->warden_runs)
        (void)pthread_join(s->warden, NULL);
}

void server_close(struct server *s)
{
    if (!s)
        return;
    s->closing = true;
    if (s->daemon) {
        (void)MHD_quiesce_daemon(s->daemon);
        send_home(s);
        let_end(s);
        s->ending = true; /* before those that wait are woken, or one might come to wait behind our back */
        crew_each(&s->crew, abandon, NULL);
        MHD_stop_daemon(s->daemon);
    }
    retire_warden(s);
    crew_stop(&s->crew); /* handlers borrow the caller's context: none may outlive this */
    listener_close(&s->listener);
    throttle_free(s->throttle);
    lingering_done(&s->lingering);
    peers_done(&s->peers);
    mem_free(s);
}
