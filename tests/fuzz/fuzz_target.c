/* The target of a request line, its path's segments and its query. A segment once decoded must be clean. */
#include "pds/httpd/header.h"
#include "pds/httpd/request.h"
#include "pds/httpd/router.h"
#include "pds/httpd/target.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct route TABLE[] = {
    {.method = "GET", .path = "/api/:a/x/:b"},
    {.method = "POST", .path = "/api/:a"},
    {.method = "GET", .path = "/js/*path"},
};

static void check_clean(struct str s)
{
    if (!str_is_utf8(s) || !header_value_is_clean(s))
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct headers headers = {.count = 0};
    struct target t;
    struct segments s;
    struct arena arena;
    char allow[64];

    arena_init(&arena, 1L << 20);
    if (target_parse((struct str){(const char *)data, size}, &t) == ERR_OK) {
        struct request r = {.method = STR("GET"), .path = t.path, .arena = &arena, .transport = &headers};
        static const char *const names[] = {"a", NULL};
        struct str value = {0};
        headers.query = t.query;
        if (target_segments(t.path, &arena, &s) == ERR_OK)
            for (size_t i = 0; i < s.count; i++)
                check_clean(s.at[i]);
        if (router_find(TABLE, 3, &r, allow) == ERR_OK)
            for (size_t i = 0; i < r.param_count; i++)
                check_clean(r.params[i]);
        if (request_query(&r, "a", &value) == ERR_OK && value.ptr)
            check_clean(value);
        if (request_query_only(&r, names) == ERR_OK && value.ptr)
            check_clean(value);
    }
    arena_done(&arena);
    return 0;
}
