#include "tests/harness/test.h"

#include "pds/audit/event.h"

#include <string.h>

static void each_kind_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < EVENT_KIND_COUNT; i++) {
        const char *name = event_name((enum event_kind)i);
        enum event_kind back;

        assert_non_null(name);
        assert_true(strlen(name) > 2 && strlen(name) < 32);
        assert_ok(event_read(str_of(name), &back));
        assert_int_equal(back, i);
    }
}

static void another_word_is_no_kind(void **state)
{
    enum event_kind kind;

    (void)state;
    assert_err(event_read(STR(""), &kind), ERR_INVALID);
    assert_err(event_read(STR("Imported"), &kind), ERR_INVALID);
    assert_err(event_read(STR("imported "), &kind), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_has_a_name_of_its_own),
        cmocka_unit_test(another_word_is_no_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
