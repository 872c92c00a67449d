#include "pds/store/import.h"
#include "pds/store/import_internal.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/store/source.h"
#include "pds/vault/vault.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BATCH_RECORDS = 4096, BATCH_FIRST = 8, SERIES_FIRST = 4, SERIES_MAX = 4096 };

static const char SQL_BEGIN[] = "INSERT INTO import (id, file, format, started_at) VALUES (?1, ?2, ?3, ?4)";
static const char SQL_END[] = "UPDATE import SET format = ?2, ended_at = ?3 WHERE number = ?1";
static const char SQL_COUNT_ADD[] = "INSERT INTO import_count (import_number, dataset, new, same, replaced, "
                                    "rejected) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
static const char SQL_PART_ADD[] =
    "INSERT INTO import_part (import_number) SELECT number FROM import WHERE number = ?1 AND id = ?2";
static const char SQL_INTERVALS[] = "SELECT start_at, end_at FROM record WHERE series_id = ?1 AND start_at "
                                    ">= ?2 AND start_at < ?3 ORDER BY start_at";

/* Records of one series within this import. */
struct lane {
    int64_t series_id; /* 0 until the first batch that holds it is written */
    bool found;        /* in the batch at hand: between two, an erasure may take the series away */
    struct import_count *count;
    const char *provider, *grain; /* constants */
    char reference[IMPORT_REFERENCE_BYTES + 1];
    int64_t first, last; /* start of the first interval, end of the last, when any */
    bool any;
    /* Of the part at hand. */
    int64_t part_first, part_last; /* starts, when part_any */
    bool part_any;
    int64_t added, longest_s;   /* new ones */
    int64_t run_start, run_end; /* unbroken run of confirmed records; empty when equal */
};

struct entry {
    struct record record;
    uint32_t lane; /* place in the import's lanes */
};

struct import {
    struct vault *vault; /* borrowed */
    char id[ID_CHARS + 1];
    char file[IMPORT_FILE_BYTES];
    const char *format;
    enum event_kind event;
    int64_t started_at;
    int64_t number; /* 0 until the first batch */
    int64_t part;   /* the one at hand */
    struct import_count counts[IMPORT_DATASETS_MAX];
    size_t count_used;
    struct lane *lanes; /* owned; grows to SERIES_MAX */
    size_t lane_used, lane_room;
    size_t lane_last;    /* the lane of the last record: the next is mostly alike */
    struct entry *batch; /* owned; grows to BATCH_RECORDS */
    size_t batch_used, batch_room;
    import_untaken *untaken; /* NULL: records replace those that are as good */
    void *untaken_context;
};

void import_label(struct str file, char out[static IMPORT_FILE_BYTES])
{
    bool text = str_is_utf8(file);
    size_t len = 0;

    for (; len < file.len && len < LIMIT_FILE_NAME_BYTES; len++)
        out[len] = !text && (unsigned char)file.ptr[len] >= 0x80 ? '?' : file.ptr[len];
    while (!str_is_utf8((struct str){out, len}))
        len--; /* cut within a character */
    out[len] = '\0';
}

enum err import_new(struct vault *v, struct str file, int64_t now, struct import **out)
{
    struct import *m = mem_new(sizeof *m);
    enum err e;

    if (!m)
        return err_set(ERR_NO_MEMORY, "new import");
    if ((e = id_make(now * 1000, m->id))) {
        mem_free(m);
        return e;
    }
    import_label(file, m->file);
    m->vault = v;
    m->format = "";
    m->event = EVENT_IMPORTED;
    m->started_at = now;
    *out = m;
    return ERR_OK;
}

void import_yield(struct import *m, import_untaken *told, void *context)
{
    m->untaken = told;
    m->untaken_context = context;
}

void import_set_format(struct import *m, const char *format) { m->format = format; }

void import_set_event(struct import *m, enum event_kind kind) { m->event = kind; }

const char *import_id(const struct import *m) { return m->id; }

const char *import_file(const struct import *m) { return m->file; }

size_t import_counts(const struct import *m, const struct import_count **out)
{
    *out = m->counts;
    return m->count_used;
}

void import_free(struct import *m)
{
    if (m) {
        mem_free(m->batch);
        mem_free(m->lanes);
    }
    mem_free(m);
}

static struct import_count *count_of(struct import *m, const struct dataset *d)
{
    for (size_t i = 0; i < m->count_used; i++) {
        if (m->counts[i].dataset == d)
            return &m->counts[i];
    }
    if (m->count_used == IMPORT_DATASETS_MAX)
        return NULL;
    m->counts[m->count_used].dataset = d;
    return &m->counts[m->count_used++];
}

void import_reject(struct import *m, const struct dataset *d)
{
    struct import_count *count = count_of(m, d);

    if (count)
        count->rejected++;
}

static bool lane_is(const struct lane *lane, const struct dataset *d, const char *provider,
                    struct str reference, const char *grain)
{
    return lane->count->dataset == d && (lane->grain == grain || strcmp(lane->grain, grain) == 0) &&
           strcmp(lane->provider, provider) == 0 && str_eq(str_of(lane->reference), reference);
}

static enum err make_lane_room(struct import *m)
{
    size_t room = m->lane_room ? m->lane_room * 2 : SERIES_FIRST;
    struct lane *moved;

    if (m->lane_used < m->lane_room)
        return ERR_OK;
    if (m->lane_used == SERIES_MAX)
        return err_set(ERR_TOO_LARGE, "more than %d series in one import", SERIES_MAX);
    if (!(moved = mem_resize(m->lanes, room * sizeof *moved)))
        return err_set(ERR_NO_MEMORY, "import");
    m->lanes = moved;
    m->lane_room = room;
    return ERR_OK;
}

static enum err lane_of(struct import *m, const struct dataset *d, const char *provider, struct str reference,
                        const char *grain, size_t *out)
{
    struct lane *lane;
    struct import_count *count;
    enum err e;

    for (size_t n = 0; n < m->lane_used; n++) {
        size_t i = (m->lane_last + n) % m->lane_used;

        if (lane_is(&m->lanes[i], d, provider, reference, grain)) {
            m->lane_last = *out = i;
            return ERR_OK;
        }
    }
    if ((e = make_lane_room(m)))
        return e;
    if (!(count = count_of(m, d)))
        return err_set(ERR_TOO_LARGE, "more than %d datasets in one import", IMPORT_DATASETS_MAX);
    lane = &m->lanes[m->lane_used];
    *lane = (struct lane){.count = count, .provider = provider, .grain = grain};
    if ((e = str_copy(reference, lane->reference, sizeof lane->reference)))
        return err_wrap(e, "reference of a source");
    m->lane_last = *out = m->lane_used++;
    return ERR_OK;
}

/* Write down a run of confirmed records that ended. */
static enum err end_run(struct db *db, const struct import *m, struct lane *lane)
{
    enum err e;

    if (lane->run_start == lane->run_end)
        return ERR_OK;
    e = record_note_confirmed(db, m->part, lane->series_id, lane->run_start, lane->run_end);
    lane->run_start = lane->run_end = 0;
    return e;
}

/* Keep the runs of confirmed records. An instant is its own run. */
static enum err follow_run(struct db *db, struct import *m, struct lane *lane, const struct record *r,
                           bool same)
{
    int64_t end = r->end_at > r->start_at ? r->end_at : r->start_at + 1;
    enum err e;

    if (same && lane->run_end == r->start_at && lane->run_start != lane->run_end) {
        lane->run_end = end;
        return ERR_OK;
    }
    if ((e = end_run(db, m, lane)) || !same)
        return e;
    lane->run_start = r->start_at;
    lane->run_end = end;
    return ERR_OK;
}

static void widen(int64_t *first, int64_t *last, bool *any, int64_t low, int64_t high)
{
    if (!*any || low < *first)
        *first = low;
    if (!*any || high > *last)
        *last = high;
    *any = true;
}

/* Count one record that was put. */
static enum err account(struct db *db, struct import *m, struct lane *lane, const struct record *r,
                        enum record_outcome outcome)
{
    struct import_count *count = lane->count;

    if (outcome == RECORD_WORSE) {
        if (m->untaken)
            m->untaken(m->untaken_context, count->dataset, r);
        count->rejected++;
        return end_run(db, m, lane);
    }
    widen(&count->first, &count->last, &count->any, r->start_at, r->end_at);
    widen(&lane->first, &lane->last, &lane->any, r->start_at, r->end_at);
    widen(&lane->part_first, &lane->part_last, &lane->part_any, r->start_at, r->start_at);
    count->new_count += outcome == RECORD_NEW;
    count->same += outcome == RECORD_SAME;
    count->replaced += outcome == RECORD_REPLACED;
    if (outcome == RECORD_NEW) {
        lane->added++;
        if (r->end_at - r->start_at > lane->longest_s)
            lane->longest_s = r->end_at - r->start_at;
    }
    if (outcome != RECORD_REPLACED && count->dataset->aggregate == DATASET_SUM)
        count->total += r->values[0];
    return follow_run(db, m, lane, r, outcome == RECORD_SAME);
}

/* An import that was erased is none any more, and its number may be another's. */
static enum err add_part(struct db *db, int64_t number, const char *id, int64_t *part)
{
    int64_t added;
    enum err e;

    if ((e = db_change(db, SQL_PART_ADD, PARAMS(INT(number), TEXT(id)), &added)))
        return e;
    if (added == 0)
        return err_set(ERR_CONFLICT, "it was erased meanwhile");
    *part = db_last_rowid(db);
    return ERR_OK;
}

static enum err begin_part(struct db *db, struct import *m)
{
    enum err e;

    if (!m->number) {
        if ((e = db_run(db, SQL_BEGIN,
                        PARAMS(TEXT(m->id), TEXT(m->file), TEXT(m->format), INT(m->started_at)))))
            return e;
        m->number = db_last_rowid(db);
    }
    return add_part(db, m->number, m->id, &m->part);
}

/* What of the part belongs to one series. */
static enum err end_part(struct db *db, struct import *m, struct lane *lane)
{
    enum err e;

    lane->found = false;
    if (!lane->part_any)
        return ERR_OK;
    if ((e = end_run(db, m, lane)) ||
        (e = record_note_extent(db, m->part, lane->series_id, lane->part_first, lane->part_last)) ||
        (e = source_count(db, lane->series_id, lane->added, lane->longest_s)))
        return e;
    lane->added = 0;
    lane->part_any = false;
    return ERR_OK;
}

/* The records of the batch, in one transaction: a part of the import. */
static enum err put_batch(struct db *db, struct import *m)
{
    enum record_outcome outcome;
    enum err e;

    if ((e = begin_part(db, m)))
        return e;
    for (size_t i = 0; i < m->batch_used; i++) {
        struct record *r = &m->batch[i].record;
        struct lane *lane = &m->lanes[m->batch[i].lane];

        if (!lane->found &&
            (e = source_series(db, lane->count->dataset->name, lane->provider, str_of(lane->reference),
                               lane->grain, m->started_at, &lane->series_id)))
            return e;
        lane->found = true;
        r->series_id = lane->series_id;
        r->part = m->part;
        if ((e = m->untaken ? record_put_yielding(db, r, &outcome) : record_put(db, r, &outcome)) ||
            (e = account(db, m, lane, r, outcome)))
            return err_wrap(e, "line %" PRId64, r->line);
    }
    for (size_t i = 0; i < m->lane_used; i++) {
        if ((e = end_part(db, m, &m->lanes[i])))
            return e;
    }
    return ERR_OK;
}

static enum err batch_work(struct db *db, void *context) { return put_batch(db, context); }

/* A longer batch, or the full one written and begun again. */
static enum err make_room(struct import *m)
{
    size_t room = m->batch_room ? m->batch_room * 8 : BATCH_FIRST;
    struct entry *moved;
    enum err e;

    if (m->batch_room == BATCH_RECORDS) {
        if ((e = vault_write(m->vault, batch_work, m)))
            return e;
        m->batch_used = 0;
        return ERR_OK;
    }
    if (!(moved = mem_resize(m->batch, room * sizeof *moved)))
        return err_set(ERR_NO_MEMORY, "import");
    m->batch = moved;
    m->batch_room = room;
    return ERR_OK;
}

enum err import_add(struct import *m, const struct dataset *d, const char *provider, struct str reference,
                    const char *grain, const struct record *r)
{
    size_t lane;
    enum err e;

    if ((e = dataset_check_values(d, r->values, r->present)))
        return err_wrap(e, "line %" PRId64, r->line);
    if ((e = lane_of(m, d, provider, reference, grain, &lane)))
        return e;
    if (m->batch_used == m->batch_room && (e = make_room(m)))
        return e;
    m->batch[m->batch_used].record = *r;
    m->batch[m->batch_used].lane = (uint32_t)lane;
    m->batch_used++;
    return ERR_OK;
}

/* Holes between the first and the last record of this import in one series. */
static enum err count_gaps(struct db *db, const struct lane *lane)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    int64_t reached = lane->first;
    enum err e;

    if (!lane->any || lane->count->dataset->instant)
        return ERR_OK;
    if ((e = db_query(db, SQL_INTERVALS, PARAMS(INT(lane->series_id), INT(lane->first), INT(lane->last)),
                      &row)))
        return e;
    while (!(e = stmt_next(row))) {
        if (stmt_int(row, 0) > reached)
            lane->count->gaps++;
        if (stmt_int(row, 1) > reached)
            reached = stmt_int(row, 1);
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err note_count(struct db *db, int64_t number, const struct import_count *n)
{
    return db_run(db, SQL_COUNT_ADD,
                  PARAMS(INT(number), TEXT(n->dataset->name), INT(n->new_count), INT(n->same),
                         INT(n->replaced), INT(n->rejected)));
}

struct closing {
    struct import *import;
    int64_t now;
};

/* Its line in the trail: the id, and the datasets that it touched. */
static enum err tell_done(struct db *db, const struct import *m, int64_t now)
{
    char memory[EVENT_WHAT_BYTES + 1];
    struct event event = {.kind = m->event, .who = "owner", .what = memory};
    struct buf what;

    buf_over(&what, memory, sizeof memory);
    buf_text(&what, m->id);
    for (size_t i = 0; i < m->count_used; i++)
        buf_printf(&what, " %s", m->counts[i].dataset->name);
    return what.err ? buf_err(&what) : trail_add(db, &event, now, NULL);
}

static enum err close_work(struct db *db, void *context)
{
    struct closing *c = context;
    struct import *m = c->import;
    enum err e;

    if ((e = put_batch(db, m)))
        return e;
    for (size_t i = 0; i < m->lane_used; i++) {
        if ((e = count_gaps(db, &m->lanes[i])))
            return e;
    }
    for (size_t i = 0; i < m->count_used; i++) {
        if ((e = note_count(db, m->number, &m->counts[i])))
            return e;
    }
    if ((e = db_run(db, SQL_END, PARAMS(INT(m->number), TEXT(m->format), INT(c->now)))))
        return e;
    return tell_done(db, m, c->now);
}

enum err import_close(struct import *m, int64_t now)
{
    struct closing c = {m, now};
    enum err e = vault_write(m->vault, close_work, &c);

    m->batch_used = 0;
    return e ? err_wrap(e, "import %s", m->id) : ERR_OK;
}

void import_fail(struct import *m, enum err failure, int64_t now)
{
    char story[512];

    if (m->number == 0)
        return; /* nothing was written */
    (void)snprintf(story, sizeof story, "%s", err_story());
    /* What cannot be undone now is undone by import_recover() at the next opening. */
    err_ignore(import_undo_failed(m->vault, m->id, failure, now));
    (void)err_set(failure, "%s", story);
}

enum err import_begin_one(struct db *db, const char *format, int64_t now, struct import_one *out)
{
    struct import_one one = {.format = format};
    enum err e;

    if ((e = id_make(now * 1000, one.id)) ||
        (e = db_run(db, SQL_BEGIN, PARAMS(TEXT(one.id), TEXT(""), TEXT(format), INT(now)))))
        return e;
    one.number = db_last_rowid(db);
    if ((e = add_part(db, one.number, one.id, &one.part)))
        return e;
    *out = one;
    return ERR_OK;
}

enum err import_end_one(struct db *db, const struct import_one *one, const struct import_count *count,
                        int64_t now)
{
    enum err e = note_count(db, one->number, count);

    return e ? e : db_run(db, SQL_END, PARAMS(INT(one->number), TEXT(one->format), INT(now)));
}
