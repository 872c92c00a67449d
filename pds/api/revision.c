#include "pds/api/revision.h"

#include <inttypes.h>

enum err revision_asked(const struct request *request, int64_t *out)
{
    struct str tag = str_trim(request_header(request, "If-Match"));
    int64_t revision;

    if (tag.len == 0 || str_eq(tag, STR("*"))) {
        *out = 0;
        return ERR_OK;
    }
    if (tag.len < 3 || tag.ptr[0] != '"' || tag.ptr[tag.len - 1] != '"' ||
        str_int64((struct str){tag.ptr + 1, tag.len - 2}, &revision) || revision < 1)
        return err_set(ERR_PRECONDITION, "If-Match names no revision");
    *out = revision;
    return ERR_OK;
}

enum err revision_tell(struct response *response, int64_t revision)
{
    return response_header(response, "ETag", "\"%" PRId64 "\"", revision);
}
