#include "tests/unit/enedis_outcome.h"

#include "tests/harness/fault.h"

/* ---- fixtures ---- */

static const char *const FILES[] = {
    "autumn",
    "autumn-naive",
    "autumn-naive-newest-first",
    "autumn-naive-once",
    "bad-lines",
    "blank",
    "both-flows",
    "columns-only",
    "crlf-bom",
    "curve",
    "duplicate",
    "empty",
    "header-only",
    "headerless",
    "headerless-naive",
    "hole",
    "hole-first",
    "index",
    "index-kwh",
    "index-no-columns",
    "kilowatt",
    "latin-1",
    "masked-meter",
    "meter-change",
    "newest-first",
    "no-break",
    "nonsense",
    "peak",
    "production",
    "properties-late",
    "properties-missing",
    "quoted",
    "sections",
    "single",
    "spring",
    "spring-naive",
    "spring-naive-skipped",
    "step-10",
    "step-absurd",
    "step-change",
    "step-told",
    "truncated",
    "unknown-section",
    "unsorted",
};

/* Parse and close the listing with the outcome, unless it is a good one. */
static void parse_and_list(const struct source *s, struct outcome *o)
{
    enum err e = parse_source(s, o);

    if (e)
        buf_printf(&o->listing, "%s: %s\n", err_row(e)->name, err_story());
    assert_ok(buf_err(&o->listing));
}

/* Beside each file stands what it must yield: name.csv and name.expect. */
static void each_fixture_yields_its_listing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        struct outcome o;
        struct buf csv, expect;

        outcome_init(&o);
        read_file(FIXTURES, FILES[i], ".csv", &csv);
        read_file(FIXTURES, FILES[i], ".expect", &expect);
        parse_and_list(&(struct source){text_of(&csv), 0, SIZE_MAX, SIZE_MAX}, &o);
        if (!str_eq(text_of(&o.listing), text_of(&expect)))
            print_error("%s yields:\n%.*s", FILES[i], STR_ARGS(text_of(&o.listing)));
        assert_row(FILES[i], str_eq(text_of(&o.listing), text_of(&expect)));
        buf_done(&csv);
        buf_done(&expect);
        outcome_done(&o);
    }
}

/* Of the same day, once with offsets and once without. */
static void local_times_are_placed_as_their_offsets_would(void **state)
{
    static const char *const PAIRS[][2] = {{"spring.expect", "spring-naive.expect"},
                                           {"autumn.expect", "autumn-naive.expect"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(PAIRS); i++) {
        struct buf a, b;

        read_file(FIXTURES, PAIRS[i][0], "", &a);
        read_file(FIXTURES, PAIRS[i][1], "", &b);
        assert_row(PAIRS[i][0], str_eq(text_of(&a), text_of(&b)));
        buf_done(&a);
        buf_done(&b);
    }
}

static void the_size_of_blocks_changes_nothing(void **state)
{
    static const size_t PIECES[] = {1, 2, 3, 7, 64};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        struct buf csv, expect;

        read_file(FIXTURES, FILES[i], ".csv", &csv);
        read_file(FIXTURES, FILES[i], ".expect", &expect);
        for (size_t n = 0; n < COUNT_OF(PIECES); n++) {
            struct source s = {text_of(&csv), 0, PIECES[n], SIZE_MAX};
            struct outcome o;

            outcome_init(&o);
            parse_and_list(&s, &o);
            assert_row(FILES[i], str_eq(text_of(&o.listing), text_of(&expect)));
            outcome_done(&o);
        }
        buf_done(&csv);
        buf_done(&expect);
    }
}

/* A download that broke off anywhere. */
static void each_prefix_of_a_file_is_read_without_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        struct buf csv;

        read_file(FIXTURES, FILES[i], ".csv", &csv);
        for (size_t len = 0; len < csv.len; len++) {
            struct outcome o;
            char *cut = mem_text(csv.data, len); /* of its own, so that a read past its end shows */

            assert_non_null(cut);
            outcome_init(&o);
            o.quiet = true;
            assert_true(parse((struct str){cut, len}, &o) <= ERR_INVALID);
            outcome_done(&o);
            mem_free(cut);
        }
        buf_done(&csv);
    }
}

static void mutate(struct buf *b, uint64_t *random)
{
    static const char SPICE[] = ";;;\n\n\"\"\r0123456789-:T+,. \xA0\xC3\xE2\xEF";
    int64_t times = test_between(random, 1, 6);

    while (times-- > 0 && b->len > 0) {
        size_t at = (size_t)test_between(random, 0, (int64_t)b->len - 1);
        size_t more = (size_t)test_between(random, 0, 40);
        size_t len = more < b->len - at ? more : b->len - at;

        switch (test_between(random, 0, 3)) {
        case 0:
            b->data[at] = (char)test_between(random, 0, 255);
            break;
        case 1:
            b->data[at] = SPICE[test_between(random, 0, sizeof SPICE - 2)];
            break;
        case 2: /* a piece is gone */
            memmove(b->data + at, b->data + at + len, b->len - at - len);
            b->len -= len;
            break;
        default: /* a piece is there twice */
            if (buf_reserve(b, len)) {
                memmove(b->data + at + len, b->data + at, b->len - at);
                buf_grew(b, len);
            }
        }
    }
}

static void damaged_files_are_read_without_harm(void **state)
{
    uint64_t random = test_seed();
    struct buf csv = {0}, copy;
    size_t which = 0;

    (void)state;
    buf_init(&copy, MIB);
    for (int round = 0; round < 20000; round++) {
        struct outcome o;

        if (round % 400 == 0) {
            buf_done(&csv);
            read_file(FIXTURES, FILES[which++ % COUNT_OF(FILES)], ".csv", &csv);
        }
        buf_clear(&copy);
        buf_add(&copy, csv.data, csv.len);
        mutate(&copy, &random);
        outcome_init(&o);
        o.quiet = true;
        assert_true(parse(text_of(&copy), &o) <= ERR_INVALID);
        outcome_done(&o);
    }
    buf_done(&copy);
    buf_done(&csv);
}

/* ---- failures of others ---- */

static enum err parse_afresh(struct str text, struct outcome *o)
{
    outcome_done(o);
    outcome_init(o);
    o->quiet = true;
    return parse(text, o);
}

static void each_failing_allocation_ends_the_parse_and_leaves_nothing(void **state)
{
    static const char *const NAMES[] = {"curve", "both-flows", "peak", "quoted"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        struct outcome o;
        struct buf csv;
        long live;
        enum err e;

        outcome_init(&o);
        read_file(FIXTURES, NAMES[i], ".csv", &csv);
        live = mem_live();
        FAIL_EACH_ALLOCATION (e, parse_afresh(text_of(&csv), &o)) {
            assert_int_equal(e, ERR_NO_MEMORY);
            assert_int_equal(mem_live(), live);
        }
        assert_int_equal(mem_live(), live);
        outcome_done(&o);
        buf_done(&csv);
    }
}

static void a_failing_input_ends_the_parse(void **state)
{
    struct buf csv;

    (void)state;
    read_file(FIXTURES, "sections", ".csv", &csv);
    for (size_t at = 0; at < csv.len; at += 100) {
        struct source s = {text_of(&csv), 0, 100, at};
        struct outcome o;

        outcome_init(&o);
        assert_err(parse_source(&s, &o), ERR_IO);
        assert_non_null(strstr(err_story(), "a broken disk"));
        outcome_done(&o);
    }
    buf_done(&csv);
}

static void a_failing_sink_ends_the_parse(void **state)
{
    static const struct {
        const char *name;
        long readings;
    } ROWS[] = {{"curve", 5}, {"both-flows", 8}, {"peak", 4}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct buf csv;

        read_file(FIXTURES, ROWS[i].name, ".csv", &csv);
        for (long after = 1; after < ROWS[i].readings; after++) {
            struct outcome o;

            outcome_init(&o);
            o.refuse_after = after;
            assert_err(parse(text_of(&csv), &o), ERR_FULL);
            assert_int_equal(o.readings, after);
            outcome_done(&o);
        }
        buf_done(&csv);
    }
}

/* ---- recognition ---- */

static void recognises_by_the_first_lines(void **state)
{
    static const struct {
        const char *head;
        bool is_one;
    } ROWS[] = {
        {"Identifiant PRM;Type de donnees;Date de debut", true},
        {"\xEF\xBB\xBF\r\n\nIdentifiant PRM;Type de données;Date de debut\r\n", true},
        {"\"Identifiant PRM\";\"Type de donnees\"\n", true},
        {"identifiant  prm;TYPE DE DONN\xC9\x45S\n", true},
        {"Horodate;Valeur\n2024-05-01T00:30:00+02:00;412\n", true},
        {"Horodate;Type de releve;EAS T\n", true},
        {"2024-05-01T00:30:00+02:00;412\n", true},
        {"2024-05-01T00:30:00;412;\r\n", true},
        {"2024-05-01 00:30;\n", true},
        {"2024-05-01T00:30:00Z;NA", true},
        {"Identifiant PRM;Date de début;Date de fin;Horodate;Valeur\n", false}, /* R63 */
        {"Identifiant PRM", false},
        {"Horodate;kW\n", false},
        {"2024-05-01T00:30:00+02:00;0,412\n", false},
        {"2024-05-01T00:30:00+02:00\n", false},
        {"2024-05-01;412\n", false},
        {"2024-05-01T00:30:00+02:00,412\n", false},
        {"debut;kW\n", false},
        {"<!DOCTYPE html>\n", false},
        {"PK\x03\x04", false},
        {"", false},
        {"\n\n", false},
        {";\n", false},
        {"\xEF\xBB\xBF", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_row(ROWS[i].head, enedis_csv_recognises(str_of(ROWS[i].head)) == ROWS[i].is_one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fixture_yields_its_listing),
        cmocka_unit_test(local_times_are_placed_as_their_offsets_would),
        cmocka_unit_test(the_size_of_blocks_changes_nothing),
        cmocka_unit_test(each_prefix_of_a_file_is_read_without_harm),
        cmocka_unit_test(damaged_files_are_read_without_harm),
        cmocka_unit_test(each_failing_allocation_ends_the_parse_and_leaves_nothing),
        cmocka_unit_test(a_failing_input_ends_the_parse),
        cmocka_unit_test(a_failing_sink_ends_the_parse),
        cmocka_unit_test(recognises_by_the_first_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
