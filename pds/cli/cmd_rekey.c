#include "pds/cli/command.h"

#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/cli/key.h"
#include "pds/cli/rekey_secrets.h"
#include "pds/crypto/random.h"
#include "pds/store/rekey.h"

const struct opt REKEY_OPTIONS[] = {
    {"passphrase-file", 0, "F", "read the passphrase from a file"},
    {"key-file", 0, "F", "a key file that shall open the store from now on; made when there is none"},
    {"drop-key-file", 0, NULL, "no key file opens it any more"},
    OPTION_KDF,
    OPTION_JSON,
    OPTIONS_END,
};

static enum err tell(struct invocation *inv, const struct secret_text *code)
{
    AUTO(json_freep) json_t *answer = NULL;

    if (command_has(inv, "json")) {
        answer = json_pack("{s:s}", "recovery_code", code->text);
        return answer ? command_json(inv, answer) : err_set(ERR_NO_MEMORY, "the answer");
    }
    (void)fprintf(inv->err,
                  "The store has another key; the passphrase is the same.\n"
                  "This recovery code takes the place of the old one, also for the backups made from "
                  "now on. It is shown once: print it, keep it apart.\n");
    (void)fprintf(inv->out, "%s\n", code->text); /* flushed below */
    return ERR_OK;
}

/* What was done stays done, whether or not it can be shown: the way on is another code. */
static enum err show(struct invocation *inv, const struct secret_text *code)
{
    enum err e = tell(inv, code);

    if (!e && (fflush(inv->out) || ferror(inv->out)))
        e = fs_error("showing", "the recovery code");
    return e ? err_wrap(e, "the store has another key, but its recovery code was not shown (traboule recover "
                           "--new-code makes one)")
             : ERR_OK;
}

enum err cmd_rekey(struct invocation *inv)
{
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    struct rekey_options options = {.drop_keyfile = command_has(inv, "drop-key-file")};
    uint8_t key[KEY_BYTES];
    bool has_key = false;
    enum err e, shown = ERR_OK;

    if ((e = key_cost(REKEY_OPTIONS, inv->opts, &options.cost)) ||
        (e = rekey_secrets_read(inv->files[0], &passphrase, key, &has_key)))
        return e;
    options.passphrase = passphrase;
    options.keyfile_key = has_key ? key : NULL;
    e = rekey_run(inv->store, &options, inv->now, &code);
    random_wipe(key, sizeof key);
    if (code)
        shown = show(inv, code);
    return e ? e : shown;
}
