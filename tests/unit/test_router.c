#include "tests/harness/test.h"

#include "pds/base/mem.h"
#include "pds/httpd/router.h"

#include <string.h>

static enum err nothing(struct request *request, struct response *response, void *context)
{
    (void)request;
    (void)response;
    (void)context;
    return ERR_OK;
}

#define ROW(method, path)                                                                                    \
    {                                                                                                        \
        method, path, 0, BODY_NONE, RUN_INLINE, nothing, ""                                                  \
    }
static const struct route TABLE[] = {
    ROW("GET", "/"),
    ROW("GET", "/health"),
    ROW("GET", "/api/imports"),
    ROW("POST", "/api/imports"),
    ROW("GET", "/api/imports/latest"),
    ROW("GET", "/api/imports/:id"),
    ROW("DELETE", "/api/imports/:id"),
    ROW("POST", "/api/imports/:id/undo"),
    ROW("GET", "/js/*path"),
    ROW("GET", "/x/:a/:b/:c"),
    ROW("PUT", "/store/:who/*path"),
};

struct row {
    const char *method, *path;
    enum err expected;
    int index;           /* of TABLE */
    const char *outcome; /* parameters with '|' between, or what is allowed */
};

static const struct row ROWS[] = {
    {"GET", "/", ERR_OK, 0, ""},
    {"HEAD", "/", ERR_OK, 0, ""},
    {"GET", "/health", ERR_OK, 1, ""},
    {"GET", "/hea%6Cth", ERR_OK, 1, ""},
    {"GET", "/health/", ERR_NOT_FOUND, 0, ""},
    {"GET", "//health", ERR_NOT_FOUND, 0, ""},
    {"GET", "/Health", ERR_NOT_FOUND, 0, ""},
    {"GET", "/nothing", ERR_NOT_FOUND, 0, ""},
    {"BREW", "/nothing", ERR_NOT_FOUND, 0, ""},
    {"POST", "/health", ERR_METHOD, 0, "GET, HEAD"},
    {"get", "/health", ERR_METHOD, 0, "GET, HEAD"},
    {"TRACE", "/api/imports", ERR_METHOD, 0, "GET, HEAD, POST"},
    {"GET", "/api/imports", ERR_OK, 2, ""},
    {"POST", "/api/imports", ERR_OK, 3, ""},
    {"GET", "/api/imports/latest", ERR_OK, 4, ""},
    {"GET", "/api/imports/01J", ERR_OK, 5, "01J"},
    {"DELETE", "/api/imports/latest", ERR_OK, 6, "latest"},
    {"PUT", "/api/imports/latest", ERR_METHOD, 0, "GET, HEAD, DELETE"},
    {"GET", "/api/imports/", ERR_NOT_FOUND, 0, ""},
    {"GET", "/api/imports/a%2Fb", ERR_OK, 5, "a/b"},
    {"GET", "/api/imports/a%252Fb", ERR_OK, 5, "a%2Fb"},
    {"GET", "/api/imports/%C3%A9t%C3%A9", ERR_OK, 5, "\xC3\xA9t\xC3\xA9"},
    {"GET", "/api/imports/a+b", ERR_OK, 5, "a+b"},
    {"POST", "/api/imports/7/undo", ERR_OK, 7, "7"},
    {"GET", "/js/main.js", ERR_OK, 8, "main.js"},
    {"GET", "/js/views/a.js", ERR_OK, 8, "views/a.js"},
    {"GET", "/js/", ERR_OK, 8, ""},
    {"GET", "/js", ERR_NOT_FOUND, 0, ""},
    {"GET", "/js/a%2Fb", ERR_INVALID, 0, ""},
    {"GET", "/js/../secret", ERR_INVALID, 0, ""},
    {"GET", "/js/%2e%2E/secret", ERR_INVALID, 0, ""},
    {"GET", "/js/./a", ERR_INVALID, 0, ""},
    {"GET", "/js/...", ERR_OK, 8, "..."},
    {"GET", "/x/1/2/3", ERR_OK, 9, "1|2|3"},
    {"GET", "/x/1/2", ERR_NOT_FOUND, 0, ""},
    {"GET", "/x/1/2/3/4", ERR_NOT_FOUND, 0, ""},
    {"PUT", "/store/me/a/b%20c", ERR_OK, 10, "me|a/b c"},
    {"GET", "/x/%00/2/3", ERR_INVALID, 0, ""},
    {"GET", "/x/%0a/2/3", ERR_INVALID, 0, ""},
    {"GET", "/x/%7f/2/3", ERR_INVALID, 0, ""},
    {"GET", "/x/%c3%28/2/3", ERR_INVALID, 0, ""},
    {"GET", "/x/%c0%af/2/3", ERR_INVALID, 0, ""},
    {"GET", "/x/%ed%a0%80/2/3", ERR_INVALID, 0, ""},
    {"GET", "/x/%/2/3", ERR_INVALID, 0, ""},
    {"GET", "/x/%4/2/3", ERR_INVALID, 0, ""},
    {"GET", "/x/%zz/2/3", ERR_INVALID, 0, ""},
    {"GET", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", ERR_NOT_FOUND, 0, ""},
};

static void joined(const struct request *r, char out[static 256])
{
    size_t len = 0;

    for (size_t i = 0; i < r->param_count; i++) {
        if (i > 0)
            out[len++] = '|';
        memcpy(out + len, r->params[i].ptr, r->params[i].len);
        len += r->params[i].len;
    }
    out[len] = '\0';
}

static void router_gives_each_path_its_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct row *row = &ROWS[i];
        struct arena arena;
        char allow[64] = "?", told[256];
        arena_init(&arena, 65536);
        struct request r = {.method = str_of(row->method), .path = str_of(row->path), .arena = &arena};
        enum err e = router_find(TABLE, sizeof TABLE / sizeof *TABLE, &r, allow);
        if (e != row->expected)
            fail_msg("%s %s gave %d: %s", row->method, row->path, (int)e, err_story());
        joined(&r, told);
        if (e == ERR_OK) {
            assert_ptr_equal(r.route, &TABLE[row->index]);
            assert_string_equal(told, row->outcome);
        } else if (e == ERR_METHOD) {
            assert_string_equal(allow, row->outcome);
        }
        arena_done(&arena);
    }
}

static void router_survives_each_failing_allocation(void **state)
{
    (void)state;
    enum err e = ERR_NO_MEMORY;

    for (long nth = 1; e == ERR_NO_MEMORY; nth++) {
        struct arena arena;
        char allow[64];
        long live = mem_live();
        arena_init(&arena, 65536);
        struct request r = {.method = STR("PUT"), .path = STR("/store/a%20b/c%20d/e"), .arena = &arena};
        mem_fail_at(nth);
        e = router_find(TABLE, sizeof TABLE / sizeof *TABLE, &r, allow);
        mem_fail_at(0);
        arena_done(&arena);
        assert_int_equal(mem_live(), live);
    }
    assert_int_equal(e, ERR_OK);
}

static void router_tells_no_more_methods_than_fit(void **state)
{
    (void)state;
    static const struct route many[] = {
        ROW("AAAAAAAAAAAAAAAAAAAA", "/a"),
        ROW("BBBBBBBBBBBBBBBBBBBB", "/a"),
        ROW("CCCCCCCCCCCCCCCCCCCC", "/a"),
        ROW("D", "/a"),
    };
    struct arena arena;
    char allow[64];

    arena_init(&arena, 65536);
    struct request r = {.method = STR("GET"), .path = STR("/a"), .arena = &arena};
    assert_int_equal(router_find(many, 4, &r, allow), ERR_METHOD);
    assert_string_equal(allow, "AAAAAAAAAAAAAAAAAAAA, BBBBBBBBBBBBBBBBBBBB, D");
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(router_gives_each_path_its_row),
        cmocka_unit_test(router_survives_each_failing_allocation),
        cmocka_unit_test(router_tells_no_more_methods_than_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
