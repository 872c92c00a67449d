#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/json.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "tests/harness/fault.h"

#include <string.h>

enum { MAX = 4096 };

/* What comes out when it is read and written again. */
static const struct {
    struct str text;
    const char *again;
} GOOD[] = {
    {STR_ROW("{}"), "{}"},
    {STR_ROW(" [\t\r\n] \n"), "[]"},
    {STR_ROW("{\"b\":1,\"a\":2,\"c\":{\"z\":0,\"y\":[1,2]}}"),
     "{\"b\":1,\"a\":2,\"c\":{\"z\":0,\"y\":[1,2]}}"},
    {STR_ROW("true"), "true"},
    {STR_ROW("null"), "null"},
    {STR_ROW("\"x\""), "\"x\""},
    {STR_ROW("[9223372036854775807,-9223372036854775808]"), "[9223372036854775807,-9223372036854775808]"},
    {STR_ROW("[0.5,-0.25,1.5]"), "[0.5,-0.25,1.5]"},
    {STR_ROW("[\"\\u00e9\\n\\\"\\\\\\/\\ud83d\\ude00\"]"), "[\"\xC3\xA9\\n\\\"\\\\/\xF0\x9F\x98\x80\"]"},
    {STR_ROW("[\"{[:,\\\"]}\"]"), "[\"{[:,\\\"]}\"]"},
    {STR_ROW("{\"\":{\"\":{}},\"a\":{\"a\":1}}"), "{\"\":{\"\":{}},\"a\":{\"a\":1}}"},
    {STR_ROW("[\"\x7F\"]"), "[\"\x7F\"]"},
};

static void json_is_read_and_written_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        AUTO(json_freep) json_t *tree = NULL;
        AUTO(buf_done) struct buf out;
        buf_init(&out, MAX);
        assert_ok(json_read(GOOD[i].text, GOOD[i].text.len, &tree));
        json_write(&out, tree);
        assert_ok(buf_err(&out));
        assert_string_equal(out.data, GOOD[i].again);
    }
}

static const struct {
    struct str text;
    const char *story;
} BAD[] = {
    {STR_ROW(""), "line 1, column 0: the text ends too early"},
    {{NULL, 0}, "line 1, column 0: the text ends too early"},
    {STR_ROW("{\"a\":1"), "line 1, column 6: the text ends too early"},
    {STR_ROW("[\"abc"), "line 1, column 5: the text ends too early"},
    {STR_ROW("{\"a\":1,\n \"b\":2,\n  \"a\":3}"), "line 3, column 5: a key that stands there already"},
    {STR_ROW("[{\"k\":{\"x\":1,\"x\":2}}]"), "line 1, column 16: a key that stands there already"},
    {STR_ROW("{\"\\u0061\":1,\"a\":2}"), "line 1, column 15: a key that stands there already"},
    {STR_ROW("[\"a\\u0000b\"]"), "line 1, column 11: a NUL in a text"},
    {STR_ROW("{\"a\\u0000b\":1}"), "line 1, column 11: a NUL in a text"},
    {STR_ROW("[\"a\0b\"]"), "line 1, column 4: a control character"},
    {STR_ROW("[1\0]"), "line 1, column 3: a control character"},
    {STR_ROW("[1]\0"), "line 1, column 4: a control character"},
    {STR_ROW("[\"a\nb\"]"), "line 1, column 4: a control character"},
    {STR_ROW("[\n\"\xC3\xA9\tb\"]"), "line 2, column 3: a control character"},
    {STR_ROW("[\"a\\\nb\"]"), "line 1, column 5: a control character"},
    {STR_ROW("[\f1]"), "line 1, column 2: a control character"},
    {STR_ROW("[] []"), "line 1, column 4: something stands behind the end"},
    {STR_ROW("{}x"), "line 1, column 3: something stands behind the end"},
    {STR_ROW("1 2"), "line 1, column 3: something stands behind the end"},
    {STR_ROW("[\"\xFF\"]"), "line 1, column 2: bytes that are not UTF-8"},
    {STR_ROW("[\"\xC0\x80\"]"), "line 1, column 2: bytes that are not UTF-8"},
    {STR_ROW("[\"\xED\xA0\x80\"]"), "line 1, column 2: bytes that are not UTF-8"},
    {STR_ROW("[9223372036854775808]"), "line 1, column 20: a number that is too large"},
    {STR_ROW("[1e999]"), "line 1, column 6: a number that is too large"},
    {STR_ROW("[1,]"), "line 1, column 4: not JSON"},
    {STR_ROW("{\"a\"}"), "line 1, column 5: not JSON"},
    {STR_ROW("{a:1}"), "line 1, column 2: not JSON"},
    {STR_ROW("['a']"), "line 1, column 2: not JSON"},
    {STR_ROW("[01]"), "line 1, column 2: not JSON"},
    {STR_ROW("[NaN]"), "line 1, column 4: not JSON"},
    {STR_ROW("[Infinity]"), "line 1, column 9: not JSON"},
    {STR_ROW("[\"\\x\"]"), "line 1, column 4: not JSON"},
    {STR_ROW("[\"\\ud800\"]"), "line 1, column 9: not JSON"},
    {STR_ROW("[1] // no"), "line 1, column 5: something stands behind the end"},
    {STR_ROW("\xEF\xBB\xBF{}"), "line 1, column 1: not JSON"},
    {STR_ROW("]"), "line 1, column 1: not JSON"},
    {STR_ROW("}}:["), "line 1, column 1: not JSON"},
};

static void all_else_is_refused_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        json_t *tree = NULL;
        long before = mem_live();
        assert_row(BAD[i].story, json_read(BAD[i].text, MAX, &tree) == ERR_INVALID);
        if (strcmp(err_story(), BAD[i].story) != 0)
            print_error("row %zu %s: ", i, BAD[i].text.ptr);
        assert_string_equal(err_story(), BAD[i].story);
        assert_null(tree);
        assert_int_equal(mem_live(), before);
    }
}

static void a_story_holds_no_value(void **state)
{
    static const struct str TEXTS[] = {STR_ROW("{\"secret\":1,\"secret\":2}"), STR_ROW("[secret]"),
                                       STR_ROW("[\"secret\\q\"]"), STR_ROW("[1] secret")};
    json_t *tree;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        assert_err(json_read(TEXTS[i], MAX, &tree), ERR_INVALID);
        assert_null(strstr(err_story(), "secret"));
    }
}

static void a_text_over_its_ceiling_is_not_read(void **state)
{
    AUTO(json_freep) json_t *tree = NULL;

    (void)state;
    assert_err(json_read(STR("[1]"), 2, &tree), ERR_TOO_LARGE);
    assert_null(tree);
    assert_ok(json_read(STR("[1]"), 3, &tree));
}

static enum err read_nested(int depth, char open, char close)
{
    AUTO(buf_done) struct buf b;
    AUTO(json_freep) json_t *tree = NULL;

    buf_init(&b, MAX);
    for (int i = 0; i < depth; i++)
        buf_text(&b, open == '[' ? "[" : i + 1 < depth ? "{\"a\":" : "{");
    for (int i = 0; i < depth; i++)
        buf_char(&b, close);
    return json_read((struct str){b.data, b.len}, MAX, &tree);
}

static void nesting_ends_at_its_limit(void **state)
{
    AUTO(json_freep) json_t *tree = NULL;

    (void)state;
    assert_ok(read_nested(LIMIT_JSON_DEPTH, '[', ']'));
    assert_ok(read_nested(LIMIT_JSON_DEPTH, '{', '}'));
    assert_err(read_nested(LIMIT_JSON_DEPTH + 1, '[', ']'), ERR_INVALID);
    assert_string_equal(err_story(), "line 1, column 33: nested too deeply");
    assert_err(read_nested(LIMIT_JSON_DEPTH + 1, '{', '}'), ERR_INVALID);
    assert_err(read_nested(2000, '[', ']'), ERR_INVALID);
    /* Brackets in a text are no nesting, and siblings are none either. */
    assert_ok(
        json_read(STR("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\",[],[],[],[],[],[],[],[],[],[],[],[],[],"
                      "[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]"),
                  MAX, &tree));
}

/* An object of so many keys, in a list with another of as many. */
static enum err read_keys(int count)
{
    AUTO(buf_done) struct buf b;
    AUTO(json_freep) json_t *tree = NULL;

    buf_init(&b, 16 * KIB);
    for (int object = 0; object < 2; object++) {
        buf_text(&b, object ? ",{" : "[{");
        for (int i = 0; i < count; i++)
            buf_printf(&b, "%s\"k:%d\":{\"x\":1}", i ? "," : "", i);
        buf_char(&b, '}');
    }
    buf_char(&b, ']');
    return json_read((struct str){b.data, b.len}, 16 * KIB, &tree);
}

static void an_object_ends_at_its_limit_of_keys(void **state)
{
    (void)state;
    assert_ok(read_keys(0));
    assert_ok(read_keys(LIMIT_JSON_KEYS));
    assert_err(read_keys(LIMIT_JSON_KEYS + 1), ERR_INVALID);
    assert_non_null(strstr(err_story(), "an object with too many keys"));
}

/* A text, a number or a word of len bytes among others. */
static void put_token(struct buf *b, int kind, int len)
{
    static const char *const FRONT[] = {"{\"a\":[1,true,\"", "{\"a\":[0.",
                                        "{\"a\":[\"xxxxxxxxxxxxxxxxxxxxxxx\",1.5,0."};

    buf_clear(b);
    buf_text(b, FRONT[kind]);
    for (int i = 0; i < len; i++)
        buf_char(b, '3');
    buf_text(b, kind == 0 ? "\"],\"b\":{\"c\":null}}" : ",2]}");
}

/* Lengths around the sizes at which the scanner's memory grows, each allocation failing: that for the byte
 * behind a number too. */
static void each_failing_allocation_of_a_read_is_told(void **state)
{
    static const int LENGTHS[] = {8,   11,  12,  13,  14,  15,  16,  17,  18,  26,   27,   28,  29, 30,
                                  31,  32,  33,  58,  59,  60,  61,  62,  63,  64,   65,   95,  98, 125,
                                  126, 127, 128, 254, 255, 256, 257, 511, 512, 1023, 1024, 2000};
    AUTO(buf_done) struct buf b;
    long before;
    int runs = 0;
    enum err e;

    (void)state;
    buf_init(&b, MAX);
    put_token(&b, 0, 2500);
    before = mem_live();
    for (size_t i = 0; i < COUNT_OF(LENGTHS); i++) {
        for (int kind = 0; kind < (LENGTHS[i] <= 98 ? 3 : 1); kind++) {
            json_t *tree = NULL;
            put_token(&b, kind, LENGTHS[i]);
            FAIL_EACH_ALLOCATION (e, json_read((struct str){b.data, b.len}, MAX, &tree)) {
                assert_int_equal(e, ERR_NO_MEMORY);
                assert_null(tree);
                assert_int_equal(mem_live(), before);
                runs++;
            }
            assert_non_null(tree);
            json_decref(tree);
        }
    }
    assert_int_equal(mem_live(), before);
    assert_true(runs > 1000);
}

static void a_number_ends_at_its_limit(void **state)
{
    AUTO(buf_done) struct buf b;
    AUTO(json_freep) json_t *tree = NULL;

    (void)state;
    buf_init(&b, MAX);
    put_token(&b, 1, 99);
    assert_err(json_read((struct str){b.data, b.len}, MAX, &tree), ERR_INVALID);
    assert_string_equal(err_story(), "line 1, column 107: a number or word that is too long");
    put_token(&b, 1, 98);
    assert_ok(json_read((struct str){b.data, b.len}, MAX, &tree));
}

static enum err write_again(struct buf *b, const json_t *tree)
{
    buf_done(b);
    json_write(b, tree);
    return buf_err(b);
}

static void each_failing_allocation_of_a_write_is_told(void **state)
{
    AUTO(json_freep) json_t *tree = NULL;
    struct buf b;
    enum err e;

    (void)state;
    buf_init(&b, MAX);
    assert_ok(json_read(STR("{\"a\":[1,2.5,\"x\",{\"b\":[]}],\"c\":true}"), MAX, &tree));
    FAIL_EACH_ALLOCATION (e, write_again(&b, tree))
        assert_int_equal(e, ERR_NO_MEMORY);
    assert_string_equal(b.data, "{\"a\":[1,2.5,\"x\",{\"b\":[]}],\"c\":true}");
    buf_done(&b);
}

static void what_is_written_stays_under_its_ceiling(void **state)
{
    AUTO(json_freep) json_t *tree = NULL;
    AUTO(buf_done) struct buf b;

    (void)state;
    buf_init(&b, 6);
    assert_ok(json_read(STR("[1,2,3]"), MAX, &tree));
    json_write(&b, tree);
    assert_err(buf_err(&b), ERR_TOO_LARGE);
}

static const struct {
    struct str text;
    const char *quoted;
} QUOTED[] = {
    {STR_ROW(""), "\"\""},
    {STR_ROW("abc"), "\"abc\""},
    {STR_ROW("a\"b\\c/"), "\"a\\\"b\\\\c/\""},
    {STR_ROW("\b\t\n\f\r"), "\"\\b\\t\\n\\f\\r\""},
    {STR_ROW("\x01\x1F\x20\x7F"), "\"\\u0001\\u001f \x7F\""},
    {STR_ROW("a\0b"), "\"a\\u0000b\""},
    {STR_ROW("\xC3\xA9\xF0\x9F\x98\x80"), "\"\xC3\xA9\xF0\x9F\x98\x80\""},
    {STR_ROW("\xFFx\xC3"), "\"\xEF\xBF\xBDx\xEF\xBF\xBD\""},
    {STR_ROW("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
};

static void a_text_is_quoted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(QUOTED); i++) {
        AUTO(buf_done) struct buf b;
        buf_init(&b, MAX);
        json_quote(&b, QUOTED[i].text);
        assert_string_equal(b.data, QUOTED[i].quoted);
        assert_ok(buf_err(&b));
    }
}

static void any_bytes_quoted_are_json(void **state)
{
    uint64_t random = test_seed();

    (void)state;
    for (int i = 0; i < 5000; i++) {
        AUTO(buf_done) struct buf b;
        AUTO(json_freep) json_t *tree = NULL;
        char bytes[24];
        size_t len = (size_t)test_between(&random, 0, sizeof bytes);
        for (size_t k = 0; k < len; k++)
            bytes[k] = (char)test_between(&random, 1, i % 2 ? 255 : 127);
        buf_init(&b, MAX);
        json_quote(&b, (struct str){bytes, len});
        assert_ok(json_read((struct str){b.data, b.len}, MAX, &tree));
        if (str_is_utf8((struct str){bytes, len}))
            assert_true(str_eq(str_of(json_string_value(tree)), (struct str){bytes, len}));
    }
}

static const char MEMBERS[] =
    "{\"text\":\"x\",\"int\":-7,\"yes\":true,\"no\":false,\"list\":[1],\"object\":{},"
    "\"real\":7.0,\"null\":null}";

static void members_are_got_by_their_type(void **state)
{
    AUTO(json_freep) json_t *tree = NULL;
    const char *text;
    int64_t n;
    bool yes, no;
    json_t *list, *object;

    (void)state;
    assert_ok(json_read(str_of(MEMBERS), MAX, &tree));
    assert_ok(json_get_text(tree, "text", &text));
    assert_string_equal(text, "x");
    assert_ok(json_get_int(tree, "int", &n));
    assert_int_equal(n, -7);
    assert_ok(json_get_bool(tree, "yes", &yes));
    assert_ok(json_get_bool(tree, "no", &no));
    assert_true(yes && !no);
    assert_ok(json_get_array(tree, "list", &list));
    assert_int_equal(json_array_size(list), 1);
    assert_ok(json_get_object(tree, "object", &object));
    assert_int_equal(json_object_size(object), 0);
}

static void a_member_of_another_type_is_refused_by_its_key(void **state)
{
    static const char *const KEYS[] = {"text", "int", "yes", "no", "list", "object", "real", "null", "none"};
    static const char RIGHT[] = "tibbaoxxx"; /* what each key may be got as */
    AUTO(json_freep) json_t *tree = NULL;

    (void)state;
    assert_ok(json_read(str_of(MEMBERS), MAX, &tree));
    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        const char *text = "untouched";
        int64_t n = 42;
        bool b = true;
        json_t *j = tree;
        assert_row(KEYS[i], json_get_text(tree, KEYS[i], &text) == (RIGHT[i] == 't' ? ERR_OK : ERR_INVALID));
        assert_row(KEYS[i], json_get_int(tree, KEYS[i], &n) == (RIGHT[i] == 'i' ? ERR_OK : ERR_INVALID));
        assert_row(KEYS[i], json_get_bool(tree, KEYS[i], &b) == (RIGHT[i] == 'b' ? ERR_OK : ERR_INVALID));
        assert_row(KEYS[i], json_get_array(tree, KEYS[i], &j) == (RIGHT[i] == 'a' ? ERR_OK : ERR_INVALID));
        assert_row(KEYS[i], RIGHT[i] == 'a' || j == tree);
        assert_row(KEYS[i], RIGHT[i] == 't' || strcmp(text, "untouched") == 0);
        assert_row(KEYS[i], RIGHT[i] == 'i' || n == 42);
        assert_row(KEYS[i], json_get_object(tree, KEYS[i], &j) == (RIGHT[i] == 'o' ? ERR_OK : ERR_INVALID));
        assert_row(KEYS[i], RIGHT[i] == 'o' || strstr(err_story(), KEYS[i]));
    }
    assert_string_equal(err_story(), "\"none\" is missing");
}

static void what_is_no_object_has_no_members(void **state)
{
    AUTO(json_freep) json_t *tree = NULL;
    int64_t n;

    (void)state;
    assert_ok(json_read(STR("[1]"), MAX, &tree));
    assert_err(json_get_int(tree, "a", &n), ERR_INVALID);
    assert_err(json_get_int(NULL, "a", &n), ERR_INVALID);
    assert_string_equal(err_story(), "\"a\" is asked of what is not an object");
}

static void a_key_that_is_not_listed_is_refused(void **state)
{
    static const char *const KEYS[] = {"a", "b", NULL}, *const NONE[] = {NULL};
    AUTO(json_freep) json_t *tree = NULL, *other = NULL;

    (void)state;
    assert_ok(json_read(STR("{\"b\":1}"), MAX, &tree));
    assert_ok(json_only_keys(tree, KEYS));
    assert_err(json_only_keys(tree, NONE), ERR_INVALID);
    assert_ok(json_read(STR("{\"a\":1,\"secret\":2}"), MAX, &other));
    assert_err(json_only_keys(other, KEYS), ERR_INVALID);
    assert_string_equal(err_story(), "key 2 of 2 is not known, 6 bytes");
}

static int start(void **state)
{
    (void)state;
    json_start();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_read_and_written_in_order),
        cmocka_unit_test(all_else_is_refused_with_its_place),
        cmocka_unit_test(a_story_holds_no_value),
        cmocka_unit_test(a_text_over_its_ceiling_is_not_read),
        cmocka_unit_test(nesting_ends_at_its_limit),
        cmocka_unit_test(an_object_ends_at_its_limit_of_keys),
        cmocka_unit_test(each_failing_allocation_of_a_read_is_told),
        cmocka_unit_test(a_number_ends_at_its_limit),
        cmocka_unit_test(each_failing_allocation_of_a_write_is_told),
        cmocka_unit_test(what_is_written_stays_under_its_ceiling),
        cmocka_unit_test(a_text_is_quoted),
        cmocka_unit_test(any_bytes_quoted_are_json),
        cmocka_unit_test(members_are_got_by_their_type),
        cmocka_unit_test(a_member_of_another_type_is_refused_by_its_key),
        cmocka_unit_test(what_is_no_object_has_no_members),
        cmocka_unit_test(a_key_that_is_not_listed_is_refused),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
