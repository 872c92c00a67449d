#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/mem.h"
#include "pds/httpd/multipart.h"
#include "tests/harness/fault.h"

#include <string.h>

struct feed {
    struct str rest;
    size_t piece; /* bytes at a time */
};

static enum err give(void *context, char *out, size_t size, size_t *got)
{
    struct feed *f = context;
    size_t n = f->rest.len < f->piece ? f->rest.len : f->piece;

    n = n < size ? n : size;
    if (n > 0)
        memcpy(out, f->rest.ptr, n);
    f->rest.ptr += n;
    f->rest.len -= n;
    *got = n;
    return ERR_OK;
}

/* All of a body as "name,file=content|"; content is read in pieces of a few bytes. */
static enum err tell(struct str text, size_t piece, size_t read_size, struct buf *out)
{
    struct feed feed = {text, piece};
    AUTO(multipart_done) struct multipart m = {0};
    AUTO(arena_done) struct arena arena;
    struct part part;
    char bytes[4096];
    enum err e;

    arena_init(&arena, MULTIPART_HEADER_MAX * 1024L);
    if ((e = multipart_init(&m, STR("B"), give, &feed)))
        return e;
    while (!(e = multipart_next(&m, &arena, &part))) {
        size_t got = 1;
        buf_printf(out, "%.*s,%.*s=", STR_ARGS(part.name), STR_ARGS(part.file_name));
        while (got > 0) {
            if ((e = multipart_read(&m, bytes, read_size, &got)))
                return e;
            buf_add(out, bytes, got);
        }
        buf_char(out, '|');
    }
    return e == ERR_NOT_FOUND ? buf_err(out) : e;
}

#define PART(name)            "Content-Disposition: form-data; name=\"" name "\"\r\n"
#define FILE_PART(name, file) "Content-Disposition: form-data; name=\"" name "\"; filename=\"" file "\"\r\n"

static const struct row {
    const char *name, *body;
    enum err expected;
    const char *told;
} ROWS[] = {
    {"one", "--B\r\n" PART("a") "\r\nx\r\n--B--\r\n", ERR_OK, "a,=x|"},
    {"no end of line behind", "--B\r\n" PART("a") "\r\nx\r\n--B--", ERR_OK, "a,=x|"},
    {"preamble and epilogue", "hello\r\n--B\r\n" PART("a") "\r\nx\r\n--B--\r\nbye --B\r\n", ERR_OK, "a,=x|"},
    {"two", "--B\r\n" PART("a") "\r\nx\r\n--B\r\n" FILE_PART("b", "f") "\r\ny\r\n--B--", ERR_OK,
     "a,=x|b,f=y|"},
    {"empty part", "--B\r\n" PART("a") "\r\n\r\n--B--", ERR_OK, "a,=|"},
    {"part without body", "--B\r\n" PART("a") "\r\n--B--", ERR_OK, "a,=|"},
    {"no part", "--B--\r\n", ERR_OK, ""},
    {"spaces behind a boundary", "--B \t\r\n" PART("a") "\r\nx\r\n--B--", ERR_OK, "a,=x|"},
    {"line ends inside", "--B\r\n" PART("a") "\r\n\r\n\r\n--\r\n\r\n--B--", ERR_OK, "a,=\r\n\r\n--\r\n|"},
    {"almost a boundary", "--B\r\n" PART("a") "\r\n\r\n--\r\n-B\n--B\r\n--A\r\n--B--", ERR_OK,
     "a,=\r\n--\r\n-B\n--B\r\n--A|"},
    {"other fields", "--B\r\nContent-Type: text/csv\r\n" PART("a") "X-Y: z\r\n\r\nx\r\n--B--", ERR_OK,
     "a,=x|"},
    {"longer boundary is not ours", "--B\r\n" PART("a") "\r\nx\r\n--BB\r\n--B--", ERR_INVALID, NULL},
    {"nothing", "", ERR_INVALID, NULL},
    {"no boundary", "hello", ERR_INVALID, NULL},
    {"ends in the boundary", "--B", ERR_INVALID, NULL},
    {"ends behind the boundary", "--B\r\n", ERR_INVALID, NULL},
    {"ends in a header", "--B\r\n" PART("a"), ERR_INVALID, NULL},
    {"ends behind a header", "--B\r\n" PART("a") "\r\n", ERR_INVALID, NULL},
    {"ends in a part", "--B\r\n" PART("a") "\r\nxyz", ERR_INVALID, NULL},
    {"ends without the last", "--B\r\n" PART("a") "\r\nx\r\n--B\r\n", ERR_INVALID, NULL},
    {"ends in the last", "--B\r\n" PART("a") "\r\nx\r\n--B-", ERR_INVALID, NULL},
    {"no disposition", "--B\r\nX: y\r\n\r\nx\r\n--B--", ERR_INVALID, NULL},
    {"two dispositions", "--B\r\n" PART("a") PART("b") "\r\nx\r\n--B--", ERR_INVALID, NULL},
    {"no colon", "--B\r\nnonsense\r\n\r\nx\r\n--B--", ERR_INVALID, NULL},
    {"folded line", "--B\r\n" PART("a") " b\r\n\r\nx\r\n--B--", ERR_INVALID, NULL},
    {"boundary and more", "--Bx\r\n" PART("a") "\r\nx\r\n--B--", ERR_INVALID, NULL},
};

static void body_is_told_whatever_the_pieces(void **state)
{
    static const size_t pieces[] = {1, 2, 3, 7, 1000}, reads[] = {1, 5, 4096};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        for (size_t k = 0; k < COUNT_OF(pieces) * COUNT_OF(reads); k++) {
            AUTO(buf_done) struct buf told;
            buf_init(&told, 65536);
            enum err e = tell(str_of(ROWS[i].body), pieces[k % 5], reads[k / 5], &told);
            assert_row(ROWS[i].name, e == ROWS[i].expected);
            if (ROWS[i].told)
                assert_row(ROWS[i].name, strcmp(told.data ? told.data : "", ROWS[i].told) == 0);
        }
}

static void large_part_arrives_whole(void **state)
{
    AUTO(buf_done) struct buf body, told;
    static const char head[] = "--B\r\n" FILE_PART("a", "f") "\r\n";

    (void)state;
    buf_init(&body, 1 << 20);
    buf_init(&told, 1 << 20);
    buf_text(&body, head);
    for (int i = 0; i < 300000; i++)
        buf_char(&body, "\r\n--"[i % 4]); /* the worst for a search */
    buf_text(&body, "\r\n--B--\r\n");
    assert_ok(tell((struct str){body.data, body.len}, 1460, 4096, &told));
    assert_int_equal(told.len, 300000 + strlen("a,f=|"));
    assert_memory_equal(told.data + 4, body.data + sizeof head - 1, 300000);
}

static void header_and_parts_have_ceilings(void **state)
{
    AUTO(buf_done) struct buf body, told;

    (void)state;
    buf_init(&body, 1 << 20);
    buf_init(&told, 1 << 20);
    for (int i = 0; i <= MULTIPART_PARTS_MAX; i++) {
        if (i == MULTIPART_PARTS_MAX) {
            struct buf whole;
            buf_init(&whole, 1 << 20);
            buf_add(&whole, body.data, body.len);
            buf_text(&whole, "--B--");
            assert_ok(tell((struct str){whole.data, whole.len}, 100, 100, &told));
            buf_done(&whole);
        }
        buf_text(&body, "--B\r\n" PART("a") "\r\nx\r\n");
    }
    buf_text(&body, "--B--");
    assert_err(tell((struct str){body.data, body.len}, 100, 100, &told), ERR_TOO_LARGE);
    buf_clear(&body);
    buf_text(&body, "--B\r\n" PART("a") "X: ");
    for (int i = 0; i < MULTIPART_HEADER_MAX; i++)
        buf_char(&body, 'y');
    buf_text(&body, "\r\n\r\nx\r\n--B--");
    assert_err(tell((struct str){body.data, body.len}, 100, 100, &told), ERR_INVALID);
}

static void unread_parts_are_skipped(void **state)
{
    struct feed feed = {STR("--B\r\n" PART("a") "\r\nlong\r\nlonger\r\n--B\r\n" PART("b") "\r\nx\r\n--B--"),
                        4};
    AUTO(multipart_done) struct multipart m = {0};
    AUTO(arena_done) struct arena arena;
    struct part part;
    char bytes[2];
    size_t got;

    (void)state;
    arena_init(&arena, 65536);
    assert_ok(multipart_init(&m, STR("B"), give, &feed));
    assert_ok(multipart_next(&m, &arena, &part));
    assert_ok(multipart_read(&m, bytes, 2, &got));
    assert_ok(multipart_next(&m, &arena, &part));
    assert_true(str_eq(part.name, STR("b")));
    assert_err(multipart_next(&m, &arena, &part), ERR_NOT_FOUND);
    assert_err(multipart_next(&m, &arena, &part), ERR_NOT_FOUND);
}

static void failure_stays(void **state)
{
    struct feed feed = {STR("--B\r\nnonsense\r\n\r\n--B\r\n" PART("a") "\r\nx\r\n--B--"), 100};
    AUTO(multipart_done) struct multipart m = {0};
    AUTO(arena_done) struct arena arena;
    struct part part;
    char bytes[2];
    size_t got;

    (void)state;
    arena_init(&arena, 65536);
    assert_ok(multipart_init(&m, STR("B"), give, &feed));
    assert_err(multipart_next(&m, &arena, &part), ERR_INVALID);
    assert_err(multipart_next(&m, &arena, &part), ERR_INVALID);
    assert_err(multipart_read(&m, bytes, 2, &got), ERR_INVALID);
}

static void boundary_is_found_and_checked(void **state)
{
    static const struct {
        const char *type;
        enum err expected;
        const char *boundary;
    } rows[] = {
        {"multipart/form-data; boundary=abc", ERR_OK, "abc"},
        {"Multipart/Form-Data ;charset=x; BOUNDARY=\"a b:c\"", ERR_OK, "a b:c"},
        {"multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW", ERR_OK,
         "----WebKitFormBoundary7MA4YWxkTrZu0gW"},
        {"multipart/form-data", ERR_INVALID, NULL},
        {"multipart/form-data; boundary=", ERR_INVALID, NULL},
        {"multipart/form-data; boundary=\"\"", ERR_INVALID, NULL},
        {"multipart/form-data; boundary=a\x01", ERR_INVALID, NULL},
        {"multipart/form-data; boundary=\"a \"", ERR_INVALID, NULL},
        {"multipart/form-data; boundary=\"a\\b\"", ERR_INVALID, NULL},
        {"multipart/form-data; "
         "boundary=1234567890123456789012345678901234567890123456789012345678901234567890",
         ERR_OK, "1234567890123456789012345678901234567890123456789012345678901234567890"},
        {"multipart/form-data; "
         "boundary=12345678901234567890123456789012345678901234567890123456789012345678901",
         ERR_INVALID, NULL},
        {"multipart/mixed; boundary=abc", ERR_UNSUPPORTED, NULL},
        {"application/json", ERR_UNSUPPORTED, NULL},
        {"", ERR_UNSUPPORTED, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str boundary = {0};
        assert_row(rows[i].type, multipart_boundary(str_of(rows[i].type), &boundary) == rows[i].expected);
        assert_row(rows[i].type,
                   rows[i].boundary ? str_eq(boundary, str_of(rows[i].boundary)) : !boundary.ptr);
    }
}

static void multipart_survives_each_failing_allocation(void **state)
{
    AUTO(buf_done) struct buf told;
    long live;
    enum err e;

    (void)state;
    buf_init(&told, 65536);
    buf_text(&told, "room at once");
    live = mem_live();
    FAIL_EACH_ALLOCATION (e, tell(STR("--B\r\n" FILE_PART("a", "f") "\r\nx\r\n--B--"), 3, 3, &told)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_int_equal(mem_live(), live);
    }
    assert_int_equal(mem_live(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(body_is_told_whatever_the_pieces),
        cmocka_unit_test(large_part_arrives_whole),
        cmocka_unit_test(header_and_parts_have_ceilings),
        cmocka_unit_test(unread_parts_are_skipped),
        cmocka_unit_test(failure_stays),
        cmocka_unit_test(boundary_is_found_and_checked),
        cmocka_unit_test(multipart_survives_each_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
