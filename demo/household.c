#include "demo/household.h"

#include "demo/draw.h"
#include "demo/weather.h"
#include "pds/base/clock.h"
#include "pds/base/zone.h"

#include <assert.h>
#include <string.h>

enum {
    SATURDAY = 5,
    SLOTS_HALF_HOUR = 3,
    SLOT_MIN = HOUSEHOLD_SLOT_S / 60,
    HEATED_BELOW_CC = 1550 /* mean of a day; above it nobody heats */
};

/* One day being lived: what its loads ask. */
struct living {
    const struct persona *p;
    uint64_t seed;
    int64_t day;
    bool away, works; /* works: somebody leaves in the morning */
    int wake, sleep;  /* local minutes of this day */
    int asked_water_wh;
    struct household_day *out;
};

/* A home's own chances: two homes under one seed share the weather, not the habits. */
static struct draw chance(const struct living *l, const char *purpose)
{
    struct draw own = draw_for(l->seed, l->p->name, 0);

    return draw_for(draw_next(&own), purpose, l->day);
}

static bool is_within_absence(const struct persona_absence *a, const struct civil *date)
{
    int at = date->month * 100 + date->day;
    int from = a->from_month * 100 + a->from_day, to = a->to_month * 100 + a->to_day;

    return from <= to ? at >= from && at <= to : at >= from || at <= to;
}

bool household_is_away(const struct persona *p, uint64_t seed, int64_t day)
{
    struct living l = {.p = p, .seed = seed, .day = day};
    int weekday = clock_weekday(day);
    struct civil date;
    struct draw d;

    clock_civil(day * 86400, &date);
    for (size_t i = 0; i < p->people.absence_count; i++)
        if (is_within_absence(&p->people.absences[i], &date))
            return true;
    if (weekday < SATURDAY)
        return false;
    l.day = day - (weekday - SATURDAY); /* a weekend is decided once, on its Saturday */
    d = chance(&l, "weekend");
    return draw_between(&d, 1, 100) <= p->people.weekend_away_percent;
}

static bool is_up(const struct living *l, int minute)
{
    return !l->away && minute >= l->wake && minute < l->sleep;
}

static bool is_in(const struct living *l, int minute)
{
    const struct persona_people *people = &l->p->people;

    return is_up(l, minute) && !(l->works && minute >= people->leave_minute && minute < people->back_minute);
}

/* Add watts from a local minute on for so many slots. In the autumn hour that comes twice, the first. */
static void run(const struct living *l, int minute, int slots, int watts)
{
    struct household_day *day = l->out;
    size_t at = 0;

    while (at < day->slot_count && day->minutes[at] < minute)
        at++;
    for (; slots > 0 && at < day->slot_count; slots--, at++)
        day->watts[at] += watts;
}

static void add_standby_and_fridge(const struct living *l)
{
    struct draw d = chance(l, "base");
    int phase = draw_between(&d, 0, 4);
    int warm = weather_day_mean_cc(l->seed, l->day) > 2100; /* it runs longer in a hot kitchen */

    for (size_t i = 0; i < l->out->slot_count; i++) {
        l->out->watts[i] += l->p->home.standby_w + draw_between(&d, -6, 6);
        if (((int)i + phase) % 5 < 2 + warm)
            l->out->watts[i] += l->p->home.fridge_w + draw_between(&d, -8, 8);
    }
}

static void add_light_and_screens(const struct living *l)
{
    struct draw d = chance(l, "light");
    int people = l->p->people.count, rise, set;

    weather_daylight(l->day, &rise, &set);
    for (size_t i = 0; i < l->out->slot_count; i++) {
        int minute = l->out->minutes[i];

        if (!is_in(l, minute))
            continue;
        if (minute < rise || minute >= set)
            l->out->watts[i] += 35 + 25 * people + draw_between(&d, 0, 30);
        if (minute >= 19 * 60)
            l->out->watts[i] += 60 + 25 * people + draw_between(&d, 0, 40);
        else if (minute >= 9 * 60)
            l->out->watts[i] += 40 + draw_between(&d, 0, 50);
    }
}

static void add_meals(const struct living *l)
{
    struct draw d = chance(l, "meals");
    int people = l->p->people.count;
    int dinner = draw_between(&d, 19 * 60, 20 * 60 + 10), lunch = draw_between(&d, 12 * 60, 13 * 60);

    run(l, l->wake + 10, 1, draw_between(&d, 500, 900)); /* kettle, toast */
    if (people > 1)
        run(l, l->wake + 20, 1, draw_between(&d, 200, 600));
    if (!l->works) {
        run(l, lunch, 1, draw_between(&d, 900, 1600));
        run(l, lunch + 10, draw_between(&d, 1, 3), draw_between(&d, 400, 900));
    }
    run(l, dinner, draw_between(&d, 1, 2), draw_between(&d, 1300, 2100));
    run(l, dinner + 20, draw_between(&d, 1, 3), draw_between(&d, 500, 1100));
    if (draw_between(&d, 1, 100) <= 22) /* the oven */
        run(l, dinner - 20, 5, draw_between(&d, 900, 1500));
}

static void add_machines(const struct living *l)
{
    struct draw d = chance(l, "machines");
    int people = l->p->people.count;
    int washing = l->works ? draw_between(&d, 18 * 60 + 20, 20 * 60) : draw_between(&d, 10 * 60, 16 * 60);

    if (draw_between(&d, 1, 100) <= 14 + 12 * people) { /* heats, tumbles, spins */
        run(l, washing, 2, draw_between(&d, 1700, 2000));
        run(l, washing + 20, 4, draw_between(&d, 150, 260));
        run(l, washing + 60, 1, draw_between(&d, 350, 500));
    }
    if (draw_between(&d, 1, 100) <= 20 + 15 * people) { /* dishes: heats, sprays, heats again */
        int dishes = l->sleep - draw_between(&d, 40, 70);

        run(l, dishes, 2, draw_between(&d, 1600, 1900));
        run(l, dishes + 20, 2, draw_between(&d, 60, 110));
        run(l, dishes + 40, 1, draw_between(&d, 1500, 1800));
    }
}

static bool heats_water_at(const struct persona *p, int minute)
{
    return p->meter.tariff == TARIFF_BASE ? minute < 6 * 60 : persona_is_off_peak(p, minute);
}

/* The tank is heated once a day: from the start of the first window that begins on it, until it is hot. */
static void add_water(const struct living *l)
{
    const struct persona_home *home = &l->p->home;
    int left = l->asked_water_wh * 60; /* watt-minutes */
    bool was_on = l->p->meter.tariff != TARIFF_BASE, begun = false;

    for (size_t i = 0; home->water_heater_w && i < l->out->slot_count && left > 0; i++) {
        bool on = heats_water_at(l->p, l->out->minutes[i]);
        int watts = left / SLOT_MIN < home->water_heater_w ? left / SLOT_MIN : home->water_heater_w;

        begun = begun || (on && !was_on);
        was_on = on;
        if (!begun || !on)
            continue;
        l->out->watts[i] += watts;
        left -= home->water_heater_w * SLOT_MIN;
    }
}

static void add_heating(const struct living *l)
{
    const struct persona_home *home = &l->p->home;
    struct draw d = chance(l, "heating");

    if (weather_day_mean_cc(l->seed, l->day) > HEATED_BELOW_CC)
        return;
    for (size_t i = 0; i < l->out->slot_count; i++) {
        int minute = l->out->minutes[i];
        int wanted_dc = is_in(l, minute + 30) ? home->comfort_dc : home->setback_dc; /* half an hour ahead */
        int lacking_cc = (wanted_dc - home->gain_dc) * 10 - weather_at_cc(l->seed, l->day, minute);
        int watts = home->heating_w_per_k * lacking_cc / 100;

        if (l->away)
            watts -= home->heating_w_per_k * 3;          /* three degrees less than at night */
        watts = watts * draw_between(&d, 80, 120) / 100; /* the thermostat's cycles */
        if (watts > home->heating_max_w)
            watts = home->heating_max_w;
        if (watts > 0)
            l->out->watts[i] += watts;
    }
}

/* The last value of each half-hour gives way, by five watts at most, so that half-hours are exact. */
static void make_exact(struct household_day *day)
{
    for (size_t i = 0; i < day->slot_count; i += SLOTS_HALF_HOUR) {
        int sum = day->watts[i] + day->watts[i + 1] + day->watts[i + 2];

        day->watts[i + 2] += (6 - sum % 6) % 6;
    }
}

static void lay_slots(int64_t day, struct household_day *out)
{
    struct civil date, local;
    int64_t next;

    clock_civil(day * 86400, &date);
    out->start_at = zone_instant(zone_paris(), &date, 0);
    next = zone_day_next(zone_paris(), out->start_at);
    out->slot_count = (size_t)((next - out->start_at) / HOUSEHOLD_SLOT_S);
    assert(out->slot_count <= HOUSEHOLD_SLOTS_MAX);
    for (size_t i = 0; i < out->slot_count; i++) {
        zone_local(zone_paris(), out->start_at + (int64_t)i * HOUSEHOLD_SLOT_S, &local);
        out->minutes[i] = local.hour * 60 + local.minute;
    }
}

void household_live(const struct persona *p, uint64_t seed, int64_t day, struct household_day *out)
{
    const struct persona_people *people = &p->people;
    struct living l = {.p = p, .seed = seed, .day = day, .out = out};
    bool weekend = clock_weekday(day) >= SATURDAY;
    struct draw d = chance(&l, "day");

    memset(out, 0, sizeof *out);
    lay_slots(day, out);
    l.away = household_is_away(p, seed, day);
    l.works = !weekend && draw_between(&d, 1, 100) > people->telework_percent;
    l.wake = people->wake_minute + draw_between(&d, -10, 10) + (weekend ? 75 : 0);
    l.sleep = people->sleep_minute + draw_between(&d, -20, 25);
    l.asked_water_wh =
        l.away ? 350 : people->count * p->home.water_wh_person * draw_between(&d, 75, 125) / 100;
    add_standby_and_fridge(&l);
    add_water(&l);
    add_heating(&l);
    if (!l.away) {
        add_light_and_screens(&l);
        add_meals(&l);
        add_machines(&l);
    }
    make_exact(out);
}
