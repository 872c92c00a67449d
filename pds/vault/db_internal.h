/* What connections and statements share. */
#ifndef VAULT_DB_INTERNAL_H
#define VAULT_DB_INTERNAL_H
#include "pds/base/err.h"
#include "pds/vault/db.h"
#include "pds/vault/stmt.h"
#include "pds/vault/vfs_internal.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DB_BUCKETS = 64, DB_STATEMENTS_KEPT = 96 };

struct stmt {
    sqlite3_stmt *handle; /* owned */
    struct db *db;        /* borrowed */
    const char *sql;      /* the caller's constant: its address is the key */
    struct stmt *next;    /* in its bucket; owned */
    uint64_t used_at;     /* in queries of the connection */
    bool busy;            /* between db_query() and stmt_close() */
};

struct db {
    sqlite3 *handle;                  /* owned */
    struct vfs *vfs;                  /* borrowed */
    struct stmt *buckets[DB_BUCKETS]; /* owned */
    size_t kept;
    uint64_t queries;
};

enum db_role { DB_READER, DB_WRITER, DB_MAKER /* writes the first page */ };

/* Before the first use of SQLite: our allocator, no memory statistics. By any number of threads. */
MUST_CHECK enum err db_start(void);
MUST_CHECK enum err db_open(struct vfs *v, enum db_role role, struct db **out);
void db_close(struct db *db); /* NULL is fine */
static inline void db_closep(struct db **db) { db_close(*db); }

/* End what statements were left open, so that the transaction can end. */
void db_end_statements(struct db *db);
bool db_has_transaction(struct db *db);
/* Run SQL of ours that may hold several statements. */
MUST_CHECK enum err db_script(struct db *db, const char *sql);

/* The outcome that SQLite's code stands for, with its story: a place for damage, never a value. */
enum err db_error(struct db *db, int rc);

MUST_CHECK enum err stmt_bind(struct stmt *s, struct params params);
void stmt_free(struct stmt *s); /* NULL is fine */
#endif
