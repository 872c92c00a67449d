/* Bundles: documents that go together, such as what an office asks for at once. */
#ifndef STORE_BUNDLE_H
#define STORE_BUNDLE_H
#include "pds/base/err.h"
#include "pds/base/id.h"
#include "pds/base/json.h"
#include "pds/base/str.h"
#include "pds/store/store.h"

/* Make one (id empty) or replace the title and documents of one. */
MUST_CHECK enum err bundle_put(struct store *s, struct str id, struct str title, const struct str *documents,
                               size_t count, int64_t now, char id_out[static ID_CHARS + 1]);
MUST_CHECK enum err bundle_delete(struct store *s, struct str id, int64_t now);
/* {"bundles":[{"id","title","documents":[ids]}],"next":null}. */
MUST_CHECK enum err bundle_list(struct db *db, json_t **out);
#endif
