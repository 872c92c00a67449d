#include "pds/vault/migrate.h"

#include "pds/base/mem.h"
#include "pds/vault/db_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char SQL_VERSION[] = "PRAGMA user_version";
static const char SQL_APPLICATION[] = "PRAGMA application_id";
static const char SQL_BEGIN[] = "BEGIN IMMEDIATE";
static const char SQL_COMMIT[] = "COMMIT";
static const char SQL_ROLLBACK[] = "ROLLBACK";

static int64_t step_count(const struct embed steps[])
{
    int64_t count = 0;

    while (steps[count].name) {
        count++;
        assert(strtol(steps[count - 1].name, NULL, 10) == count);
    }
    return count;
}

static enum err set_number(struct db *db, const char *what, int64_t n)
{
    char sql[64]; /* PRAGMA takes no parameter; the number is ours */

    (void)snprintf(sql, sizeof sql, "PRAGMA %s = %" PRId64, what, n);
    return db_script(db, sql);
}

static enum err run_step(struct db *db, const struct embed *step, int64_t number)
{
    enum err e;

    wal_dismiss_failed(db->vfs);
    if ((e = db_run(db, SQL_BEGIN, NO_PARAMS)))
        return e;
    if (!(e = db_script(db, step->start)) && !(e = set_number(db, "user_version", number)) &&
        !(e = set_number(db, "application_id", MIGRATE_APPLICATION_ID)))
        e = db_run(db, SQL_COMMIT, NO_PARAMS);
    if (e) {
        e = err_wrap(e, "migration %s", step->name);
        if (db_has_transaction(db))
            (void)sqlite3_exec(db->handle, SQL_ROLLBACK, NULL, NULL,
                               NULL); /* the failure told is the first */
    }
    return e;
}

static enum err find_version(struct db *db, int64_t known, int64_t *out)
{
    int64_t version, application;
    enum err e;

    if ((e = db_number(db, SQL_VERSION, NO_PARAMS, &version)) ||
        (e = db_number(db, SQL_APPLICATION, NO_PARAMS, &application)))
        return e;
    if (version > 0 && application != MIGRATE_APPLICATION_ID)
        return err_set(ERR_CORRUPT, "vault.db: it belongs to another application");
    if (version < 0 || version > known)
        return err_set(ERR_UNSUPPORTED, "the store has schema %" PRId64 ", this program knows up to %" PRId64,
                       version, known);
    *out = version;
    return ERR_OK;
}

enum err migrate_pending(struct db *db, const struct embed steps[], int64_t *schema)
{
    int64_t known = step_count(steps), version;
    enum err e = find_version(db, known, &version);

    if (!e)
        *schema = version < known ? version : 0;
    return e;
}

enum err migrate_run(struct db *db, const struct embed steps[])
{
    int64_t known = step_count(steps), version;
    enum err e = find_version(db, known, &version);

    if (e)
        return e;
    for (; version < known && !e; version++)
        e = run_step(db, &steps[version], version + 1);
    return e;
}
