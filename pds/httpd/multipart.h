/* multipart/form-data (RFC 7578), read as a stream: one window of memory however large the parts. */
#ifndef HTTPD_MULTIPART_H
#define HTTPD_MULTIPART_H
#include "pds/base/arena.h"
#include "pds/base/err.h"
#include "pds/base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    MULTIPART_BOUNDARY_MAX = 70, /* RFC 2046 5.1.1 */
    MULTIPART_HEADER_MAX = 8192,
    MULTIPART_PARTS_MAX = 64,
    MULTIPART_WINDOW = 32768,
};

/* More of the body: up to size bytes into out, *got 0 when there is no more. */
typedef enum err multipart_source(void *context, char *out, size_t size, size_t *got);

struct multipart {
    multipart_source *source;
    void *context;
    char delimiter[MULTIPART_BOUNDARY_MAX + 5]; /* CR LF "--" boundary */
    size_t delimiter_len;
    char *window;      /* owned */
    size_t start, end; /* bytes of the window not yet given out */
    size_t parts;
    bool ended;   /* the source has no more */
    bool inside;  /* a part is open */
    bool last;    /* the closing delimiter was seen */
    enum err err; /* a failure stays */
};

struct part {
    struct str name;      /* the form's field; arena-owned */
    struct str file_name; /* a label, never a path: what stands behind the last '/' or '\'; {NULL, 0} for a
                             plain field */
};

/* boundary as multipart_boundary() gave it. */
MUST_CHECK enum err multipart_init(struct multipart *m, struct str boundary, multipart_source *source,
                                   void *context);
void multipart_done(struct multipart *m);

/* The boundary of a Content-Type; ERR_UNSUPPORTED unless it is multipart/form-data, ERR_INVALID for a bad
 * boundary. */
MUST_CHECK enum err multipart_boundary(struct str content_type, struct str *out);

/* The next part; the rest of the one before is skipped. ERR_NOT_FOUND after the last. */
MUST_CHECK enum err multipart_next(struct multipart *m, struct arena *arena, struct part *out);
/* Up to size bytes of the part; *got 0 at its end. */
MUST_CHECK enum err multipart_read(struct multipart *m, void *out, size_t size, size_t *got);
#endif
