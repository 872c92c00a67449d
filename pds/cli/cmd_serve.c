#include "pds/cli/command.h"

#include "pds/api/api.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/log.h"
#include "pds/cli/control.h"
#include "pds/cli/key.h"
#include "pds/cli/porter.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DESCRIPTORS = 8192, IDLE_MINUTES_MAX = 24 * 60 };

const struct opt SERVE_OPTIONS[] = {
    {"stores", 0, "DIR", "serve every store in DIR, each under /@name/, instead of one STORE"},
    {"idle-minutes", 0, "N", "close one of --stores that nobody uses for so long: 1 to 1440 (15)"},
    {"listen", 0, "HOST:PORT", "address to listen on (127.0.0.1:8765); port 0 takes a free one"},
    {"tls-cert", 0, "F", "certificate chain, PEM; needed off loopback unless a proxy is declared"},
    {"tls-key", 0, "F", "its private key, PEM"},
    {"base-url", 0, "URL", "the address that browsers use, when it is another"},
    {"proxy", 0, "ADDRESS", "a reverse proxy whose X-Forwarded-For counts"},
    {"developer", 0, NULL, "for who writes a service: plain http and open registration; loopback only"},
    OPTION_KDF,
    OPTIONS_KEY,
    OPTIONS_END,
};

/* Nobody signs in where a key lies ready: the trail tells that the store was opened. One that is full or
 * damaged is served all the same. */
static enum err tell_opened(struct invocation *inv)
{
    struct event opened = {EVENT_OPENED, "owner", command_has(inv, "key-file") ? "key file" : "passphrase",
                           NULL};
    enum err e = store_tell(inv->store, &opened, inv->now);

    if (e)
        log_failure("trail", e);
    return ERR_OK;
}

/* Open with the key that was given; without one the store stays locked until its owner signs in. */
static enum err unlock(struct invocation *inv)
{
    AUTO(store_key_freep) struct store_key *root = NULL;
    enum err e = key_find(inv->store, SERVE_OPTIONS, inv->opts, false, &root, NULL);

    if (e == ERR_NOT_FOUND && !command_has(inv, "key-file"))
        return ERR_OK;
    for (int tries = 0; !e; tries++) {
        if ((e = store_unlock(inv->store, root, inv->now)) != ERR_BUSY || tries == COMMAND_BUSY_TRIES)
            break;
        (void)usleep(COMMAND_BUSY_WAIT_US); /* a command is at work */
        e = ERR_OK;
    }
    return e ? e : tell_opened(inv);
}

static enum err wait_for_end(void)
{
    sigset_t ends;
    int got;

    (void)sigemptyset(&ends); /* cannot fail on a set of ours */
    (void)sigaddset(&ends, SIGINT);
    (void)sigaddset(&ends, SIGTERM);
    return sigwait(&ends, &got) ? err_set(ERR_INTERNAL, "waiting for a signal") : ERR_OK;
}

/* Every thread leaves these signals to wait_for_end(): block them before the first starts. */
static void block_ends(void)
{
    sigset_t ends;

    (void)sigemptyset(&ends); /* cannot fail on a set of ours */
    (void)sigaddset(&ends, SIGINT);
    (void)sigaddset(&ends, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &ends, NULL);
}

static enum err read_options(struct invocation *inv, struct api_options *out)
{
    const char *listen = command_option(inv, "listen");

    *out = (struct api_options){.listen = listen ? listen : "127.0.0.1:8765",
                                .tls_cert = command_option(inv, "tls-cert"),
                                .tls_key = command_option(inv, "tls-key"),
                                .base_url = command_option(inv, "base-url"),
                                .proxy = command_option(inv, "proxy"),
                                .developer = command_has(inv, "developer")};
    if (!out->tls_cert != !out->tls_key)
        return err_set(ERR_USAGE, "--tls-cert and --tls-key go together");
    if (command_has(inv, "stores") == (inv->opts->arg_count > 0))
        return err_set(ERR_USAGE, "expected: traboule serve STORE, or traboule serve --stores DIR");
    return key_cost(SERVE_OPTIONS, inv->opts, &out->cost);
}

/* What is served, and where; then until a signal. */
static enum err serve_until_end(struct invocation *inv, const char *what, const char *url)
{
    enum err e;

    (void)fprintf(inv->out, "serving %s at %s/\n", what, url);
    (void)fflush(inv->out); /* whoever reads it waits for the address */
    log_event(LOG_INFO, "serving", NULL);
    e = wait_for_end();
    log_event(LOG_INFO, "stopping", NULL);
    return e;
}

static enum err serve_one(struct invocation *inv, const struct api_options *options)
{
    AUTO(store_freep) struct store *store = NULL;
    AUTO(control_closep) struct control *control = NULL;
    struct api *api = NULL;
    enum err e;

    if ((e = store_new(inv->opts->args[0], &store)))
        return e;
    inv->store = store;
    if (!(e = control_open(store, &control)) && !(e = unlock(inv)) && !(e = api_open(store, options, &api))) {
        e = serve_until_end(inv, store_is_open(store) ? "an open store" : "a locked store", api_url(api));
        api_close(api);
    }
    inv->store = NULL; /* it ends here */
    return e;
}

/* Each open store holds some descriptors, more than what a process is given at first. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= DESCRIPTORS)
        return;
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* what is refused is missed only when all are open */
}

/* The key file of --stores; NULL without one. */
static enum err read_key(struct invocation *inv, struct house_key **out)
{
    AUTO(house_key_freep) struct house_key *key = NULL;
    const char *path = command_option(inv, "key-file");
    enum err e;

    if (!path)
        return ERR_OK;
    if (!(key = house_key_new()))
        return err_set(ERR_NO_MEMORY, "the key file");
    if ((e = key_file_read(path, key->bytes)))
        return e;
    *out = key;
    key = NULL; /* the caller's now */
    return ERR_OK;
}

static enum err read_idle(struct invocation *inv, int64_t *out_ms)
{
    const char *word = command_option(inv, "idle-minutes");
    int64_t minutes;

    *out_ms = LIMIT_STORE_IDLE_S * 1000;
    if (!word)
        return ERR_OK;
    if (str_int64(str_of(word), &minutes) || minutes < 1 || minutes > IDLE_MINUTES_MAX)
        return err_set(ERR_USAGE, "--idle-minutes is no number from 1 to %d", IDLE_MINUTES_MAX);
    *out_ms = minutes * 60000;
    return ERR_OK;
}

static enum err serve_many(struct invocation *inv, const struct api_options *options)
{
    AUTO(house_key_freep) struct house_key *key = NULL;
    AUTO(porter_freep) struct porter *porter = porter_new();
    struct house_options h = {.http = *options, .dir = command_option(inv, "stores")};
    struct house *house = NULL;
    enum err e;

    if (!porter)
        return err_set(ERR_NO_MEMORY, "serving stores");
    if (command_has(inv, "passphrase-file"))
        return err_set(ERR_USAGE, "each of --stores has a passphrase of its own; --key-file opens many");
    raise_descriptors();
    h.watch = porter_watch(porter);
    if ((e = read_key(inv, &key)) || (e = read_idle(inv, &h.idle_ms)))
        return e;
    h.key = key;
    if ((e = house_open(&h, &house)))
        return e;
    e = serve_until_end(inv, "stores", house_url(house));
    house_close(house);
    return e;
}

enum err cmd_serve(struct invocation *inv)
{
    struct api_options options;
    enum err e;

    if ((e = read_options(inv, &options)))
        return e;
    block_ends();
    return command_has(inv, "stores") ? serve_many(inv, &options) : serve_one(inv, &options);
}
