/* The bytes of what an owner posts as a form, for handlers that hold the store meanwhile. */
#ifndef API_POSTED_H
#define API_POSTED_H
#include "pds/base/err.h"
#include "pds/httpd/request.h"
#include "pds/store/store.h"

#include <stddef.h>

struct posted {
    struct upload *upload; /* borrowed, as the store */
    struct store *store;
};
/* As upload_read() of the part at hand, as long as the store is not being locked, which stops uploads: then
 * ERR_LOCKED. context is struct posted. */
MUST_CHECK enum err posted_read(void *context, void *out, size_t size, size_t *got);
#endif
