/* Load curves: mean power by interval, labelled with the interval's end. */
#include "connectors/files/csv_text.h"
#include "connectors/files/enedis_internal.h"

enum { PARTS = 1000 /* of a watt, while values wait */, MINUTE_S = 60, CARRY = 2 };

static const char LENGTH_GUESSED[] =
    "its neighbours leave open how long this interval is: the length of the nearest "
    "known one was taken";

bool enedis_curve_columns(struct enedis_file *f, const struct csv_line *l)
{
    f->section.value_column = enedis_column_named(l, "valeur");
    return f->section.value_column > 0;
}

/* A distance between labels as a length in minutes; 0 when it is none that meters have. */
static int minutes_of(int64_t seconds)
{
    static const int LENGTHS[] = {5, 10, 15, 20, 30, 60};

    for (size_t i = 0; i < sizeof LENGTHS / sizeof *LENGTHS; i++)
        if (seconds == (int64_t)LENGTHS[i] * MINUTE_S)
            return LENGTHS[i];
    return 0;
}

/* What stands around a label: distances to the one before, the one after, and from there to the next (0:
 * none); the length of the interval before. */
struct around {
    int64_t before, after, beyond;
    int known;
};

/* The length of an interval in minutes: the distance to the label before, else to the one after. A longer
 * distance that stands alone is a hole. *guessed when the neighbours leave it open; 0 when nothing tells. */
static int length_of(const struct around *a, bool *guessed)
{
    int before = minutes_of(a->before), after = minutes_of(a->after), beyond = minutes_of(a->beyond);

    *guessed = false;
    if (before && (!a->known || before <= a->known || after == before))
        return before;
    if (before && after && after < before)
        return after; /* alone between shorter ones */
    if (!before && after && (after == a->known || !beyond || beyond >= after))
        return after;
    *guessed = true;
    return a->known ? a->known : beyond;
}

static enum err take_point(struct enedis_file *f, const struct enedis_point *p, int minutes)
{
    struct reading r = {
        .dataset = f->section.production ? "energy.electricity.production" : "energy.electricity.consumption",
        .grain = "curve",
        .start_at = p->at - (int64_t)minutes * MINUTE_S,
        .end_at = p->at,
        .values = {{"value", (p->value * minutes + PARTS / 2) / PARTS, 60}},
        .value_count = 1,
        .line = p->line,
    };

    return enedis_take(f, &r);
}

static enum err resolve(struct enedis_file *f, size_t i)
{
    const struct enedis_point *p = f->points.list + i;
    size_t left = f->points.count - i - 1;
    struct around a = {0};
    bool guessed = false;
    int minutes;

    if (f->section.before.any && f->section.before.at < p->at) {
        a.before = p->at - f->section.before.at;
        a.known = f->section.before.step_min;
    }
    if (left > 0)
        a.after = p[1].at - p[0].at;
    if (left > 1)
        a.beyond = p[2].at - p[1].at;
    minutes = p->extra ? p->extra : length_of(&a, &guessed);
    f->section.before.any = true;
    f->section.before.at = p->at;
    f->section.before.step_min = minutes;
    if (p->value == ENEDIS_POINT_MISSING)
        return ERR_OK;
    if (minutes == 0) {
        enedis_reject(f, p->line, "no neighbour tells how long this interval is");
        return ERR_OK;
    }
    if (guessed)
        enedis_doubt(f, p->line, LENGTH_GUESSED);
    return take_point(f, p, minutes);
}

/* Give out what is known. Lines in order of time wait for two more after them; when they are in another
 * order, or the section ends, all go. */
static enum err flush(struct enedis_file *f, bool over)
{
    size_t carry = over || f->points.unsorted ? 0 : CARRY;
    enum err e;

    enedis_points_merge(&f->points, f, enedis_pick_later);
    if (carry > f->points.count)
        carry = f->points.count;
    for (size_t i = 0; i < f->points.count - carry; i++)
        if ((e = resolve(f, i)))
            return e;
    enedis_points_drop_front(&f->points, carry);
    return ERR_OK;
}

static void tell_twice(struct enedis_file *f, bool over)
{
    int64_t line = enedis_label_doubt(&f->section.clock, over);

    if (line)
        enedis_doubt(f, line,
                     "in the hour that comes twice in autumn only one of two times is there: which one is a "
                     "guess from the order of lines");
}

/* The value of a line in thousandths of a watt, ENEDIS_POINT_MISSING when there is none to take. */
static int64_t power_of(struct enedis_file *f, const struct csv_line *l)
{
    int64_t power = 0;

    if (l->count <= f->section.value_column) {
        enedis_reject(f, l->number, "the line is too short: it has no value");
        return ENEDIS_POINT_MISSING;
    }
    switch (csv_text_number(l->fields[f->section.value_column], PARTS * f->section.scale, &power)) {
    case CSV_MISSING:
        return ENEDIS_POINT_MISSING;
    case CSV_BROKEN:
        enedis_reject(f, l->number, "the value is not a number");
        return ENEDIS_POINT_MISSING;
    case CSV_NUMBER:
        break;
    }
    if (power >= 0 && power <= (int64_t)ENEDIS_POWER_MAX_W * PARTS)
        return power;
    enedis_reject(f, l->number, power < 0 ? "the power is negative" : "the power is over 10 MW");
    return ENEDIS_POINT_MISSING;
}

enum err enedis_curve_row(struct enedis_file *f, const struct csv_line *l)
{
    struct enedis_point p = {.line = (uint32_t)l->number, .extra = f->section.step_min};
    const char *flaw = enedis_label_read(&f->section.clock, f->zone, enedis_column(l, 0), l->number, &p.at);
    enum err e;

    if (flaw) {
        enedis_reject(f, l->number, flaw);
        return ERR_OK;
    }
    f->understood = true;
    tell_twice(f, false);
    p.value = power_of(f, l);
    if ((e = enedis_points_add(&f->points, p)))
        return e;
    return enedis_points_is_full(&f->points) ? flush(f, false) : ERR_OK;
}

enum err enedis_curve_end(struct enedis_file *f)
{
    tell_twice(f, true);
    return flush(f, true);
}
