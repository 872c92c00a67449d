/* Changing how a store is opened: passphrase, recover. Both write keys.json alone, which a running daemon
 * reads at each sign-in, so they are done here in either case; what the trail tells of it, the daemon writes.
 */
#include "pds/cli/command.h"

#include "pds/base/auto.h"
#include "pds/cli/control.h"
#include "pds/cli/key.h"
#include "pds/cli/prompt.h"
#include "pds/crypto/age.h"
#include "pds/store/recipient.h"

#include <stdlib.h>
#include <unistd.h>

const struct opt PASSPHRASE_OPTIONS[] = {
    OPTIONS_KEY, {"new-passphrase-file", 0, "F", "read the new passphrase from a file"},
    OPTION_KDF,  OPTION_JSON,
    OPTIONS_END,
};

const struct opt RECOVER_OPTIONS[] = {
    {"recovery-code-file", 0, "F", "read the recovery code from a file"},
    {"passphrase-file", 0, "F", "read the new passphrase from a file"},
    {"new-passphrase-file", 0, "F", "the same"},
    {"new-code", 0, NULL, "with the passphrase: print another recovery code, in the place of the old one"},
    {"key-file", 0, "F", "for --new-code: open with a key file instead of the passphrase"},
    {"age-identity", 0, NULL, "change nothing: print the identity that opens backups with the age program"},
    OPTION_KDF,
    OPTION_JSON,
    OPTIONS_END,
};

/* In the daemon when one serves the store, else here. */
static enum err tell_somewhere(struct invocation *inv, const struct store_key *root, enum event_kind kind)
{
    const struct event event = {kind, "owner", "", NULL};
    enum err e;

    for (int tries = 0;; tries++) {
        if ((e = control_tell(store_dir(inv->store), root, kind)) != ERR_NOT_FOUND)
            return e;
        e = store_tell_with_key(inv->store, root, &event, inv->now);
        if (e != ERR_BUSY || tries == COMMAND_BUSY_TRIES)
            return e;
        (void)usleep(COMMAND_BUSY_WAIT_US); /* a daemon is starting, or another command is at work */
    }
}

/* The change is made, whatever becomes of its line. */
static void tell_changed(struct invocation *inv, const struct store_key *root, enum event_kind kind)
{
    if (tell_somewhere(inv, root, kind))
        (void)fprintf(inv->err, "The trail does not tell of it: %s.\n",
                      err_story()); /* nowhere else to tell it */
}

static enum err set_new(struct invocation *inv, const struct store_key *root,
                        const struct secret_text *passphrase, enum event_kind kind)
{
    AUTO(json_freep) json_t *answer = NULL;
    struct passphrase_cost cost;
    enum err e;

    if ((e = key_cost(inv->command->options, inv->opts, &cost)) ||
        (e = store_set_passphrase(inv->store, root, passphrase, cost)))
        return e;
    tell_changed(inv, root, kind);
    if (!command_has(inv, "json")) {
        (void)fprintf(inv->err, "The passphrase is changed.\n"); /* the status says it too */
        return ERR_OK;
    }
    answer = json_pack("{s:b}", "changed", 1);
    return answer ? command_json(inv, answer) : err_set(ERR_NO_MEMORY, "the answer");
}

enum err cmd_passphrase(struct invocation *inv)
{
    AUTO(store_key_freep) struct store_key *root = NULL;
    AUTO(secret_text_freep) struct secret_text *fresh = NULL;
    const char *file = command_option(inv, "new-passphrase-file");
    enum err e;

    if ((e = key_find(inv->store, PASSPHRASE_OPTIONS, inv->opts, true, &root, NULL)) ||
        (e = file ? prompt_file(file, &fresh)
                  : prompt_new_secret("New passphrase (12 characters at least)", &fresh)))
        return e;
    return set_new(inv, root, fresh, EVENT_PASSPHRASE_CHANGED);
}

/* What opens the store's backups with the age program. It goes to standard output, alone. */
static enum err tell_identity(struct invocation *inv, const struct store_key *root,
                              const struct secret_text *code)
{
    AUTO(age_identity_freep) struct age_identity *identity = NULL;
    AUTO(secret_text_freep) struct secret_text *text = NULL;
    AUTO(json_freep) json_t *answer = NULL;
    enum err e;

    if ((e = age_identity_of(code, &identity)) || (e = age_identity_text(identity, &text)))
        return e;
    if (recipient_keep_in(inv->store, root, code, inv->now)) /* the identity is right all the same */
        (void)fprintf(inv->err,
                      "Whether the store knows whom its backups are sealed to could not be seen: %s.\n",
                      err_story());
    if (command_has(inv, "json")) {
        answer = json_pack("{s:s}", "age_identity", text->text);
        return answer ? command_json(inv, answer) : err_set(ERR_NO_MEMORY, "the answer");
    }
    (void)fprintf(inv->out, "%s\n", text->text); /* flushed by who called */
    return ERR_OK;
}

static enum err new_passphrase(struct invocation *inv, struct secret_text **out)
{
    const char *file = command_option(inv, "new-passphrase-file");

    if (!file)
        file = command_option(inv, "passphrase-file");
    if (!file)
        file = getenv("TRABOULE_PASSPHRASE_FILE");
    return file ? prompt_file(file, out) : prompt_new_secret("New passphrase (12 characters at least)", out);
}

/* The store is open: the passphrase did that. The code is on nobody's screen until it was written there. */
static enum err renew_code(struct invocation *inv)
{
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    AUTO(json_freep) json_t *answer = NULL;
    enum err e;

    if ((e = store_renew_code(inv->store, inv->now, &code)))
        return e;
    if (command_has(inv, "json")) {
        answer = json_pack("{s:s}", "recovery_code", code->text);
        return answer ? command_json(inv, answer) : err_set(ERR_NO_MEMORY, "the answer");
    }
    (void)fprintf(inv->err,
                  "This recovery code takes the place of the old one, also for the backups made from now "
                  "on. It is shown once: print it, keep it apart.\n");
    (void)fprintf(inv->out, "%s\n", code->text); /* flushed by who called */
    return ERR_OK;
}

enum err cmd_recover(struct invocation *inv)
{
    AUTO(store_key_freep) struct store_key *root = NULL;
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    AUTO(secret_text_freep) struct secret_text *fresh = NULL;
    enum err e;

    if (command_has(inv, "new-code"))
        return renew_code(inv);
    if (command_has(inv, "key-file"))
        return err_set(ERR_USAGE, "--key-file goes with --new-code");
    if ((e = key_recovery_code(RECOVER_OPTIONS, inv->opts, &code)) ||
        (e = store_key_of_recovery(inv->store, code, &root)))
        return e;
    if (command_has(inv, "age-identity"))
        return tell_identity(inv, root, code);
    if ((e = new_passphrase(inv, &fresh)))
        return e;
    return set_new(inv, root, fresh, EVENT_RECOVERY_USED);
}
