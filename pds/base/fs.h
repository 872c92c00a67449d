/* Files and folders that only their owner can read. */
#ifndef BASE_FS_H
#define BASE_FS_H
#include "pds/base/buf.h"
#include "pds/base/err.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { FS_PATH_BYTES = 1024 };

/* dir + "/" + name into out; ERR_TOO_LARGE when it does not fit. */
MUST_CHECK enum err fs_join(char out[static FS_PATH_BYTES], const char *dir, const char *name);

/* Make a folder with mode 0700. ERR_CONFLICT when something is there already. */
MUST_CHECK enum err fs_make_private_dir(const char *path);
/* ERR_FORBIDDEN unless path is a folder of this user that nobody else can read, write or enter;
 * ERR_NOT_FOUND when there is none. */
MUST_CHECK enum err fs_check_private_dir(const char *path);
bool fs_exists(const char *path);
/* Whether path would lie in the folder dir, or deeper in it; links are followed. false when one of the
 * folders is not there. */
bool fs_is_within(const char *path, const char *dir);

/* A whole file, at most max bytes (ERR_TOO_LARGE); regular files only (ERR_UNSUPPORTED). It is added to
 * out, which on failure holds what it held before. */
MUST_CHECK enum err fs_read(const char *path, size_t max_bytes, struct buf *out);

/* Replace or make a file, mode 0600: written beside, synced, renamed, folder synced. After a
 * failure the old file is untouched and nothing is left beside it; only when the last step fails, the
 * folder's sync, the new file is there and may be lost with the power. */
MUST_CHECK enum err fs_replace(const char *path, const void *bytes, size_t len);

/* The same for a file that shall not be there yet: ERR_CONFLICT when anything is. After another failure there
 * is none, but for the folder's sync. */
MUST_CHECK enum err fs_make(const char *path, const void *bytes, size_t len);

/* A file that is written piece by piece and takes its name when it is whole: made beside as path.new-XXXXXX,
 * mode 0600. */
struct fs_draft {
    int fd; /* to write and to read; -1 when there is none */
    char path[FS_PATH_BYTES], beside[FS_PATH_BYTES];
};
/* ERR_CONFLICT when a folder, a link or a device has the name. */
MUST_CHECK enum err fs_draft_new(const char *path, struct fs_draft *out);
/* Sync it and give it its name, in the place of what had it. Whatever comes of it, the draft is over. */
MUST_CHECK enum err fs_draft_keep(struct fs_draft *d);
void fs_draft_drop(struct fs_draft *d); /* nothing is left; after fs_draft_keep() it does nothing */

/* For AUTO: close a descriptor that was only read, locked or synced; -1 is fine. */
void fs_closep(int *fd);
MUST_CHECK enum err fs_write_all(int fd, const void *bytes, size_t len); /* all of it, or an error */
MUST_CHECK enum err fs_sync_dir(const char *path);

/* The outcome that errno stands for (ENOSPC: ERR_FULL; ENOENT: ERR_NOT_FOUND; …). */
enum err fs_errno(int number);
/* Set a story "<doing> <name>: <strerror>" and return that outcome. */
#define fs_error(doing, name) err_set(fs_errno(errno), "%s %s: %s", doing, name, strerror(errno))
#endif
