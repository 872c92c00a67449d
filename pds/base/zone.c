#include "pds/base/zone.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

enum { HOUR_S = 3600, DAY_S = 86400 };

struct zone {
    const char *name;
    int32_t winter; /* seconds to add to UTC outside summer time */
    int32_t summer; /* seconds more in summer: one hour or nothing */
};

#define WESTERN(name)                                                                                        \
    {                                                                                                        \
        name, 0, HOUR_S                                                                                      \
    }
#define CENTRAL(name)                                                                                        \
    {                                                                                                        \
        name, HOUR_S, HOUR_S                                                                                 \
    }
#define EASTERN(name)                                                                                        \
    {                                                                                                        \
        name, 2 * HOUR_S, HOUR_S                                                                             \
    }
#define FIXED(name, minutes)                                                                                 \
    {                                                                                                        \
        name, (minutes)*60, 0                                                                                \
    }

static const struct zone ZONES[] = {
    CENTRAL("Europe/Paris"),
    FIXED("UTC", 0),
    FIXED("Etc/UTC", 0),
    CENTRAL("Africa/Ceuta"),
    CENTRAL("Arctic/Longyearbyen"),
    CENTRAL("Europe/Amsterdam"),
    CENTRAL("Europe/Andorra"),
    CENTRAL("Europe/Berlin"),
    CENTRAL("Europe/Bratislava"),
    CENTRAL("Europe/Brussels"),
    CENTRAL("Europe/Budapest"),
    CENTRAL("Europe/Busingen"),
    CENTRAL("Europe/Copenhagen"),
    CENTRAL("Europe/Gibraltar"),
    CENTRAL("Europe/Ljubljana"),
    CENTRAL("Europe/Luxembourg"),
    CENTRAL("Europe/Madrid"),
    CENTRAL("Europe/Malta"),
    CENTRAL("Europe/Monaco"),
    CENTRAL("Europe/Oslo"),
    CENTRAL("Europe/Prague"),
    CENTRAL("Europe/Rome"),
    CENTRAL("Europe/San_Marino"),
    CENTRAL("Europe/Stockholm"),
    CENTRAL("Europe/Vaduz"),
    CENTRAL("Europe/Vatican"),
    CENTRAL("Europe/Vienna"),
    CENTRAL("Europe/Warsaw"),
    CENTRAL("Europe/Zagreb"),
    CENTRAL("Europe/Zurich"),
    WESTERN("Atlantic/Canary"),
    WESTERN("Atlantic/Faroe"),
    WESTERN("Atlantic/Madeira"),
    WESTERN("Europe/Dublin"),
    WESTERN("Europe/Guernsey"),
    WESTERN("Europe/Isle_of_Man"),
    WESTERN("Europe/Jersey"),
    WESTERN("Europe/Lisbon"),
    WESTERN("Europe/London"),
    EASTERN("Asia/Nicosia"),
    EASTERN("Europe/Athens"),
    EASTERN("Europe/Bucharest"),
    EASTERN("Europe/Helsinki"),
    EASTERN("Europe/Mariehamn"),
    EASTERN("Europe/Riga"),
    EASTERN("Europe/Sofia"),
    EASTERN("Europe/Tallinn"),
    EASTERN("Europe/Vilnius"),
    {"Atlantic/Azores", -HOUR_S, HOUR_S},
    FIXED("Atlantic/Reykjavik", 0),
    /* French, beyond the seas */
    FIXED("America/Cayenne", -3 * 60),
    FIXED("America/Guadeloupe", -4 * 60),
    FIXED("America/Marigot", -4 * 60),
    FIXED("America/Martinique", -4 * 60),
    FIXED("America/St_Barthelemy", -4 * 60),
    FIXED("Indian/Kerguelen", 5 * 60),
    FIXED("Indian/Mayotte", 3 * 60),
    FIXED("Indian/Reunion", 4 * 60),
    FIXED("Pacific/Gambier", -9 * 60),
    FIXED("Pacific/Marquesas", -9 * 60 - 30),
    FIXED("Pacific/Noumea", 11 * 60),
    FIXED("Pacific/Tahiti", -10 * 60),
    FIXED("Pacific/Wallis", 12 * 60),
};

enum err zone_find(struct str name, const struct zone **out)
{
    for (size_t i = 0; i < sizeof ZONES / sizeof *ZONES; i++) {
        if (str_eq(name, str_of(ZONES[i].name))) {
            *out = &ZONES[i];
            return ERR_OK;
        }
    }
    return err_set(ERR_NOT_FOUND, "a time zone that is not known, %zu bytes", name.len);
}

const struct zone *zone_paris(void) { return &ZONES[0]; }

const char *zone_name(const struct zone *z) { return z->name; }

/* Directive 2000/84/EC: from the last Sunday of March to the last Sunday of October, 01:00 UTC both. */
static bool is_summer(int64_t instant)
{
    struct civil c;
    int last_sunday, moment;

    clock_civil(instant, &c);
    if (c.month < 3 || c.month > 10)
        return false;
    if (c.month > 3 && c.month < 10)
        return true;
    last_sunday =
        31 - (clock_weekday(clock_days(c.year, c.month, 31)) + 1) % 7; /* both months have 31 days */
    moment = c.day * 24 + c.hour - (last_sunday * 24 + 1);             /* hours behind the change */
    return c.month == 3 ? moment >= 0 : moment < 0;
}

int zone_offset(const struct zone *z, int64_t instant)
{
    return z->winter + (z->summer && is_summer(instant) ? z->summer : 0);
}

void zone_local(const struct zone *z, int64_t instant, struct civil *out)
{
    clock_civil(instant + zone_offset(z, instant), out);
}

/* The two instants a local time may stand for, and whether each shows it. */
struct candidates {
    int64_t summer, winter;
    bool is_summer, is_winter;
};

static struct candidates candidates_of(const struct zone *z, int64_t local_s)
{
    struct candidates c = {.winter = local_s - z->winter};

    c.summer = c.winter - z->summer;
    c.is_summer = zone_offset(z, c.summer) == z->winter + z->summer;
    c.is_winter = zone_offset(z, c.winter) == z->winter;
    return c;
}

/* local_s: a local time, counted as if it were UTC. */
static int64_t instant_of(const struct zone *z, int64_t local_s, int fold)
{
    struct candidates c = candidates_of(z, local_s);

    if (c.is_summer && c.is_winter)
        return fold ? c.winter : c.summer;
    return c.is_summer ? c.summer : c.winter; /* never: as winter time, which is what was before */
}

int64_t zone_instant(const struct zone *z, const struct civil *local, int fold)
{
    return instant_of(z, clock_instant(local), fold);
}

enum zone_kind zone_kind(const struct zone *z, const struct civil *local)
{
    struct candidates c = candidates_of(z, clock_instant(local));

    if (z->summer == 0 || c.is_summer != c.is_winter)
        return ZONE_ONCE;
    return c.is_summer ? ZONE_TWICE : ZONE_NEVER;
}

int64_t zone_day_start(const struct zone *z, int64_t instant) { return step_start(z, STEP_P1D, instant); }

int64_t zone_day_next(const struct zone *z, int64_t instant) { return step_next(z, STEP_P1D, instant); }

/* length_s: seconds of a fixed step; else the calendar decides. */
static const struct {
    const char *text;
    int length_s;
} STEPS[] = {
    [STEP_NONE] = {NULL, 1},       [STEP_PT5M] = {"PT5M", 300},    [STEP_PT10M] = {"PT10M", 600},
    [STEP_PT15M] = {"PT15M", 900}, [STEP_PT30M] = {"PT30M", 1800}, [STEP_PT1H] = {"PT1H", HOUR_S},
    [STEP_P1D] = {"P1D", 0},       [STEP_P1W] = {"P1W", 0},        [STEP_P1M] = {"P1M", 0},
    [STEP_P1Y] = {"P1Y", 0},
};

enum err step_parse(struct str text, enum step *out)
{
    for (enum step step = STEP_PT5M; step <= STEP_P1Y; step++) {
        if (str_eq(text, str_of(STEPS[step].text))) {
            *out = step;
            return ERR_OK;
        }
    }
    return err_set(ERR_INVALID, "a step that is none of PT5M PT10M PT15M PT30M PT1H P1D P1W P1M P1Y");
}

const char *step_text(enum step step) { return STEPS[step].text; }

/* Local midnight of the first day of a calendar step, `ahead` steps further. */
static int64_t calendar_start(const struct zone *z, enum step step, int64_t instant, int ahead)
{
    int64_t local_s = instant + zone_offset(z, instant);
    int64_t days = local_s / DAY_S - (local_s % DAY_S < 0);
    struct civil c;

    if (step == STEP_P1D) {
        days += ahead;
    } else if (step == STEP_P1W) { /* from Monday, ISO 8601 */
        days += 7 * ahead - clock_weekday(days);
    } else {
        clock_civil(local_s, &c);
        days = step == STEP_P1M ? clock_days(c.year, c.month + ahead, 1) : clock_days(c.year + ahead, 1, 1);
    }
    return instant_of(z, days * DAY_S, 0);
}

/* Fixed steps divide the hour and clocks change at full hours, so counting from the local midnight and
 * from the local hour are the same. */
static int64_t fixed_start(const struct zone *z, int length_s, int64_t instant)
{
    int64_t into = (instant + zone_offset(z, instant)) % length_s;

    return instant - into - (into < 0 ? length_s : 0);
}

int64_t step_start(const struct zone *z, enum step step, int64_t instant)
{
    int length_s = STEPS[step].length_s;

    assert(step != STEP_NONE);
    return length_s ? fixed_start(z, length_s, instant) : calendar_start(z, step, instant, 0);
}

int64_t step_next(const struct zone *z, enum step step, int64_t instant)
{
    int length_s = STEPS[step].length_s;

    assert(step != STEP_NONE);
    return length_s ? fixed_start(z, length_s, instant) + length_s : calendar_start(z, step, instant, 1);
}
