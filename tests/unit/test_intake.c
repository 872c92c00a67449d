#include "tests/harness/fault.h"
#include "tests/harness/test.h"
#include "tests/harness/tmpvault.h"

#include "connectors/runner/intake.h"
#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/store/import.h"
#include "pds/store/query.h"

#include <stdio.h>

static const char CONSUMPTION[] = "energy.electricity.consumption";
static const char HEAD[] =
    "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Grandeur metier;"
    "Etape metier;Unite;Pas en minutes\n"
    "01234567890123;Courbe de charge;01/05/2024;02/05/2024;Energie active;Consommation;"
    "Comptage Brut;W;30\nHorodate;Valeur\n";

struct source {
    struct str text;
    size_t good; /* bytes before reading fails */
};

static enum err give(void *context, void *out, size_t size, size_t *got)
{
    struct source *s = context;

    if (s->text.len > 0 && s->good == 0)
        return err_set(ERR_IO, "a broken disk");
    *got = s->text.len < size ? s->text.len : size;
    *got = *got < s->good ? *got : s->good;
    if (*got)
        memcpy(out, s->text.ptr, *got);
    s->text = (struct str){s->text.ptr + *got, s->text.len - *got};
    s->good -= *got;
    return ERR_OK;
}

static enum err take(struct tmpvault *v, const char *only, struct str text, size_t good, json_t *entries)
{
    struct source s = {text, good};
    struct reading_input input = {.read = give, .context = &s};
    struct intake_options options = {.vault = v->vault, .zone = zone_paris(), .now = 1000};

    if (only)
        assert_ok(dataset_find(str_of(only), &options.only));
    return intake_file(&options, STR("file.csv"), &input, entries);
}

static int64_t number(const json_t *entry, const char *key)
{
    return json_integer_value(json_object_get(entry, key));
}

static int64_t records(struct tmpvault *v, const char *name)
{
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    AUTO(query_freep) struct query *q = NULL;
    struct query_options o = {.from = INT64_MIN, .to = INT64_MAX, .zone = zone_paris()};
    struct query_row row;
    int64_t count = 0;

    assert_ok(dataset_find(str_of(name), &o.dataset));
    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(query_new(r.db, &o, &q));
    while (!query_next(q, &row))
        count++;
    return count;
}

static size_t import_count_of(struct tmpvault *v)
{
    AUTO(json_freep) json_t *list = NULL;

    assert_ok(import_list(v->vault, STR(""), 100, &list));
    return json_array_size(json_object_get(list, "imports"));
}

/* The sample files of the parsers, from bytes to the answer: what is new at first is the same at the second
 * time. */
static const struct {
    const char *name;
    int entries; /* datasets that it brings */
    int64_t new, rejected;
    size_t warnings;
} FILES[] = {
    {"curve.csv", 1, -1, -1, 0},     {"bad-lines.csv", 1, 3, 12, 12}, {"both-flows.csv", -1, -1, 0, 0},
    {"index-kwh.csv", -1, -1, 0, 0}, {"peak.csv", -1, -1, -1, 0},     {"production.csv", -1, -1, 0, 0},
    {"header-only.csv", 1, 0, 0, 0},
};

static void files_are_taken_told_and_taken_again_without_effect(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
        AUTO(json_freep) json_t *first = json_array();
        AUTO(json_freep) json_t *second = json_array();
        AUTO(buf_done) struct buf text;
        const char *name = FILES[i].name, *before = "";
        char path[FS_PATH_BYTES];

        buf_init(&text, (size_t)MIB);
        assert_ok(fs_join(path, TEST_ROOT "/tests/fixtures/energy", name));
        assert_ok(fs_read(path, (size_t)MIB, &text));
        assert_ok(take(v, NULL, (struct str){text.data, text.len}, SIZE_MAX, first));
        assert_ok(take(v, NULL, (struct str){text.data, text.len}, SIZE_MAX, second));
        assert_row(name, json_array_size(first) == json_array_size(second));
        assert_row(name, FILES[i].entries < 0 || json_array_size(first) == (size_t)FILES[i].entries);
        for (size_t n = 0; n < json_array_size(first); n++) {
            const json_t *a = json_array_get(first, n), *b = json_array_get(second, n);
            const char *dataset = json_string_value(json_object_get(a, "dataset"));

            assert_row(name, number(a, "same") == 0 && number(b, "new") == 0 && number(b, "replaced") == 0);
            assert_row(name, number(a, "new") == number(b, "same"));
            assert_row(name, number(a, "rejected") == number(b, "rejected"));
            assert_row(name, json_equal(json_object_get(a, "total"), json_object_get(b, "total")));
            assert_row(name, FILES[i].new < 0 || number(a, "new") == FILES[i].new);
            assert_row(name, FILES[i].rejected < 0 || number(a, "rejected") == FILES[i].rejected);
            assert_row(name, n > 0 || !FILES[i].warnings ||
                                 json_array_size(json_object_get(a, "warnings")) == FILES[i].warnings);
            assert_row(name, !dataset || strcmp(before, dataset) < 0); /* in the order of their names */
            before = dataset ? dataset : before;
        }
    }
}

static void what_is_left_out_by_dataset_is_not_kept(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    AUTO(json_freep) json_t *entries = json_array();
    char text[1024];
    const json_t *entry;

    (void)state;
    (void)snprintf(text, sizeof text, "%s2024-05-01T00:30:00+02:00;412\n", HEAD);
    assert_ok(take(v, "water.consumption", str_of(text), SIZE_MAX, entries));
    entry = json_array_get(entries, 0);
    assert_int_equal(json_array_size(entries), 1);
    assert_true(json_is_null(json_object_get(entry, "dataset")) &&
                json_is_null(json_object_get(entry, "total")));
    assert_int_equal(records(v, CONSUMPTION), 0);
    assert_ok(take(v, CONSUMPTION, str_of(text), SIZE_MAX, entries));
    assert_int_equal(records(v, CONSUMPTION), 1);
}

static void file_that_nothing_reads_leaves_nothing(void **state)
{
    static const struct str TEXTS[] = {
        {"", 0}, {"a letter to a friend\n", 21}, {"PK\x03\x04", 4}, {"\0\0\0\0", 4}};
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    AUTO(json_freep) json_t *entries = json_array();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++)
        assert_err(take(v, NULL, TEXTS[i], SIZE_MAX, entries), ERR_UNSUPPORTED);
    assert_int_equal(json_array_size(entries), 0);
    assert_int_equal(import_count_of(v), 0);
}

/* A file of more than one batch that breaks off: what was written is undone, whatever had been read. */
static void file_that_breaks_off_leaves_nothing(void **state)
{
    enum { LINES = 10000 };
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    AUTO(json_freep) json_t *entries = json_array();
    AUTO(buf_done) struct buf text;
    struct str whole;

    (void)state;
    buf_init(&text, (size_t)(4 * MIB));
    buf_text(&text, HEAD);
    for (int i = 0; i < LINES; i++)
        buf_printf(&text, "2024-%02d-%02dT%02d:%02d:00+00:00;%d\n", 1 + i / 1344 % 12, 1 + i / 48 % 28,
                   i / 2 % 24, i % 2 * 30, i % 5000);
    assert_ok(buf_err(&text));
    whole = (struct str){text.data, text.len};
    for (size_t part = 0; part < 10; part++) {
        assert_err(take(v, NULL, whole, whole.len * part / 10 + 1, entries), ERR_IO);
        assert_string_equal(err_story() + strlen(err_story()) - strlen("a broken disk"), "a broken disk");
        assert_int_equal(json_array_size(entries), 0);
        assert_int_equal(records(v, CONSUMPTION), 0);
    }
    assert_ok(take(v, NULL, whole, SIZE_MAX, entries));
    assert_int_equal(records(v, CONSUMPTION), LINES);
}

static void warnings_are_told_up_to_a_limit_and_counted_beyond(void **state)
{
    enum { BAD = LIMIT_WARNINGS + 50 };
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    AUTO(json_freep) json_t *entries = json_array();
    AUTO(buf_done) struct buf text;
    const json_t *entry;

    (void)state;
    buf_init(&text, (size_t)MIB);
    buf_printf(&text, "%s2024-05-01T00:30:00+02:00;412\n", HEAD);
    for (int i = 0; i < BAD; i++)
        buf_text(&text, "2024-05-01T01:00:00+02:00;secret-canary\n");
    assert_ok(take(v, NULL, (struct str){text.data, text.len}, SIZE_MAX, entries));
    entry = json_array_get(entries, 0);
    assert_int_equal(number(entry, "rejected"), BAD);
    assert_int_equal(json_array_size(json_object_get(entry, "warnings")), LIMIT_WARNINGS);
    for (size_t i = 0; i < LIMIT_WARNINGS; i++) {
        const json_t *warning = json_array_get(json_object_get(entry, "warnings"), i);

        assert_int_equal(number(warning, "line"), i + 5);
        assert_null(strstr(json_string_value(json_object_get(warning, "reason")), "canary"));
    }
}

static void failure_is_told_in_the_same_list(void **state)
{
    AUTO(json_freep) json_t *entries = json_array();
    const json_t *error;

    (void)state;
    (void)err_set(ERR_UNSUPPORTED, "this is a text");
    assert_ok(intake_add_failure(entries, STR("a.txt"), ERR_UNSUPPORTED));
    error = json_object_get(json_array_get(entries, 0), "error");
    assert_string_equal(json_string_value(json_object_get(error, "type")), "unsupported");
    assert_string_equal(json_string_value(json_object_get(error, "detail")), "this is a text");
}

static void intake_survives_each_failing_allocation(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    AUTO(json_freep) json_t *entries = json_array();
    char text[1024];
    enum err e;

    (void)state;
    (void)snprintf(text, sizeof text, "%s2024-05-01T00:30:00+02:00;412\n2024-05-01T01:00:00+02:00;x\n", HEAD);
    FAIL_EACH_ALLOCATION (e, take(v, NULL, str_of(text), SIZE_MAX, entries)) {
        /* Allocations of jansson that only a warning needs are survived without a word. */
        if (e)
            assert_int_equal(e, ERR_NO_MEMORY);
        else
            assert_int_equal(json_array_size(entries), 1);
        (void)json_array_clear(entries);
    }
    assert_int_equal(records(v, CONSUMPTION), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_taken_told_and_taken_again_without_effect),
        cmocka_unit_test(what_is_left_out_by_dataset_is_not_kept),
        cmocka_unit_test(file_that_nothing_reads_leaves_nothing),
        cmocka_unit_test(file_that_breaks_off_leaves_nothing),
        cmocka_unit_test(warnings_are_told_up_to_a_limit_and_counted_beyond),
        cmocka_unit_test(failure_is_told_in_the_same_list),
        cmocka_unit_test(intake_survives_each_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
