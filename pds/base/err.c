#include "pds/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { STORY_BYTES = 640 };

static _Thread_local char story[STORY_BYTES];

static const struct err_row ERRS[ERR_COUNT] = {
    [ERR_OK] = {"ok", "Done", 200, 0},
    [ERR_USAGE] = {"usage", "The command is not understood", 400, 2},
    [ERR_INVALID] = {"invalid", "The request breaks a rule", 400, 1},
    [ERR_UNSUPPORTED] = {"unsupported", "This format is not known", 415, 1},
    [ERR_TOO_LARGE] = {"too-large", "This is larger than allowed", 413, 1},
    [ERR_NOT_FOUND] = {"not-found", "There is no such thing", 404, 1},
    [ERR_CONFLICT] = {"conflict", "It exists already or has changed", 409, 1},
    [ERR_UNAUTHENTICATED] = {"unauthenticated", "Sign in first", 401, 1},
    [ERR_FORBIDDEN] = {"forbidden", "This is not allowed", 403, 1},
    [ERR_WRONG_KEY] = {"wrong-key", "The passphrase or key opens nothing", 401, 4},
    [ERR_THROTTLED] = {"throttled", "Too many tries, wait a little", 429, 1},
    [ERR_METHOD] = {"method", "This method is not allowed here", 405, 1},
    [ERR_MISDIRECTED] = {"misdirected", "This is not the host you asked for", 421, 1},
    [ERR_PRECONDITION] = {"precondition", "It has changed meanwhile", 412, 1},
    [ERR_LOCKED] = {"locked", "The store is locked", 503, 1},
    [ERR_BUSY] = {"busy", "Something else holds this now", 503, 1},
    [ERR_CORRUPT] = {"damaged", "The store is damaged", 503, 3},
    [ERR_FULL] = {"full", "There is no space left", 507, 1},
    [ERR_IO] = {"io", "The system refused a read or a write", 500, 1},
    [ERR_TIMEOUT] = {"timeout", "It took too long", 408, 1},
    [ERR_NO_MEMORY] = {"no-memory", "There is not enough memory", 503, 1},
    [ERR_INTERNAL] = {"internal", "Something went wrong here", 500, 1},
};

const struct err_row *err_row(enum err e)
{
    if ((int)e < 0 || e >= ERR_COUNT)
        e = ERR_INTERNAL;
    return &ERRS[e];
}

void err_begin(const char *format, ...)
{
    char fresh[STORY_BYTES]; /* the arguments may hold the old story */
    va_list args;

    va_start(args, format);
    (void)vsnprintf(fresh, sizeof fresh, format, args); /* cut when too long */
    va_end(args);
    memcpy(story, fresh, sizeof story);
}

void err_prefix(const char *format, ...)
{
    char old[STORY_BYTES];
    va_list args;
    size_t used;

    memcpy(old, story, sizeof old);
    va_start(args, format);
    (void)vsnprintf(story, sizeof story, format, args);
    va_end(args);
    used = strlen(story);
    if (used + 3 < sizeof story)
        (void)snprintf(story + used, sizeof story - used, ": %.*s", (int)(sizeof story - used - 3), old);
}

const char *err_story(void) { return story; }
