/* Files that a command reads, wherever it runs. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H
#include "pds/base/err.h"
#include "pds/base/str.h"
#include "pds/store/store.h"

#include <stddef.h>

/* Up to size bytes; *got is 0 at the end. A pipe that nobody writes to is waited for, but not while the store
 * is being locked: ERR_LOCKED. */
MUST_CHECK enum err input_read(int fd, struct store *store, void *out, size_t size, size_t *got);
/* What stands behind the last slash of a path; borrowed. */
struct str input_name(const char *path);
#endif
