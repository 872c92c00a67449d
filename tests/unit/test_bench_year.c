#include "tests/harness/test.h"

#include "connectors/files/format.h"
#include "pds/base/clock.h"
#include "pds/cli/bench_year.h"
#include "pds/base/limits.h"

#include <string.h>

struct seen {
    int64_t count, first, last, rejected;
};

static enum err take(void *context, const struct reading *r)
{
    struct seen *s = context;

    assert_int_equal(r->end_at - r->start_at, 1800);
    if (s->count == 0)
        s->first = r->start_at;
    else
        assert_int_equal(r->start_at, s->last); /* no hole, at no change of the clock */
    s->last = r->end_at;
    s->count++;
    return ERR_OK;
}

static void tell(void *context, const char *dataset, int64_t line, int rejected, const char *reason)
{
    (void)dataset, (void)line, (void)reason;
    ((struct seen *)context)->rejected += rejected;
}

static void a_made_up_year_is_read_whole(void **state)
{
    static const struct {
        int year;
        int64_t count;
    } YEARS[] = {{2023, 365 * 48}, {2024, 366 * 48}, {2025, 365 * 48}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(YEARS); i++) {
        struct buf csv;
        struct bench_text text = {&csv, 0};
        struct reading_input input = {.read = bench_text_read, .context = &text};
        struct reading_options options = {.zone = zone_paris()};
        struct seen seen = {0};
        struct reading_sink sink = {.take = take, .tell = tell, .context = &seen};
        const struct format *format = NULL;

        buf_init(&csv, (size_t)(4 * MIB));
        assert_int_equal(bench_year_csv(YEARS[i].year, &csv), YEARS[i].count);
        assert_ok(buf_err(&csv));
        assert_ok(format_read(&input, &options, &sink, &format));
        assert_string_equal(format->name, "enedis.portal.csv");
        assert_int_equal(seen.count, YEARS[i].count);
        assert_int_equal(seen.rejected, 0);
        assert_int_equal(seen.first, clock_days(YEARS[i].year, 1, 1) * 86400 - 3600);
        assert_int_equal(seen.last, clock_days(YEARS[i].year + 1, 1, 1) * 86400 - 3600);
        assert_int_equal(text.read, csv.len);
        buf_done(&csv);
    }
}

static void text_is_read_in_pieces_of_any_size(void **state)
{
    struct buf text;
    char out[16];
    size_t got = 0;

    (void)state;
    buf_init(&text, 100);
    buf_text(&text, "abcdefg");
    for (size_t size = 1; size < 10; size++) {
        struct bench_text t = {&text, 0};
        size_t sum = 0;

        do {
            assert_ok(bench_text_read(&t, out + sum, size, &got));
            assert_true(got <= size);
            sum += got;
        } while (got);
        assert_int_equal(sum, 7);
        assert_memory_equal(out, "abcdefg", 7);
    }
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_made_up_year_is_read_whole),
        cmocka_unit_test(text_is_read_in_pieces_of_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
