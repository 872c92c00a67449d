/* What another store exported, into this one: nothing here is erased, conflicts are told. */
#ifndef PORTABLE_MERGE_H
#define PORTABLE_MERGE_H
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/store/store.h"

#include <stddef.h>
#include <stdint.h>

typedef enum err merge_get(void *context, void *out, size_t size, size_t *got);

/* {"import","corrections","datasets":[{"name","new","same","replaced","conflicts","rejected"}],"documents":{"new","same","conflicts"},
 * "annotations":{…},"bundles":{…},"conflicts":[{"where","what"}],"warnings":[…]}. A record that is here with
 * another value stays, unless the other's quality is better (then it becomes history). A document that is
 * here with other content comes in under a new id. After a failure the records that came are taken back. */
MUST_CHECK enum err merge_run(struct store *s, merge_get *get, void *context, int64_t now, json_t **out);
#endif
