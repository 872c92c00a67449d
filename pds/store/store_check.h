/* Reading everything of a store, and saying what is damaged. */
#ifndef STORE_STORE_CHECK_H
#define STORE_STORE_CHECK_H
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/store/store.h"

/* {"ok","pages","files","unread","ahead_s","problems":[{"where","what"}]}. "ahead_s": how far the last line
 * of the trail is ahead of the clock, 0 when it is not; that is no problem. root is NULL for an open store;
 * for one that damage keeps from opening, its key: then pages and frames are read from the files. ERR_OK when
 * the check could be made, whatever it found. */
MUST_CHECK enum err store_check(struct store *s, const struct store_key *root, json_t **out);
#endif
