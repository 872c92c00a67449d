/* An upload on its way from the server's thread to its reader: a bounded queue and, behind it,
 * the multipart reader. The functions for handlers are in request.h. */
#ifndef HTTPD_UPLOAD_H
#define HTTPD_UPLOAD_H
#include "pds/base/arena.h"
#include "pds/base/err.h"
#include "pds/base/str.h"
#include "pds/httpd/gate.h"
#include "pds/httpd/request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* content_type is looked at by the first upload_next(); it, gate and arena outlive the upload. NULL: no
 * memory. */
struct upload *upload_new(struct gate *gate, struct arena *arena, struct str content_type,
                          uint64_t max_bytes);
void upload_free(struct upload *u);
static inline void upload_freep(struct upload **u) { upload_free(*u); }

/* For the server's thread, all under the gate's lock. */
bool upload_is_wanted(const struct upload *u); /* the reader asked for a first byte */
size_t upload_feed(struct upload *u, const char *bytes,
                   size_t len);     /* how many were taken; the rest has to wait */
void upload_end(struct upload *u);  /* the body is complete */
void upload_stop(struct upload *u); /* its reader shall end: ERR_BUSY from now on */
#endif
