#include "tests/harness/fault.h"
#include "tests/harness/test.h"

#include "pds/base/mem.h"
#include "pds/base/str.h"

#include <inttypes.h>
#include <string.h>

static void a_missing_text_is_an_empty_one(void **state)
{
    (void)state;
    assert_int_equal(str_of(NULL).len, 0);
    assert_non_null(str_of(NULL).ptr);
    assert_int_equal(str_of("abc").len, 3);
}

static const struct {
    struct str a, b;
    bool eq, eq_nocase, starts, starts_nocase, ends;
} COMPARED[] = {
    {STR_ROW(""), STR_ROW(""), true, true, true, true, true},
    {{NULL, 0}, STR_ROW(""), true, true, true, true, true},
    {STR_ROW("abc"), STR_ROW(""), false, false, true, true, true},
    {{NULL, 0}, STR_ROW("a"), false, false, false, false, false},
    {STR_ROW("abc"), STR_ROW("abc"), true, true, true, true, true},
    {STR_ROW("abc"), STR_ROW("aBC"), false, true, false, true, false},
    {STR_ROW("abc"), STR_ROW("ab"), false, false, true, true, false},
    {STR_ROW("abc"), STR_ROW("AB"), false, false, false, true, false},
    {STR_ROW("abc"), STR_ROW("bc"), false, false, false, false, true},
    {STR_ROW("ab"), STR_ROW("abc"), false, false, false, false, false},
    {STR_ROW("a\0b"), STR_ROW("a\0c"), false, false, false, false, false},
    {STR_ROW("@[`{"), STR_ROW("`{@["), false, false, false, false, false}, /* the neighbours of letters */
    {STR_ROW("\xC3\x89"), STR_ROW("\xC3\xA9"), false, false, false, false, false}, /* É é: not ASCII */
};

static void texts_are_compared_by_their_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(COMPARED); i++) {
        struct str a = COMPARED[i].a, b = COMPARED[i].b;
        assert_row(b.ptr, str_eq(a, b) == COMPARED[i].eq);
        assert_row(b.ptr, str_eq(b, a) == COMPARED[i].eq);
        assert_row(b.ptr, str_eq_nocase(a, b) == COMPARED[i].eq_nocase);
        assert_row(b.ptr, str_starts(a, b) == COMPARED[i].starts);
        assert_row(b.ptr, str_starts_nocase(a, b) == COMPARED[i].starts_nocase);
        assert_row(b.ptr, str_ends(a, b) == COMPARED[i].ends);
    }
}

static const struct {
    struct str from, to;
} TRIMMED[] = {
    {STR_ROW(""), STR_ROW("")},
    {STR_ROW(" \t\n\v\f\r"), STR_ROW("")},
    {STR_ROW("  a b  "), STR_ROW("a b")},
    {STR_ROW("\xC2\xA0 12 345\xE2\x80\xAF \xC2\xA0"), STR_ROW("12 345")},
    {STR_ROW("\xE2\x80\xAF\xC2\xA0"), STR_ROW("")},
    {STR_ROW("\xA0x\xC2"), STR_ROW("\xA0x\xC2")},
    {STR_ROW("\xC2"), STR_ROW("\xC2")},
    {STR_ROW("\x08x\x0E"), STR_ROW("\x08x\x0E")},
    {STR_ROW("x"), STR_ROW("x")},
};

static void spaces_go_from_both_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(TRIMMED); i++)
        assert_row(TRIMMED[i].from.ptr, str_eq(str_trim(TRIMMED[i].from), TRIMMED[i].to));
    assert_int_equal(str_trim((struct str){NULL, 0}).len, 0);
}

static void parts_come_one_after_the_other(void **state)
{
    static const struct str PARTS[] = {STR_ROW("a"), STR_ROW(""), STR_ROW("bc"), STR_ROW("")};
    struct str rest = STR("a,,bc,"), part;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(PARTS); i++) {
        assert_true(str_split(&rest, ',', &part));
        assert_true(str_eq(part, PARTS[i]));
    }
    assert_null(rest.ptr);
    assert_false(str_split(&rest, ',', &part));
}

static void an_empty_text_has_one_part_and_no_text_none(void **state)
{
    struct str rest = STR(""), part = STR("untouched");

    (void)state;
    assert_true(str_split(&rest, ',', &part));
    assert_int_equal(part.len, 0);
    part = STR("untouched");
    assert_false(str_split(&rest, ',', &part));
    assert_true(str_eq(part, STR("untouched")));
}

static const struct {
    struct str text;
    int64_t value;
    enum err e;
} WHOLE[] = {
    {STR_ROW("0"), 0, ERR_OK},
    {STR_ROW("-0"), 0, ERR_OK},
    {STR_ROW("+7"), 7, ERR_OK},
    {STR_ROW("007"), 7, ERR_OK},
    {STR_ROW("9223372036854775807"), INT64_MAX, ERR_OK},
    {STR_ROW("9223372036854775808"), 0, ERR_INVALID},
    {STR_ROW("-9223372036854775808"), INT64_MIN, ERR_OK},
    {STR_ROW("-9223372036854775809"), 0, ERR_INVALID},
    {STR_ROW("18446744073709551616"), 0, ERR_INVALID},
    {STR_ROW("18446744073709551615"), 0, ERR_INVALID},
    {STR_ROW("100000000000000000000000"), 0, ERR_INVALID},
    {STR_ROW("00000000000000000000000000000001"), 1, ERR_OK},
    {STR_ROW(""), 0, ERR_INVALID},
    {{NULL, 0}, 0, ERR_INVALID},
    {STR_ROW("+"), 0, ERR_INVALID},
    {STR_ROW("--1"), 0, ERR_INVALID},
    {STR_ROW("1 "), 0, ERR_INVALID},
    {STR_ROW(" 1"), 0, ERR_INVALID},
    {STR_ROW("1.0"), 0, ERR_INVALID},
    {STR_ROW("1e3"), 0, ERR_INVALID},
    {STR_ROW("0x10"), 0, ERR_INVALID},
    {STR_ROW("1\0"), 0, ERR_INVALID},
};

static void whole_numbers_are_read_to_both_ends_of_64_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(WHOLE); i++) {
        int64_t n = 42;
        enum err e = str_int64(WHOLE[i].text, &n);
        assert_row(WHOLE[i].text.ptr, e == WHOLE[i].e);
        assert_row(WHOLE[i].text.ptr, n == (e ? 42 : WHOLE[i].value));
    }
}

static const struct {
    struct str text;
    int64_t scale, value;
    enum err e;
} SCALED[] = {
    {STR_ROW("0,984"), 1000, 984, ERR_OK},
    {STR_ROW("0.984"), 1000, 984, ERR_OK},
    {STR_ROW("1"), 1000, 1000, ERR_OK},
    {STR_ROW("-1,5"), 1000, -1500, ERR_OK},
    {STR_ROW("+1,5"), 10, 15, ERR_OK},
    {STR_ROW("0012,50"), 100, 1250, ERR_OK},
    {STR_ROW(",5"), 10, 5, ERR_OK},
    {STR_ROW("0,5"), 1, 1, ERR_OK}, /* half away from zero */
    {STR_ROW("-0,5"), 1, -1, ERR_OK},
    {STR_ROW("0,4999999999999999999999999999"), 1, 0, ERR_OK},
    {STR_ROW("0,5000000000000000000000000001"), 1, 1, ERR_OK},
    {STR_ROW("0,16666666666666666666666666666"), 3, 0, ERR_OK}, /* under a half by 2e-29 */
    {STR_ROW("0,16666666666666666666666666667"), 3, 1, ERR_OK},
    {STR_ROW("0,9999"), 1000, 1000, ERR_OK},
    {STR_ROW("1,0004"), 1000, 1000, ERR_OK},
    {STR_ROW("1,0005"), 1000, 1001, ERR_OK},
    {STR_ROW("0,25"), 3600, 900, ERR_OK},
    {STR_ROW("-0,0"), 1000, 0, ERR_OK},
    {STR_ROW("9223372036854775,807"), 1000, INT64_MAX, ERR_OK},
    {STR_ROW("9223372036854775,8074"), 1000, INT64_MAX, ERR_OK},
    {STR_ROW("9223372036854775,8075"), 1000, 0, ERR_INVALID},
    {STR_ROW("-9223372036854775,808"), 1000, INT64_MIN, ERR_OK},
    {STR_ROW("-9223372036854775,809"), 1000, 0, ERR_INVALID},
    {STR_ROW("18446744073709551,616"), 1000, 0, ERR_INVALID},
    {STR_ROW("99999999999999999999"), 1, 0, ERR_INVALID},
    {STR_ROW("18446744073709551615,9"), 1, 0, ERR_INVALID},
    {STR_ROW("0,9"), INT64_MAX / 10, 830103483316929822, ERR_OK},
    {STR_ROW("5,"), 10, 0, ERR_INVALID},
    {STR_ROW(","), 10, 0, ERR_INVALID},
    {STR_ROW("-"), 10, 0, ERR_INVALID},
    {STR_ROW(""), 10, 0, ERR_INVALID},
    {{NULL, 0}, 10, 0, ERR_INVALID},
    {STR_ROW("1,2,3"), 10, 0, ERR_INVALID},
    {STR_ROW("1.234,5"), 10, 0, ERR_INVALID},
    {STR_ROW("1 234"), 10, 0, ERR_INVALID},
    {STR_ROW("1e3"), 10, 0, ERR_INVALID},
    {STR_ROW("1,-5"), 10, 0, ERR_INVALID},
    {STR_ROW("nan"), 10, 0, ERR_INVALID},
};

static void decimal_numbers_are_rounded_exactly(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(SCALED); i++) {
        int64_t n = 42;
        enum err e = str_scaled(SCALED[i].text, SCALED[i].scale, &n);
        assert_row(SCALED[i].text.ptr, e == SCALED[i].e);
        if (n != (e ? 42 : SCALED[i].value))
            print_error("%" PRId64 "\n", n);
        assert_row(SCALED[i].text.ptr, n == (e ? 42 : SCALED[i].value));
    }
}

static void a_refused_number_is_not_in_the_story(void **state)
{
    int64_t n;

    (void)state;
    assert_err(str_int64(STR("secret77"), &n), ERR_INVALID);
    assert_null(strstr(err_story(), "secret77"));
    assert_err(str_scaled(STR("secret77"), 10, &n), ERR_INVALID);
    assert_null(strstr(err_story(), "secret77"));
}

static const struct {
    struct str text;
    size_t first; /* length of the first character */
} CHARACTERS[] = {
    {STR_ROW(""), 0},
    {STR_ROW("a"), 1},
    {STR_ROW("\x7F"), 1},
    {STR_ROW("\x00"), 1},
    {STR_ROW("\x80"), 0},
    {STR_ROW("\xBF"), 0},
    {STR_ROW("\xC0\x80"), 0}, /* overlong */
    {STR_ROW("\xC1\xBF"), 0},
    {STR_ROW("\xC2\x80"), 2},
    {STR_ROW("\xC2\x7F"), 0},
    {STR_ROW("\xC2\xC0"), 0},
    {STR_ROW("\xC2"), 0},
    {STR_ROW("\xDF\xBF"), 2},
    {STR_ROW("\xE0\x9F\xBF"), 0}, /* overlong */
    {STR_ROW("\xE0\xA0\x80"), 3},
    {STR_ROW("\xE0\xA0"), 0},
    {STR_ROW("\xE1\x80\x80"), 3},
    {STR_ROW("\xE1\x80\x7F"), 0},
    {STR_ROW("\xE1\x80\xC0"), 0},
    {STR_ROW("\xED\x9F\xBF"), 3},
    {STR_ROW("\xED\xA0\x80"), 0}, /* surrogate */
    {STR_ROW("\xEE\x80\x80"), 3},
    {STR_ROW("\xEF\xBF\xBF"), 3},
    {STR_ROW("\xF0\x8F\xBF\xBF"), 0}, /* overlong */
    {STR_ROW("\xF0\x90\x80\x80"), 4},
    {STR_ROW("\xF0\x90\x80"), 0},
    {STR_ROW("\xF3\xBF\xBF\xBF"), 4},
    {STR_ROW("\xF4\x8F\xBF\xBF"), 4},
    {STR_ROW("\xF4\x90\x80\x80"), 0}, /* past U+10FFFF */
    {STR_ROW("\xF5\x80\x80\x80"), 0},
    {STR_ROW("\xFF"), 0},
};

static void utf8_is_what_unicode_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CHARACTERS); i++) {
        struct str text = CHARACTERS[i].text;
        assert_row(text.ptr, str_utf8_len(text) == CHARACTERS[i].first);
        assert_row(text.ptr, str_is_utf8(text) == (CHARACTERS[i].first > 0 || text.len == 0));
    }
}

/* Eight bytes at a time are looked at: a bad one is found wherever it stands. */
static void one_bad_byte_is_found_anywhere(void **state)
{
    char text[41];

    (void)state;
    memset(text, 'a', sizeof text);
    assert_true(str_is_utf8((struct str){text, sizeof text}));
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)0xFF;
        assert_false(str_is_utf8((struct str){text, sizeof text}));
        text[i] = 'a';
    }
    memcpy(text + 17, (const char[]){(char)0xC3, (char)0xA9, (char)0xE2, (char)0x82, (char)0xAC}, 5);
    assert_true(str_is_utf8((struct str){text, sizeof text}));
    assert_false(str_is_utf8((struct str){text, 18}));
}

static void every_code_point_is_told_from_what_is_none(void **state)
{
    (void)state;
    for (uint32_t c = 0x800; c < 0x110800; c += c < 0x10000 ? 1 : 13) {
        char b[4] = {(char)(0xF0 | c >> 18), (char)(0x80 | (c >> 12 & 63)), (char)(0x80 | (c >> 6 & 63)),
                     (char)(0x80 | (c & 63))};
        size_t wanted = c > 0x10FFFF ? 0 : c >= 0x10000 ? 4 : c >= 0xD800 && c < 0xE000 ? 0 : 3;
        if (c < 0x10000)
            b[1] = (char)(0xE0 | c >> 12);
        assert_int_equal(str_utf8_len((struct str){c < 0x10000 ? b + 1 : b, c < 0x10000 ? 3 : 4}), wanted);
    }
}

static void a_copy_fits_with_its_nul_or_is_refused(void **state)
{
    char at[4] = "old";

    (void)state;
    assert_err(str_copy(STR("four"), at, sizeof at), ERR_TOO_LARGE);
    assert_err(str_copy(STR("a\0b"), at, sizeof at), ERR_TOO_LARGE);
    assert_err(str_copy(STR(""), at, 0), ERR_TOO_LARGE);
    assert_string_equal(at, "old");
    assert_ok(str_copy(STR("new"), at, sizeof at));
    assert_string_equal(at, "new");
    assert_ok(str_copy((struct str){NULL, 0}, at, 1));
    assert_string_equal(at, "");
}

static void copy_is_the_callers_or_nothing(void **state)
{
    char *out = NULL;
    long live = mem_live();
    enum err e;

    (void)state;
    FAIL_EACH_ALLOCATION (e, str_keep(STR("a text"), &out)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(out);
        assert_int_equal(mem_live(), live);
    }
    assert_string_equal(out, "a text");
    mem_free(out);
    assert_ok(str_keep((struct str){NULL, 0}, &out));
    assert_string_equal(out, "");
    mem_free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_text_is_an_empty_one),
        cmocka_unit_test(texts_are_compared_by_their_bytes),
        cmocka_unit_test(spaces_go_from_both_ends),
        cmocka_unit_test(parts_come_one_after_the_other),
        cmocka_unit_test(an_empty_text_has_one_part_and_no_text_none),
        cmocka_unit_test(whole_numbers_are_read_to_both_ends_of_64_bits),
        cmocka_unit_test(decimal_numbers_are_rounded_exactly),
        cmocka_unit_test(a_refused_number_is_not_in_the_story),
        cmocka_unit_test(utf8_is_what_unicode_says),
        cmocka_unit_test(one_bad_byte_is_found_anywhere),
        cmocka_unit_test(every_code_point_is_told_from_what_is_none),
        cmocka_unit_test(a_copy_fits_with_its_nul_or_is_refused),
        cmocka_unit_test(copy_is_the_callers_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
