#include "connectors/files/enedis_csv.h"

#include "connectors/files/csv_text.h"
#include "connectors/files/enedis_internal.h"
#include "pds/base/mem.h"

#include <string.h>

/* The columns of the line that begins a section, in the order of enum property. */
enum property { PRM, TYPE, PHYSICAL, BUSINESS, STAGE, UNIT, STEP, PROPERTIES };
static const char *const PROPERTY_NAMES[PROPERTIES] = {
    "identifiant prm", "type de donnees", "grandeur physique", "grandeur metier",
    "etape metier",    "unite",           "pas en minutes",
};

static const struct enedis_kind KINDS[] = {
    {"courbe de charge",
     {"", "w", "kw"},
     {1, 1, 1000},
     {"energy.electricity.consumption", "energy.electricity.production"},
     enedis_curve_columns,
     enedis_curve_row,
     enedis_curve_end},
    {"index",
     {"", "wh", "kwh"},
     {1, 1, 1000},
     {"energy.electricity.consumption", "energy.electricity.production"},
     enedis_index_columns,
     enedis_index_row,
     enedis_index_end},
    {"puissance maximale quotidienne",
     {"", "va", "w", "kva"},
     {1, 1, 1, 1000},
     {"energy.electricity.power-max", "energy.electricity.power-max"},
     enedis_curve_columns,
     enedis_peak_row,
     enedis_peak_end},
};
enum { CURVE, INDEX, PEAK, KIND_COUNT };

static const struct {
    const char *part; /* of the folded "Etape metier" */
    const char *quality;
} STAGES[] = {
    {"corrig", "corrected"}, {"valid", "definitive"}, {"defin", "definitive"}, {"estim", "estimated"}};

static const char *dataset_of(const struct enedis_file *f)
{
    return f->section.kind ? f->section.kind->datasets[f->section.production] : NULL;
}

void enedis_reject(struct enedis_file *f, int64_t line, const char *reason)
{
    f->rejected++;
    f->sink->tell(f->sink->context, dataset_of(f), line, 1, reason);
}

void enedis_doubt(struct enedis_file *f, int64_t line, const char *reason)
{
    f->sink->tell(f->sink->context, dataset_of(f), line, 0, reason);
}

enum err enedis_take(struct enedis_file *f, struct reading *r)
{
    if (f->readings++ == LIMIT_POINTS_FILE)
        return err_set(ERR_TOO_LARGE, "line %lld: over %d readings in a file", (long long)r->line,
                       LIMIT_POINTS_FILE);
    r->provider = "enedis";
    r->reference = str_of(f->section.reference);
    r->quality = f->section.quality;
    return f->sink->take(f->sink->context, r);
}

struct str enedis_column(const struct csv_line *l, size_t column)
{
    return column < l->count ? l->fields[column] : STR("");
}

size_t enedis_column_named(const struct csv_line *l, const char *name)
{
    char word[ENEDIS_WORD_BYTES];

    for (size_t i = 1; i < l->count; i++) {
        (void)csv_text_fold(l->fields[i], word, sizeof word);
        if (strcmp(word, name) == 0)
            return i;
    }
    return 0;
}

bool enedis_pick_later(void *file, const struct enedis_point *earlier, const struct enedis_point *later)
{
    if (later->value == ENEDIS_POINT_MISSING || later->value == earlier->value)
        return false;
    if (earlier->value != ENEDIS_POINT_MISSING)
        enedis_doubt(file, later->line,
                     "the same time stands twice with different values: the later line is kept");
    return true;
}

static void start_section(struct enedis_file *f)
{
    f->section = (struct enedis_section){.quality = "measured", .scale = 1};
}

static enum err end_section(struct enedis_file *f)
{
    enum err e = f->section.kind ? f->section.kind->end(f) : ERR_OK;

    start_section(f);
    f->in_calendar = false;
    f->properties_next = false;
    return e;
}

/* The line "Identifiant PRM;Type de donnees;…": the next one says what the section is. */
static enum err read_property_names(struct enedis_file *f, const struct csv_line *l)
{
    enum err e;

    if ((e = end_section(f)))
        return e;
    for (size_t i = 0; i < PROPERTIES; i++)
        f->property_columns[i] = enedis_column_named(l, PROPERTY_NAMES[i]);
    f->properties_next = true;
    return ERR_OK;
}

static void property(const struct enedis_file *f, const struct csv_line *l, enum property which,
                     char word[static ENEDIS_WORD_BYTES])
{
    size_t column = f->property_columns[which];

    (void)csv_text_fold(column ? enedis_column(l, column) : STR(""), word, ENEDIS_WORD_BYTES);
}

static void ignore_section(struct enedis_file *f, int64_t line, const char *reason)
{
    f->section.kind = NULL;
    f->section.ignored = true;
    enedis_reject(f, line, reason);
}

static const struct enedis_kind *find_kind(const char *type)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(KINDS[i].type, type) == 0)
            return &KINDS[i];
    return NULL;
}

static bool find_unit(const struct enedis_kind *kind, const char *unit, int64_t *scale)
{
    for (size_t i = 0; i < sizeof kind->units / sizeof *kind->units && kind->units[i]; i++)
        if (strcmp(kind->units[i], unit) == 0) {
            *scale = kind->scales[i];
            return true;
        }
    return false;
}

/* "Pas en minutes": empty most of the time. */
static int find_step(struct enedis_file *f, const struct csv_line *l, int64_t line)
{
    static const int STEPS[] = {5, 10, 15, 20, 30, 60};
    int64_t minutes = 0;
    size_t column = f->property_columns[STEP];

    if (column == 0 || csv_text_number(enedis_column(l, column), 1, &minutes) == CSV_MISSING)
        return 0;
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++)
        if (minutes == STEPS[i])
            return STEPS[i];
    enedis_doubt(f, line,
                 "the step in minutes is none that meters have: the times of the lines tell it instead");
    return 0;
}

static void find_quality(struct enedis_file *f, const struct csv_line *l)
{
    char word[ENEDIS_WORD_BYTES];

    property(f, l, STAGE, word);
    for (size_t i = 0; i < sizeof STAGES / sizeof *STAGES; i++)
        if (strstr(word, STAGES[i].part)) {
            f->section.quality = STAGES[i].quality;
            return;
        }
}

/* The second header line: what the section is, of which meter. */
static void read_properties(struct enedis_file *f, const struct csv_line *l)
{
    char word[ENEDIS_WORD_BYTES];
    const struct enedis_kind *kind;

    f->properties_next = false;
    if (csv_text_utf8(l->fields[0], f->section.reference, sizeof f->section.reference)) {
        f->section.reference[0] = '\0';
        enedis_doubt(f, l->number, "the meter number cannot be read: the section is kept without it");
    }
    property(f, l, BUSINESS, word);
    f->section.production = strncmp(word, "prod", 4) == 0 || strncmp(word, "inject", 6) == 0;
    f->section.step_min = find_step(f, l, l->number);
    find_quality(f, l);
    property(f, l, TYPE, word);
    kind = find_kind(word);
    if (!kind) {
        ignore_section(f, l->number, "the section holds a type of data that is not read here");
        return;
    }
    property(f, l, UNIT, word);
    if (!find_unit(kind, word, &f->section.scale)) {
        ignore_section(f, l->number, "the section is in a unit that is not known");
        return;
    }
    property(f, l, PHYSICAL, word);
    if (strstr(word, "reactive") || (kind == &KINDS[PEAK] && f->section.production)) {
        ignore_section(f, l->number, "the section holds a quantity that is not read here");
        return;
    }
    f->understood = true;
    f->section.kind = kind;
    f->section.value_column = 1;
}

/* The line "Horodate;…" names the columns; without the lines above it, it also tells the kind. */
static enum err read_columns(struct enedis_file *f, const struct csv_line *l)
{
    enum err e;

    f->in_calendar = false;
    f->properties_next = false;
    if (f->section.ignored)
        return ERR_OK;
    if (!f->section.kind)
        f->section.kind = &KINDS[enedis_column_named(l, "valeur") ? CURVE : INDEX];
    if (f->section.kind->columns(f, l))
        return ERR_OK;
    if ((e = f->section.kind->end(f))) /* lines that stand above */
        return e;
    ignore_section(f, l->number, "the columns of the section have other names than those that are read");
    return ERR_OK;
}

static enum err read_data(struct enedis_file *f, const struct csv_line *l)
{
    f->properties_next = false;
    if (f->section.ignored)
        return ERR_OK;
    if (!f->section.kind) { /* a file without header lines is a load curve */
        f->section.kind = &KINDS[CURVE];
        f->section.value_column = 1;
    }
    return f->section.kind->row(f, l);
}

static bool is_blank(const struct csv_line *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (str_trim(l->fields[i]).len > 0)
            return false;
    return true;
}

static bool is_label(struct str s) { return s.len > 10 && s.ptr[4] == '-' && s.ptr[7] == '-'; }

static enum err read_line(struct enedis_file *f, const struct csv_line *l)
{
    char word[ENEDIS_WORD_BYTES];

    if (l->fields[0].len > 0 && l->fields[0].ptr[0] >= '0' && l->fields[0].ptr[0] <= '9' &&
        (!f->properties_next || is_label(l->fields[0])))
        return read_data(f, l); /* nearly all of them */
    if (is_blank(l))
        return ERR_OK;
    (void)csv_text_fold(l->fields[0], word, sizeof word);
    if (strcmp(word, PROPERTY_NAMES[PRM]) == 0)
        return read_property_names(f, l);
    if (strcmp(word, "horodate") == 0)
        return read_columns(f, l);
    if (f->properties_next) {
        read_properties(f, l);
        return ERR_OK;
    }
    if (strcmp(word, "periode") == 0) /* names of registers follow, a line each */
        f->in_calendar = true;
    else if (!f->in_calendar || strncmp(word, "du ", 3) != 0)
        return read_data(f, l);
    return ERR_OK;
}

static enum err read_lines(struct enedis_file *f, struct csv_line *l)
{
    enum err e;

    while (!(e = csv_line_next(l))) {
        if (l->flaw)
            enedis_reject(f, l->number, l->flaw);
        else if (l->count > 0 && (e = read_line(f, l)))
            return e;
    }
    if (e != ERR_NOT_FOUND)
        return e;
    if ((e = end_section(f)))
        return e;
    if (f->rejected > 0 && !f->understood)
        return err_set(ERR_INVALID, "none of %lld lines makes sense", (long long)f->rejected);
    return ERR_OK;
}

/* The first line that is not blank, and its columns off its front, quotes around them left away. */
static struct str first_line(struct str head)
{
    struct str line = {NULL, 0};

    if (str_starts(head, STR("\xEF\xBB\xBF")))
        head = (struct str){head.ptr + 3, head.len - 3};
    while (str_split(&head, '\n', &line) && str_trim(line).len == 0)
        ;
    return str_trim(line);
}

static struct str first_column(struct str *line)
{
    struct str column = STR("");

    if (!str_split(line, ';', &column))
        return STR("");
    column = str_trim(column);
    if (column.len >= 2 && column.ptr[0] == '"' && column.ptr[column.len - 1] == '"')
        column = (struct str){column.ptr + 1, column.len - 2};
    return column;
}

/* "2024-05-01T00:30:00+02:00;412": whole watts, since a fraction would rather be another provider's kW. */
static bool is_bare_line(struct str time, struct str value, bool has_value)
{
    struct enedis_clock clock = {0};
    int64_t ignored;

    return has_value && !enedis_label_read(&clock, zone_paris(), time, 1, &ignored) &&
           (csv_text_number(value, 1, &ignored) == CSV_MISSING || !str_int64(value, &ignored));
}

bool enedis_csv_recognises(struct str head)
{
    char word[ENEDIS_WORD_BYTES];
    struct str line = first_line(head), column = first_column(&line);
    bool more = line.ptr != NULL;
    bool properties;

    (void)csv_text_fold(column, word, sizeof word);
    properties = strcmp(word, PROPERTY_NAMES[PRM]) == 0;
    if (!properties && strcmp(word, "horodate") != 0)
        return is_bare_line(column, first_column(&line), more);
    column = first_column(&line);
    (void)csv_text_fold(column, word, sizeof word);
    if (properties)
        return strcmp(word, PROPERTY_NAMES[TYPE]) == 0;
    return strcmp(word, "valeur") == 0 || strcmp(word, "type de releve") == 0;
}

enum err enedis_csv_parse(const struct reading_input *in, const struct reading_options *options,
                          const struct reading_sink *sink)
{
    struct enedis_file f = {.zone = options->zone ? options->zone : zone_paris(), .sink = sink};
    struct csv_line line;
    enum err e;

    if ((e = csv_line_init(&line, in)))
        return e;
    start_section(&f);
    e = read_lines(&f, &line);
    csv_line_done(&line);
    enedis_points_done(&f.points);
    for (int flow = 0; flow < ENEDIS_FLOWS; flow++)
        enedis_points_done(&f.registers[flow].totals);
    return e;
}
