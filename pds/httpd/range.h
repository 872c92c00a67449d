/* The Range header (RFC 9110 14.2): one range of bytes. */
#ifndef HTTPD_RANGE_H
#define HTTPD_RANGE_H
#include "pds/base/str.h"

#include <stdint.h>

enum range_kind {
    RANGE_ALL,    /* none asked for, several, or what is not understood: all of it is sent */
    RANGE_PART,   /* `bytes` bytes from `first`, one at least */
    RANGE_BEYOND, /* it begins behind the end: 416 */
};

struct range {
    enum range_kind kind;
    uint64_t first, bytes;
};

/* What a Range header (may be empty) asks of a body of so many bytes. */
struct range range_read(struct str header, uint64_t size);
#endif
