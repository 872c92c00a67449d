/* Bundles: documents that go together, such as what an office asks for at once. */
#ifndef STORE_BUNDLE_H
#define STORE_BUNDLE_H
#include "pds/base/err.h"
#include "pds/base/id.h"
#include "pds/base/json.h"
#include "pds/base/str.h"
#include "pds/store/store.h"

/* Make one (id empty, or one that no bundle has) or replace the title and documents of one. ERR_INVALID for a
 * document that is none. */
MUST_CHECK enum err bundle_put(struct store *s, struct str id, struct str title, const struct str *documents,
                               size_t count, int64_t now, char id_out[static ID_CHARS + 1]);
MUST_CHECK enum err bundle_delete(struct store *s, struct str id, int64_t now);
/* {"id","title","documents":[ids]}. */
MUST_CHECK enum err bundle_get(struct db *db, struct str id, json_t **out);
/* {"bundles":[as bundle_get],"next":null}: the first thousand. */
MUST_CHECK enum err bundle_list(struct db *db, json_t **out);
#endif
