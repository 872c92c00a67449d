/* One connection to the vault. Used by one thread at a time. */
#ifndef VAULT_DB_H
#define VAULT_DB_H
#include "pds/base/err.h"
#include "pds/vault/stmt.h"

#include <stdint.h>

struct db;

/* Start a statement. sql is a constant: it is kept prepared under its address. */
MUST_CHECK enum err db_query(struct db *db, const char *sql, struct params params, struct stmt **out);
/* Run a statement that gives no rows. */
MUST_CHECK enum err db_run(struct db *db, const char *sql, struct params params);
/* The same, and the rows it changed. */
MUST_CHECK enum err db_change(struct db *db, const char *sql, struct params params, int64_t *changed);
/* A query of exactly one integer: ERR_NOT_FOUND without a row; NULL reads as 0. */
MUST_CHECK enum err db_number(struct db *db, const char *sql, struct params params, int64_t *out);
int64_t db_last_rowid(struct db *db);
#endif
