#include "pds/store/query_internal.h"

#include "pds/base/auto.h"
#include "pds/base/mem.h"
#include "pds/vault/db.h"

#include <inttypes.h>
#include <string.h>

enum { LANES_MAX = 64, DAYS_MAX = 367, LONGS_MAX = 512 };

static const char SQL_SERIES[] = "SELECT s.id FROM series s WHERE s.dataset = ?1 AND EXISTS"
                                 " (SELECT 1 FROM record r WHERE r.series_id = s.id AND r.start_at >= ?2 AND "
                                 "r.start_at < ?3) ORDER BY s.id LIMIT 64";
static const char SQL_ROWS[] =
    "SELECT start_at, end_at, value, quality, more FROM record"
    " WHERE series_id = ?1 AND start_at >= ?2 AND start_at < ?3 ORDER BY start_at, end_at";

static const char SQL_DAY_COUNT[] =
    "SELECT count(*) FROM record WHERE series_id = ?1 AND start_at >= ?2 AND start_at < ?3";

/* One series, read in time order, one row ahead. */
struct query_lane {
    int64_t series_id;
    struct stmt *rows; /* owned */
    struct query_row next;
    bool ended;
    struct tally tally; /* of the window at hand */
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
    } days[DAYS_MAX];
    size_t day_count;
    struct query_row longs[LONGS_MAX]; /* records of several days, whole in the bucket */
    size_t long_count;
    /* records as they are, of several series: the day at hand */
    int64_t window_end;
    size_t chosen;
    int64_t first, last; /* start and end of all the records read so far, when any */
    bool any;
    /* what was given so far */
    int64_t given_end, covered_s;
    bool given_any;
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
    return q->options.dataset->value_count > 1
               ? record_more_read(stmt_text(lane->rows, 4), row->values, &row->present)
               : ERR_OK;
}

static enum err open_lanes(struct query *q)
{
    AUTO(stmt_closep) struct stmt *series = NULL;
    const struct query_options *o = &q->options;
    enum err e;

    if ((e = db_query(q->db, SQL_SERIES, PARAMS(TEXT(o->dataset->name), INT(o->from), INT(o->to)), &series)))
        return e;
    while (!(e = stmt_next(series))) {
        struct query_lane *lane = &q->lanes[q->lane_count];

        if ((e = db_query(q->db, SQL_ROWS, PARAMS(INT(stmt_int(series, 0)), INT(o->from), INT(o->to)),
                          &lane->rows)))
            return e;
        lane->series_id = stmt_int(series, 0);
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

static bool row_is_within(const struct query_row *row, int64_t end_at)
{
    return row->end_at <= end_at && row->start_at < end_at;
}

/* Read all rows that start before end_at into the lanes' tallies. Those that end later are kept as long ones
 * when the bucket holds them. */
static enum err read_window(struct query *q, int64_t end_at, int64_t bucket_end)
{
    enum err e;

    for (size_t i = 0; i < q->lane_count; i++) {
        struct query_lane *lane = &q->lanes[i];

        lane->tally = (struct tally){0};
        while (!lane->ended && lane->next.start_at < end_at) {
            if (row_is_within(&lane->next, end_at))
                tally_add(&lane->tally, q->options.dataset, &lane->next);
            else if (lane->next.end_at <= bucket_end && q->long_count < LONGS_MAX)
                q->longs[q->long_count++] = lane->next;
            if ((e = lane_advance(q, lane)))
                return e;
        }
    }
    return ERR_OK;
}

/* The lane that covers most of the window; of equals, the one with more records. */
static const struct tally *best_tally(const struct query *q)
{
    const struct tally *best = &q->lanes[0].tally;

    for (size_t i = 1; i < q->lane_count; i++) {
        const struct tally *t = &q->lanes[i].tally;

        if (t->covered_s > best->covered_s || (t->covered_s == best->covered_s && t->count > best->count))
            best = t;
    }
    return best;
}

/* Put a record of several days in the place of its days, when it covers more than they do. */
static void use_long(struct query *q, const struct query_row *row, int64_t *used_to, struct tally *out)
{
    int64_t covered = 0;

    if (row->start_at < *used_to)
        return;
    for (size_t i = 0; i < q->day_count; i++) {
        if (q->days[i].start_at < row->end_at && q->days[i].end_at > row->start_at)
            covered += q->days[i].tally.covered_s;
    }
    if (covered >= row->end_at - row->start_at)
        return;
    for (size_t i = 0; i < q->day_count; i++) {
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
    while (earliest(q, &window) && window < end_at && q->day_count < DAYS_MAX) {
        window = by_day ? zone_day_start(q->options.zone, window) : start_at;
        window_end = by_day ? zone_day_next(q->options.zone, window) : end_at;
        if ((e = read_window(q, window_end, by_day ? end_at : window_end)))
            return e;
        q->days[q->day_count].start_at = window;
        q->days[q->day_count].end_at = window_end;
        q->days[q->day_count++].tally = *best_tally(q);
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

/* Of several series, the one with most records on the local day at hand. */
static enum err choose_lane(struct query *q, int64_t from, int64_t to)
{
    int64_t most = -1, count;
    enum err e;

    for (size_t i = 0; i < q->lane_count; i++) {
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

void query_coverage(const struct query *q, int64_t *covered_s, int64_t *span_s)
{
    int64_t from = q->options.from, to = q->options.to;

    if (from == INT64_MIN)
        from = q->first;
    if (to == INT64_MAX)
        to = q->last;
    *covered_s = q->covered_s;
    *span_s = q->any || (q->options.from != INT64_MIN && q->options.to != INT64_MAX) ? to - from : 0;
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
