/* Sources, imports, history and annotations as tables. */
#include "pds/portable/export_internal.h"

#include "pds/base/auto.h"
#include "pds/portable/sheet.h"
#include "pds/vault/db.h"

#include <inttypes.h>

static const char SQL_SOURCES[] = "SELECT id, provider, reference, created_at FROM source ORDER BY id";
static const char SQL_IMPORTS[] =
    "SELECT i.id, i.file, i.format, i.started_at, i.ended_at, i.undone_at, i.failure, coalesce(sum(c.new), "
    "0),"
    " coalesce(sum(c.same), 0), coalesce(sum(c.replaced), 0), coalesce(sum(c.rejected), 0)"
    " FROM import i LEFT JOIN import_count c ON c.import_number = i.number GROUP BY i.number ORDER BY "
    "i.number";
static const char SQL_HISTORY[] =
    "SELECT s.dataset, o.provider, o.reference, s.grain, h.start_at, h.end_at, h.value, h.more, h.quality,"
    " i.id, h.line, j.id FROM record_history h JOIN series s ON s.id = h.series_id"
    " JOIN source o ON o.id = s.source_id LEFT JOIN import_part p ON p.number = h.part"
    " LEFT JOIN import i ON i.number = p.import_number LEFT JOIN import_part q ON q.number = h.replaced_by"
    " LEFT JOIN import j ON j.number = q.import_number"
    " ORDER BY h.series_id, h.start_at, h.end_at, h.replaced_by";
static const char SQL_ANNOTATIONS[] =
    "SELECT id, dataset, start_at, end_at, text, created_at, updated_at FROM annotation ORDER BY id";

/* Columns of a row by a letter each: i an integer, t an instant, s a text; an SQL NULL is an empty cell. */
static enum err put_row(struct export *x, const struct stmt *row, const char *columns)
{
    struct buf *out = &x->piece;

    for (int i = 0; columns[i]; i++) {
        if (i)
            buf_char(out, ',');
        if (stmt_is_null(row, i))
            continue;
        if (columns[i] == 'i')
            buf_printf(out, "%" PRId64, stmt_int(row, i));
        else if (columns[i] == 't')
            sheet_instant(out, stmt_int(row, i));
        else
            sheet_text(out, stmt_text(row, i));
    }
    buf_char(out, '\n');
    return export_flow(x);
}

static enum err put_table(struct export *x, const char *header, struct stmt *row, const char *columns)
{
    enum err e;

    buf_printf(&x->piece, "%s\n", header);
    while (!(e = stmt_next(row))) {
        if ((e = put_row(x, row, columns)))
            return e;
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err export_write_sources(struct export *x, const struct export_part *part)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e = db_query(x->db, SQL_SOURCES, NO_PARAMS, &row);

    (void)part;
    return e ? e : put_table(x, "source,provider,reference,known_since", row, "isst");
}

enum err export_write_imports(struct export *x, const struct export_part *part)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e = db_query(x->db, SQL_IMPORTS, NO_PARAMS, &row);

    (void)part;
    return e ? e
             : put_table(x, "import,file,format,begun,ended,undone,failure,new,same,replaced,rejected", row,
                         "sssttts"
                         "iiii");
}

/* The main value as a number; the others as they stand in the record's own list. */
static enum err put_history(struct export *x, const struct stmt *row)
{
    int64_t values[DATASET_VALUES_MAX];
    uint32_t present = 1;
    const struct dataset *d;
    struct buf *out = &x->piece;
    enum err e;

    if ((e = dataset_find(stmt_text(row, 0), &d)) ||
        (e = record_more_read(stmt_text(row, 7), values, &present)))
        return e;
    values[0] = stmt_int(row, 6);
    for (int i = 0; i < 4; i++) {
        sheet_text(out, stmt_text(row, i));
        buf_char(out, ',');
    }
    sheet_instant(out, stmt_int(row, 4));
    buf_char(out, ',');
    sheet_instant(out, stmt_int(row, 5));
    for (size_t i = 0; i < d->value_count; i++) {
        if (!(present & (1U << i)))
            continue;
        buf_printf(out, "%s%s=", i ? " " : ",", d->values[i].name);
        record_value_text(out, values[i], d->values[i].denominator);
    }
    buf_printf(out, ",%s,", record_quality_name(stmt_int(row, 8)));
    buf_add(out, stmt_text(row, 9).ptr, stmt_text(row, 9).len);
    buf_printf(out, ",%" PRId64 ",", stmt_int(row, 10));
    buf_add(out, stmt_text(row, 11).ptr, stmt_text(row, 11).len);
    buf_char(out, '\n');
    return export_flow(x);
}

enum err export_write_history(struct export *x, const struct export_part *part)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    (void)part;
    buf_text(&x->piece,
             "dataset,provider,reference,grain,start,end,values,quality,import,line,replaced_by\n");
    if ((e = db_query(x->db, SQL_HISTORY, NO_PARAMS, &row)))
        return e;
    while (!(e = stmt_next(row))) {
        if ((e = put_history(x, row)))
            return e;
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err export_write_annotations(struct export *x, const struct export_part *part)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e = db_query(x->db, SQL_ANNOTATIONS, NO_PARAMS, &row);

    (void)part;
    return e ? e : put_table(x, "annotation,dataset,start,end,text,created,updated", row, "ssttstt");
}
