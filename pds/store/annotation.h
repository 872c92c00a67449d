/* What the owner notes beside a stretch of a dataset. */
#ifndef STORE_ANNOTATION_H
#define STORE_ANNOTATION_H
#include "pds/base/err.h"
#include "pds/base/id.h"
#include "pds/base/json.h"
#include "pds/base/str.h"
#include "pds/store/dataset.h"

#include <stdint.h>

struct vault; /* pds/vault/vault.h */
struct db;    /* pds/vault/db.h */

enum { ANNOTATION_TEXT_BYTES = 4096 };

/* id empty: a new one. Adding one whose id is there already with the same content changes nothing;
 * ERR_CONFLICT with another. Told in the trail. */
MUST_CHECK enum err annotation_add(struct vault *v, struct str id, const struct dataset *d, int64_t start_at,
                                   int64_t end_at, struct str text, int64_t now,
                                   char id_out[static ID_CHARS + 1]);
/* The same inside a write of the caller's. */
MUST_CHECK enum err annotation_put(struct db *db, struct str id, const struct dataset *d, int64_t start_at,
                                   int64_t end_at, struct str text, int64_t now,
                                   char id_out[static ID_CHARS + 1]);
/* revision: as If-Match gives it; 0 for any. ERR_NOT_FOUND; ERR_PRECONDITION when it changed since. */
MUST_CHECK enum err annotation_change(struct vault *v, struct str id, struct str text, int64_t revision,
                                      int64_t now);
MUST_CHECK enum err annotation_delete(struct vault *v, struct str id, int64_t revision, int64_t now);
/* One, as in the list. ERR_NOT_FOUND. */
MUST_CHECK enum err annotation_get(struct db *db, struct str id, json_t **out);
/* {"annotations":[{"id","dataset","start","end","text","revision","created","updated"}],"next"}: those that
 * touch [from, to), by number after `after`. d NULL: of all datasets. */
MUST_CHECK enum err annotation_list(struct db *db, const struct dataset *d, int64_t from, int64_t to,
                                    int64_t after, int64_t limit, json_t **out);
#endif
