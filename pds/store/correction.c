#include "pds/store/correction.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/store/annotation.h"
#include "pds/store/import.h"
#include "pds/store/period.h"
#include "pds/store/record.h"
#include "pds/vault/vault.h"

#include <inttypes.h>
#include <string.h>

static const char SQL_SERIES_OF[] =
    "SELECT s.id FROM series s JOIN record r ON r.series_id = s.id AND r.start_at = ?4 AND r.end_at = ?5"
    " WHERE s.dataset = ?1 AND s.source_id = ?2 AND (?3 = '' OR s.grain = ?3) ORDER BY s.id LIMIT 2";
static const char SQL_GRAIN[] = "SELECT grain FROM series WHERE id = ?1";
/* What the record says, then what it said: an older version was replaced by a part of a lesser number. */
static const char SQL_VERSIONS[] =
    "SELECT x.value, x.quality, x.more, x.line, i.id, i.file, i.format, i.started_at, j.started_at FROM"
    " (SELECT value, quality, more, line, part, NULL AS replaced_by, 9223372036854775807 AS place FROM record"
    " WHERE series_id = ?1 AND start_at = ?2 AND end_at = ?3 UNION ALL"
    " SELECT value, quality, more, line, part, replaced_by, replaced_by FROM record_history"
    " WHERE series_id = ?1 AND start_at = ?2 AND end_at = ?3) x"
    " LEFT JOIN import_part p ON p.number = x.part LEFT JOIN import i ON i.number = p.import_number"
    " LEFT JOIN import_part q ON q.number = x.replaced_by LEFT JOIN import j ON j.number = q.import_number"
    " ORDER BY x.place DESC";

/* The series that has the record. */
static enum err find_series(struct db *db, const struct correction_key *k, int64_t *out)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    struct str grain = k->grain.len ? k->grain : STR("");
    int64_t found;
    enum err e;

    if ((e = db_query(db, SQL_SERIES_OF,
                      PARAMS(TEXT(k->dataset->name), INT(k->source_id), STR_TEXT(grain), INT(k->start_at),
                             INT(k->end_at)),
                      &row)))
        return e;
    if ((e = stmt_next(row)))
        return e == ERR_NOT_FOUND
                   ? err_set(e, "%s of source %" PRId64 " has no such record", k->dataset->name, k->source_id)
                   : e;
    found = stmt_int(row, 0);
    if ((e = stmt_next(row)) == ERR_OK)
        return err_set(ERR_CONFLICT, "several series of source %" PRId64 " have this record: name the grain",
                       k->source_id);
    if (e != ERR_NOT_FOUND)
        return e;
    *out = found;
    return ERR_OK;
}

static enum err check_values(const struct correction *c)
{
    enum err e = dataset_check_values(c->key.dataset, c->values, c->given);

    if (e)
        return e;
    return c->given ? ERR_OK : err_set(ERR_INVALID, "no value is given");
}

static enum err tell(struct db *db, const struct dataset *d, int64_t from, int64_t to, int64_t now)
{
    char what[PERIOD_BYTES];
    struct event event = {.kind = EVENT_RECORDS_CORRECTED, .who = "owner", .what = what};

    period_text(d, from, to, what);
    return trail_add(db, &event, now, NULL);
}

struct putting {
    const struct correction *correction;
    int64_t now;
    struct correction_done done;
};

/* The record with the values that are told; whether they say anything else than it did. */
static enum err merge(struct db *db, const struct correction *c, struct record *r, bool *differs)
{
    enum err e;

    *r = (struct record){.start_at = c->key.start_at, .end_at = c->key.end_at};
    *differs = false;
    if ((e = find_series(db, &c->key, &r->series_id)) || (e = record_load(db, r)))
        return e;
    for (size_t i = 0; i < DATASET_VALUES_MAX; i++) {
        if (!(c->given & (1U << i)))
            continue;
        *differs = *differs || !(r->present & (1U << i)) || r->values[i] != c->values[i];
        r->values[i] = c->values[i];
    }
    r->present |= c->given;
    r->quality = RECORD_CORRECTED;
    r->line = 0;
    return ERR_OK;
}

static enum err put_record(struct db *db, struct putting *p)
{
    const struct correction_key *k = &p->correction->key;
    struct import_count count = {.dataset = k->dataset, .replaced = 1};
    struct import_one one;
    struct record r;
    bool differs;
    enum err e;

    if ((e = merge(db, p->correction, &r, &differs)) || !differs)
        return e;
    if ((e = import_begin_one(db, RECORD_CORRECTION_FORMAT, p->now, &one)))
        return e;
    r.part = one.part;
    if ((e = record_correct(db, &r)) ||
        (e = record_note_extent(db, one.part, r.series_id, r.start_at, r.start_at)) ||
        (e = import_end_one(db, &one, &count, p->now)) ||
        (e = tell(db, k->dataset, k->start_at, k->end_at, p->now)))
        return e;
    memcpy(p->done.import, one.id, sizeof p->done.import);
    p->done.replaced = true;
    return ERR_OK;
}

static enum err put_work(struct db *db, void *context)
{
    struct putting *p = context;
    const struct correction *c = p->correction;
    enum err e = put_record(db, p);

    if (e || c->note.len == 0)
        return e;
    return annotation_put(db, STR(""), c->key.dataset, c->key.start_at, c->key.end_at, c->note, p->now,
                          p->done.annotation);
}

enum err correction_put(struct vault *v, const struct correction *c, int64_t now, struct correction_done *out)
{
    struct putting p = {.correction = c, .now = now};
    enum err e;

    if ((e = check_values(c)) || (e = vault_write(v, put_work, &p)))
        return err_wrap(e, "correcting %s", c->key.dataset->name);
    *out = p.done;
    return ERR_OK;
}

static json_t *number_of(int64_t numerator, int64_t denominator)
{
    return numerator % denominator == 0 ? json_integer(numerator / denominator)
                                        : json_real((double)numerator / (double)denominator);
}

/* One version of the record: the row's columns from 0. */
static enum err version_object(const struct dataset *d, const struct stmt *row, json_t **out)
{
    static const int QUALITY = 1, MORE = 2, IMPORT = 4;
    AUTO(json_freep) json_t *object = json_object();
    int64_t values[DATASET_VALUES_MAX] = {stmt_int(row, 0)};
    uint32_t present = 1;
    const char *quality = record_quality_name(stmt_int(row, QUALITY));
    int failed = 0;
    enum err e;

    if ((e = record_more_read(stmt_text(row, MORE), values, &present)))
        return e;
    for (size_t i = 0; i < d->value_count; i++) {
        if (present & (1U << i))
            failed |= json_object_set_new(object, d->values[i].name,
                                          number_of(values[i], d->values[i].denominator));
    }
    failed |= json_object_set_new(object, "quality", json_string(quality ? quality : "estimated"));
    failed |=
        json_object_set_new(object, "line", stmt_int(row, 3) ? json_integer(stmt_int(row, 3)) : json_null());
    failed |= json_object_set_new(object, "import", stmt_json_text(row, IMPORT));
    failed |= json_object_set_new(object, "file", stmt_json_text(row, IMPORT + 1));
    failed |= json_object_set_new(object, "format", stmt_json_text(row, IMPORT + 2));
    failed |= json_object_set_new(object, "at", stmt_json_instant(row, IMPORT + 3));
    failed |= json_object_set_new(object, "replaced_at", stmt_json_instant(row, IMPORT + 4));
    if (failed)
        return err_set(ERR_NO_MEMORY, "history of a record");
    *out = object;
    object = NULL; /* the caller's now */
    return ERR_OK;
}

static enum err add_versions(struct db *db, const struct correction_key *k, int64_t series, json_t *array)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    json_t *object = NULL;
    enum err e;

    if ((e = db_query(db, SQL_VERSIONS, PARAMS(INT(series), INT(k->start_at), INT(k->end_at)), &row)))
        return e;
    while (!(e = stmt_next(row))) {
        if ((e = version_object(k->dataset, row, &object)))
            return e;
        if (json_array_append_new(array, object))
            return err_set(ERR_NO_MEMORY, "history of a record");
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err correction_history(struct db *db, const struct correction_key *key, json_t **out)
{
    AUTO(json_freep) json_t *answer = NULL;
    AUTO(stmt_closep) struct stmt *row = NULL;
    char start[CLOCK_TEXT_BYTES], end[CLOCK_TEXT_BYTES];
    int64_t series;
    struct str grain;
    enum err e;

    if ((e = find_series(db, key, &series)) || (e = db_query(db, SQL_GRAIN, PARAMS(INT(series)), &row)) ||
        (e = stmt_next(row)))
        return e;
    grain = stmt_text(row, 0);
    clock_text(key->start_at, start); /* a record has them: within what has a text */
    clock_text(key->end_at, end);
    answer = json_pack("{s:s, s:I, s:s%, s:s, s:s, s:[]}", "dataset", key->dataset->name, "source",
                       (json_int_t)key->source_id, "grain", grain.ptr, grain.len, "start", start, "end", end,
                       "versions");
    if (!answer)
        return err_set(ERR_NO_MEMORY, "history of a record");
    if ((e = add_versions(db, key, series, json_object_get(answer, "versions"))))
        return e;
    *out = answer;
    answer = NULL; /* the caller's now */
    return ERR_OK;
}
