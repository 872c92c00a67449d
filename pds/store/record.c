#include "pds/store/record.h"

#include "pds/base/auto.h"
#include "pds/vault/db.h"

#include <inttypes.h>
#include <string.h>

enum { MORE_BYTES = DATASET_VALUES_MAX * 24 };

/* The first import after ?1 and before `until` that found the row of `t` there already, or NULL. */
#define CONFIRMED_BY(t, until)                                                                               \
    "SELECT min(c.import_number) FROM import_confirmed c WHERE c.series_id = " t                             \
    ".series_id AND c.start_at <= " t ".start_at AND c.end_at >= " t                                         \
    ".end_at AND c.import_number > ?1 AND c.import_number < " until
/* What import ?1 replaced in the place of `t`. */
#define REPLACED_BY_IMPORT(t)                                                                                \
    "SELECT g.value, g.quality, g.import_number, g.line, g.more FROM record_history g WHERE g.series_id "    \
    "= " t ".series_id AND g.start_at = " t ".start_at AND g.end_at = " t ".end_at AND g.replaced_by = ?1"

static const char SQL_INSERT[] =
    "INSERT INTO record (series_id, start_at, end_at, value, quality, import_number, line, more)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING";
static const char SQL_FIND[] = "SELECT value, quality, more FROM record"
                               " WHERE series_id = ?1 AND start_at = ?2 AND end_at = ?3";
static const char SQL_KEEP[] =
    "INSERT INTO record_history (series_id, start_at, end_at, replaced_by, value, quality, import_number, "
    "line, more)"
    " SELECT series_id, start_at, end_at, ?4, value, quality, import_number, line, more FROM record"
    " WHERE series_id = ?1 AND start_at = ?2 AND end_at = ?3 AND import_number <> ?4";
static const char SQL_REPLACE[] =
    "UPDATE record SET value = ?4, quality = ?5, import_number = ?6, line = ?7, more = ?8"
    " WHERE series_id = ?1 AND start_at = ?2 AND end_at = ?3";

/* Undoing import ?1 in series ?2 between ?3 and ?4, as if it had never come. First: a version that a later
 * import confirmed while it stood counts as that import's, so what ?1 had replaced was replaced by that one.
 */
static const char SQL_CHAIN_REASSIGN[] =
    "UPDATE OR REPLACE record_history AS g SET replaced_by = (" CONFIRMED_BY(
        "g", "coalesce((SELECT min(h.replaced_by) FROM record_history h WHERE h.series_id = g.series_id"
             " AND h.start_at = g.start_at AND h.end_at = g.end_at AND h.replaced_by > ?1), "
             "9223372036854775807)") ")"
                                     " WHERE g.replaced_by = ?1 AND g.series_id = ?2 AND g.start_at BETWEEN "
                                     "?3 AND ?4 AND (" CONFIRMED_BY(
                                         "g", "coalesce((SELECT min(h.replaced_by) FROM record_history h "
                                              "WHERE h.series_id = g.series_id"
                                              " AND h.start_at = g.start_at AND h.end_at = g.end_at AND "
                                              "h.replaced_by > ?1), 9223372036854775807)") ") IS NOT NULL";
static const char SQL_HISTORY_REASSIGN[] =
    "UPDATE record_history AS h SET line = 0, import_number = (" CONFIRMED_BY(
        "h", "h.replaced_by") ")"
                              " WHERE import_number = ?1 AND series_id = ?2 AND start_at BETWEEN ?3 AND ?4"
                              " AND (" CONFIRMED_BY("h", "h.replaced_by") ") IS NOT NULL";
/* A version of ?1 that was itself replaced since: what it had replaced takes its place. */
static const char SQL_HISTORY_TAKE[] =
    "UPDATE record_history AS h SET (value, quality, import_number, line, more) = (" REPLACED_BY_IMPORT(
        "h") ")"
             " WHERE import_number = ?1 AND series_id = ?2 AND start_at BETWEEN ?3 AND ?4"
             " AND EXISTS (" REPLACED_BY_IMPORT("h") ")";
static const char SQL_HISTORY_DROP[] =
    "DELETE FROM record_history WHERE replaced_by = ?1 AND series_id = ?2 AND start_at BETWEEN ?3 AND ?4";
static const char SQL_HISTORY_GONE[] =
    "DELETE FROM record_history WHERE import_number = ?1 AND series_id = ?2 AND start_at BETWEEN ?3 AND ?4";
static const char SQL_RECORD_REASSIGN[] = "UPDATE record AS r SET line = 0, import_number = (" CONFIRMED_BY(
    "r", "9223372036854775807") ")"
                                " WHERE import_number = ?1 AND series_id = ?2 AND start_at BETWEEN ?3 AND ?4"
                                " AND (" CONFIRMED_BY("r", "9223372036854775807") ") IS NOT NULL";
static const char SQL_RECORD_RESTORE[] =
    "UPDATE record AS r SET (value, quality, import_number, line, more) = (" REPLACED_BY_IMPORT(
        "r") ")"
             " WHERE import_number = ?1 AND series_id = ?2 AND start_at BETWEEN ?3 AND ?4"
             " AND EXISTS (" REPLACED_BY_IMPORT("r") ")";
static const char SQL_RECORD_DROP[] =
    "DELETE FROM record WHERE import_number = ?1 AND series_id = ?2 AND start_at BETWEEN ?3 AND ?4";
static const char SQL_EXTENTS[] =
    "SELECT series_id, start_at, end_at FROM import_extent WHERE import_number = ?1";

static const char *const QUALITIES[] = {[RECORD_ESTIMATED] = "estimated",
                                        [RECORD_MEASURED] = "measured",
                                        [RECORD_CORRECTED] = "corrected",
                                        [RECORD_DEFINITIVE] = "definitive"};

enum err record_quality_read(struct str word, enum record_quality *out)
{
    for (int i = RECORD_ESTIMATED; i <= RECORD_DEFINITIVE; i++) {
        if (str_eq(word, str_of(QUALITIES[i]))) {
            *out = (enum record_quality)i;
            return ERR_OK;
        }
    }
    return err_set(ERR_INVALID, "a quality that is no known word");
}

const char *record_quality_name(int64_t quality)
{
    return quality >= RECORD_ESTIMATED && quality <= RECORD_DEFINITIVE ? QUALITIES[quality] : NULL;
}

void record_more_write(struct buf *out, const struct record *r, size_t value_count)
{
    size_t last = 0;

    for (size_t i = 1; i < value_count; i++) {
        if (r->present & (1U << i))
            last = i;
    }
    for (size_t i = 1; i <= last; i++) {
        buf_char(out, i == 1 ? '[' : ',');
        if (r->present & (1U << i))
            buf_printf(out, "%" PRId64, r->values[i]);
        else
            buf_text(out, "null");
    }
    if (last)
        buf_char(out, ']');
}

enum err record_more_read(struct str more, int64_t values[static DATASET_VALUES_MAX], uint32_t *present)
{
    struct str part, rest;
    int64_t number;
    size_t i = 1;

    if (more.len == 0)
        return ERR_OK;
    if (more.len < 2 || more.ptr[0] != '[' || more.ptr[more.len - 1] != ']')
        return err_set(ERR_CORRUPT, "further values of a record");
    for (rest = (struct str){more.ptr + 1, more.len - 2}; str_split(&rest, ',', &part); i++) {
        if (str_eq(part, STR("null")))
            continue;
        if (i >= DATASET_VALUES_MAX || str_int64(part, &number))
            return err_set(ERR_CORRUPT, "further value %zu of a record", i);
        values[i] = number;
        *present |= 1U << i;
    }
    return ERR_OK;
}

/* Decimal digits of a number: what printf does, several times faster, since it is done for each row of an
 * answer. */
static void add_int(struct buf *out, int64_t n)
{
    uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;
    char text[24], *at = text + sizeof text;

    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (n < 0)
        *--at = '-';
    buf_add(out, at, (size_t)(text + sizeof text - at));
}

void record_value_text(struct buf *out, int64_t numerator, int64_t denominator)
{
    int64_t whole = numerator / denominator, rest = numerator % denominator, micro;
    char digits[8];
    int last = 6;

    if (rest == 0) {
        add_int(out, whole);
        return;
    }
    if (rest < 0)
        rest = -rest;
    micro = (rest * 2000000 + denominator) / (2 * denominator); /* rest < denominator <= 1e9 */
    if (micro == 1000000) {
        whole += numerator < 0 ? -1 : 1;
        micro = 0;
    }
    for (int i = 5; i >= 0; i--, micro /= 10)
        digits[i] = (char)('0' + micro % 10);
    while (last > 0 && digits[last - 1] == '0')
        last--;
    if (numerator < 0 && whole == 0 && last > 0)
        buf_char(out, '-');
    add_int(out, whole);
    if (last) {
        buf_char(out, '.');
        buf_add(out, digits, (size_t)last);
    }
}

static bool texts_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || !memcmp(a.ptr, b.ptr, a.len));
}

/* Compare with what is there already, and replace it when the new one counts more. */
static enum err put_again(struct db *db, const struct record *r, struct str more, enum record_outcome *out)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    struct param more_param = more.len ? STR_TEXT(more) : NIL;
    int64_t quality;
    bool alike;
    enum err e;

    if ((e = db_query(db, SQL_FIND, PARAMS(INT(r->series_id), INT(r->start_at), INT(r->end_at)), &row)) ||
        (e = stmt_next(row)))
        return e;
    quality = stmt_int(row, 1);
    alike = stmt_int(row, 0) == r->values[0] && texts_equal(stmt_text(row, 2), more);
    stmt_close(row);
    row = NULL;
    if (alike && quality >= (int64_t)r->quality) {
        *out = RECORD_SAME;
        return ERR_OK;
    }
    if (quality > (int64_t)r->quality) {
        *out = RECORD_WORSE;
        return ERR_OK;
    }
    if ((e = db_run(db, SQL_KEEP,
                    PARAMS(INT(r->series_id), INT(r->start_at), INT(r->end_at), INT(r->import_number)))) ||
        (e = db_run(db, SQL_REPLACE,
                    PARAMS(INT(r->series_id), INT(r->start_at), INT(r->end_at), INT(r->values[0]),
                           INT(r->quality), INT(r->import_number), INT(r->line), more_param))))
        return e;
    *out = RECORD_REPLACED;
    return ERR_OK;
}

enum err record_put(struct db *db, const struct record *r, enum record_outcome *out)
{
    AUTO(buf_done) struct buf more;
    int64_t changed;
    enum err e;

    buf_init(&more, MORE_BYTES);
    if (r->present & ~1U)
        record_more_write(&more, r, DATASET_VALUES_MAX);
    if ((e = buf_err(&more)) ||
        (e = db_change(db, SQL_INSERT,
                       PARAMS(INT(r->series_id), INT(r->start_at), INT(r->end_at), INT(r->values[0]),
                              INT(r->quality), INT(r->import_number), INT(r->line),
                              more.len ? STR_TEXT(((struct str){more.data, more.len})) : NIL),
                       &changed)))
        return err_wrap(e, "record of series %" PRId64, r->series_id);
    if (changed == 1) {
        *out = RECORD_NEW;
        return ERR_OK;
    }
    if ((e = put_again(db, r, (struct str){more.data, more.len}, out)))
        return err_wrap(e, "record of series %" PRId64, r->series_id);
    return ERR_OK;
}

/* The stretch of one series that the import touched. */
static enum err undo_extent(struct db *db, struct params key, int64_t *removed, int64_t *restored)
{
    int64_t changed;
    enum err e;

    if ((e = db_run(db, SQL_CHAIN_REASSIGN, key)) || (e = db_run(db, SQL_HISTORY_REASSIGN, key)) ||
        (e = db_run(db, SQL_HISTORY_TAKE, key)) || (e = db_run(db, SQL_HISTORY_GONE, key)) ||
        (e = db_run(db, SQL_RECORD_REASSIGN, key)) || (e = db_change(db, SQL_RECORD_RESTORE, key, &changed)))
        return e;
    *restored += changed;
    if ((e = db_run(db, SQL_HISTORY_DROP, key)) || (e = db_change(db, SQL_RECORD_DROP, key, &changed)))
        return e;
    *removed += changed;
    return ERR_OK;
}

enum err record_undo(struct db *db, int64_t import_number, int64_t *removed, int64_t *restored)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    int64_t gone = 0, back = 0;
    enum err e;

    if ((e = db_query(db, SQL_EXTENTS, PARAMS(INT(import_number)), &row)))
        return e;
    while (!(e = stmt_next(row))) {
        struct params key =
            PARAMS(INT(import_number), INT(stmt_int(row, 0)), INT(stmt_int(row, 1)), INT(stmt_int(row, 2)));

        if ((e = undo_extent(db, key, &gone, &back)))
            break;
    }
    if (e != ERR_NOT_FOUND)
        return err_wrap(e, "records of import %" PRId64, import_number);
    *removed = gone;
    *restored = back;
    return ERR_OK;
}
