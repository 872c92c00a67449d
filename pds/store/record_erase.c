/* Deleting records for good, with what was noted of them: nothing that is undone later brings one back. */
#include "pds/store/record.h"

#include "pds/base/auto.h"
#include "pds/store/source.h"
#include "pds/vault/db.h"

#include <inttypes.h>

/* ?1 a series, [?2, ?3) the starts that go. */
#define IN_STRETCH " WHERE series_id = ?1 AND start_at >= ?2 AND start_at < ?3"

static const char SQL_RECORD_GONE[] = "DELETE FROM record" IN_STRETCH;
static const char SQL_HISTORY_GONE[] = "DELETE FROM record_history" IN_STRETCH;

/* An extent holds the first and the last start that a part touched: its end within the stretch is cut off. */
static const char SQL_EXTENT_GONE[] =
    "DELETE FROM record_extent WHERE series_id = ?1 AND start_at >= ?2 AND end_at < ?3";
static const char SQL_EXTENT_HEAD[] =
    "UPDATE record_extent SET start_at = ?3 WHERE series_id = ?1 AND start_at >= ?2 AND start_at < ?3";
static const char SQL_EXTENT_TAIL[] =
    "UPDATE record_extent SET end_at = ?2 - 1 WHERE series_id = ?1 AND end_at >= ?2 AND end_at < ?3";

/* A confirmed run [start_at, end_at) holds whole records: it is cut where the last one before the stretch
 * ends and where the first one after it starts. An instant takes one second of its run. */
#define RUN_HIT "c.series_id = ?1 AND c.start_at < ?3 AND c.end_at > ?2"
static const char SQL_RUN_BEFORE[] =
    "INSERT OR IGNORE INTO record_confirmed (series_id, start_at, end_at, part)"
    " SELECT c.series_id, c.start_at, max(r.start_at + 1, r.end_at), c.part FROM record_confirmed c"
    " JOIN record r ON r.series_id = c.series_id AND r.start_at = (SELECT max(x.start_at) FROM record x"
    " WHERE x.series_id = c.series_id AND x.start_at >= c.start_at AND x.start_at < ?2)"
    " WHERE " RUN_HIT " AND c.start_at < ?2 AND r.end_at <= c.end_at AND c.end_at > r.start_at";
static const char SQL_RUN_AFTER[] =
    "INSERT OR IGNORE INTO record_confirmed (series_id, start_at, end_at, part)"
    " SELECT c.series_id, (SELECT min(x.start_at) FROM record x WHERE x.series_id = c.series_id"
    " AND x.start_at >= ?3 AND x.start_at < c.end_at), c.end_at, c.part FROM record_confirmed c"
    " WHERE " RUN_HIT " AND c.end_at > ?3 AND EXISTS (SELECT 1 FROM record x"
    " WHERE x.series_id = c.series_id AND x.start_at >= ?3 AND x.start_at < c.end_at)";
/* The runs that hold a start of the stretch; what was cut off them above holds none. */
static const char SQL_RUN_GONE[] = "DELETE FROM record_confirmed AS c WHERE " RUN_HIT
                                   " AND EXISTS (SELECT 1 FROM record x WHERE x.series_id = c.series_id AND "
                                   "x.start_at >= max(?2, c.start_at)"
                                   " AND x.start_at < min(?3, c.end_at))";

enum err record_erase(struct db *db, int64_t series_id, int64_t from, int64_t to, int64_t *removed)
{
    /* Runs are cut while the records that they hold are still there. */
    static const char *const NOTES[] = {SQL_RUN_BEFORE,  SQL_RUN_AFTER,   SQL_RUN_GONE,    SQL_EXTENT_GONE,
                                        SQL_EXTENT_HEAD, SQL_EXTENT_TAIL, SQL_HISTORY_GONE};
    struct params stretch = PARAMS(INT(series_id), INT(from), INT(to));
    int64_t gone;
    enum err e;

    for (size_t i = 0; i < sizeof NOTES / sizeof *NOTES; i++) {
        if ((e = db_run(db, NOTES[i], stretch)))
            return err_wrap(e, "deleting records of series %" PRId64, series_id);
    }
    if ((e = db_change(db, SQL_RECORD_GONE, stretch, &gone)) || (e = source_count(db, series_id, -gone, 0)))
        return err_wrap(e, "deleting records of series %" PRId64, series_id);
    *removed += gone;
    return ERR_OK;
}
