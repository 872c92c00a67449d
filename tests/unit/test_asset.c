#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/httpd/asset.h"
#include "pds/httpd/header.h"

#include <stdio.h>
#include <string.h>

static const char PAGE[] = "<!doctype html>", PACKED[] = "\x1f\x8b...", SCRIPT[] = "export {};";
static const struct asset TABLE[] = {
    {"/index.html", PAGE, PAGE + sizeof PAGE - 1, PACKED, PACKED + sizeof PACKED - 1},
    {"/js/main.js", SCRIPT, SCRIPT + sizeof SCRIPT - 1, NULL, NULL},
    {"/strange", SCRIPT, SCRIPT, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static const char *header_of(const struct response *r, const char *name)
{
    for (size_t i = 0; i < r->header_count; i++)
        if (strcmp(r->headers[i].name, name) == 0)
            return r->headers[i].value;
    return NULL;
}

static enum err ask(const char *path, const char *encoding, const char *known, struct response *r)
{
    struct headers h = {.count = 2};
    struct request q = {.transport = &h};

    h.at[0] = (struct header){STR("accept-encoding"), str_of(encoding)};
    h.at[1] = (struct header){STR("If-None-Match"), str_of(known)};
    response_init(r);
    return asset_answer(TABLE, str_of(path), &q, r);
}

static void asset_has_type_tag_and_content(void **state)
{
    (void)state;
    AUTO(response_done) struct response r;

    assert_int_equal(ask("/js/main.js", "gzip", "", &r), ERR_OK);
    assert_int_equal(r.status, 200);
    assert_string_equal(r.type, "text/javascript; charset=utf-8");
    assert_ptr_equal(r.fixed, SCRIPT);
    assert_int_equal(r.fixed_len, sizeof SCRIPT - 1);
    assert_string_equal(header_of(&r, "Cache-Control"), "no-cache");
    assert_non_null(header_of(&r, "ETag"));
    assert_null(header_of(&r, "Vary"));
    assert_null(header_of(&r, "Content-Encoding"));
}

static void gzip_is_for_those_who_take_it(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        int packed;
    } rows[] = {{"gzip", 1},     {"br, gzip;q=0.5", 1}, {"GZIP", 1},     {"gzip;q=0.01", 1}, {"", 0},
                {"gzip;q=0", 0}, {"gzip; q=0.000", 0},  {"identity", 0}, {"x-gzip", 0},      {"br;q=1.0", 0}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(response_done) struct response r;
        assert_int_equal(ask("/index.html", rows[i].accept, "", &r), ERR_OK);
        assert_string_equal(header_of(&r, "Vary"), "Accept-Encoding");
        assert_ptr_equal(r.fixed, rows[i].packed ? PACKED : PAGE);
        assert_int_equal(header_of(&r, "Content-Encoding") != NULL, rows[i].packed);
    }
}

static void known_version_is_304(void **state)
{
    (void)state;
    char tag[64], packed[64];

    {
        AUTO(response_done) struct response r;
        assert_int_equal(ask("/index.html", "", "", &r), ERR_OK);
        (void)snprintf(tag, sizeof tag, "%s", header_of(&r, "ETag"));
    }
    {
        AUTO(response_done) struct response r;
        assert_int_equal(ask("/index.html", "gzip", tag, &r), ERR_OK);
        assert_int_equal(r.status, 200); /* the packed one is another representation */
        (void)snprintf(packed, sizeof packed, "%s", header_of(&r, "ETag"));
        assert_string_not_equal(tag, packed);
    }
    AUTO(response_done) struct response r;
    assert_int_equal(ask("/index.html", "gzip", packed, &r), ERR_OK);
    assert_int_equal(r.status, 304);
    assert_null(r.fixed);
    assert_string_equal(header_of(&r, "ETag"), packed);
    assert_string_equal(header_of(&r, "Cache-Control"), "no-cache");
}

static void missing_asset_is_not_found(void **state)
{
    (void)state;
    AUTO(response_done) struct response r;

    assert_int_equal(ask("/index.htm", "", "", &r), ERR_NOT_FOUND);
    assert_int_equal(ask("", "", "", &r), ERR_NOT_FOUND);
    assert_int_equal(ask("/strange", "", "", &r), ERR_OK);
    assert_string_equal(r.type, "application/octet-stream");
    assert_int_equal(r.fixed_len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asset_has_type_tag_and_content),
        cmocka_unit_test(gzip_is_for_those_who_take_it),
        cmocka_unit_test(known_version_is_304),
        cmocka_unit_test(missing_asset_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
