/* The copy of vault.db that is made before a migration: vault.db.before-NNN, NNN the schema it is of.
 *
 * Its bytes are those of vault.db, sealed under the same key. It stays until the store is erased from or gets
 * another key, or until its owner takes it away; docs/operations.md tells the way back. */
#ifndef VAULT_VAULT_BEFORE_H
#define VAULT_VAULT_BEFORE_H
#include "pds/base/err.h"

#include <stdbool.h>

/* Whether a file's name is that of such a copy, or of one that was cut while it was made. */
bool vault_before_is(const char *name);
/* Take them away from the folder dir, which is synced when there was any. By whoever has the store to itself,
 * or open. */
MUST_CHECK enum err vault_before_remove(const char *dir);
#endif
