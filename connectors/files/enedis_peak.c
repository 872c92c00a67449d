/* Daily maxima: the highest apparent power of a day and the instant of it. */
#include "connectors/files/csv_text.h"
#include "connectors/files/enedis_internal.h"

enum { SATURATED_VA = 65535 /* a counter of 16 bits that is full */ };

static const char *flaw_of(struct enedis_file *f, const struct csv_line *l, int64_t *at, int64_t *value)
{
    const char *flaw = enedis_label_read(&f->section.clock, f->zone, enedis_column(l, 0), l->number, at);

    if (flaw)
        return flaw;
    f->understood = true;
    if (l->count <= f->section.value_column)
        return "the line is too short: it has no value";
    switch (csv_text_number(l->fields[f->section.value_column], f->section.scale, value)) {
    case CSV_MISSING:
        *value = ENEDIS_POINT_MISSING;
        return NULL;
    case CSV_BROKEN:
        return "the value is not a number";
    case CSV_NUMBER:
        break;
    }
    if (*value == SATURATED_VA)
        return "the meter's counter was full: the peak is not known";
    if (*value < 0)
        return "the power is negative";
    return *value > ENEDIS_POWER_MAX_W ? "the power is over 10 MW" : NULL;
}

static bool pick_larger(void *context, const struct enedis_point *earlier, const struct enedis_point *later)
{
    (void)context;
    return later->value > earlier->value;
}

enum err enedis_peak_row(struct enedis_file *f, const struct csv_line *l)
{
    struct enedis_point p = {.line = (uint32_t)l->number};
    int64_t at;
    const char *flaw = flaw_of(f, l, &at, &p.value);
    enum err e;

    if (flaw) {
        enedis_reject(f, l->number, flaw);
        return ERR_OK;
    }
    if (p.value == ENEDIS_POINT_MISSING)
        return ERR_OK;
    p.at = zone_day_start(f->zone, at);
    p.extra = (int32_t)(at - p.at);
    if ((e = enedis_points_add(&f->points, p)))
        return e;
    if (enedis_points_is_full(&f->points)) /* as for indexes */
        enedis_points_merge(&f->points, NULL, pick_larger);
    return ERR_OK;
}

enum err enedis_peak_end(struct enedis_file *f)
{
    enum err e;

    enedis_points_merge(&f->points, NULL, pick_larger);
    for (size_t i = 0; i < f->points.count; i++) {
        const struct enedis_point *p = &f->points.list[i];
        struct reading r = {
            .dataset = "energy.electricity.power-max",
            .grain = "daily",
            .start_at = p->at,
            .end_at = zone_day_next(f->zone, p->at),
            .values = {{"value", p->value, 1}, {"peak_after_s", p->extra, 1}},
            .value_count = 2,
            .line = p->line,
        };

        if ((e = enedis_take(f, &r)))
            return e;
    }
    enedis_points_drop_front(&f->points, 0);
    return ERR_OK;
}
