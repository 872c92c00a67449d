/* The schema, brought up by numbered steps.
 *
 * A step is a file NNN_name.sql, the first one 001, none left out. Each runs in one transaction with
 * the number it leads to, so that a step has happened whole or not at all. */
#ifndef VAULT_MIGRATE_H
#define VAULT_MIGRATE_H
#include "pds/base/embed.h"
#include "pds/base/err.h"

#include <stdint.h>

struct db; /* pds/vault/db.h */

/* Marks the files that are ours ("TrbL"), as file(1) and sqlite3 show it. */
enum { MIGRATE_APPLICATION_ID = 0x5472624c };

/* The schema of a database that lacks steps; 0 when it lacks none, or is new. Fails as migrate_run(). */
MUST_CHECK enum err migrate_pending(struct db *db, const struct embed steps[], int64_t *schema);

/* Run the steps that db lacks. ERR_UNSUPPORTED when db is of a newer program; ERR_CORRUPT when it is of
 * another application. A row without a name closes the table. */
MUST_CHECK enum err migrate_run(struct db *db, const struct embed steps[]);
#endif
