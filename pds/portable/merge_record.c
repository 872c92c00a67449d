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

enum err merge_value(const struct dataset *d, size_t i, struct str text, struct record *r)
{
    enum err e = str_scaled(text, d->values[i].denominator, &r->values[i]);

    if (!e)
        r->present |= 1U << i;
    return e;
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
        if (s->fields[i].len && (e = merge_value(d, (size_t)c->values[i], s->fields[i], r)))
            return e;
    }
    if (!(r->present & 1U) || (d->instant ? r->end_at != r->start_at : r->end_at <= r->start_at))
        return err_set(ERR_INVALID, "no record of %s", d->name);
    return ERR_OK;
}

/* A record that is here already, with another value that counts as much or more. */
static void not_taken(void *context, const struct dataset *d, const struct record *r)
{
    struct merge_import *into = context;
    const struct import_count *counts;
    size_t count = import_counts(into->import, &counts);
    char where[PERIOD_BYTES];

    for (size_t i = 0; i < count; i++)
        into->lost[i] += counts[i].dataset == d;
    period_text(d, r->start_at, r->end_at, where);
    merge_conflict(into->merge, where, "a value is here already, and stays");
}

static enum err begin_import(struct merge *m, enum merge_brought which, const char *format)
{
    struct merge_import *into = &m->imports[which];
    enum err e;

    if (into->import)
        return ERR_OK;
    if ((e = import_new(m->vault, STR("traboule-export.zip"), m->now, &into->import)))
        return e;
    into->merge = m;
    import_set_format(into->import, format);
    import_yield(into->import, not_taken, into);
    return ERR_OK;
}

static enum err add_row(struct merge *m, const struct sheet *s, const struct record *r)
{
    const struct merge_entry *entry = m->entry;
    enum merge_brought which = MERGE_READINGS;
    enum err e;

    if (r->quality == RECORD_CORRECTED && merge_is_correction(m, s->fields[s->count - 2])) {
        which = MERGE_CORRECTIONS;
        if ((e = begin_import(m, which, RECORD_CORRECTION_FORMAT)))
            return e;
    }
    return import_add(m->imports[which].import, entry->dataset, entry->provider, str_of(entry->reference),
                      entry->grain, r);
}

static enum err read_all(struct merge *m, struct sheet *s)
{
    struct columns columns = {.count = 0};
    struct record r;
    enum err e;

    if ((e = sheet_next(s)) || (e = read_header(s, m->entry->dataset, &columns)))
        return e == ERR_NOT_FOUND ? err_set(ERR_INVALID, "an empty table") : e;
    while (!(e = sheet_next(s))) {
        if ((e = read_row(s, &columns, m->entry->dataset, &r)) || (e = add_row(m, s, &r)))
            return err_wrap(e, "line %" PRId64, s->line);
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err merge_records(struct merge *m)
{
    enum err e = begin_import(m, MERGE_READINGS, "traboule.export");

    return e ? e : merge_sheet(m, read_all);
}

enum err merge_records_close(struct merge *m)
{
    for (int i = 0; i < MERGE_BROUGHT; i++) {
        enum err e = m->imports[i].import ? import_close(m->imports[i].import, m->now) : ERR_OK;

        if (e)
            return e;
    }
    return merge_said_put(m);
}

void merge_records_fail(struct merge *m, enum err failure)
{
    for (int i = MERGE_BROUGHT; i-- > 0;) { /* the last that came is the first that goes */
        if (m->imports[i].import)
            import_fail(m->imports[i].import, failure, m->now);
    }
}

const char *merge_import_id(const struct merge *m, enum merge_brought which)
{
    return m->imports[which].import ? import_id(m->imports[which].import) : NULL;
}

/* What became of a dataset, by both imports; false when it did not come. */
static bool count_of(const struct merge *m, const struct dataset *d, struct import_count *all, int64_t *lost)
{
    *all = (struct import_count){.dataset = d};
    *lost = 0;
    for (int i = 0; i < MERGE_BROUGHT; i++) {
        const struct import_count *n = NULL;
        size_t count = m->imports[i].import ? import_counts(m->imports[i].import, &n) : 0;

        for (size_t k = 0; k < count; k++) {
            if (n[k].dataset != d)
                continue;
            all->any = true;
            all->new_count += n[k].new_count;
            all->same += n[k].same;
            all->replaced += n[k].replaced;
            all->rejected += n[k].rejected - m->imports[i].lost[k];
            *lost += m->imports[i].lost[k];
        }
    }
    return all->any;
}

enum err merge_records_answer(const struct merge *m, json_t *datasets)
{
    struct import_count n;
    int64_t lost;

    for (size_t i = 0; i < dataset_count(); i++) {
        if (count_of(m, dataset_at(i), &n, &lost) &&
            json_array_append_new(datasets,
                                  json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "name", n.dataset->name, "new",
                                            (json_int_t)n.new_count, "same", (json_int_t)n.same, "replaced",
                                            (json_int_t)n.replaced, "conflicts", (json_int_t)lost, "rejected",
                                            (json_int_t)n.rejected)))
            return err_set(ERR_NO_MEMORY, "the answer");
    }
    return ERR_OK;
}
