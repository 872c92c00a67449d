/* The rules that the head of a request must keep before anything else looks at it: security brief 4.1.
 * Pure: what the library saw goes in, a verdict comes out. */
#ifndef HTTPD_HEAD_H
#define HTTPD_HEAD_H
#include "pds/base/err.h"
#include "pds/base/str.h"
#include "pds/httpd/header.h"
#include "pds/httpd/target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOSTS_MAX = 12, HOST_BYTES = 256 };

/* The authorities that are ours, in lower case: "localhost:8765". */
struct hosts {
    char at[HOSTS_MAX][HOST_BYTES];
    size_t count;
};

struct head {
    struct str method, target, version;
    struct headers headers; /* headers.query is filled by head_check() */
    size_t field_count;     /* those that did not fit included */
    size_t bytes;           /* of the header fields with their line ends */
    bool exact; /* every line ended with CR LF, no NUL, no folded line, one space between the words of the
                   first */
};

struct verdict {
    struct target target;
    int64_t content_length; /* -1 when not told */
    bool chunked;
    int status; /* when refused: the status to answer, which may say more than err's own */
    bool close; /* when refused: the connection's framing is in doubt */
};

/* ERR_OK, or why not, with *out->status and *out->close set. */
MUST_CHECK enum err head_check(struct head *head, const struct hosts *hosts, struct verdict *out);

bool hosts_have(const struct hosts *hosts, struct str authority);
/* Add one in lower case; ERR_TOO_LARGE when it does not fit. */
MUST_CHECK enum err hosts_add(struct hosts *hosts, struct str authority);
#endif
