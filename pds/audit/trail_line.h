/* One line of the trail, and the leaf that commits to it.
 *
 * Its content is the canonical JSON of {"consent","kind","time","what","who"}; the leaf's data is
 * HMAC-SHA-256(salt, content), so that a hash tells nothing of a line whose salt is gone. */
#ifndef AUDIT_TRAIL_LINE_H
#define AUDIT_TRAIL_LINE_H
#include "pds/audit/event.h"
#include "pds/audit/tlog.h"
#include "pds/base/buf.h"
#include "pds/base/err.h"
#include "pds/base/str.h"

#include <stdint.h>

enum { TRAIL_SALT_BYTES = 32, TRAIL_CONTENT_BYTES = 8192 };

struct trail_line {
    int64_t at;                          /* seconds, UTC */
    struct str kind, who, what, consent; /* consent.ptr is NULL without one */
};

/* ERR_TOO_LARGE for a text longer than an event's, ERR_INVALID for one that is not UTF-8 or a time that has
 * no text. */
MUST_CHECK enum err trail_line_content(const struct trail_line *line, struct buf *out);
MUST_CHECK enum err trail_line_leaf(const struct trail_line *line,
                                    const uint8_t salt[static TRAIL_SALT_BYTES], struct tlog_hash *out);
#endif
