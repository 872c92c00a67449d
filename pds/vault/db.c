#include "pds/vault/db.h"

#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/vault/db_internal.h"

#include <pthread.h>
#include <string.h>

/* SQLite's memory comes from the one allocator. It asks for sizes that fit an int. */

static void *memory_get(int n) { return mem_resize(NULL, (size_t)n); }

static void *memory_resize(void *p, int n) { return mem_resize(p, (size_t)n); }

static int memory_size(void *p) { return p ? (int)mem_size(p) : 0; }

static int memory_round(int n) { return (n + 7) & ~7; }

static int memory_start(void *unused)
{
    (void)unused;
    return SQLITE_OK;
}

static void memory_stop(void *unused) { (void)unused; }

static int start_outcome;

static void start(void)
{
    sqlite3_mem_methods memory = {.xMalloc = memory_get,
                                  .xFree = mem_free,
                                  .xRealloc = memory_resize,
                                  .xSize = memory_size,
                                  .xRoundup = memory_round,
                                  .xInit = memory_start,
                                  .xShutdown = memory_stop};

    if ((start_outcome = sqlite3_config(SQLITE_CONFIG_MALLOC, &memory)) ||
        (start_outcome = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0)) ||
        (start_outcome = sqlite3_config(SQLITE_CONFIG_URI, 0)))
        return;
    start_outcome = sqlite3_initialize();
}

enum err db_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, start); /* cannot fail with these arguments */
    return start_outcome == SQLITE_OK ? ERR_OK : err_set(ERR_INTERNAL, "starting SQLite (%d)", start_outcome);
}

/* Errors */

static enum err damage(struct db *db)
{
    const char *place = vfs_take_place();

    if (!place) { /* every seal is good: SQLite finds its own structures wrong */
        (void)vfs_damage(db->vfs, "vault.db: its structure is wrong");
        place = vfs_take_place();
    }
    return err_set(ERR_CORRUPT, "%s", place);
}

enum err db_error(struct db *db, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
        return ERR_OK;
    case SQLITE_CONSTRAINT:
        return err_set(ERR_CONFLICT, "%s", sqlite3_errmsg(db->handle));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return damage(db);
    case SQLITE_FULL:
        return err_set(ERR_FULL, "the vault: no space left");
    case SQLITE_NOMEM:
        return err_set(ERR_NO_MEMORY, "the vault");
    case SQLITE_TOOBIG:
        return err_set(ERR_TOO_LARGE, "a value or a statement for the vault");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(ERR_BUSY, "the vault (%d)", rc);
    case SQLITE_INTERRUPT:
        return err_set(ERR_TIMEOUT, "a statement was stopped");
    case SQLITE_MISMATCH:
        return err_set(ERR_INVALID, "SQLite: a value of another type");
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return atomic_load(&db->vfs->ended) ? err_set(ERR_IO, "writing has ended after a failed sync")
                                            : vfs_err(rc);
    default:
        return err_set(ERR_INTERNAL, "SQLite: %s", sqlite3_errmsg(db->handle));
    }
}

/* Opening */

static const char SQL_SETTINGS[] =
    "PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA foreign_keys = ON;"
    "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;";
static const char SQL_READER[] = "PRAGMA query_only = ON; PRAGMA cache_size = -2000;";
static const char SQL_WRITER[] =
    "PRAGMA secure_delete = ON; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
    "PRAGMA journal_size_limit = 33554432; PRAGMA cache_size = -8000;";
static const char SQL_MAKER[] =
    "PRAGMA page_size = 4096; PRAGMA journal_mode = MEMORY; PRAGMA journal_mode = WAL;";
static const char SQL_MODE[] = "PRAGMA journal_mode";

static void lower_limits(sqlite3 *handle, enum db_role role)
{
    static const struct {
        int what, most;
    } LIMITS[] = {
        {SQLITE_LIMIT_LENGTH, 16 * (int)MIB}, {SQLITE_LIMIT_SQL_LENGTH, (int)LIMIT_SQL_BYTES},
        {SQLITE_LIMIT_COLUMN, 256},           {SQLITE_LIMIT_EXPR_DEPTH, 200},
        {SQLITE_LIMIT_COMPOUND_SELECT, 50},   {SQLITE_LIMIT_VDBE_OP, 250000},
        {SQLITE_LIMIT_FUNCTION_ARG, 100},     {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1024},
        {SQLITE_LIMIT_VARIABLE_NUMBER, 1000}, {SQLITE_LIMIT_TRIGGER_DEPTH, 16},
        {SQLITE_LIMIT_WORKER_THREADS, 0},
    };

    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++)
        (void)sqlite3_limit(handle, LIMITS[i].what, LIMITS[i].most);
    (void)sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, role == DB_READER ? 0 : 1); /* VACUUM attaches one */
}

static int harden(sqlite3 *handle)
{
    static const struct {
        int what, on;
    } SETTINGS[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    };
    int rc = SQLITE_OK;

    for (size_t i = 0; i < sizeof SETTINGS / sizeof *SETTINGS && rc == SQLITE_OK; i++)
        rc = sqlite3_db_config(handle, SETTINGS[i].what, SETTINGS[i].on, NULL);
    return rc;
}

static enum err begin_file(struct db *db)
{
    int reserve = SEAL_EXTRA_BYTES;
    int rc = sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve); /* trap 7 */

    return rc == SQLITE_OK ? db_script(db, SQL_MAKER) : db_error(db, rc);
}

static enum err check_mode(struct db *db)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    if ((e = db_query(db, SQL_MODE, NO_PARAMS, &row)) || (e = stmt_next(row)))
        return e;
    return str_eq(stmt_text(row, 0), STR("wal")) ? ERR_OK
                                                 : err_set(ERR_CORRUPT, "vault.db: it is not in WAL mode");
}

static enum err set_up(struct db *db, enum db_role role)
{
    enum err e;
    int rc = harden(db->handle);

    if (rc != SQLITE_OK)
        return db_error(db, rc);
    lower_limits(db->handle, role);
    (void)sqlite3_extended_result_codes(db->handle, 1);
    if ((e = db_script(db, SQL_SETTINGS)))
        return e;
    if (role == DB_READER)
        return db_script(db, SQL_READER);
    if ((role == DB_MAKER && (e = begin_file(db))) || (e = db_script(db, SQL_WRITER)))
        return e;
    return check_mode(db);
}

enum err db_open(struct vfs *v, enum db_role role, struct db **out)
{
    int flags = SQLITE_OPEN_NOMUTEX | (role == DB_READER ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    AUTO(db_closep) struct db *db = mem_new(sizeof *db);
    enum err e;
    int rc;

    if (!db)
        return err_set(ERR_NO_MEMORY, "a connection to the vault");
    db->vfs = v;
    (void)vfs_take_place();
    rc = sqlite3_open_v2(v->db_path, &db->handle, flags, v->name);
    if (!db->handle)
        return err_set(ERR_NO_MEMORY, "a connection to the vault");
    e = rc == SQLITE_OK ? set_up(db, role) : db_error(db, rc);
    if (e)
        return err_wrap(e, "opening the vault");
    *out = db;
    db = NULL;
    return ERR_OK;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < DB_BUCKETS; i++) {
        while (db->buckets[i]) {
            struct stmt *s = db->buckets[i];

            db->buckets[i] = s->next;
            stmt_free(s);
        }
    }
    if (db->handle &&
        (atomic_load(&db->vfs->damaged) || atomic_load(&db->vfs->ended))) /* what is there is kept as it is */
        (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_close_v2(db->handle); /* no statement is left: closes at once */
    mem_free(db);
}

/* Statements */

static struct stmt **bucket_of(struct db *db, const char *sql)
{
    return &db->buckets[((uintptr_t)sql >> 3 ^ (uintptr_t)sql >> 12) % DB_BUCKETS];
}

static void forget(struct db *db, struct stmt **link)
{
    struct stmt *s = *link;

    *link = s->next;
    db->kept--;
    stmt_free(s);
}

/* Make room: the statement that was not used for longest goes. */
static void forget_oldest(struct db *db)
{
    struct stmt **oldest = NULL;

    for (size_t i = 0; i < DB_BUCKETS; i++)
        for (struct stmt **at = &db->buckets[i]; *at; at = &(*at)->next)
            if (!(*at)->busy && (!oldest || (*at)->used_at < (*oldest)->used_at))
                oldest = at;
    if (oldest)
        forget(db, oldest);
}

static struct stmt *find_idle(struct db *db, const char *sql)
{
    for (struct stmt **at = bucket_of(db, sql); *at; at = &(*at)->next) {
        if ((*at)->sql != sql || (*at)->busy)
            continue;
        if (strcmp(sqlite3_sql((*at)->handle), sql) == 0)
            return *at;
        forget(db, at); /* another text at the same address: it was no constant */
        return NULL;
    }
    return NULL;
}

static enum err prepare(struct db *db, const char *sql, struct stmt **out)
{
    struct stmt **bucket = bucket_of(db, sql);
    struct stmt *s;
    int rc;

    if (db->kept >= DB_STATEMENTS_KEPT)
        forget_oldest(db);
    if (!(s = mem_new(sizeof *s)))
        return err_set(ERR_NO_MEMORY, "a statement");
    s->db = db;
    s->sql = sql;
    rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->handle, NULL);
    if (rc != SQLITE_OK || !s->handle) {
        enum err e = rc == SQLITE_OK ? err_set(ERR_INTERNAL, "a statement without text") : db_error(db, rc);

        stmt_free(s);
        return e;
    }
    s->next = *bucket;
    *bucket = s;
    db->kept++;
    *out = s;
    return ERR_OK;
}

enum err db_query(struct db *db, const char *sql, struct params params, struct stmt **out)
{
    struct stmt *s = find_idle(db, sql);
    enum err e;

    if (!s && (e = prepare(db, sql, &s)))
        return e;
    s->busy = true;
    s->used_at = ++db->queries;
    if ((e = stmt_bind(s, params))) {
        stmt_close(s);
        return e;
    }
    *out = s;
    return ERR_OK;
}

enum err db_run(struct db *db, const char *sql, struct params params)
{
    AUTO(stmt_closep) struct stmt *s = NULL;
    enum err e;
    int rc;

    if ((e = db_query(db, sql, params, &s)))
        return e;
    do /* not stmt_next(): success leaves the story of an earlier failure alone */
        rc = sqlite3_step(s->handle);
    while (rc == SQLITE_ROW);
    return rc == SQLITE_DONE ? ERR_OK : db_error(db, rc);
}

enum err db_change(struct db *db, const char *sql, struct params params, int64_t *changed)
{
    sqlite3_int64 before = sqlite3_total_changes64(db->handle);
    enum err e = db_run(db, sql, params);

    if (!e)
        *changed = sqlite3_total_changes64(db->handle) == before ? 0 : sqlite3_changes64(db->handle);
    return e;
}

enum err db_number(struct db *db, const char *sql, struct params params, int64_t *out)
{
    AUTO(stmt_closep) struct stmt *s = NULL;
    enum err e;

    if ((e = db_query(db, sql, params, &s)) || (e = stmt_next(s)))
        return e;
    *out = stmt_int(s, 0);
    return ERR_OK;
}

int64_t db_last_rowid(struct db *db) { return sqlite3_last_insert_rowid(db->handle); }

void db_end_statements(struct db *db)
{
    for (size_t i = 0; i < DB_BUCKETS; i++)
        for (struct stmt *s = db->buckets[i]; s; s = s->next)
            if (s->busy)
                stmt_close(s);
}

bool db_has_transaction(struct db *db) { return !sqlite3_get_autocommit(db->handle); }

enum err db_script(struct db *db, const char *sql)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? ERR_OK : db_error(db, rc);
}
