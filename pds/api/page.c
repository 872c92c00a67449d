/* The owner's pages: files built into the program. */
#include "pds/api/handler.h"

#include "pds/httpd/asset.h"

extern const struct asset ASSETS[]; /* pds/web, gathered by the build */

/* Addresses that the pages' own router shows; the server answers them with the same document. */
static const char *const VIEWS[] = {"/", "/energy", "/documents", "/imports", "/trail", "/store"};

enum err page_get(struct request *request, struct response *response, void *context)
{
    struct str path = request->path;

    (void)context;
    for (size_t i = 0; i < sizeof VIEWS / sizeof *VIEWS; i++) {
        if (str_eq(path, str_of(VIEWS[i])))
            path = STR("/index.html");
    }
    return asset_answer(ASSETS, path, request, response);
}
