/* Between enedis_csv.c, which knows sections, and the files that know one kind of section each. */
#ifndef FILES_ENEDIS_INTERNAL_H
#define FILES_ENEDIS_INTERNAL_H
#include "connectors/files/csv_line.h"
#include "connectors/files/enedis_label.h"
#include "connectors/files/enedis_point.h"
#include "connectors/files/reading.h"
#include "pds/base/err.h"
#include "pds/base/zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ENEDIS_REFERENCE_BYTES = 64,
    ENEDIS_WORD_BYTES = 64, /* a folded text that is compared */
    ENEDIS_POWER_MAX_W = 10000000,
    ENEDIS_REGISTERS = 15, /* total, f1…f10, d1…d4: READING_VALUES_MAX holds them */
};

enum enedis_flow { ENEDIS_CONSUMPTION, ENEDIS_PRODUCTION, ENEDIS_FLOWS };

struct enedis_file;

/* A kind of section: a row of KINDS in enedis_csv.c. */
struct enedis_kind {
    const char *type;     /* "Type de donnees", folded */
    const char *units[4]; /* folded, in units of 1 and then of 1000; an empty one is the first */
    int64_t scales[4];
    const char *datasets[ENEDIS_FLOWS]; /* that a line of it is missed in, when it is not read */
    /* The line that names columns. False when it does not name what is needed. */
    bool (*columns)(struct enedis_file *f, const struct csv_line *l);
    enum err (*row)(struct enedis_file *f, const struct csv_line *l);
    enum err (*end)(struct enedis_file *f);
};

/* One flow of an index section. */
struct enedis_register_row {
    int64_t at; /* 00:00 local */
    int64_t line;
    int64_t values[ENEDIS_REGISTERS]; /* Wh, or ENEDIS_POINT_MISSING */
};
struct enedis_registers {
    size_t columns[ENEDIS_REGISTERS]; /* 0: the file has none */
    bool any, waiting;
    struct enedis_register_row row; /* waiting: the next line may be of the same date */
    struct enedis_points totals;
};

/* What the header lines of a section say. */
struct enedis_section {
    const struct enedis_kind *kind; /* NULL: none began, or it is not read */
    bool ignored;                   /* its lines are passed over; it was told */
    bool production;
    const char *quality;
    char reference[ENEDIS_REFERENCE_BYTES];
    int64_t scale; /* of its unit: 1, or 1000 for kW, kWh, kVA */
    int step_min;  /* 0: not said */
    size_t value_column;
    struct enedis_clock clock;
    struct {
        bool any;
        int64_t at;
        int step_min;
    } before; /* of a curve: the last label that was given out */
};

struct enedis_file {
    const struct zone *zone;
    const struct reading_sink *sink;
    struct enedis_section section;
    struct enedis_points points;                     /* of a curve, or of daily maxima */
    struct enedis_registers registers[ENEDIS_FLOWS]; /* of indexes */
    int64_t readings, rejected;
    bool understood; /* some line was */
    bool properties_next, in_calendar;
    size_t property_columns[8];
};

void enedis_reject(struct enedis_file *f, int64_t line, const char *reason);
void enedis_doubt(struct enedis_file *f, int64_t line, const char *reason);

/* Give a reading out, its provider, reference and quality filled in. ERR_TOO_LARGE past LIMIT_POINTS_FILE. */
MUST_CHECK enum err enedis_take(struct enedis_file *f, struct reading *r);

/* The text of a column; empty when the line is shorter. */
struct str enedis_column(const struct csv_line *l, size_t column);

/* Where a line names a column, by its folded name; 0 when it does not (column 0 is always the time). */
size_t enedis_column_named(const struct csv_line *l, const char *name);

/* For enedis_points_merge(): the later line wins, and it is told when the values differ. */
bool enedis_pick_later(void *file, const struct enedis_point *earlier, const struct enedis_point *later);

bool enedis_curve_columns(struct enedis_file *f, const struct csv_line *l);
MUST_CHECK enum err enedis_curve_row(struct enedis_file *f, const struct csv_line *l);
MUST_CHECK enum err enedis_curve_end(struct enedis_file *f);

bool enedis_index_columns(struct enedis_file *f, const struct csv_line *l);
MUST_CHECK enum err enedis_index_row(struct enedis_file *f, const struct csv_line *l);
MUST_CHECK enum err enedis_index_end(struct enedis_file *f);

MUST_CHECK enum err enedis_peak_row(struct enedis_file *f, const struct csv_line *l);
MUST_CHECK enum err enedis_peak_end(struct enedis_file *f);
#endif
