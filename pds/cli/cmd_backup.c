/* A store as one sealed file, and out of it. */
#include "pds/cli/command.h"

#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/cli/key.h"
#include "pds/cli/prompt.h"
#include "pds/crypto/age.h"
#include "pds/crypto/random.h"
#include "pds/portable/backup.h"
#include "pds/portable/restore.h"

#include <fcntl.h>
#include <unistd.h>

const struct opt BACKUP_OPTIONS[] = {
    {"output", 'o', "FILE", "the file to write, sealed to the recovery code"},
    {"with-passphrase-file", 0, "FILE", "seal it to the passphrase in this file instead"},
    OPTIONS_KEY,
    OPTION_JSON,
    OPTIONS_END,
};

const struct opt RESTORE_OPTIONS[] = {
    {"recovery-code-file", 0, "F", "read the recovery code, or an AGE-SECRET-KEY-1…, from a file"},
    {"with-passphrase-file", 0, "F", "the backup was sealed to the passphrase in this file"},
    {"passphrase-file", 0, "F", "read the passphrase that the store shall have from a file"},
    {"key-file", 0, "F", "also make a key file, for starts without a person"},
    OPTION_KDF,
    OPTION_JSON,
    OPTIONS_END,
};

static json_int_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

enum err cmd_backup(struct invocation *inv)
{
    AUTO(json_freep) json_t *answer = NULL;
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    enum err e;

    if (inv->output < 0)
        return err_set(ERR_USAGE, "a backup needs -o FILE");
    if ((inv->input >= 0 &&
         ((e = prompt_fd(inv->input, &passphrase)) || (e = passphrase_check_new(passphrase)))) ||
        (e = backup_make(inv->store, inv->output, passphrase, inv->now, &answer)))
        return e;
    if (command_has(inv, "json"))
        return command_json(inv, answer);
    (void)fprintf(inv->out,
                  "%" JSON_INTEGER_FORMAT " bytes, %" JSON_INTEGER_FORMAT
                  " files, read back and whole. It opens "
                  "with %s.\n",
                  number_of(answer, "bytes"), number_of(answer, "files"),
                  passphrase ? "its passphrase" : "the recovery code"); /* flushed by who called */
    return ERR_OK;
}

/* What opens a backup. */
struct opener {
    struct secret_text *text;      /* a code or a passphrase; owned */
    struct age_identity *identity; /* owned */
};

static void opener_done(struct opener *o)
{
    secret_text_free(o->text);
    age_identity_free(o->identity);
}

/* A recovery code, or the identity that one derives, as text: the latter says what it is. */
static enum err read_code(struct opener *o, struct restore_keys *keys)
{
    struct str text = str_trim((struct str){o->text->text, o->text->len});
    enum err e;

    if (!str_starts_nocase(text, STR("AGE-SECRET-KEY-1"))) {
        keys->recovery_code = o->text;
        return ERR_OK;
    }
    if ((e = age_identity_read(o->text, &o->identity)))
        return e;
    keys->identity = o->identity;
    return ERR_OK;
}

static enum err find_opener(struct invocation *inv, struct opener *o, struct restore_keys *keys)
{
    const char *with = command_option(inv, "with-passphrase-file");
    enum err e;

    if (with) {
        if ((e = prompt_file(with, &o->text)))
            return e;
        keys->backup_passphrase = o->text;
        return ERR_OK;
    }
    if ((e = key_recovery_code(RESTORE_OPTIONS, inv->opts, &o->text)))
        return e;
    return read_code(o, keys);
}

static enum err tell_restored(struct invocation *inv, json_t *answer, const struct secret_text *code)
{
    if (command_has(inv, "json")) {
        if (code && json_object_set_new(answer, "recovery_code", json_string(code->text)))
            return err_set(ERR_NO_MEMORY, "the answer");
        return command_json(inv, answer);
    }
    (void)fprintf(inv->err,
                  "The store is restored in %s: %" JSON_INTEGER_FORMAT " files, all of it verified.\n",
                  inv->opts->args[1], number_of(answer, "files")); /* nowhere else to tell it */
    if (code) {
        (void)fprintf(inv->err,
                      "This is its new recovery code. It is shown once: print it, keep it apart.\n");
        (void)fprintf(inv->out, "%s\n", code->text); /* flushed below */
    }
    return ERR_OK;
}

/* With the keys at hand. */
static enum err run_restore(struct invocation *inv, int fd, const struct restore_keys *keys)
{
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    AUTO(json_freep) json_t *answer = NULL;
    enum err e;

    if ((e = restore_make(fd, inv->opts->args[1], keys, inv->now, &code, &answer)))
        return e;
    if (!(e = tell_restored(inv, answer, code)) && (fflush(inv->out) || ferror(inv->out)))
        e = fs_error("showing", "the recovery code");
    if (e && code) /* a store whose code nobody has seen: the backup is still there */
        store_remove(inv->opts->args[1]);
    return e;
}

enum err cmd_restore(struct invocation *inv)
{
    AUTO(opener_done) struct opener opener = {0};
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    AUTO(fs_closep) int fd = open(inv->opts->args[0], O_RDONLY | O_CLOEXEC);
    const char *key_file = command_option(inv, "key-file");
    struct restore_keys keys = {0};
    uint8_t key[KEY_BYTES];
    enum err e;

    if (fd < 0)
        return fs_error("opening", inv->opts->args[0]);
    if ((e = key_cost(RESTORE_OPTIONS, inv->opts, &keys.cost)) || (e = find_opener(inv, &opener, &keys)))
        return e;
    e = key_passphrase(RESTORE_OPTIONS, inv->opts, false, &passphrase);
    if (e == ERR_NOT_FOUND)
        e = prompt_new_secret("Choose a passphrase for the store (12 characters at least)", &passphrase);
    if (e || (e = passphrase_check_new(passphrase)) || (key_file && (e = key_file_make(key_file, key))))
        return e;
    keys.passphrase = passphrase;
    keys.keyfile_key = key_file ? key : NULL;
    e = run_restore(inv, fd, &keys);
    random_wipe(key, sizeof key);
    if (e && key_file)
        (void)unlink(key_file); /* it opens nothing */
    return e;
}
