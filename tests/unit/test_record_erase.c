/* Deleting for good: what is left is as if the deleted records had never been, whatever is undone after. */
#include "tests/harness/fault.h"
#include "tests/harness/tmpstore.h"

#include "pds/store/annotation.h"
#include "pds/store/erase.h"
#include "pds/store/import.h"

#include <string.h>

enum { SLOTS = 10, IMPORTS = 6, ROUNDS = 15, STEP_S = 1800, NOW = 2000000 };

static const struct dataset *consumption(void)
{
    const struct dataset *d = NULL;

    assert_ok(dataset_find(STR("energy.electricity.consumption"), &d));
    return d;
}

/* What one import says of each slot: a value, or -1. */
struct model {
    int64_t value[SLOTS];
    bool undone;
    char id[ID_CHARS + 1];
};

static void import_model(struct tmpstore *t, struct model *model)
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

/* The records alone of a stretch of time, as the owner deletes them. */
static enum err delete_bare(struct tmpstore *t, int64_t source_id, int64_t from, int64_t to, int64_t *removed)
{
    struct erase_request request = {
        .dataset = consumption(), .source_id = source_id, .from = from, .to = to, .bare = true};
    AUTO(json_freep) json_t *answer = NULL;
    enum err e = erase_run(t->store, &request, TMPSTORE_NOW, &answer);

    if (!e)
        *removed = json_integer_value(json_object_get(answer, "records"));
    return e;
}

static void stored(struct tmpstore *t, int64_t out[static SLOTS])
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

static void check(struct tmpstore *t, const struct model *models, int count)
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

static void erase(struct tmpstore *t, struct model *models, int count, int from, int to)
{
    int64_t before[SLOTS], removed = 0, wanted = 0;

    stored(t, before);
    assert_ok(delete_bare(t, 0, from * STEP_S, to * STEP_S, &removed));
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
        AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
        struct model models[IMPORTS] = {0};
        int count = 0;

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
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    struct model models[4] = {0};
    AUTO(reader_done) struct reader reader = {t->vault, NULL};
    int64_t left = -1;

    (void)state;
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
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    struct model model = {0};
    int64_t removed = -1;

    (void)state;
    import_model(t, &model);
    assert_err(delete_bare(t, 9, 0, STEP_S, &removed), ERR_NOT_FOUND);
    assert_err(delete_bare(t, 0, STEP_S, STEP_S, &removed), ERR_INVALID);
    assert_int_equal(removed, -1);
    assert_ok(delete_bare(t, 1, INT64_MIN, INT64_MAX, &removed));
    assert_int_equal(removed, SLOTS);
    assert_ok(delete_bare(t, 1, INT64_MIN, INT64_MAX, &removed));
    assert_int_equal(removed, 0);
}

static int64_t number(struct tmpstore *t, const char *sql)
{
    AUTO(reader_done) struct reader reader = {t->vault, NULL};
    int64_t n = -1;

    assert_ok(vault_read(t->vault, &reader.db));
    assert_ok(db_number(reader.db, sql, NO_PARAMS, &n));
    return n;
}

static const char SQL_ERASURES[] = "SELECT count(*) FROM erasure";

static void what_stands_beside_records_stays_and_the_trail_tells_the_period(void **state)
{
    static const char SQL_TOLD[] =
        "SELECT count(*) FROM trail_entry WHERE kind = 'records.deleted'"
        " AND what = 'energy.electricity.consumption 1970-01-01T00:00:00Z/1970-01-02T00:00:00Z'";
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    struct model model = {0};
    char id[ID_CHARS + 1];
    int64_t removed = -1;

    (void)state;
    import_model(t, &model);
    assert_ok(annotation_add(t->vault, STR(""), consumption(), 0, STEP_S, STR("a note"), TMPSTORE_NOW, id));
    assert_ok(delete_bare(t, 0, 0, 86400, &removed));
    assert_int_equal(removed, SLOTS);
    assert_int_equal(number(t, SQL_TOLD), 1);
    assert_int_equal(number(t, "SELECT count(*) FROM annotation"), 1);
    assert_int_equal(number(t, "SELECT count(*) FROM import"), 1);
    assert_int_equal(number(t, "SELECT count(*) FROM source"), 1);
    assert_int_equal(number(t, SQL_ERASURES), 0);
}

/* Records are gone at once; old pages when nobody reads them any more, at the next opening at the latest. */
static void a_reader_of_an_older_state_holds_nothing_up(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    struct model model = {0};
    int64_t removed = -1, left[SLOTS];

    (void)state;
    import_model(t, &model);
    {
        AUTO(reader_done) struct reader old = {t->vault, NULL};

        assert_ok(vault_read(t->vault, &old.db));
        assert_ok(db_number(old.db, "SELECT count(*) FROM record", NO_PARAMS, &removed));
        assert_ok(delete_bare(t, 0, 0, 2 * STEP_S, &removed));
        assert_int_equal(removed, 2);
        assert_int_equal(number(t, SQL_ERASURES), 1);
    }
    tmpstore_reopen(t);
    assert_int_equal(number(t, SQL_ERASURES), 0);
    stored(t, left);
    assert_int_equal(left[1], -1);
    assert_int_equal(left[2], 0);
}

static void a_failing_allocation_leaves_the_rest_to_the_next_opening(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    struct model model = {0};
    int64_t removed = -1, left[SLOTS];
    enum err e;

    (void)state;
    import_model(t, &model);
    FAIL_EACH_ALLOCATION (e, delete_bare(t, 0, 0, 2 * STEP_S, &removed)) {
        assert_true(e == ERR_NO_MEMORY || e == ERR_OK); /* SQLite does without some */
        stored(t, left);
        for (int i = 2; i < SLOTS; i++)
            assert_int_equal(left[i], 0);
    }
    tmpstore_reopen(t);
    assert_int_equal(number(t, SQL_ERASURES), 0);
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
        cmocka_unit_test(what_stands_beside_records_stays_and_the_trail_tells_the_period),
        cmocka_unit_test(a_reader_of_an_older_state_holds_nothing_up),
        cmocka_unit_test(a_failing_allocation_leaves_the_rest_to_the_next_opening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
