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
/* Take away what killed restores left, and make the folder. ERR_CONFLICT when something is at dir. */
MUST_CHECK enum err restore_place_new(const char *dir, struct restore_place *out);
/* ERR_CONFLICT unless there is nothing at dir, or an empty folder. */
MUST_CHECK enum err restore_place_check(const char *dir);
/* Sync it and give it its name. */
MUST_CHECK enum err restore_place_keep(struct restore_place *p);
void restore_place_drop(struct restore_place *p); /* nothing is left; after a keep it does nothing */
#endif
