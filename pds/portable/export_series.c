/* The series of a store and their records. */
#include "pds/portable/export_internal.h"

#include "pds/base/auto.h"
#include "pds/base/mem.h"
#include "pds/portable/sheet.h"
#include "pds/vault/db.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The order of the digests: of bytes. */
static const char SQL_SERIES[] = "SELECT s.id, s.dataset, o.provider, o.reference, s.grain FROM series s "
                                 "JOIN source o ON o.id = s.source_id"
                                 " WHERE EXISTS (SELECT 1 FROM record r WHERE r.series_id = s.id)"
                                 " ORDER BY s.dataset, o.provider, o.reference, s.grain";
static const char SQL_RECORDS[] =
    "SELECT r.start_at, r.end_at, r.value, r.quality, r.more, r.line, i.id FROM record r"
    " LEFT JOIN import_part p ON p.number = r.part LEFT JOIN import i ON i.number = p.import_number"
    " WHERE r.series_id = ?1 ORDER BY r.start_at, r.end_at";

static struct export_series *taken_by(struct export *x, const char *stem)
{
    for (size_t i = 0; i < x->series_count; i++) {
        if (strcmp(x->series[i].stem, stem) == 0)
            return &x->series[i];
    }
    return NULL;
}

/* A stem that no series before has. */
static enum err name_series(struct export *x, struct export_series *s)
{
    struct buf out;
    enum err e;

    for (int n = 1; n == 1 || taken_by(x, s->stem); n++) {
        buf_over(&out, s->stem, sizeof s->stem);
        export_name(&out, str_of(s->dataset->name), true, 80);
        buf_text(&out, "--");
        export_name(&out, str_of(s->provider), false, 40);
        if (s->reference[0]) {
            buf_char(&out, '-');
            export_name(&out, str_of(s->reference), false, 60);
        }
        buf_text(&out, "--");
        export_name(&out, str_of(s->grain), false, 40);
        if (n > 1)
            buf_printf(&out, "-%d", n);
        for (size_t i = 0; i < out.len; i++) /* alike for systems that tell no case apart */
            s->stem[i] = (char)(s->stem[i] >= 'A' && s->stem[i] <= 'Z' ? s->stem[i] + 32 : s->stem[i]);
        if ((e = buf_err(&out)))
            return e;
    }
    return ERR_OK;
}

static enum err add_series(struct export *x, const struct stmt *row, struct export_series *s)
{
    enum err e;

    s->id = stmt_int(row, 0);
    if ((e = dataset_find(stmt_text(row, 1), &s->dataset)))
        return err_wrap(e == ERR_NOT_FOUND ? ERR_UNSUPPORTED : e, "series %" PRId64, s->id);
    if ((e = str_keep(stmt_text(row, 2), &s->provider)) || (e = str_keep(stmt_text(row, 3), &s->reference)) ||
        (e = str_keep(stmt_text(row, 4), &s->grain)))
        return err_wrap(e, "series %" PRId64, s->id);
    return name_series(x, s);
}

enum err export_load_series(struct export *x)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    size_t room = 0;
    enum err e;

    if ((e = db_query(x->db, SQL_SERIES, NO_PARAMS, &row)))
        return e;
    while (!(e = stmt_next(row))) {
        if (x->series_count == room) {
            struct export_series *moved;

            if (room == EXPORT_SERIES_MAX)
                return err_set(ERR_TOO_LARGE, "more than %d series", EXPORT_SERIES_MAX);
            room = room ? room * 2 : 16;
            if (!(moved = mem_resize(x->series, room * sizeof *moved)))
                return err_set(ERR_NO_MEMORY, "list of series");
            x->series = moved;
        }
        x->series[x->series_count] = (struct export_series){0};
        if ((e = add_series(x, row, &x->series[x->series_count]))) {
            x->series_count++; /* so that its texts go */
            return e;
        }
        x->series_count++;
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

void export_series_done(struct export *x)
{
    for (size_t i = 0; i < x->series_count; i++) {
        mem_free(x->series[i].provider);
        mem_free(x->series[i].reference);
        mem_free(x->series[i].grain);
    }
    mem_free(x->series);
    x->series = NULL;
    x->series_count = 0;
}

bool export_has_places(const struct dataset *d)
{
    return dataset_value(d, "latitude") >= 0 && dataset_value(d, "longitude") >= 0;
}

static enum err read_row(const struct stmt *row, struct export_row *out)
{
    struct record *r = &out->record;
    struct str import = stmt_text(row, 6);

    r->start_at = stmt_int(row, 0);
    r->end_at = stmt_int(row, 1);
    r->values[0] = stmt_int(row, 2);
    r->quality = (enum record_quality)stmt_int(row, 3);
    r->present = 1;
    r->line = stmt_int(row, 5);
    out->import[0] = '\0';
    if (import.len == ID_CHARS)
        (void)snprintf(out->import, sizeof out->import, "%.*s", STR_ARGS(import));
    if (!record_quality_name(r->quality))
        return err_set(ERR_CORRUPT, "quality of a record");
    return record_more_read(stmt_text(row, 4), r->values, &r->present);
}

enum err export_each_record(struct export *x, const struct export_series *s, export_record *visit,
                            void *context)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    struct export_row at = {.record.series_id = s->id};
    enum err e;

    if ((e = db_query(x->db, SQL_RECORDS, PARAMS(INT(s->id)), &row)))
        return e;
    while (!(e = stmt_next(row))) {
        if ((e = read_row(row, &at)) || (e = visit(x, s, &at, context)))
            return err_wrap(e, "series %" PRId64, s->id);
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err write_record(struct export *x, const struct export_series *s, const struct export_row *row,
                             void *context)
{
    const struct record *r = &row->record;
    struct buf *out = &x->piece;

    (void)context;
    sheet_instant(out, r->start_at);
    buf_char(out, ',');
    sheet_instant(out, r->end_at);
    for (size_t i = 0; i < s->dataset->value_count; i++) {
        buf_char(out, ',');
        if (r->present & (1U << i))
            record_value_text(out, r->values[i], s->dataset->values[i].denominator);
    }
    buf_printf(out, ",%s,%s,%" PRId64 "\n", record_quality_name(r->quality), row->import, r->line);
    return export_flow(x);
}

enum err export_write_series(struct export *x, const struct export_part *part)
{
    const struct dataset *d = part->series->dataset;

    buf_text(&x->piece, "start,end");
    for (size_t i = 0; i < d->value_count; i++)
        buf_printf(&x->piece, ",%s", d->values[i].name);
    buf_text(&x->piece, ",quality,import,line\n");
    return export_each_record(x, part->series, write_record, NULL);
}
