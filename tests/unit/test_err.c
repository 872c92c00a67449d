#include "tests/harness/test.h"

#include <pthread.h>
#include <string.h>

static void every_outcome_has_a_whole_row(void **state)
{
    (void)state;
    for (int e = ERR_OK; e < ERR_COUNT; e++) {
        const struct err_row *row = err_row((enum err)e);
        assert_non_null(row->name);
        assert_non_null(row->title);
        assert_row(row->name, strspn(row->name, "abcdefghijklmnopqrstuvwxyz-") == strlen(row->name));
        assert_row(row->name, row->title[0] >= 'A' && row->title[0] <= 'Z');
        assert_row(row->name, row->exit >= 0 && row->exit <= 4);
        if (e == ERR_OK)
            assert_row(row->name, row->http == 200 && row->exit == 0);
        else
            assert_row(row->name, row->http >= 400 && row->http <= 599 && row->exit > 0);
    }
}

static void no_two_outcomes_share_a_name(void **state)
{
    (void)state;
    for (int a = ERR_OK; a < ERR_COUNT; a++)
        for (int b = a + 1; b < ERR_COUNT; b++)
            assert_string_not_equal(err_row((enum err)a)->name, err_row((enum err)b)->name);
}

static void the_exit_status_tells_usage_damage_and_wrong_keys_apart(void **state)
{
    (void)state;
    assert_int_equal(err_row(ERR_USAGE)->exit, 2);
    assert_int_equal(err_row(ERR_CORRUPT)->exit, 3);
    assert_int_equal(err_row(ERR_WRONG_KEY)->exit, 4);
    assert_int_equal(err_row(ERR_NOT_FOUND)->exit, 1);
}

static void an_unknown_number_is_a_bug_of_ours(void **state)
{
    (void)state;
    assert_ptr_equal(err_row((enum err)ERR_COUNT), err_row(ERR_INTERNAL));
    assert_ptr_equal(err_row((enum err) - 1), err_row(ERR_INTERNAL));
    assert_ptr_equal(err_row((enum err)1000), err_row(ERR_INTERNAL));
}

static void a_story_begins_where_the_failure_is_seen(void **state)
{
    (void)state;
    assert_int_equal(err_set(ERR_NOT_FOUND, "grant %s", "01J"), ERR_NOT_FOUND);
    assert_string_equal(err_story(), "grant 01J");
    assert_int_equal(err_set(ERR_IO, "disk"), ERR_IO);
    assert_string_equal(err_story(), "disk");
}

static void what_was_tried_stands_before_the_story(void **state)
{
    enum err e = err_set(ERR_BUSY, "row %d", 7);

    (void)state;
    assert_int_equal(err_wrap(e, "reading %s", "grants"), ERR_BUSY);
    assert_int_equal(err_wrap(e, "renewing"), ERR_BUSY);
    assert_string_equal(err_story(), "renewing: reading grants: row 7");
}

static void a_story_that_is_too_long_is_cut(void **state)
{
    char text[2000];

    (void)state;
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    err_begin("%s", text);
    assert_int_equal(strlen(err_story()), 639);
    err_prefix("%s", "before");
    assert_int_equal(strncmp(err_story(), "before: aaaa", 12), 0);
    assert_true(strlen(err_story()) <= 639);
    err_prefix("%s", text); /* leaves no room for what was there */
    assert_int_equal(strlen(err_story()), 639);
}

/* The ends of the room that a prefix leaves: 640 bytes, of which ": " and a NUL are three. */
static void a_prefix_that_just_fits_keeps_a_byte_of_the_story(void **state)
{
    char text[640];

    (void)state;
    memset(text, 'p', sizeof text);
    for (size_t len = 634; len < 639; len++) {
        err_begin("story");
        err_prefix("%.*s", (int)len, text);
        assert_int_equal(strncmp(err_story(), text, len), 0);
        assert_true(strlen(err_story()) < 640);
        if (len == 636)
            assert_int_equal(err_story()[638], 's');
        if (len >= 637)
            assert_int_equal(strlen(err_story()), len);
    }
}

static void *tell_another(void *unused)
{
    err_begin("another thread");
    return unused;
}

static void each_thread_has_its_own_story(void **state)
{
    pthread_t thread;

    (void)state;
    err_begin("this thread");
    assert_int_equal(pthread_create(&thread, NULL, tell_another, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_string_equal(err_story(), "this thread");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_has_a_whole_row),
        cmocka_unit_test(no_two_outcomes_share_a_name),
        cmocka_unit_test(the_exit_status_tells_usage_damage_and_wrong_keys_apart),
        cmocka_unit_test(an_unknown_number_is_a_bug_of_ours),
        cmocka_unit_test(a_story_begins_where_the_failure_is_seen),
        cmocka_unit_test(what_was_tried_stands_before_the_story),
        cmocka_unit_test(a_story_that_is_too_long_is_cut),
        cmocka_unit_test(a_prefix_that_just_fits_keeps_a_byte_of_the_story),
        cmocka_unit_test(each_thread_has_its_own_story),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
