#include "pds/store/source.h"

#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/store/dataset.h"
#include "pds/store/record.h"
#include "pds/vault/db.h"

#include <inttypes.h>

static const char SQL_SOURCE_ADD[] =
    "INSERT INTO source (provider, reference, created_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
static const char SQL_SERIES_ADD[] =
    "INSERT INTO series (dataset, source_id, grain, longest_s)"
    " SELECT ?1, id, ?4, 0 FROM source WHERE provider = ?2 AND reference = ?3 ON CONFLICT DO NOTHING";
static const char SQL_SERIES_FIND[] =
    "SELECT s.id FROM series s JOIN source o ON o.id = s.source_id"
    " WHERE s.dataset = ?1 AND o.provider = ?2 AND o.reference = ?3 AND s.grain = ?4";
static const char SQL_SOURCES[] =
    "SELECT id, provider, reference FROM source WHERE id > ?1 ORDER BY id LIMIT ?2";
static const char SQL_SOURCE_SERIES[] =
    "SELECT id, records, dataset FROM series WHERE source_id = ?1 ORDER BY dataset, grain";
static const char SQL_DATASET_SERIES[] = "SELECT id, records FROM series WHERE dataset = ?1";
static const char SQL_COUNT[] =
    "UPDATE series SET records = records + ?2, longest_s = max(longest_s, ?3) WHERE id = ?1";
static const char SQL_FIRST[] = "SELECT min(start_at) FROM record WHERE series_id = ?1";
/* The greatest end belongs to a record that starts no further from the last start than the longest is long.
 */
static const char SQL_LAST[] =
    "SELECT max(end_at) FROM record WHERE series_id = ?1 AND start_at >="
    " (SELECT max(start_at) FROM record WHERE series_id = ?1) - (SELECT longest_s FROM series WHERE id = ?1)";
/* What an import noted of a series is needed when that one is undone. */
static const char SQL_SERIES_FORGET[] =
    "DELETE FROM series AS s WHERE id IN (SELECT value FROM json_each(?1)) AND records = 0"
    " AND NOT EXISTS (SELECT 1 FROM import WHERE ended_at IS NULL AND undone_at IS NULL)"
    " AND NOT EXISTS (SELECT 1 FROM record r WHERE r.series_id = s.id)"
    " AND NOT EXISTS (SELECT 1 FROM record_history h WHERE h.series_id = s.id)"
    " AND NOT EXISTS (SELECT 1 FROM record_confirmed c WHERE c.series_id = s.id)"
    " AND NOT EXISTS (SELECT 1 FROM record_extent x WHERE x.series_id = s.id)";
static const char SQL_SOURCE_FORGET[] =
    "DELETE FROM source AS o WHERE NOT EXISTS (SELECT 1 FROM series s WHERE s.source_id = o.id)";

struct span {
    int64_t records, first, last; /* first and last are set when records > 0 */
};

enum err source_series(struct db *db, const char *dataset, const char *provider, struct str reference,
                       const char *grain, int64_t now, int64_t *series_id)
{
    struct params key = PARAMS(TEXT(dataset), TEXT(provider), STR_TEXT(reference), TEXT(grain));
    enum err e;

    e = db_number(db, SQL_SERIES_FIND, key, series_id);
    if (e != ERR_NOT_FOUND)
        return e ? err_wrap(e, "series of %s", dataset) : ERR_OK;
    if ((e = db_run(db, SQL_SOURCE_ADD, PARAMS(TEXT(provider), STR_TEXT(reference), INT(now)))) ||
        (e = db_run(db, SQL_SERIES_ADD, key)) || (e = db_number(db, SQL_SERIES_FIND, key, series_id)))
        return err_wrap(e, "new series of %s", dataset);
    return ERR_OK;
}

enum err source_count(struct db *db, int64_t series_id, int64_t added, int64_t longest_s)
{
    return added ? db_run(db, SQL_COUNT, PARAMS(INT(series_id), INT(added), INT(longest_s))) : ERR_OK;
}

enum err source_forget(struct db *db, const char *series)
{
    enum err e = db_run(db, SQL_SERIES_FORGET, PARAMS(TEXT(series)));

    return e ? e : db_run(db, SQL_SOURCE_FORGET, NO_PARAMS);
}

/* Widen a span by what one series has: the row's first two columns. */
static enum err add_series(struct db *db, const struct stmt *series, struct span *span)
{
    struct params key = PARAMS(INT(stmt_int(series, 0)));
    int64_t count = stmt_int(series, 1), first, last;
    enum err e;

    if (count == 0)
        return ERR_OK;
    if ((e = db_number(db, SQL_FIRST, key, &first)) || (e = db_number(db, SQL_LAST, key, &last)))
        return e;
    if (span->records == 0 || first < span->first)
        span->first = first;
    if (span->records == 0 || last > span->last)
        span->last = last;
    span->records += count;
    return ERR_OK;
}

static enum err set_span(json_t *object, const struct span *span)
{
    char first[CLOCK_TEXT_BYTES], last[CLOCK_TEXT_BYTES];
    int failed = json_object_set_new(object, "records", json_integer(span->records));

    if (span->records) {
        clock_text(span->first, first);
        clock_text(span->last, last);
    }
    failed |= json_object_set_new(object, "first", span->records ? json_string(first) : json_null());
    failed |= json_object_set_new(object, "last", span->records ? json_string(last) : json_null());
    return failed ? err_set(ERR_NO_MEMORY, "a list") : ERR_OK;
}

static enum err source_object(struct db *db, int64_t id, struct str provider, struct str reference,
                              json_t **out)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    AUTO(json_freep)
    json_t *object =
        json_pack("{s:I, s:s%, s:s%, s:[]}", "id", (json_int_t)id, "provider", provider.ptr, provider.len,
                  "reference", reference.ptr ? reference.ptr : "", reference.len, "datasets");
    json_t *datasets;
    struct span span = {0};
    struct str last = {NULL, 0};
    enum err e;

    if (!object)
        return err_set(ERR_NO_MEMORY, "source %" PRId64, id);
    datasets = json_object_get(object, "datasets");
    if ((e = db_query(db, SQL_SOURCE_SERIES, PARAMS(INT(id)), &row)))
        return e;
    while (!(e = stmt_next(row))) {
        struct str name = stmt_text(row, 2);

        if (!str_eq(name, last) && json_array_append_new(datasets, json_stringn(name.ptr, name.len)))
            return err_set(ERR_NO_MEMORY, "source %" PRId64, id);
        last = str_of(json_string_value(json_array_get(datasets, json_array_size(datasets) - 1)));
        if ((e = add_series(db, row, &span)))
            return e;
    }
    if (e != ERR_NOT_FOUND || (e = set_span(object, &span)))
        return e;
    *out = object;
    object = NULL; /* the caller's now */
    return ERR_OK;
}

enum err source_list(struct db *db, int64_t after, int64_t limit, json_t **out)
{
    AUTO(json_freep) json_t *list = json_pack("{s:[], s:n}", "sources", "next");
    AUTO(stmt_closep) struct stmt *row = NULL;
    json_t *array, *item = NULL;
    int64_t last = 0;
    enum err e;

    if (!list)
        return err_set(ERR_NO_MEMORY, "list of sources");
    array = json_object_get(list, "sources");
    if ((e = db_query(db, SQL_SOURCES, PARAMS(INT(after), INT(limit + 1)), &row)))
        return e;
    while (!(e = stmt_next(row))) {
        if ((int64_t)json_array_size(array) == limit) {
            if (json_object_set_new(list, "next", json_sprintf("%" PRId64, last)))
                return err_set(ERR_NO_MEMORY, "list of sources");
            e = ERR_NOT_FOUND;
            break;
        }
        last = stmt_int(row, 0);
        if ((e = source_object(db, last, stmt_text(row, 1), stmt_text(row, 2), &item)))
            return e;
        if (json_array_append_new(array, item))
            return err_set(ERR_NO_MEMORY, "list of sources");
    }
    if (e != ERR_NOT_FOUND)
        return e;
    *out = list;
    list = NULL; /* the caller's now */
    return ERR_OK;
}

static enum err dataset_object(struct db *db, const struct dataset *d, json_t **out)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    AUTO(json_freep)
    json_t *object = json_pack(
        "{s:s, s:O, s:O, s:s, s:s, s:O}", "name", d->name, "title", json_object_get(d->tree, "title"),
        "description", json_object_get(d->tree, "description"), "unit", d->unit, "aggregate",
        dataset_aggregate_name(d->aggregate), "steps", json_object_get(d->tree, "steps"));
    struct span span = {0};
    enum err e;

    if (!object)
        return err_set(ERR_NO_MEMORY, "dataset %s", d->name);
    if ((e = db_query(db, SQL_DATASET_SERIES, PARAMS(TEXT(d->name)), &row)))
        return e;
    while (!(e = stmt_next(row))) {
        if ((e = add_series(db, row, &span)))
            return e;
    }
    if (e != ERR_NOT_FOUND || (e = set_span(object, &span)))
        return e;
    *out = object;
    object = NULL; /* the caller's now */
    return ERR_OK;
}

enum err source_datasets(struct db *db, json_t **out)
{
    AUTO(json_freep) json_t *list = json_pack("{s:[], s:n}", "datasets", "next");
    json_t *item = NULL;
    enum err e;

    if (!list)
        return err_set(ERR_NO_MEMORY, "list of datasets");
    for (size_t i = 0; i < dataset_count(); i++) {
        if ((e = dataset_object(db, dataset_at(i), &item)))
            return e;
        if (json_array_append_new(json_object_get(list, "datasets"), item))
            return err_set(ERR_NO_MEMORY, "list of datasets");
    }
    *out = list;
    list = NULL; /* the caller's now */
    return ERR_OK;
}
