#include "tests/harness/test.h"
#include "tests/harness/tmpvault.h"

#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/store/import.h"
#include "pds/store/query_text.h"

#include <stdio.h>

static const struct dataset *dataset(const char *name)
{
    const struct dataset *d = NULL;

    assert_ok(dataset_find(str_of(name), &d));
    return d;
}

static int64_t instant(const char *text)
{
    int64_t at = 0;

    assert_ok(query_time("test", str_of(text), zone_paris(), &at));
    return at;
}

/* Puts records of one series between two instants, each step long, each worth `watts` for its length. */
static void fill_of(struct vault *v, const char *meter, const char *grain, const char *from, const char *to,
                    int64_t step_s, int64_t watts)
{
    AUTO(import_freep) struct import *m = NULL;
    int64_t end = instant(to);

    assert_ok(import_new(v, STR("a"), 1000, &m));
    for (int64_t at = instant(from), next; at < end; at = next) {
        struct record r = {.start_at = at, .quality = RECORD_MEASURED, .present = 1};

        next = step_s ? at + step_s : zone_day_next(zone_paris(), at);
        r.end_at = next;
        r.values[0] = watts * (next - at) / 60;
        assert_ok(
            import_add(m, dataset("energy.electricity.consumption"), "enedis", str_of(meter), grain, &r));
    }
    assert_ok(import_close(m, 1000));
}

static void fill(struct vault *v, const char *grain, const char *from, const char *to, int64_t step_s,
                 int64_t watts)
{
    fill_of(v, "1", grain, from, to, step_s, watts);
}

static void put_one(struct vault *v, const char *grain, const char *from, const char *to, int64_t watt_hours)
{
    AUTO(import_freep) struct import *m = NULL;
    struct record r = {
        .start_at = instant(from), .end_at = instant(to), .quality = RECORD_MEASURED, .present = 1};

    r.values[0] = watt_hours * 60;
    assert_ok(import_new(v, STR("a"), 1000, &m));
    assert_ok(import_add(m, dataset("energy.electricity.consumption"), "enedis", STR("1"), grain, &r));
    assert_ok(import_close(m, 1000));
}

enum { ROWS_MAX = 400 };

static int64_t only_source; /* of the questions below; 0 for all */

static size_t ask(struct vault *v, const char *step, const char *from, const char *to,
                  struct query_row rows[static ROWS_MAX])
{
    AUTO(reader_done) struct reader reader = {v, NULL};
    AUTO(query_freep) struct query *q = NULL;
    struct query_options o = {.dataset = dataset("energy.electricity.consumption"),
                              .from = from ? instant(from) : INT64_MIN,
                              .to = to ? instant(to) : INT64_MAX,
                              .zone = zone_paris(),
                              .source_id = only_source};
    size_t count = 0;
    enum err e;

    if (step)
        assert_ok(step_parse(str_of(step), &o.step));
    assert_ok(vault_read(v, &reader.db));
    assert_ok(query_new(reader.db, &o, &q));
    while (!(e = query_next(q, &rows[count]))) {
        count++;
        assert_true(count < ROWS_MAX);
    }
    assert_int_equal(e, ERR_NOT_FOUND);
    return count;
}

static void local_days_have_46_48_or_50_half_hours(void **state)
{
    static const struct {
        const char *day, *next;
        int half_hours;
    } ROWS[] = {
        {"2024-03-30", "2024-03-31", 48}, {"2024-03-31", "2024-04-01", 46}, {"2024-10-27", "2024-10-28", 50}};
    struct query_row rows[ROWS_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();

        fill(t->vault, "curve", ROWS[i].day, ROWS[i].next, 1800, 1000);
        assert_int_equal(ask(t->vault, "PT30M", NULL, NULL, rows), ROWS[i].half_hours);
        assert_int_equal(ask(t->vault, "PT1H", NULL, NULL, rows), ROWS[i].half_hours / 2);
        assert_int_equal(ask(t->vault, "P1D", NULL, NULL, rows), 1);
        assert_int_equal(rows[0].values[0], 1000LL * ROWS[i].half_hours * 30);
        assert_int_equal(rows[0].start_at, instant(ROWS[i].day));
        assert_int_equal(rows[0].end_at, instant(ROWS[i].next));
        assert_int_equal(rows[0].covered_s, rows[0].end_at - rows[0].start_at);
    }
}

static void holes_stay_holes(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    struct query_row rows[ROWS_MAX];

    (void)state;
    fill(t->vault, "curve", "2024-05-01", "2024-05-02", 1800, 600);
    fill(t->vault, "curve", "2024-05-03T10:00:00Z", "2024-05-03T12:00:00Z", 1800, 600);
    assert_int_equal(ask(t->vault, "P1D", NULL, NULL, rows), 2); /* 2 May is absent, not zero */
    assert_int_equal(rows[1].start_at, instant("2024-05-03"));
    assert_int_equal(rows[1].covered_s, 7200);
    assert_int_equal(rows[1].values[0], 600 * 120);
    assert_int_equal(ask(t->vault, "P1M", NULL, NULL, rows), 1);
    assert_int_equal(rows[0].covered_s, 86400 + 7200);
}

static void two_series_are_never_added(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    struct query_row rows[ROWS_MAX];

    (void)state;
    fill(t->vault, "curve", "2024-05-01", "2024-05-02", 1800, 1000);           /* whole */
    fill(t->vault, "curve", "2024-05-02", "2024-05-02T10:00:00Z", 1800, 1000); /* half a day */
    fill(t->vault, "daily", "2024-05-01", "2024-05-04", 0, 500);               /* three days */
    assert_int_equal(ask(t->vault, "P1D", NULL, NULL, rows), 3);
    assert_int_equal(rows[0].values[0], 1000 * 24 * 60); /* both cover it all: the finer one */
    assert_int_equal(rows[1].values[0], 500 * 24 * 60);  /* the daily total wins over the holed curve */
    assert_int_equal(rows[2].values[0], 500 * 24 * 60);
    assert_int_equal(ask(t->vault, "P1M", NULL, NULL, rows), 1);
    assert_int_equal(rows[0].values[0], (1000 + 500 + 500) * 24 * 60);
    assert_int_equal(ask(t->vault, "PT1H", NULL, NULL, rows), 24 + 12); /* days do not become hours */
    assert_int_equal(ask(t->vault, NULL, NULL, NULL, rows), 48 + 24 + 1);
}

static void a_record_of_several_days_counts_only_where_it_fits_whole(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    struct query_row rows[ROWS_MAX];

    (void)state;
    fill(t->vault, "daily", "2021-03-25", "2021-03-27", 0, 1000);
    put_one(t->vault, "daily", "2021-03-27", "2021-03-29", 60000); /* the split is not known */
    fill(t->vault, "daily", "2021-03-29", "2021-03-30", 0, 1000);
    assert_int_equal(ask(t->vault, "P1D", NULL, NULL, rows), 3);
    assert_int_equal(rows[2].start_at, instant("2021-03-29"));
    assert_int_equal(ask(t->vault, "P1M", NULL, NULL, rows), 1);
    assert_int_equal(rows[0].values[0], (3 * 24000 + 60000) * 60);
    assert_int_equal(ask(t->vault, "P1W", NULL, NULL, rows), 2); /* 22 to 28 March holds it whole */
    assert_int_equal(rows[0].values[0], (2 * 24000 + 60000) * 60);
    put_one(t->vault, "daily", "2021-03-31", "2021-04-02", 10000); /* spans two months: in neither */
    assert_int_equal(ask(t->vault, "P1M", NULL, NULL, rows), 1);
    assert_int_equal(ask(t->vault, "P1Y", NULL, NULL, rows), 1);
    assert_int_equal(rows[0].values[0], (3 * 24000 + 60000 + 10000) * 60);
}

static void records_of_a_series_that_overlap_are_not_added(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    struct query_row rows[ROWS_MAX];

    (void)state;
    fill(t->vault, "curve", "2024-05-01", "2024-05-02", 3600, 1000);
    fill(t->vault, "curve", "2024-05-01", "2024-05-02", 1800, 1000);
    assert_int_equal(ask(t->vault, "P1D", NULL, NULL, rows), 1);
    assert_int_equal(rows[0].values[0], 24000 * 60);
    assert_int_equal(rows[0].covered_s, 86400);
    assert_int_equal(ask(t->vault, NULL, NULL, NULL, rows), 48);
    assert_int_equal(ask(t->vault, "PT1H", NULL, NULL, rows), 24);
    assert_int_equal(rows[0].values[0], 1000 * 60);
}

static void a_second_meter_does_not_fill_the_holes_of_the_first(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    struct query_row rows[ROWS_MAX];

    (void)state;
    fill_of(t->vault, "A", "curve", "2024-05-01", "2024-05-02T10:00:00Z", 1800, 1000);
    fill_of(t->vault, "A", "curve", "2024-05-02T11:00:00Z", "2024-05-05", 1800, 1000);
    fill_of(t->vault, "B", "curve", "2024-05-01", "2024-05-04", 1800, 3000);
    assert_int_equal(ask(t->vault, "P1D", NULL, NULL, rows), 4);
    assert_int_equal(rows[1].values[0], 23000 * 60); /* an hour is missing, and stays missing */
    assert_int_equal(ask(t->vault, NULL, NULL, NULL, rows), 4 * 48 - 2);
    only_source = 2;
    assert_int_equal(ask(t->vault, "P1D", NULL, NULL, rows), 3);
    assert_int_equal(rows[1].values[0], 72000 * 60);
    only_source = 3;
    assert_int_equal(ask(t->vault, "P1D", NULL, NULL, rows), 0);
    only_source = 0;
}

/* A store that another's export was merged into has its series in another order. */
static void of_series_that_are_equals_the_order_of_arrival_does_not_decide(void **state)
{
    static const struct {
        const char *meter, *grain;
        int64_t watts;
    } SERIES[] = {{"A", "curve", 1000}, {"A", "daily", 2000}, {"B", "curve", 3000}, {"B", "daily", 4000}};
    struct query_row rows[ROWS_MAX];

    (void)state;
    for (size_t first = 0; first < COUNT_OF(SERIES); first++) {
        AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();

        for (size_t n = 0; n < COUNT_OF(SERIES); n++) {
            size_t i = (first + n) % COUNT_OF(SERIES);

            fill_of(t->vault, SERIES[i].meter, SERIES[i].grain, "2024-05-01", "2024-05-03", 1800,
                    SERIES[i].watts);
        }
        assert_int_equal(ask(t->vault, "P1D", NULL, NULL, rows), 2);
        assert_int_equal(rows[1].values[0], 24000 * 60);
        assert_int_equal(ask(t->vault, NULL, NULL, NULL, rows), 96);
        assert_int_equal(rows[95].values[0], 500 * 60);
    }
}

static void a_meter_that_follows_another_continues_its_curve(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    struct query_row rows[ROWS_MAX];

    (void)state;
    fill_of(t->vault, "A", "curve", "2024-05-01", "2024-05-04", 1800, 1000);
    fill_of(t->vault, "B", "curve", "2024-05-04", "2024-05-06", 1800, 2000);
    assert_int_equal(ask(t->vault, "P1D", NULL, NULL, rows), 5);
    assert_int_equal(rows[4].values[0], 48000 * 60);
    assert_int_equal(ask(t->vault, "P1M", NULL, NULL, rows), 1);
    assert_int_equal(rows[0].values[0], (3 * 24000 + 2 * 48000) * 60);
}

static void records_across_midnight_are_added_in_larger_steps(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    struct query_row rows[ROWS_MAX];

    (void)state;
    fill(t->vault, "curve", "2024-05-06T06:30:00Z", "2024-05-08T06:30:00Z", 3600,
         1000); /* hours at half past */
    assert_int_equal(ask(t->vault, "P1W", NULL, NULL, rows), 1);
    assert_int_equal(rows[0].values[0], 48000 * 60);
    put_one(t->vault, "curve", "2024-05-08T06:30:00Z", "2024-05-10T06:30:00Z", 5000);
    assert_int_equal(ask(t->vault, "P1W", NULL, NULL, rows), 1);
    assert_int_equal(rows[0].values[0], 53000 * 60);
}

static void the_window_is_exact(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    struct query_row rows[ROWS_MAX];

    (void)state;
    fill(t->vault, "curve", "2024-05-01", "2024-05-03", 1800, 1000);
    assert_int_equal(ask(t->vault, NULL, "2024-05-01", "2024-05-02", rows), 48);
    assert_int_equal(ask(t->vault, NULL, "2024-05-01T00:00:01Z", "2024-05-01T01:00:00Z", rows), 1);
    assert_int_equal(ask(t->vault, NULL, "2024-05-01T00:00:00Z", "2024-05-01T00:29:59Z", rows), 0);
    assert_int_equal(ask(t->vault, "P1D", "2024-05-01T12:00:00Z", "2024-05-02T12:00:00Z", rows), 2);
    assert_int_equal(rows[0].covered_s, 10 * 3600);
    assert_int_equal(rows[1].covered_s, 14 * 3600);
}

static void coarser_is_the_sum_of_finer(void **state)
{
    static const char *const STEPS[] = {"PT30M", "PT1H", "P1D", "P1W", "P1M", "P1Y"};
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    struct query_row *rows = calloc(20000, sizeof *rows);
    uint64_t seed = test_seed();
    int64_t wanted = 0;
    AUTO(import_freep) struct import *m = NULL;

    (void)state;
    assert_ok(import_new(t->vault, STR("a"), 1000, &m));
    for (int64_t at = instant("2024-03-28"); at < instant("2024-04-03"); at += 1800) {
        struct record r = {.start_at = at, .end_at = at + 1800, .quality = RECORD_MEASURED, .present = 1};

        if (test_between(&seed, 0, 9) == 0)
            continue;
        r.values[0] = test_between(&seed, 0, 100000);
        wanted += r.values[0];
        assert_ok(import_add(m, dataset("energy.electricity.consumption"), "enedis", STR("1"), "curve", &r));
    }
    assert_ok(import_close(m, 1000));
    for (size_t i = 0; i < COUNT_OF(STEPS); i++) {
        size_t count = ask(t->vault, STEPS[i], NULL, NULL, rows);
        int64_t sum = 0;

        for (size_t n = 0; n < count; n++)
            sum += rows[n].values[0];
        assert_row(STEPS[i], sum == wanted);
    }
    free(rows);
}

static void text_of(struct vault *v, const char *step, enum query_format format, int64_t limit,
                    struct buf *out)
{
    AUTO(reader_done) struct reader reader = {v, NULL};
    AUTO(query_freep) struct query *q = NULL;
    struct query_options o = {.dataset = dataset("energy.electricity.consumption"),
                              .from = INT64_MIN,
                              .to = INT64_MAX,
                              .zone = zone_paris()};
    struct query_text text;

    if (step)
        assert_ok(step_parse(str_of(step), &o.step));
    assert_ok(vault_read(v, &reader.db));
    assert_ok(query_new(reader.db, &o, &q));
    query_text_init(&text, q, &o, format, limit);
    while (!text.ended)
        assert_ok(query_text_fill(&text, out, out->len + 1));
}

static void text_is_the_shape_that_is_promised(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 20);
    text_of(t->vault, NULL, QUERY_JSON, 10, &out);
    assert_string_equal(out.data,
                        "{\"dataset\":\"energy.electricity.consumption\",\"unit\":\"Wh\",\"step\":null,"
                        "\"records\":[],\"coverage\":0,\"next\":null}\n");
    fill(t->vault, "curve", "2024-05-01T00:00:00Z", "2024-05-01T01:30:00Z", 1800, 335);
    buf_clear(&out);
    text_of(t->vault, NULL, QUERY_JSON, 2, &out);
    assert_string_equal(
        out.data,
        "{\"dataset\":\"energy.electricity.consumption\",\"unit\":\"Wh\",\"step\":null,\"records\":["
        "{\"start\":\"2024-05-01T00:00:00Z\",\"end\":\"2024-05-01T00:30:00Z\",\"value\":167.5,\"quality\":"
        "\"measured\"},"
        "{\"start\":\"2024-05-01T00:30:00Z\",\"end\":\"2024-05-01T01:00:00Z\",\"value\":167.5,\"quality\":"
        "\"measured\"}"
        "],\"coverage\":1,\"next\":\"2024-05-01T01:00:00Z\"}\n");
    buf_clear(&out);
    text_of(t->vault, "P1D", QUERY_CSV, 10, &out);
    assert_string_equal(out.data, "start,end,value,quality,coverage\r\n"
                                  "2024-04-30T22:00:00Z,2024-05-01T22:00:00Z,502.5,measured,0.0625\r\n");
    buf_done(&out);
}

static void times_are_dates_or_instants(void **state)
{
    int64_t at = 0;

    (void)state;
    assert_ok(query_time("from", STR("2024-05-01"), zone_paris(), &at));
    assert_int_equal(at, 1714514400);
    assert_ok(query_time("from", STR("2024-05-01T00:00:00+02:00"), zone_paris(), &at));
    assert_int_equal(at, 1714514400);
    assert_err(query_time("from", STR("2024-05"), zone_paris(), &at), ERR_INVALID);
    assert_err(query_time("from", STR("2024-02-30"), zone_paris(), &at), ERR_INVALID);
    assert_err(query_time("from", STR(""), zone_paris(), &at), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(local_days_have_46_48_or_50_half_hours),
        cmocka_unit_test(holes_stay_holes),
        cmocka_unit_test(two_series_are_never_added),
        cmocka_unit_test(a_record_of_several_days_counts_only_where_it_fits_whole),
        cmocka_unit_test(records_of_a_series_that_overlap_are_not_added),
        cmocka_unit_test(a_second_meter_does_not_fill_the_holes_of_the_first),
        cmocka_unit_test(of_series_that_are_equals_the_order_of_arrival_does_not_decide),
        cmocka_unit_test(a_meter_that_follows_another_continues_its_curve),
        cmocka_unit_test(records_across_midnight_are_added_in_larger_steps),
        cmocka_unit_test(the_window_is_exact),
        cmocka_unit_test(coarser_is_the_sum_of_finer),
        cmocka_unit_test(text_is_the_shape_that_is_promised),
        cmocka_unit_test(times_are_dates_or_instants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
