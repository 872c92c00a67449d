#include "tests/harness/test.h"
#include "tests/harness/fault.h"

#include "pds/api/document_form.h"
#include "pds/base/auto.h"
#include "pds/base/json.h"

#include <string.h>

static enum err read(const char *text, struct arena *arena, json_t **body, struct document_facts *out)
{
    enum err e = json_read(str_of(text), 4096, body);

    return e ? e : document_form_json(*body, arena, out);
}

static void members_become_facts(void **state)
{
    AUTO(json_freep) json_t *body = NULL;
    AUTO(arena_done) struct arena arena;
    struct document_facts f = {0};

    (void)state;
    arena_init(&arena, 4096);
    assert_ok(read(
        "{\"kind\":\"lease\",\"number\":\"7\",\"issued\":null,\"expires\":\"2030-01-01\",\"tags\":[\"a\","
        "\"b\"],\"remind_days\":0}",
        &arena, &body, &f));
    assert_true(str_eq(f.kind, STR("lease")));
    assert_true(str_eq(f.reference, STR("7")));
    assert_true(f.issued_on.ptr && f.issued_on.len == 0); /* taken away */
    assert_true(str_eq(f.expires_on, STR("2030-01-01")));
    assert_null(f.title.ptr); /* not told */
    assert_null(f.note.ptr);
    assert_int_equal(f.remind_days, 0);
    assert_true(f.has_tags);
    assert_int_equal(f.tag_count, 2);
    assert_true(f.tags && str_eq(f.tags[1], STR("b")));
}

static void nothing_told_is_nothing_changed(void **state)
{
    AUTO(json_freep) json_t *body = NULL;
    AUTO(arena_done) struct arena arena;
    struct document_facts f = {0};

    (void)state;
    arena_init(&arena, 4096);
    assert_ok(read("{}", &arena, &body, &f));
    assert_int_equal(f.remind_days, -1);
    assert_false(f.has_tags);
}

static void members_that_are_wrong_are_named(void **state)
{
    static const struct {
        const char *text, *story;
    } ROWS[] = {
        {"{\"title\":3}", "title is no text"},     {"{\"title\":null}", "title is no text"},
        {"{\"tags\":\"a\"}", "tags is no array"},  {"{\"tags\":[1]}", "tag 1 is no text"},
        {"{\"remind_days\":-1}", "remind_days"},   {"{\"remind_days\":1.5}", "remind_days"},
        {"{\"remind_days\":3651}", "remind_days"}, {"{\"secret\":\"x\"}", "a member that tells nothing"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(json_freep) json_t *body = NULL;
        AUTO(arena_done) struct arena arena;
        struct document_facts f = {0};

        arena_init(&arena, 4096);
        assert_row(ROWS[i].text, read(ROWS[i].text, &arena, &body, &f) == ERR_INVALID);
        assert_row(ROWS[i].text, strstr(err_story(), ROWS[i].story));
        assert_row(ROWS[i].text,
                   !strstr(err_story(), "secret")); /* a story repeats nothing of a stranger's */
    }
}

static void tags_survive_a_failing_allocation(void **state)
{
    AUTO(json_freep) json_t *body = NULL;
    struct arena arena;
    struct document_facts f = {0};
    enum err e;

    (void)state;
    assert_ok(json_read(STR("{\"tags\":[\"a\"]}"), 100, &body));
    arena_init(&arena, 4096);
    FAIL_EACH_ALLOCATION (e, document_form_json(body, &arena, &f)) {
        assert_int_equal(e, ERR_NO_MEMORY);
    }
    assert_int_equal(f.tag_count, 1);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_become_facts),
        cmocka_unit_test(nothing_told_is_nothing_changed),
        cmocka_unit_test(members_that_are_wrong_are_named),
        cmocka_unit_test(tags_survive_a_failing_allocation),
    };

    json_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
