/* A store as one age v1 file: inside, a tar of the database in SQLite's plain layout, the files, a manifest
 * of hashes. Made while serving, verified as it reads, read back when written. docs/backup-format.md. */
#ifndef PORTABLE_BACKUP_H
#define PORTABLE_BACKUP_H
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/crypto/secret.h"
#include "pds/store/store.h"

#include <stdint.h>

/* Write a backup into fd (regular file, empty, readable too), sealed to the store's recipient, or to
 * `passphrase` when it is not NULL. Syncs. {"bytes","files","pages","recipient"}. ERR_CORRUPT for a damaged
 * store: it yields no backup. Told in the trail before it is begun. */
MUST_CHECK enum err backup_make(struct store *s, int fd, const struct secret_text *passphrase, int64_t now,
                                json_t **out);
#endif
