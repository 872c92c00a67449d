#include "tests/harness/fault.h"
#include "tests/harness/test.h"
#include "tests/harness/tmpvault.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/store/correction.h"
#include "pds/store/import.h"
#include "pds/store/query.h"
#include "pds/store/source.h"

enum { SLOTS = 8, STEP_S = 1800, NOW = 2000000 };

static const struct dataset *consumption(void)
{
    const struct dataset *d = NULL;

    assert_ok(dataset_find(STR("energy.electricity.consumption"), &d));
    return d;
}

static int64_t unit(void) { return consumption()->values[0].denominator; }

static enum err trail_work(struct db *db, void *context)
{
    (void)context;
    return trail_begin(db, TMPVAULT_ID, 1000);
}

static struct tmpvault *store_new_with_trail(void)
{
    struct tmpvault *t = tmpvault_new();

    assert_ok(vault_write(t->vault, trail_work, NULL));
    return t;
}

/* Slots [from, to) of a meter, each of `value` (in units of the dataset). */
static void put(struct tmpvault *t, int from, int to, int64_t value, enum record_quality quality,
                const char *grain, char id[static ID_CHARS + 1], struct import_count *count)
{
    AUTO(import_freep) struct import *m = NULL;
    const struct import_count *counts;

    assert_ok(import_new(t->vault, STR("a file.csv"), 1000, &m));
    import_set_format(m, "test");
    for (int i = from; i < to; i++) {
        struct record r = {.start_at = i * STEP_S,
                           .end_at = (i + 1) * STEP_S,
                           .quality = quality,
                           .present = 1,
                           .line = i + 1};

        r.values[0] = value * unit();
        assert_ok(import_add(m, consumption(), "enedis", STR("1"), grain, &r));
    }
    assert_ok(import_close(m, 1000));
    memcpy(id, import_id(m), ID_CHARS + 1);
    if (count && import_counts(m, &counts))
        *count = counts[0];
}

static struct correction correction_of(int slot, int64_t value)
{
    struct correction c = {.key = {.dataset = consumption(),
                                   .source_id = 1,
                                   .start_at = slot * STEP_S,
                                   .end_at = (slot + 1) * STEP_S},
                           .given = 1};

    c.values[0] = value * unit();
    return c;
}

static void correct(struct tmpvault *t, int slot, int64_t value, struct correction_done *done)
{
    struct correction c = correction_of(slot, value);

    assert_ok(correction_put(t->vault, &c, NOW, done));
}

/* What a query says, slot by slot, -1 where there is nothing; gives the quality of slot 0. */
static int64_t stored(struct tmpvault *t, int64_t out[static SLOTS])
{
    AUTO(reader_done) struct reader reader = {t->vault, NULL};
    AUTO(query_freep) struct query *q = NULL;
    struct query_options o = {
        .dataset = consumption(), .from = INT64_MIN, .to = INT64_MAX, .zone = zone_paris()};
    struct query_row row;
    int64_t quality = 0;
    enum err e;

    for (int i = 0; i < SLOTS; i++)
        out[i] = -1;
    assert_ok(vault_read(t->vault, &reader.db));
    assert_ok(query_new(reader.db, &o, &q));
    while (!(e = query_next(q, &row))) {
        out[row.start_at / STEP_S] = row.values[0] / unit();
        if (row.start_at == 0)
            quality = row.quality;
    }
    assert_int_equal(e, ERR_NOT_FOUND);
    return quality;
}

static int64_t number(struct tmpvault *t, const char *sql)
{
    AUTO(reader_done) struct reader reader = {t->vault, NULL};
    int64_t n = -1;

    assert_ok(vault_read(t->vault, &reader.db));
    assert_ok(db_number(reader.db, sql, NO_PARAMS, &n));
    return n;
}

static int64_t told(struct tmpvault *t, const char *kind)
{
    static const char SQL_TOLD[] = "SELECT count(*) FROM trail_entry WHERE kind = ?1 AND who = 'owner'";
    AUTO(reader_done) struct reader reader = {t->vault, NULL};
    int64_t n = -1;

    assert_ok(vault_read(t->vault, &reader.db));
    assert_ok(db_number(reader.db, SQL_TOLD, PARAMS(TEXT(kind)), &n));
    return n;
}

static void a_correction_replaces_and_can_be_undone(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = store_new_with_trail();
    struct correction_done done;
    int64_t values[SLOTS], removed = 0, restored = 0;
    char id[ID_CHARS + 1];

    (void)state;
    put(t, 0, 4, 100, RECORD_MEASURED, "curve", id, NULL);
    correct(t, 0, 7, &done);
    assert_true(done.replaced);
    assert_string_equal(done.annotation, "");
    assert_int_equal(stored(t, values), RECORD_CORRECTED);
    assert_int_equal(values[0], 7);
    assert_int_equal(values[1], 100);
    assert_int_equal(number(t, "SELECT records FROM series"), 4);
    assert_int_equal(told(t, "records.corrected"), 1);
    assert_ok(import_undo(t->vault, str_of(done.import), NOW, &removed, &restored));
    assert_int_equal(removed, 0);
    assert_int_equal(restored, 1);
    assert_int_equal(stored(t, values), RECORD_MEASURED);
    assert_int_equal(values[0], 100);
}

static void the_same_value_changes_nothing(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = store_new_with_trail();
    struct correction_done done;
    char id[ID_CHARS + 1];

    (void)state;
    put(t, 0, 2, 100, RECORD_MEASURED, "curve", id, NULL);
    correct(t, 0, 100, &done);
    assert_false(done.replaced);
    assert_string_equal(done.import, "");
    assert_int_equal(number(t, "SELECT count(*) FROM import"), 1);
    assert_int_equal(told(t, "records.corrected"), 0);
}

/* Who may replace the owner's value: each row is what the file said, and what a later file says. */
static void a_file_does_not_undo_a_correction(void **state)
{
    static const struct {
        const char *name;
        enum record_quality first, second;
        int64_t second_value, after;
    } ROWS[] = {
        {"the same file again", RECORD_MEASURED, RECORD_MEASURED, 100, 7},
        {"another measure", RECORD_MEASURED, RECORD_MEASURED, 101, 7},
        {"an estimate", RECORD_MEASURED, RECORD_ESTIMATED, 101, 7},
        {"corrected by the provider, the same again", RECORD_CORRECTED, RECORD_CORRECTED, 100, 7},
        {"corrected by the provider since", RECORD_MEASURED, RECORD_CORRECTED, 101, 7},
        {"a definitive value since", RECORD_MEASURED, RECORD_DEFINITIVE, 101, 101},
        {"the old value turned definitive", RECORD_MEASURED, RECORD_DEFINITIVE, 100, 100},
        {"the definitive value that was corrected", RECORD_DEFINITIVE, RECORD_DEFINITIVE, 100, 7},
        {"another definitive value", RECORD_DEFINITIVE, RECORD_DEFINITIVE, 101, 101},
        {"the corrected value, measured", RECORD_MEASURED, RECORD_MEASURED, 7, 7},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(tmpvault_freep) struct tmpvault *t = store_new_with_trail();
        struct correction_done done;
        int64_t values[SLOTS];
        char id[ID_CHARS + 1];

        put(t, 0, 2, 100, ROWS[i].first, "curve", id, NULL);
        correct(t, 0, 7, &done);
        put(t, 0, 1, ROWS[i].second_value, ROWS[i].second, "curve", id, NULL);
        (void)stored(t, values);
        assert_row(ROWS[i].name, values[0] == ROWS[i].after);
        assert_row(ROWS[i].name, values[1] == 100);
    }
}

static void the_owner_corrects_twice_and_history_keeps_both(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = store_new_with_trail();
    AUTO(json_freep) json_t *history = NULL;
    AUTO(reader_done) struct reader reader = {t->vault, NULL};
    struct correction_done first, second;
    static const int64_t VALUES[] = {9, 7, 100};
    static const char *const QUALITIES[] = {"corrected", "corrected", "definitive"};
    const json_t *versions, *version;
    struct correction c = correction_of(0, 0);
    char id[ID_CHARS + 1];

    (void)state;
    put(t, 0, 2, 100, RECORD_DEFINITIVE, "curve", id, NULL);
    correct(t, 0, 7, &first);
    correct(t, 0, 9, &second);
    assert_ok(vault_read(t->vault, &reader.db));
    assert_ok(correction_history(reader.db, &c.key, &history));
    assert_string_equal(json_string_value(json_object_get(history, "grain")), "curve");
    versions = json_object_get(history, "versions");
    assert_int_equal(json_array_size(versions), 3);
    for (size_t i = 0; i < COUNT_OF(VALUES); i++) {
        version = json_array_get(versions, i);
        assert_int_equal(json_integer_value(json_object_get(version, "value")), VALUES[i]);
        assert_string_equal(json_string_value(json_object_get(version, "quality")), QUALITIES[i]);
        assert_true(json_is_null(json_object_get(version, "replaced_at")) == (i == 0));
        assert_true(json_is_null(json_object_get(version, "line")) == (i < 2));
    }
    version = json_array_get(versions, 2);
    assert_string_equal(json_string_value(json_object_get(version, "import")), id);
    assert_string_equal(json_string_value(json_object_get(version, "file")), "a file.csv");
    assert_int_equal(json_integer_value(json_object_get(version, "line")), 1);
    version = json_array_get(versions, 0);
    assert_string_equal(json_string_value(json_object_get(version, "import")), second.import);
    assert_string_equal(json_string_value(json_object_get(version, "format")), RECORD_CORRECTION_FORMAT);
}

/* The file's import goes while a correction stands: the owner's value stays, and is what is left. */
static void undoing_the_file_leaves_the_correction(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = store_new_with_trail();
    struct correction_done done;
    int64_t values[SLOTS], removed = 0, restored = 0;
    char id[ID_CHARS + 1];

    (void)state;
    put(t, 0, 3, 100, RECORD_MEASURED, "curve", id, NULL);
    correct(t, 1, 7, &done);
    assert_ok(import_undo(t->vault, str_of(id), NOW, &removed, &restored));
    assert_int_equal(removed, 2);
    (void)stored(t, values);
    assert_int_equal(values[0], -1);
    assert_int_equal(values[1], 7);
    assert_int_equal(number(t, "SELECT records FROM series"), 1);
    assert_int_equal(number(t, "SELECT count(*) FROM record_history"), 0);
}

static void what_cannot_be_corrected_is_told(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = store_new_with_trail();
    struct correction_done done = {.import = "untouched"};
    struct correction c = correction_of(0, 7);
    char id[ID_CHARS + 1];

    (void)state;
    put(t, 0, 2, 100, RECORD_MEASURED, "curve", id, NULL);
    put(t, 0, 1, 100, RECORD_MEASURED, "other", id, NULL);
    assert_err(correction_put(t->vault, &c, NOW, &done), ERR_CONFLICT);
    c.key.grain = STR("nothing");
    assert_err(correction_put(t->vault, &c, NOW, &done), ERR_NOT_FOUND);
    c = correction_of(1, 7);
    c.key.source_id = 2;
    assert_err(correction_put(t->vault, &c, NOW, &done), ERR_NOT_FOUND);
    c = correction_of(5, 7);
    assert_err(correction_put(t->vault, &c, NOW, &done), ERR_NOT_FOUND);
    c = correction_of(1, -1);
    assert_err(correction_put(t->vault, &c, NOW, &done), ERR_INVALID);
    c.values[0] = INT64_MAX;
    assert_err(correction_put(t->vault, &c, NOW, &done), ERR_INVALID);
    c.given = 0;
    assert_err(correction_put(t->vault, &c, NOW, &done), ERR_INVALID);
    assert_string_equal(done.import, "untouched");
    c = correction_of(0, 7);
    c.key.grain = STR("other");
    assert_ok(correction_put(t->vault, &c, NOW, &done));
    assert_int_equal(number(t, "SELECT value FROM record r JOIN series s ON s.id = r.series_id"
                               " WHERE s.grain = 'other'"),
                     7 * unit());
}

static void a_note_comes_in_with_the_correction_or_not_at_all(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = store_new_with_trail();
    struct correction_done done;
    struct correction c = correction_of(0, 7);
    int64_t values[SLOTS];
    char id[ID_CHARS + 1];

    (void)state;
    put(t, 0, 2, 100, RECORD_MEASURED, "curve", id, NULL);
    c.note = STR("a bell\a");
    assert_err(correction_put(t->vault, &c, NOW, &done), ERR_INVALID);
    (void)stored(t, values);
    assert_int_equal(values[0], 100);
    c.note = STR("the meter was changed");
    assert_ok(correction_put(t->vault, &c, NOW, &done));
    assert_int_equal(strlen(done.annotation), ID_CHARS);
    assert_int_equal(number(t, "SELECT end_at FROM annotation WHERE text = 'the meter was changed'"), STEP_S);
}

static void a_failing_allocation_corrects_nothing(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = store_new_with_trail();
    struct correction c = correction_of(0, 7);
    struct correction_done done;
    AUTO(json_freep) json_t *history = NULL;
    AUTO(reader_done) struct reader reader = {t->vault, NULL};
    char id[ID_CHARS + 1];
    enum err e;

    (void)state;
    put(t, 0, 2, 100, RECORD_MEASURED, "curve", id, NULL);
    FAIL_EACH_ALLOCATION (e, correction_put(t->vault, &c, NOW, &done)) {
        assert_int_equal(e, ERR_NO_MEMORY);
    }
    assert_ok(vault_read(t->vault, &reader.db));
    FAIL_EACH_ALLOCATION (e, correction_history(reader.db, &c.key, &history)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(history);
    }
    assert_int_equal(json_array_size(json_object_get(history, "versions")), 2);
}

/* What one import or correction says of each slot. What it brought in vain is -1: nothing remembers it. */
struct said {
    int64_t value[SLOTS];
    enum record_quality quality[SLOTS];
    bool owner, undone;
    char id[ID_CHARS + 1];
};

enum { STEPS = 14, ROUNDS = 40 };

/* The last that stands says it; -1 where nothing does. */
static int top(const struct said *all, int count, int slot)
{
    while (--count >= 0 && (all[count].undone || all[count].value[slot] < 0))
        continue;
    return count;
}

/* A definitive value that the slot had before, under the owner's. */
static bool was_said(const struct said *all, int count, int slot, int64_t value)
{
    for (int m = 0; m < count; m++) {
        if (!all[m].undone && !all[m].owner && all[m].value[slot] == value &&
            all[m].quality[slot] == RECORD_DEFINITIVE)
            return true;
    }
    return false;
}

/* What becomes of a file's value beside what is there: record.h in other words. */
static void meet(const struct said *all, int count, struct said *file, int slot)
{
    int at = top(all, count, slot);

    if (at < 0 || file->value[slot] < 0)
        return;
    if (!all[at].owner && all[at].value[slot] == file->value[slot] &&
        all[at].quality[slot] >= file->quality[slot])
        file->quality[slot] = all[at].quality[slot]; /* found there already: it stays, as good as it was */
    else if (all[at].owner
                 ? file->quality[slot] != RECORD_DEFINITIVE || was_said(all, at, slot, file->value[slot])
                 : all[at].quality[slot] > file->quality[slot])
        file->value[slot] = -1;
}

static void bring_file(struct tmpvault *t, struct said *all, int count, uint64_t *seed)
{
    AUTO(import_freep) struct import *m = NULL;
    enum record_quality quality = test_between(seed, 0, 3) ? RECORD_MEASURED : RECORD_DEFINITIVE;
    struct said *file = &all[count];

    assert_ok(import_new(t->vault, STR("a"), 1000, &m));
    for (int i = 0; i < SLOTS; i++) {
        struct record r = {
            .start_at = i * STEP_S, .end_at = (i + 1) * STEP_S, .quality = quality, .present = 1};

        file->quality[i] = quality;
        file->value[i] = test_between(seed, -1, 2); /* few values: many are confirmed */
        r.values[0] = file->value[i] * unit();
        if (file->value[i] >= 0)
            assert_ok(import_add(m, consumption(), "enedis", STR("1"), "curve", &r));
        meet(all, count, file, i);
    }
    assert_ok(import_close(m, 1000));
    memcpy(file->id, import_id(m), sizeof file->id);
}

/* A value of its own, so that no file says it. */
static bool correct_some(struct tmpvault *t, struct said *all, int count, uint64_t *seed)
{
    int slot = (int)test_between(seed, 0, SLOTS - 1);
    struct correction_done done;

    if (top(all, count, slot) < 0)
        return false;
    for (int i = 0; i < SLOTS; i++)
        all[count].value[i] = -1;
    correct(t, slot, 100 + count, &done);
    all[count].value[slot] = 100 + count;
    all[count].quality[slot] = RECORD_CORRECTED;
    all[count].owner = true;
    memcpy(all[count].id, done.import, sizeof all[count].id);
    return true;
}

static enum err erase_work(struct db *db, void *context)
{
    const int *range = context;
    int64_t removed = 0;

    return record_erase(db, 1, range[0] * STEP_S, range[1] * STEP_S, &removed);
}

static void erase_some(struct tmpvault *t, struct said *all, int count, uint64_t *seed)
{
    int range[2];

    range[0] = (int)test_between(seed, 0, SLOTS - 1);
    range[1] = (int)test_between(seed, range[0] + 1, SLOTS);
    assert_ok(vault_write(t->vault, erase_work, range));
    for (int m = 0; m < count; m++) {
        for (int i = range[0]; i < range[1]; i++)
            all[m].value[i] = -1;
    }
}

static void undo_one(struct tmpvault *t, struct said *one)
{
    int64_t removed, restored;

    if (one->undone)
        return;
    assert_ok(import_undo(t->vault, str_of(one->id), NOW, &removed, &restored));
    one->undone = true;
}

static void must_agree(struct tmpvault *t, const struct said *all, int count)
{
    int64_t values[SLOTS];
    int64_t quality = stored(t, values); /* of the first slot */
    int first = top(all, count, 0);

    if (first >= 0)
        assert_int_equal(quality, all[first].quality[0]);
    for (int i = 0; i < SLOTS; i++) {
        int at = top(all, count, i);

        assert_int_equal(values[i], at < 0 ? -1 : all[at].value[i]);
    }
    assert_int_equal(
        number(t, "SELECT coalesce(sum(records), 0) - (SELECT count(*) FROM record) FROM series"), 0);
}

/* Files, corrections, deletions, undoings in any order: what is left is as if what went had never been. */
static void any_order_leaves_what_stands(void **state)
{
    uint64_t seed = test_seed();

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        AUTO(tmpvault_freep) struct tmpvault *t = store_new_with_trail();
        struct said all[STEPS + 1] = {0};
        int count = 0;

        bring_file(t, all, count++, &seed);
        while (count < STEPS) {
            int64_t kind = test_between(&seed, 0, 9);

            if (kind < 4)
                bring_file(t, all, count++, &seed);
            else if (kind < 7)
                count += correct_some(t, all, count, &seed);
            else if (kind < 9)
                undo_one(t, &all[test_between(&seed, 0, count - 1)]);
            else
                erase_some(t, all, count, &seed);
            must_agree(t, all, count);
        }
        for (int m = 0; m < count; m++) {
            undo_one(t, &all[m]);
            must_agree(t, all, count);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_correction_replaces_and_can_be_undone),
        cmocka_unit_test(the_same_value_changes_nothing),
        cmocka_unit_test(a_file_does_not_undo_a_correction),
        cmocka_unit_test(the_owner_corrects_twice_and_history_keeps_both),
        cmocka_unit_test(undoing_the_file_leaves_the_correction),
        cmocka_unit_test(what_cannot_be_corrected_is_told),
        cmocka_unit_test(a_note_comes_in_with_the_correction_or_not_at_all),
        cmocka_unit_test(any_order_leaves_what_stands),
        cmocka_unit_test(a_failing_allocation_corrects_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
