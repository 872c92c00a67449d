#include "pds/store/record.h"

#include "pds/base/auto.h"
#include "pds/vault/db.h"

#include <inttypes.h>
#include <string.h>

enum { MORE_BYTES = DATASET_VALUES_MAX * 24 };

/* Wide enough for any meter; sums of as many records as a store holds stay within 63 bits. */
static const int64_t VALUE_MAX = 1000000000000;
/* 1 January 1900 and 2200: what lies outside is a mistake, and calendars stay within what clock.h can write.
 */
static const int64_t START_MIN = -2208988800, END_MAX = 7258118400;

static const char SQL_INSERT[] =
    "INSERT INTO record (series_id, start_at, end_at, value, quality, part, line, more)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING";
static const char SQL_FIND[] = "SELECT value, quality, more, part, line FROM record"
                               " WHERE series_id = ?1 AND start_at = ?2 AND end_at = ?3";
static const char SQL_IS_CORRECTION[] =
    "SELECT count(*) FROM import_part p JOIN import i ON i.number = p.import_number"
    " WHERE p.number = ?1 AND i.format = '" RECORD_CORRECTION_FORMAT "'";
/* Whether the record said this once, as good: what a file says again. */
static const char SQL_WAS_SAID[] =
    "SELECT count(*) FROM record_history WHERE series_id = ?1 AND start_at = ?2 AND end_at = ?3"
    " AND value = ?4 AND more IS ?5 AND quality >= ?6";
static const char SQL_KEEP[] =
    "INSERT INTO record_history (series_id, start_at, end_at, replaced_by, value, quality, part, "
    "line, more)"
    " SELECT series_id, start_at, end_at, ?4, value, quality, part, line, more FROM record"
    " WHERE series_id = ?1 AND start_at = ?2 AND end_at = ?3 AND part <> ?4";
static const char SQL_NOTE_SAID[] =
    "INSERT INTO record_history (series_id, start_at, end_at, replaced_by, value, quality, part, line, more)"
    " SELECT r.series_id, r.start_at, r.end_at, r.part, ?7, ?8, r.part, 0, ?9 FROM source o"
    " JOIN series s ON s.source_id = o.id JOIN record r ON r.series_id = s.id"
    " JOIN import_part p ON p.number = r.part JOIN import i ON i.number = p.import_number"
    " WHERE o.provider = ?2 AND o.reference = ?3 AND s.dataset = ?1 AND s.grain = ?4 AND r.start_at = ?5"
    " AND r.end_at = ?6 AND r.quality = 3 AND i.format = '" RECORD_CORRECTION_FORMAT "'"
    " ON CONFLICT DO UPDATE SET value = excluded.value, quality = excluded.quality, more = excluded.more"
    " WHERE part = excluded.part AND quality < excluded.quality";
static const char SQL_REPLACE[] =
    "UPDATE record SET value = ?4, quality = ?5, part = ?6, line = ?7, more = ?8"
    " WHERE series_id = ?1 AND start_at = ?2 AND end_at = ?3";

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

/* Enough to get the numerator back. */
static int places_of(int64_t denominator) { return denominator > 100000 ? 9 : 6; }

void record_value_text(struct buf *out, int64_t numerator, int64_t denominator)
{
    int64_t whole = numerator / denominator, rest = numerator % denominator, parts;
    int64_t one = places_of(denominator) == 9 ? 1000000000 : 1000000;
    char digits[9];
    int last = places_of(denominator);

    if (rest == 0) {
        add_int(out, whole);
        return;
    }
    if (rest < 0)
        rest = -rest;
    parts = (rest * 2 * one + denominator) / (2 * denominator); /* rest < denominator <= 1e9 */
    if (parts == one) {
        whole += numerator < 0 ? -1 : 1;
        parts = 0;
    }
    for (int i = last - 1; i >= 0; i--, parts /= 10)
        digits[i] = (char)('0' + parts % 10);
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

static struct param more_param(struct str more) { return more.len ? STR_TEXT(more) : NIL; }

/* Whether r leaves the owner's correction that `part` may have brought: a better value than any before may
 * replace it, nothing else of a provider's does. */
static enum err yields_to_owner(struct db *db, const struct record *r, struct str more, int64_t part,
                                bool *out)
{
    int64_t owners = 0, said = 0;
    enum err e;

    if ((e = db_number(db, SQL_IS_CORRECTION, PARAMS(INT(part)), &owners)))
        return e;
    if (owners && r->quality == RECORD_DEFINITIVE &&
        (e = db_number(db, SQL_WAS_SAID,
                       PARAMS(INT(r->series_id), INT(r->start_at), INT(r->end_at), INT(r->values[0]),
                              more_param(more), INT(r->quality)),
                       &said)))
        return e;
    *out = owners && (r->quality != RECORD_DEFINITIVE || said);
    return ERR_OK;
}

/* Put r in the place of what is there, which becomes history. *replaced is 0 when nothing is there. */
static enum err replace(struct db *db, const struct record *r, struct str more, int64_t *replaced)
{
    enum err e;

    if ((e = db_run(db, SQL_KEEP, PARAMS(INT(r->series_id), INT(r->start_at), INT(r->end_at), INT(r->part)))))
        return e;
    return db_change(db, SQL_REPLACE,
                     PARAMS(INT(r->series_id), INT(r->start_at), INT(r->end_at), INT(r->values[0]),
                            INT(r->quality), INT(r->part), INT(r->line), more_param(more)),
                     replaced);
}

/* Compare with what is there already, and replace it when the new one counts more. */
static enum err put_again(struct db *db, const struct record *r, struct str more, bool to_equal,
                          enum record_outcome *out)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    int64_t quality, part, replaced;
    bool alike, yields = false;
    enum err e;

    if ((e = db_query(db, SQL_FIND, PARAMS(INT(r->series_id), INT(r->start_at), INT(r->end_at)), &row)) ||
        (e = stmt_next(row)))
        return e;
    quality = stmt_int(row, 1);
    alike = stmt_int(row, 0) == r->values[0] && texts_equal(stmt_text(row, 2), more);
    part = stmt_int(row, 3);
    stmt_close(row);
    row = NULL;
    if (alike && quality >= (int64_t)r->quality) {
        *out = RECORD_SAME;
        return ERR_OK;
    }
    if (quality == RECORD_CORRECTED && (e = yields_to_owner(db, r, more, part, &yields)))
        return e;
    if (yields || quality > (int64_t)r->quality || (to_equal && quality == (int64_t)r->quality)) {
        *out = RECORD_WORSE;
        return ERR_OK;
    }
    if ((e = replace(db, r, more, &replaced)))
        return e;
    *out = RECORD_REPLACED;
    return ERR_OK;
}

enum err record_load(struct db *db, struct record *r)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    if ((e = db_query(db, SQL_FIND, PARAMS(INT(r->series_id), INT(r->start_at), INT(r->end_at)), &row)) ||
        (e = stmt_next(row)))
        return err_wrap(e, "record of series %" PRId64, r->series_id);
    r->values[0] = stmt_int(row, 0);
    r->quality = (enum record_quality)stmt_int(row, 1);
    r->present = 1;
    r->part = stmt_int(row, 3);
    r->line = stmt_int(row, 4);
    return record_more_read(stmt_text(row, 2), r->values, &r->present);
}

static enum err check(const struct record *r)
{
    if (r->start_at < START_MIN || r->end_at > END_MAX || r->end_at < r->start_at)
        return err_set(ERR_INVALID, "a time that is not between the years 1900 and 2200");
    if (r->end_at - r->start_at > RECORD_LENGTH_MAX_S)
        return err_set(ERR_INVALID, "an interval of more than %d days", RECORD_LENGTH_MAX_S / 86400);
    for (size_t i = 0; i < DATASET_VALUES_MAX; i++) {
        if ((r->present & (1U << i)) && (r->values[i] > VALUE_MAX || r->values[i] < -VALUE_MAX))
            return err_set(ERR_INVALID, "a value out of range");
    }
    return ERR_OK;
}

/* to_equal: it yields to what is there and is as good. */
static enum err put(struct db *db, const struct record *r, bool to_equal, enum record_outcome *out)
{
    AUTO(buf_done) struct buf more;
    int64_t changed;
    enum err e;

    buf_init(&more, MORE_BYTES);
    if (r->present & ~1U)
        record_more_write(&more, r, DATASET_VALUES_MAX);
    if ((e = check(r)) || (e = buf_err(&more)) ||
        (e = db_change(db, SQL_INSERT,
                       PARAMS(INT(r->series_id), INT(r->start_at), INT(r->end_at), INT(r->values[0]),
                              INT(r->quality), INT(r->part), INT(r->line),
                              more.len ? STR_TEXT(((struct str){more.data, more.len})) : NIL),
                       &changed)))
        return err_wrap(e, "record of series %" PRId64, r->series_id);
    if (changed == 1) {
        *out = RECORD_NEW;
        return ERR_OK;
    }
    if ((e = put_again(db, r, (struct str){more.data, more.len}, to_equal, out)))
        return err_wrap(e, "record of series %" PRId64, r->series_id);
    return ERR_OK;
}

enum err record_put(struct db *db, const struct record *r, enum record_outcome *out)
{
    return put(db, r, false, out);
}

enum err record_put_yielding(struct db *db, const struct record *r, enum record_outcome *out)
{
    return put(db, r, true, out);
}

enum err record_correct(struct db *db, const struct record *r)
{
    AUTO(buf_done) struct buf more;
    int64_t kept;
    enum err e;

    buf_init(&more, MORE_BYTES);
    record_more_write(&more, r, DATASET_VALUES_MAX);
    if ((e = check(r)) || (e = buf_err(&more)) ||
        (e = replace(db, r, (struct str){more.data, more.len}, &kept)))
        return err_wrap(e, "record of series %" PRId64, r->series_id);
    return kept ? ERR_OK : err_set(ERR_NOT_FOUND, "no such record of series %" PRId64, r->series_id);
}

enum err record_note_said(struct db *db, const char *dataset, const char *provider, const char *reference,
                          const char *grain, const struct record *said)
{
    AUTO(buf_done) struct buf more;
    enum err e;

    buf_init(&more, MORE_BYTES);
    record_more_write(&more, said, DATASET_VALUES_MAX);
    if ((e = check(said)) || (e = buf_err(&more)) ||
        (e = db_run(db, SQL_NOTE_SAID,
                    PARAMS(TEXT(dataset), TEXT(provider), TEXT(reference), TEXT(grain), INT(said->start_at),
                           INT(said->end_at), INT(said->values[0]), INT(said->quality),
                           more_param((struct str){more.data, more.len})))))
        return err_wrap(e, "what a correction is of");
    return ERR_OK;
}
