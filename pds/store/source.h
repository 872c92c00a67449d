/* Sources and series: where records come from, and which of them belong together.
 *
 * A source is one meter, account or device of one provider. A series is what one source tells of one
 * dataset at one grain; series are kept apart and never added. */
#ifndef STORE_SOURCE_H
#define STORE_SOURCE_H
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/base/str.h"

#include <stdint.h>

struct db; /* pds/vault/db.h */

/* The id of a series, made with its source when there is none yet. Inside a write. */
MUST_CHECK enum err source_series(struct db *db, const char *dataset, const char *provider,
                                  struct str reference, const char *grain, int64_t now, int64_t *series_id);

/* Add to what a series counts as its records; longest_s is the length of the longest of them, 0 where some
 * went. Inside a write. */
MUST_CHECK enum err source_count(struct db *db, int64_t series_id, int64_t added, int64_t longest_s);

/* Of these series (a JSON array of ids) forget those of which nothing is left, neither records nor what an
 * import noted, and then sources without series: but not while an import runs, which may be about to fill
 * one. Inside a write. */
MUST_CHECK enum err source_forget(struct db *db, const char *series);

/* Sources as {"sources":[{"id","provider","reference","datasets":[…],"records","first","last"}],"next"}, by
 * id after `after` (0 = from the start), at most limit. *out is the caller's. */
MUST_CHECK enum err source_list(struct db *db, int64_t after, int64_t limit, json_t **out);

/* Datasets of the registry with what the store has of each:
 * {"datasets":[{"name","title","description","unit","aggregate","steps","records","first","last"}],"next":null}.
 */
MUST_CHECK enum err source_datasets(struct db *db, json_t **out);
#endif
