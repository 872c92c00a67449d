#include "tests/harness/test.h"

#include "connectors/files/enedis_csv.h"
#include "connectors/files/enedis_point.h"
#include "pds/base/buf.h"
#include "pds/base/clock.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/base/zone.h"
#include "tests/harness/fault.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURES TEST_ROOT "/tests/fixtures/energy/"
#define SAMPLES  TEST_ROOT "/../shared/samples/energy/"

/* A text, given out by pieces. */
struct source {
    struct str text;
    size_t at, piece;
    size_t fails_at; /* SIZE_MAX: never */
};

static enum err source_read(void *context, void *out, size_t size, size_t *got)
{
    struct source *s = context;
    size_t len = s->text.len - s->at;

    if (s->at >= s->fails_at)
        return err_set(ERR_IO, "a broken disk");
    len = len < size ? len : size;
    len = len < s->piece ? len : s->piece;
    if (len > 0)
        memcpy(out, s->text.ptr + s->at, len);
    s->at += len;
    *got = len;
    return ERR_OK;
}

/* What a parse gave: a listing of each reading and remark, and sums for large files. */
struct outcome {
    struct buf listing;
    bool quiet; /* sums alone */
    long readings, doubts, rejected, index, daily, curve, peaks;
    int64_t numerators;        /* of consumption, as it is given: /60 in a curve, /1 by day */
    int64_t first_at, last_at; /* of consumption */
    int64_t least, most;       /* daily consumption */
    int64_t first_index, last_index, first_registers[6], last_registers[6];
    long lengths[3601]; /* readings of a curve by length, in seconds */
    int64_t at_before;  /* of a curve: end of the reading before */
    bool in_order;
    long refuse_after; /* readings; 0: never */
    long blocks;       /* the most that were alive */
};

static const char *const NUMBERS[] = {"f1", "f2", "f3", "f4", "f5", "f6"};

static void count_index(struct outcome *o, const struct reading *r)
{
    o->index++;
    if (o->index == 1)
        o->first_index = r->values[0].numerator;
    o->last_index = r->values[0].numerator;
    for (size_t i = 1; i < r->value_count; i++)
        for (size_t n = 0; n < COUNT_OF(NUMBERS); n++)
            if (strcmp(r->values[i].name, NUMBERS[n]) == 0) {
                if (o->index == 1)
                    o->first_registers[n] = r->values[i].numerator;
                o->last_registers[n] = r->values[i].numerator;
            }
}

static void count_energy(struct outcome *o, const struct reading *r)
{
    int64_t value = r->values[0].numerator;
    bool first = o->curve + o->daily == 0;

    o->first_at = first || r->start_at < o->first_at ? r->start_at : o->first_at;
    o->last_at = first || r->end_at > o->last_at ? r->end_at : o->last_at;
    o->numerators += value;
    if (strcmp(r->grain, "daily") == 0) {
        o->least = o->daily == 0 || value < o->least ? value : o->least;
        o->most = value > o->most ? value : o->most;
        o->daily++;
        return;
    }
    assert_in_range(r->end_at - r->start_at, 300, 3600);
    o->in_order = (o->curve == 0 || (o->in_order && r->start_at >= o->at_before));
    o->at_before = r->end_at;
    o->lengths[r->end_at - r->start_at]++;
    o->curve++;
}

static void list(struct outcome *o, const struct reading *r)
{
    char start[CLOCK_TEXT_BYTES], end[CLOCK_TEXT_BYTES];

    clock_text(r->start_at, start);
    clock_text(r->end_at, end);
    buf_printf(&o->listing, "line %" PRId64 ": %s %s %s %s '%.*s' %s", r->line, r->dataset, r->grain, start,
               end, STR_ARGS(r->reference), r->quality);
    for (size_t i = 0; i < r->value_count; i++)
        buf_printf(&o->listing, " %s=%" PRId64 "/%" PRId64, r->values[i].name, r->values[i].numerator,
                   r->values[i].denominator);
    buf_char(&o->listing, '\n');
}

static enum err outcome_take(void *context, const struct reading *r)
{
    struct outcome *o = context;

    if (o->refuse_after && o->readings == o->refuse_after)
        return err_set(ERR_FULL, "no room");
    assert_string_equal(r->provider, "enedis");
    assert_true(r->value_count >= 1 && r->value_count <= READING_VALUES_MAX);
    for (size_t i = 0; i < r->value_count; i++)
        assert_true(r->values[i].numerator >= 0 && r->values[i].denominator > 0);
    assert_true(r->start_at <= r->end_at && r->line > 0);
    o->readings++;
    o->blocks = mem_live() > o->blocks ? mem_live() : o->blocks;
    if (strcmp(r->grain, "index") == 0)
        count_index(o, r);
    else if (strcmp(r->dataset, "energy.electricity.power-max") == 0)
        o->peaks++;
    else
        count_energy(o, r);
    if (!o->quiet)
        list(o, r);
    return ERR_OK;
}

static void outcome_tell(void *context, int64_t line, int rejected, const char *reason)
{
    struct outcome *o = context;

    assert_true(line > 0);
    o->rejected += rejected;
    o->doubts += !rejected;
    if (!o->quiet)
        buf_printf(&o->listing, "line %" PRId64 ": %s: %s\n", line, rejected ? "rejected" : "doubt", reason);
}

static void outcome_init(struct outcome *o)
{
    *o = (struct outcome){0};
    buf_init(&o->listing, 64 * MIB);
}
static void outcome_done(struct outcome *o) { buf_done(&o->listing); }

static enum err parse_source(const struct source *s, struct outcome *o)
{
    struct source copy = *s;
    struct reading_input in = {source_read, &copy};
    struct reading_options options = {zone_paris()};
    struct reading_sink sink = {outcome_take, outcome_tell, o};

    return enedis_csv_parse(&in, &options, &sink);
}

static enum err parse(struct str text, struct outcome *o)
{
    struct source s = {text, 0, SIZE_MAX, SIZE_MAX};

    return parse_source(&s, o);
}

static void read_file(const char *dir, const char *name, const char *suffix, struct buf *out)
{
    char path[FS_PATH_BYTES];

    (void)snprintf(path, sizeof path, "%s%s%s", dir, name, suffix);
    buf_init(out, 64 * MIB);
    assert_ok(fs_read(path, 64 * MIB, out));
}

static struct str text_of(const struct buf *b) { return (struct str){b->data ? b->data : "", b->len}; }

/* ---- fixtures ---- */

static const char *const FILES[] = {
    "autumn",
    "autumn-naive",
    "autumn-naive-newest-first",
    "autumn-naive-once",
    "bad-lines",
    "blank",
    "both-flows",
    "columns-only",
    "crlf-bom",
    "curve",
    "duplicate",
    "empty",
    "header-only",
    "headerless",
    "headerless-naive",
    "hole",
    "hole-first",
    "index",
    "index-kwh",
    "index-no-columns",
    "kilowatt",
    "latin-1",
    "masked-meter",
    "meter-change",
    "newest-first",
    "no-break",
    "nonsense",
    "peak",
    "production",
    "properties-late",
    "properties-missing",
    "quoted",
    "sections",
    "single",
    "spring",
    "spring-naive",
    "spring-naive-skipped",
    "step-10",
    "step-absurd",
    "step-change",
    "step-told",
    "truncated",
    "unknown-section",
    "unsorted",
};

/* Parse and close the listing with the outcome, unless it is a good one. */
static void parse_and_list(const struct source *s, struct outcome *o)
{
    enum err e = parse_source(s, o);

    if (e)
        buf_printf(&o->listing, "%s: %s\n", err_row(e)->name, err_story());
    assert_ok(buf_err(&o->listing));
}

/* Beside each file stands what it must yield: name.csv and name.expect. */
static void each_fixture_yields_its_listing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        struct outcome o;
        struct buf csv, expect;

        outcome_init(&o);
        read_file(FIXTURES, FILES[i], ".csv", &csv);
        read_file(FIXTURES, FILES[i], ".expect", &expect);
        parse_and_list(&(struct source){text_of(&csv), 0, SIZE_MAX, SIZE_MAX}, &o);
        if (!str_eq(text_of(&o.listing), text_of(&expect)))
            print_error("%s yields:\n%.*s", FILES[i], STR_ARGS(text_of(&o.listing)));
        assert_row(FILES[i], str_eq(text_of(&o.listing), text_of(&expect)));
        buf_done(&csv);
        buf_done(&expect);
        outcome_done(&o);
    }
}

/* Of the same day, once with offsets and once without. */
static void local_times_are_placed_as_their_offsets_would(void **state)
{
    static const char *const PAIRS[][2] = {{"spring.expect", "spring-naive.expect"},
                                           {"autumn.expect", "autumn-naive.expect"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(PAIRS); i++) {
        struct buf a, b;

        read_file(FIXTURES, PAIRS[i][0], "", &a);
        read_file(FIXTURES, PAIRS[i][1], "", &b);
        assert_row(PAIRS[i][0], str_eq(text_of(&a), text_of(&b)));
        buf_done(&a);
        buf_done(&b);
    }
}

static void the_size_of_blocks_changes_nothing(void **state)
{
    static const size_t PIECES[] = {1, 2, 3, 7, 64};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        struct buf csv, expect;

        read_file(FIXTURES, FILES[i], ".csv", &csv);
        read_file(FIXTURES, FILES[i], ".expect", &expect);
        for (size_t n = 0; n < COUNT_OF(PIECES); n++) {
            struct source s = {text_of(&csv), 0, PIECES[n], SIZE_MAX};
            struct outcome o;

            outcome_init(&o);
            parse_and_list(&s, &o);
            assert_row(FILES[i], str_eq(text_of(&o.listing), text_of(&expect)));
            outcome_done(&o);
        }
        buf_done(&csv);
        buf_done(&expect);
    }
}

/* A download that broke off anywhere. */
static void each_prefix_of_a_file_is_read_without_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        struct buf csv;

        read_file(FIXTURES, FILES[i], ".csv", &csv);
        for (size_t len = 0; len < csv.len; len++) {
            struct outcome o;
            char *cut = mem_text(csv.data, len); /* of its own, so that a read past its end shows */

            assert_non_null(cut);
            outcome_init(&o);
            o.quiet = true;
            assert_true(parse((struct str){cut, len}, &o) <= ERR_INVALID);
            outcome_done(&o);
            mem_free(cut);
        }
        buf_done(&csv);
    }
}

static void mutate(struct buf *b, uint64_t *random)
{
    static const char SPICE[] = ";;;\n\n\"\"\r0123456789-:T+,. \xA0\xC3\xE2\xEF";
    int64_t times = test_between(random, 1, 6);

    while (times-- > 0 && b->len > 0) {
        size_t at = (size_t)test_between(random, 0, (int64_t)b->len - 1);
        size_t more = (size_t)test_between(random, 0, 40);
        size_t len = more < b->len - at ? more : b->len - at;

        switch (test_between(random, 0, 3)) {
        case 0:
            b->data[at] = (char)test_between(random, 0, 255);
            break;
        case 1:
            b->data[at] = SPICE[test_between(random, 0, sizeof SPICE - 2)];
            break;
        case 2: /* a piece is gone */
            memmove(b->data + at, b->data + at + len, b->len - at - len);
            b->len -= len;
            break;
        default: /* a piece is there twice */
            if (buf_reserve(b, len)) {
                memmove(b->data + at + len, b->data + at, b->len - at);
                buf_grew(b, len);
            }
        }
    }
}

static void damaged_files_are_read_without_harm(void **state)
{
    uint64_t random = test_seed();
    struct buf csv = {0}, copy;
    size_t which = 0;

    (void)state;
    buf_init(&copy, MIB);
    for (int round = 0; round < 20000; round++) {
        struct outcome o;

        if (round % 400 == 0) {
            buf_done(&csv);
            read_file(FIXTURES, FILES[which++ % COUNT_OF(FILES)], ".csv", &csv);
        }
        buf_clear(&copy);
        buf_add(&copy, csv.data, csv.len);
        mutate(&copy, &random);
        outcome_init(&o);
        o.quiet = true;
        assert_true(parse(text_of(&copy), &o) <= ERR_INVALID);
        outcome_done(&o);
    }
    buf_done(&copy);
    buf_done(&csv);
}

/* ---- failures of others ---- */

static enum err parse_afresh(struct str text, struct outcome *o)
{
    outcome_done(o);
    outcome_init(o);
    o->quiet = true;
    return parse(text, o);
}

static void each_failing_allocation_ends_the_parse_and_leaves_nothing(void **state)
{
    static const char *const NAMES[] = {"curve", "both-flows", "peak", "quoted"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        struct outcome o;
        struct buf csv;
        long live;
        enum err e;

        outcome_init(&o);
        read_file(FIXTURES, NAMES[i], ".csv", &csv);
        live = mem_live();
        FAIL_EACH_ALLOCATION (e, parse_afresh(text_of(&csv), &o)) {
            assert_int_equal(e, ERR_NO_MEMORY);
            assert_int_equal(mem_live(), live);
        }
        assert_int_equal(mem_live(), live);
        outcome_done(&o);
        buf_done(&csv);
    }
}

static void a_failing_input_ends_the_parse(void **state)
{
    struct buf csv;

    (void)state;
    read_file(FIXTURES, "sections", ".csv", &csv);
    for (size_t at = 0; at < csv.len; at += 100) {
        struct source s = {text_of(&csv), 0, 100, at};
        struct outcome o;

        outcome_init(&o);
        assert_err(parse_source(&s, &o), ERR_IO);
        assert_non_null(strstr(err_story(), "a broken disk"));
        outcome_done(&o);
    }
    buf_done(&csv);
}

static void a_failing_sink_ends_the_parse(void **state)
{
    static const struct {
        const char *name;
        long readings;
    } ROWS[] = {{"curve", 5}, {"both-flows", 8}, {"peak", 4}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct buf csv;

        read_file(FIXTURES, ROWS[i].name, ".csv", &csv);
        for (long after = 1; after < ROWS[i].readings; after++) {
            struct outcome o;

            outcome_init(&o);
            o.refuse_after = after;
            assert_err(parse(text_of(&csv), &o), ERR_FULL);
            assert_int_equal(o.readings, after);
            outcome_done(&o);
        }
        buf_done(&csv);
    }
}

/* ---- long files, made as they are read ---- */

struct maker {
    int64_t at, count; /* END labels from `at` on */
    int64_t step_s;    /* from one to the next; below zero: newest first */
    int64_t missing;   /* each nth line is not there; 0: all are */
    int64_t swapped;   /* of so many lines, the order is turned round; 0: none */
    int64_t made;
};

static enum err maker_read(void *context, void *out, size_t size, size_t *got)
{
    struct maker *m = context;
    char *to = out;

    *got = 0;
    while (m->made < m->count && size - *got > 64) {
        int64_t n = m->made++;
        char text[CLOCK_TEXT_BYTES];

        if (m->missing && n % m->missing == m->missing - 1)
            continue;
        if (m->swapped)
            n = n / m->swapped * m->swapped + m->swapped - 1 - n % m->swapped;
        clock_text(m->at + n * m->step_s, text);
        *got += (size_t)snprintf(to + *got, size - *got, "%s;%d\n", text, (int)(n % 1000));
    }
    return ERR_OK;
}

static enum err parse_made(struct maker m, struct outcome *o)
{
    struct reading_input in = {maker_read, &m};
    struct reading_options options = {NULL};
    struct reading_sink sink = {outcome_take, outcome_tell, o};

    outcome_init(o);
    o->quiet = true;
    return enedis_csv_parse(&in, &options, &sink);
}

#define YEAR_2000 INT64_C(946684800)

static const struct {
    const char *name;
    struct maker made;
    long length, readings, doubts;
} LONG_ROWS[] = {
    {"oldest first", {.at = YEAR_2000, .count = 200000, .step_s = 600}, 600, 200000, 0},
    {"newest first", {.at = YEAR_2000, .count = 200000, .step_s = -600}, 600, 200000, 0},
    {"with holes", {.at = YEAR_2000, .count = 200000, .step_s = 1800, .missing = 7}, 1800, 171429, 0},
    {"turned by fours", {.at = YEAR_2000, .count = 200000, .step_s = 1800, .swapped = 4}, 1800, 200000, 0},
    {"turned as a whole year",
     {.at = YEAR_2000, .count = 17520, .step_s = 1800, .swapped = 17520},
     1800,
     17520,
     0},
};

static void long_files_are_read_in_the_same_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(LONG_ROWS); i++) {
        struct outcome o;
        long live = mem_live();

        assert_ok(parse_made(LONG_ROWS[i].made, &o));
        assert_row(LONG_ROWS[i].name, o.readings == LONG_ROWS[i].readings);
        assert_row(LONG_ROWS[i].name, o.lengths[LONG_ROWS[i].length] == LONG_ROWS[i].readings);
        assert_row(LONG_ROWS[i].name, o.rejected == 0 && o.doubts == LONG_ROWS[i].doubts);
        assert_row(LONG_ROWS[i].name, o.in_order || LONG_ROWS[i].made.step_s < 0);
        assert_row(LONG_ROWS[i].name, o.blocks <= live + 2);
        outcome_done(&o);
    }
}

static void ten_million_readings_are_the_most(void **state)
{
    struct maker m = {.at = YEAR_2000, .count = LIMIT_POINTS_FILE + 100, .step_s = 300};
    struct outcome o;

    (void)state;
    assert_err(parse_made(m, &o), ERR_TOO_LARGE);
    assert_int_equal(o.readings, LIMIT_POINTS_FILE);
    outcome_done(&o);
}

/* More lines than a section keeps, of two dates that come again and again. */
static void repeated_days_do_not_fill_the_memory(void **state)
{
    static const struct {
        const char *columns, *row;
        long index, daily, peaks;
    } ROWS[] = {
        {"Horodate;Type de releve;EAS T\n", "2024-05-01;;100\n2024-05-02;;200\n", 140000, 1, 0},
        {"Identifiant PRM;Type de donnees\n1;Puissance maximale quotidienne\n",
         "2024-05-01T08:00:00Z;100\n2024-05-02T08:00:00Z;200\n", 0, 0, 2},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct outcome o;
        struct buf text;

        outcome_init(&o);
        o.quiet = true;
        buf_init(&text, 16 * MIB);
        buf_text(&text, ROWS[i].columns);
        for (int n = 0; n < 70000; n++)
            buf_text(&text, ROWS[i].row);
        assert_ok(buf_err(&text));
        assert_ok(parse(text_of(&text), &o));
        assert_int_equal(o.index, ROWS[i].index);
        assert_int_equal(o.daily, ROWS[i].daily);
        assert_int_equal(o.peaks, ROWS[i].peaks);
        assert_int_equal(o.rejected, 0);
        outcome_done(&o);
        buf_done(&text);
    }
}

/* ---- recognition ---- */

static void recognises_by_the_first_lines(void **state)
{
    static const struct {
        const char *head;
        bool is_one;
    } ROWS[] = {
        {"Identifiant PRM;Type de donnees;Date de debut", true},
        {"\xEF\xBB\xBF\r\n\nIdentifiant PRM;Type de données;Date de debut\r\n", true},
        {"\"Identifiant PRM\";\"Type de donnees\"\n", true},
        {"identifiant  prm;TYPE DE DONN\xC9\x45S\n", true},
        {"Horodate;Valeur\n2024-05-01T00:30:00+02:00;412\n", true},
        {"Horodate;Type de releve;EAS T\n", true},
        {"2024-05-01T00:30:00+02:00;412\n", true},
        {"2024-05-01T00:30:00;412;\r\n", true},
        {"2024-05-01 00:30;\n", true},
        {"2024-05-01T00:30:00Z;NA", true},
        {"Identifiant PRM;Date de début;Date de fin;Horodate;Valeur\n", false}, /* R63 */
        {"Identifiant PRM", false},
        {"Horodate;kW\n", false},
        {"2024-05-01T00:30:00+02:00;0,412\n", false},
        {"2024-05-01T00:30:00+02:00\n", false},
        {"2024-05-01;412\n", false},
        {"2024-05-01T00:30:00+02:00,412\n", false},
        {"debut;kW\n", false},
        {"<!DOCTYPE html>\n", false},
        {"PK\x03\x04", false},
        {"", false},
        {"\n\n", false},
        {";\n", false},
        {"\xEF\xBB\xBF", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_row(ROWS[i].head, enedis_csv_recognises(str_of(ROWS[i].head)) == ROWS[i].is_one);
}

/* ---- real files, when they are at hand ---- */

static bool sample(const char *name, struct outcome *o)
{
    char path[FS_PATH_BYTES];
    struct buf csv;

    (void)snprintf(path, sizeof path, SAMPLES "%s", name);
    if (!fs_exists(path)) {
        print_message("skipped: %s is not here\n", name);
        return false;
    }
    outcome_init(o);
    o->quiet = true;
    read_file(SAMPLES, name, "", &csv);
    assert_true(enedis_csv_recognises((struct str){csv.data, 4096}));
    assert_ok(parse(text_of(&csv), o));
    buf_done(&csv);
    return true;
}

static int64_t at(const char *text)
{
    int64_t instant;

    assert_ok(clock_parse(str_of(text), &instant, NULL));
    return instant;
}

static void a_year_of_half_hours_is_read(void **state)
{
    struct outcome o;

    (void)state;
    if (!sample("enedis-portal/consoexemple.csv", &o))
        return;
    assert_int_equal(o.curve, 17520);
    assert_int_equal(o.readings, 17520);
    assert_int_equal(o.lengths[1800], 17520);
    assert_true(o.in_order);
    assert_int_equal(o.first_at, at("2022-07-28T22:00:00Z"));
    assert_int_equal(o.last_at, at("2023-07-28T22:00:00Z"));
    assert_int_equal(o.last_at - o.first_at, 17520 * 1800); /* no hole */
    assert_int_equal(o.numerators, INT64_C(7302599) * 60);
    assert_int_equal(o.rejected + o.doubts, 0);
    outcome_done(&o);
}

static void half_a_year_of_indexes_is_read(void **state)
{
    static const int64_t REGISTERS[] = {1083540, 1412200, 242503, 306317, 199733, 224927};
    struct outcome o;

    (void)state;
    if (!sample("enedis-portal/Enedis_Conso_Jour_20240109-20240725_1429xxxxxxxxxx.csv", &o))
        return;
    assert_int_equal(o.index, 198);
    assert_int_equal(o.daily, 197);
    assert_int_equal(o.numerators, 3469220);
    assert_int_equal(o.last_index - o.first_index, 3469220);
    for (size_t i = 0; i < COUNT_OF(REGISTERS); i++)
        assert_int_equal(o.last_registers[i] - o.first_registers[i], REGISTERS[i]);
    assert_int_equal(o.most, 51866);
    assert_int_equal(o.least, 6137);
    assert_int_equal(o.first_at, at("2024-01-10T00:00:00+01:00"));
    assert_int_equal(o.last_at, at("2024-07-25T00:00:00+02:00"));
    assert_int_equal(o.rejected + o.doubts, 0);
    outcome_done(&o);
}

/* 391 lines have an index; 2021-10-31 is there twice with the same one, and 2021-03-28 is not there. */
static void a_history_of_two_sections_is_read(void **state)
{
    struct outcome o;

    (void)state;
    if (!sample("enedis-sge/Enedis_SGE_HDM_A06NW10D.csv", &o))
        return;
    assert_int_equal(o.index, 390);
    assert_int_equal(o.first_index, 15747);
    assert_int_equal(o.last_index, 9723814);
    assert_int_equal(o.daily, 389);
    assert_int_equal(o.numerators, 9708067);
    assert_int_equal(o.first_at, at("2021-01-08T00:00:00+01:00"));
    assert_int_equal(o.last_at, at("2022-02-02T00:00:00+01:00"));
    assert_int_equal(o.peaks, 389); /* of 390 values one is a full counter */
    assert_int_equal(o.rejected, 1);
    assert_int_equal(o.doubts, 0);
    outcome_done(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fixture_yields_its_listing),
        cmocka_unit_test(local_times_are_placed_as_their_offsets_would),
        cmocka_unit_test(the_size_of_blocks_changes_nothing),
        cmocka_unit_test(each_prefix_of_a_file_is_read_without_harm),
        cmocka_unit_test(damaged_files_are_read_without_harm),
        cmocka_unit_test(each_failing_allocation_ends_the_parse_and_leaves_nothing),
        cmocka_unit_test(a_failing_input_ends_the_parse),
        cmocka_unit_test(a_failing_sink_ends_the_parse),
        cmocka_unit_test(long_files_are_read_in_the_same_memory),
        cmocka_unit_test(ten_million_readings_are_the_most),
        cmocka_unit_test(repeated_days_do_not_fill_the_memory),
        cmocka_unit_test(recognises_by_the_first_lines),
        cmocka_unit_test(a_year_of_half_hours_is_read),
        cmocka_unit_test(half_a_year_of_indexes_is_read),
        cmocka_unit_test(a_history_of_two_sections_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
