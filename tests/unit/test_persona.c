#include "tests/harness/test.h"

#include "demo/persona.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/json.h"
#include "tests/harness/fault.h"
#include "tests/harness/tempdir.h"

#include <stdio.h>
#include <string.h>

#define FOLDER TEST_ROOT "/demo/personas"

static void a_persona_is_read_whole(void **state)
{
    struct persona p;

    (void)state;
    assert_ok(persona_read(FOLDER, "camille", &p));
    assert_string_equal(p.name, "camille");
    assert_string_equal(p.meter.prm, "00000000000017");
    assert_int_equal(p.meter.since_day, clock_days(2021, 3, 15));
    assert_int_equal(p.meter.tariff, TARIFF_OFF_PEAK);
    assert_int_equal(p.people.wake_minute, 6 * 60 + 50);
    assert_int_equal(p.people.absence_count, 3);
    assert_int_equal(p.people.absences[1].to_day, 18);
}

static void each_key_of_a_home_stands_in_its_own_field(void **state)
{
    struct persona p;

    (void)state;
    assert_ok(persona_read(FOLDER, "joseph", &p));
    assert_int_equal(p.meter.tariff, TARIFF_TEMPO);
    assert_int_equal(p.home.standby_w, 130);
    assert_int_equal(p.home.fridge_w, 110);
    assert_int_equal(p.home.heating_w_per_k, 25);
    assert_int_equal(p.home.heating_max_w, 1000);
    assert_int_equal(p.home.comfort_dc, 200);
    assert_int_equal(p.home.setback_dc, 180);
    assert_int_equal(p.home.gain_dc, 40);
    assert_int_equal(p.home.water_heater_w, 2000);
    assert_int_equal(p.home.water_wh_person, 2100);
}

static void an_off_peak_window_may_pass_midnight(void **state)
{
    struct persona p = {.meter = {.off_peak = {{22 * 60, 6 * 60}, {12 * 60, 14 * 60}}, .off_peak_count = 2}};

    (void)state;
    assert_true(persona_is_off_peak(&p, 22 * 60));
    assert_true(persona_is_off_peak(&p, 0));
    assert_true(persona_is_off_peak(&p, 6 * 60 - 1));
    assert_false(persona_is_off_peak(&p, 6 * 60));
    assert_true(persona_is_off_peak(&p, 13 * 60));
    assert_false(persona_is_off_peak(&p, 14 * 60));
}

static void a_name_cannot_leave_the_folder(void **state)
{
    struct persona p;

    (void)state;
    assert_err(persona_read(FOLDER, "../personas/camille", &p), ERR_USAGE);
    assert_err(persona_read(FOLDER, "Camille", &p), ERR_USAGE);
    assert_err(persona_read(FOLDER, "a-name-that-is-longer-than-any-persona-has", &p), ERR_USAGE);
    assert_err(persona_read(FOLDER, "nobody", &p), ERR_NOT_FOUND);
}

/* camille.json with one text replaced, under the name "changed". */
static void write_changed(struct tempdir *d, const char *from, const char *to)
{
    AUTO(buf_done) struct buf text = {0};
    const char *at;
    FILE *f = fopen(tempdir_path(d, "changed.json"), "w");

    assert_non_null(f);
    buf_init(&text, 100000);
    assert_ok(fs_read(FOLDER "/camille.json", 100000, &text));
    at = strstr(text.data, from);
    assert_non_null(at);
    assert_true(fprintf(f, "%.*s%s%s", (int)(at - text.data), text.data, to, at + strlen(from)) > 0);
    assert_int_equal(fclose(f), 0);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *from, *to, *told;
    } ROWS[] = {
        {"\"fiction\"", "\"truth\"", "persona changed"},
        {"00000000000017", "0000000000001", "prm"},
        {"2021-03-15", "2021-02-30", "since"},
        {"off-peak", "cheap", "tariff"},
        {"22:00", "22:10", "off_peak"},
        {"22:00", "25:00", "off_peak"},
        {"22:00", "22h00", "off_peak"},
        {"\"standby_w\": 95", "\"standby_w\": -1", "standby_w"},
        {"06:50", "12:50", "in this order"},
        {"02-14", "13-14", "absences"},
        {"\"count\": 2", "\"count\": \"2\"", "count"},
        {"\"place\"", "\"standby_W\": 3, \"place\"", "home"},
    };
    AUTO(tempdir_freep) struct tempdir *d = tempdir_new();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct persona p = {.name = "untouched"};

        write_changed(d, ROWS[i].from, ROWS[i].to);
        assert_row(ROWS[i].to, persona_read(tempdir_root(d), "changed", &p) == ERR_INVALID);
        assert_row(ROWS[i].to, strstr(err_story(), ROWS[i].told));
        assert_string_equal(p.name, "untouched");
    }
}

static void reading_survives_each_failing_allocation(void **state)
{
    struct persona p;
    long live = mem_live();
    enum err e;

    (void)state;
    FAIL_EACH_ALLOCATION (e, persona_read(FOLDER, "camille", &p)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_int_equal(mem_live(), live);
    }
    assert_string_equal(p.name, "camille");
    assert_int_equal(mem_live(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_persona_is_read_whole),
        cmocka_unit_test(each_key_of_a_home_stands_in_its_own_field),
        cmocka_unit_test(an_off_peak_window_may_pass_midnight),
        cmocka_unit_test(a_name_cannot_leave_the_folder),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(reading_survives_each_failing_allocation),
    };

    json_start();
    return cmocka_run_group_tests_name("persona", tests, NULL, NULL);
}
