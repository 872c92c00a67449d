#include "pds/store/setting.h"

#include "pds/base/auto.h"
#include "pds/vault/db.h"

static const char SQL_GET[] = "SELECT value FROM setting WHERE name = ?1";
static const char SQL_SET[] = "INSERT INTO setting (name, value) VALUES (?1, ?2)"
                              " ON CONFLICT (name) DO UPDATE SET value = ?2";

/* The key that backups are sealed to names nothing, and backups go on. */
static const char SQL_FORGET[] = "DELETE FROM setting WHERE name <> 'backup.recipient'";

static const char *const NAMES[] = {[SETTING_BACKUP_RECIPIENT] = "backup.recipient"};

enum err setting_get(struct db *db, enum setting s, struct buf *out)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    struct str value;
    enum err e;

    if ((e = db_query(db, SQL_GET, PARAMS(TEXT(NAMES[s])), &row)) || (e = stmt_next(row)))
        return err_wrap(e, "setting %s", NAMES[s]);
    value = stmt_blob(row, 0);
    buf_add(out, value.ptr, value.len);
    return buf_err(out);
}

enum err setting_set(struct db *db, enum setting s, const void *bytes, size_t len)
{
    return db_run(db, SQL_SET, PARAMS(TEXT(NAMES[s]), BLOB(bytes, len)));
}

enum err setting_forget(struct db *db) { return db_run(db, SQL_FORGET, NO_PARAMS); }
