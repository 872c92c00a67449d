#include "tests/harness/fault.h"
#include "tests/harness/test.h"
#include "tests/harness/tmpvault.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/store/annotation.h"

enum { NOW = 2000000 };

static const struct dataset *dataset(const char *name)
{
    const struct dataset *d = NULL;

    assert_ok(dataset_find(str_of(name), &d));
    return d;
}

static const char CONSUMPTION[] = "energy.electricity.consumption", INDEX[] = "energy.electricity.index";

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

static json_t *list(struct tmpvault *t, const char *name, int64_t from, int64_t to, int64_t after,
                    int64_t limit)
{
    AUTO(reader_done) struct reader r = {t->vault, NULL};
    json_t *out = NULL;

    assert_ok(vault_read(t->vault, &r.db));
    assert_ok(annotation_list(r.db, name ? dataset(name) : NULL, from, to, after, limit, &out));
    return out;
}

static size_t count(struct tmpvault *t, const char *name, int64_t from, int64_t to)
{
    AUTO(json_freep) json_t *found = list(t, name, from, to, 0, 100);

    return json_array_size(json_object_get(found, "annotations"));
}

static void one_is_found_where_it_touches(void **state)
{
    static const struct {
        const char *name, *dataset;
        int64_t from, to;
        size_t found;
    } ROWS[] = {
        {"everything", NULL, INT64_MIN, INT64_MAX, 2},
        {"its dataset", CONSUMPTION, INT64_MIN, INT64_MAX, 1},
        {"another dataset", "energy.electricity.production", INT64_MIN, INT64_MAX, 0},
        {"ends where it starts", CONSUMPTION, 0, 1000, 0},
        {"starts where it ends", CONSUMPTION, 2000, 3000, 0},
        {"its first second", CONSUMPTION, 0, 1001, 1},
        {"its last second", CONSUMPTION, 1999, 3000, 1},
        {"within", CONSUMPTION, 1400, 1500, 1},
        {"an instant", INDEX, 5000, 5001, 1},
        {"after an instant", INDEX, 5001, 5002, 0},
        {"before an instant", INDEX, 4999, 5000, 0},
    };
    AUTO(tmpvault_freep) struct tmpvault *t = store_new_with_trail();
    char id[ID_CHARS + 1];

    (void)state;
    assert_ok(annotation_add(t->vault, STR(""), dataset(CONSUMPTION), 1000, 2000, STR("away"), NOW, id));
    assert_ok(annotation_add(t->vault, STR(""), dataset(INDEX), 5000, 5000, STR("read twice"), NOW, id));
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_row(ROWS[i].name, count(t, ROWS[i].dataset, ROWS[i].from, ROWS[i].to) == ROWS[i].found);
}

static void texts_that_are_none_are_refused(void **state)
{
    static char longest[ANNOTATION_TEXT_BYTES + 1];
    static const struct {
        const char *name;
        struct str text;
        enum err outcome;
    } ROWS[] = {
        {"empty", STR_ROW(""), ERR_INVALID},
        {"spaces", STR_ROW("  \n "), ERR_INVALID},
        {"a control character", STR_ROW("a\ab"), ERR_INVALID},
        {"a NUL", STR_ROW("a\0b"), ERR_INVALID},
        {"no UTF-8", STR_ROW("\xff"), ERR_INVALID},
        {"two lines", STR_ROW("absents\nà la mer"), ERR_OK},
        {"the longest", {longest, ANNOTATION_TEXT_BYTES}, ERR_OK},
        {"longer", {longest, ANNOTATION_TEXT_BYTES + 1}, ERR_TOO_LARGE},
    };
    AUTO(tmpvault_freep) struct tmpvault *t = store_new_with_trail();
    char id[ID_CHARS + 1];

    (void)state;
    memset(longest, 'a', sizeof longest);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        enum err e = annotation_add(t->vault, STR(""), dataset(CONSUMPTION), 0, 1, ROWS[i].text, NOW, id);

        assert_row(ROWS[i].name, e == ROWS[i].outcome);
    }
    assert_err(annotation_add(t->vault, STR(""), dataset(CONSUMPTION), 2, 1, STR("a"), NOW, id), ERR_INVALID);
    assert_err(annotation_add(t->vault, STR(""), dataset(CONSUMPTION), 0, INT64_MAX, STR("a"), NOW, id),
               ERR_INVALID);
    assert_err(annotation_add(t->vault, STR("id"), dataset(CONSUMPTION), 0, 1, STR("a"), NOW, id),
               ERR_INVALID);
}

static void the_same_id_again_is_the_same_or_a_conflict(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = store_new_with_trail();
    static const char ID[] = "01J00000000000000000000000";
    char id[ID_CHARS + 1] = "untouched";

    (void)state;
    assert_ok(annotation_add(t->vault, str_of(ID), dataset(CONSUMPTION), 0, 1, STR("a"), NOW, id));
    assert_string_equal(id, ID);
    assert_ok(annotation_add(t->vault, str_of(ID), dataset(CONSUMPTION), 0, 1, STR("a"), NOW + 1, id));
    assert_int_equal(count(t, NULL, INT64_MIN, INT64_MAX), 1);
    assert_err(annotation_add(t->vault, str_of(ID), dataset(CONSUMPTION), 0, 1, STR("b"), NOW, id),
               ERR_CONFLICT);
    assert_err(annotation_add(t->vault, str_of(ID), dataset(INDEX), 0, 1, STR("a"), NOW, id), ERR_CONFLICT);
}

static json_t *get(struct tmpvault *t, const char *id)
{
    AUTO(reader_done) struct reader r = {t->vault, NULL};
    json_t *one = NULL;

    assert_ok(vault_read(t->vault, &r.db));
    assert_ok(annotation_get(r.db, str_of(id), &one));
    return one;
}

static void a_change_is_made_on_what_was_seen(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = store_new_with_trail();
    AUTO(json_freep) json_t *one = NULL;
    static const char SQL_TOLD[] =
        "SELECT count(*) FROM trail_entry WHERE kind = 'annotated' AND what ="
        " 'energy.electricity.consumption 1970-01-01T00:00:00Z/1970-01-01T01:00:00Z'";
    AUTO(reader_done) struct reader r = {t->vault, NULL};
    char id[ID_CHARS + 1];
    int64_t told = 0;

    (void)state;
    assert_ok(annotation_add(t->vault, STR(""), dataset(CONSUMPTION), 0, 3600, STR("a"), NOW, id));
    assert_err(annotation_change(t->vault, str_of(id), STR("b"), 2, NOW), ERR_PRECONDITION);
    assert_ok(annotation_change(t->vault, str_of(id), STR("b"), 1, NOW + 60));
    assert_ok(annotation_change(t->vault, str_of(id), STR("c"), 0, NOW + 120));
    assert_err(annotation_change(t->vault, str_of(id), STR(" "), 0, NOW), ERR_INVALID);
    assert_err(annotation_change(t->vault, STR("none"), STR("c"), 0, NOW), ERR_NOT_FOUND);
    one = get(t, id);
    assert_string_equal(json_string_value(json_object_get(one, "text")), "c");
    assert_int_equal(json_integer_value(json_object_get(one, "revision")), 3);
    assert_string_equal(json_string_value(json_object_get(one, "created")), "1970-01-24T03:33:20Z");
    assert_string_equal(json_string_value(json_object_get(one, "updated")), "1970-01-24T03:35:20Z");
    assert_err(annotation_delete(t->vault, str_of(id), 2, NOW), ERR_PRECONDITION);
    assert_ok(annotation_delete(t->vault, str_of(id), 3, NOW));
    assert_err(annotation_delete(t->vault, str_of(id), 0, NOW), ERR_NOT_FOUND);
    assert_int_equal(count(t, NULL, INT64_MIN, INT64_MAX), 0);
    assert_ok(vault_read(t->vault, &r.db));
    assert_ok(db_number(r.db, SQL_TOLD, NO_PARAMS, &told));
    assert_int_equal(told, 4); /* added, changed twice, deleted */
}

static void the_list_goes_on_where_it_ended(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = store_new_with_trail();
    AUTO(json_freep) json_t *first = NULL;
    AUTO(json_freep) json_t *second = NULL;
    char id[ID_CHARS + 1];
    int64_t next;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_ok(annotation_add(t->vault, STR(""), dataset(INDEX), i, i, STR("a"), NOW, id));
    first = list(t, NULL, INT64_MIN, INT64_MAX, 0, 2);
    assert_int_equal(json_array_size(json_object_get(first, "annotations")), 2);
    assert_ok(str_int64(str_of(json_string_value(json_object_get(first, "next"))), &next));
    second = list(t, NULL, INT64_MIN, INT64_MAX, next, 2);
    assert_int_equal(json_array_size(json_object_get(second, "annotations")), 1);
    assert_true(json_is_null(json_object_get(second, "next")));
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(json_object_get(second, "annotations"), 0), "id")),
        id);
}

static void a_failing_allocation_is_told(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = store_new_with_trail();
    AUTO(reader_done) struct reader r = {t->vault, NULL};
    AUTO(json_freep) json_t *out = NULL;
    AUTO(json_freep) json_t *one = NULL;
    char id[ID_CHARS + 1];
    enum err e;

    (void)state;
    FAIL_EACH_ALLOCATION (e, annotation_add(t->vault, STR(""), dataset(INDEX), 0, 0, STR("a"), NOW, id)) {
        assert_int_equal(e, ERR_NO_MEMORY);
    }
    assert_ok(vault_read(t->vault, &r.db));
    FAIL_EACH_ALLOCATION (e, annotation_list(r.db, NULL, INT64_MIN, INT64_MAX, 0, 10, &out)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(out);
    }
    assert_int_equal(json_array_size(json_object_get(out, "annotations")), 1);
    FAIL_EACH_ALLOCATION (e, annotation_get(r.db, str_of(id), &one)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_found_where_it_touches),
        cmocka_unit_test(texts_that_are_none_are_refused),
        cmocka_unit_test(the_same_id_again_is_the_same_or_a_conflict),
        cmocka_unit_test(a_change_is_made_on_what_was_seen),
        cmocka_unit_test(the_list_goes_on_where_it_ended),
        cmocka_unit_test(a_failing_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
