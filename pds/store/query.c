#include "pds/store/query_internal.h"

#include "pds/base/auto.h"
#include "pds/base/mem.h"
#include "pds/vault/db.h"

#include <inttypes.h>
#include <string.h>

enum { LANES_MAX = 64, DAYS_MAX = 367, LONGS_MAX = 512, ORIGIN_BYTES = 64 };

/* The series that have something in the window, those of the source with most records first; of equals by
 * name, not by number: a store that another's export was merged into answers alike. */
static const char SQL_SERIES[] =
    "SELECT s.id, s.source_id FROM series s JOIN source o ON o.id = s.source_id"
    " WHERE s.dataset = ?1 AND (?4 = 0 OR s.source_id = ?4) AND EXISTS"
    " (SELECT 1 FROM record r WHERE r.series_id = s.id AND r.start_at >= ?2 AND r.start_at < ?3)"
    " ORDER BY (SELECT sum(records) FROM series x WHERE x.dataset = s.dataset AND x.source_id = s.source_id) "
    "DESC, o.provider, o.reference, s.grain";
static const char SQL_ROWS[] =
    "SELECT start_at, end_at, value, quality, more FROM record"
    " WHERE series_id = ?1 AND start_at >= ?2 AND start_at < ?3 ORDER BY start_at, end_at";

static const char SQL_ROWS_ORIGINS[] =
    "SELECT start_at, end_at, value, quality, more, part, line FROM record"
    " WHERE series_id = ?1 AND start_at >= ?2 AND start_at < ?3 ORDER BY start_at, end_at";
static const char SQL_IMPORT_OF[] =
    "SELECT i.id FROM import_part p JOIN import i ON i.number = p.import_number WHERE p.number = ?1";
static const char SQL_GRAIN_OF[] = "SELECT source_id, grain FROM series WHERE id = ?1";

static const char SQL_DAY_COUNT[] =
    "SELECT count(*) FROM record WHERE series_id = ?1 AND start_at >= ?2 AND start_at < ?3";

struct query_lane;

/* A record of several days that a bucket holds whole. */
struct query_long {
    struct query_row row;
    const struct query_lane *lane;
    bool overlapped; /* by later records of its own lane */
};

/* One series, read in time order, one row ahead. */
struct query_lane {
    int64_t series_id, source_id;
    struct stmt *rows; /* owned */
    struct query_row next;
    bool ended;
    struct tally tally;      /* of the window at hand */
    int64_t used_to;         /* end of the last row that was counted: one that overlaps it is passed over */
    struct query_long *wide; /* the last long one of this lane in the bucket, or NULL */
};

struct query {
    struct db *db; /* borrowed */
    struct query_options options;
    struct query_lane lanes[LANES_MAX];
    size_t lane_count;
    /* the bucket at hand */
    struct {
        int64_t start_at, end_at;
        struct tally tally;
        const struct query_lane *lane; /* the one chosen */
    } days[DAYS_MAX];
    size_t day_count;
    struct query_long longs[LONGS_MAX];
    size_t long_count;
    /* records as they are, of several series: the day at hand */
    int64_t window_end;
    size_t chosen;
    int64_t first, last; /* start and end of all the records read so far, when any */
    bool any;
    /* what was given so far */
    int64_t given_end, covered_s;
    bool given_any;
    /* the origin told last: rows of one mostly follow each other */
    int64_t origin_series, origin_part;
    struct query_origin origin;
    char origin_grain[ORIGIN_BYTES], origin_import[ORIGIN_BYTES];
};

static enum err lane_advance(struct query *q, struct query_lane *lane)
{
    struct query_row *row = &lane->next;
    enum err e;

    do {
        if ((e = stmt_next(lane->rows))) {
            lane->ended = true;
            return e == ERR_NOT_FOUND ? ERR_OK : e;
        }
        row->start_at = stmt_int(lane->rows, 0);
        row->end_at = stmt_int(lane->rows, 1);
    } while (row->end_at > q->options.to);
    if (!q->any || row->start_at < q->first)
        q->first = row->start_at;
    if (!q->any || row->end_at > q->last)
        q->last = row->end_at;
    q->any = true;
    row->values[0] = stmt_int(lane->rows, 2);
    row->quality = stmt_int(lane->rows, 3);
    row->covered_s = row->end_at - row->start_at;
    row->present = 1;
    if (q->options.origins) {
        row->series_id = lane->series_id;
        row->part = stmt_int(lane->rows, 5);
        row->line = stmt_int(lane->rows, 6);
    }
    return q->options.dataset->value_count > 1
               ? record_more_read(stmt_text(lane->rows, 4), row->values, &row->present)
               : ERR_OK;
}

static enum err open_lanes(struct query *q)
{
    AUTO(stmt_closep) struct stmt *series = NULL;
    const struct query_options *o = &q->options;
    enum err e;

    if ((e = db_query(q->db, SQL_SERIES,
                      PARAMS(TEXT(o->dataset->name), INT(o->from), INT(o->to), INT(o->source_id)), &series)))
        return e;
    while (!(e = stmt_next(series))) {
        struct query_lane *lane = &q->lanes[q->lane_count];

        if (q->lane_count == LANES_MAX)
            return err_set(ERR_TOO_LARGE, "more than %d series at once: ask for one source", LANES_MAX);
        if ((e = db_query(q->db, o->origins ? SQL_ROWS_ORIGINS : SQL_ROWS,
                          PARAMS(INT(stmt_int(series, 0)), INT(o->from), INT(o->to)), &lane->rows)))
            return e;
        lane->series_id = stmt_int(series, 0);
        lane->source_id = stmt_int(series, 1);
        lane->used_to = INT64_MIN;
        q->lane_count++;
        if ((e = lane_advance(q, lane)))
            return e;
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err query_new(struct db *db, const struct query_options *options, struct query **out)
{
    AUTO(query_freep) struct query *q = NULL;
    enum err e;

    if (options->step != STEP_NONE && !dataset_has_step(options->dataset, options->step))
        return err_set(ERR_INVALID, "%s has no step %s", options->dataset->name, step_text(options->step));
    if (!(q = mem_new(sizeof *q)))
        return err_set(ERR_NO_MEMORY, "query of %s", options->dataset->name);
    q->db = db;
    q->options = *options;
    q->window_end = INT64_MIN;
    if ((e = open_lanes(q)))
        return err_wrap(e, "query of %s", options->dataset->name);
    *out = q;
    q = NULL; /* the caller's now */
    return ERR_OK;
}

void query_free(struct query *q)
{
    if (!q)
        return;
    for (size_t i = 0; i < q->lane_count; i++)
        stmt_close(q->lanes[i].rows);
    mem_free(q);
}

/* The lane of the earliest row not yet used; NULL when there is none. */
static struct query_lane *earliest_lane(struct query *q)
{
    struct query_lane *found = NULL;

    for (size_t i = 0; i < q->lane_count; i++) {
        if (!q->lanes[i].ended && (!found || q->lanes[i].next.start_at < found->next.start_at))
            found = &q->lanes[i];
    }
    return found;
}

static bool earliest(struct query *q, int64_t *start_at)
{
    const struct query_lane *lane = earliest_lane(q);

    if (lane)
        *start_at = lane->next.start_at;
    return lane != NULL;
}

/* Count a row of a lane in the window that ends at end_at, unless it overlaps the one before. One that ends
 * later is kept as a long one when the bucket holds it. */
static enum err use_row(struct query *q, struct query_lane *lane, int64_t end_at, int64_t bucket_end)
{
    const struct query_row *row = &lane->next;

    if (row->start_at < lane->used_to)
        return ERR_OK;
    if (row->end_at <= end_at) {
        if (lane->wide && row->start_at < lane->wide->row.end_at)
            lane->wide->overlapped = true;
        tally_add(&lane->tally, q->options.dataset, row);
        lane->used_to = row->end_at;
    } else if (row->end_at <= bucket_end) {
        if (q->long_count == LONGS_MAX)
            return err_set(ERR_TOO_LARGE, "more than %d records of several days in one step", LONGS_MAX);
        lane->wide = &q->longs[q->long_count++];
        *lane->wide = (struct query_long){*row, lane, false};
    }
    return ERR_OK;
}

/* Read all rows that start before end_at into the lanes' tallies. */
static enum err read_window(struct query *q, int64_t end_at, int64_t bucket_end)
{
    enum err e;

    for (size_t i = 0; i < q->lane_count; i++) {
        struct query_lane *lane = &q->lanes[i];

        lane->tally = (struct tally){0};
        while (!lane->ended && lane->next.start_at < end_at) {
            if ((e = use_row(q, lane, end_at, bucket_end)) || (e = lane_advance(q, lane)))
                return e;
        }
    }
    return ERR_OK;
}

/* The lane whose tally stands for the window. Lanes of one source follow each other, the main source first:
 * the first source that has anything; of its lanes the one that covers most; of equals, the one with more
 * records. */
static const struct query_lane *best_lane(const struct query *q)
{
    const struct query_lane *best = &q->lanes[0];

    for (size_t i = 1; i < q->lane_count; i++) {
        const struct query_lane *lane = &q->lanes[i];
        const struct tally *t = &lane->tally;

        if (best->tally.count > 0 && lane->source_id != best->source_id)
            break;
        if (best->tally.count == 0 || t->covered_s > best->tally.covered_s ||
            (t->covered_s == best->tally.covered_s && t->count > best->tally.count))
            best = lane;
    }
    return best;
}

/* Use a record of several days: beside the days' own when it is of the series chosen for each of them that
 * has any, else in their place when it covers more than they do. */
static void use_long(struct query *q, const struct query_long *wide, int64_t *used_to, struct tally *out)
{
    const struct query_row *row = &wide->row;
    int64_t covered = 0;
    bool apart = !wide->overlapped;

    if (row->start_at < *used_to)
        return;
    for (size_t i = 0; i < q->day_count; i++) {
        if (q->days[i].start_at >= row->end_at || q->days[i].end_at <= row->start_at)
            continue;
        covered += q->days[i].tally.covered_s;
        apart = apart && (q->days[i].tally.count == 0 || q->days[i].lane == wide->lane);
    }
    if (!apart && covered >= row->end_at - row->start_at)
        return;
    for (size_t i = 0; !apart && i < q->day_count; i++) {
        if (q->days[i].start_at < row->end_at && q->days[i].end_at > row->start_at)
            q->days[i].tally.count = 0;
    }
    tally_add(out, q->options.dataset, row);
    *used_to = row->end_at;
}

static enum err next_bucket(struct query *q, int64_t start_at, int64_t end_at, struct tally *out)
{
    bool by_day = q->options.step >= STEP_P1D;
    int64_t window = start_at, window_end, used_to = INT64_MIN;
    enum err e;

    q->day_count = q->long_count = 0;
    for (size_t i = 0; i < q->lane_count; i++)
        q->lanes[i].wide = NULL;
    while (earliest(q, &window) && window < end_at && q->day_count < DAYS_MAX) {
        window = by_day ? zone_day_start(q->options.zone, window) : start_at;
        window_end = by_day ? zone_day_next(q->options.zone, window) : end_at;
        if ((e = read_window(q, window_end, by_day ? end_at : window_end)))
            return e;
        q->days[q->day_count].start_at = window;
        q->days[q->day_count].end_at = window_end;
        q->days[q->day_count].lane = best_lane(q);
        q->days[q->day_count].tally = q->days[q->day_count].lane->tally;
        q->day_count++;
    }
    for (size_t i = 0; i < q->long_count; i++)
        use_long(q, &q->longs[i], &used_to, out);
    for (size_t i = 0; i < q->day_count; i++)
        tally_join(out, q->options.dataset, &q->days[i].tally);
    return ERR_OK;
}

static void given(struct query *q, const struct query_row *row)
{
    q->given_end = row->end_at;
    q->given_any = true;
    q->covered_s += row->covered_s;
}

static enum err next_stepped(struct query *q, struct query_row *row)
{
    struct tally tally;
    int64_t start_at = 0;
    enum err e;

    do {
        if (!earliest(q, &start_at))
            return err_set(ERR_NOT_FOUND, "no such row");
        row->start_at = step_start(q->options.zone, q->options.step, start_at);
        row->end_at = step_next(q->options.zone, q->options.step, start_at);
        tally = (struct tally){0};
        if ((e = next_bucket(q, row->start_at, row->end_at, &tally)))
            return e;
    } while (tally.count == 0);
    memcpy(row->values, tally.values, sizeof row->values);
    row->present = tally.present;
    row->quality = tally.quality;
    row->covered_s = tally.covered_s;
    given(q, row);
    return ERR_OK;
}

/* The first source that has anything on the local day at hand; of its series the one with most records. */
static enum err choose_lane(struct query *q, int64_t from, int64_t to)
{
    int64_t most = -1, count;
    enum err e;

    for (size_t i = 0; i < q->lane_count; i++) {
        if (most > 0 && q->lanes[i].source_id != q->lanes[q->chosen].source_id)
            break;
        if ((e = db_number(q->db, SQL_DAY_COUNT, PARAMS(INT(q->lanes[i].series_id), INT(from), INT(to)),
                           &count)))
            return e;
        if (count > most) {
            most = count;
            q->chosen = i;
        }
    }
    return ERR_OK;
}

/* With several series, the one chosen for the day of an instant is in q->chosen afterwards. */
static enum err choose_for(struct query *q, int64_t at)
{
    if (q->lane_count == 1 || at < q->window_end)
        return ERR_OK;
    q->window_end = zone_day_next(q->options.zone, at);
    return choose_lane(q, zone_day_start(q->options.zone, at), q->window_end);
}

static enum err next_as_is(struct query *q, struct query_row *row)
{
    struct query_lane *lane;
    bool ours = false;
    enum err e;

    while (!ours) {
        if (!(lane = earliest_lane(q)))
            return err_set(ERR_NOT_FOUND, "no such row");
        if ((e = choose_for(q, lane->next.start_at)))
            return e;
        *row = lane->next;
        ours = lane == &q->lanes[q->chosen] && (!q->given_any || row->start_at >= q->given_end);
        if ((e = lane_advance(q, lane)))
            return e;
    }
    given(q, row);
    return ERR_OK;
}

enum err query_next(struct query *q, struct query_row *row)
{
    return q->options.step == STEP_NONE ? next_as_is(q, row) : next_stepped(q, row);
}

void query_coverage(const struct query *q, const struct query_row *next, int64_t *covered_s, int64_t *span_s)
{
    int64_t from = q->options.from, to = next ? next->start_at : q->options.to;

    if (from == INT64_MIN)
        from = q->first;
    if (to == INT64_MAX)
        to = q->last;
    *covered_s = q->covered_s - (next ? next->covered_s : 0);
    *span_s = q->any || (q->options.from != INT64_MIN && q->options.to != INT64_MAX) ? to - from : 0;
}

static enum err find_import(struct query *q, int64_t part)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    q->origin_part = part;
    q->origin.import = STR("");
    if ((e = db_query(q->db, SQL_IMPORT_OF, PARAMS(INT(part)), &row)))
        return e;
    if ((e = stmt_next(row)))
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    if ((e = str_copy(stmt_text(row, 0), q->origin_import, sizeof q->origin_import)))
        return e;
    q->origin.import = str_of(q->origin_import);
    return ERR_OK;
}

static enum err find_grain(struct query *q, int64_t series)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    if ((e = db_query(q->db, SQL_GRAIN_OF, PARAMS(INT(series)), &row)) || (e = stmt_next(row)) ||
        (e = str_copy(stmt_text(row, 1), q->origin_grain, sizeof q->origin_grain)))
        return e;
    q->origin_series = series;
    q->origin.source_id = stmt_int(row, 0);
    q->origin.grain = str_of(q->origin_grain);
    return ERR_OK;
}

enum err query_origin(struct query *q, const struct query_row *row, struct query_origin *out)
{
    enum err e;

    if ((row->series_id != q->origin_series && (e = find_grain(q, row->series_id))) ||
        (row->part != q->origin_part && (e = find_import(q, row->part))))
        return err_wrap(e, "origin of a record of series %" PRId64, row->series_id);
    *out = q->origin;
    return ERR_OK;
}

enum err query_time(const char *parameter, struct str text, const struct zone *zone, int64_t *out)
{
    struct civil local;

    if (!clock_parse(text, out, NULL))
        return ERR_OK;
    if (text.len == 10 && !clock_parse_local(text, &local)) {
        *out = zone_instant(zone, &local, 0);
        return ERR_OK;
    }
    return err_set(ERR_INVALID, "%s is neither a date (2024-05-01) nor an instant (2024-05-01T00:00:00Z)",
                   parameter);
}
