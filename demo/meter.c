#include "demo/meter.h"

#include "demo/draw.h"
#include "demo/household.h"

#include <string.h>

enum { SLOTS_HALF_HOUR = 3, PEAK_FROM = 6 * 60, PEAK_TO = 22 * 60 };

static const struct meter_register BASE[] = {{"BASE", "Base"}};
static const struct meter_register OFF_PEAK[] = {{"HC", "Heures Creuses"}, {"HP", "Heures Pleines"}};
static const struct meter_register TEMPO[] = {
    {"BUHC", "Bleu Heures Creuses"},  {"BUHP", "Bleu Heures Pleines"}, {"BCHC", "Blanc Heures Creuses"},
    {"BCHP", "Blanc Heures Pleines"}, {"RHC", "Rouge Heures Creuses"}, {"RHP", "Rouge Heures Pleines"},
};

void meter_init(struct meter *m, const struct persona *persona, uint64_t seed)
{
    memset(m, 0, sizeof *m);
    m->persona = persona;
    m->seed = seed;
}

size_t meter_registers(const struct meter *m, const struct meter_register **out)
{
    switch (m->persona->meter.tariff) {
    case TARIFF_OFF_PEAK:
        *out = OFF_PEAK;
        return sizeof OFF_PEAK / sizeof *OFF_PEAK;
    case TARIFF_TEMPO:
        *out = TEMPO;
        return sizeof TEMPO / sizeof *TEMPO;
    case TARIFF_BASE:
    default:
        *out = BASE;
        return sizeof BASE / sizeof *BASE;
    }
}

/* A Tempo day runs from 6 to 6: before that, the colour is yesterday's. */
static size_t register_of(struct meter *m, int64_t day, int minute)
{
    const struct persona *p = m->persona;
    enum tempo_colour colour;

    if (p->meter.tariff == TARIFF_BASE)
        return 0;
    if (p->meter.tariff == TARIFF_OFF_PEAK)
        return persona_is_off_peak(p, minute) ? 0 : 1;
    if (minute < PEAK_FROM)
        colour = tempo_colour_of(&m->seasons[1], m->seed, day - 1);
    else
        colour = tempo_colour_of(&m->seasons[0], m->seed, day);
    return 2 * (size_t)colour + (minute >= PEAK_FROM && minute < PEAK_TO);
}

/* About one day in forty has a hole: some half-hours without a value, or one time in four no row at all. */
static void lay_holes(const struct meter *m, int64_t day, struct meter_day *out)
{
    struct draw own = draw_for(m->seed, m->persona->name, day), d = draw_for(draw_next(&own), "hole", day);
    int halves = (int)out->half_count, first, count;
    enum meter_trace trace = METER_EMPTY;

    if (draw_between(&d, 1, 40) > 1)
        return;
    count = draw_between(&d, 1, 6);
    first = draw_between(&d, 0, halves - count);
    if (draw_between(&d, 1, 4) == 1) {
        trace = METER_ABSENT;
        first = 0;
        count = halves;
    }
    for (int i = first; i < first + count; i++)
        out->traces[i] = trace;
}

void meter_read(struct meter *m, int64_t day, struct meter_day *out)
{
    struct household_day lived;

    household_live(m->persona, m->seed, day, &lived);
    memset(out, 0, sizeof *out);
    out->start_at = lived.start_at;
    out->half_count = lived.slot_count / SLOTS_HALF_HOUR;
    for (size_t half = 0; half < out->half_count; half++) {
        const int *slots = lived.watts + half * SLOTS_HALF_HOUR;
        int watts = (slots[0] + slots[1] + slots[2]) / SLOTS_HALF_HOUR; /* even: see household.h */
        size_t at = register_of(m, day, lived.minutes[half * SLOTS_HALF_HOUR]);

        out->watts[half] = watts;
        out->register_wh[at] += watts / 2;
        out->total_wh += watts / 2;
    }
    lay_holes(m, day, out);
}
