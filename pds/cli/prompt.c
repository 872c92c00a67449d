#include "pds/cli/prompt.h"

#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/crypto/random.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* One line byte by byte, so that nothing of what follows it is taken from the input. */
static enum err read_line(int fd, struct secret_text **out)
{
    char line[LIMIT_PASSPHRASE_BYTES + 1];
    size_t len = 0;
    ssize_t got;
    enum err e;

    while ((got = read(fd, line + len, 1)) == 1 && line[len] != '\n' && len < LIMIT_PASSPHRASE_BYTES)
        len++;
    if (got < 0)
        e = fs_error("reading", "standard input");
    else if (len == LIMIT_PASSPHRASE_BYTES)
        e = err_set(ERR_TOO_LARGE, "a line over %ld bytes", LIMIT_PASSPHRASE_BYTES + 0L);
    else if (len > 0 && line[len - 1] == '\r' && --len == 0)
        e = err_set(ERR_INVALID, "an empty line");
    else if (len == 0)
        e = err_set(ERR_INVALID, "nothing was typed");
    else
        e = secret_text_new(line, len, out);
    random_wipe(line, sizeof line);
    return e;
}

/* Who breaks the question off finds the terminal as it was: the signal waits until then. */
static volatile sig_atomic_t caught;

static void remember(int number) { caught = number; }

static const int ENDS[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { END_COUNT = sizeof ENDS / sizeof *ENDS };

static void hold_ends(struct sigaction before[static END_COUNT])
{
    struct sigaction hold = {.sa_handler = remember}; /* no SA_RESTART: the reading ends */

    caught = 0;
    for (size_t i = 0; i < END_COUNT; i++)
        (void)sigaction(ENDS[i], &hold, &before[i]); /* cannot fail for these */
}

static void let_ends(const struct sigaction before[static END_COUNT])
{
    for (size_t i = 0; i < END_COUNT; i++)
        (void)sigaction(ENDS[i], &before[i], NULL);
    if (caught)
        (void)raise(caught);
}

enum err prompt_secret(const char *question, struct secret_text **out)
{
    struct sigaction before[END_COUNT];
    struct termios old, silent;
    int terminal;
    enum err e;

    if (!isatty(STDIN_FILENO))
        return err_wrap(read_line(STDIN_FILENO, out), "%s", question);
    if ((terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)) < 0)
        return fs_error("opening", "the terminal");
    (void)dprintf(terminal, "%s: ", question); /* an unseen question still gets its answer */
    if (tcgetattr(terminal, &old)) {
        e = fs_error("asking", "the terminal");
        (void)close(terminal);
        return e;
    }
    hold_ends(before);
    silent = old;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    (void)tcsetattr(terminal, TCSAFLUSH, &silent); /* worst case: the answer is seen by who types it */
    e = read_line(terminal, out);
    (void)tcsetattr(terminal, TCSAFLUSH, &old);
    (void)dprintf(terminal, "\n");
    (void)close(terminal);
    let_ends(before);
    return e ? err_wrap(e, "%s", question) : ERR_OK;
}

enum err prompt_new_secret(const char *question, struct secret_text **out)
{
    AUTO(secret_text_freep) struct secret_text *first = NULL;
    AUTO(secret_text_freep) struct secret_text *again = NULL;
    enum err e;

    if ((e = prompt_secret(question, &first)) || !first)
        return e;
    if (isatty(STDIN_FILENO)) {
        if ((e = prompt_secret("The same again", &again)) || !again)
            return e;
        if (first->len != again->len || !random_equal(first->text, again->text, first->len))
            return err_set(ERR_INVALID, "the two are not alike");
    }
    *out = first;
    first = NULL; /* the caller's now */
    return ERR_OK;
}

enum err prompt_file(const char *path, struct secret_text **out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum err e;

    if (fd < 0)
        return fs_error("opening", path);
    e = read_line(fd, out);
    (void)close(fd); /* it was only read */
    return e ? err_wrap(e, "%s", path) : ERR_OK;
}

enum err prompt_fd(int fd, struct secret_text **out) { return read_line(fd, out); }
