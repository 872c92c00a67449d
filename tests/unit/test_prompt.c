#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/cli/prompt.h"
#include "pds/crypto/random.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int setup(void **state)
{
    (void)state;
    assert_ok(random_start());
    return 0;
}

static void the_first_line_of_a_file_is_the_secret(void **state)
{
    static const struct {
        const char *name, *text, *secret;
    } ROWS[] = {
        {"a line", "quatre chevaux\n", "quatre chevaux"},
        {"no end", "quatre", "quatre"},
        {"two lines", "quatre\nchevaux\n", "quatre"},
        {"CR LF", "quatre\r\n", "quatre"},
        {"spaces stay", "  quatre  \n", "  quatre  "},
        {"empty", "", NULL},
        {"an empty line", "\nquatre\n", NULL},
        {"CR LF alone", "\r\n", NULL},
    };
    AUTO(tempdir_freep) struct tempdir *tmp = tempdir_new();
    const char *path = tempdir_path(tmp, "file");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(secret_text_freep) struct secret_text *got = NULL;
        enum err e;

        assert_ok(fs_replace(path, ROWS[i].text, strlen(ROWS[i].text)));
        e = prompt_file(path, &got);
        assert_row(ROWS[i].name, e == (ROWS[i].secret ? ERR_OK : ERR_INVALID));
        assert_row(ROWS[i].name, !got || strcmp(got->text, ROWS[i].secret) == 0);
    }
    assert_err(prompt_file(tempdir_path(tmp, "none"), &(struct secret_text *){NULL}), ERR_NOT_FOUND);
}

/* A terminal of its own, with someone at it who is asked. Exits 0 when the answer is `yes`. */
static pid_t ask_at(int terminal)
{
    pid_t child = fork();

    if (child == 0) {
        struct secret_text *got = NULL;

        (void)setsid();
        (void)ioctl(terminal, TIOCSCTTY, 0);
        (void)dup2(terminal, STDIN_FILENO);
        _exit(prompt_secret("Passphrase", &got) || strcmp(got->text, "yes") != 0);
    }
    return child;
}

static bool echoes(int terminal)
{
    struct termios now;

    assert_int_equal(tcgetattr(terminal, &now), 0);
    return now.c_lflag & ECHO;
}

/* Ask, type, and give back how the child ended; the terminal must be as it was. */
static int type(const char *keys)
{
    int person = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), terminal, status = -1;
    struct pollfd at = {.fd = person, .events = POLLIN};
    pid_t child;

    assert_true(person >= 0 && grantpt(person) == 0 && unlockpt(person) == 0);
    terminal = open(ptsname(person), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(terminal >= 0 && echoes(terminal));
    child = ask_at(terminal);
    assert_int_equal(poll(&at, 1, 10000), 1); /* the question is there */
    for (int i = 0; i < 1000 && echoes(terminal); i++)
        (void)usleep(1000);
    assert_false(echoes(terminal));
    assert_int_equal(write(person, keys, strlen(keys)), strlen(keys));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(echoes(terminal));
    (void)close(terminal);
    (void)close(person);
    return status;
}

static void what_is_typed_at_a_terminal_is_not_echoed(void **state)
{
    int status = type("yes\n");

    (void)state;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void breaking_a_question_off_gives_the_echo_back(void **state)
{
    int status = type("ye\x03");

    (void)state;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_of_a_file_is_the_secret),
        cmocka_unit_test(what_is_typed_at_a_terminal_is_not_echoed),
        cmocka_unit_test(breaking_a_question_off_gives_the_echo_back),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
