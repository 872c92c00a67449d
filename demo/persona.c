#include "demo/persona.h"

#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/clock.h"
#include "pds/base/fs.h"
#include "pds/base/json.h"
#include "pds/base/limits.h"
#include "pds/base/str.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PERSONA_FILE_BYTES ((size_t)(16 * KIB))

enum { MINUTES_DAY = 1440 };

static enum err read_int(const json_t *object, const char *key, int least, int most, int *out)
{
    int64_t n;
    enum err e;

    if ((e = json_get_int(object, key, &n)))
        return e;
    if (n < least || n > most)
        return err_set(ERR_INVALID, "%s is not between %d and %d", key, least, most);
    *out = (int)n;
    return ERR_OK;
}

/* Two numbers of two digits with a mark between them: "06:45", "12-23". */
static enum err pair_parse(const char *text, char mark, int *first, int *second)
{
    struct str rest = str_of(text), part;
    int64_t a, b;

    if (rest.len != 5 || !str_split(&rest, mark, &part) || str_int64(part, &a) || str_int64(rest, &b))
        return err_set(ERR_INVALID, "not of the form 00%c00", mark);
    *first = (int)a;
    *second = (int)b;
    return ERR_OK;
}

static enum err minute_parse(const char *text, int *out)
{
    int hour, minute;
    enum err e;

    if ((e = pair_parse(text, ':', &hour, &minute)))
        return e;
    if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || hour * 60 + minute > MINUTES_DAY)
        return err_set(ERR_INVALID, "no time of a day");
    *out = hour * 60 + minute;
    return ERR_OK;
}

static enum err read_minute(const json_t *object, const char *key, int *out)
{
    const char *text;
    enum err e;

    if ((e = json_get_text(object, key, &text)))
        return e;
    if ((e = minute_parse(text, out)))
        return err_wrap(e, "%s", key);
    return ERR_OK;
}

static enum err read_month_day(const json_t *object, const char *key, int *month, int *day)
{
    const char *text;
    enum err e;

    if ((e = json_get_text(object, key, &text)))
        return e;
    if ((e = pair_parse(text, '-', month, day)))
        return err_wrap(e, "%s", key);
    if (*month < 1 || *month > 12 || *day < 1 || *day > 31)
        return err_set(ERR_INVALID, "%s is no day of a year", key);
    return ERR_OK;
}

static enum err read_off_peak(const json_t *meter, struct persona_meter *out)
{
    json_t *windows;
    enum err e;

    if ((e = json_get_array(meter, "off_peak", &windows)))
        return e;
    if (json_array_size(windows) > PERSONA_WINDOWS_MAX)
        return err_set(ERR_INVALID, "off_peak has more than %d windows", PERSONA_WINDOWS_MAX);
    out->off_peak_count = json_array_size(windows);
    for (size_t i = 0; i < out->off_peak_count; i++) {
        const json_t *row = json_array_get(windows, i);
        struct persona_window *w = &out->off_peak[i];

        if ((e = read_minute(row, "from", &w->from_minute)) || (e = read_minute(row, "to", &w->to_minute)))
            return err_wrap(e, "off_peak, row %zu", i + 1);
        if (w->from_minute % 30 || w->to_minute % 30)
            return err_set(ERR_INVALID, "off_peak, row %zu: not on a half-hour", i + 1);
    }
    return ERR_OK;
}

static enum err read_tariff(const json_t *meter, enum tariff *out)
{
    static const char *const NAMES[] = {
        [TARIFF_BASE] = "base", [TARIFF_OFF_PEAK] = "off-peak", [TARIFF_TEMPO] = "tempo"};
    const char *text;
    enum err e;

    if ((e = json_get_text(meter, "tariff", &text)))
        return e;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (strcmp(text, NAMES[i]) == 0) {
            *out = (enum tariff)i;
            return ERR_OK;
        }
    }
    return err_set(ERR_INVALID, "tariff is none of base, off-peak, tempo");
}

static enum err read_meter(const json_t *root, struct persona_meter *out)
{
    static const char *const KEYS[] = {"prm", "since", "tariff", "off_peak", NULL};
    const char *prm, *since;
    struct civil date;
    json_t *meter;
    enum err e;

    if ((e = json_get_object(root, "meter", &meter)) || (e = json_only_keys(meter, KEYS)) ||
        (e = json_get_text(meter, "prm", &prm)) || (e = json_get_text(meter, "since", &since)) ||
        (e = read_tariff(meter, &out->tariff)) || (e = read_off_peak(meter, out)))
        return err_wrap(e, "meter");
    if (strlen(prm) != PERSONA_PRM_CHARS || strspn(prm, "0123456789") != PERSONA_PRM_CHARS)
        return err_set(ERR_INVALID, "meter: prm is not of %d digits", PERSONA_PRM_CHARS);
    memcpy(out->prm, prm, PERSONA_PRM_CHARS + 1);
    if ((e = clock_parse_local(str_of(since), &date)))
        return err_wrap(e, "meter: since");
    out->since_day = clock_days(date.year, date.month, date.day);
    return ERR_OK;
}

static enum err read_home(const json_t *root, struct persona_home *out)
{
    static const char *const KEYS[] = {"place",          "standby_w",       "fridge_w", "heating_w_per_k",
                                       "heating_max_w",  "comfort_dc",      "gain_dc",  "setback_dc",
                                       "water_heater_w", "water_wh_person", NULL};
    json_t *home;
    enum err e;

    if ((e = json_get_object(root, "home", &home)) || (e = json_only_keys(home, KEYS)) ||
        (e = read_int(home, "standby_w", 0, 2000, &out->standby_w)) ||
        (e = read_int(home, "fridge_w", 0, 1000, &out->fridge_w)) ||
        (e = read_int(home, "heating_w_per_k", 0, 2000, &out->heating_w_per_k)) ||
        (e = read_int(home, "heating_max_w", 0, 20000, &out->heating_max_w)) ||
        (e = read_int(home, "comfort_dc", 0, 300, &out->comfort_dc)) ||
        (e = read_int(home, "setback_dc", 0, 300, &out->setback_dc)) ||
        (e = read_int(home, "gain_dc", 0, 100, &out->gain_dc)) ||
        (e = read_int(home, "water_heater_w", 0, 5000, &out->water_heater_w)) ||
        (e = read_int(home, "water_wh_person", 0, 5000, &out->water_wh_person)))
        return err_wrap(e, "home");
    return ERR_OK;
}

static enum err read_absences(const json_t *people, struct persona_people *out)
{
    json_t *rows;
    enum err e;

    if ((e = json_get_array(people, "absences", &rows)))
        return e;
    if (json_array_size(rows) > PERSONA_ABSENCES_MAX)
        return err_set(ERR_INVALID, "more than %d absences", PERSONA_ABSENCES_MAX);
    out->absence_count = json_array_size(rows);
    for (size_t i = 0; i < out->absence_count; i++) {
        const json_t *row = json_array_get(rows, i);
        struct persona_absence *a = &out->absences[i];

        if ((e = read_month_day(row, "from", &a->from_month, &a->from_day)) ||
            (e = read_month_day(row, "to", &a->to_month, &a->to_day)))
            return err_wrap(e, "absences, row %zu", i + 1);
    }
    return ERR_OK;
}

static enum err read_people(const json_t *root, struct persona_people *out)
{
    static const char *const KEYS[] = {
        "count",    "wake", "leave", "back", "sleep", "telework_percent", "weekend_away_percent",
        "absences", NULL};
    json_t *people;
    enum err e;

    if ((e = json_get_object(root, "people", &people)) || (e = json_only_keys(people, KEYS)) ||
        (e = read_int(people, "count", 1, 12, &out->count)) ||
        (e = read_minute(people, "wake", &out->wake_minute)) ||
        (e = read_minute(people, "leave", &out->leave_minute)) ||
        (e = read_minute(people, "back", &out->back_minute)) ||
        (e = read_minute(people, "sleep", &out->sleep_minute)) ||
        (e = read_int(people, "telework_percent", 0, 100, &out->telework_percent)) ||
        (e = read_int(people, "weekend_away_percent", 0, 100, &out->weekend_away_percent)) ||
        (e = read_absences(people, out)))
        return err_wrap(e, "people");
    if (out->wake_minute >= out->leave_minute || out->leave_minute >= out->back_minute ||
        out->back_minute >= out->sleep_minute)
        return err_set(ERR_INVALID, "people: wake, leave, back and sleep are not in this order");
    return ERR_OK;
}

static enum err persona_parse(struct str text, struct persona *out)
{
    static const char *const KEYS[] = {"fiction", "story", "meter", "home", "people", NULL};
    AUTO(json_freep) json_t *root = NULL;
    const char *fiction;
    enum err e;

    if ((e = json_read(text, PERSONA_FILE_BYTES, &root)) || (e = json_only_keys(root, KEYS)) ||
        (e = json_get_text(root, "fiction", &fiction)) || (e = read_meter(root, &out->meter)) ||
        (e = read_home(root, &out->home)) || (e = read_people(root, &out->people)))
        return e;
    return ERR_OK;
}

enum err persona_read(const char *dir, const char *name, struct persona *out)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    AUTO(buf_done) struct buf text = {0};
    struct persona p = {0};
    char path[FS_PATH_BYTES], file[sizeof p.name + sizeof ".json"];
    enum err e;

    if (name[strspn(name, LETTERS)] || str_copy(str_of(name), p.name, sizeof p.name))
        return err_set(ERR_USAGE, "a persona's name is of small letters, digits and '-', 31 at most");
    buf_init(&text, PERSONA_FILE_BYTES + 1);
    (void)snprintf(file, sizeof file, "%s.json", p.name); /* fits: see above */
    if ((e = fs_join(path, dir, file)))
        return e;
    if ((e = fs_read(path, PERSONA_FILE_BYTES, &text)) ||
        (e = persona_parse((struct str){text.data, text.len}, &p)))
        return err_wrap(e, "persona %s", name);
    *out = p;
    return ERR_OK;
}

enum err persona_folder(char out[static FS_PATH_BYTES])
{
    char path[PATH_MAX];
    ssize_t got = readlink("/proc/self/exe", path, sizeof path - 1);

    if (got < 0)
        return fs_error("reading", "/proc/self/exe");
    path[got] = '\0';
    /* <tree>/build/<preset>/traboule-demo */
    for (int up = 0; up < 3; up++) {
        char *slash = strrchr(path, '/');

        if (!slash)
            return err_set(ERR_NOT_FOUND, "a program outside a build folder: name --personas DIR");
        *slash = '\0';
    }
    return fs_join(out, path, "demo/personas");
}

bool persona_is_off_peak(const struct persona *p, int minute)
{
    for (size_t i = 0; i < p->meter.off_peak_count; i++) {
        const struct persona_window *w = &p->meter.off_peak[i];
        bool past_midnight = w->to_minute < w->from_minute;
        bool after = minute >= w->from_minute, before = minute < w->to_minute;

        if (past_midnight ? after || before : after && before)
            return true;
    }
    return false;
}
