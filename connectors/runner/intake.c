#include "connectors/runner/intake.h"

#include "connectors/files/format.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/limits.h"
#include "pds/store/import.h"

#include <inttypes.h>
#include <string.h>

struct intake {
    const struct intake_options *options;
    struct import *import;
    int64_t rejected; /* lines refused before it was known of which dataset */
    json_t *warnings; /* {"<dataset>": […]}, "" for none yet; owned by intake_file() */
    size_t warning_count;
};

/* A fraction of the file as a numerator of the dataset, rounded half away from zero. */
static enum err scale(const struct reading_value *v, int64_t denominator, int64_t *out)
{
    int64_t product, half = v->denominator / 2;

    if (v->denominator == denominator) {
        *out = v->numerator;
        return ERR_OK;
    }
    if (__builtin_mul_overflow(v->numerator, denominator, &product) ||
        __builtin_add_overflow(product, product < 0 ? -half : half, &product))
        return err_set(ERR_INVALID, "a value out of range");
    *out = product / v->denominator;
    return ERR_OK;
}

static enum err record_of(const struct reading *r, const struct dataset *d, struct record *out)
{
    enum err e;

    *out = (struct record){.start_at = r->start_at, .end_at = r->end_at, .line = r->line};
    if ((e = record_quality_read(str_of(r->quality), &out->quality)))
        return e;
    for (size_t i = 0; i < r->value_count; i++) {
        int place = dataset_value(d, r->values[i].name);

        if (place < 0)
            return err_set(ERR_INTERNAL, "%s has no value %s", d->name, r->values[i].name);
        if ((e = scale(&r->values[i], d->values[place].denominator, &out->values[place])))
            return e;
        out->present |= 1U << place;
    }
    return out->present & 1U ? ERR_OK
                             : err_set(ERR_INTERNAL, "a reading of %s without its main value", d->name);
}

static enum err take(void *context, const struct reading *r)
{
    struct intake *in = context;
    const struct dataset *d;
    struct record record;
    enum err e;

    if (dataset_find(str_of(r->dataset), &d))
        return err_set(ERR_INTERNAL, "format yields the unknown dataset %s", r->dataset);
    if (in->options->only && in->options->only != d)
        return ERR_OK;
    if ((e = record_of(r, d, &record)))
        return err_wrap(e, "line %" PRId64, r->line);
    return import_add(in->import, d, r->provider, r->reference, r->grain, &record);
}

static void tell(void *context, const char *dataset, int64_t line, int rejected, const char *reason)
{
    struct intake *in = context;
    const struct dataset *d = NULL;
    const char *key = dataset ? dataset : "";
    json_t *list = json_object_get(in->warnings, key);

    if (dataset && (dataset_find(str_of(dataset), &d) || (in->options->only && in->options->only != d)))
        return;
    if (rejected && d)
        import_reject(in->import, d);
    else if (rejected)
        in->rejected++;
    if (in->warning_count++ >= LIMIT_WARNINGS)
        return;
    if (!list && (!(list = json_array()) || json_object_set_new(in->warnings, key, list)))
        return; /* without memory a warning is lost, not the data: the count says so */
    (void)json_array_append_new(
        list, json_pack("{s:I, s:s}", "line", (json_int_t)line, "reason", reason)); /* as above */
}

static json_t *value_or_null(const struct import_count *n)
{
    int64_t denominator = n->dataset->values[0].denominator;

    if (n->dataset->aggregate != DATASET_SUM)
        return json_null();
    return n->total % denominator == 0 ? json_integer(n->total / denominator)
                                       : json_real((double)n->total / (double)denominator);
}

static json_t *instant_or_null(bool any, int64_t instant)
{
    char text[CLOCK_TEXT_BYTES];

    if (!any)
        return json_null();
    clock_text(instant, text);
    return json_string(text);
}

/* The warnings of one dataset; the first entry takes those of no known one too. */
static json_t *warnings_of(struct intake *in, const char *dataset, bool first)
{
    json_t *list = json_array(), *early = json_object_get(in->warnings, "");

    if (list && first && early)
        (void)json_array_extend(list, early); /* as in tell() */
    if (list && dataset && json_object_get(in->warnings, dataset))
        (void)json_array_extend(list, json_object_get(in->warnings, dataset)); /* as in tell() */
    return list;
}

static enum err add_entry(struct intake *in, const char *format, const struct import_count *n, bool first,
                          json_t *entries)
{
    static const struct import_count none = {0};
    const char *dataset = n ? n->dataset->name : NULL;
    const struct import_count *c = n ? n : &none;
    int64_t rejected = c->rejected + (first ? in->rejected : 0);
    json_t *entry =
        json_pack("{s:s, s:s, s:s, s:s?, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:s?, s:I, s:o}", "file",
                  import_file(in->import), "import", import_id(in->import), "format", format, "dataset",
                  dataset, "new", (json_int_t)c->new_count, "same", (json_int_t)c->same, "replaced",
                  (json_int_t)c->replaced, "rejected", (json_int_t)rejected, "first",
                  instant_or_null(c->any, c->first), "last", instant_or_null(c->any, c->last), "total",
                  n ? value_or_null(n) : json_null(), "unit", n ? n->dataset->unit : NULL, "gaps",
                  (json_int_t)c->gaps, "warnings", warnings_of(in, dataset, first));

    if (json_array_append_new(entries, entry))
        return err_set(ERR_NO_MEMORY, "answer of an import");
    return ERR_OK;
}

/* Entries by the dataset's name: what people look for (consumption) comes before what it was read from
 * (index). */
static enum err add_entries(struct intake *in, const char *format, json_t *entries)
{
    const struct import_count *counts, *next, *last = NULL;
    size_t count = import_counts(in->import, &counts);
    enum err e;

    if (count == 0)
        return add_entry(in, format, NULL, true, entries);
    for (size_t n = 0; n < count; n++) {
        next = NULL;
        for (size_t i = 0; i < count; i++) {
            const char *name = counts[i].dataset->name;

            if ((!last || strcmp(name, last->dataset->name) > 0) &&
                (!next || strcmp(name, next->dataset->name) < 0))
                next = &counts[i];
        }
        last = next;
        if ((e = add_entry(in, format, next, n == 0, entries)))
            return e;
    }
    return ERR_OK;
}

enum err intake_file(const struct intake_options *options, struct str file, const struct reading_input *input,
                     json_t *entries)
{
    AUTO(import_freep) struct import *import = NULL;
    AUTO(json_freep) json_t *warnings = json_object();
    struct intake in = {.options = options, .warnings = warnings};
    const struct reading_options reading = {.zone = options->zone};
    const struct reading_sink sink = {.take = take, .tell = tell, .context = &in};
    const struct format *format = NULL;
    enum err e;

    if (!warnings)
        return err_set(ERR_NO_MEMORY, "import");
    if ((e = import_new(options->vault, file, options->now, &import)))
        return e;
    in.import = import;
    if ((e = format_read(input, &reading, &sink, &format))) {
        import_fail(import, e, options->now);
        return e;
    }
    import_set_format(import, format->name);
    if ((e = import_close(import, options->now))) {
        import_fail(import, e, options->now);
        return e;
    }
    return add_entries(&in, format->name, entries);
}

enum err intake_add_failure(json_t *entries, struct str file, enum err failure)
{
    char label[IMPORT_FILE_BYTES];
    json_t *entry;

    import_label(file, label);
    entry = json_pack("{s:s, s:{s:s, s:s}}", "file", label, "error", "type", err_row(failure)->name, "detail",
                      err_story());
    return json_array_append_new(entries, entry) ? err_set(ERR_NO_MEMORY, "answer of an import") : ERR_OK;
}
