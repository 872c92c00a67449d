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
static const char SQL_FIND[] = "SELECT value, quality, more FROM record"
                               " WHERE series_id = ?1 AND start_at = ?2 AND end_at = ?3";
static const char SQL_KEEP[] =
    "INSERT INTO record_history (series_id, start_at, end_at, replaced_by, value, quality, part, "
    "line, more)"
    " SELECT series_id, start_at, end_at, ?4, value, quality, part, line, more FROM record"
    " WHERE series_id = ?1 AND start_at = ?2 AND end_at = ?3 AND part <> ?4";
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
                    PARAMS(INT(r->series_id), INT(r->start_at), INT(r->end_at), INT(r->part)))) ||
        (e = db_run(db, SQL_REPLACE,
                    PARAMS(INT(r->series_id), INT(r->start_at), INT(r->end_at), INT(r->values[0]),
                           INT(r->quality), INT(r->part), INT(r->line), more_param))))
        return e;
    *out = RECORD_REPLACED;
    return ERR_OK;
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

enum err record_put(struct db *db, const struct record *r, enum record_outcome *out)
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
    if ((e = put_again(db, r, (struct str){more.data, more.len}, out)))
        return err_wrap(e, "record of series %" PRId64, r->series_id);
    return ERR_OK;
}
