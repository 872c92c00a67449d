/* The table of routes in itself, and against the OpenAPI document: each describes the other wholly. */
#include "tests/harness/test.h"

#include "pds/api/route.h"
#include "pds/base/auto.h"
#include "pds/base/embed.h"
#include "pds/base/limits.h"

#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 128 };

extern const struct embed API_FILES[];

static json_t *document;

static int setup(void **state)
{
    (void)state;
    json_start();
    assert_string_equal(API_FILES[0].name, "openapi.json");
    assert_ok(json_read((struct str){API_FILES[0].start, (size_t)(API_FILES[0].end - API_FILES[0].start)},
                        (size_t)MIB, &document));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    json_decref(document);
    return 0;
}

static bool is_change(const struct route *r) { return strcmp(r->method, "GET") != 0; }

/* "/api/imports/:id/undo" as OpenAPI writes it: "/api/imports/{id}/undo". */
static void openapi_path(const char *path, char out[static PATH_BYTES])
{
    size_t used = 0;
    bool named = false;

    for (; *path; path++) {
        assert_true(used + 3 < PATH_BYTES);
        if (named && *path == '/') {
            out[used++] = '}';
            named = false;
        }
        if ((*path == ':' || *path == '*') && used > 0 && out[used - 1] == '/') {
            out[used++] = '{';
            named = true;
        } else {
            out[used++] = *path;
        }
    }
    if (named)
        out[used++] = '}';
    out[used] = '\0';
}

static const json_t *operation_of(const struct route *r)
{
    char path[PATH_BYTES], method[16];
    size_t i;

    openapi_path(r->path, path);
    for (i = 0; r->method[i]; i++)
        method[i] = (char)(r->method[i] | 0x20);
    method[i] = '\0';
    return json_object_get(json_object_get(json_object_get(document, "paths"), path), method);
}

/* A parameter of an operation, a reference followed; NULL when it has none of that name. */
static const json_t *parameter_of(const json_t *operation, const char *name)
{
    static const char WITHIN[] = "#/components/parameters/";
    const json_t *known = json_object_get(json_object_get(document, "components"), "parameters"), *one;
    size_t i;

    json_array_foreach(json_object_get(operation, "parameters"), i, one)
    {
        const char *reference = json_string_value(json_object_get(one, "$ref"));

        if (reference && strncmp(reference, WITHIN, sizeof WITHIN - 1) == 0)
            one = json_object_get(known, reference + sizeof WITHIN - 1);
        if (one && strcmp(json_string_value(json_object_get(one, "name")), name) == 0)
            return one;
    }
    return NULL;
}

static void rows_are_whole_and_each_stands_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count(); i++) {
        const struct route *r = &ROUTES[i];

        assert_row(r->path, r->path[0] == '/' && r->handler && strlen(r->meaning) > 5);
        assert_row(r->path, r->meaning[strlen(r->meaning) - 1] != '.');
        assert_row(r->path, is_change(r) || r->body == BODY_NONE);
        for (size_t j = 0; j < i; j++)
            assert_row(r->path,
                       strcmp(r->path, ROUTES[j].path) != 0 || strcmp(r->method, ROUTES[j].method) != 0);
    }
}

/* What a stranger may do without a session is listed here by name: a new row has to be put here knowingly. */
static void strangers_reach_what_is_listed_and_no_more(void **state)
{
    static const char *const OPEN[] = {"GET /health",       "GET /metrics", "GET /api/openapi.json",
                                       "POST /api/session", "GET /",        "POST /api/recover",
                                       "GET /*path",        "GET /jwks"};

    (void)state;
    for (size_t i = 0; i < route_count(); i++) {
        const struct route *r = &ROUTES[i];
        char name[PATH_BYTES];
        bool listed = false;

        (void)snprintf(name, sizeof name, "%s %s", r->method, r->path);
        for (size_t n = 0; n < COUNT_OF(OPEN); n++)
            listed |= strcmp(name, OPEN[n]) == 0;
        assert_row(name, listed == (r->access != ACCESS_OWNER));
        assert_row(name, strcmp(r->path, "/metrics") != 0 || r->access == ACCESS_LOOPBACK);
    }
}

static void each_row_is_described(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count(); i++) {
        const struct route *r = &ROUTES[i];
        const json_t *operation = operation_of(r), *responses = json_object_get(operation, "responses");
        const json_t *content = json_object_get(json_object_get(operation, "requestBody"), "content");
        static const char *const TYPES[] = {[BODY_JSON] = "application/json",
                                            [BODY_FORM] = "application/x-www-form-urlencoded",
                                            [BODY_UPLOAD] = "multipart/form-data"};
        bool owners = r->access == ACCESS_OWNER;

        assert_row(r->path, json_is_object(operation));
        assert_string_equal(json_string_value(json_object_get(operation, "summary")), r->meaning);
        assert_row(r->path, json_object_size(responses) > 0);
        assert_row(r->path, owners == (json_object_get(operation, "security") != NULL));
        assert_row(r->path, (owners && is_change(r)) == (parameter_of(operation, "X-CSRF-Token") != NULL));
        assert_row(r->path, (r->body == BODY_NONE) == (content == NULL));
        assert_row(r->path, r->body == BODY_NONE || json_object_get(content, TYPES[r->body]));
        for (int n = 0; owners && n < 2; n++)
            assert_row(r->path, json_object_get(responses, n ? "401" : "503"));
        assert_row(r->path, !is_change(r) || json_object_get(responses, "403"));
        for (const char *at = r->path; (at = strpbrk(at, ":*")); at++) {
            char name[PATH_BYTES];
            const json_t *parameter;

            (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 1, "/"), at + 1);
            parameter = parameter_of(operation, name);
            assert_row(name,
                       parameter && strcmp(json_string_value(json_object_get(parameter, "in")), "path") == 0);
        }
    }
}

static void nothing_else_is_described(void **state)
{
    const char *path, *method;
    json_t *methods, *operation;
    size_t described = 0;

    (void)state;
    json_object_foreach(json_object_get(document, "paths"), path, methods)
    {
        json_object_foreach(methods, method, operation) { described++; }
    }
    assert_int_equal(described, route_count());
}

/* Every reference leads somewhere. */
static void check_references(const json_t *node)
{
    const char *key;
    json_t *value;
    size_t i;

    json_array_foreach(node, i, value) { check_references(value); }
    json_object_foreach((json_t *)(uintptr_t)node, key, value)
    {
        check_references(value);
        if (strcmp(key, "$ref") == 0) {
            struct str rest = str_of(json_string_value(value)), part = {0};
            const json_t *at = document;
            char name[PATH_BYTES];

            assert_true(str_starts(rest, STR("#/")));
            rest = (struct str){rest.ptr + 2, rest.len - 2};
            while (str_split(&rest, '/', &part)) {
                assert_ok(str_copy(part, name, sizeof name));
                at = json_object_get(at, name);
                assert_row(json_string_value(value), at != NULL);
            }
        }
    }
}

static void references_lead_somewhere(void **state)
{
    (void)state;
    check_references(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_whole_and_each_stands_once),
        cmocka_unit_test(strangers_reach_what_is_listed_and_no_more),
        cmocka_unit_test(each_row_is_described),
        cmocka_unit_test(nothing_else_is_described),
        cmocka_unit_test(references_lead_somewhere),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
