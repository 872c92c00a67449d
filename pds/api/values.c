#include "pds/api/values.h"

#include <math.h>
#include <stdio.h>

/* A JSON number as a numerator: the first six places count, or as many as the denominator has. */
static enum err numerator_of(const json_t *number, int64_t denominator, int64_t *out)
{
    char text[48];
    int64_t whole;

    if (json_is_integer(number)) {
        if (__builtin_mul_overflow((int64_t)json_integer_value(number), denominator, &whole))
            return err_set(ERR_INVALID, "a value out of range");
        *out = whole;
        return ERR_OK;
    }
    if (!json_is_real(number) || fabs(json_real_value(number)) > 1e12)
        return err_set(ERR_INVALID, "a value is no number within range");
    (void)snprintf(text, sizeof text, "%.*f", denominator > 1000000 ? 9 : 6,
                   json_real_value(number)); /* fits: a sign, 13 digits, a mark, 9 places */
    return str_scaled(str_of(text), denominator, out);
}

enum err values_read(const json_t *object, const struct dataset *d, int64_t values[static DATASET_VALUES_MAX],
                     uint32_t *given)
{
    enum err e;

    for (size_t i = 0; i < d->value_count; i++) {
        const json_t *number = json_object_get(object, d->values[i].name);

        if (!number)
            continue;
        if ((e = numerator_of(number, d->values[i].denominator, &values[i])))
            return err_wrap(e, "%s", d->values[i].name);
        *given |= 1U << i;
    }
    return ERR_OK;
}
