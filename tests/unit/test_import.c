#include "tests/harness/test.h"
#include "tests/harness/tmpvault.h"

#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/store/import.h"
#include "pds/store/source.h"

#include <stdio.h>

enum { SLOTS = 12, IMPORTS = 24, STEP_S = 1800 };

/* What one import says: of each slot nothing, or a value of a quality. */
struct model_import {
    int64_t value[SLOTS];
    enum record_quality quality[SLOTS];
    bool has[SLOTS];
    bool undone;
    char id[ID_CHARS + 1];
};

static void record_make(struct record *r, int slot, int64_t value, enum record_quality quality)
{
    *r = (struct record){.start_at = slot * STEP_S,
                         .end_at = (slot + 1) * STEP_S,
                         .quality = quality,
                         .present = 1,
                         .line = slot + 1};
    r->values[0] = value;
}

static const struct dataset *consumption(void)
{
    const struct dataset *d = NULL;

    assert_ok(dataset_find(STR("energy.electricity.consumption"), &d));
    return d;
}

static void import_model(struct vault *v, struct model_import *model, int64_t now, struct import_count *count)
{
    AUTO(import_freep) struct import *m = NULL;
    const struct import_count *counts;
    struct record r;

    assert_ok(import_new(v, STR("a file.csv"), now, &m));
    import_set_format(m, "test");
    for (int i = 0; i < SLOTS; i++) {
        if (!model->has[i])
            continue;
        record_make(&r, i, model->value[i], model->quality[i]);
        assert_ok(import_add(m, consumption(), "enedis", STR("01234567890123"), "curve", &r));
    }
    assert_ok(import_close(m, now));
    memcpy(model->id, import_id(m), sizeof model->id);
    if (count && import_counts(m, &counts) == 1)
        *count = counts[0];
}

/* The state that replaying the imports which stand gives, slot by slot; -1 where there is nothing. */
static void replay(const struct model_import *models, int count, int64_t out[static SLOTS])
{
    enum record_quality best[SLOTS] = {0};

    for (int i = 0; i < SLOTS; i++)
        out[i] = -1;
    for (int m = 0; m < count; m++) {
        for (int i = 0; i < SLOTS && !models[m].undone; i++) {
            if (models[m].has[i] && models[m].quality[i] >= best[i]) {
                out[i] = models[m].value[i];
                best[i] = models[m].quality[i];
            }
        }
    }
}

static void stored(struct vault *v, int64_t out[static SLOTS])
{
    static const char SQL_ALL[] = "SELECT start_at, value FROM record ORDER BY start_at";
    AUTO(reader_done) struct reader reader = {v, NULL};
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    for (int i = 0; i < SLOTS; i++)
        out[i] = -1;
    assert_ok(vault_read(v, &reader.db));
    assert_ok(db_query(reader.db, SQL_ALL, NO_PARAMS, &row));
    while (!(e = stmt_next(row)))
        out[stmt_int(row, 0) / STEP_S] = stmt_int(row, 1);
    assert_int_equal(e, ERR_NOT_FOUND);
}

static void importing_twice_changes_nothing(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    struct model_import one = {0}, two;
    struct import_count count = {0};

    (void)state;
    for (int i = 0; i < SLOTS; i++) {
        one.has[i] = true;
        one.value[i] = 60 * i;
        one.quality[i] = RECORD_MEASURED;
    }
    two = one;
    import_model(t->vault, &one, 1000, &count);
    assert_int_equal(count.new_count, SLOTS);
    assert_int_equal(count.total, 60 * SLOTS * (SLOTS - 1) / 2);
    assert_int_equal(count.first, 0);
    assert_int_equal(count.last, SLOTS * STEP_S);
    import_model(t->vault, &two, 1001, &count);
    assert_int_equal(count.new_count, 0);
    assert_int_equal(count.same, SLOTS);
    assert_int_equal(count.replaced, 0);
    assert_int_equal(count.total, 60 * SLOTS * (SLOTS - 1) / 2);
}

static void a_better_value_replaces_and_a_worse_one_does_not(void **state)
{
    static const struct {
        const char *name;
        int64_t first, second;
        enum record_quality first_quality, second_quality;
        int64_t after, new_count, same, replaced, rejected;
    } ROWS[] = {
        {"equal", 60, 60, RECORD_MEASURED, RECORD_MEASURED, 60, 0, 1, 0, 0},
        {"equal, worse quality", 60, 60, RECORD_CORRECTED, RECORD_MEASURED, 60, 0, 1, 0, 0},
        {"equal, better quality", 60, 60, RECORD_MEASURED, RECORD_CORRECTED, 60, 0, 0, 1, 0},
        {"other, same quality", 60, 120, RECORD_MEASURED, RECORD_MEASURED, 120, 0, 0, 1, 0},
        {"other, better quality", 60, 120, RECORD_ESTIMATED, RECORD_DEFINITIVE, 120, 0, 0, 1, 0},
        {"other, worse quality", 60, 120, RECORD_DEFINITIVE, RECORD_ESTIMATED, 60, 0, 0, 0, 1},
        {"zero is a value", 60, 0, RECORD_MEASURED, RECORD_MEASURED, 0, 0, 0, 1, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
        struct model_import one = {
            .has = {true}, .value = {ROWS[i].first}, .quality = {ROWS[i].first_quality}};
        struct model_import two = {
            .has = {true}, .value = {ROWS[i].second}, .quality = {ROWS[i].second_quality}};
        struct import_count count = {0};
        int64_t now[SLOTS];

        import_model(t->vault, &one, 1000, NULL);
        import_model(t->vault, &two, 1001, &count);
        stored(t->vault, now);
        assert_row(ROWS[i].name, now[0] == ROWS[i].after);
        assert_row(ROWS[i].name, count.new_count == ROWS[i].new_count && count.same == ROWS[i].same);
        assert_row(ROWS[i].name, count.replaced == ROWS[i].replaced && count.rejected == ROWS[i].rejected);
    }
}

static void gaps_are_counted_as_holes(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    struct model_import one = {.has = {true, true, false, true, false, false, true}};
    struct import_count count = {0};

    (void)state;
    for (int i = 0; i < SLOTS; i++)
        one.quality[i] = RECORD_MEASURED;
    import_model(t->vault, &one, 1000, &count);
    assert_int_equal(count.gaps, 2);
    assert_int_equal(count.new_count, 4);
}

static void undo_gives_the_state_without_that_import(void **state)
{
    uint64_t seed = test_seed();

    (void)state;
    for (int round = 0; round < 40; round++) {
        AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
        struct model_import models[IMPORTS] = {0};
        int64_t expected[SLOTS], got[SLOTS], removed, restored;

        for (int m = 0; m < IMPORTS; m++) {
            int first = (int)test_between(&seed, 0, SLOTS - 1),
                last = (int)test_between(&seed, first, SLOTS - 1);

            for (int i = first; i <= last; i++) {
                models[m].has[i] = test_between(&seed, 0, 9) > 0;
                models[m].value[i] = test_between(&seed, 0, 2);
                models[m].quality[i] = RECORD_MEASURED;
            }
            import_model(t->vault, &models[m], 1000 + m, NULL);
            if (test_between(&seed, 0, 2) == 0) {
                int gone = (int)test_between(&seed, 0, m);

                assert_err(import_undo(t->vault, str_of(models[gone].id), 2000, &removed, &restored),
                           models[gone].undone ? ERR_CONFLICT : ERR_OK);
                models[gone].undone = true;
            }
            replay(models, m + 1, expected);
            stored(t->vault, got);
            assert_memory_equal(expected, got, sizeof got);
        }
        for (int m = 0; m < IMPORTS; m++) {
            if (!models[m].undone)
                assert_ok(import_undo(t->vault, str_of(models[m].id), 2000, &removed, &restored));
            models[m].undone = true;
            replay(models, IMPORTS, expected);
            stored(t->vault, got);
            assert_memory_equal(expected, got, sizeof got);
        }
    }
}

static void undo_tells_what_it_cannot(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    int64_t removed, restored;

    (void)state;
    assert_err(import_undo(t->vault, STR("01ARZ3NDEKTSV4RRFFQ69G5FAV"), 1, &removed, &restored),
               ERR_NOT_FOUND);
    assert_err(import_undo(t->vault, STR("'; DROP TABLE record; --"), 1, &removed, &restored), ERR_NOT_FOUND);
}

static void a_failed_import_leaves_nothing(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    AUTO(import_freep) struct import *m = NULL;
    AUTO(json_freep) json_t *list = NULL;
    struct record r;
    int64_t got[SLOTS];

    (void)state;
    assert_ok(import_new(t->vault, STR("cut.csv"), 1000, &m));
    for (int i = 0; i < 10000; i++) { /* more than a batch: some of it is written */
        record_make(&r, i, i, RECORD_MEASURED);
        r.start_at += 1000000000;
        r.end_at += 1000000000;
        assert_ok(import_add(m, consumption(), "enedis", STR(""), "curve", &r));
    }
    (void)err_set(ERR_INVALID, "the reason");
    import_fail(m, ERR_INVALID, 1001);
    assert_string_equal(err_story(), "the reason");
    stored(t->vault, got);
    for (int i = 0; i < SLOTS; i++)
        assert_int_equal(got[i], -1);
    assert_ok(import_list(t->vault, STR(""), 10, &list));
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(json_object_get(list, "imports"), 0), "failure")),
        "invalid");
}

/* References of the sources that are listed, each with a point. */
static void sources(struct vault *v, char out[static 64])
{
    AUTO(reader_done) struct reader reader = {v, NULL};
    AUTO(json_freep) json_t *list = NULL;
    json_t *one;
    size_t i;

    out[0] = '\0';
    assert_ok(vault_read(v, &reader.db));
    assert_ok(source_list(reader.db, 0, 10, &list));
    json_array_foreach(json_object_get(list, "sources"), i, one)
    {
        strncat(out, json_string_value(json_object_get(one, "reference")), 64 - strlen(out) - 1);
        strncat(out, ".", 64 - strlen(out) - 1);
    }
}

/* Begun, and as much of it written as needs no end. */
static struct import *begun(struct vault *v, const char *meter)
{
    struct import *m = NULL;
    struct record r;

    assert_ok(import_new(v, STR("some.csv"), 1000, &m));
    for (int i = 0; i < 5000; i++) {
        record_make(&r, i, i, RECORD_MEASURED);
        assert_ok(import_add(m, consumption(), "enedis", str_of(meter), "curve", &r));
    }
    return m;
}

static void a_meter_that_only_failed_imports_told_of_is_forgotten(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    AUTO(import_freep) struct import *kept = begun(t->vault, "1");
    AUTO(import_freep) struct import *same = begun(t->vault, "1");
    AUTO(import_freep) struct import *early = begun(t->vault, "2");
    AUTO(import_freep) struct import *running = begun(t->vault, "3");
    AUTO(import_freep) struct import *late = begun(t->vault, "4");
    int64_t removed, restored;
    char seen[64];

    (void)state;
    assert_ok(import_close(kept, 1001));
    import_fail(same, ERR_INVALID, 1002);
    import_fail(early, ERR_INVALID, 1003);
    sources(t->vault, seen);
    assert_string_equal(seen, "1.2.3.4."); /* what runs may be about to fill one that is empty */
    assert_ok(import_close(running, 1004));
    assert_ok(import_undo(t->vault, str_of(import_id(running)), 1005, &removed, &restored));
    import_fail(late, ERR_INVALID, 1006);
    sources(t->vault, seen);
    assert_string_equal(seen, "1.2.3."); /* the owner took 3 back; 2 goes when it fails again */
}

static void an_import_that_a_crash_cut_is_undone_at_the_next_opening(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    AUTO(import_freep) struct import *m = NULL;
    AUTO(json_freep) json_t *list = NULL;
    struct record r;
    int64_t got[SLOTS];

    (void)state;
    assert_ok(import_new(t->vault, STR("cut.csv"), 1000, &m));
    for (int i = 0; i < 5000; i++) {
        record_make(&r, i % SLOTS, i / SLOTS, RECORD_MEASURED);
        assert_ok(import_add(m, consumption(), "enedis", STR(""), "curve", &r));
    }
    assert_ok(import_recover(t->vault, 2000));
    stored(t->vault, got);
    for (int i = 0; i < SLOTS; i++)
        assert_int_equal(got[i], -1);
    assert_ok(import_list(t->vault, STR(""), 10, &list));
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(json_object_get(list, "imports"), 0), "failure")),
        "cut");
}

static void what_a_running_import_has_confirmed_outlives_the_undoing_of_another(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    AUTO(import_freep) struct import *first = NULL;
    AUTO(import_freep) struct import *second = NULL;
    AUTO(reader_done) struct reader reader = {t->vault, NULL};
    static const char SQL_RECORDS[] = "SELECT count(*) FROM record";
    enum { MANY = 9000 };
    struct record r;
    int64_t count;

    (void)state;
    assert_ok(import_new(t->vault, STR("first"), 1000, &first));
    assert_ok(import_new(t->vault, STR("second"), 1000, &second));
    for (int i = 0; i < MANY; i++) {
        record_make(&r, i, i, RECORD_MEASURED);
        assert_ok(import_add(first, consumption(), "enedis", STR("1"), "curve", &r));
    }
    for (int i = 0; i < MANY; i++) { /* two of its batches find what the first has written */
        record_make(&r, i, i, RECORD_MEASURED);
        assert_ok(import_add(second, consumption(), "enedis", STR("1"), "curve", &r));
    }
    import_fail(first, ERR_IO, 1001); /* the client of the first went away */
    assert_ok(import_close(second, 1002));
    assert_ok(vault_read(t->vault, &reader.db));
    assert_ok(db_number(reader.db, SQL_RECORDS, NO_PARAMS, &count));
    assert_int_equal(count, MANY);
}

static void what_is_out_of_range_is_refused(void **state)
{
    static const struct {
        const char *name;
        int64_t start_at, end_at, value;
        enum err outcome;
    } ROWS[] = {
        {"the largest", 0, 1800, 1000000000000, ERR_OK},
        {"one more", 0, 1800, 1000000000001, ERR_INVALID},
        {"the least", 0, 1800, 0, ERR_OK},
        {"one less", 0, 1800, -1, ERR_INVALID},
        {"far below", 0, 1800, INT64_MIN, ERR_INVALID},
        {"from 1900", -2208988800, -2208987000, 1, ERR_OK},
        {"before 1900", -2208988801, -2208987000, 1, ERR_INVALID},
        {"to 2200", 7258116600, 7258118400, 1, ERR_OK},
        {"after 2200", 7258116600, 7258118401, 1, ERR_INVALID},
        {"400 days", 0, 400 * 86400, 1, ERR_OK},
        {"longer", 0, 400 * 86400 + 1, 1, ERR_INVALID},
        {"backwards", 1800, 0, 1, ERR_INVALID},
        {"the whole range of numbers", INT64_MIN, INT64_MAX, 1, ERR_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
        AUTO(import_freep) struct import *m = NULL;
        struct record r = {
            .start_at = ROWS[i].start_at, .end_at = ROWS[i].end_at, .quality = RECORD_MEASURED, .present = 1};
        enum err e;

        r.values[0] = ROWS[i].value;
        assert_ok(import_new(t->vault, STR("a"), 1000, &m));
        e = import_add(m, consumption(), "enedis", STR("1"), "curve", &r);
        if (!e)
            e = import_close(m, 1000);
        assert_row(ROWS[i].name, e == ROWS[i].outcome);
    }
}

static void a_label_is_text_of_a_bounded_length(void **state)
{
    char label[IMPORT_FILE_BYTES], longer[600];

    (void)state;
    import_label(STR("caf\xe9.csv"), label);
    assert_string_equal(label, "caf?.csv");
    import_label(STR("café.csv"), label);
    assert_string_equal(label, "café.csv");
    import_label((struct str){NULL, 0}, label);
    assert_string_equal(label, "");
    for (size_t i = 0; i < sizeof longer; i++)
        longer[i] = "é"[i % 2];
    import_label((struct str){longer, sizeof longer}, label);
    assert_int_equal(strlen(label), LIMIT_FILE_NAME_BYTES - 1); /* not half a character */
}

static void the_list_pages_newest_first(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    struct model_import models[5] = {0};
    int seen = 0;
    char cursor[ID_CHARS + 1] = "";

    (void)state;
    for (int i = 0; i < 5; i++) {
        models[i].has[i] = true;
        models[i].quality[i] = RECORD_MEASURED;
        import_model(t->vault, &models[i], 1000 + i, NULL);
    }
    for (int page = 0; page < 3; page++) {
        AUTO(json_freep) json_t *list = NULL;
        const json_t *item;
        size_t i;

        assert_ok(import_list(t->vault, str_of(cursor), 2, &list));
        json_array_foreach(json_object_get(list, "imports"), i, item)
            assert_string_equal(json_string_value(json_object_get(item, "id")), models[4 - seen++].id);
        if (page < 2)
            (void)snprintf(cursor, sizeof cursor, "%s", json_string_value(json_object_get(list, "next")));
        else
            assert_true(json_is_null(json_object_get(list, "next")));
    }
    assert_int_equal(seen, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(importing_twice_changes_nothing),
        cmocka_unit_test(a_better_value_replaces_and_a_worse_one_does_not),
        cmocka_unit_test(gaps_are_counted_as_holes),
        cmocka_unit_test(undo_gives_the_state_without_that_import),
        cmocka_unit_test(undo_tells_what_it_cannot),
        cmocka_unit_test(a_failed_import_leaves_nothing),
        cmocka_unit_test(a_meter_that_only_failed_imports_told_of_is_forgotten),
        cmocka_unit_test(an_import_that_a_crash_cut_is_undone_at_the_next_opening),
        cmocka_unit_test(what_a_running_import_has_confirmed_outlives_the_undoing_of_another),
        cmocka_unit_test(what_is_out_of_range_is_refused),
        cmocka_unit_test(a_label_is_text_of_a_bounded_length),
        cmocka_unit_test(the_list_pages_newest_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
