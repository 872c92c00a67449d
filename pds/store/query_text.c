#include "pds/store/query_text.h"

#include "pds/base/clock.h"
#include "pds/store/record.h"

#include <inttypes.h>

void query_text_init(struct query_text *t, struct query *q, const struct query_options *options,
                     enum query_format format, int64_t limit)
{
    *t = (struct query_text){.query = q, .options = options, .format = format, .limit = limit};
}

enum err query_format_read(struct str word, enum query_format *out)
{
    if (str_eq(word, STR("json")))
        *out = QUERY_JSON;
    else if (str_eq(word, STR("csv")))
        *out = QUERY_CSV;
    else
        return err_set(ERR_INVALID, "format is neither json nor csv");
    return ERR_OK;
}

static void add_instant(struct buf *out, int64_t instant)
{
    char *to = buf_reserve(out, CLOCK_TEXT_BYTES);

    if (!to)
        return;
    clock_text(instant, to);
    buf_grew(out, CLOCK_TEXT_BYTES - 1);
}

/* A share of 1 with four places. */
static void add_share(struct buf *out, int64_t part, int64_t whole)
{
    int64_t parts = whole > 0 ? (part * 20000 / whole + 1) / 2 : 0;

    if (parts == 10000 && part < whole)
        parts = 9999; /* 1 is said of nothing but the whole */
    record_value_text(out, parts, 10000);
}

static void head(struct query_text *t, struct buf *out)
{
    const struct dataset *d = t->options->dataset;
    const char *step = step_text(t->options->step);

    if (t->format == QUERY_JSON) {
        buf_printf(out, "{\"dataset\":\"%s\",\"unit\":\"%s\",\"step\":%s%s%s,\"records\":[", d->name, d->unit,
                   step ? "\"" : "", step ? step : "null", step ? "\"" : "");
        return;
    }
    buf_text(out, "start,end");
    for (size_t i = 0; i < d->value_count; i++)
        buf_printf(out, ",%s", d->values[i].name);
    buf_text(out, step ? ",quality,coverage" : ",quality");
    buf_text(out, t->options->origins ? ",source,grain,import,line\r\n" : "\r\n");
}

/* Words of a format for what is told of where a record comes from. */
struct origin_words {
    const char *source, *grain, *import, *quote, *line, *none;
};
static const struct origin_words ORIGIN_JSON = {
    ",\"source\":", ",\"grain\":", ",\"import\":", "\"", ",\"line\":", "null"};
static const struct origin_words ORIGIN_CSV = {",", ",", ",", "", ",", ""};

/* grains and ids are of our own making: words without a mark that either format knows. */
static enum err add_origin(struct query_text *t, const struct query_row *row, struct buf *out)
{
    const struct origin_words *w = t->format == QUERY_JSON ? &ORIGIN_JSON : &ORIGIN_CSV;
    struct query_origin origin;
    enum err e = query_origin(t->query, row, &origin);

    if (e)
        return e;
    buf_printf(out, "%s%" PRId64 "%s%s%.*s%s%s", w->source, origin.source_id, w->grain, w->quote,
               STR_ARGS(origin.grain), w->quote, w->import);
    if (origin.import.len)
        buf_printf(out, "%s%.*s%s", w->quote, STR_ARGS(origin.import), w->quote);
    else
        buf_text(out, w->none);
    buf_text(out, w->line);
    if (row->line)
        buf_printf(out, "%" PRId64, row->line);
    else
        buf_text(out, w->none);
    return ERR_OK;
}

static enum err row_json(struct query_text *t, const struct query_row *row, struct buf *out)
{
    const struct dataset *d = t->options->dataset;
    enum err e;

    buf_text(out, t->given ? ",{\"start\":\"" : "{\"start\":\"");
    add_instant(out, row->start_at);
    buf_text(out, "\",\"end\":\"");
    add_instant(out, row->end_at);
    buf_char(out, '"');
    for (size_t i = 0; i < d->value_count; i++) {
        if (!(row->present & (1U << i)))
            continue;
        buf_text(out, ",\"");
        buf_text(out, d->values[i].name);
        buf_text(out, "\":");
        record_value_text(out, row->values[i], d->values[i].denominator);
    }
    buf_text(out, ",\"quality\":\"");
    buf_text(out, record_quality_name(row->quality) ? record_quality_name(row->quality) : "estimated");
    buf_char(out, '"');
    if (t->options->step != STEP_NONE && !d->instant) {
        buf_text(out, ",\"coverage\":");
        add_share(out, row->covered_s, row->end_at - row->start_at);
    }
    if (t->options->origins && (e = add_origin(t, row, out)))
        return e;
    buf_char(out, '}');
    return ERR_OK;
}

static enum err row_csv(struct query_text *t, const struct query_row *row, struct buf *out)
{
    const struct dataset *d = t->options->dataset;
    enum err e;

    add_instant(out, row->start_at);
    buf_char(out, ',');
    add_instant(out, row->end_at);
    for (size_t i = 0; i < d->value_count; i++) {
        buf_char(out, ',');
        if (row->present & (1U << i))
            record_value_text(out, row->values[i], d->values[i].denominator);
    }
    buf_char(out, ',');
    buf_text(out, record_quality_name(row->quality) ? record_quality_name(row->quality) : "estimated");
    if (t->options->step != STEP_NONE) {
        buf_char(out, ',');
        if (!d->instant)
            add_share(out, row->covered_s, row->end_at - row->start_at);
    }
    if (t->options->origins && (e = add_origin(t, row, out)))
        return e;
    buf_text(out, "\r\n");
    return ERR_OK;
}

static void tail(struct query_text *t, const struct query_row *next, struct buf *out)
{
    int64_t covered, span;

    t->ended = true;
    if (t->format != QUERY_JSON)
        return;
    query_coverage(t->query, next, &covered, &span);
    buf_text(out, "],\"coverage\":");
    add_share(out, covered, span);
    buf_text(out, ",\"next\":");
    if (next) {
        buf_char(out, '"');
        add_instant(out, next->start_at);
        buf_char(out, '"');
    } else {
        buf_text(out, "null");
    }
    buf_text(out, "}\n");
}

enum err query_text_fill(struct query_text *t, struct buf *out, size_t want)
{
    struct query_row row = {0};
    enum err e;

    if (!t->begun)
        head(t, out);
    t->begun = true;
    while (!t->ended && out->len < want) {
        e = query_next(t->query, &row);
        if (e && e != ERR_NOT_FOUND)
            return e;
        if (e || t->given == t->limit)
            tail(t, e ? NULL : &row, out);
        else if ((e = t->format == QUERY_JSON ? row_json(t, &row, out) : row_csv(t, &row, out)))
            return e;
        t->given++;
    }
    return buf_err(out);
}
