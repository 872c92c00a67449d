#include "pds/cli/command.h"

#include "pds/api/api.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/log.h"
#include "pds/cli/control.h"
#include "pds/cli/key.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

const struct opt SERVE_OPTIONS[] = {
    {"listen", 0, "HOST:PORT", "address to listen on (127.0.0.1:8765); port 0 takes a free one"},
    {"tls-cert", 0, "F", "certificate chain, PEM; needed off loopback unless a proxy is declared"},
    {"tls-key", 0, "F", "its private key, PEM"},
    {"base-url", 0, "URL", "the address that browsers use, when it is another"},
    {"proxy", 0, "ADDRESS", "a reverse proxy whose X-Forwarded-For counts"},
    OPTION_KDF,
    OPTIONS_KEY,
    OPTIONS_END,
};

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
    return e;
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

enum err cmd_serve(struct invocation *inv)
{
    const char *listen = command_option(inv, "listen");
    struct api_options options = {.listen = listen ? listen : "127.0.0.1:8765",
                                  .tls_cert = command_option(inv, "tls-cert"),
                                  .tls_key = command_option(inv, "tls-key"),
                                  .base_url = command_option(inv, "base-url"),
                                  .proxy = command_option(inv, "proxy")};
    AUTO(control_closep) struct control *control = NULL;
    struct api *api = NULL;
    enum err e;

    if (!options.tls_cert != !options.tls_key)
        return err_set(ERR_USAGE, "--tls-cert and --tls-key go together");
    if ((e = key_cost(SERVE_OPTIONS, inv->opts, &options.cost)))
        return e;
    block_ends();
    if ((e = control_open(inv->store, &control)) || (e = unlock(inv)) ||
        (e = api_open(inv->store, &options, &api)))
        return e;
    (void)fprintf(inv->out, "serving %s at %s/\n",
                  store_is_open(inv->store) ? "an open store" : "a locked store", api_url(api));
    (void)fflush(inv->out); /* whoever reads it waits for the address */
    log_event(LOG_INFO, "serving", NULL);
    e = wait_for_end();
    log_event(LOG_INFO, "stopping", NULL);
    api_close(api);
    return e;
}
