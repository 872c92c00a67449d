/* What the steps of an erasure delete. Records by stretches of their series; what they leave behind; and,
 * when everything goes, all other things kind by kind. */
#include "pds/store/erase_internal.h"

#include "pds/audit/trail.h"
#include "pds/store/record.h"
#include "pds/store/setting.h"

#include "pds/base/auto.h"

#include <string.h>

/* Small enough for the disk that is kept: a batch changes some dozens of pages. */
enum { BATCH_RECORDS = 2048, BATCH_ROWS = 512 };

/* Of an erasure: ?1 its dataset or NULL, ?2 its source or NULL. */
#define NAMED_SERIES "(?1 IS NULL OR s.dataset = ?1) AND (?2 IS NULL OR s.source_id = ?2)"

static const char SQL_SERIES_AFTER[] =
    "SELECT s.id FROM series s WHERE " NAMED_SERIES " AND s.id > ?3 ORDER BY s.id LIMIT 1";
static const char SQL_STRETCH[] =
    "SELECT start_at + 1 FROM record WHERE series_id = ?1 AND start_at >= ?2 AND "
    "start_at < ?3 ORDER BY start_at LIMIT 1 OFFSET ?4";

/* A stretch that a part touched, and nothing is there any more. */
static const char SQL_EXTENTS[] =
    "DELETE FROM record_extent AS x WHERE series_id IN (SELECT s.id FROM series s WHERE " NAMED_SERIES ")"
    " AND NOT EXISTS (SELECT 1 FROM record r WHERE r.series_id = x.series_id AND r.start_at BETWEEN "
    "x.start_at"
    " AND x.end_at) AND NOT EXISTS (SELECT 1 FROM record_history h WHERE h.series_id = x.series_id AND"
    " h.start_at BETWEEN x.start_at AND x.end_at)";
/* Of a dataset that none of the import's parts holds records of any more. */
#define RUNNING "SELECT number FROM import WHERE ended_at IS NULL AND undone_at IS NULL"
static const char SQL_COUNTS[] =
    "WITH alive (import_number, dataset) AS MATERIALIZED (SELECT DISTINCT p.import_number, s.dataset FROM"
    " record_extent x JOIN import_part p ON p.number = x.part JOIN series s ON s.id = x.series_id)"
    " DELETE FROM import_count WHERE (?1 IS NULL OR dataset = ?1) AND (import_number, dataset) NOT IN"
    " (SELECT import_number, dataset FROM alive)";
static const char SQL_PARTS[] = "DELETE FROM import_part WHERE number NOT IN (SELECT part FROM record_extent)"
                                " AND number NOT IN (SELECT part FROM record_confirmed)"
                                " AND import_number NOT IN (" RUNNING ")";
static const char SQL_IMPORTS[] =
    "DELETE FROM import WHERE number NOT IN (SELECT import_number FROM import_part)"
    " AND number NOT IN (SELECT import_number FROM import_count)"
    " AND number NOT IN (" RUNNING ")";
static const char SQL_SERIES[] = "DELETE FROM series AS s WHERE " NAMED_SERIES
                                 " AND NOT EXISTS (SELECT 1 FROM record r WHERE r.series_id = s.id)"
                                 " AND NOT EXISTS (SELECT 1 FROM record_history h WHERE h.series_id = s.id)"
                                 " AND s.id NOT IN (SELECT series_id FROM record_extent) AND s.id NOT IN "
                                 "(SELECT series_id FROM record_confirmed)";
static const char SQL_SOURCES[] = "DELETE FROM source WHERE id NOT IN (SELECT source_id FROM series)";
static const char SQL_ANNOTATIONS[] =
    "DELETE FROM annotation WHERE (?1 IS NULL OR dataset = ?1) AND start_at >= ?2 AND start_at < ?3";

static struct param dataset_of(const struct erasure *e) { return e->dataset[0] ? TEXT(e->dataset) : NIL; }

static struct param source_of(const struct erasure *e) { return e->source_id ? INT(e->source_id) : NIL; }

static void begin(struct erase_step *s)
{
    s->next = s->after;
    s->done = false;
    memset(s->counts, 0, sizeof s->counts);
}

enum err erase_records(struct db *db, void *step)
{
    struct erase_step *s = step;
    const struct erasure *e = s->erasure;
    int64_t series, end;
    enum err err;

    begin(s);
    err = db_number(db, SQL_SERIES_AFTER, PARAMS(dataset_of(e), source_of(e), INT(s->after)), &series);
    if (err) {
        s->done = err == ERR_NOT_FOUND;
        return s->done ? ERR_OK : err;
    }
    err = db_number(db, SQL_STRETCH, PARAMS(INT(series), INT(e->from), INT(e->to), INT(BATCH_RECORDS - 1)),
                    &end);
    if (err == ERR_NOT_FOUND) { /* the rest, and what was noted where no record is */
        end = e->to;
        s->next = series;
    } else if (err) {
        return err;
    }
    return record_erase(db, series, e->from, end, &s->counts[ERASED_RECORDS]);
}

enum err erase_leftovers(struct db *db, void *step)
{
    struct erase_step *s = step;
    const struct erasure *e = s->erasure;
    struct params named = PARAMS(dataset_of(e), source_of(e)), dataset = PARAMS(dataset_of(e));
    enum err err;

    begin(s);
    s->done = true;
    if ((err = db_run(db, SQL_EXTENTS, named)) || (err = db_run(db, SQL_COUNTS, dataset)) ||
        (err = db_run(db, SQL_PARTS, NO_PARAMS)) || (err = db_run(db, SQL_SERIES, named)) ||
        (err = db_change(db, SQL_SOURCES, NO_PARAMS, &s->counts[ERASED_SOURCES])) ||
        (err = db_change(db, SQL_IMPORTS, NO_PARAMS, &s->counts[ERASED_IMPORTS])))
        return err;
    if (e->source_id) /* they are of the dataset, not of one of its sources */
        return ERR_OK;
    return db_change(db, SQL_ANNOTATIONS, PARAMS(dataset_of(e), INT(e->from), INT(e->to)),
                     &s->counts[ERASED_ANNOTATIONS]);
}

/* All other things, in an order that leaves no reference behind. Each takes at most ?1 rows. The words of a
 * document are the long ones: a few at a time. The table of the store has a row here, or stands in the list
 * of those that stay (tests/unit/test_erase_step.c). */
#define SOME(table, key) "DELETE FROM " table " WHERE " key " IN (SELECT " key " FROM " table " LIMIT ?1)"
#define SOME2(table, one, two)                                                                               \
    "DELETE FROM " table " WHERE (" one ", " two ") IN (SELECT " one ", " two " FROM " table " LIMIT ?1)"

static const char SQL_ALL_VERSIONS[] = SOME2("document_version", "document_number", "version");
static const char SQL_ALL_BLOBS[] = SOME("blob", "id");
static const char SQL_ALL_TEXTS[] = SOME("document_text", "document_number");
static const char SQL_ALL_TAGS[] = SOME2("document_tag", "document_number", "tag");
static const char SQL_ALL_BUNDLED[] = SOME2("bundle_document", "bundle_number", "document_number");
static const char SQL_ALL_BUNDLES[] = SOME("bundle", "number");
static const char SQL_ALL_DOCUMENTS[] = SOME("document", "number");
static const char SQL_ALL_COUNTS[] = SOME2("import_count", "import_number", "dataset");
static const char SQL_ALL_PARTS[] = SOME("import_part", "number");
static const char SQL_ALL_IMPORTS[] = SOME("import", "number");
static const char SQL_ALL_SERIES[] = SOME("series", "id");
static const char SQL_ALL_SOURCES[] = SOME("source", "id");

static const struct kind {
    const char *sql;
    int64_t rows;
    enum erase_count counts_as; /* ERASED_COUNTS: as nothing */
} KINDS[] = {
    {SQL_ALL_VERSIONS, BATCH_ROWS, ERASED_COUNTS},
    {SQL_ALL_BLOBS, BATCH_ROWS, ERASED_COUNTS},
    {SQL_ALL_TEXTS, 2, ERASED_COUNTS},
    {SQL_ALL_TAGS, BATCH_ROWS, ERASED_COUNTS},
    {SQL_ALL_BUNDLED, BATCH_ROWS, ERASED_COUNTS},
    {SQL_ALL_BUNDLES, BATCH_ROWS, ERASED_COUNTS},
    {SQL_ALL_DOCUMENTS, 64, ERASED_DOCUMENTS},
    {SQL_ALL_COUNTS, BATCH_ROWS, ERASED_COUNTS},
    {SQL_ALL_PARTS, BATCH_ROWS, ERASED_COUNTS},
    {SQL_ALL_IMPORTS, BATCH_ROWS, ERASED_IMPORTS},
    {SQL_ALL_SERIES, BATCH_ROWS, ERASED_COUNTS},
    {SQL_ALL_SOURCES, BATCH_ROWS, ERASED_SOURCES},
};

enum err erase_things(struct db *db, void *step)
{
    struct erase_step *s = step;
    const struct kind *kind = &KINDS[s->after];
    int64_t gone;
    enum err err;

    begin(s);
    if ((err = db_change(db, kind->sql, PARAMS(INT(kind->rows)), &gone)))
        return err;
    if (kind->counts_as < ERASED_COUNTS)
        s->counts[kind->counts_as] = gone;
    if (gone < kind->rows)
        s->next = s->after + 1;
    s->done = s->next == (int64_t)(sizeof KINDS / sizeof *KINDS);
    return ERR_OK;
}

enum err erase_names(struct db *db, void *step)
{
    struct erase_step *s = step;
    enum err err = trail_blank(db, s->erasure->line);

    begin(s);
    s->done = true;
    return err ? err : setting_forget(db);
}
