/* The owner's pages: files built into the program. */
#include "pds/api/handler.h"

#include "pds/httpd/asset.h"

#include <stdbool.h>
#include <string.h>

extern const struct asset ASSETS[]; /* pds/web, gathered by the build */

/* Addresses that the pages' own router shows; the server answers them with the same document. */
static const char *const VIEWS[] = {"/", "/energy", "/documents", "/imports", "/trail", "/store"};
/* And those with one segment more, where the document goes up to find its files (pds/web/assemble.mjs). */
static const char *const VIEWS_OF_ONE[] = {"/consent/"};

static bool is_of(struct str path, struct str view)
{
    return str_starts(path, view) && path.len > view.len &&
           !memchr(path.ptr + view.len, '/', path.len - view.len);
}

enum err page_get(struct request *request, struct response *response, void *context)
{
    struct str path = request->path;

    (void)context;
    for (size_t i = 0; i < sizeof VIEWS / sizeof *VIEWS; i++) {
        if (str_eq(path, str_of(VIEWS[i])))
            path = STR("/index.html");
    }
    for (size_t i = 0; i < sizeof VIEWS_OF_ONE / sizeof *VIEWS_OF_ONE; i++) {
        if (is_of(path, str_of(VIEWS_OF_ONE[i])))
            path = STR("/index-below.html");
    }
    return asset_answer(ASSETS, path, request, response);
}
