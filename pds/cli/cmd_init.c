#include "pds/cli/command.h"

#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/cli/key.h"
#include "pds/cli/prompt.h"
#include "pds/crypto/random.h"

#include <string.h>
#include <unistd.h>

const struct opt INIT_OPTIONS[] = {
    {"passphrase-file", 0, "F", "read the passphrase from a file"},
    {"key-file", 0, "F", "also make a key file, for starts without a person"},
    OPTION_KDF,
    OPTION_JSON,
    OPTIONS_END,
};

/* The code must have been shown: what lies in a buffer has not. */
static enum err tell(struct invocation *inv, const struct secret_text *code)
{
    AUTO(json_freep) json_t *answer = NULL;

    if (command_has(inv, "json")) {
        answer = json_pack("{s:s, s:s}", "store", inv->opts->args[0], "recovery_code", code->text);
        return answer ? command_json(inv, answer) : err_set(ERR_NO_MEMORY, "the answer");
    }
    (void)fprintf(inv->err,
                  "The store is made in %s.\n"
                  "This recovery code opens it when the passphrase is lost. It is shown once: print it, keep "
                  "it apart.\n",
                  inv->opts->args[0]);
    (void)fprintf(inv->out, "%s\n", code->text); /* flushed below */
    return ERR_OK;
}

/* Take back what was made. */
static void undo(const char *dir, const char *key_file)
{
    if (dir)
        store_remove(dir);
    if (key_file)
        (void)unlink(key_file); /* it opens nothing */
}

enum err cmd_init(struct invocation *inv)
{
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    const char *key_file = command_option(inv, "key-file");
    struct passphrase_cost cost;
    uint8_t key[KEY_BYTES];
    enum err e;

    if ((e = key_cost(INIT_OPTIONS, inv->opts, &cost)))
        return e;
    e = key_passphrase(INIT_OPTIONS, inv->opts, false, &passphrase);
    if (e == ERR_NOT_FOUND)
        e = prompt_new_secret("Choose a passphrase (12 characters at least)", &passphrase);
    if (e || (e = passphrase_check_new(passphrase)) || (key_file && (e = key_file_make(key_file, key))))
        return e;
    e = store_create(inv->opts->args[0], passphrase, cost, key_file ? key : NULL, &code);
    random_wipe(key, sizeof key);
    if (e) {
        undo(NULL, key_file);
        return e;
    }
    if (!(e = tell(inv, code)) && (fflush(inv->out) || ferror(inv->out)))
        e = fs_error("showing", "the recovery code");
    if (e) /* a store whose code nobody has seen */
        undo(inv->opts->args[0], key_file);
    return e;
}
