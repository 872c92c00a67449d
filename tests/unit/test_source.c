#include "tests/harness/fault.h"
#include "tests/harness/test.h"
#include "tests/harness/tmpvault.h"

#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/store/import.h"
#include "pds/store/source.h"

static const char CONSUMPTION[] = "energy.electricity.consumption", INDEX[] = "energy.electricity.index";

/* One call of source_series() inside a write. */
struct call {
    const char *dataset, *provider, *reference, *grain;
    int64_t id;
};

static enum err series_work(struct db *db, void *context)
{
    struct call *c = context;

    return source_series(db, c->dataset, c->provider, str_of(c->reference), c->grain, 1000, &c->id);
}

static void a_series_is_one_dataset_source_and_grain(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    struct call calls[] = {
        {CONSUMPTION, "enedis", "1", "curve", 0}, {CONSUMPTION, "enedis", "1", "daily", 0},
        {CONSUMPTION, "enedis", "2", "curve", 0}, {CONSUMPTION, "owner", "1", "curve", 0},
        {CONSUMPTION, "enedis", "", "curve", 0},  {INDEX, "enedis", "1", "curve", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        struct call again = calls[i];

        assert_ok(vault_write(v->vault, series_work, &calls[i]));
        assert_ok(vault_write(v->vault, series_work, &again));
        assert_int_equal(again.id, calls[i].id);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(calls[i].id, calls[j].id);
    }
}

static json_t *sources(struct tmpvault *v, int64_t after, int64_t limit)
{
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    json_t *list = NULL;

    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(source_list(r.db, after, limit, &list));
    return list;
}

/* Records of hours [from, to) of a meter, through an import; its id in id. */
static void put(struct tmpvault *v, const char *name, const char *meter, int from, int to,
                char id[static ID_CHARS + 1])
{
    AUTO(import_freep) struct import *m = NULL;
    const struct dataset *d = NULL;

    assert_ok(dataset_find(str_of(name), &d));
    assert_ok(import_new(v->vault, STR("a"), 1000, &m));
    for (int hour = from; hour < to; hour++) {
        struct record r = {
            .start_at = hour * 3600, .end_at = (hour + 1) * 3600, .quality = RECORD_MEASURED, .present = 1};

        if (d->instant)
            r.end_at = r.start_at;
        assert_ok(import_add(m, d, "enedis", str_of(meter), "curve", &r));
    }
    assert_ok(import_close(m, 1000));
    memcpy(id, import_id(m), ID_CHARS + 1);
}

static void check_span(const json_t *item, int64_t records, const char *first, const char *last)
{
    assert_int_equal(json_integer_value(json_object_get(item, "records")), records);
    if (!first) {
        assert_true(json_is_null(json_object_get(item, "first")) &&
                    json_is_null(json_object_get(item, "last")));
        return;
    }
    assert_string_equal(json_string_value(json_object_get(item, "first")), first);
    assert_string_equal(json_string_value(json_object_get(item, "last")), last);
}

static const json_t *item(const json_t *list, const char *key, size_t i)
{
    return json_array_get(json_object_get(list, key), i);
}

static void sources_tell_what_each_has(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    AUTO(json_freep) json_t *empty = sources(v, 0, 10);
    AUTO(json_freep) json_t *list = NULL;
    AUTO(json_freep) json_t *after = NULL;
    char a[ID_CHARS + 1], b[ID_CHARS + 1], c[ID_CHARS + 1];
    int64_t removed, restored;

    (void)state;
    assert_int_equal(json_array_size(json_object_get(empty, "sources")), 0);
    put(v, CONSUMPTION, "1", 24, 48, a);
    put(v, INDEX, "1", 12, 20, b);
    put(v, CONSUMPTION, "2", 0, 5, c);
    list = sources(v, 0, 10);
    assert_int_equal(json_array_size(json_object_get(list, "sources")), 2);
    check_span(item(list, "sources", 0), 32, "1970-01-01T12:00:00Z", "1970-01-03T00:00:00Z");
    check_span(item(list, "sources", 1), 5, "1970-01-01T00:00:00Z", "1970-01-01T05:00:00Z");
    assert_int_equal(json_array_size(json_object_get(item(list, "sources", 0), "datasets")), 2);
    assert_string_equal(json_string_value(json_object_get(item(list, "sources", 1), "reference")), "2");

    assert_ok(import_undo(v->vault, str_of(a), 2000, &removed, &restored));
    assert_ok(import_undo(v->vault, str_of(c), 2000, &removed, &restored));
    after = sources(v, 0, 10);
    check_span(item(after, "sources", 0), 8, "1970-01-01T12:00:00Z", "1970-01-01T19:00:00Z");
    check_span(item(after, "sources", 1), 0, NULL, NULL);
}

static void pages_of_sources_follow_each_other(void **state)
{
    enum { METERS = 7 };
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    char id[ID_CHARS + 1];

    (void)state;
    for (int i = 0; i < METERS; i++) {
        char meter[2] = {(char)('a' + i), '\0'};

        put(v, CONSUMPTION, meter, 0, i + 1, id);
    }
    for (int64_t limit = 1; limit <= METERS + 1; limit++) {
        int64_t after = 0, seen = 0;

        for (bool more = true; more;) {
            AUTO(json_freep) json_t *page = sources(v, after, limit);
            const char *next = json_string_value(json_object_get(page, "next"));
            size_t count = json_array_size(json_object_get(page, "sources"));

            assert_true(count > 0 && count <= (size_t)limit);
            for (size_t i = 0; i < count; i++)
                assert_int_equal(json_integer_value(json_object_get(item(page, "sources", i), "records")),
                                 ++seen);
            more = next != NULL;
            if (more)
                assert_ok(str_int64(str_of(next), &after));
        }
        assert_int_equal(seen, METERS);
    }
}

static void datasets_are_all_listed_with_what_there_is(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    AUTO(json_freep) json_t *list = NULL;
    char id[ID_CHARS + 1];

    (void)state;
    put(v, CONSUMPTION, "1", 24, 48, id);
    put(v, CONSUMPTION, "2", 30, 60, id);
    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(source_datasets(r.db, &list));
    assert_int_equal(json_array_size(json_object_get(list, "datasets")), dataset_count());
    for (size_t i = 0; i < dataset_count(); i++) {
        const json_t *one = item(list, "datasets", i);
        const char *name = json_string_value(json_object_get(one, "name"));

        assert_string_equal(name, dataset_at(i)->name);
        assert_non_null(json_object_get(json_object_get(one, "title"), "fr"));
        if (strcmp(name, CONSUMPTION) == 0)
            check_span(one, 54, "1970-01-02T00:00:00Z", "1970-01-03T12:00:00Z");
        else
            check_span(one, 0, NULL, NULL);
    }
}

static void lists_survive_each_failing_allocation(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    char id[ID_CHARS + 1];
    json_t *list = NULL;
    enum err e;

    (void)state;
    put(v, CONSUMPTION, "1", 0, 3, id);
    assert_ok(vault_read(v->vault, &r.db));
    FAIL_EACH_ALLOCATION (e, source_list(r.db, 0, 10, &list)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(list);
    }
    json_decref(list);
    list = NULL;
    FAIL_EACH_ALLOCATION (e, source_datasets(r.db, &list)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(list);
    }
    json_decref(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_series_is_one_dataset_source_and_grain),
        cmocka_unit_test(sources_tell_what_each_has),
        cmocka_unit_test(pages_of_sources_follow_each_other),
        cmocka_unit_test(datasets_are_all_listed_with_what_there_is),
        cmocka_unit_test(lists_survive_each_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
