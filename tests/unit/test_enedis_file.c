#include "tests/harness/test.h"

#include "demo/enedis_file.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/str.h"

#include <string.h>

#define FILE_BYTES ((size_t)8 << 20)

enum { DAYS_MAX = 800, HALVES_DAY_MAX = 50 };

static struct persona persona;
static struct meter meter;

static int take_persona(void **state)
{
    (void)state;
    assert_ok(persona_read(TEST_ROOT "/demo/personas", "camille", &persona));
    meter_init(&meter, &persona, 1);
    return 0;
}

static void write(struct buf *out, enum enedis_kind kind, int64_t from, int64_t to)
{
    buf_init(out, FILE_BYTES);
    assert_ok(enedis_file_write(&meter, kind, from, to, out));
}

/* The rows of a file under the three lines of its head, up to a block of another kind. */
static bool next_row(struct str *rest, struct str *label, struct str *values)
{
    struct str line;

    if (!str_split(rest, '\n', &line) || !line.len || str_starts(line, STR("Periode")))
        return false;
    *values = line;
    assert_true(str_split(values, ';', label));
    return true;
}

static struct str rows_of(const struct buf *file)
{
    struct str rest = {file->data, file->len}, line;

    for (int i = 0; i < 3; i++)
        assert_true(str_split(&rest, '\n', &line));
    return rest;
}

static int64_t written_day(struct str label)
{
    struct civil date;

    assert_ok(clock_parse_local((struct str){label.ptr, 10}, &date));
    return clock_days(date.year, date.month, date.day);
}

/* The curve read again: per local day, labels, values and watt-hours. */
struct curve_day {
    int labels, values;
    int64_t double_wh;
};

static void read_curve(const struct buf *file, int64_t from, struct curve_day *days, size_t count)
{
    struct str rest = rows_of(file), label, value;
    int64_t last = INT64_MIN;

    memset(days, 0, count * sizeof *days);
    while (next_row(&rest, &label, &value)) {
        int64_t end, watts;
        int offset;
        size_t at;

        assert_ok(clock_parse(label, &end, &offset));
        assert_true(end > last); /* true offsets: the labels never go back */
        assert_int_equal(end % 1800, 0);
        last = end;
        at = (size_t)((end - 1800 + offset) / 86400 - from); /* 24:00 closes its day */
        assert_true(at < count);
        days[at].labels++;
        if (!value.len)
            continue;
        assert_ok(str_int64(value, &watts));
        days[at].values++;
        days[at].double_wh += watts;
    }
}

static int64_t last_field(struct str values)
{
    struct str part;
    int64_t n = -1;

    while (str_split(&values, ';', &part))
        ;
    assert_ok(str_int64(part, &n));
    return n;
}

/* totals[i] is the index at 00:00 of day from + i; -1 where the file has none. */
static void read_indexes(const struct buf *file, int64_t from, int64_t *totals, size_t count)
{
    struct str rest = rows_of(file), label, values;

    for (size_t i = 0; i < count; i++)
        totals[i] = -1;
    while (next_row(&rest, &label, &values)) {
        size_t at = (size_t)(written_day(label) - from);

        assert_true(at < count);
        assert_true(totals[at] == -1 || totals[at] == last_field(values));
        totals[at] = last_field(values);
    }
}

static void curve_and_indexes_agree_to_the_watt_hour(void **state)
{
    static struct curve_day days[DAYS_MAX];
    static int64_t totals[DAYS_MAX];
    int64_t from = clock_days(2024, 11, 24), to = clock_days(2026, 11, 23);
    size_t count = (size_t)(to - from + 1), whole = 0;
    AUTO(buf_done) struct buf curve = {0}, indexes = {0};

    (void)state;
    write(&curve, ENEDIS_HALF_HOURS, from, to);
    write(&indexes, ENEDIS_INDEXES, from, to);
    read_curve(&curve, from, days, count);
    read_indexes(&indexes, from, totals, count + 1);
    for (size_t i = 0; i < count; i++) {
        struct meter_day day;

        meter_read(&meter, from + (int64_t)i, &day);
        assert_true(totals[i] >= 0 && totals[i + 1] >= 0);
        assert_int_equal(totals[i + 1] - totals[i], day.total_wh);
        if ((size_t)days[i].values != day.half_count)
            continue;
        whole++;
        assert_int_equal(days[i].double_wh, 2 * (totals[i + 1] - totals[i]));
    }
    assert_true(whole > count * 95 / 100);
    assert_true(whole < count); /* some day has a hole */
}

static void change_days_have_46_and_50_labels_with_the_true_offset(void **state)
{
    static struct curve_day days[DAYS_MAX];
    AUTO(buf_done) struct buf spring = {0}, autumn = {0};
    int64_t march = clock_days(2026, 3, 29), october = clock_days(2026, 10, 25);

    (void)state;
    write(&spring, ENEDIS_HALF_HOURS, march, march);
    read_curve(&spring, march, days, 1);
    assert_int_equal(days[0].labels, 46);
    assert_non_null(strstr(spring.data, "\n2026-03-29T01:30:00+01:00;"));
    assert_non_null(strstr(spring.data, "\n2026-03-29T03:00:00+02:00;"));
    assert_null(strstr(spring.data, "2026-03-29T02:"));
    write(&autumn, ENEDIS_HALF_HOURS, october, october);
    read_curve(&autumn, october, days, 1);
    assert_int_equal(days[0].labels, 50);
    assert_non_null(strstr(autumn.data, "\n2026-10-25T02:30:00+02:00;"));
    assert_non_null(strstr(autumn.data, "\n2026-10-25T02:30:00+01:00;"));
    assert_non_null(strstr(autumn.data, "\n2026-10-26T00:00:00+01:00;"));
}

static void the_head_is_the_portals(void **state)
{
    static const char CURVE[] =
        "\xEF\xBB\xBFIdentifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Grandeur "
        "metier;"
        "Etape metier;Unite;Pas en minutes\n"
        "00000000000017;Courbe de charge;24/11/2024;26/11/2024;Energie active;Consommation;Comptage Brut;W;\n"
        "Horodate;Valeur\n"
        "2024-11-24T00:30:00+01:00;";
    AUTO(buf_done) struct buf curve = {0};
    char name[ENEDIS_NAME_BYTES];
    int64_t from = clock_days(2024, 11, 24);

    (void)state;
    write(&curve, ENEDIS_HALF_HOURS, from, from + 1);
    assert_memory_equal(curve.data, CURVE, sizeof CURVE - 1);
    assert_null(memchr(curve.data, '\r', curve.len));
    assert_int_equal(curve.data[curve.len - 1], '\n');
    enedis_file_name(&meter, ENEDIS_HALF_HOURS, from, from + 1, name);
    assert_string_equal(name, "Enedis_Conso_Heure_20241124-20241126_00000000000017.csv");
    enedis_file_name(&meter, ENEDIS_INDEXES, from, from + 1, name);
    assert_string_equal(name, "Enedis_Conso_Jour_20241124-20241126_00000000000017.csv");
}

static void index_rows_show_the_hour_of_the_first_ones_offset(void **state)
{
    AUTO(buf_done) struct buf winter = {0}, summer = {0};

    (void)state;
    write(&winter, ENEDIS_INDEXES, clock_days(2026, 3, 27), clock_days(2026, 3, 31));
    assert_non_null(strstr(winter.data, "\n2026-03-29T00:00:00+01:00;Arrêté quotidien;"));
    assert_non_null(strstr(winter.data, "\n2026-03-30T01:00:00+02:00;Arrêté quotidien;"));
    assert_non_null(strstr(winter.data, "\n2026-04-01T01:00:00+02:00;Arrêté quotidien;"));
    assert_null(strstr(winter.data, "\n2026-04-02"));
    write(&summer, ENEDIS_INDEXES, clock_days(2026, 10, 24), clock_days(2026, 10, 26));
    assert_non_null(strstr(summer.data, "\n2026-10-25T00:00:00+02:00;Arrêté quotidien;"));
    assert_non_null(strstr(summer.data, "\n2026-10-25T23:00:00+01:00;Arrêté quotidien;")); /* again */
    assert_non_null(strstr(summer.data, "\n2026-10-27T23:00:00+01:00;Arrêté quotidien;"));
}

static void windows_that_overlap_agree_byte_for_byte(void **state)
{
    AUTO(buf_done) struct buf one = {0}, two = {0};
    int64_t from = clock_days(2025, 12, 1);
    const char *in_one, *in_two, *end;

    (void)state;
    write(&one, ENEDIS_INDEXES, from, from + 20);
    write(&two, ENEDIS_INDEXES, from + 10, from + 25);
    in_one = strstr(one.data, "\n2025-12-12T");
    in_two = strstr(two.data, "\n2025-12-12T");
    end = strstr(one.data, "\nPeriode");
    assert_true(in_one && in_two && end);
    assert_memory_equal(in_one, in_two, (size_t)(end - in_one));
}

static void the_same_seed_and_dates_give_the_same_bytes(void **state)
{
    AUTO(buf_done) struct buf one = {0}, two = {0};
    int64_t from = clock_days(2025, 12, 1);

    (void)state;
    for (int kind = ENEDIS_HALF_HOURS; kind <= ENEDIS_INDEXES; kind++) {
        write(&one, (enum enedis_kind)kind, from, from + 90);
        write(&two, (enum enedis_kind)kind, from, from + 90);
        assert_int_equal(one.len, two.len);
        assert_memory_equal(one.data, two.data, one.len);
        buf_done(&one);
        buf_done(&two);
    }
}

static void a_window_that_makes_no_sense_is_refused(void **state)
{
    AUTO(buf_done) struct buf out = {0};
    int64_t since = persona.meter.since_day;

    (void)state;
    buf_init(&out, FILE_BYTES);
    assert_err(enedis_file_write(&meter, ENEDIS_INDEXES, since + 2, since + 1, &out), ERR_INVALID);
    assert_err(enedis_file_write(&meter, ENEDIS_INDEXES, since - 1, since + 1, &out), ERR_INVALID);
    assert_int_equal(out.len, 0);
    buf_done(&out);
    buf_init(&out, 1000);
    assert_err(enedis_file_write(&meter, ENEDIS_INDEXES, since, since + 1, &out), ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curve_and_indexes_agree_to_the_watt_hour),
        cmocka_unit_test(change_days_have_46_and_50_labels_with_the_true_offset),
        cmocka_unit_test(the_head_is_the_portals),
        cmocka_unit_test(index_rows_show_the_hour_of_the_first_ones_offset),
        cmocka_unit_test(windows_that_overlap_agree_byte_for_byte),
        cmocka_unit_test(the_same_seed_and_dates_give_the_same_bytes),
        cmocka_unit_test(a_window_that_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests_name("enedis_file", tests, take_persona, NULL);
}
