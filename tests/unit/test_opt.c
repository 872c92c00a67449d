#include "tests/harness/test.h"

#include "pds/base/opt.h"

#include <string.h>

enum { WORDS = 8 };

static const struct opt TABLE[] = {
    {"from", 'f', "T", "first instant"},
    {"out", 'o', "FILE", "where to"},
    {"quiet", 'q', NULL, "say nothing"},
    {"all", 0, NULL, "everything"},
    {NULL, 0, NULL, NULL},
};

static const struct {
    const char *words[WORDS];
    const char *from, *out;
    bool quiet, all;
    const char *args[WORDS];
} GOOD[] = {
    {{NULL}, NULL, NULL, false, false, {NULL}},
    {{"a", "b"}, NULL, NULL, false, false, {"a", "b"}},
    {{"--from", "2024", "x"}, "2024", NULL, false, false, {"x"}},
    {{"--from=2024", "-o", "file", "-q"}, "2024", "file", true, false, {NULL}},
    {{"-f", "1", "a", "--all", "b", "--quiet"}, "1", NULL, true, true, {"a", "b"}},
    {{"--from="}, "", NULL, false, false, {NULL}},
    {{"--from=a=b"}, "a=b", NULL, false, false, {NULL}},
    {{"--from", ""}, "", NULL, false, false, {NULL}},
    {{"--from", "-5"}, "-5", NULL, false, false, {NULL}},
    {{"--from", "-"}, "-", NULL, false, false, {NULL}},
    {{"--from=--all"}, "--all", NULL, false, false, {NULL}},
    {{"-", ""}, NULL, NULL, false, false, {"-", ""}},
    {{"a", "--", "--from", "-q", "--"}, NULL, NULL, false, false, {"a", "--from", "-q", "--"}},
};

static int count(const char *const words[])
{
    int n = 0;

    while (n < WORDS && words[n])
        n++;
    return n;
}

static bool same(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

static void options_and_arguments_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        const char *const *words = GOOD[i].words;
        struct opts o;
        assert_ok(opt_parse(TABLE, count(words), (char *const *)words, &o));
        assert_row(words[0], same(opt_get(TABLE, &o, "from"), GOOD[i].from));
        assert_row(words[0], same(opt_get(TABLE, &o, "out"), GOOD[i].out));
        assert_row(words[0], opt_has(TABLE, &o, "quiet") == GOOD[i].quiet);
        assert_row(words[0], opt_has(TABLE, &o, "all") == GOOD[i].all);
        assert_int_equal(o.arg_count, count(GOOD[i].args));
        for (size_t k = 0; k < o.arg_count; k++)
            assert_string_equal(o.args[k], GOOD[i].args[k]);
    }
}

static const struct {
    const char *words[WORDS];
    const char *story;
} BAD[] = {
    {{"--fro", "x"}, "unknown option --fro"},
    {{"--fromm=x"}, "unknown option --fromm"},
    {{"--passphrase=secret"}, "unknown option --passphrase"},
    {{"--=x"}, "unknown option --"},
    {{"-x"}, "unknown option -x"},
    {{"-qf", "1"}, "unknown option -qf"},
    {{"-f1"}, "unknown option -f1"},
    {{"---from", "1"}, "unknown option ---from"},
    {{"--aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
     "unknown option --aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    {{"--from"}, "option --from needs a value, T"},
    {{"-f"}, "option --from needs a value, T"},
    {{"--from", "--quiet"}, "option --from needs a value, T"},
    {{"--from", "--"}, "option --from needs a value, T"},
    {{"--quiet=yes"}, "option --quiet takes no value"},
    {{"--quiet="}, "option --quiet takes no value"},
    {{"--from=1", "-f", "2"}, "option --from is given twice"},
    {{"-q", "x", "--quiet"}, "option --quiet is given twice"},
};

static void all_else_is_a_usage_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        const char *const *words = BAD[i].words;
        struct opts o = {.arg_count = 77};
        assert_row(BAD[i].story, opt_parse(TABLE, count(words), (char *const *)words, &o) == ERR_USAGE);
        assert_string_equal(err_story(), BAD[i].story);
        assert_int_equal(o.arg_count, 77);
    }
}

static void arguments_end_at_their_limit(void **state)
{
    char word[] = "a", *words[OPT_ARGS_MAX + 1];
    static struct opts o;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        words[i] = word;
    assert_ok(opt_parse(TABLE, OPT_ARGS_MAX, words, &o));
    assert_int_equal(o.arg_count, OPT_ARGS_MAX);
    assert_err(opt_parse(TABLE, OPT_ARGS_MAX + 1, words, &o), ERR_USAGE);
}

static void a_table_may_hold_as_many_rows_as_there_are_values(void **state)
{
    static char names[OPT_MAX][4];
    struct opt table[OPT_MAX + 1] = {0};
    char word[] = "--n31", *words[] = {word};
    struct opts o;

    (void)state;
    for (size_t i = 0; i < OPT_MAX; i++) {
        names[i][0] = 'n';
        names[i][1] = (char)('0' + i / 10);
        names[i][2] = (char)('0' + i % 10);
        table[i].name = names[i];
    }
    assert_ok(opt_parse(table, 1, words, &o));
    assert_true(opt_has(table, &o, "n31"));
    assert_false(opt_has(table, &o, "n00"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_arguments_are_told_apart),
        cmocka_unit_test(all_else_is_a_usage_error),
        cmocka_unit_test(arguments_end_at_their_limit),
        cmocka_unit_test(a_table_may_hold_as_many_rows_as_there_are_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
