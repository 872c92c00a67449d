#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/mem.h"
#include "pds/httpd/header.h"
#include "pds/httpd/request.h"

#include <string.h>

struct fixture {
    struct headers headers;
    struct arena arena;
    struct request request;
};

static int setup(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof f);
    arena_init(&f.arena, 65536);
    f.request.arena = &f.arena;
    f.request.transport = &f.headers;
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    arena_done(&f->arena);
    return 0;
}

static void add(struct fixture *f, const char *name, const char *value)
{
    f->headers.at[f->headers.count++] = (struct header){str_of(name), str_of(value)};
}

static void header_is_found_in_any_case(void **state)
{
    struct fixture *f = *state;

    add(f, "content-TYPE", "text/plain");
    assert_true(str_eq(request_header(&f->request, "Content-Type"), STR("text/plain")));
    assert_null(request_header(&f->request, "Content").ptr);
    f->request.transport = NULL;
    assert_null(request_header(&f->request, "Content-Type").ptr);
}

static void query_parameters_are_decoded_once(void **state)
{
    struct fixture *f = *state;
    struct str v = {0};

    f->headers.query = STR("&from=2024-01-01&name=caf%C3%A9+noir&&flag&empty=&eq=a=b&%66ar=1&twice=%2541");
    assert_int_equal(request_query(&f->request, "from", &v), ERR_OK);
    assert_true(str_eq(v, STR("2024-01-01")));
    assert_int_equal(request_query(&f->request, "name", &v), ERR_OK);
    assert_true(str_eq(v, STR("caf\xC3\xA9 noir")));
    assert_int_equal(request_query(&f->request, "flag", &v), ERR_OK);
    assert_non_null(v.ptr);
    assert_int_equal(v.len, 0);
    assert_int_equal(request_query(&f->request, "eq", &v), ERR_OK);
    assert_true(str_eq(v, STR("a=b")));
    assert_int_equal(request_query(&f->request, "far", &v), ERR_OK);
    assert_true(str_eq(v, STR("1")));
    assert_int_equal(request_query(&f->request, "twice", &v), ERR_OK);
    assert_true(str_eq(v, STR("%41")));
    assert_int_equal(request_query(&f->request, "to", &v), ERR_OK);
    assert_null(v.ptr);
}

static void query_refuses_doubles_and_bad_escapes(void **state)
{
    struct fixture *f = *state;
    struct str v = STR("untouched");

    f->headers.query = STR("a=1&b=2&%61=3");
    assert_int_equal(request_query(&f->request, "a", &v), ERR_INVALID);
    f->headers.query = STR("a=%zz");
    assert_int_equal(request_query(&f->request, "a", &v), ERR_INVALID);
    f->headers.query = STR("%=1");
    assert_int_equal(request_query(&f->request, "a", &v), ERR_INVALID);
    f->headers.query = STR("a=%00");
    assert_int_equal(request_query(&f->request, "a", &v), ERR_INVALID);
    assert_true(str_eq(v, STR("untouched")));
}

static void query_only_takes_the_names_listed(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"from", "to", NULL};

    assert_int_equal(request_query_only(&f->request, names), ERR_OK);
    f->headers.query = STR("from=1&%74o=2");
    assert_int_equal(request_query_only(&f->request, names), ERR_OK);
    f->headers.query = STR("from=1&until=2");
    assert_int_equal(request_query_only(&f->request, names), ERR_INVALID);
    f->headers.query = STR("from=1&%zz=2");
    assert_int_equal(request_query_only(&f->request, names), ERR_INVALID);
}

static void cookie_that_comes_twice_is_none(void **state)
{
    struct fixture *f = *state;

    add(f, "Cookie", "a=1; session=abc=d; b=2");
    assert_true(str_eq(request_cookie(&f->request, "session"), STR("abc=d")));
    assert_true(str_eq(request_cookie(&f->request, "b"), STR("2")));
    assert_null(request_cookie(&f->request, "sess").ptr);
    add(f, "cookie", "session=other;bare");
    assert_null(request_cookie(&f->request, "session").ptr);
    assert_null(request_cookie(&f->request, "bare").ptr);
}

static void json_needs_its_type(void **state)
{
    struct fixture *f = *state;
    AUTO(json_freep) json_t *j = NULL;

    f->request.body = STR("{\"a\":1}");
    assert_int_equal(request_json(&f->request, &j), ERR_UNSUPPORTED);
    add(f, "Content-Type", "text/json");
    assert_int_equal(request_json(&f->request, &j), ERR_UNSUPPORTED);
    f->headers.at[0].value = STR("Application/JSON ; charset=utf-8");
    assert_int_equal(request_json(&f->request, &j), ERR_OK);
    assert_int_equal(json_integer_value(json_object_get(j, "a")), 1);
    f->request.body = STR("{\"a\":1");
    assert_int_equal(request_json(&f->request, &(json_t *){NULL}), ERR_INVALID);
}

static void language_follows_the_weights(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *accept, *language;
    } rows[] = {
        {"", "fr"},
        {"en", "en"},
        {"en-GB,en;q=0.9,fr;q=0.8", "en"},
        {"fr-FR, en;q=0.9", "fr"},
        {"de, en;q=0.5", "en"},
        {"de", "fr"},
        {"en;q=0.5, fr;q=0.500", "fr"},
        {"en;q=0, fr;q=0", "fr"},
        {"en;q=0.001", "en"},
        {"english", "fr"},
        {"en;q=x", "fr"},
        {"en;q=9", "en"},
        {"*", "fr"},
        {",;,", "fr"},
    };

    assert_string_equal(request_language(&f->request), "fr");
    add(f, "Accept-Language", "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        f->headers.at[0].value = str_of(rows[i].accept);
        assert_string_equal(request_language(&f->request), rows[i].language);
    }
}

static void query_survives_each_failing_allocation(void **state)
{
    struct fixture *f = *state;
    struct str v = {0};
    enum err e = ERR_NO_MEMORY;

    f->headers.query = STR("%66rom=%41");
    for (long nth = 1; e == ERR_NO_MEMORY; nth++) {
        arena_done(&f->arena);
        mem_fail_at(nth);
        e = request_query(&f->request, "from", &v);
        mem_fail_at(0);
    }
    assert_int_equal(e, ERR_OK);
    assert_true(str_eq(v, STR("A")));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(header_is_found_in_any_case),           TEST(query_parameters_are_decoded_once),
        TEST(query_refuses_doubles_and_bad_escapes), TEST(query_only_takes_the_names_listed),
        TEST(cookie_that_comes_twice_is_none),       TEST(json_needs_its_type),
        TEST(language_follows_the_weights),          TEST(query_survives_each_failing_allocation),
    };
    json_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
