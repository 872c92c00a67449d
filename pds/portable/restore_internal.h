/* Between restore.c (the keys, the steps) and restore_place.c (where the store goes). */
#ifndef PORTABLE_RESTORE_INTERNAL_H
#define PORTABLE_RESTORE_INTERNAL_H
#include "pds/base/err.h"
#include "pds/base/fs.h"

/* A folder beside the store that shall be, locked while it is filled: dir.new-XXXXXX. */
struct restore_place {
    char dir[FS_PATH_BYTES], beside[FS_PATH_BYTES];
    int fd; /* of beside, which it locks; -1 when there is none */
};
/* Take away what killed restores left, and make the folder. ERR_CONFLICT unless there is nothing at dir, or
 * an empty folder that can give way: one where a disk is mounted cannot. Links to such a folder are followed.
 */
MUST_CHECK enum err restore_place_new(const char *dir, struct restore_place *out);
/* Sync it and give it its name. After a failure there is nothing. */
MUST_CHECK enum err restore_place_keep(struct restore_place *p);
void restore_place_drop(struct restore_place *p); /* nothing is left; after a keep it does nothing */
#endif
