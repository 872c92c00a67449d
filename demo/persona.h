/* A persona: an invented home and its habits, from one JSON file. Fiction, and the file says so. */
#ifndef DEMO_PERSONA_H
#define DEMO_PERSONA_H
#include "pds/base/err.h"
#include "pds/base/fs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PERSONA_WINDOWS_MAX = 4, PERSONA_ABSENCES_MAX = 12, PERSONA_PRM_CHARS = 14 };

enum tariff { TARIFF_BASE, TARIFF_OFF_PEAK, TARIFF_TEMPO };

struct persona_window {
    int from_minute, to_minute; /* local; to below from runs past midnight */
};

struct persona_absence {
    int from_month, from_day; /* the first day away, each year */
    int to_month, to_day;     /* the last */
};

struct persona_meter {
    char prm[PERSONA_PRM_CHARS + 1]; /* the meter's number: text */
    int64_t since_day;               /* first day of its index, days since 1970 */
    enum tariff tariff;
    struct persona_window off_peak[PERSONA_WINDOWS_MAX]; /* bounds on half-hours */
    size_t off_peak_count;
};

struct persona_home {
    int standby_w;
    int fridge_w;        /* while its compressor runs */
    int heating_w_per_k; /* 0: not heated by electricity */
    int heating_max_w;
    int comfort_dc, setback_dc; /* tenths of a degree: when someone is up, and otherwise */
    int gain_dc;                /* tenths of a degree that people and sun give */
    int water_heater_w;         /* 0: none */
    int water_wh_person;        /* a day */
};

struct persona_people {
    int count;
    int wake_minute, leave_minute, back_minute, sleep_minute; /* of a working day, local */
    int telework_percent;                                     /* of working days */
    int weekend_away_percent;                                 /* of weekends */
    struct persona_absence absences[PERSONA_ABSENCES_MAX];
    size_t absence_count;
};

struct persona {
    char name[32];
    struct persona_meter meter;
    struct persona_home home;
    struct persona_people people;
};

/* Read DIR/NAME.json. ERR_NOT_FOUND when there is no such persona; ERR_INVALID, with the key named, when
 * the file breaks a rule. */
MUST_CHECK enum err persona_read(const char *dir, const char *name, struct persona *out);

/* The folder of personas that belongs to this program: demo/personas of the tree it was built in. */
MUST_CHECK enum err persona_folder(char out[static FS_PATH_BYTES]);

bool persona_is_off_peak(const struct persona *p, int minute);
#endif
