/* Changing how a store is opened: passphrase, recover. Both write keys.json alone, which a running daemon
 * reads at each sign-in, so they are done here in either case. */
#include "pds/cli/command.h"

#include "pds/base/auto.h"
#include "pds/cli/key.h"
#include "pds/cli/prompt.h"

#include <stdlib.h>

const struct opt PASSPHRASE_OPTIONS[] = {
    OPTIONS_KEY, {"new-passphrase-file", 0, "F", "read the new passphrase from a file"},
    OPTION_KDF,  OPTION_JSON,
    OPTIONS_END,
};

const struct opt RECOVER_OPTIONS[] = {
    {"recovery-code-file", 0, "F", "read the recovery code from a file"},
    {"passphrase-file", 0, "F", "read the new passphrase from a file"},
    {"new-passphrase-file", 0, "F", "the same"},
    OPTION_KDF,
    OPTION_JSON,
    OPTIONS_END,
};

static enum err set_new(struct invocation *inv, const struct store_key *root,
                        const struct secret_text *passphrase)
{
    AUTO(json_freep) json_t *answer = NULL;
    struct passphrase_cost cost;
    enum err e;

    if ((e = key_cost(inv->command->options, inv->opts, &cost)) ||
        (e = store_set_passphrase(inv->store, root, passphrase, cost)))
        return e;
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
    return set_new(inv, root, fresh);
}

enum err cmd_recover(struct invocation *inv)
{
    AUTO(store_key_freep) struct store_key *root = NULL;
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    AUTO(secret_text_freep) struct secret_text *fresh = NULL;
    const char *code_file = command_option(inv, "recovery-code-file"),
               *file = command_option(inv, "new-passphrase-file");
    enum err e;

    if (!code_file)
        code_file = getenv("TRABOULE_RECOVERY_CODE_FILE");
    if (!file)
        file = command_option(inv, "passphrase-file");
    if (!file)
        file = getenv("TRABOULE_PASSPHRASE_FILE");
    if ((e = code_file ? prompt_file(code_file, &code) : prompt_secret("Recovery code", &code)) ||
        (e = store_key_of_recovery(inv->store, code, &root)) ||
        (e = file ? prompt_file(file, &fresh)
                  : prompt_new_secret("New passphrase (12 characters at least)", &fresh)))
        return e;
    return set_new(inv, root, fresh);
}
