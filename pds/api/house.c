#include "pds/api/house.h"

#include "pds/api/exchange.h"
#include "pds/api/house_internal.h"
#include "pds/api/problem.h"
#include "pds/api/route.h"
#include "pds/api/session.h"
#include "pds/api/signin.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/deadline.h"
#include "pds/base/mem.h"
#include "pds/httpd/server.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ROUND_MS = 15000, RESIDENTS_FIRST = 16 };

static void resident_free(struct resident *r)
{
    if (!r)
        return;
    store_free(r->api.store);
    sessions_free(r->api.sessions);
    signin_free(r->api.signin);
    mem_free(r);
}
static void resident_freep(struct resident **r) { resident_free(*r); }

/* Whether there is something at this name that may be a store; *at is its folder. */
static bool look(const struct house *h, const char *name, struct stat *at)
{
    char keys[LIMIT_STORE_NAME + sizeof "/keys.json"];
    struct stat file;

    (void)snprintf(keys, sizeof keys, "%s/keys.json", name); /* a name is as long as that */
    return fstatat(h->dir_fd, name, at, 0) == 0 && S_ISDIR(at->st_mode) &&
           fstatat(h->dir_fd, keys, &file, 0) == 0;
}

/* The place of a name among the residents, which stand in order, or the place where it would be. */
static size_t place_of(const struct house *h, const char *name, bool *found)
{
    size_t low = 0, high = h->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(h->residents[middle]->name, name);

        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = false;
    return low;
}

bool house_has_key(const struct house *h, struct store *s)
{
    AUTO(store_key_freep) struct store_key *root = NULL;

    return h->key && store_key_of_keyfile(s, h->key->bytes, &root) == ERR_OK;
}

static enum err resident_new(struct house *h, const char *name, const struct stat *at, struct resident **out)
{
    AUTO(resident_freep) struct resident *r = mem_new(sizeof *r);
    char path[FS_PATH_BYTES];
    enum err e;

    if (!r)
        return err_set(ERR_NO_MEMORY, "a store of the house");
    if ((e = fs_join(path, h->dir, name)) || (e = store_new(path, &r->api.store)))
        return e;
    if (!(r->api.sessions = sessions_new()) || !(r->api.signin = signin_new_view(h->signin, str_of(name))))
        return err_set(ERR_NO_MEMORY, "a store of the house");
    (void)snprintf(r->name, sizeof r->name, "%s", name);
    (void)snprintf(r->api.mount, sizeof r->api.mount, "/@%s", name);
    house_equip(h, &r->api);
    r->dev = at->st_dev;
    r->ino = at->st_ino;
    store_set_host(r->api.store, &HOUSE_HOST, h);
    if (house_has_key(h, r->api.store)) {
        atomic_store(&r->by_key, true);
        store_begin_at_rest(r->api.store);
    }
    *out = r;
    r = NULL; /* the caller's now */
    return ERR_OK;
}

/* With the mutex held: room for one more. */
static bool grow(struct house *h)
{
    size_t room = h->room ? 2 * h->room : RESIDENTS_FIRST;
    struct resident **more;

    if (h->count < h->room)
        return true;
    if (h->count >= LIMIT_STORES || !(more = mem_new(room * sizeof(struct resident *))))
        return false;
    if (h->count > 0)
        memcpy(more, h->residents, h->count * sizeof(struct resident *));
    mem_free(h->residents);
    h->residents = more;
    h->room = room;
    return true;
}

/* With the mutex held: its folder is not there any more, or another's. Requests may be in it: it is freed
 * with the house. */
static void send_away(struct house *h, size_t place)
{
    struct resident *r = h->residents[place];

    h->count--;
    memmove(h->residents + place, h->residents + place + 1, (h->count - place) * sizeof(struct resident *));
    store_shut(r->api.store);
    sessions_end_all(r->api.sessions);
    r->next_gone = h->gone;
    h->gone = r;
    (void)pthread_cond_signal(&h->changed); /* the house's thread closes it */
}

/* With the mutex held. NULL when it is no store, or there is no room. */
static struct resident *let_in(struct house *h, size_t place, const char *name, const struct stat *at)
{
    struct resident *r = NULL;

    if (!grow(h) || resident_new(h, name, at, &r)) /* what is no whole store is none */
        return NULL;
    memmove(h->residents + place + 1, h->residents + place, (h->count - place) * sizeof(struct resident *));
    h->residents[place] = r;
    h->count++;
    return r;
}

/* The store of a name, which stays until the house ends; NULL when there is none. */
static struct resident *find(struct house *h, struct str text)
{
    struct resident *r = NULL;
    char name[LIMIT_STORE_NAME + 1];
    struct stat at;
    size_t place;
    bool there, known;

    if (str_copy(text, name, sizeof name)) /* the server lets no longer one pass */
        return NULL;
    there = look(h, name, &at);
    (void)pthread_mutex_lock(&h->mutex);
    place = place_of(h, name, &known);
    if (known)
        r = h->residents[place];
    if (r && (!there || r->dev != at.st_dev || r->ino != at.st_ino)) {
        send_away(h, place);
        r = NULL;
    }
    if (!r && there)
        r = let_in(h, place, name, &at);
    (void)pthread_mutex_unlock(&h->mutex);
    return r;
}

void house_equip(struct house *h, struct api *api)
{
    atomic_store(&api->server, atomic_load(&h->own.server));
    api->https = h->own.https;
    api->developer = h->own.developer;
    api->cost = h->own.cost;
    api->started_at = h->own.started_at;
}

static void refuse_busy(struct request *request, struct response *response)
{
    problem_fill(request, err_set(ERR_BUSY, "the store has too much to do"), 0, response);
}

/* One store's handlers take no more than their share of the workers, however long they last; what may last as
 * long as a client likes, no more than most of it. */
static void answer(struct request *request, struct response *response, struct resident *r)
{
    unsigned most = request->upload ? LIMIT_WORKERS_STORE * 3 / 4 : LIMIT_WORKERS_STORE;

    if (request->route->where == RUN_INLINE) {
        exchange_run(request, response, &r->api);
        return;
    }
    if (atomic_fetch_add(&r->at_work, 1) < most)
        exchange_run(request, response, &r->api);
    else
        refuse_busy(request, response);
    atomic_fetch_sub(&r->at_work, 1);
}

/* A name without a store: its share is that of a store too. */
static void answer_stranger(struct house *h, struct request *request, struct response *response)
{
    AUTO(signin_freep) struct signin *signin = signin_new_view(h->signin, request->mount);
    struct api api = {.store = h->own.store, .sessions = h->own.sessions, .signin = signin, .stranger_in = h};

    if (!signin) {
        problem_fill(request, err_set(ERR_NO_MEMORY, "a request"), 0, response);
        return;
    }
    (void)snprintf(api.mount, sizeof api.mount, "/@%.*s", STR_ARGS(request->mount));
    house_equip(h, &api);
    if (request->route->where == RUN_INLINE) {
        exchange_run(request, response, &api);
    } else if (house_stranger_enter(h, request->mount)) {
        exchange_run(request, response, &api);
        house_stranger_leave(h, request->mount);
    } else {
        refuse_busy(request, response);
    }
}

void house_exchange(struct request *request, struct response *response, void *context)
{
    struct house *h = context;
    struct resident *r;

    if (request->mount.len == 0)
        exchange_run(request, response, &h->own);
    else if ((r = find(h, request->mount)))
        answer(request, response, r);
    else
        answer_stranger(h, request, response);
}

static void *tidy_now_and_then(void *context)
{
    struct house *h = context;
    struct timespec at;

    (void)pthread_mutex_lock(&h->mutex);
    while (!h->ending) {
        (void)clock_gettime(CLOCK_MONOTONIC, &at);
        at.tv_sec += (h->idle_ms < ROUND_MS ? h->idle_ms : ROUND_MS) / 1000 + 1;
        if (!h->crowded)
            (void)pthread_cond_timedwait(&h->changed, &h->mutex, &at);
        h->crowded = false;
        (void)pthread_mutex_unlock(&h->mutex);
        house_tidy(h);
        (void)pthread_mutex_lock(&h->mutex);
    }
    (void)pthread_mutex_unlock(&h->mutex);
    return NULL;
}

/* The server is known from now on to those whom a first request has let in already. */
static void introduce(struct house *h, struct server *server)
{
    (void)pthread_mutex_lock(&h->mutex);
    atomic_store(&h->own.server, server);
    for (size_t i = 0; i < h->count; i++)
        atomic_store(&h->residents[i]->api.server, server);
    (void)pthread_mutex_unlock(&h->mutex);
}

static enum err start(struct house *h, const struct api_options *o)
{
    const struct server_options options = {.listen = o->listen,
                                           .tls_cert_file = o->tls_cert,
                                           .tls_key_file = o->tls_key,
                                           .base_url = o->base_url,
                                           .proxy = o->proxy,
                                           .routes = HOUSE_ROUTES,
                                           .route_count = house_route_count(),
                                           .mounted = ROUTES,
                                           .mounted_count = route_count(),
                                           .context = h,
                                           .exchange = house_exchange,
                                           .refuse = exchange_refuse,
                                           .workers = LIMIT_WORKERS};
    struct server *server = NULL;
    enum err e;

    if ((e = api_check_developer(o)))
        return e;
    if ((h->dir_fd = open(h->dir, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
        return fs_error("opening", h->dir);
    if (!(h->signin = signin_new_shared()) || !(h->own.sessions = sessions_new()) ||
        store_new_decoy(o->cost, h->key, &h->own.store))
        return err_set(ERR_NO_MEMORY, "serving");
    if (pthread_create(&h->thread, NULL, tidy_now_and_then, h))
        return err_set(ERR_NO_MEMORY, "a thread for the house");
    h->has_thread = true;
    if (!(e = server_open(&options, &server)))
        introduce(h, server);
    return e;
}

enum err house_open(const struct house_options *options, struct house **out)
{
    struct house *h = mem_new(sizeof *h);
    enum err e;

    if (!h)
        return err_set(ERR_NO_MEMORY, "serving");
    h->dir_fd = -1;
    h->key = options->key;
    h->idle_ms = options->idle_ms;
    h->watch = options->watch;
    h->own.house = h;
    h->own.https = api_speaks_https(&options->http);
    h->own.developer = options->http.developer;
    h->own.cost = options->http.cost;
    h->own.started_at = clock_now();
    (void)pthread_mutex_init(&h->strangers_mutex, NULL);
    (void)pthread_mutex_init(&h->mutex, NULL); /* none of these can fail on Linux */
    deadline_cond_init(&h->changed);
    deadline_cond_init(&h->fewer);
    if (!(e = str_copy(str_of(options->dir), h->dir, sizeof h->dir)) && !(e = start(h, &options->http))) {
        *out = h;
        return ERR_OK;
    }
    house_close(h);
    return err_wrap(e, "serving stores");
}

const char *house_url(struct house *h) { return server_url(atomic_load(&h->own.server)); }

/* With nobody else there any more. */
static void lock_all(struct house *h)
{
    for (size_t i = 0; i < h->count; i++) {
        while (store_lock(h->residents[i]->api.store)) /* commands are told to go */
            continue;
    }
    for (struct resident *r = h->gone; r; r = r->next_gone) {
        while (store_lock(r->api.store))
            continue;
    }
}

void house_close(struct house *h)
{
    struct resident *next;

    if (!h)
        return;
    server_close(atomic_load(&h->own.server));
    (void)pthread_mutex_lock(&h->mutex);
    h->ending = true;
    (void)pthread_cond_signal(&h->changed);
    (void)pthread_mutex_unlock(&h->mutex);
    if (h->has_thread)
        (void)pthread_join(h->thread, NULL);
    lock_all(h);
    if (h->watch.ended)
        h->watch.ended(h->watch.context);
    for (size_t i = 0; i < h->count; i++)
        resident_free(h->residents[i]);
    for (; h->gone; h->gone = next) {
        next = h->gone->next_gone;
        resident_free(h->gone);
    }
    mem_free(h->residents);
    store_free(h->own.store);
    sessions_free(h->own.sessions);
    signin_free(h->signin);
    if (h->dir_fd >= 0)
        (void)close(h->dir_fd); /* only a way */
    (void)pthread_cond_destroy(&h->changed);
    (void)pthread_cond_destroy(&h->fewer);
    (void)pthread_mutex_destroy(&h->mutex);
    (void)pthread_mutex_destroy(&h->strangers_mutex);
    mem_free(h);
}
