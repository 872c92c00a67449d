#include "tests/harness/fault.h"
#include "tests/harness/test.h"

#include "pds/api/problem.h"
#include "pds/api/route.h"
#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/httpd/header.h"

#include <stdio.h>
#include <string.h>

static const char *header_of(const struct response *r, const char *name)
{
    for (size_t i = 0; i < r->header_count; i++) {
        if (strcmp(r->headers[i].name, name) == 0)
            return r->headers[i].value;
    }
    return NULL;
}

/* The problem of an outcome in a language, of a route or none; the tree is the caller's. */
static json_t *problem_of(const struct route *route, enum err e, const char *language, int retry_after_s,
                          struct response *response)
{
    struct headers headers = {.at = {{STR("Accept-Language"), str_of(language)}}, .count = 1};
    struct request request = {.route = route, .transport = &headers};
    json_t *tree = NULL;

    response_init(response);
    (void)err_set(e, "the story of row %d", (int)e);
    problem_fill(&request, e, retry_after_s, response);
    assert_ok(json_read((struct str){response->body.data, response->body.len}, (size_t)MIB, &tree));
    return tree;
}

static json_t *problem(enum err e, const char *language, int retry_after_s, struct response *response)
{
    static const struct route OWNERS = {.access = ACCESS_OWNER};

    return problem_of(&OWNERS, e, language, retry_after_s, response);
}

static const char *text_at(const json_t *tree, const char *key)
{
    return json_string_value(json_object_get(tree, key));
}

static void every_outcome_has_its_problem_in_both_languages(void **state)
{
    (void)state;
    for (enum err e = ERR_OK + 1; e < ERR_COUNT; e++) {
        const struct err_row *row = err_row(e);
        struct response french, english;
        AUTO(json_freep) json_t *fr = problem(e, "fr-FR, fr;q=0.9, en;q=0.5", 0, &french);
        AUTO(json_freep) json_t *en = problem(e, "en", 0, &english);
        char type[64], wanted[64];
        bool silent = row->http == 401 || row->http == 403,
             waits = (row->http == 503 && e != ERR_CORRUPT) || row->http == 429;

        problem_type(e, type, sizeof type);
        (void)snprintf(wanted, sizeof wanted, "urn:traboule:problem:%s", row->name);
        assert_string_equal(type, wanted);
        assert_string_equal(text_at(en, "type"), type);
        assert_string_equal(text_at(fr, "type"), type);
        assert_string_equal(text_at(en, "title"), row->title);
        assert_row(row->name, strcmp(text_at(fr, "title"), row->title) != 0);
        assert_int_equal(json_integer_value(json_object_get(en, "status")), row->http);
        assert_int_equal(english.status, row->http);
        assert_string_equal(english.type, "application/problem+json");
        assert_row(row->name, silent == !json_object_get(en, "detail"));
        assert_row(row->name, waits == (header_of(&english, "Retry-After") != NULL));
        assert_int_equal(json_object_size(en), silent ? 3 : 4);
        response_done(&french);
        response_done(&english);
    }
}

/* Whoever is not signed in hears what is wrong with the request, nothing of the store or the machine. */
static void where_anyone_may_ask_only_the_request_is_told(void **state)
{
    static const struct route ANYONES = {.access = ACCESS_ANYONE}, LOOPBACKS = {.access = ACCESS_LOOPBACK};
    static const struct route *const ROUTES_OF_ALL[] = {&ANYONES, &LOOPBACKS, NULL};
    enum { ROUTES_COUNT = 3 };
    static const enum err TOLD[] = {ERR_INVALID, ERR_UNSUPPORTED, ERR_TOO_LARGE,
                                    ERR_METHOD,  ERR_MISDIRECTED, ERR_THROTTLED};

    (void)state;
    for (size_t i = 0; i < ROUTES_COUNT; i++)
        for (enum err e = ERR_OK + 1; e < ERR_COUNT; e++) {
            struct response r;
            AUTO(json_freep) json_t *tree = problem_of(ROUTES_OF_ALL[i], e, "en", 0, &r);
            bool told = false;

            for (size_t n = 0; n < COUNT_OF(TOLD); n++)
                told = told || TOLD[n] == e;
            assert_row(err_row(e)->name, told == (json_object_get(tree, "detail") != NULL));
            response_done(&r);
        }
}

static void a_time_to_wait_is_told_as_given(void **state)
{
    struct response r;
    AUTO(json_freep) json_t *tree = problem(ERR_THROTTLED, "en", 37, &r);

    (void)state;
    assert_non_null(tree);
    assert_string_equal(header_of(&r, "Retry-After"), "37");
    response_done(&r);
}

static void what_a_handler_had_put_is_gone(void **state)
{
    struct headers headers = {0};
    struct request request = {.transport = &headers};
    struct response r;

    (void)state;
    response_init(&r);
    r.status = 200;
    buf_text(&r.body, "half an answer");
    assert_ok(response_header(&r, "Set-Cookie", "traboule=secret"));
    (void)err_set(ERR_IO, "a disk");
    problem_fill(&request, ERR_IO, 0, &r);
    assert_null(header_of(&r, "Set-Cookie"));
    assert_int_equal(r.status, 500);
    assert_true(r.body.len > 0 && r.body.data[0] == '{');
    response_done(&r);
}

static void without_memory_the_status_is_told_all_the_same(void **state)
{
    struct headers headers = {0};
    struct request request = {.transport = &headers};
    bool hit = true;

    (void)state;
    for (long nth = 1; hit; nth++) {
        struct response r;
        long live = mem_live();

        response_init(&r);
        (void)err_set(ERR_LOCKED, "the store is locked");
        mem_fail_at(nth);
        problem_fill(&request, ERR_LOCKED, 0, &r);
        hit = mem_fail_hit();
        mem_fail_at(0);
        assert_int_equal(r.status, 503);
        response_done(&r);
        assert_int_equal(mem_live(), live);
    }
}

static int setup(void **state)
{
    (void)state;
    json_start();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_has_its_problem_in_both_languages),
        cmocka_unit_test(where_anyone_may_ask_only_the_request_is_told),
        cmocka_unit_test(a_time_to_wait_is_told_as_given),
        cmocka_unit_test(what_a_handler_had_put_is_gone),
        cmocka_unit_test(without_memory_the_status_is_told_all_the_same),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
