/* Records of a series, out of its table. */
#include "pds/portable/merge_internal.h"

#include "pds/base/auto.h"
#include "pds/portable/sheet.h"
#include "pds/store/period.h"

#include <inttypes.h>
#include <string.h>

enum { AROUND = 5 /* start, end; quality, import, line */ };

/* Which value each column holds. */
struct columns {
    int values[SHEET_FIELDS_MAX];
    size_t count;
};

static enum err read_header(const struct sheet *s, const struct dataset *d, struct columns *out)
{
    static const struct str FIRST[] = {STR_ROW("start"), STR_ROW("end")};
    static const struct str LAST[] = {STR_ROW("quality"), STR_ROW("import"), STR_ROW("line")};
    uint32_t seen = 0;

    if (s->count < AROUND + 1 || !str_eq(s->fields[0], FIRST[0]) || !str_eq(s->fields[1], FIRST[1]))
        return err_set(ERR_INVALID, "line 1 is not the header of a table of records");
    for (size_t i = 0; i < 3; i++) {
        if (!str_eq(s->fields[s->count - 3 + i], LAST[i]))
            return err_set(ERR_INVALID, "line 1 is not the header of a table of records");
    }
    out->count = s->count;
    for (size_t i = 2; i < s->count - 3; i++) {
        char name[64];

        if (str_copy(s->fields[i], name, sizeof name) || (out->values[i] = dataset_value(d, name)) < 0)
            return err_set(ERR_UNSUPPORTED, "column %zu is no value of %s", i + 1, d->name);
        if (seen & (1U << out->values[i]))
            return err_set(ERR_INVALID, "column %zu is there twice", i + 1);
        seen |= 1U << out->values[i];
    }
    return seen & 1U ? ERR_OK : err_set(ERR_INVALID, "%s is missing", d->values[0].name);
}

static enum err read_row(const struct sheet *s, const struct columns *c, const struct dataset *d,
                         struct record *r)
{
    enum err e;

    *r = (struct record){.line = s->line};
    if (s->count != c->count)
        return err_set(ERR_INVALID, "line %" PRId64 " has %zu cells", s->line, s->count);
    if ((e = sheet_read_instant(s, 0, &r->start_at)) || (e = sheet_read_instant(s, 1, &r->end_at)) ||
        (e = record_quality_read(s->fields[s->count - 3], &r->quality)))
        return e;
    for (size_t i = 2; i < s->count - 3; i++) {
        int value = c->values[i];

        if (s->fields[i].len == 0)
            continue;
        if ((e = str_scaled(s->fields[i], d->values[value].denominator, &r->values[value])))
            return e;
        r->present |= 1U << value;
    }
    if (!(r->present & 1U) || (d->instant ? r->end_at != r->start_at : r->end_at <= r->start_at))
        return err_set(ERR_INVALID, "no record of %s", d->name);
    return ERR_OK;
}

/* A record that is here already, with another value that counts as much or more. */
static void not_taken(void *context, const struct dataset *d, const struct record *r)
{
    struct merge *m = context;
    const struct import_count *counts;
    size_t count = import_counts(m->import, &counts);
    char where[PERIOD_BYTES];

    for (size_t i = 0; i < count; i++)
        m->lost[i] += counts[i].dataset == d;
    period_text(d, r->start_at, r->end_at, where);
    merge_conflict(m, where, "a value is here already, and stays");
}

static enum err begin_import(struct merge *m)
{
    enum err e;

    if (m->import)
        return ERR_OK;
    if ((e = import_new(m->vault, STR("traboule-export.zip"), m->now, &m->import)))
        return e;
    import_set_format(m->import, "traboule.export");
    import_yield(m->import, not_taken, m);
    return ERR_OK;
}

static enum err read_all(struct merge *m, struct sheet *s)
{
    const struct merge_entry *entry = m->entry;
    struct columns columns = {.count = 0};
    struct record r;
    enum err e;

    if ((e = sheet_next(s)) || (e = read_header(s, entry->dataset, &columns)))
        return e == ERR_NOT_FOUND ? err_set(ERR_INVALID, "an empty table") : e;
    while (!(e = sheet_next(s))) {
        if ((e = read_row(s, &columns, entry->dataset, &r)) ||
            (e = import_add(m->import, entry->dataset, entry->provider, str_of(entry->reference),
                            entry->grain, &r)))
            return err_wrap(e, "line %" PRId64, s->line);
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err merge_records(struct merge *m)
{
    struct sheet s;
    enum err e;

    if ((e = begin_import(m)))
        return e;
    sheet_init(&s, merge_read, m);
    e = read_all(m, &s);
    sheet_done(&s);
    return e;
}

enum err merge_records_answer(const struct merge *m, json_t *datasets)
{
    const struct import_count *n;
    size_t count = m->import ? import_counts(m->import, &n) : 0;

    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(
                datasets, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "name", n[i].dataset->name, "new",
                                    (json_int_t)n[i].new_count, "same", (json_int_t)n[i].same, "replaced",
                                    (json_int_t)n[i].replaced, "conflicts", (json_int_t)m->lost[i],
                                    "rejected", (json_int_t)(n[i].rejected - m->lost[i]))))
            return err_set(ERR_NO_MEMORY, "the answer");
    }
    return ERR_OK;
}
