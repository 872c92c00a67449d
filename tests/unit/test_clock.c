#include "tests/harness/test.h"

#include "pds/base/clock.h"

#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { DAY_S = 86400 };

/* In place of the system's, so that the wall clock can be set back. */
static int64_t pretended_ms = -1; /* -1: as it is */

int clock_gettime(clockid_t id, struct timespec *t)
{
    if (id == CLOCK_REALTIME && pretended_ms >= 0) {
        *t = (struct timespec){pretended_ms / 1000, pretended_ms % 1000 * 1000000};
        return 0;
    }
    return (int)syscall(SYS_clock_gettime, id, t);
}

static const struct {
    const char *text;
    int64_t instant;
    struct civil civil;
    int weekday;
} INSTANTS[] = {
    {"0000-01-01T00:00:00Z", -62167219200, {0, 1, 1, 0, 0, 0}, 5},
    {"0000-02-29T12:00:00Z", -62162078400, {0, 2, 29, 12, 0, 0}, 1},
    {"1582-10-15T00:00:00Z", -12219292800, {1582, 10, 15, 0, 0, 0}, 4},
    {"1900-02-28T23:59:59Z", -2203891201, {1900, 2, 28, 23, 59, 59}, 2},
    {"1900-03-01T00:00:00Z", -2203891200, {1900, 3, 1, 0, 0, 0}, 3},
    {"1969-12-31T23:59:59Z", -1, {1969, 12, 31, 23, 59, 59}, 2},
    {"1970-01-01T00:00:00Z", 0, {1970, 1, 1, 0, 0, 0}, 3},
    {"2000-02-29T00:00:00Z", 951782400, {2000, 2, 29, 0, 0, 0}, 1},
    {"2000-03-01T00:00:00Z", 951868800, {2000, 3, 1, 0, 0, 0}, 2},
    {"2001-09-09T01:46:40Z", 1000000000, {2001, 9, 9, 1, 46, 40}, 6},
    {"2024-02-29T23:59:59Z", 1709251199, {2024, 2, 29, 23, 59, 59}, 3},
    {"2024-12-31T23:59:59Z", 1735689599, {2024, 12, 31, 23, 59, 59}, 1},
    {"2038-01-19T03:14:08Z", 2147483648, {2038, 1, 19, 3, 14, 8}, 1},
    {"2100-02-28T00:00:00Z", 4107456000, {2100, 2, 28, 0, 0, 0}, 6},
    {"2100-03-01T00:00:00Z", 4107542400, {2100, 3, 1, 0, 0, 0}, 0},
    {"9999-12-31T23:59:59Z", 253402300799, {9999, 12, 31, 23, 59, 59}, 4},
};

static bool same_civil(const struct civil *a, const struct civil *b)
{
    return a->year == b->year && a->month == b->month && a->day == b->day && a->hour == b->hour &&
           a->minute == b->minute && a->second == b->second;
}

static void instants_dates_and_texts_agree(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(INSTANTS); i++) {
        char text[CLOCK_TEXT_BYTES];
        struct civil c;
        int64_t instant;
        int offset = 42;
        clock_civil(INSTANTS[i].instant, &c);
        assert_row(INSTANTS[i].text, same_civil(&c, &INSTANTS[i].civil));
        assert_row(INSTANTS[i].text, clock_instant(&c) == INSTANTS[i].instant);
        clock_text(INSTANTS[i].instant, text);
        assert_string_equal(text, INSTANTS[i].text);
        assert_ok(clock_parse(str_of(text), &instant, &offset));
        assert_row(text, instant == INSTANTS[i].instant && offset == 0);
        assert_row(text, clock_weekday(clock_days(c.year, c.month, c.day)) == INSTANTS[i].weekday);
    }
    assert_int_equal(CLOCK_TEXT_MIN, INSTANTS[0].instant);
    assert_int_equal(CLOCK_TEXT_MAX, INSTANTS[COUNT_OF(INSTANTS) - 1].instant);
}

static void dates_are_those_of_the_system(void **state)
{
    uint64_t random = test_seed();

    (void)state;
    for (int i = 0; i < 200000; i++) {
        int64_t instant = test_between(&random, CLOCK_TEXT_MIN, CLOCK_TEXT_MAX);
        time_t t = (time_t)instant;
        struct civil c;
        struct tm tm;
        clock_civil(instant, &c);
        assert_non_null(gmtime_r(&t, &tm));
        assert_true(c.year == tm.tm_year + 1900 && c.month == tm.tm_mon + 1 && c.day == tm.tm_mday);
        assert_true(c.hour == tm.tm_hour && c.minute == tm.tm_min && c.second == tm.tm_sec);
        assert_int_equal(clock_instant(&c), instant);
        assert_int_equal((clock_weekday(clock_days(c.year, c.month, c.day)) + 1) % 7, tm.tm_wday);
    }
}

static void each_day_of_four_centuries_follows_the_other(void **state)
{
    struct civil before, c;

    (void)state;
    clock_civil(-DAY_S, &before);
    for (int64_t day = 0; day < 146097; day++, before = c) {
        clock_civil(day * DAY_S, &c);
        assert_int_equal(clock_days(c.year, c.month, c.day), day);
        if (c.day != 1)
            assert_true(c.day == before.day + 1 && c.month == before.month && c.year == before.year);
        else if (c.month != 1)
            assert_true(c.month == before.month + 1 && c.year == before.year && before.day >= 28);
        else
            assert_true(c.year == before.year + 1 && before.month == 12 && before.day == 31);
    }
}

static void months_overflow_into_years(void **state)
{
    (void)state;
    assert_int_equal(clock_days(2024, 13, 1), clock_days(2025, 1, 1));
    assert_int_equal(clock_days(2024, 25, 1), clock_days(2026, 1, 1));
    assert_int_equal(clock_days(2024, 0, 1), clock_days(2023, 12, 1));
    assert_int_equal(clock_days(2024, -11, 1), clock_days(2023, 1, 1));
    assert_int_equal(clock_days(2024, -12, 1), clock_days(2022, 12, 1));
    assert_int_equal(clock_days(2024, 1, 0), clock_days(2023, 12, 31));
}

static void weekdays_repeat_before_1970_too(void **state)
{
    (void)state;
    for (int64_t day = -1000; day < 1000; day++)
        assert_int_equal(clock_weekday(day + 1), (clock_weekday(day) + 1) % 7);
}

static void any_instant_has_a_date_without_overflow(void **state)
{
    struct civil c;

    (void)state;
    clock_civil(INT64_MAX, &c);
    assert_true(c.hour == 15 && c.minute == 30 && c.second == 7);
    clock_civil(INT64_MIN, &c);
    assert_true(c.hour == 8 && c.minute == 29 && c.second == 52);
}

static const struct {
    struct str text;
    int64_t instant;
    int offset;
} READ[] = {
    {STR_ROW("2024-05-01T00:30:00Z"), 1714523400, 0},
    {STR_ROW("2024-05-01t00:30:00z"), 1714523400, 0},
    {STR_ROW("2024-05-01 00:30:00Z"), 1714523400, 0},
    {STR_ROW("2024-05-01T02:30:00+02:00"), 1714523400, 7200},
    {STR_ROW("2024-04-30T20:00:00-04:30"), 1714523400, -16200},
    {STR_ROW("2024-05-01T00:30:00-00:00"), 1714523400, 0},
    {STR_ROW("2024-05-01T00:30:00+00:00"), 1714523400, 0},
    {STR_ROW("2024-05-02T00:29:00+23:59"), 1714523400, 86340},
    {STR_ROW("2024-05-01T00:30:00.9Z"), 1714523400, 0},
    {STR_ROW("2024-05-01T00:30:00.123456789012345678901234567890+00:00"), 1714523400, 0},
    {STR_ROW("2024-02-29T00:00:00Z"), 1709164800, 0},
    {STR_ROW("2000-02-29T23:59:59Z"), 951868799, 0},
    {STR_ROW("0000-01-01T00:00:00Z"), CLOCK_TEXT_MIN, 0},
    {STR_ROW("0000-01-01T01:00:00+01:00"), CLOCK_TEXT_MIN, 3600},
    {STR_ROW("9999-12-31T23:59:59Z"), CLOCK_TEXT_MAX, 0},
};

static void rfc_3339_times_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(READ); i++) {
        int64_t instant = 0;
        int offset = 42;
        assert_ok(clock_parse(READ[i].text, &instant, &offset));
        assert_row(READ[i].text.ptr, instant == READ[i].instant && offset == READ[i].offset);
        assert_ok(clock_parse(READ[i].text, &instant, NULL));
    }
}

static const struct str REFUSED[] = {
    STR_ROW(""),
    STR_ROW("2024-05-01"),
    STR_ROW("2024-05-01T00:30:00"),  /* no offset */
    STR_ROW("2024-05-01T00:30Z"),    /* no seconds */
    STR_ROW("2024-05-01T00:30:60Z"), /* leap seconds have no instant */
    STR_ROW("2024-05-01T00:60:00Z"),
    STR_ROW("2024-05-01T24:00:00Z"),
    STR_ROW("2024-04-31T00:00:00Z"),
    STR_ROW("2023-02-29T00:00:00Z"),
    STR_ROW("1900-02-29T00:00:00Z"),
    STR_ROW("2024-13-01T00:00:00Z"),
    STR_ROW("2024-00-01T00:00:00Z"),
    STR_ROW("2024-01-00T00:00:00Z"),
    STR_ROW("2024-01-32T00:00:00Z"),
    STR_ROW("2024-5-01T00:00:00Z"),
    STR_ROW("24-05-01T00:00:00Z"),
    STR_ROW("+2024-05-01T00:00:00Z"),
    STR_ROW("12024-05-01T00:00:00Z"),
    STR_ROW("2024/05/01T00:00:00Z"),
    STR_ROW("2024-05-01_00:00:00Z"),
    STR_ROW("2024-05-01T00.00.00Z"),
    STR_ROW("2024-05-01T00:30:00.Z"),
    STR_ROW("2024-05-01T00:30:00,5Z"),
    STR_ROW("2024-05-01T00:30:00+02"),
    STR_ROW("2024-05-01T00:30:00+0200"),
    STR_ROW("2024-05-01T00:30:00+24:00"),
    STR_ROW("2024-05-01T00:30:00+02:60"),
    STR_ROW("2024-05-01T00:30:00*02:00"),
    STR_ROW("2024-05-01T00:30:00Z "),
    STR_ROW(" 2024-05-01T00:30:00Z"),
    STR_ROW("2024-05-01T00:30:00ZZ"),
    STR_ROW("2024-05-01T00:30:00Z\0"),
    STR_ROW("2024-05-01T00:3 :00Z"),
    STR_ROW("2024-05-01T00:30:0:Z"),
    STR_ROW("0000-01-01T00:59:59+01:00"), /* before year 0 */
    STR_ROW("9999-12-31T23:59:59-00:01"), /* after year 9999 */
    STR_ROW("20240501T003000Z"),
};

static void other_times_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        int64_t instant = 42;
        int offset = 43;
        assert_row(REFUSED[i].ptr, clock_parse(REFUSED[i], &instant, &offset) == ERR_INVALID);
        assert_row(REFUSED[i].ptr, instant == 42 && offset == 43);
    }
}

/* Each cut of a good text is refused, at the place where it ends. */
static void a_time_that_is_cut_is_refused(void **state)
{
    const struct str whole = STR("2024-05-01T00:30:00.5+02:00");
    int64_t instant;

    (void)state;
    for (size_t len = 0; len < whole.len; len++)
        assert_err(clock_parse((struct str){whole.ptr, len}, &instant, NULL), ERR_INVALID);
    assert_string_equal(err_story(), "no RFC 3339 time at byte 25 of 26");
}

static const struct {
    struct str text;
    struct civil civil;
    bool valid;
} LOCAL[] = {
    {STR_ROW("2024-05-01"), {2024, 5, 1, 0, 0, 0}, true},
    {STR_ROW("2024-05-01T00:30"), {2024, 5, 1, 0, 30, 0}, true},
    {STR_ROW("2024-05-01 23:59:59"), {2024, 5, 1, 23, 59, 59}, true},
    {STR_ROW("2024-05-01t07:08:09"), {2024, 5, 1, 7, 8, 9}, true},
    {STR_ROW("2024-02-29"), {2024, 2, 29, 0, 0, 0}, true},
    {STR_ROW("2023-02-29"), {0}, false},
    {STR_ROW("2024-05-01T"), {0}, false},
    {STR_ROW("2024-05-01T00"), {0}, false},
    {STR_ROW("2024-05-01T24:00"), {0}, false},
    {STR_ROW("2024-05-01T00:30:"), {0}, false},
    {STR_ROW("2024-05-01T00:30:60"), {0}, false},
    {STR_ROW("2024-05-01T00:30Z"), {0}, false},
    {STR_ROW("2024-05-01T00:30:00Z"), {0}, false},
    {STR_ROW("2024-05-01T00:30:00+02:00"), {0}, false},
    {STR_ROW("2024-05-01T00:30:00.5"), {0}, false},
    {STR_ROW("01/05/2024"), {0}, false},
    {STR_ROW(""), {0}, false},
};

static void local_times_are_told_as_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(LOCAL); i++) {
        const struct civil untouched = {1, 2, 3, 4, 5, 6};
        struct civil c = untouched;
        enum err e = clock_parse_local(LOCAL[i].text, &c);
        assert_row(LOCAL[i].text.ptr, e == (LOCAL[i].valid ? ERR_OK : ERR_INVALID));
        assert_row(LOCAL[i].text.ptr, same_civil(&c, e ? &untouched : &LOCAL[i].civil));
    }
}

static void a_stopped_clock_stands_still(void **state)
{
    (void)state;
    clock_set(1714523400);
    assert_int_equal(clock_now(), 1714523400);
    assert_int_equal(clock_now_ms(), 1714523400000);
    clock_set(-5);
    assert_int_equal(clock_now(), -5);
    clock_set(INT64_MIN);
    assert_true(clock_now() > 1735689600);
}

static void the_machine_runs_on_whatever_the_clock_is_set_to(void **state)
{
    int64_t began = clock_running_s();

    (void)state;
    assert_true(began > 0);
    clock_set(0);
    assert_true(clock_running_s() >= began);
    clock_set(INT64_MIN);
    clock_set_running(1000);
    assert_true(clock_running_s() >= began + 1000);
    clock_set_running(0);
    assert_true(clock_running_s() < began + 1000);
}

static void the_clock_never_goes_back(void **state)
{
    int64_t now = clock_now_ms();

    (void)state;
    pretended_ms = now + 5000;
    assert_int_equal(clock_now_ms(), now + 5000);
    pretended_ms = now - 3600000;
    assert_int_equal(clock_now_ms(), now + 5000);
    assert_int_equal(clock_now(), (now + 5000) / 1000);
    pretended_ms = now + 5001;
    assert_int_equal(clock_now_ms(), now + 5001);
    clock_set(INT64_MAX / 2000); /* what a test sets is not remembered */
    clock_set(INT64_MIN);
    assert_int_equal(clock_now_ms(), now + 5001);
    pretended_ms = -1;
}

static void the_deadline_clock_goes_on(void **state)
{
    int64_t first = clock_monotonic_ms();
    const struct timespec pause = {.tv_nsec = 3000000};

    (void)state;
    clock_set(0);
    assert_int_equal(nanosleep(&pause, NULL), 0);
    assert_true(clock_monotonic_ms() >= first + 2);
    clock_set(INT64_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants_dates_and_texts_agree),
        cmocka_unit_test(dates_are_those_of_the_system),
        cmocka_unit_test(each_day_of_four_centuries_follows_the_other),
        cmocka_unit_test(months_overflow_into_years),
        cmocka_unit_test(weekdays_repeat_before_1970_too),
        cmocka_unit_test(any_instant_has_a_date_without_overflow),
        cmocka_unit_test(rfc_3339_times_are_read),
        cmocka_unit_test(other_times_are_refused),
        cmocka_unit_test(a_time_that_is_cut_is_refused),
        cmocka_unit_test(local_times_are_told_as_written),
        cmocka_unit_test(a_stopped_clock_stands_still),
        cmocka_unit_test(the_machine_runs_on_whatever_the_clock_is_set_to),
        cmocka_unit_test(the_clock_never_goes_back),
        cmocka_unit_test(the_deadline_clock_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
