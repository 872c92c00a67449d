/* Taking back what one part of an import wrote, as if it had never come. */
#include "pds/store/record.h"

#include "pds/base/auto.h"
#include "pds/store/source.h"
#include "pds/vault/db.h"

#include <inttypes.h>

/* Parameters of the statements below: ?1 the part, ?2 a series, ?3 and ?4 the stretch of starts it touched,
 * ?5 the length of the longest confirmed run of the series, which bounds where a run over a record can start.
 */

/* The first part after ?1 and before `until` that found the row of `t` there already, or NULL. */
#define CONFIRMED_BY(t, until)                                                                               \
    "SELECT min(c.part) FROM record_confirmed c WHERE c.series_id = " t ".series_id AND c.start_at <= " t    \
    ".start_at AND c.start_at >= " t ".start_at - ?5 AND c.end_at >= " t                                     \
    ".end_at AND c.part > ?1 AND c.part < " until
/* What ?1 replaced in the place of `t`. */
#define REPLACED_BY_PART(t)                                                                                  \
    "SELECT g.value, g.quality, g.part, g.line, g.more FROM record_history g WHERE g.series_id = " t         \
    ".series_id AND g.start_at = " t ".start_at AND g.end_at = " t ".end_at AND g.replaced_by = ?1"
#define NEXT_REPLACED                                                                                        \
    "coalesce((SELECT min(h.replaced_by) FROM record_history h WHERE h.series_id = g.series_id"              \
    " AND h.start_at = g.start_at AND h.end_at = g.end_at AND h.replaced_by > ?1), 9223372036854775807)"
#define IN_STRETCH " series_id = ?2 AND start_at BETWEEN ?3 AND ?4"

/* A version of ?1 that a later part confirmed while it stood counts as that part's, so what ?1 had replaced
 * was replaced by that one. */
static const char SQL_CHAIN_REASSIGN[] =
    "UPDATE OR REPLACE record_history AS g SET replaced_by = (" CONFIRMED_BY(
        "g", NEXT_REPLACED) ") WHERE g.replaced_by = ?1 AND" IN_STRETCH
                            " AND (" CONFIRMED_BY("g", NEXT_REPLACED) ") IS NOT NULL";
static const char SQL_HISTORY_REASSIGN[] = "UPDATE record_history AS h SET line = 0, part = (" CONFIRMED_BY(
    "h", "h.replaced_by") ")"
                          " WHERE part = ?1 AND" IN_STRETCH
                          " AND (" CONFIRMED_BY("h", "h.replaced_by") ") IS NOT NULL";
/* A version of ?1 that was itself replaced since: what it had replaced takes its place. */
static const char SQL_HISTORY_TAKE[] =
    "UPDATE record_history AS h SET (value, quality, part, line, more) = (" REPLACED_BY_PART(
        "h") ")"
             " WHERE part = ?1 AND" IN_STRETCH " AND EXISTS (" REPLACED_BY_PART("h") ")";
static const char SQL_HISTORY_GONE[] = "DELETE FROM record_history WHERE part = ?1 AND" IN_STRETCH;
static const char SQL_RECORD_REASSIGN[] = "UPDATE record AS r SET line = 0, part = (" CONFIRMED_BY(
    "r", "9223372036854775807") ")"
                                " WHERE part = ?1 AND" IN_STRETCH
                                " AND (" CONFIRMED_BY("r", "9223372036854775807") ") IS NOT NULL";
static const char SQL_RECORD_RESTORE[] =
    "UPDATE record AS r SET (value, quality, part, line, more) = (" REPLACED_BY_PART(
        "r") ")"
             " WHERE part = ?1 AND" IN_STRETCH " AND EXISTS (" REPLACED_BY_PART("r") ")";
static const char SQL_HISTORY_DROP[] = "DELETE FROM record_history WHERE replaced_by = ?1 AND" IN_STRETCH;
static const char SQL_RECORD_DROP[] = "DELETE FROM record WHERE part = ?1 AND" IN_STRETCH;

static const char SQL_EXTENT_ADD[] =
    "INSERT INTO record_extent (part, series_id, start_at, end_at) VALUES (?1, ?2, ?3, ?4)";
static const char SQL_CONFIRMED_ADD[] = "INSERT INTO record_confirmed (part, series_id, start_at, end_at)"
                                        " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
static const char SQL_EXTENTS[] = "SELECT series_id, start_at, end_at FROM record_extent WHERE part = ?1";
static const char SQL_LONGEST_RUN[] =
    "SELECT coalesce(max(end_at - start_at), 0) FROM record_confirmed WHERE series_id = ?1";
static const char SQL_EXTENT_FORGET[] = "DELETE FROM record_extent WHERE part = ?1";
static const char SQL_CONFIRMED_FORGET[] = "DELETE FROM record_confirmed WHERE part = ?1";

enum err record_note_extent(struct db *db, int64_t part, int64_t series_id, int64_t start_at, int64_t end_at)
{
    return db_run(db, SQL_EXTENT_ADD, PARAMS(INT(part), INT(series_id), INT(start_at), INT(end_at)));
}

enum err record_note_confirmed(struct db *db, int64_t part, int64_t series_id, int64_t start_at,
                               int64_t end_at)
{
    return db_run(db, SQL_CONFIRMED_ADD, PARAMS(INT(part), INT(series_id), INT(start_at), INT(end_at)));
}

/* The stretch of one series. */
static enum err undo_extent(struct db *db, int64_t part, const struct stmt *extent, int64_t *removed,
                            int64_t *restored)
{
    struct params stretch =
        PARAMS(INT(part), INT(stmt_int(extent, 0)), INT(stmt_int(extent, 1)), INT(stmt_int(extent, 2)));
    int64_t longest, gone, back;
    enum err e;

    if ((e = db_number(db, SQL_LONGEST_RUN, PARAMS(INT(stmt_int(extent, 0))), &longest)))
        return e;
    const struct params bounded = PARAMS(INT(part), INT(stmt_int(extent, 0)), INT(stmt_int(extent, 1)),
                                         INT(stmt_int(extent, 2)), INT(longest));

    if ((e = db_run(db, SQL_CHAIN_REASSIGN, bounded)) || (e = db_run(db, SQL_HISTORY_REASSIGN, bounded)) ||
        (e = db_run(db, SQL_HISTORY_TAKE, stretch)) || (e = db_run(db, SQL_HISTORY_GONE, stretch)) ||
        (e = db_run(db, SQL_RECORD_REASSIGN, bounded)) ||
        (e = db_change(db, SQL_RECORD_RESTORE, stretch, &back)) ||
        (e = db_run(db, SQL_HISTORY_DROP, stretch)) || (e = db_change(db, SQL_RECORD_DROP, stretch, &gone)) ||
        (e = source_count(db, stmt_int(extent, 0), -gone, 0)))
        return e;
    *removed += gone;
    *restored += back;
    return ERR_OK;
}

enum err record_undo(struct db *db, int64_t part, int64_t *removed, int64_t *restored)
{
    AUTO(stmt_closep) struct stmt *extent = NULL;
    enum err e;

    if ((e = db_query(db, SQL_EXTENTS, PARAMS(INT(part)), &extent)))
        return e;
    while (!(e = stmt_next(extent))) {
        if ((e = undo_extent(db, part, extent, removed, restored)))
            return err_wrap(e, "records of part %" PRId64, part);
    }
    stmt_close(extent);
    extent = NULL;
    if (e != ERR_NOT_FOUND || (e = db_run(db, SQL_EXTENT_FORGET, PARAMS(INT(part)))) ||
        (e = db_run(db, SQL_CONFIRMED_FORGET, PARAMS(INT(part)))))
        return err_wrap(e, "records of part %" PRId64, part);
    return ERR_OK;
}
