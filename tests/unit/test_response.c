#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/mem.h"
#include "pds/httpd/response.h"

#include <stdio.h>
#include <string.h>

static const char *header_of(const struct response *r, const char *name)
{
    for (size_t i = 0; i < r->header_count; i++)
        if (strcmp(r->headers[i].name, name) == 0)
            return r->headers[i].value;
    return NULL;
}

static void header_is_kept_and_formatted(void **state)
{
    (void)state;
    AUTO(response_done) struct response r;

    response_init(&r);
    assert_int_equal(response_header(&r, "Retry-After", "%d", 7), ERR_OK);
    assert_string_equal(header_of(&r, "Retry-After"), "7");
    assert_int_equal(r.status, 200);
}

static void header_cannot_break_its_line(void **state)
{
    (void)state;
    AUTO(response_done) struct response r;
    char longest[9000];

    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    response_init(&r);
    assert_int_equal(response_header(&r, "Location", "%s", "/a\r\nSet-Cookie: x=1"), ERR_INTERNAL);
    assert_int_equal(response_header(&r, "Location", "%s", "/a\nb"), ERR_INTERNAL);
    assert_int_equal(response_header(&r, "Location", "/a%cb", 0), ERR_INTERNAL);
    assert_int_equal(response_header(&r, "Location", "%s", longest), ERR_INTERNAL);
    assert_int_equal(r.header_count, 0);
    longest[8000] = '\0';
    assert_int_equal(response_header(&r, "Location", "%s", longest), ERR_OK);
    assert_int_equal(r.header_count, 1);
}

static void headers_have_a_ceiling(void **state)
{
    (void)state;
    AUTO(response_done) struct response r;

    response_init(&r);
    for (int i = 0; i < RESPONSE_HEADERS_MAX; i++)
        assert_int_equal(response_header(&r, "Link", "%d", i), ERR_OK);
    assert_int_equal(response_header(&r, "Link", "x"), ERR_INTERNAL);
}

static void json_becomes_the_body(void **state)
{
    (void)state;
    AUTO(response_done) struct response r;
    AUTO(json_freep) json_t *tree = json_pack("{s:i}", "a", 1);

    response_init(&r);
    assert_int_equal(response_json(&r, 201, tree), ERR_OK);
    assert_int_equal(r.status, 201);
    assert_string_equal(r.type, "application/json");
    assert_string_equal(r.body.data, "{\"a\":1}");
}

static void etag_turns_a_known_body_into_304(void **state)
{
    (void)state;
    struct response r;
    char tag[64], weak[80];

    response_init(&r);
    buf_text(&r.body, "some body");
    assert_int_equal(response_etag(&r, (struct str){0}), ERR_OK);
    assert_int_equal(r.status, 200);
    (void)snprintf(tag, sizeof tag, "%s", header_of(&r, "ETag"));
    assert_int_equal(strlen(tag), 34);
    response_done(&r);

    response_init(&r);
    buf_text(&r.body, "some body");
    (void)snprintf(weak, sizeof weak, "\"other\" , W/%s", tag);
    assert_int_equal(response_etag(&r, str_of(weak)), ERR_OK);
    assert_int_equal(r.status, 304);
    assert_int_equal(r.body.len, 0);
    assert_string_equal(header_of(&r, "ETag"), tag);
    response_done(&r);

    response_init(&r);
    buf_text(&r.body, "some other body");
    assert_int_equal(response_etag(&r, str_of(tag)), ERR_OK);
    assert_int_equal(r.status, 200);
    assert_string_not_equal(header_of(&r, "ETag"), tag);
    response_done(&r);
}

static void etag_leaves_failures_alone(void **state)
{
    (void)state;
    AUTO(response_done) struct response r;

    response_init(&r);
    r.status = 404;
    buf_text(&r.body, "nothing here");
    assert_int_equal(response_etag(&r, STR("*")), ERR_OK);
    assert_int_equal(r.status, 404);
    assert_int_equal(r.body.len, 12);
}

static int freed;
static void count_free(void *context)
{
    (void)context;
    freed++;
}

static void done_frees_the_source_once(void **state)
{
    (void)state;
    struct response r;

    response_init(&r);
    r.source_free = count_free;
    response_done(&r);
    response_done(&r);
    assert_int_equal(freed, 1);
}

static void response_survives_each_failing_allocation(void **state)
{
    (void)state;
    AUTO(json_freep) json_t *tree = json_pack("{s:i}", "a", 1);
    enum err e = ERR_NO_MEMORY;

    for (long nth = 1; e == ERR_NO_MEMORY; nth++) {
        long live = mem_live();
        struct response r;
        response_init(&r);
        mem_fail_at(nth);
        if (!(e = response_json(&r, 200, tree)))
            e = response_etag(&r, (struct str){0});
        mem_fail_at(0);
        response_done(&r);
        assert_int_equal(mem_live(), live);
    }
    assert_int_equal(e, ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_is_kept_and_formatted),
        cmocka_unit_test(header_cannot_break_its_line),
        cmocka_unit_test(headers_have_a_ceiling),
        cmocka_unit_test(json_becomes_the_body),
        cmocka_unit_test(etag_turns_a_known_body_into_304),
        cmocka_unit_test(etag_leaves_failures_alone),
        cmocka_unit_test(done_frees_the_source_once),
        cmocka_unit_test(response_survives_each_failing_allocation),
    };
    json_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
