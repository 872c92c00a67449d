/* Command-line options from a table: "--name value", "--name=value", "-o value", "--flag",
 * "--" ends them. What is not an option is a positional argument, in order. */
#ifndef BASE_OPT_H
#define BASE_OPT_H
#include "pds/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct opt {
    const char *name;    /* "from"; NULL ends the table */
    char letter;         /* 'o' for -o, or 0 */
    const char *value;   /* what its value is called in help ("T"); NULL for a flag */
    const char *meaning; /* one line for --help */
};

enum { OPT_MAX = 32, OPT_ARGS_MAX = 256 };

struct opts {
    const char *values[OPT_MAX]; /* by row of the table; NULL when absent; "" for a flag that stands there */
    const char *args[OPT_ARGS_MAX]; /* borrowed from argv */
    size_t arg_count;
};

/* All argc words are read: the caller skips the names of the program and of the command. ERR_USAGE for an
 * unknown option, a missing value, a value for a flag, the same option twice. A value that begins with
 * "--" is written --name=--value. "-" alone is an argument. */
MUST_CHECK enum err opt_parse(const struct opt table[], int argc, char *const argv[], struct opts *out);
/* The value of an option by its name; NULL when absent. The name must be in the table (assert). */
const char *opt_get(const struct opt table[], const struct opts *o, const char *name);
bool opt_has(const struct opt table[], const struct opts *o, const char *name);
#endif
