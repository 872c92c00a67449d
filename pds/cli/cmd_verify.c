/* Verifying a file without any store. */
#include "pds/cli/command.h"

#include "pds/audit/verify.h"
#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"

const struct opt VERIFY_OPTIONS[] = {
    {"jwks", 0, "F", "the keys to trust, as a JWKS file"},
    {"vkey", 0, "KEY", "the key to trust, as traboule trail --vkey prints it"},
    OPTION_JSON,
    OPTIONS_END,
};

static enum err read_keys(const struct invocation *inv, struct buf *out)
{
    const char *jwks = command_option(inv, "jwks"), *vkey = command_option(inv, "vkey");

    if (jwks && vkey)
        return err_set(ERR_USAGE, "--jwks or --vkey, not both");
    if (jwks)
        return fs_read(jwks, LIMIT_NOTE_BYTES, out);
    buf_text(out, vkey ? vkey : "");
    return buf_err(out);
}

static void say(struct invocation *inv, const json_t *report)
{
    const json_t *problem, *key = json_object_get(report, "key"), *entry = json_object_get(report, "entry");
    size_t i;

    if (json_is_true(json_object_get(report, "ok")))
        (void)fprintf(inv->out, "This %s holds.\n", json_string_value(json_object_get(report, "kind")));
    json_array_foreach(json_object_get(report, "problems"), i, problem)(void)
        fprintf(inv->out, "%s: %s\n", json_string_value(json_object_get(problem, "where")),
                json_string_value(json_object_get(problem, "what")));
    if (json_integer_value(json_object_get(report, "erased")) > 0)
        (void)fprintf(inv->out,
                      "Without content, by its hash alone: %" JSON_INTEGER_FORMAT " of the lines.\n",
                      json_integer_value(json_object_get(report, "erased")));
    if (json_is_string(entry))
        (void)fprintf(inv->out, "line:   %s\n", json_string_value(entry));
    if (json_is_string(key))
        (void)fprintf(inv->out, "signed: %s\n", json_string_value(key));
    if (json_is_string(key) && !json_is_true(json_object_get(report, "trusted_key")))
        (void)fprintf(inv->out, "That key came with the file itself: compare it with one from the owner.\n");
}

enum err cmd_verify(struct invocation *inv)
{
    AUTO(buf_done) struct buf text;
    AUTO(buf_done) struct buf keys;
    AUTO(json_freep) json_t *report = NULL;
    enum err e;

    buf_init(&text, LIMIT_VERIFY_BYTES);
    buf_init(&keys, LIMIT_NOTE_BYTES);
    if ((e = read_keys(inv, &keys)) || (e = fs_read(inv->opts->args[0], LIMIT_VERIFY_BYTES, &text)))
        return e;
    e = verify_file((struct str){text.data ? text.data : "", text.len},
                    (struct str){keys.data ? keys.data : "", keys.len}, &report);
    if (!report)
        return e;
    if (!command_has(inv, "json")) {
        say(inv, report);
        return e;
    }
    return command_json(inv, report) ? ERR_IO : e;
}
