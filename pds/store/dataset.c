#include "pds/store/dataset.h"

#include "pds/base/auto.h"
#include "pds/base/embed.h"
#include "pds/base/mem.h"

#include <assert.h>
#include <string.h>

extern const struct embed DATASET_FILES[];

enum { DATASETS_MAX = 64, DATASET_FILE_BYTES = 32 * 1024 };

static struct dataset registry[DATASETS_MAX];
static size_t registered;

static const char *const AGGREGATES[] = {
    [DATASET_SUM] = "sum", [DATASET_MAX] = "max", [DATASET_LAST] = "last"};

const char *dataset_aggregate_name(enum dataset_aggregate a) { return AGGREGATES[a]; }

static enum err read_aggregate(const json_t *tree, struct dataset *d)
{
    const char *word, *shape;
    enum err e;

    if ((e = json_get_text(tree, "aggregate", &word)) || (e = json_get_text(tree, "shape", &shape)))
        return e;
    d->instant = strcmp(shape, "instant") == 0;
    for (size_t i = 0; i < sizeof AGGREGATES / sizeof *AGGREGATES; i++) {
        if (strcmp(word, AGGREGATES[i]) == 0) {
            d->aggregate = (enum dataset_aggregate)i;
            return ERR_OK;
        }
    }
    return err_set(ERR_INVALID, "aggregate is none of sum, max, last");
}

static enum err read_values(const json_t *tree, struct dataset *d)
{
    json_t *values, *item;
    size_t i;
    enum err e;

    if ((e = json_get_array(tree, "values", &values)))
        return e;
    if (json_array_size(values) == 0 || json_array_size(values) > DATASET_VALUES_MAX)
        return err_set(ERR_INVALID, "values has %zu items", json_array_size(values));
    json_array_foreach(values, i, item)
    {
        if ((e = json_get_text(item, "name", &d->values[i].name)) ||
            (e = json_get_int(item, "denominator", &d->values[i].denominator)) ||
            (e = json_get_int(item, "minimum", &d->values[i].minimum)))
            return e;
        d->values[i].unit = d->unit;
        d->values[i].maximum = INT64_MAX;
        if ((json_object_get(item, "unit") && (e = json_get_text(item, "unit", &d->values[i].unit))) ||
            (json_object_get(item, "maximum") && (e = json_get_int(item, "maximum", &d->values[i].maximum))))
            return e;
        if (d->values[i].denominator < 1)
            return err_set(ERR_INVALID, "denominator of value %zu", i);
    }
    d->value_count = json_array_size(values);
    return ERR_OK;
}

static enum err read_steps(const json_t *tree, struct dataset *d)
{
    json_t *steps, *item;
    size_t i;
    enum err e;

    if ((e = json_get_array(tree, "steps", &steps)))
        return e;
    if (json_array_size(steps) > DATASET_STEPS_MAX)
        return err_set(ERR_INVALID, "steps has %zu items", json_array_size(steps));
    json_array_foreach(steps, i, item)
    {
        if ((e = step_parse(str_of(json_string_value(item)), &d->steps[i])))
            return e;
    }
    d->step_count = json_array_size(steps);
    return ERR_OK;
}

static enum err read_file(const struct embed *file, struct dataset *d)
{
    json_t *words;
    AUTO(json_freep) json_t *tree = NULL;
    struct str text = {file->start, (size_t)(file->end - file->start)};
    enum err e;

    *d = (struct dataset){0};
    if ((e = json_read(text, DATASET_FILE_BYTES, &tree)) || (e = json_get_text(tree, "name", &d->name)) ||
        (e = json_get_text(tree, "unit", &d->unit)) || (e = json_get_object(tree, "title", &words)) ||
        (e = json_get_object(tree, "description", &words)) || (e = json_get_object(tree, "schema", &words)) ||
        (e = read_aggregate(tree, d)) || (e = read_values(tree, d)) || (e = read_steps(tree, d)))
        return e;
    d->tree = tree;
    tree = NULL; /* the registry's now */
    return ERR_OK;
}

enum err dataset_start(void)
{
    enum err e;

    if (registered > 0)
        return ERR_OK;
    for (const struct embed *file = DATASET_FILES; file->name; file++) {
        assert(registered < DATASETS_MAX);
        if ((e = read_file(file, &registry[registered]))) {
            dataset_stop();
            return err_set(e == ERR_NO_MEMORY ? e : ERR_INTERNAL, "dataset file %s", file->name);
        }
        registered++;
    }
    return ERR_OK;
}

void dataset_stop(void)
{
    while (registered > 0) {
        registered--;
        json_decref(registry[registered].tree);
    }
}

size_t dataset_count(void) { return registered; }

const struct dataset *dataset_at(size_t i)
{
    assert(i < registered);
    return &registry[i];
}

enum err dataset_find(struct str name, const struct dataset **out)
{
    for (size_t i = 0; i < registered; i++) {
        if (str_eq(name, str_of(registry[i].name))) {
            *out = &registry[i];
            return ERR_OK;
        }
    }
    return err_set(ERR_NOT_FOUND, "no dataset has this name of %zu bytes", name.len);
}

bool dataset_has_step(const struct dataset *d, enum step step)
{
    for (size_t i = 0; i < d->step_count; i++) {
        if (d->steps[i] == step)
            return true;
    }
    return false;
}

int dataset_value(const struct dataset *d, const char *name)
{
    for (size_t i = 0; i < d->value_count; i++) {
        if (strcmp(d->values[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

enum err dataset_check_values(const struct dataset *d, const int64_t values[static DATASET_VALUES_MAX],
                              uint32_t present)
{
    for (size_t i = 0; i < d->value_count; i++) {
        if (!(present & (1U << i)))
            continue;
        if (values[i] < d->values[i].minimum)
            return err_set(ERR_INVALID, "%s is below what %s allows", d->values[i].name, d->name);
        if (values[i] > d->values[i].maximum)
            return err_set(ERR_INVALID, "%s is over what %s allows", d->values[i].name, d->name);
    }
    return ERR_OK;
}
