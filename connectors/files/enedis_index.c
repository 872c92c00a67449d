/* Daily indexes: what the meter shows at 00:00 local of the written date, and the energy between them. */
#include "connectors/files/csv_text.h"
#include "connectors/files/enedis_internal.h"

#include <stdio.h>
#include <string.h>

enum { TOTAL = 0, F1 = 1, F10 = 10, D1 = 11, D4 = 14 };

#define INDEX_MAX_WH INT64_C(10000000000000)

static const char *const NAMES[ENEDIS_REGISTERS] = {"total", "f1", "f2",  "f3", "f4", "f5", "f6", "f7",
                                                    "f8",    "f9", "f10", "d1", "d2", "d3", "d4"};
static const char *const INDEXES[] = {"energy.electricity.index", "energy.electricity.index.production"};
static const char *const ENERGIES[] = {"energy.electricity.consumption", "energy.electricity.production"};

/* Columns are named "EAS F1" (drawn from the grid) or "EAI F1" (given to it), and "EAS T" for the total. */
static bool name_columns(struct enedis_registers *r, const struct csv_line *l, const char *prefix)
{
    bool any = false;

    for (size_t i = 0; i < ENEDIS_REGISTERS; i++) {
        char name[ENEDIS_WORD_BYTES];

        (void)snprintf(name, sizeof name, "%s %s", prefix, i == TOTAL ? "t" : NAMES[i]);
        r->columns[i] = enedis_column_named(l, name);
        any = any || r->columns[i] > 0;
    }
    r->any = any;
    return any;
}

bool enedis_index_columns(struct enedis_file *f, const struct csv_line *l)
{
    struct enedis_registers *drawn = &f->registers[ENEDIS_CONSUMPTION],
                            *given = &f->registers[ENEDIS_PRODUCTION];
    bool eai = name_columns(given, l, "eai");
    bool eas = name_columns(drawn, l, "eas");

    if (f->section.production && !eai && name_columns(given, l, "eas"))
        drawn->any = false;
    f->section.value_column = enedis_column_named(l, "type de releve");
    return eai || eas;
}

/* Sum of the registers that are there, ENEDIS_POINT_MISSING when none is. */
static int64_t sum(const int64_t *values, size_t from, size_t to)
{
    int64_t total = ENEDIS_POINT_MISSING;

    for (size_t i = from; i <= to; i++)
        if (values[i] != ENEDIS_POINT_MISSING)
            total = values[i] + (total == ENEDIS_POINT_MISSING ? 0 : total);
    return total;
}

/* NULL when the values of a line can be taken, the total from its registers where it has none of its own. */
static const char *read_values(const struct enedis_file *f, const struct enedis_registers *r,
                               const struct csv_line *l, int64_t values[static ENEDIS_REGISTERS])
{
    for (size_t i = 0; i < ENEDIS_REGISTERS; i++) {
        int64_t value = ENEDIS_POINT_MISSING;

        values[i] = ENEDIS_POINT_MISSING;
        if (r->columns[i] == 0)
            continue;
        switch (csv_text_number(enedis_column(l, r->columns[i]), f->section.scale, &value)) {
        case CSV_MISSING:
            continue;
        case CSV_BROKEN:
            return "an index is not a number";
        case CSV_NUMBER:
            break;
        }
        if (value < 0)
            return "an index is negative";
        if (value > INDEX_MAX_WH)
            return "an index is larger than a meter can show";
        values[i] = value;
    }
    if (values[TOTAL] == ENEDIS_POINT_MISSING)
        values[TOTAL] = sum(values, F1, F10);
    if (values[TOTAL] == ENEDIS_POINT_MISSING)
        values[TOTAL] = sum(values, D1, D4);
    return NULL;
}

/* Give out the line that waits. */
static enum err release(struct enedis_file *f, enum enedis_flow flow)
{
    struct enedis_registers *r = &f->registers[flow];
    struct reading reading = {
        .dataset = INDEXES[flow], .grain = "index", .start_at = r->row.at, .end_at = r->row.at};
    struct enedis_point p = {.at = r->row.at, .value = r->row.values[TOTAL], .line = (uint32_t)r->row.line};
    enum err e;

    if (!r->waiting)
        return ERR_OK;
    r->waiting = false;
    reading.line = r->row.line;
    for (size_t i = 0; i < ENEDIS_REGISTERS; i++)
        if (r->row.values[i] != ENEDIS_POINT_MISSING)
            reading.values[reading.value_count++] = (struct reading_value){NAMES[i], r->row.values[i], 1};
    if ((e = enedis_take(f, &reading)) || (e = enedis_points_add(&r->totals, p)))
        return e;
    if (enedis_points_is_full(
            &r->totals)) /* only with dates that come again and again: room is left afterwards */
        enedis_points_merge(&r->totals, f, enedis_pick_later);
    return ERR_OK;
}

static enum err take_row(struct enedis_file *f, enum enedis_flow flow, const struct enedis_register_row *row)
{
    struct enedis_registers *r = &f->registers[flow];
    bool differs =
        r->waiting && r->row.at == row->at && memcmp(r->row.values, row->values, sizeof row->values) != 0;
    enum err e;

    /* The export writes the autumn day twice, alike: each line is given out, and the second changes nothing.
     */
    if (differs)
        enedis_doubt(f, row->line,
                     "the same date stands twice with different indexes: the later line is kept");
    else if ((e = release(f, flow)))
        return e;
    r->row = *row;
    r->waiting = true;
    return ERR_OK;
}

/* Other kinds of lines than the daily one are not at midnight. */
static bool is_daily(const struct enedis_file *f, const struct csv_line *l)
{
    char word[ENEDIS_WORD_BYTES];

    if (f->section.value_column == 0)
        return true;
    return csv_text_fold(enedis_column(l, f->section.value_column), word, sizeof word) == 0 ||
           strstr(word, "quotidien");
}

enum err enedis_index_row(struct enedis_file *f, const struct csv_line *l)
{
    struct enedis_register_row row = {.line = l->number};
    const char *flaw = enedis_label_date(f->zone, enedis_column(l, 0), &row.at);
    enum err e;

    if (!flaw && !is_daily(f, l))
        flaw = "the line is not a daily index";
    if (!flaw && !f->registers[ENEDIS_CONSUMPTION].any && !f->registers[ENEDIS_PRODUCTION].any)
        flaw = "no line above names the columns";
    if (!flaw && l->count < 3)
        flaw = "the line is too short: it has no index";
    if (flaw) {
        enedis_reject(f, l->number, flaw);
        return ERR_OK;
    }
    f->understood = true;
    for (int flow = 0; flow < ENEDIS_FLOWS; flow++) {
        const struct enedis_registers *r = &f->registers[flow];

        if (!r->any)
            continue;
        if ((flaw = read_values(f, r, l, row.values)))
            enedis_reject(f, l->number, flaw);
        else if (row.values[TOTAL] != ENEDIS_POINT_MISSING && (e = take_row(f, (enum enedis_flow)flow, &row)))
            return e;
    }
    return ERR_OK;
}

/* The energy between two indexes that follow each other. */
static enum err take_energy(struct enedis_file *f, enum enedis_flow flow, const struct enedis_point *from,
                            const struct enedis_point *to)
{
    struct reading r = {
        .dataset = ENERGIES[flow],
        .grain = "daily",
        .start_at = from->at,
        .end_at = to->at,
        .values = {{"value", to->value - from->value, 1}},
        .value_count = 1,
        .line = to->line,
    };

    if (to->value < from->value) {
        enedis_doubt(f, to->line, "the index falls, as after a change of meter: counting begins anew here");
        return ERR_OK;
    }
    if (to->value - from->value > (to->at - from->at) / 3600 * ENEDIS_POWER_MAX_W) {
        enedis_reject(f, to->line, "the index rises by more than 10 MW could make it: no energy is told");
        return ERR_OK;
    }
    return enedis_take(f, &r);
}

static enum err end_flow(struct enedis_file *f, enum enedis_flow flow)
{
    struct enedis_registers *r = &f->registers[flow];
    enum err e;

    if ((e = release(f, flow)))
        return e;
    enedis_points_merge(&r->totals, f, enedis_pick_later);
    for (size_t i = 1; i < r->totals.count; i++)
        if ((e = take_energy(f, flow, &r->totals.list[i - 1], &r->totals.list[i])))
            return e;
    enedis_points_drop_front(&r->totals, 0);
    return ERR_OK;
}

enum err enedis_index_end(struct enedis_file *f)
{
    enum err e;

    for (int flow = 0; flow < ENEDIS_FLOWS; flow++) {
        if ((e = end_flow(f, (enum enedis_flow)flow)))
            return e;
        f->registers[flow].any = false;
    }
    return ERR_OK;
}
