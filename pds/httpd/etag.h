/* Strong entity tags: a digest that tells versions apart. It is no seal: nobody trusts it. */
#ifndef HTTPD_ETAG_H
#define HTTPD_ETAG_H
#include "pds/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ETAG_BYTES = 40 }; /* quotes, 32 hexadecimal digits, a letter for the coding, NUL */

struct digest {
    uint64_t a, b;
};

struct digest etag_digest(const void *bytes, size_t len);
/* "\"<digest><coding>\""; coding may be empty. */
void etag_text(struct digest d, const char *coding, char out[static ETAG_BYTES]);
/* Whether a list as in If-None-Match names the tag, weakly compared (RFC 9110 13.1.2); "*" names any. */
bool etag_listed(struct str list, const char *tag);
#endif
