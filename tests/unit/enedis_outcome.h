/* What the parser of Enedis files yields, as a listing and as sums, for the tests of its parts. */
#ifndef UNIT_ENEDIS_OUTCOME_H
#define UNIT_ENEDIS_OUTCOME_H
#include "tests/harness/test.h"

#include "connectors/files/enedis_csv.h"
#include "pds/base/buf.h"
#include "pds/base/clock.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/base/zone.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIXTURES TEST_ROOT "/tests/fixtures/energy/"
#define SAMPLES  TEST_ROOT "/../shared/samples/energy/"

/* A text, given out by pieces. */
struct source {
    struct str text;
    size_t at, piece;
    size_t fails_at; /* SIZE_MAX: never */
};

static inline enum err source_read(void *context, void *out, size_t size, size_t *got)
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

static inline void count_index(struct outcome *o, const struct reading *r)
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

static inline void count_energy(struct outcome *o, const struct reading *r)
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

static inline void list(struct outcome *o, const struct reading *r)
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

static inline enum err outcome_take(void *context, const struct reading *r)
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

static inline void outcome_tell(void *context, const char *dataset, int64_t line, int rejected,
                                const char *reason)
{
    struct outcome *o = context;

    assert_true(line > 0);
    assert_true(!dataset || strncmp(dataset, "energy.electricity.", 19) == 0);
    o->rejected += rejected;
    o->doubts += !rejected;
    if (!o->quiet)
        buf_printf(&o->listing, "line %" PRId64 ": %s: %s\n", line, rejected ? "rejected" : "doubt", reason);
}

static inline void outcome_init(struct outcome *o)
{
    *o = (struct outcome){0};
    buf_init(&o->listing, 64 * MIB);
}
static inline void outcome_done(struct outcome *o) { buf_done(&o->listing); }

static inline enum err parse_source(const struct source *s, struct outcome *o)
{
    struct source copy = *s;
    struct reading_input in = {source_read, &copy};
    struct reading_options options = {zone_paris()};
    struct reading_sink sink = {outcome_take, outcome_tell, o};

    return enedis_csv_parse(&in, &options, &sink);
}

static inline enum err parse(struct str text, struct outcome *o)
{
    struct source s = {text, 0, SIZE_MAX, SIZE_MAX};

    return parse_source(&s, o);
}

static inline void read_file(const char *dir, const char *name, const char *suffix, struct buf *out)
{
    char path[FS_PATH_BYTES];

    (void)snprintf(path, sizeof path, "%s%s%s", dir, name, suffix);
    buf_init(out, 64 * MIB);
    assert_ok(fs_read(path, 64 * MIB, out));
}

static inline struct str text_of(const struct buf *b) { return (struct str){b->data ? b->data : "", b->len}; }

/* A real file, when it is at hand; false when not. */
static inline bool sample(const char *name, struct outcome *o)
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

static inline int64_t instant_of(const char *text)
{
    int64_t instant;

    assert_ok(clock_parse(str_of(text), &instant, NULL));
    return instant;
}
#endif
