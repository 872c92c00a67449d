/* What comes of another store's export: the union, told; nothing of what is not one. */
#include "tests/harness/fault.h"
#include "tests/harness/portable.h"

#include "pds/crypto/sha256.h"
#include "pds/store/correction.h"

static int64_t number(const json_t *answer, const char *kind, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(answer, kind), key));
}

static int64_t of_dataset(const json_t *answer, const char *name, const char *key)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(answer, "datasets"), i, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "name")), name) == 0)
            return json_integer_value(json_object_get(item, key));
    }
    return -1;
}

static void an_empty_store_becomes_alike(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(tmpstore_freep) struct tmpstore *b = tmpstore_new();
    AUTO(json_freep) json_t *first = NULL;
    AUTO(json_freep) json_t *again = NULL;
    AUTO(buf_done) struct buf zip;
    char one[PORTABLE_DIGEST], other[PORTABLE_DIGEST];

    (void)state;
    assert_true(dataset_count() <= IMPORT_DATASETS_MAX); /* a merge is one import of all of them */
    portable_furnish(a);
    portable_export(a, &zip);
    portable_digest(a, one);
    assert_ok(portable_merge(b, (struct str){zip.data, zip.len}, &first));
    portable_digest(b, other);
    assert_string_equal(one, other);
    assert_int_equal(of_dataset(first, "energy.electricity.consumption", "new"), 96);
    assert_int_equal(of_dataset(first, "mobility.position", "new"), 5);
    assert_int_equal(number(first, "annotations", "new"), 2);
    assert_int_equal(json_array_size(json_object_get(first, "warnings")), 0);
    assert_ok(portable_merge(b, (struct str){zip.data, zip.len}, &again));
    portable_digest(b, other);
    assert_string_equal(one, other);
    assert_int_equal(of_dataset(again, "energy.electricity.consumption", "same"), 96);
    assert_int_equal(of_dataset(again, "energy.electricity.consumption", "new"), 0);
    assert_int_equal(number(again, "annotations", "same"), 2);
    assert_int_equal(json_array_size(json_object_get(again, "conflicts")), 0);
}

static void a_merge_is_an_import_that_can_be_undone(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(tmpstore_freep) struct tmpstore *b = tmpstore_new();
    AUTO(json_freep) json_t *answer = NULL;
    AUTO(buf_done) struct buf zip;
    int64_t removed = 0, restored = 0;
    const char *id = NULL;

    (void)state;
    portable_fill(a, "water.consumption", "eau", "1", PORTABLE_START, 10, (int64_t[4]){5}, RECORD_MEASURED);
    portable_export(a, &zip);
    assert_ok(portable_merge(b, (struct str){zip.data, zip.len}, &answer));
    assert_ok(json_get_text(answer, "import", &id));
    assert_ok(import_undo(b->vault, str_of(id), TMPSTORE_NOW, &removed, &restored));
    assert_int_equal(removed, 10);
}

static void a_store_of_many_series_is_merged(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(tmpstore_freep) struct tmpstore *b = tmpstore_new();
    AUTO(import_freep) struct import *m = NULL;
    AUTO(json_freep) json_t *answer = NULL;
    AUTO(buf_done) struct buf zip;
    const struct dataset *d = NULL;

    (void)state;
    assert_ok(dataset_find(STR("water.consumption"), &d));
    assert_ok(import_new(a->vault, STR("x"), TMPSTORE_NOW, &m));
    for (int i = 0; i < 300; i++) {
        struct record r = {.start_at = PORTABLE_START,
                           .end_at = PORTABLE_START + 1800,
                           .present = 1,
                           .line = 1,
                           .quality = RECORD_MEASURED};
        char meter[16];

        (void)snprintf(meter, sizeof meter, "%d", i);
        assert_ok(import_add(m, d, "eau", str_of(meter), "curve", &r));
    }
    assert_ok(import_close(m, TMPSTORE_NOW));
    portable_export(a, &zip);
    assert_ok(portable_merge(b, (struct str){zip.data, zip.len}, &answer));
    assert_int_equal(of_dataset(answer, "water.consumption", "new"), 300);
}

/* What is here, what the other has, and what is here afterwards: a row an hour. */
static const struct {
    const char *name;
    int64_t here, theirs;
    enum record_quality here_quality, their_quality;
    bool taken, told;
} MEETINGS[] = {
    {"the same", 5, 5, RECORD_MEASURED, RECORD_MEASURED, false, false},
    {"the same, worse", 5, 5, RECORD_MEASURED, RECORD_ESTIMATED, false, false},
    {"the same, better", 5, 5, RECORD_MEASURED, RECORD_DEFINITIVE, true, false},
    {"another, as good", 5, 6, RECORD_MEASURED, RECORD_MEASURED, false, true},
    {"another, worse", 5, 6, RECORD_MEASURED, RECORD_ESTIMATED, false, true},
    {"another, better", 5, 6, RECORD_MEASURED, RECORD_DEFINITIVE, true, false},
};

static void fill_meeting(struct tmpstore *t, size_t i, int64_t value, enum record_quality quality)
{
    portable_fill(t, "water.consumption", "eau", "1", PORTABLE_START + (int64_t)i * 3600, 1,
                  (int64_t[4]){value}, quality);
}

static void read_meeting(struct tmpstore *t, size_t i, struct record *r)
{
    AUTO(reader_done) struct reader reader = {t->vault, NULL};

    *r = (struct record){.series_id = 1, .start_at = PORTABLE_START + (int64_t)i * 3600};
    r->end_at = r->start_at + 1800;
    assert_ok(vault_read(t->vault, &reader.db));
    assert_ok(record_load(reader.db, r));
}

static void what_is_here_stays_unless_the_other_is_better(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(tmpstore_freep) struct tmpstore *b = tmpstore_new();
    AUTO(json_freep) json_t *answer = NULL;
    AUTO(buf_done) struct buf zip;
    const json_t *told;
    size_t told_count = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(MEETINGS); i++) {
        fill_meeting(a, i, MEETINGS[i].theirs, MEETINGS[i].their_quality);
        fill_meeting(b, i, MEETINGS[i].here, MEETINGS[i].here_quality);
    }
    portable_export(a, &zip);
    assert_ok(portable_merge(b, (struct str){zip.data, zip.len}, &answer));
    assert_int_equal(of_dataset(answer, "water.consumption", "new"), 0);
    assert_int_equal(of_dataset(answer, "water.consumption", "same"), 2);
    assert_int_equal(of_dataset(answer, "water.consumption", "replaced"), 2);
    assert_int_equal(of_dataset(answer, "water.consumption", "conflicts"), 2);
    told = json_object_get(answer, "conflicts");
    for (size_t i = 0; i < COUNT_OF(MEETINGS); i++) {
        bool taken = MEETINGS[i].taken;
        struct record r;
        char hour[32];

        read_meeting(b, i, &r);
        assert_row(MEETINGS[i].name, r.values[0] == (taken ? MEETINGS[i].theirs : MEETINGS[i].here));
        assert_row(MEETINGS[i].name,
                   r.quality == (taken ? MEETINGS[i].their_quality : MEETINGS[i].here_quality));
        if (!MEETINGS[i].told)
            continue;
        (void)snprintf(hour, sizeof hour, "2024-05-01T%02zu:00:00Z", i);
        assert_row(
            MEETINGS[i].name,
            strstr(json_string_value(json_object_get(json_array_get(told, told_count), "where")), hour));
        told_count++;
    }
    assert_int_equal(json_array_size(told), told_count);
}

/* Of the first source's first half-hour; value is in the smallest parts. */
static void correct(struct tmpstore *t, int64_t value)
{
    struct correction c = {
        .key = {.source_id = 1, .start_at = PORTABLE_START, .end_at = PORTABLE_START + 1800}, .given = 1};
    struct correction_done done;

    assert_ok(dataset_find(STR("water.consumption"), &c.key.dataset));
    c.values[0] = value;
    assert_ok(correction_put(t->vault, &c, TMPSTORE_NOW, &done));
    assert_true(done.replaced);
}

static void expect_reading(struct tmpstore *t, int64_t value, enum record_quality quality)
{
    struct record r;

    read_meeting(t, 0, &r);
    assert_int_equal(r.values[0], value);
    assert_int_equal(r.quality, quality);
}

/* What a provider says again does not undo what the owner corrected, in a store that the correction came to
 * with a merge as in the one where it was made; something new and definitive does. */
static void a_correction_stays_one(void **state)
{
    static const struct {
        const char *name;
        int64_t said;
        enum record_quality quality;
        int64_t value;
    } AGAIN[] = {{"measured again", 5, RECORD_MEASURED, 9},
                 {"definitive, as it was corrected", 5, RECORD_DEFINITIVE, 9},
                 {"corrected by them", 6, RECORD_CORRECTED, 9},
                 {"definitive and new", 7, RECORD_DEFINITIVE, 7}};
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(tmpstore_freep) struct tmpstore *b = tmpstore_new();
    struct tmpstore *stores[2] = {a, b};
    AUTO(json_freep) json_t *first = NULL;
    AUTO(json_freep) json_t *again = NULL;
    AUTO(buf_done) struct buf zip;
    struct record r;

    (void)state;
    fill_meeting(a, 0, 5, RECORD_DEFINITIVE);
    fill_meeting(a, 1, 5, RECORD_CORRECTED); /* by the provider: not the owner's */
    correct(a, 8);
    correct(a, 9);
    portable_export(a, &zip);
    assert_ok(portable_merge(b, (struct str){zip.data, zip.len}, &first));
    assert_int_equal(of_dataset(first, "water.consumption", "new"), 2);
    assert_true(json_is_string(json_object_get(first, "corrections")));
    assert_ok(portable_merge(b, (struct str){zip.data, zip.len}, &again));
    assert_int_equal(of_dataset(again, "water.consumption", "same"), 2);
    assert_int_equal(of_dataset(again, "water.consumption", "conflicts"), 0);
    for (size_t i = 0; i < COUNT_OF(AGAIN); i++) {
        for (size_t k = 0; k < 2; k++) {
            fill_meeting(stores[k], 0, AGAIN[i].said, AGAIN[i].quality);
            read_meeting(stores[k], 0, &r);
            assert_row(AGAIN[i].name, r.values[0] == AGAIN[i].value);
        }
    }
    fill_meeting(b, 1, 4, RECORD_CORRECTED);
    read_meeting(b, 1, &r);
    assert_int_equal(r.values[0], 4);
}

static void corrections_that_came_can_be_undone(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(tmpstore_freep) struct tmpstore *b = tmpstore_new();
    AUTO(json_freep) json_t *answer = NULL;
    AUTO(buf_done) struct buf zip;
    int64_t removed = 0, restored = 0;
    const char *id = NULL;

    (void)state;
    fill_meeting(a, 0, 5, RECORD_MEASURED);
    fill_meeting(b, 0, 5, RECORD_MEASURED);
    correct(a, 9);
    portable_export(a, &zip);
    assert_ok(portable_merge(b, (struct str){zip.data, zip.len}, &answer));
    assert_int_equal(of_dataset(answer, "water.consumption", "replaced"), 1);
    expect_reading(b, 9, RECORD_CORRECTED);
    assert_ok(json_get_text(answer, "corrections", &id));
    assert_ok(import_undo(b->vault, str_of(id), TMPSTORE_NOW, &removed, &restored));
    assert_int_equal(restored, 1);
    expect_reading(b, 5, RECORD_MEASURED);
}

static void an_annotation_of_the_same_id_is_kept_beside(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(tmpstore_freep) struct tmpstore *b = tmpstore_new();
    AUTO(json_freep) json_t *first = NULL;
    AUTO(json_freep) json_t *again = NULL;
    AUTO(buf_done) struct buf zip;

    (void)state;
    portable_annotate(a, "01HWSMQG00AAAAAAAAAAAAAAAA", "theirs");
    portable_annotate(b, "01HWSMQG00AAAAAAAAAAAAAAAA", "ours");
    portable_export(a, &zip);
    assert_ok(portable_merge(b, (struct str){zip.data, zip.len}, &first));
    assert_int_equal(number(first, "annotations", "conflicts"), 1);
    assert_int_equal(number(first, "annotations", "new"), 1);
    assert_ok(portable_merge(b, (struct str){zip.data, zip.len}, &again));
    assert_int_equal(number(again, "annotations", "same"), 1);
    assert_int_equal(number(again, "annotations", "conflicts"), 0);
}

/* A zip of the entries given, datapackage.json made for them unless it is among them. */
struct made_entry {
    const char *name, *text, *identity;
    const char *told; /* the text whose hash is told; NULL: this one's */
};

static void make_zip(struct buf *zip, const char *about, const struct made_entry *entries, size_t count)
{
    AUTO(pack_writer_freep) struct pack_writer *w = NULL;
    AUTO(buf_done) struct buf package;

    buf_init(zip, 16 * MIB);
    buf_init(&package, MIB);
    buf_printf(&package, "{%s\"resources\":[", about);
    for (size_t i = 0; i < count; i++) {
        const char *told = entries[i].told ? entries[i].told : entries[i].text;
        uint8_t hash[SHA256_BYTES];
        char text[SHA256_TEXT_BYTES];

        sha256_of(told, strlen(told), hash);
        sha256_text(hash, text);
        buf_printf(&package, "%s{\"name\":\"x\",\"path\":\"%s\",\"bytes\":%zu,\"hash\":\"sha256:%s\"%s%s}",
                   i ? "," : "", entries[i].name, strlen(told), text,
                   entries[i].identity ? ",\"traboule\":" : "",
                   entries[i].identity ? entries[i].identity : "");
    }
    buf_text(&package, "]}");
    assert_ok(buf_err(&package));
    assert_ok(pack_writer_new(PACK_ZIP, bytes_put, zip, &w));
    assert_ok(pack_begin(w, "datapackage.json", -1, TMPSTORE_NOW));
    assert_ok(pack_write(w, package.data, package.len));
    assert_ok(pack_end(w));
    for (size_t i = 0; i < count; i++) {
        if (!entries[i].text)
            continue;
        assert_ok(pack_begin(w, entries[i].name, -1, TMPSTORE_NOW));
        assert_ok(pack_write(w, entries[i].text, strlen(entries[i].text)));
        assert_ok(pack_end(w));
    }
    assert_ok(pack_finish(w));
}

#define OURS "\"traboule\":{\"format\":\"traboule-export\",\"version\":1},"
#define WATER                                                                                                \
    "{\"kind\":\"records\",\"dataset\":\"water.consumption\",\"provider\":\"e\",\"reference\":\"\","         \
    "\"grain\":\"g\"}"
#define HEAD "start,end,value,quality,import,line\n"
#define ROW  "2024-05-01T00:00:00Z,2024-05-01T01:00:00Z,"

static const struct {
    const char *name, *about;
    struct made_entry entry;
    enum err wanted;
} OTHERS[] = {
    {"as it should be", OURS, {"a.csv", HEAD ROW "5,measured,,1\n", WATER, NULL}, ERR_OK},
    {"not ours", "", {"a.csv", HEAD, WATER, NULL}, ERR_UNSUPPORTED},
    {"another's",
     "\"traboule\":{\"format\":\"x\",\"version\":1},",
     {"a.csv", HEAD, WATER, NULL},
     ERR_UNSUPPORTED},
    {"newer",
     "\"traboule\":{\"format\":\"traboule-export\",\"version\":2},",
     {"a.csv", HEAD, WATER, NULL},
     ERR_UNSUPPORTED},
    {"a changed cell",
     OURS,
     {"a.csv", HEAD ROW "5,measured,,1\n", WATER, HEAD ROW "6,measured,,1\n"},
     ERR_INVALID},
    {"longer", OURS, {"a.csv", HEAD ROW "5,measured,,1\n", WATER, HEAD}, ERR_INVALID},
    {"shorter", OURS, {"a.csv", HEAD, WATER, HEAD ROW "5,measured,,1\n"}, ERR_INVALID},
    {"a file that is missing", OURS, {"a.csv", NULL, WATER, HEAD}, ERR_INVALID},
    {"an unknown kind", OURS, {"a.bin", "x", "{\"kind\":\"later\"}", NULL}, ERR_OK},
    {"no kind", OURS, {"a.bin", "x", NULL, NULL}, ERR_OK},
    {"no header", OURS, {"a.csv", "", WATER, NULL}, ERR_INVALID},
    {"another header", OURS, {"a.csv", "a,b\n", WATER, NULL}, ERR_INVALID},
    {"an unknown value",
     OURS,
     {"a.csv", "start,end,value,x,quality,import,line\n", WATER, NULL},
     ERR_UNSUPPORTED},
    {"a formula", OURS, {"a.csv", HEAD ROW "=1+1,measured,,1\n", WATER, NULL}, ERR_INVALID},
    {"below the least", OURS, {"a.csv", HEAD ROW "-1,measured,,1\n", WATER, NULL}, ERR_INVALID},
    {"no number", OURS, {"a.csv", HEAD ROW ",measured,,1\n", WATER, NULL}, ERR_INVALID},
    {"too few cells", OURS, {"a.csv", HEAD ROW "5,measured\n", WATER, NULL}, ERR_INVALID},
    {"no quality", OURS, {"a.csv", HEAD ROW "5,splendid,,1\n", WATER, NULL}, ERR_INVALID},
    {"back in time",
     OURS,
     {"a.csv", HEAD "2024-05-01T01:00:00Z,2024-05-01T00:00:00Z,5,measured,,1\n", WATER, NULL},
     ERR_INVALID},
    {"year 9999",
     OURS,
     {"a.csv", HEAD "9999-01-01T00:00:00Z,9999-01-01T01:00:00Z,5,measured,,1\n", WATER, NULL},
     ERR_INVALID},
    {"a provider of no name",
     OURS,
     {"a.csv", HEAD,
      "{\"kind\":\"records\",\"dataset\":\"water.consumption\",\"provider\":\"\",\"reference\":\"\","
      "\"grain\":\"g\"}",
      NULL},
     ERR_INVALID},
    {"a reference of two lines",
     OURS,
     {"a.csv", HEAD,
      "{\"kind\":\"records\",\"dataset\":\"water.consumption\",\"provider\":\"e\",\"reference\":\"a\\nb\","
      "\"grain\":\"g\"}",
      NULL},
     ERR_INVALID},
    {"a file before its document",
     OURS,
     {"d.pdf", "x", "{\"kind\":\"file\",\"document\":\"01HWSMQG00AAAAAAAAAAAAAAAA\",\"version\":1}", NULL},
     ERR_INVALID},
    {"a document without its file",
     OURS,
     {"documents.json",
      "{\"documents\":[{\"id\":\"01HWSMQG00AAAAAAAAAAAAAAAA\",\"versions\":[{\"version\":1}]}]}",
      "{\"kind\":\"documents\"}", NULL},
     ERR_INVALID},
    {"an annotation that is none",
     OURS,
     {"n.csv", "annotation,dataset,start,end,text,created,updated\nx,y,z,,,,\n", "{\"kind\":\"annotations\"}",
      NULL},
     ERR_INVALID},
};

static void other_files_are_refused_and_leave_nothing(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    char before[PORTABLE_DIGEST], after[PORTABLE_DIGEST];

    (void)state;
    portable_digest(t, before);
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++) {
        AUTO(buf_done) struct buf zip;
        AUTO(json_freep) json_t *answer = NULL;
        const char *id = NULL;
        int64_t removed, restored;

        make_zip(&zip, OTHERS[i].about, &OTHERS[i].entry, 1);
        assert_row(OTHERS[i].name,
                   portable_merge(t, (struct str){zip.data, zip.len}, &answer) == OTHERS[i].wanted);
        if (i == 0) {
            assert_ok(json_get_text(answer, "import", &id));
            assert_ok(import_undo(t->vault, str_of(id), TMPSTORE_NOW, &removed, &restored));
        }
        portable_digest(t, after);
        assert_row(OTHERS[i].name, strcmp(before, after) == 0);
    }
}

/* Cut at any place, an export is refused, and what it brought is taken back. */
static void a_cut_file_leaves_nothing(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(tmpstore_freep) struct tmpstore *b = tmpstore_new();
    AUTO(buf_done) struct buf zip;
    char before[PORTABLE_DIGEST], after[PORTABLE_DIGEST];
    const char *directory;

    (void)state;
    portable_furnish(a);
    portable_export(a, &zip);
    portable_digest(b, before);
    directory = memmem(zip.data, zip.len, "PK\1\2", 4); /* behind it, every file was there and right */
    assert_non_null(directory);
    for (size_t cut = 0; cut < (size_t)(directory - zip.data) - 20; cut += zip.len / 13) {
        AUTO(json_freep) json_t *answer = NULL;

        assert_true(portable_merge(b, (struct str){zip.data, cut}, &answer) != ERR_OK);
        portable_digest(b, after);
        assert_string_equal(before, after);
    }
}

static enum err merge_once(struct tmpstore *t, const struct buf *zip)
{
    AUTO(json_freep) json_t *answer = NULL;

    return portable_merge(t, (struct str){zip->data, zip->len}, &answer);
}

/* However often it fails on the way, in the end all is there, once. */
static void each_failing_allocation_is_told_and_the_next_merge_completes_it(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(tmpstore_freep) struct tmpstore *b = tmpstore_new();
    AUTO(buf_done) struct buf zip;
    char one[PORTABLE_DIGEST], other[PORTABLE_DIGEST];
    enum err e;

    (void)state;
    portable_fill(a, "water.consumption", "eau", "1", PORTABLE_START, 2, (int64_t[4]){5}, RECORD_MEASURED);
    correct(a, 9);
    portable_annotate(a, "01HWSMQG00AAAAAAAAAAAAAAAA", "x");
    portable_add_document(a, "01HWSMQG00DDDDDDDDDDDDDDDD", "x");
    portable_export(a, &zip);
    PORTABLE_FAILING_ALLOCATIONS(nth)
    {
        e = merge_once(b, &zip);
        if (!fault_was_hit(e, "merge_once"))
            break;
        assert_true(e == ERR_NO_MEMORY || e == ERR_OK); /* SQLite does with a page less in its cache */
    }
    portable_digest(a, one);
    portable_digest(b, other);
    assert_string_equal(one, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_store_becomes_alike),
        cmocka_unit_test(a_store_of_many_series_is_merged),
        cmocka_unit_test(a_merge_is_an_import_that_can_be_undone),
        cmocka_unit_test(what_is_here_stays_unless_the_other_is_better),
        cmocka_unit_test(a_correction_stays_one),
        cmocka_unit_test(corrections_that_came_can_be_undone),
        cmocka_unit_test(an_annotation_of_the_same_id_is_kept_beside),
        cmocka_unit_test(other_files_are_refused_and_leave_nothing),
        cmocka_unit_test(a_cut_file_leaves_nothing),
        cmocka_unit_test(each_failing_allocation_is_told_and_the_next_merge_completes_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
