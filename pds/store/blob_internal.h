/* Between blob.c (one blob) and blob_sweep.c (the folder of all of them). */
#ifndef STORE_BLOB_INTERNAL_H
#define STORE_BLOB_INTERNAL_H
#include "pds/base/fs.h"
#include "pds/store/blob.h"

#include <stdbool.h>

enum { BLOB_NAME_CHARS = 2 * BLOB_NAME_BYTES };

void blob_name_text(const uint8_t name[static BLOB_NAME_BYTES], char out[static BLOB_NAME_CHARS + 1]);
MUST_CHECK enum err blob_folder(const struct store *s, char out[static FS_PATH_BYTES]);
/* Read what a writer that is finished and not yet known to the vault has written. */
MUST_CHECK enum err blob_reader_of(const struct blob_writer *w, struct blob_reader **out);
bool blob_is_written(struct store *s, const uint8_t name[static BLOB_NAME_BYTES]);
#endif
