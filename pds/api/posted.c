#include "pds/api/posted.h"

enum err posted_read(void *context, void *out, size_t size, size_t *got)
{
    const struct posted *p = context;
    enum err e = upload_read(p->upload, out, size, got);

    if ((!e || e == ERR_BUSY) && store_is_closing(p->store)) /* api_lock() stops uploads */
        return err_set(ERR_LOCKED, "the store is being locked");
    return e;
}
