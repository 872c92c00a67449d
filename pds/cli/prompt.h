/* Ask the person at the terminal, without echo. */
#ifndef CLI_PROMPT_H
#define CLI_PROMPT_H
#include "pds/base/err.h"
#include "pds/crypto/secret.h"

/* One line: from the terminal without echo, or, when standard input is no terminal, its next line.
 * ERR_INVALID at the end of input or for an empty line. */
MUST_CHECK enum err prompt_secret(const char *question, struct secret_text **out);
/* Twice at a terminal, and both alike (ERR_INVALID otherwise); once elsewhere. */
MUST_CHECK enum err prompt_new_secret(const char *question, struct secret_text **out);
/* The first line of a file, without its line end. */
MUST_CHECK enum err prompt_file(const char *path, struct secret_text **out);
/* The same of an open descriptor, from where it stands. */
MUST_CHECK enum err prompt_fd(int fd, struct secret_text **out);
#endif
