#include "tests/harness/test.h"

#include "pds/api/values.h"
#include "pds/base/auto.h"
#include "pds/base/limits.h"

static const struct dataset DATASET = {
    .name = "a.b",
    .values = {{.name = "value", .denominator = 60}, {.name = "peak", .denominator = 1000}},
    .value_count = 2};

static void numbers_become_numerators(void **state)
{
    static const struct {
        const char *text;
        enum err outcome;
        int64_t value, peak;
        uint32_t given;
    } ROWS[] = {
        {"{}", ERR_OK, -1, -1, 0},
        {"{\"value\":2}", ERR_OK, 120, -1, 1},
        {"{\"value\":-0.5,\"peak\":1.25}", ERR_OK, -30, 1250, 3},
        {"{\"peak\":0.0005}", ERR_OK, -1, 1, 2}, /* half away from zero */
        {"{\"value\":1.5,\"other\":true}", ERR_OK, 90, -1, 1},
        {"{\"value\":\"2\"}", ERR_INVALID, -1, -1, 0},
        {"{\"value\":null}", ERR_INVALID, -1, -1, 0},
        {"{\"value\":1e13}", ERR_INVALID, -1, -1, 0},
        {"{\"value\":9223372036854775807}", ERR_INVALID, -1, -1, 0},
    };

    (void)state;
    json_start();
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(json_freep) json_t *object = NULL;
        int64_t values[DATASET_VALUES_MAX] = {-1, -1};
        uint32_t given = 0;

        assert_ok(json_read(str_of(ROWS[i].text), (size_t)KIB, &object));
        assert_row(ROWS[i].text, values_read(object, &DATASET, values, &given) == ROWS[i].outcome);
        assert_row(ROWS[i].text, values[0] == ROWS[i].value && values[1] == ROWS[i].peak);
        assert_row(ROWS[i].text, given == ROWS[i].given);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_become_numerators)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
