#include "tests/harness/test.h"

#include "pds/base/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { HOUR_S = 3600, DAY_S = 86400 };

/* Both change days, with the instant of 01:00 UTC. */
static const struct {
    int year;
    const char *spring;
    int64_t spring_at;
    const char *autumn;
    int64_t autumn_at;
} CHANGES[] = {
    {2020, "2020-03-29", 1585443600, "2020-10-25", 1603587600},
    {2021, "2021-03-28", 1616893200, "2021-10-31", 1635642000},
    {2022, "2022-03-27", 1648342800, "2022-10-30", 1667091600},
    {2023, "2023-03-26", 1679792400, "2023-10-29", 1698541200},
    {2024, "2024-03-31", 1711846800, "2024-10-27", 1729990800},
    {2025, "2025-03-30", 1743296400, "2025-10-26", 1761440400},
    {2026, "2026-03-29", 1774746000, "2026-10-25", 1792890000},
    {2027, "2027-03-28", 1806195600, "2027-10-31", 1824944400},
    {2028, "2028-03-26", 1837645200, "2028-10-29", 1856394000},
    {2029, "2029-03-25", 1869094800, "2029-10-28", 1887843600},
    {2030, "2030-03-31", 1901149200, "2030-10-27", 1919293200},
    {2031, "2031-03-30", 1932598800, "2031-10-26", 1950742800},
    {2032, "2032-03-28", 1964048400, "2032-10-31", 1982797200},
    {2033, "2033-03-27", 1995498000, "2033-10-30", 2014246800},
    {2034, "2034-03-26", 2026947600, "2034-10-29", 2045696400},
    {2035, "2035-03-25", 2058397200, "2035-10-28", 2077146000},
    {2036, "2036-03-30", 2090451600, "2036-10-26", 2108595600},
    {2037, "2037-03-29", 2121901200, "2037-10-25", 2140045200},
};

/* All zones that are known, with their offsets in minutes. */
static const struct {
    const char *name;
    int winter, summer;
} ZONES[] = {
    {"UTC", 0, 0},
    {"Etc/UTC", 0, 0},
    {"Europe/Paris", 60, 120},
    {"Europe/Amsterdam", 60, 120},
    {"Europe/Andorra", 60, 120},
    {"Europe/Berlin", 60, 120},
    {"Europe/Bratislava", 60, 120},
    {"Europe/Brussels", 60, 120},
    {"Europe/Budapest", 60, 120},
    {"Europe/Busingen", 60, 120},
    {"Europe/Copenhagen", 60, 120},
    {"Europe/Gibraltar", 60, 120},
    {"Europe/Ljubljana", 60, 120},
    {"Europe/Luxembourg", 60, 120},
    {"Europe/Madrid", 60, 120},
    {"Europe/Malta", 60, 120},
    {"Europe/Monaco", 60, 120},
    {"Europe/Oslo", 60, 120},
    {"Europe/Prague", 60, 120},
    {"Europe/Rome", 60, 120},
    {"Europe/San_Marino", 60, 120},
    {"Europe/Stockholm", 60, 120},
    {"Europe/Vaduz", 60, 120},
    {"Europe/Vatican", 60, 120},
    {"Europe/Vienna", 60, 120},
    {"Europe/Warsaw", 60, 120},
    {"Europe/Zagreb", 60, 120},
    {"Europe/Zurich", 60, 120},
    {"Africa/Ceuta", 60, 120},
    {"Arctic/Longyearbyen", 60, 120},
    {"Atlantic/Canary", 0, 60},
    {"Atlantic/Faroe", 0, 60},
    {"Atlantic/Madeira", 0, 60},
    {"Europe/Dublin", 0, 60},
    {"Europe/Guernsey", 0, 60},
    {"Europe/Isle_of_Man", 0, 60},
    {"Europe/Jersey", 0, 60},
    {"Europe/Lisbon", 0, 60},
    {"Europe/London", 0, 60},
    {"Asia/Nicosia", 120, 180},
    {"Europe/Athens", 120, 180},
    {"Europe/Bucharest", 120, 180},
    {"Europe/Helsinki", 120, 180},
    {"Europe/Mariehamn", 120, 180},
    {"Europe/Riga", 120, 180},
    {"Europe/Sofia", 120, 180},
    {"Europe/Tallinn", 120, 180},
    {"Europe/Vilnius", 120, 180},
    {"Atlantic/Azores", -60, 0},
    {"Atlantic/Reykjavik", 0, 0},
    {"America/Cayenne", -180, -180},
    {"America/Guadeloupe", -240, -240},
    {"America/Marigot", -240, -240},
    {"America/Martinique", -240, -240},
    {"America/St_Barthelemy", -240, -240},
    {"Indian/Kerguelen", 300, 300},
    {"Indian/Mayotte", 180, 180},
    {"Indian/Reunion", 240, 240},
    {"Pacific/Gambier", -540, -540},
    {"Pacific/Marquesas", -570, -570},
    {"Pacific/Noumea", 660, 660},
    {"Pacific/Tahiti", -600, -600},
    {"Pacific/Wallis", 720, 720},
};

static const struct zone *zone(const char *name)
{
    const struct zone *z = NULL;

    assert_ok(zone_find(str_of(name), &z));
    return z;
}

static struct civil civil(const char *text)
{
    struct civil c;

    assert_ok(clock_parse_local(str_of(text), &c));
    return c;
}

static int64_t utc(const char *text)
{
    int64_t instant;

    assert_ok(clock_parse(str_of(text), &instant, NULL));
    return instant;
}

static void assert_instant(int64_t got, const char *wanted)
{
    char text[CLOCK_TEXT_BYTES];

    clock_text(got, text);
    assert_string_equal(text, wanted);
}

static void every_zone_is_found_by_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ZONES); i++) {
        const struct zone *z = zone(ZONES[i].name);
        assert_string_equal(zone_name(z), ZONES[i].name);
        assert_row(ZONES[i].name, zone_offset(z, utc("2024-01-15T12:00:00Z")) == ZONES[i].winter * 60);
        assert_row(ZONES[i].name, zone_offset(z, utc("2024-07-15T12:00:00Z")) == ZONES[i].summer * 60);
    }
    assert_ptr_equal(zone_paris(), zone(ZONE_DEFAULT));
}

static void an_unknown_zone_is_not_found(void **state)
{
    static const struct str NAMES[] = {STR_ROW(""),
                                       STR_ROW("Europe/Pari"),
                                       STR_ROW("Europe/Parish"),
                                       STR_ROW("europe/paris"),
                                       STR_ROW("America/New_York"),
                                       STR_ROW("CET"),
                                       STR_ROW("Europe/Paris\0")};
    const struct zone *z = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        assert_row(NAMES[i].ptr, zone_find(NAMES[i], &z) == ERR_NOT_FOUND);
    assert_null(z);
}

static void clocks_change_on_the_last_sundays(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CHANGES); i++) {
        int64_t spring = CHANGES[i].spring_at, autumn = CHANGES[i].autumn_at;
        for (size_t k = 0; k < COUNT_OF(ZONES); k++) {
            const struct zone *z = zone(ZONES[k].name);
            assert_row(ZONES[k].name, zone_offset(z, spring - 1) == ZONES[k].winter * 60);
            assert_row(ZONES[k].name, zone_offset(z, spring) == ZONES[k].summer * 60);
            assert_row(ZONES[k].name, zone_offset(z, autumn - 1) == ZONES[k].summer * 60);
            assert_row(ZONES[k].name, zone_offset(z, autumn) == ZONES[k].winter * 60);
        }
    }
}

static void the_spring_hour_never_comes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CHANGES); i++) {
        struct civil c = civil(CHANGES[i].spring), shown;
        c.hour = 1, c.minute = 59, c.second = 59;
        assert_int_equal(zone_kind(zone_paris(), &c), ZONE_ONCE);
        assert_int_equal(zone_instant(zone_paris(), &c, 0), CHANGES[i].spring_at - 1);
        for (int fold = 0; fold < 2; fold++) { /* 02:30 is read as 03:30 summer time */
            c.hour = 2, c.minute = 30, c.second = 0;
            assert_int_equal(zone_kind(zone_paris(), &c), ZONE_NEVER);
            assert_int_equal(zone_instant(zone_paris(), &c, fold), CHANGES[i].spring_at + 1800);
            zone_local(zone_paris(), CHANGES[i].spring_at + 1800, &shown);
            assert_true(shown.hour == 3 && shown.minute == 30);
        }
        c.minute = 0;
        assert_int_equal(zone_kind(zone_paris(), &c), ZONE_NEVER);
        c.minute = 59, c.second = 59;
        assert_int_equal(zone_kind(zone_paris(), &c), ZONE_NEVER);
        c.hour = 3, c.minute = 0, c.second = 0;
        assert_int_equal(zone_kind(zone_paris(), &c), ZONE_ONCE);
        assert_int_equal(zone_instant(zone_paris(), &c, 1), CHANGES[i].spring_at);
    }
}

static void the_autumn_hour_comes_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CHANGES); i++) {
        struct civil c = civil(CHANGES[i].autumn);
        c.hour = 1, c.minute = 59, c.second = 59;
        assert_int_equal(zone_kind(zone_paris(), &c), ZONE_ONCE);
        assert_int_equal(zone_instant(zone_paris(), &c, 1), CHANGES[i].autumn_at - HOUR_S - 1);
        c.hour = 2, c.minute = 0, c.second = 0;
        assert_int_equal(zone_kind(zone_paris(), &c), ZONE_TWICE);
        assert_int_equal(zone_instant(zone_paris(), &c, 0), CHANGES[i].autumn_at - HOUR_S);
        assert_int_equal(zone_instant(zone_paris(), &c, 1), CHANGES[i].autumn_at);
        c.minute = 59, c.second = 59;
        assert_int_equal(zone_kind(zone_paris(), &c), ZONE_TWICE);
        assert_int_equal(zone_instant(zone_paris(), &c, 0), CHANGES[i].autumn_at - 1);
        assert_int_equal(zone_instant(zone_paris(), &c, 1), CHANGES[i].autumn_at + HOUR_S - 1);
        c.hour = 3, c.minute = 0, c.second = 0;
        assert_int_equal(zone_kind(zone_paris(), &c), ZONE_ONCE);
        assert_int_equal(zone_instant(zone_paris(), &c, 0), CHANGES[i].autumn_at + HOUR_S);
    }
}

static void without_summer_time_every_local_time_comes_once(void **state)
{
    struct civil spring = civil("2024-03-31T02:30"), autumn = civil("2024-10-27T02:30");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ZONES); i++) {
        const struct zone *z = zone(ZONES[i].name);
        if (ZONES[i].winter != ZONES[i].summer)
            continue;
        assert_int_equal(zone_kind(z, &spring), ZONE_ONCE);
        assert_int_equal(zone_kind(z, &autumn), ZONE_ONCE);
        assert_int_equal(zone_instant(z, &autumn, 1), zone_instant(z, &autumn, 0));
    }
}

static void local_times_lead_back_to_their_instants(void **state)
{
    uint64_t random = test_seed();

    (void)state;
    for (size_t i = 0; i < 200000; i++) {
        size_t row = (size_t)test_between(&random, 0, COUNT_OF(ZONES) - 1);
        const struct zone *z = zone(ZONES[row].name);
        int64_t instant = test_between(&random, utc("1900-01-01T00:00:00Z"), utc("2200-01-01T00:00:00Z"));
        struct civil local;
        int fold;
        if (i % 4 == 0) /* a quarter of them near a change */
            instant = CHANGES[i % COUNT_OF(CHANGES)].autumn_at + test_between(&random, -2 * DAY_S, 2 * DAY_S);
        zone_local(z, instant, &local);
        fold = zone_kind(z, &local) == ZONE_TWICE && zone_offset(z, instant) == ZONES[row].winter * 60;
        assert_int_not_equal(zone_kind(z, &local), ZONE_NEVER);
        assert_int_equal(zone_instant(z, &local, fold), instant);
    }
}

static void compare_with_system(const char *name, const char *from, int count, uint64_t *random)
{
    const struct zone *z = zone(name);

    assert_int_equal(setenv("TZ", name, 1), 0);
    tzset();
    for (int i = 0; i < count; i++) {
        int64_t instant = test_between(random, utc(from), utc("2037-12-31T23:59:59Z"));
        time_t t = (time_t)instant;
        struct civil c;
        struct tm tm;
        assert_non_null(localtime_r(&t, &tm));
        zone_local(z, instant, &c);
        assert_row(name, tm.tm_gmtoff == zone_offset(z, instant));
        assert_row(name, tm.tm_mday == c.day && tm.tm_hour == c.hour && tm.tm_min == c.minute);
    }
}

static void offsets_are_those_of_the_system(void **state)
{
    uint64_t random = test_seed();
    char path[200];

    (void)state;
    if (access("/usr/share/zoneinfo/Europe/Paris", R_OK))
        skip();
    compare_with_system("Europe/Paris", "1996-11-01T00:00:00Z", 10000, &random);
    for (size_t i = 0; i < COUNT_OF(ZONES); i++) {
        (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", ZONES[i].name);
        if (access(path, R_OK) == 0) /* some systems leave out names of old */
            compare_with_system(ZONES[i].name, "2003-02-01T00:00:00Z", 2000, &random);
    }
    assert_int_equal(unsetenv("TZ"), 0);
}

static void the_environment_is_not_asked(void **state)
{
    (void)state;
    assert_int_equal(setenv("TZ", "America/New_York", 1), 0);
    tzset();
    assert_int_equal(zone_offset(zone_paris(), utc("2024-01-01T00:00:00Z")), HOUR_S);
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
}

/* In the Azores the change is at midnight: one day has no 00:00, another has two. */
static void a_day_begins_with_its_first_instant(void **state)
{
    const struct zone *azores = zone("Atlantic/Azores");

    (void)state;
    assert_instant(zone_day_start(azores, utc("2024-03-31T12:00:00Z")), "2024-03-31T01:00:00Z");
    assert_instant(zone_day_next(azores, utc("2024-03-30T12:00:00Z")), "2024-03-31T01:00:00Z");
    assert_instant(zone_day_next(azores, utc("2024-03-31T12:00:00Z")), "2024-04-01T00:00:00Z");
    assert_instant(zone_day_start(azores, utc("2024-10-27T01:30:00Z")), "2024-10-27T00:00:00Z");
    assert_instant(zone_day_start(azores, utc("2024-10-27T00:30:00Z")), "2024-10-27T00:00:00Z");
    assert_instant(zone_day_next(azores, utc("2024-10-27T00:30:00Z")), "2024-10-28T01:00:00Z");
}

static const struct {
    enum step step;
    const char *text;
} STEPS[] = {
    {STEP_PT5M, "PT5M"},   {STEP_PT10M, "PT10M"}, {STEP_PT15M, "PT15M"},
    {STEP_PT30M, "PT30M"}, {STEP_PT1H, "PT1H"},   {STEP_P1D, "P1D"},
    {STEP_P1W, "P1W"},     {STEP_P1M, "P1M"},     {STEP_P1Y, "P1Y"},
};

static void steps_are_read_and_written(void **state)
{
    static const struct str OTHERS[] = {STR_ROW(""), STR_ROW("PT20M"), STR_ROW("pt30m"), STR_ROW("P1D "),
                                        STR_ROW("P")};
    enum step step = STEP_NONE;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++)
        assert_row(OTHERS[i].ptr, step_parse(OTHERS[i], &step) == ERR_INVALID && step == STEP_NONE);
    for (size_t i = 0; i < COUNT_OF(STEPS); i++) {
        assert_ok(step_parse(str_of(STEPS[i].text), &step));
        assert_int_equal(step, STEPS[i].step);
        assert_string_equal(step_text(step), STEPS[i].text);
    }
    assert_null(step_text(STEP_NONE));
}

/* Paris, unless said. Starts and ends are instants, in UTC. */
static const struct {
    const char *zone;
    enum step step;
    const char *at, *start, *next;
} BUCKETS[] = {
    {"Europe/Paris", STEP_PT30M, "2024-05-01T00:29:59Z", "2024-05-01T00:00:00Z", "2024-05-01T00:30:00Z"},
    {"Europe/Paris", STEP_PT30M, "2024-05-01T00:30:00Z", "2024-05-01T00:30:00Z", "2024-05-01T01:00:00Z"},
    {"Europe/Paris", STEP_PT5M, "1969-12-31T23:59:59Z", "1969-12-31T23:55:00Z", "1970-01-01T00:00:00Z"},
    {"Europe/Paris", STEP_PT5M, "1960-01-01T00:04:59Z", "1960-01-01T00:00:00Z", "1960-01-01T00:05:00Z"},
    {"Europe/Paris", STEP_PT1H, "1960-01-01T00:00:00Z", "1960-01-01T00:00:00Z", "1960-01-01T01:00:00Z"},
    {"Pacific/Marquesas", STEP_PT1H, "2024-05-01T00:00:00Z", "2024-04-30T23:30:00Z", "2024-05-01T00:30:00Z"},
    {"Europe/Paris", STEP_P1D, "2024-05-01T12:00:00Z", "2024-04-30T22:00:00Z", "2024-05-01T22:00:00Z"},
    {"Europe/Paris", STEP_P1D, "2024-04-30T22:00:00Z", "2024-04-30T22:00:00Z", "2024-05-01T22:00:00Z"},
    {"Europe/Paris", STEP_P1D, "2024-04-30T21:59:59Z", "2024-04-29T22:00:00Z", "2024-04-30T22:00:00Z"},
    {"Europe/Paris", STEP_P1D, "1955-02-01T12:00:00Z", "1955-01-31T23:00:00Z", "1955-02-01T23:00:00Z"},
    {"Europe/Paris", STEP_P1D, "2024-03-31T12:00:00Z", "2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z"},
    {"Europe/Paris", STEP_P1D, "2024-10-27T12:00:00Z", "2024-10-26T22:00:00Z", "2024-10-27T23:00:00Z"},
    {"Indian/Reunion", STEP_P1D, "2024-10-27T20:00:00Z", "2024-10-27T20:00:00Z", "2024-10-28T20:00:00Z"},
    {"Pacific/Tahiti", STEP_P1D, "2024-10-27T09:59:59Z", "2024-10-26T10:00:00Z", "2024-10-27T10:00:00Z"},
    /* ISO weeks across years, and with a change in them */
    {"Europe/Paris", STEP_P1W, "2025-01-01T12:00:00Z", "2024-12-29T23:00:00Z", "2025-01-05T23:00:00Z"},
    {"Europe/Paris", STEP_P1W, "2021-01-03T22:59:59Z", "2020-12-27T23:00:00Z", "2021-01-03T23:00:00Z"},
    {"Europe/Paris", STEP_P1W, "2021-01-03T23:00:00Z", "2021-01-03T23:00:00Z", "2021-01-10T23:00:00Z"},
    {"Europe/Paris", STEP_P1W, "2026-01-01T00:00:00Z", "2025-12-28T23:00:00Z", "2026-01-04T23:00:00Z"},
    {"Europe/Paris", STEP_P1W, "2024-03-31T12:00:00Z", "2024-03-24T23:00:00Z", "2024-03-31T22:00:00Z"},
    {"Europe/Paris", STEP_P1W, "2024-10-27T12:00:00Z", "2024-10-20T22:00:00Z", "2024-10-27T23:00:00Z"},
    {"Europe/Paris", STEP_P1M, "2024-02-29T12:00:00Z", "2024-01-31T23:00:00Z", "2024-02-29T23:00:00Z"},
    {"Europe/Paris", STEP_P1M, "2024-03-15T12:00:00Z", "2024-02-29T23:00:00Z", "2024-03-31T22:00:00Z"},
    {"Europe/Paris", STEP_P1M, "2024-12-31T22:59:59Z", "2024-11-30T23:00:00Z", "2024-12-31T23:00:00Z"},
    {"UTC", STEP_P1M, "2024-12-31T23:59:59Z", "2024-12-01T00:00:00Z", "2025-01-01T00:00:00Z"},
    {"Europe/Paris", STEP_P1Y, "2024-12-31T23:00:00Z", "2024-12-31T23:00:00Z", "2025-12-31T23:00:00Z"},
    {"Europe/Paris", STEP_P1Y, "2024-12-31T22:59:59Z", "2023-12-31T23:00:00Z", "2024-12-31T23:00:00Z"},
    {"Pacific/Noumea", STEP_P1Y, "2024-12-31T13:00:00Z", "2024-12-31T13:00:00Z", "2025-12-31T13:00:00Z"},
};

static void a_bucket_holds_its_instant(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(BUCKETS); i++) {
        const struct zone *z = zone(BUCKETS[i].zone);
        int64_t at = utc(BUCKETS[i].at);
        assert_row(BUCKETS[i].at, step_start(z, BUCKETS[i].step, at) == utc(BUCKETS[i].start));
        assert_row(BUCKETS[i].at, step_next(z, BUCKETS[i].step, at) == utc(BUCKETS[i].next));
    }
}

static int count_steps(const struct zone *z, enum step step, const char *day)
{
    struct civil c = civil(day);
    int64_t start = zone_instant(z, &c, 0), end = zone_day_next(z, start);
    int count = 0;

    assert_int_equal(zone_day_start(z, start), start);
    for (int64_t at = start; at < end; at = step_next(z, step, at)) {
        assert_int_equal(step_start(z, step, at), at);
        count++;
        assert_true(step_next(z, step, at) <= end);
    }
    return count;
}

static void a_day_has_46_48_or_50_half_hours(void **state)
{
    static const char *const OTHERS[] = {"Europe/Paris", "Europe/London", "Europe/Athens", "Atlantic/Azores"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CHANGES); i++) {
        for (size_t k = 0; k < COUNT_OF(OTHERS); k++) {
            const struct zone *z = zone(OTHERS[k]);
            assert_int_equal(count_steps(z, STEP_PT30M, CHANGES[i].spring), 46);
            assert_int_equal(count_steps(z, STEP_PT30M, CHANGES[i].autumn), 50);
            assert_int_equal(count_steps(z, STEP_PT10M, CHANGES[i].autumn), 150);
            assert_int_equal(count_steps(z, STEP_PT1H, CHANGES[i].spring), 23);
            assert_int_equal(count_steps(z, STEP_PT15M, "2024-05-01"), 96);
            assert_int_equal(count_steps(z, STEP_PT5M, "2024-05-01"), 288);
            assert_int_equal(count_steps(z, STEP_P1D, CHANGES[i].autumn), 1);
        }
        assert_int_equal(count_steps(zone("Pacific/Marquesas"), STEP_PT30M, CHANGES[i].spring), 48);
    }
}

/* start <= t < next, the whole bucket agrees, and its neighbour begins where it ends. */
static void buckets_cover_time_without_gaps(void **state)
{
    uint64_t random = test_seed();

    (void)state;
    for (size_t i = 0; i < 100000; i++) {
        const struct zone *z = zone(ZONES[test_between(&random, 0, COUNT_OF(ZONES) - 1)].name);
        enum step step = (enum step)test_between(&random, STEP_PT5M, STEP_P1Y);
        int64_t at = test_between(&random, utc("1990-01-01T00:00:00Z"), utc("2040-01-01T00:00:00Z"));
        int64_t start, next;
        if (i % 3 == 0)
            at = CHANGES[i % COUNT_OF(CHANGES)].autumn_at + test_between(&random, -2 * HOUR_S, 2 * HOUR_S);
        start = step_start(z, step, at), next = step_next(z, step, at);
        assert_true(start <= at && at < next);
        assert_int_equal(step_start(z, step, start), start);
        assert_int_equal(step_next(z, step, start), next);
        assert_int_equal(step_start(z, step, next - 1), start);
        assert_int_equal(step_start(z, step, next), next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_zone_is_found_by_its_name),
        cmocka_unit_test(an_unknown_zone_is_not_found),
        cmocka_unit_test(clocks_change_on_the_last_sundays),
        cmocka_unit_test(the_spring_hour_never_comes),
        cmocka_unit_test(the_autumn_hour_comes_twice),
        cmocka_unit_test(without_summer_time_every_local_time_comes_once),
        cmocka_unit_test(local_times_lead_back_to_their_instants),
        cmocka_unit_test(offsets_are_those_of_the_system),
        cmocka_unit_test(the_environment_is_not_asked),
        cmocka_unit_test(a_day_begins_with_its_first_instant),
        cmocka_unit_test(steps_are_read_and_written),
        cmocka_unit_test(a_bucket_holds_its_instant),
        cmocka_unit_test(a_day_has_46_48_or_50_half_hours),
        cmocka_unit_test(buckets_cover_time_without_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
