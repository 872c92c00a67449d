#include "pds/base/opt.h"

#include "pds/base/str.h"

#include <assert.h>
#include <string.h>

enum { SHOWN_CHARS = 40 }; /* of a word that is not understood */

static size_t row_count(const struct opt table[])
{
    size_t n = 0;

    while (table[n].name)
        n++;
    assert(n <= OPT_MAX);
    return n;
}

/* The row of a word that begins with '-'; row_count() when there is none. *attached is what stands
 * behind '=', or NULL. */
static size_t find_row(const struct opt table[], const char *word, const char **attached)
{
    size_t row = 0, count = row_count(table);
    struct str name, rest;

    *attached = NULL;
    if (word[1] != '-') { /* -o: one letter and nothing else */
        while (row < count && (table[row].letter == '\0' || table[row].letter != word[1] || word[2] != '\0'))
            row++;
        return row;
    }
    rest = str_of(word + 2);
    (void)str_split(&rest, '=', &name); /* never false: rest is not NULL */
    *attached = rest.ptr;
    while (row < count && !str_eq(name, str_of(table[row].name)))
        row++;
    return row;
}

static enum err unknown_option(const char *word)
{
    size_t len = strcspn(word, "="); /* what follows may be a secret in the wrong place */

    return err_set(ERR_USAGE, "unknown option %.*s", (int)(len < SHOWN_CHARS ? len : SHOWN_CHARS), word);
}

/* A word beginning with "--" is no value, so that "--from --to T" is told from a date. */
static bool is_value(const char *word) { return strncmp(word, "--", 2) != 0; }

/* The option in argv[*at]; *at moves on to its last word. */
static enum err take_option(const struct opt table[], int argc, char *const argv[], int *at, struct opts *o)
{
    const char *attached;
    size_t row = find_row(table, argv[*at], &attached);
    const struct opt *option = &table[row];

    if (!option->name)
        return unknown_option(argv[*at]);
    if (o->values[row])
        return err_set(ERR_USAGE, "option --%s is given twice", option->name);
    if (!option->value && attached)
        return err_set(ERR_USAGE, "option --%s takes no value", option->name);
    if (!option->value)
        o->values[row] = "";
    else if (attached)
        o->values[row] = attached;
    else if (*at + 1 < argc && is_value(argv[*at + 1]))
        o->values[row] = argv[++*at];
    else
        return err_set(ERR_USAGE, "option --%s needs a value, %s", option->name, option->value);
    return ERR_OK;
}

enum err opt_parse(const struct opt table[], int argc, char *const argv[], struct opts *out)
{
    struct opts o = {0};
    bool ended = false; /* by "--" */
    enum err e;

    for (int i = 0; i < argc; i++) {
        if (!ended && strcmp(argv[i], "--") == 0) {
            ended = true;
        } else if (!ended && argv[i][0] == '-' && argv[i][1] != '\0') {
            if ((e = take_option(table, argc, argv, &i, &o)))
                return e;
        } else if (o.arg_count == OPT_ARGS_MAX) {
            return err_set(ERR_USAGE, "more than %d arguments", OPT_ARGS_MAX);
        } else {
            o.args[o.arg_count++] = argv[i];
        }
    }
    *out = o;
    return ERR_OK;
}

const char *opt_get(const struct opt table[], const struct opts *o, const char *name)
{
    for (size_t row = 0; table[row].name; row++)
        if (strcmp(table[row].name, name) == 0)
            return o->values[row];
    assert(false); /* an option that the table lacks */
    return NULL;
}

bool opt_has(const struct opt table[], const struct opts *o, const char *name)
{
    return opt_get(table, o, name) != NULL;
}
