#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/cli/command.h"
#include "pds/crypto/random.h"
#include "pds/store/dataset.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 12 };

static const char CURVE[] = TEST_ROOT "/tests/fixtures/energy/curve.csv";
static const char CONSUMPTION[] = "energy.electricity.consumption";

static struct tempdir *dir;
static struct store *store;
static struct store_key *root;

static int setup(void **state)
{
    static const char PASSPHRASE[] = "a passphrase of the tests";
    const struct passphrase_cost cheap = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};
    struct secret_text *passphrase = NULL, *code = NULL;
    uint8_t key[KEY_BYTES] = {1, 2, 3};

    (void)state;
    json_start();
    assert_ok(random_start());
    assert_ok(dataset_start());
    dir = tempdir_new();
    assert_ok(secret_text_new(PASSPHRASE, strlen(PASSPHRASE), &passphrase));
    assert_ok(store_create(tempdir_path(dir, "store"), passphrase, cheap, key, &code));
    assert_ok(store_new(tempdir_path(dir, "store"), &store));
    assert_ok(store_key_of_keyfile(store, key, &root));
    assert_ok(store_unlock(store, root, 1000));
    secret_text_free(passphrase);
    secret_text_free(code);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    store_free(store);
    store_key_free(root);
    tempdir_free(dir);
    dataset_stop();
    return 0;
}

/* What a run said; both texts are malloc's, for open_memstream() makes them so. */
struct said {
    int status;
    char *out, *err;
};

static void said_done(struct said *s)
{
    (free)(s->out);
    (free)(s->err);
}

/* Run "traboule <words>" where the store is open; the last word may be a file, opened as a caller would. */
static void run(struct said *said, const char *const words[], const struct store_key *damaged,
                size_t file_count)
{
    char *argv[WORDS_MAX] = {(char *)"traboule"};
    size_t out_len = 0, err_len = 0;
    FILE *out, *err;
    int files[2], argc = 1;

    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)words[argc - 1];
    for (size_t i = 0; i < file_count; i++) {
        files[i] = open(CURVE, O_RDONLY | O_CLOEXEC);
        assert_true(files[i] >= 0);
    }
    *said = (struct said){0};
    out = open_memstream(&said->out, &out_len);
    err = open_memstream(&said->err, &err_len);
    assert_true(out && err);
    said->status = command_run_open(argc, argv, store, damaged, files, file_count, out, err);
    (void)fclose(out);
    (void)fclose(err);
    for (size_t i = 0; i < file_count; i++)
        (void)close(files[i]);
}

static void rows_are_whole_and_each_name_stands_once(void **state)
{
    (void)state;
    for (const struct command *c = COMMANDS; c->name; c++) {
        assert_row(c->name, c->arguments && c->meaning && c->options && c->run);
        assert_row(c->name, (c->min_args >= 1 || c->run == cmd_serve) && c->min_args <= c->max_args);
        assert_row(c->name, (strncmp(c->arguments, "STORE", 5) == 0 || c->need == NEED_NOTHING));
        assert_row(c->name, !c->first_file || (c->first_file < c->max_args && c->need == NEED_OPEN));
        assert_row(c->name, c->max_args - c->first_file <= LIMIT_FILES_IMPORT || !c->first_file);
        for (const struct command *d = COMMANDS; d < c; d++)
            assert_row(c->name, strcmp(c->name, d->name) != 0);
        for (const struct opt *o = c->options; o->name; o++)
            assert_row(o->name, o->meaning && strlen(o->meaning) > 5 && strcmp(o->name, "passphrase") != 0);
    }
}

static const struct {
    const char *name;
    const char *words[WORDS_MAX];
    size_t files;
    int status;
    const char *out, *err; /* NULL: empty; else what stands somewhere in it */
} RUNS[] = {
    {"datasets", {"datasets", "S", NULL}, 0, 0, CONSUMPTION, NULL},
    {"datasets, JSON", {"datasets", "S", "--json", NULL}, 0, 0, "{\"datasets\":[", NULL},
    {"an import", {"import", "S", "a/curve.csv", "--json", NULL}, 1, 0, "\"file\":\"curve.csv\"", NULL},
    {"an import, in words", {"import", "S", "curve.csv", NULL}, 1, 0, "same", NULL},
    {"sources", {"sources", "S", NULL}, 0, 0, "enedis", NULL},
    {"imports", {"imports", "S", NULL}, 0, 0, "curve.csv", NULL},
    {"a query", {"query", "S", CONSUMPTION, "--step", "P1D", NULL}, 0, 0, "\"step\":\"P1D\"", NULL},
    {"a query, CSV",
     {"query", "S", CONSUMPTION, "--format", "csv", NULL},
     0,
     0,
     "start,end,value,quality\r\n",
     NULL},
    {"a check", {"check", "S", "--json", NULL}, 0, 0, "\"ok\":true", NULL},
    {"no such dataset", {"query", "S", "none", NULL}, 0, 1, NULL, "no dataset has this name"},
    {"no such import", {"imports", "S", "undo", "none", NULL}, 0, 1, NULL, "no import has this id"},
    {"a bad step", {"query", "S", CONSUMPTION, "--step", "PT7M", NULL}, 0, 2, NULL, "traboule query: "},
    {"a bad time", {"query", "S", CONSUMPTION, "--from", "x", NULL}, 0, 2, NULL, "--from"},
    {"an unknown option", {"sources", "S", "--frobnicate", NULL}, 0, 2, NULL, "--help"},
    {"too few words", {"query", "S", NULL}, 0, 2, NULL, "expected: traboule query STORE DATASET"},
    {"too many words", {"sources", "S", "x", NULL}, 0, 2, NULL, "expected: traboule sources STORE"},
    {"not an undo", {"imports", "S", "redo", "x", NULL}, 0, 2, NULL, "undo ID"},
    {"a file that did not come along",
     {"import", "S", "a.csv", "b.csv", NULL},
     1,
     1,
     NULL,
     "files are missing"},
    {"a command of another place", {"serve", "S", NULL}, 0, 2, NULL, "does not run in the daemon"},
    {"a change of keys", {"passphrase", "S", NULL}, 0, 2, NULL, "does not run in the daemon"},
    {"no command", {"frobnicate", "S", NULL}, 0, 2, NULL, "does not run in the daemon"},
    {"nothing", {NULL}, 0, 2, NULL, "does not run in the daemon"},
};

static bool says(const char *text, const char *wanted)
{
    return wanted ? text && strstr(text, wanted) != NULL : !text || !*text;
}

static void commands_answer_on_their_streams_and_by_their_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(RUNS); i++) {
        AUTO(said_done) struct said said;

        run(&said, RUNS[i].words, NULL, RUNS[i].files);
        assert_row(RUNS[i].name, said.status == RUNS[i].status);
        assert_row(RUNS[i].name, says(said.out, RUNS[i].out));
        assert_row(RUNS[i].name, says(said.err, RUNS[i].err));
        assert_row(RUNS[i].name,
                   !said.status || (said.err && said.err[0] && said.err[strlen(said.err) - 1] == '\n'));
    }
}

static void a_store_that_damage_keeps_shut_is_checked_and_nothing_else(void **state)
{
    static const char *const CHECK[] = {"check", "S", "--json", NULL}, *const SOURCES[] = {"sources", "S",
                                                                                           NULL};
    AUTO(said_done) struct said check;
    AUTO(said_done) struct said sources;

    (void)state;
    store_free(store);
    store = NULL;
    assert_ok(store_new(tempdir_path(dir, "store"), &store));
    run(&check, CHECK, root, 0);
    assert_true(says(check.out, "\"problems\":["));
    (void)err_set(ERR_CORRUPT, "vault.db page 7");
    run(&sources, SOURCES, root, 0);
    assert_int_equal(sources.status, 3);
    assert_true(says(sources.out, NULL) && says(sources.err, "vault.db page 7"));
}

static void an_answer_that_cannot_be_written_is_a_failure(void **state)
{
    char *argv[] = {(char *)"traboule", (char *)"datasets", (char *)"S"};
    FILE *full = fopen("/dev/full", "w");
    char *text = NULL;
    size_t len = 0;
    FILE *err = open_memstream(&text, &len);

    (void)state;
    assert_true(full && err);
    assert_int_equal(command_run_open(3, argv, store, NULL, NULL, 0, full, err), 1);
    (void)fclose(err);
    (void)fclose(full);
    assert_true(says(text, "writing the answer"));
    (free)(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_whole_and_each_name_stands_once),
        cmocka_unit_test(commands_answer_on_their_streams_and_by_their_status),
        cmocka_unit_test(an_answer_that_cannot_be_written_is_a_failure),
        cmocka_unit_test(a_store_that_damage_keeps_shut_is_checked_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
