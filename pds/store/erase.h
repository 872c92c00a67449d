/* Erasure: gone from live and free pages, the log, and blobs with their keys.
 *
 * Deleting readings, as the owner does day by day, is the bare form of it.
 *
 * It runs in steps, each durable; what a crash cuts goes on at the next opening. It works on a full disk,
 * from the space that is kept for it. The trail keeps that something was erased, and no more. */
#ifndef STORE_ERASE_H
#define STORE_ERASE_H
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/store/dataset.h"
#include "pds/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct erase_request {
    const struct dataset *dataset; /* NULL: any */
    int64_t source_id;             /* 0: any */
    int64_t from, to;              /* records that start in [from, to); INT64_MIN, INT64_MAX: without limit */
    bool whole; /* everything: records, documents, annotations, imports, the trail's contents */
    bool bare;  /* of a dataset, the records alone: annotations, and imports and sources left empty, stay */
};
/* {"records","documents","annotations","sources","imports"}: how many went. Sources and imports go when
 * nothing of theirs is left; annotations, those that begin in the period, unless a source is named.
 * ERR_INVALID when nothing is named, or all of it with something else; ERR_NOT_FOUND for a source that is
 * none. ERR_BUSY when a reader or a copy keeps old pages for more than 10 s: all is deleted, and the files
 * are cleaned at the next opening or the next erasure; a bare one does not wait for that, and is told as
 * done. Any other failure, such as ERR_FULL when not even what is kept does: what is done is done, and the
 * rest stays until it is erased again. The copy of before a migration goes too. */
MUST_CHECK enum err erase_run(struct store *s, const struct erase_request *request, int64_t now,
                              json_t **out);
/* Go on with what a crash cut. Once after opening, by whoever opens. What cannot be done now (ERR_BUSY,
 * ERR_FULL) waits for the next one. */
MUST_CHECK enum err erase_recover(struct store *s, struct vault *v);
#endif
