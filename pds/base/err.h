/* Outcomes, and the story of a failure.
 *
 * What can fail returns enum err. The list is closed: a row of ERRS holds all that
 * any part of the program needs to know of an outcome, so no other place translates
 * errors. The story is kept for each thread: err_set() begins one, err_wrap() puts
 * what was being tried in front of it. A story names ids, never values. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

enum err {
    ERR_OK = 0,
    ERR_USAGE,           /* the command line makes no sense */
    ERR_INVALID,         /* input that breaks a rule of its format */
    ERR_UNSUPPORTED,     /* input of a kind that nothing here reads */
    ERR_TOO_LARGE,       /* input over a ceiling of limits.h */
    ERR_NOT_FOUND,       /* no such thing; also: no further row */
    ERR_CONFLICT,        /* it is there already, or changed meanwhile */
    ERR_UNAUTHENTICATED, /* nobody signed in */
    ERR_FORBIDDEN,       /* signed in, and still not allowed */
    ERR_WRONG_KEY,       /* a passphrase, code or key that opens nothing */
    ERR_THROTTLED,       /* too many tries; the answer says when to come back */
    ERR_METHOD,          /* the address is right, the method is not */
    ERR_MISDIRECTED,     /* a host that is not ours */
    ERR_PRECONDITION,    /* If-Match and the like did not hold */
    ERR_LOCKED,          /* the store is locked */
    ERR_BUSY,            /* another process holds the store, or too much is waiting */
    ERR_CORRUPT,         /* stored bytes were changed or lost; the story names the place */
    ERR_FULL,            /* no space left */
    ERR_IO,              /* the system refused a read or a write */
    ERR_TIMEOUT,         /* a deadline passed */
    ERR_NO_MEMORY,
    ERR_INTERNAL, /* a bug of ours */
    ERR_COUNT
};

struct err_row {
    const char *name;  /* on the wire and in logs: "not-found" */
    const char *title; /* a short English sentence */
    int http;          /* status of a response */
    int exit;          /* status of a command: 0 done, 1 failed, 2 usage, 3 damaged, 4 wrong key */
};

/* The row of an outcome; an unknown number gives the row of ERR_INTERNAL. */
const struct err_row *err_row(enum err e);

/* Begin a story and give back the code: return err_set(ERR_NOT_FOUND, "import %s", id);
 * A macro, so that analysers see that the value is never ERR_OK. */
#define err_set(code, ...) (err_begin(__VA_ARGS__), (enum err)(code))

/* Put what was being tried before the story, and give back the same code:
 * return err_wrap(e, "opening %s", name). */
#define err_wrap(code, ...) (err_prefix(__VA_ARGS__), (enum err)(code))

void err_begin(const char *format, ...) PRINTF_LIKE(1, 2);
void err_prefix(const char *format, ...) PRINTF_LIKE(1, 2);

/* Leave a failure behind, on purpose; a comment beside says why. */
#define err_ignore(call)                                                                                     \
    do {                                                                                                     \
        enum err ignored_ = (call);                                                                          \
        (void)ignored_;                                                                                      \
    } while (0)

/* The story of this thread's last failure, without a final point; never NULL. */
const char *err_story(void);
#endif
