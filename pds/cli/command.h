/* The table of commands, and one run of a command.
 *
 * A command that needs the open store runs where the store is open: in the daemon when one serves it
 * (pds/cli/control.h), else here. It therefore touches nothing but what its invocation holds. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/base/opt.h"
#include "pds/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A store that another process has for a moment is tried again, for two seconds in all. */
enum { COMMAND_BUSY_TRIES = 40, COMMAND_BUSY_WAIT_US = 50000 };

enum command_need {
    NEED_NOTHING, /* the store need not exist */
    NEED_STORE,   /* it exists; the command asks for keys itself */
    NEED_OPEN,    /* it is open */
    NEED_ALONE,   /* nobody has it open: it locks the store itself, and opens it again */
    NEED_TRY,     /* it is open, or too damaged for that: then the key is in the invocation */
};

struct invocation {
    const struct command *command;
    const struct opts *opts;
    struct store *store;          /* but for NEED_NOTHING */
    const struct store_key *root; /* only when the store could not be opened for damage */
    const int *files;             /* descriptors of FILE… arguments, in order, for commands with files */
    size_t file_count;
    int output; /* descriptor of the file that an option names, to be written (and read); -1 without one */
    int input;  /* of the file that another option names, to be read; -1 without one */
    FILE *out, *err;
    int64_t now; /* seconds, UTC */
};

struct command {
    const char *name;
    const char *arguments;     /* "STORE FILE…" */
    const char *meaning;       /* one line */
    const struct opt *options; /* one whose value is called FILE names a file that is opened for reading */
    size_t min_args, max_args;
    size_t first_file; /* place of the first argument that is a file to be opened for reading; 0 for none */
    const char *file_verb; /* there are files only behind this word ("add"); NULL: always */
    const char *output;    /* name of the option whose file the command writes; NULL: it has none. The file
                              takes its name when the command has done */
    enum command_need need;
    enum err (*run)(struct invocation *inv);
};

extern const struct command COMMANDS[]; /* closed by a row without a name */

/* The whole program: find the command, run it where it belongs, tell failures on standard error. Returns the
 * exit status. */
int command_main(int argc, char *const argv[]);
/* The part of it after the keys are there: parse argv again and run. For the daemon's end of the control
 * socket, which passes the descriptors of files. root is NULL for an open store; else the key of one that
 * damage keeps from opening. Returns the exit status. */
int command_run_open(int argc, char *const argv[], struct store *store, const struct store_key *root,
                     const int *files, size_t file_count, FILE *out, FILE *err);

/* Whether argv is a command that wants the store for itself: then it is not opened for it. */
bool command_is_alone(int argc, char *const argv[]);

const char *command_option(const struct invocation *inv, const char *name); /* NULL when absent */
bool command_has(const struct invocation *inv, const char *name);
/* Write to out. ERR_LOCKED when whoever reads it is slow and the store is being locked. */
MUST_CHECK enum err command_write(struct invocation *inv, const char *bytes, size_t len);
/* Print a tree as one line of JSON on out. The tree is borrowed. */
MUST_CHECK enum err command_json(struct invocation *inv, const json_t *tree);

/* Options that several commands share. */
#define OPTION_JSON                                                                                          \
    {                                                                                                        \
        "json", 0, NULL, "answer with one JSON object"                                                       \
    }
#define OPTIONS_KEY                                                                                          \
    {"passphrase-file", 0, "F", "read the passphrase from a file"},                                          \
    {                                                                                                        \
        "key-file", 0, "F", "open with a key file instead of the passphrase"                                 \
    }
#define OPTION_KDF                                                                                           \
    {                                                                                                        \
        "kdf-memory-mib", 0, "N",                                                                            \
            "memory that a try of the passphrase takes: 64 to 256 (by this machine's memory)"                \
    }
#define OPTIONS_END                                                                                          \
    {                                                                                                        \
        NULL, 0, NULL, NULL                                                                                  \
    }

enum err cmd_init(struct invocation *inv);
enum err cmd_serve(struct invocation *inv);
enum err cmd_import(struct invocation *inv);
enum err cmd_query(struct invocation *inv);
enum err cmd_datasets(struct invocation *inv);
enum err cmd_sources(struct invocation *inv);
enum err cmd_imports(struct invocation *inv);
enum err cmd_export(struct invocation *inv);
enum err cmd_merge(struct invocation *inv);
enum err cmd_backup(struct invocation *inv);
enum err cmd_restore(struct invocation *inv);
enum err cmd_documents(struct invocation *inv);
enum err cmd_check(struct invocation *inv);
enum err cmd_erase(struct invocation *inv);
enum err cmd_rekey(struct invocation *inv);
enum err cmd_passphrase(struct invocation *inv);
enum err cmd_recover(struct invocation *inv);
enum err cmd_bench(struct invocation *inv);
enum err cmd_trail(struct invocation *inv);
enum err cmd_verify(struct invocation *inv);

extern const struct opt BACKUP_OPTIONS[], RESTORE_OPTIONS[];
extern const struct opt INIT_OPTIONS[], SERVE_OPTIONS[], IMPORT_OPTIONS[], QUERY_OPTIONS[], LIST_OPTIONS[],
    PAGE_OPTIONS[], DOCUMENTS_OPTIONS[], CHECK_OPTIONS[], ERASE_OPTIONS[], REKEY_OPTIONS[],
    PASSPHRASE_OPTIONS[], RECOVER_OPTIONS[], BENCH_OPTIONS[], TRAIL_OPTIONS[], VERIFY_OPTIONS[],
    EXPORT_OPTIONS[], MERGE_OPTIONS[];
#endif
