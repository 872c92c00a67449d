#include "pds/cli/command.h"

#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/clock.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/cli/control.h"
#include "pds/cli/key.h"
#include "pds/cli/rekey_secrets.h"
#include "pds/crypto/random.h"
#include "pds/store/dataset.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

const struct command COMMANDS[] = {
    {"init", "STORE", "make a store; prints the recovery code once", INIT_OPTIONS, 1, 1, 0, NULL, NULL,
     NEED_NOTHING, cmd_init},
    {"serve", "STORE", "serve the owner's pages; without a key the store starts locked", SERVE_OPTIONS, 0, 1,
     0, NULL, NULL, NEED_NOTHING, cmd_serve},
    {"import", "STORE FILE...", "put files of a provider into the store", IMPORT_OPTIONS, 2,
     1 + LIMIT_FILES_IMPORT, 1, NULL, NULL, NEED_OPEN, cmd_import},
    {"query", "STORE DATASET", "read a dataset, as it is or by steps", QUERY_OPTIONS, 2, 2, 0, NULL, NULL,
     NEED_OPEN, cmd_query},
    {"datasets", "STORE", "list the datasets, and what the store has of each", LIST_OPTIONS, 1, 1, 0, NULL,
     NULL, NEED_OPEN, cmd_datasets},
    {"sources", "STORE", "list where the data comes from", PAGE_OPTIONS, 1, 1, 0, NULL, NULL, NEED_OPEN,
     cmd_sources},
    {"imports", "STORE [undo ID]", "list the imports, or take one back", PAGE_OPTIONS, 1, 3, 0, NULL, NULL,
     NEED_OPEN, cmd_imports},
    {"documents", "STORE [add FILE|get ID|find WORDS...|delete ID]",
     "list the documents, put one in, take its file out, find, delete", DOCUMENTS_OPTIONS, 1,
     2 + LIMIT_FILES_IMPORT, 2, "add", "output", NEED_OPEN, cmd_documents},
    {"trail", "STORE", "read the trail of what happened, with the proofs that it is whole", TRAIL_OPTIONS, 1,
     1, 0, NULL, NULL, NEED_OPEN, cmd_trail},
    {"verify", "FILE", "verify a trail, a checkpoint or a proof, without any store", VERIFY_OPTIONS, 1, 1, 0,
     NULL, NULL, NEED_NOTHING, cmd_verify},
    {"export", "STORE -o FILE.zip", "write all of the store into one file, in open formats", EXPORT_OPTIONS,
     1, 1, 0, NULL, "output", NEED_OPEN, cmd_export},
    {"merge", "STORE FILE.zip", "put in what another store exported; nothing is erased", MERGE_OPTIONS, 2, 2,
     1, NULL, NULL, NEED_OPEN, cmd_merge},
    {"backup", "STORE -o FILE", "write all of the store into one file, sealed to its recovery code",
     BACKUP_OPTIONS, 1, 1, 0, NULL, "output", NEED_OPEN, cmd_backup},
    {"restore", "FILE STORE", "make a store out of a backup, where none is", RESTORE_OPTIONS, 2, 2, 0, NULL,
     NULL, NEED_NOTHING, cmd_restore},
    {"erase", "STORE", "erase a dataset, a source or everything, for good", ERASE_OPTIONS, 1, 1, 0, NULL,
     NULL, NEED_OPEN, cmd_erase},
    {"check", "STORE", "read everything and say what is damaged", CHECK_OPTIONS, 1, 1, 0, NULL, NULL,
     NEED_TRY, cmd_check},
    {"passphrase", "STORE", "change the passphrase", PASSPHRASE_OPTIONS, 1, 1, 0, NULL, NULL, NEED_STORE,
     cmd_passphrase},
    {"rekey", "STORE", "give the store another key: everything is encrypted again", REKEY_OPTIONS, 1, 1, 0,
     NULL, NULL, NEED_ALONE, cmd_rekey},
    {"recover", "STORE", "set a new passphrase with the recovery code", RECOVER_OPTIONS, 1, 1, 0, NULL, NULL,
     NEED_STORE, cmd_recover},
    {"bench", "STORE", "measure this machine with a throw-away store beside STORE", BENCH_OPTIONS, 1, 1, 0,
     NULL, NULL, NEED_NOTHING, cmd_bench},
    {0},
};

static void print_help(FILE *to)
{
    (void)fprintf(to, "traboule: a personal data store that its owner hosts\n\nusage: traboule COMMAND "
                      "ARGUMENTS [OPTIONS]\n\n");
    for (const struct command *c = COMMANDS; c->name; c++)
        (void)fprintf(to, "  %-10s %-16s %s\n", c->name, c->arguments, c->meaning);
    (void)fprintf(to, "\n\"traboule COMMAND --help\" tells the options. The passphrase comes from a question "
                      "at the terminal,\n"
                      "--passphrase-file F, $TRABOULE_PASSPHRASE_FILE or $CREDENTIALS_DIRECTORY/traboule.\n"
                      "Exit status: 0 done, 1 failed, 2 usage, 3 damaged, 4 wrong key.\n");
}

static void print_command_help(FILE *to, const struct command *c)
{
    (void)fprintf(to, "usage: traboule %s %s [OPTIONS]\n%s\n\n", c->name, c->arguments, c->meaning);
    for (const struct opt *o = c->options; o->name; o++) {
        char left[48], letter[8] = "";

        if (o->letter)
            (void)snprintf(letter, sizeof letter, "-%c, ", o->letter);
        (void)snprintf(left, sizeof left, "%s--%s%s%s", letter, o->name, o->value ? " " : "",
                       o->value ? o->value : "");
        (void)fprintf(to, "  %-26s %s\n", left, o->meaning);
    }
}

static const struct command *find(const char *name)
{
    for (const struct command *c = COMMANDS; c->name; c++) {
        if (strcmp(c->name, name) == 0)
            return c;
    }
    return NULL;
}

const char *command_option(const struct invocation *inv, const char *name)
{
    return opt_get(inv->command->options, inv->opts, name);
}

bool command_has(const struct invocation *inv, const char *name)
{
    return opt_has(inv->command->options, inv->opts, name);
}

/* What kept a stream from being written: the daemon's give up when the store is being locked. */
static enum err write_error(void)
{
    return errno == ECANCELED ? err_set(ERR_LOCKED, "the store is being locked")
                              : fs_error("writing", "the answer");
}

enum err command_write(struct invocation *inv, const char *bytes, size_t len)
{
    return fwrite(bytes, 1, len, inv->out) == len ? ERR_OK : write_error();
}

enum { SMALL_ANSWER_BYTES = 1024 };

enum err command_json(struct invocation *inv, const json_t *tree)
{
    AUTO(buf_done) struct buf text;
    enum err e;

    buf_init(&text, 64 * MIB);
    (void)buf_reserve(&text, SMALL_ANSWER_BYTES); /* one with a recovery code does not move, and is wiped */
    json_write(&text, tree);
    buf_char(&text, '\n');
    if (!(e = buf_err(&text)))
        e = command_write(inv, text.data, text.len);
    if (text.data)
        explicit_bzero(text.data, text.len);
    return e;
}

/* Parse and check what stands behind the command's name. */
static enum err parse(const struct command *c, int argc, char *const argv[], struct opts *opts)
{
    if (opt_parse(c->options, argc, argv, opts))
        return err_wrap(ERR_USAGE, "traboule %s --help tells the options", c->name);
    if (opts->arg_count < c->min_args || opts->arg_count > c->max_args)
        return err_set(ERR_USAGE, "expected: traboule %s %s", c->name, c->arguments);
    return ERR_OK;
}

/* Tell a failure, once, and give the exit status. */
static int finish(const struct command *c, enum err e, FILE *out, FILE *err)
{
    if (fflush(out) && !e)
        e = write_error();
    if (e)
        (void)fprintf(err, "traboule %s: %s\n", c->name, err_story()); /* nowhere else to tell it */
    return err_row(e)->exit;
}

/* With these options a command needs the open store, whatever it needs without. */
static const struct {
    const char *command, *option;
} OPEN_WITH[] = {{"recover", "new-code"}};

static enum command_need need_of(const struct command *c, const struct opts *opts)
{
    for (size_t i = 0; i < sizeof OPEN_WITH / sizeof *OPEN_WITH; i++) {
        if (strcmp(c->name, OPEN_WITH[i].command) == 0 && opt_has(c->options, opts, OPEN_WITH[i].option))
            return NEED_OPEN;
    }
    return c->need;
}

static bool runs_open(const struct command *c, const struct opts *opts)
{
    enum command_need need = need_of(c, opts);

    return need == NEED_OPEN || need == NEED_TRY;
}

bool command_is_alone(int argc, char *const argv[])
{
    const struct command *c = argc > 1 ? find(argv[1]) : NULL;

    return c && c->need == NEED_ALONE;
}

/* How many of the arguments are files. */
static size_t file_arguments(const struct command *c, const struct opts *opts)
{
    if (c->first_file == 0 || opts->arg_count <= c->first_file ||
        (c->file_verb && strcmp(opts->args[1], c->file_verb) != 0))
        return 0;
    return opts->arg_count - c->first_file;
}

static const char *output_path(const struct command *c, const struct opts *opts)
{
    return c->output ? opt_get(c->options, opts, c->output) : NULL;
}

/* The file that an option names, to be read. */
static const char *input_path(const struct command *c, const struct opts *opts)
{
    for (const struct opt *o = c->options; o->name; o++) {
        if (o->value && strcmp(o->value, "FILE") == 0 && !(c->output && strcmp(c->output, o->name) == 0))
            return opt_get(c->options, opts, o->name);
    }
    return NULL;
}

/* The descriptor of the output comes last, that of the input before it; false when one should have come, and
 * did not. */
static bool has_output(struct invocation *inv)
{
    inv->output = -1;
    if (!output_path(inv->command, inv->opts))
        return true;
    if (inv->file_count == 0)
        return false;
    inv->output = inv->files[--inv->file_count];
    return true;
}

static bool has_input(struct invocation *inv)
{
    inv->input = -1;
    if (!input_path(inv->command, inv->opts))
        return true;
    if (inv->file_count == 0)
        return false;
    inv->input = inv->files[--inv->file_count];
    return true;
}

/* Parse argv again and run; *inv has its store, files and streams. */
static int run_parsed(int argc, char *const argv[], struct invocation *inv)
{
    const struct command *c = argc > 1 ? find(argv[1]) : NULL;
    struct opts opts;
    enum err e;

    if (!c) {
        (void)fprintf(inv->err, "traboule: this command does not run in the daemon\n");
        return err_row(ERR_USAGE)->exit;
    }
    if (inv->root && c->need != NEED_TRY)
        return finish(c, ERR_CORRUPT, inv->out, inv->err); /* the story is that of the opening */
    inv->command = c;
    inv->opts = &opts;
    inv->now = store_now(inv->store, clock_now());
    if (!(e = parse(c, argc - 2, argv + 2, &opts))) {
        if (c->need != NEED_ALONE && !runs_open(c, &opts))
            e = err_set(ERR_USAGE, "this command does not run in the daemon");
        else if (c->need == NEED_ALONE
                     ? inv->file_count != 1
                     : !has_output(inv) || !has_input(inv) || file_arguments(c, &opts) != inv->file_count)
            e = err_set(ERR_INVALID, "files are missing");
        else
            e = c->run(inv);
    }
    inv->opts = NULL; /* it ends with this function */
    return finish(c, e, inv->out, inv->err);
}

int command_run_open(int argc, char *const argv[], struct store *store, const struct store_key *root,
                     const int *files, size_t file_count, FILE *out, FILE *err)
{
    struct invocation inv = {
        .store = store, .root = root, .files = files, .file_count = file_count, .out = out, .err = err};

    return run_parsed(argc, argv, &inv);
}

/* What the caller opens for the command, wherever it runs. */
struct opened {
    int files[LIMIT_FILES_IMPORT + 2]; /* those of the arguments, then the input, then the output */
    size_t count;
    struct fs_draft output; /* its fd is -1 when there is none */
};

/* The output of a command that failed is not kept. */
static void opened_done(struct opened *o) { fs_draft_drop(&o->output); }

static enum err open_file(const char *path, struct opened *o)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return fs_error("opening", path);
    o->files[o->count++] = fd;
    return ERR_OK;
}

static enum err open_files(const struct command *c, const struct opts *opts, struct opened *o)
{
    size_t count = file_arguments(c, opts);
    const char *output = output_path(c, opts), *input = input_path(c, opts);
    enum err e;

    for (size_t i = 0; i < count; i++) {
        if ((e = open_file(opts->args[c->first_file + i], o)))
            return e;
    }
    if (input && (e = open_file(input, o)))
        return e;
    if (!output)
        return ERR_OK;
    if (fs_is_within(output, opts->args[0])) /* the store's own files among them */
        return err_set(ERR_CONFLICT, "%s is in the store's folder, where nothing else may lie", output);
    if ((e = fs_draft_new(output, &o->output)))
        return e;
    o->files[o->count++] = o->output.fd;
    return ERR_OK;
}

/* In the daemon when one serves the store, else here. */
static enum err run_somewhere(const struct command *c, int argc, char *const argv[], const struct opts *opts,
                              const struct opened *o, int *status)
{
    AUTO(store_freep) struct store *store = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL;
    struct invocation inv;
    enum err e;

    if ((e = store_new(opts->args[0], &store)) || (e = key_find(store, c->options, opts, true, &root, NULL)))
        return e;
    for (int tries = 0;; tries++) {
        e = control_call(opts->args[0], root, argc, argv, o->files, o->count, status);
        if (e != ERR_NOT_FOUND)
            return e;
        if ((e = store_unlock(store, root, clock_now())) != ERR_BUSY || tries == COMMAND_BUSY_TRIES)
            break;
        (void)usleep(COMMAND_BUSY_WAIT_US); /* a daemon is starting, or another command is at work */
    }
    inv = (struct invocation){
        .store = store, .files = o->files, .file_count = o->count, .out = stdout, .err = stderr};
    if (e && e != ERR_CORRUPT)
        return e;
    inv.root = e ? root : NULL;
    *status = run_parsed(argc, argv, &inv);
    return ERR_OK;
}

static enum err run_open(const struct command *c, int argc, char *const argv[], const struct opts *opts,
                         int *status)
{
    AUTO(opened_done) struct opened o = {.output.fd = -1};
    enum err e;

    if ((e = open_files(c, opts, &o)) || (e = run_somewhere(c, argc, argv, opts, &o, status)))
        return e;
    return *status == 0 && o.output.fd >= 0 ? fs_draft_keep(&o.output) : ERR_OK;
}

/* In the daemon when one serves the store, else here; what the command must know of secrets goes along. */
static enum err run_alone(const struct command *c, int argc, char *const argv[], const struct opts *opts,
                          int *status)
{
    AUTO(store_freep) struct store *store = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL;
    AUTO(rekey_secrets_done) struct rekey_secrets secrets = {.fd = -1};
    enum err e;

    if ((e = store_new(opts->args[0], &store)) ||
        (e = rekey_secrets_find(store, c->options, opts, &secrets, &root)))
        return e;
    secrets.used = true; /* for all we know, also when the daemon goes away before it answers */
    if ((e = control_call(opts->args[0], root, argc, argv, &secrets.fd, 1, status)) == ERR_NOT_FOUND) {
        *status = command_run_open(argc, argv, store, NULL, &secrets.fd, 1, stdout, stderr);
        e = ERR_OK;
    }
    if (!e && *status != 0)
        secrets.used = rekey_secrets_open(&secrets, store);
    return e;
}

static enum err run_here(const struct command *c, const struct opts *opts)
{
    AUTO(store_freep) struct store *store = NULL;
    struct invocation inv = {.command = c,
                             .opts = opts,
                             .output = -1,
                             .input = -1,
                             .out = stdout,
                             .err = stderr,
                             .now = clock_now()};
    enum err e;

    if (c->need == NEED_STORE && (e = store_new(opts->args[0], &store)))
        return e;
    inv.store = store;
    return c->run(&inv);
}

/* No core files, no reading of our memory by others of the same user, files for this user alone. */
static void harden(void)
{
    static const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE,
                    &none); /* what the kernel refuses, it refuses to a less private process too */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)umask(077);
    (void)signal(SIGPIPE, SIG_IGN);
}

static bool wants_help(int argc, char *const argv[])
{
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0)
            return true;
    }
    return false;
}

int command_main(int argc, char *const argv[])
{
    const struct command *c = argc > 1 ? find(argv[1]) : NULL;
    struct opts opts;
    int status = 0;
    enum err e;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
        print_help(stdout);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        return puts("traboule " TRABOULE_VERSION) < 0;
    if (!c) {
        print_help(stderr);
        return err_row(ERR_USAGE)->exit;
    }
    if (wants_help(argc, argv)) {
        print_command_help(stdout, c);
        return 0;
    }
    harden();
    json_start();
    if ((e = random_start()) || (e = dataset_start()) || (e = parse(c, argc - 2, argv + 2, &opts)))
        return finish(c, e, stdout, stderr);
    if (c->need == NEED_ALONE)
        e = run_alone(c, argc, argv, &opts, &status);
    else if (runs_open(c, &opts))
        e = run_open(c, argc, argv, &opts, &status);
    else
        status = finish(c, run_here(c, &opts), stdout, stderr);
    dataset_stop();
    return e ? finish(c, e, stdout, stderr) : status;
}
