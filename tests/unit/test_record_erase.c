/* Deleting for good: what is left is as if the deleted records had never been, whatever is undone after. */
#include "tests/harness/fault.h"
#include "tests/harness/test.h"
#include "tests/harness/tmpvault.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/store/correction.h"
#include "pds/store/import.h"

enum { SLOTS = 10, IMPORTS = 6, ROUNDS = 15, STEP_S = 1800, NOW = 2000000 };

static const struct dataset *consumption(void)
{
    const struct dataset *d = NULL;

    assert_ok(dataset_find(STR("energy.electricity.consumption"), &d));
    return d;
}

static enum err trail_work(struct db *db, void *context)
{
    (void)context;
    return trail_begin(db, TMPVAULT_ID, 1000);
}

/* What one import says of each slot: a value, or -1. */
struct model {
    int64_t value[SLOTS];
    bool undone;
    char id[ID_CHARS + 1];
};

static void import_model(struct tmpvault *t, struct model *model)
{
    AUTO(import_freep) struct import *m = NULL;

    assert_ok(import_new(t->vault, STR("a"), 1000, &m));
    for (int i = 0; i < SLOTS; i++) {
        struct record r = {
            .start_at = i * STEP_S, .end_at = (i + 1) * STEP_S, .quality = RECORD_MEASURED, .present = 1};

        r.values[0] = model->value[i];
        if (model->value[i] >= 0)
            assert_ok(import_add(m, consumption(), "enedis", STR("1"), "curve", &r));
    }
    assert_ok(import_close(m, 1000));
    memcpy(model->id, import_id(m), sizeof model->id);
}

static void stored(struct tmpvault *t, int64_t out[static SLOTS])
{
    static const char SQL_ALL[] = "SELECT start_at, value FROM record";
    AUTO(reader_done) struct reader reader = {t->vault, NULL};
    AUTO(stmt_closep) struct stmt *row = NULL;

    for (int i = 0; i < SLOTS; i++)
        out[i] = -1;
    assert_ok(vault_read(t->vault, &reader.db));
    assert_ok(db_query(reader.db, SQL_ALL, NO_PARAMS, &row));
    while (stmt_next(row) == ERR_OK)
        out[stmt_int(row, 0) / STEP_S] = stmt_int(row, 1);
}

/* The last that stands says it. */
static void replay(const struct model *models, int count, int64_t out[static SLOTS])
{
    for (int i = 0; i < SLOTS; i++)
        out[i] = -1;
    for (int m = 0; m < count; m++) {
        for (int i = 0; i < SLOTS && !models[m].undone; i++) {
            if (models[m].value[i] >= 0)
                out[i] = models[m].value[i];
        }
    }
}

static void check(struct tmpvault *t, const struct model *models, int count)
{
    static const char SQL_COUNTS[] = "SELECT sum(records) - (SELECT count(*) FROM record) FROM series";
    AUTO(reader_done) struct reader reader = {t->vault, NULL};
    int64_t wanted[SLOTS], got[SLOTS], off = -1;

    replay(models, count, wanted);
    stored(t, got);
    assert_memory_equal(got, wanted, sizeof got);
    assert_ok(vault_read(t->vault, &reader.db));
    assert_ok(db_number(reader.db, SQL_COUNTS, NO_PARAMS, &off));
    assert_int_equal(off, 0);
}

static void erase(struct tmpvault *t, struct model *models, int count, int from, int to)
{
    int64_t before[SLOTS], removed, wanted = 0;

    stored(t, before);
    assert_ok(correction_delete(t->vault, consumption(), 0, from * STEP_S, to * STEP_S, NOW, &removed));
    for (int i = from; i < to; i++) {
        wanted += before[i] >= 0;
        for (int m = 0; m < count; m++)
            models[m].value[i] = -1;
    }
    assert_int_equal(removed, wanted);
}

static void nothing_deleted_comes_back_whatever_is_undone(void **state)
{
    uint64_t seed = test_seed();

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
        struct model models[IMPORTS] = {0};
        int count = 0;

        assert_ok(vault_write(t->vault, trail_work, NULL));
        while (count < IMPORTS) {
            struct model *m = &models[count++];
            int64_t kind, removed, restored;

            for (int i = 0; i < SLOTS; i++)
                m->value[i] = test_between(&seed, -1, 2); /* few values: many are confirmed */
            import_model(t, m);
            kind = test_between(&seed, 0, 3);
            if (kind == 0) {
                int from = (int)test_between(&seed, 0, SLOTS - 1);

                erase(t, models, count, from, (int)test_between(&seed, from + 1, SLOTS));
            }
            m = &models[test_between(&seed, 0, count - 1)];
            if (kind == 1 && !m->undone) {
                assert_ok(import_undo(t->vault, str_of(m->id), NOW, &removed, &restored));
                m->undone = true;
            }
            check(t, models, count);
        }
        for (int m = 0; m < IMPORTS; m++) {
            int64_t removed, restored;

            if (models[m].undone)
                continue;
            assert_ok(import_undo(t->vault, str_of(models[m].id), NOW, &removed, &restored));
            models[m].undone = true;
            check(t, models, count);
        }
    }
}

/* No start of a stretch that is gone stands in any table. */
static void what_was_noted_of_the_stretch_goes_too(void **state)
{
    static const char SQL_LEFT[] =
        "SELECT (SELECT count(*) FROM record WHERE start_at >= 3600 AND start_at < 9000)"
        " + (SELECT count(*) FROM record_history WHERE start_at >= 3600 AND start_at < 9000)"
        " + (SELECT count(*) FROM record_extent WHERE start_at >= 3600 AND start_at < 9000)"
        " + (SELECT count(*) FROM record_extent WHERE end_at >= 3600 AND end_at < 9000)"
        " + (SELECT count(*) FROM record_confirmed WHERE start_at < 9000 AND end_at > 3600)";
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    struct model models[4] = {0};
    AUTO(reader_done) struct reader reader = {t->vault, NULL};
    int64_t left = -1;

    (void)state;
    assert_ok(vault_write(t->vault, trail_work, NULL));
    for (int m = 0; m < 4; m++) {
        for (int i = 0; i < SLOTS; i++)
            models[m].value[i] = m == 3 ? (i < 4 ? 1 : -1) : m / 2; /* twice the same, twice another */
        import_model(t, &models[m]);
    }
    erase(t, models, 4, 2, 5);
    check(t, models, 4);
    assert_ok(vault_read(t->vault, &reader.db));
    assert_ok(db_number(reader.db, SQL_LEFT, NO_PARAMS, &left));
    assert_int_equal(left, 0);
}

static void one_source_alone_or_one_that_is_none(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    struct model model = {0};
    int64_t removed = -1;

    (void)state;
    assert_ok(vault_write(t->vault, trail_work, NULL));
    import_model(t, &model);
    assert_err(correction_delete(t->vault, consumption(), 9, 0, STEP_S, NOW, &removed), ERR_NOT_FOUND);
    assert_err(correction_delete(t->vault, consumption(), 0, STEP_S, STEP_S, NOW, &removed), ERR_INVALID);
    assert_int_equal(removed, -1);
    assert_ok(correction_delete(t->vault, consumption(), 1, INT64_MIN, INT64_MAX, NOW, &removed));
    assert_int_equal(removed, SLOTS);
    assert_ok(correction_delete(t->vault, consumption(), 1, INT64_MIN, INT64_MAX, NOW, &removed));
    assert_int_equal(removed, 0);
}

static void a_failing_allocation_deletes_all_or_nothing(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    struct model model = {0};
    int64_t removed = -1, left[SLOTS];
    enum err e;

    (void)state;
    assert_ok(vault_write(t->vault, trail_work, NULL));
    import_model(t, &model);
    FAIL_EACH_ALLOCATION (e, correction_delete(t->vault, consumption(), 0, 0, 2 * STEP_S, NOW, &removed)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        check(t, &model, 1);
    }
    stored(t, left);
    assert_int_equal(left[1], -1);
    assert_int_equal(left[2], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_deleted_comes_back_whatever_is_undone),
        cmocka_unit_test(what_was_noted_of_the_stretch_goes_too),
        cmocka_unit_test(one_source_alone_or_one_that_is_none),
        cmocka_unit_test(a_failing_allocation_deletes_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
