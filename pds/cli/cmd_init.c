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
    {"use-key-file", 0, "F", "the same with a key file that is there, which then opens several stores"},
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

/* The bytes of the key file that the store shall have a slot for; *made is its path when it was made here. */
static enum err find_key(struct invocation *inv, uint8_t key[static KEY_BYTES], bool *given,
                         const char **made)
{
    const char *fresh = command_option(inv, "key-file"), *there = command_option(inv, "use-key-file");
    enum err e = ERR_OK;

    *given = fresh || there;
    if (fresh && there)
        return err_set(ERR_USAGE, "--key-file makes one, --use-key-file takes one that is there: not both");
    if (there)
        return key_file_read(there, key);
    if (fresh && !(e = key_file_make(fresh, key)))
        *made = fresh;
    return e;
}

enum err cmd_init(struct invocation *inv)
{
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    const char *made = NULL;
    struct passphrase_cost cost;
    uint8_t key[KEY_BYTES];
    bool given;
    enum err e;

    if ((e = key_cost(INIT_OPTIONS, inv->opts, &cost)))
        return e;
    e = key_passphrase(INIT_OPTIONS, inv->opts, false, &passphrase);
    if (e == ERR_NOT_FOUND)
        e = prompt_new_secret("Choose a passphrase (12 characters at least)", &passphrase);
    if (e || (e = passphrase_check_new(passphrase)) || (e = find_key(inv, key, &given, &made)))
        return e;
    e = store_create(inv->opts->args[0], passphrase, cost, given ? key : NULL, &code);
    random_wipe(key, sizeof key);
    if (e) {
        undo(NULL, made);
        return e;
    }
    if (!(e = tell(inv, code)) && (fflush(inv->out) || ferror(inv->out)))
        e = fs_error("showing", "the recovery code");
    if (e) /* a store whose code nobody has seen */
        undo(inv->opts->args[0], made);
    return e;
}
