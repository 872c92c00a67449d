/* What is erased is gone from all that the key can read (tests/harness/image.h), and nothing else is. */
#include "tests/harness/fault.h"
#include "tests/harness/image.h"
#include "tests/harness/tmpstore.h"

#include "pds/store/annotation.h"
#include "pds/store/bundle.h"
#include "pds/store/document.h"
#include "pds/store/erase.h"
#include "pds/store/import.h"
#include "pds/store/source.h"
#include "pds/vault/vault_internal.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

enum { STEP_S = 1800, RECORDS = 5000 };

#define CONSUMPTION "energy.electricity.consumption"
#define GAS         "energy.gas.consumption"

/* As SQLite stores it, its bytes are "CANAY". */
static const int64_t CANARY_VALUE = 0x43414E4159;
static const char *const OF_RECORDS[] = {"CANAY", "CANARYFILE", "CANARYMETER", "CANARYNOTE", NULL};
static const char *const OF_ALL[] = {
    "CANAY",     "CANARYFILE",  "CANARYMETER",  "CANARYNOTE", "CANARYTITLE", "CANARYBODY", "canarybody",
    "CANARYTAG", "canarytitle", "CANARYBUNDLE", "orange.csv", "ORANGEMETER", NULL};

static const struct dataset *dataset_of(const char *name)
{
    const struct dataset *d = NULL;

    assert_ok(dataset_find(str_of(name), &d));
    return d;
}

static size_t traces(struct tmpstore *t, const char *const texts[])
{
    return image_count(store_dir(t->store), t->root, store_id(t->store), texts);
}

static void import(struct tmpstore *t, const char *dataset, const char *meter, const char *file,
                   int64_t value, int count)
{
    AUTO(import_freep) struct import *m = NULL;

    assert_ok(import_new(t->vault, str_of(file), TMPSTORE_NOW, &m));
    import_set_format(m, "test");
    for (int n = 0; n < count; n++) {
        int i = (int)((int64_t)n * 4001 % count); /* in no order, so that pages split */
        struct record r = {.start_at = i * STEP_S,
                           .end_at = (i + 1) * STEP_S,
                           .quality = RECORD_MEASURED,
                           .present = 1,
                           .line = i + 1};

        r.values[0] = value + (value == CANARY_VALUE ? 0 : i);
        assert_ok(import_add(m, dataset_of(dataset), "enedis", str_of(meter), "curve", &r));
    }
    assert_ok(import_close(m, TMPSTORE_NOW));
}

static int64_t number(struct tmpstore *t, const char *sql)
{
    AUTO(reader_done) struct reader r = {t->vault, NULL};
    int64_t n = -1;

    assert_ok(vault_read(t->vault, &r.db));
    assert_ok(db_number(r.db, sql, NO_PARAMS, &n));
    return n;
}

static const char SQL_RECORDS[] = "SELECT count(*) FROM record";
static const char SQL_COUNTED[] = "SELECT coalesce(sum(records), 0) FROM series";
static const char SQL_IMPORTS[] = "SELECT count(*) FROM import";
static const char SQL_HISTORY[] = "SELECT count(*) FROM record_history";
static const char SQL_ERASURES[] = "SELECT count(*) FROM erasure";
static const char SQL_TO_DELETE[] = "SELECT count(*) FROM erasure WHERE deleted = 0";
static const char SQL_TOLD[] = "SELECT count(*) FROM trail_entry WHERE kind = 'erased'";
static const char SQL_SAID[] = "SELECT count(*) FROM trail_entry WHERE kind IS NOT NULL";
static const char SQL_GAS_IMPORTS[] =
    "SELECT count(*) FROM import_count WHERE dataset = 'energy.gas.consumption'";

/* Canaries as electricity, corrected once so that there is history; oranges as gas of another meter. */
static struct tmpstore *filled(void)
{
    struct tmpstore *t = tmpstore_new();
    char id[ID_CHARS + 1];

    import(t, CONSUMPTION, "CANARYMETER", "CANARYFILE.csv", CANARY_VALUE, RECORDS);
    import(t, CONSUMPTION, "CANARYMETER", "CANARYFILE-2.csv", 1000, RECORDS / 5);
    import(t, GAS, "ORANGEMETER", "orange.csv", 1000, RECORDS);
    assert_ok(annotation_add(t->vault, STR(""), dataset_of(CONSUMPTION), 0, STEP_S, STR("CANARYNOTE"),
                             TMPSTORE_NOW, id));
    assert_int_equal(number(t, SQL_HISTORY), RECORDS / 5);
    assert_ok(vault_purge(t->vault, 1000));
    assert_true(traces(t, OF_RECORDS) > RECORDS);
    return t;
}

static int64_t counted(const json_t *answer, const char *name)
{
    const json_t *n = json_object_get(answer, name);

    assert_true(json_is_integer(n));
    return json_integer_value(n);
}

static void must_answer(struct tmpstore *t, const struct erase_request *request, int64_t records,
                        int64_t annotations, int64_t sources, int64_t imports)
{
    AUTO(json_freep) json_t *answer = NULL;

    assert_ok(erase_run(t->store, request, TMPSTORE_NOW, &answer));
    assert_int_equal(counted(answer, "records"), records);
    assert_int_equal(counted(answer, "annotations"), annotations);
    assert_int_equal(counted(answer, "sources"), sources);
    assert_int_equal(counted(answer, "imports"), imports);
    assert_int_equal(number(t, SQL_ERASURES), 0);
    assert_int_equal(number(t, SQL_RECORDS), number(t, SQL_COUNTED));
}

static void must_be_sound(struct tmpstore *t)
{
    AUTO(reader_done) struct reader r = {t->vault, NULL};
    AUTO(stmt_closep) struct stmt *row = NULL;
    static const char SQL_CHECK[] = "PRAGMA integrity_check";
    static const char SQL_KEYS[] = "PRAGMA foreign_key_check";

    assert_ok(vault_read(t->vault, &r.db));
    assert_ok(db_query(r.db, SQL_CHECK, NO_PARAMS, &row));
    assert_ok(stmt_next(row));
    assert_true(str_eq(stmt_text(row, 0), STR("ok")));
    stmt_close(row);
    row = NULL;
    assert_ok(db_query(r.db, SQL_KEYS, NO_PARAMS, &row));
    assert_err(stmt_next(row), ERR_NOT_FOUND);
}

static void a_dataset_goes_without_a_trace_and_others_stay(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = filled();
    struct erase_request request = {.dataset = dataset_of(CONSUMPTION), .from = INT64_MIN, .to = INT64_MAX};

    (void)state;
    must_answer(t, &request, RECORDS, 1, 1, 2);
    assert_int_equal(traces(t, OF_RECORDS), 0);
    assert_int_equal(number(t, SQL_RECORDS), RECORDS);
    assert_int_equal(number(t, SQL_IMPORTS), 1);
    assert_int_equal(number(t, SQL_GAS_IMPORTS), 1);
    assert_int_equal(number(t, SQL_TOLD), 1);
    must_be_sound(t);
    tmpstore_reopen(t);
    assert_int_equal(traces(t, OF_RECORDS), 0);
    must_answer(t, &request, 0, 0, 0, 0); /* once more: nothing is left, and it is told again */
}

static void a_source_goes_and_the_owners_remarks_stay(void **state)
{
    static const char *const OF_SOURCE[] = {"CANAY", "CANARYFILE", "CANARYMETER", NULL};
    AUTO(tmpstore_freep) struct tmpstore *t = filled();
    AUTO(json_freep) json_t *answer = NULL;
    struct erase_request request = {.source_id = 1, .from = INT64_MIN, .to = INT64_MAX};

    (void)state;
    must_answer(t, &request, RECORDS, 0, 1, 2);
    assert_int_equal(traces(t, OF_SOURCE), 0);
    assert_int_equal(number(t, SQL_RECORDS), RECORDS);
    request.source_id = 1; /* it is none any more */
    assert_err(erase_run(t->store, &request, TMPSTORE_NOW, &answer), ERR_NOT_FOUND);
    assert_string_equal(err_story(), "no source has this number");
    assert_int_equal(number(t, SQL_TOLD), 1);
}

/* An item is the shortest period. */
static void a_period_goes_and_the_rest_of_its_import_stays(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = filled();
    struct erase_request request = {
        .dataset = dataset_of(CONSUMPTION), .from = RECORDS / 5 * STEP_S, .to = RECORDS * STEP_S};
    struct erase_request item = {.dataset = dataset_of(GAS), .from = 7 * STEP_S, .to = 7 * STEP_S + 1};

    (void)state;
    must_answer(t, &request, RECORDS / 5 * 4, 0, 0, 0);
    assert_int_equal(number(t, SQL_RECORDS), RECORDS + RECORDS / 5);
    assert_int_equal(number(t, SQL_IMPORTS), 3); /* the first is history of the others */
    must_answer(t, &item, 1, 0, 0, 0);
    request.from = 0;
    must_answer(t, &request, RECORDS / 5, 1, 1, 2);
    assert_int_equal(traces(t, OF_RECORDS), 0);
    must_be_sound(t);
}

static void add_papers(struct tmpstore *t)
{
    static const char BODY[] = "CANARYBODY of a paper";
    AUTO(blob_writer_freep) struct blob_writer *w = NULL;
    const struct str tags[] = {STR("CANARYTAG")};
    struct document_facts facts = {
        .title = STR("CANARYTITLE"), .tags = tags, .tag_count = 1, .has_tags = true, .remind_days = -1};
    char id[ID_CHARS + 1], bundle[ID_CHARS + 1];
    struct str ids[1];

    assert_ok(blob_writer_new(t->store, &w));
    assert_ok(blob_write(w, BODY, sizeof BODY - 1));
    assert_ok(blob_finish(w));
    assert_ok(document_add(t->store, STR(""), w, STR("CANARYFILE.txt"), STR("text/plain"), &facts,
                           TMPSTORE_NOW, id));
    ids[0] = str_of(id);
    assert_ok(bundle_put(t->store, STR(""), STR("CANARYBUNDLE"), ids, 1, TMPSTORE_NOW, bundle));
    assert_ok(vault_purge(t->vault, 1000));
}

static int files_of(struct tmpstore *t)
{
    char path[1200];
    DIR *folder;
    int count = 0;

    (void)snprintf(path, sizeof path, "%s/files", store_dir(t->store));
    assert_non_null(folder = opendir(path));
    for (const struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    (void)closedir(folder);
    return count;
}

static off_t size_of_db(struct tmpstore *t)
{
    struct stat st;

    assert_int_equal(stat(tempdir_path(t->dir, "store/vault.db"), &st), 0);
    return st.st_size;
}

static void everything_goes_and_the_store_can_be_used(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = filled();
    AUTO(json_freep) json_t *answer = NULL;
    struct erase_request request = {.from = INT64_MIN, .to = INT64_MAX, .whole = true};
    off_t before = size_of_db(t);

    (void)state;
    add_papers(t);
    assert_int_equal(files_of(t), 1);
    assert_ok(erase_run(t->store, &request, TMPSTORE_NOW, &answer));
    assert_int_equal(counted(answer, "records"), 2 * RECORDS);
    assert_int_equal(counted(answer, "documents"), 1);
    assert_int_equal(counted(answer, "annotations"), 1);
    assert_int_equal(counted(answer, "sources"), 2);
    assert_int_equal(counted(answer, "imports"), 3);
    assert_int_equal(traces(t, OF_ALL), 0);
    assert_int_equal(files_of(t), 0);
    assert_true(size_of_db(t) < before / 2);
    assert_int_equal(number(t, SQL_SAID), 1); /* of the trail, the line that tells of it */
    must_be_sound(t);
    tmpstore_reopen(t);
    assert_int_equal(traces(t, OF_ALL), 0);
    import(t, CONSUMPTION, "1", "new.csv", 5, 10);
    add_papers(t);
    assert_int_equal(number(t, SQL_RECORDS), 10);
    must_be_sound(t);
}

static enum err note_erasure(struct db *db, void *context)
{
    static const char SQL[] = "INSERT INTO erasure (dataset, from_at, to_at, whole, line, begun_at)"
                              " VALUES (?1, -100000000000, 100000000000, ?2, 1, 0)";
    const char *dataset = context;

    return db_run(db, SQL, PARAMS(dataset ? TEXT(dataset) : NIL, INT(!dataset)));
}

static enum err note_bare(struct db *db, void *context)
{
    static const char SQL[] = "UPDATE erasure SET bare = 1";
    enum err e = note_erasure(db, context);

    return e ? e : db_run(db, SQL, NO_PARAMS);
}

static void records_alone_go_after_a_crash_and_nothing_else(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = filled();

    (void)state;
    assert_ok(vault_write(t->vault, note_bare, (void *)CONSUMPTION));
    tmpstore_reopen(t);
    assert_int_equal(number(t, SQL_ERASURES), 0);
    assert_int_equal(number(t, SQL_RECORDS), RECORDS);
    assert_int_equal(number(t, SQL_HISTORY), 0);
    assert_int_equal(number(t, SQL_IMPORTS), 3);
    assert_int_equal(number(t, "SELECT count(*) FROM annotation"), 1);
    must_be_sound(t);
}

static void what_a_crash_cut_goes_on_at_the_next_opening(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = filled();

    (void)state;
    assert_ok(vault_write(t->vault, note_erasure, (void *)CONSUMPTION));
    tmpstore_reopen(t);
    assert_int_equal(number(t, SQL_ERASURES), 0);
    assert_int_equal(number(t, SQL_RECORDS), RECORDS);
    assert_int_equal(traces(t, OF_RECORDS), 0);
    add_papers(t);
    assert_ok(vault_write(t->vault, note_erasure, NULL));
    assert_ok(vault_write(t->vault, note_erasure, (void *)GAS));
    tmpstore_reopen(t);
    assert_int_equal(number(t, SQL_ERASURES), 0);
    assert_int_equal(number(t, SQL_RECORDS), 0);
    assert_int_equal(traces(t, OF_ALL), 0);
    assert_int_equal(files_of(t), 0);
}

/* A copy that is being made holds the purge back: what came in since is none of the erasure's. */
static void what_is_imported_after_an_erasure_that_was_told_busy_stays(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = filled();
    AUTO(json_freep) json_t *answer = NULL;
    struct erase_request request = {.dataset = dataset_of(CONSUMPTION), .from = INT64_MIN, .to = INT64_MAX};

    (void)state;
    assert_ok(vault_hold(t->vault));
    vault_set_wait(20);
    assert_err(erase_run(t->store, &request, TMPSTORE_NOW, &answer), ERR_BUSY);
    assert_non_null(strstr(err_story(), "all is deleted, but the files are not cleaned of it yet"));
    vault_set_wait(0);
    vault_unhold(t->vault);
    assert_null(answer);
    assert_int_equal(number(t, SQL_ERASURES), 1);
    import(t, CONSUMPTION, "2", "new.csv", 5, 10);
    tmpstore_reopen(t);
    assert_int_equal(number(t, SQL_ERASURES), 0);
    assert_int_equal(number(t, SQL_RECORDS), RECORDS + 10);
    assert_int_equal(traces(t, OF_RECORDS), 0);
}

static void put_one(struct import *m, const char *dataset, const char *meter, int64_t start)
{
    struct record r = {
        .start_at = start, .end_at = start + STEP_S, .quality = RECORD_MEASURED, .present = 1, .line = 1};

    assert_ok(import_add(m, dataset_of(dataset), "enedis", str_of(meter), "curve", &r));
}

/* Its numbers, of a series and of itself, may be another's afterwards. */
static void an_import_that_runs_meanwhile_writes_into_nothing_of_others(void **state)
{
    static const char SQL_STRAYS[] = "SELECT count(*) FROM record r JOIN series s ON s.id = r.series_id JOIN "
                                     "source o ON o.id = s.source_id"
                                     " WHERE (r.start_at >= 1000000000) <> (o.reference = 'LONG')";
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(import_freep) struct import *m = NULL;
    AUTO(json_freep) json_t *answer = NULL;
    struct erase_request request = {.dataset = dataset_of(CONSUMPTION), .from = INT64_MIN, .to = INT64_MAX};

    (void)state;
    assert_ok(import_new(t->vault, STR("long.csv"), TMPSTORE_NOW, &m));
    for (int64_t i = 0; i < RECORDS; i++) /* more than a batch */
        put_one(m, CONSUMPTION, "LONG", 1000000000 + i * STEP_S);
    must_answer(t, &request, 4096, 0, 1, 0);
    import(t, GAS, "ORANGEMETER", "orange.csv", 1000, 10);
    assert_ok(import_close(m, TMPSTORE_NOW));
    assert_int_equal(number(t, SQL_RECORDS), RECORDS - 4096 + 10);
    assert_int_equal(number(t, SQL_STRAYS), 0);
    must_be_sound(t);

    import_free(m);
    m = NULL;
    assert_ok(import_new(t->vault, STR("long.csv"), TMPSTORE_NOW, &m));
    for (int64_t i = 0; i < RECORDS; i++)
        put_one(m, CONSUMPTION, "LONG", 1000000000 + i * STEP_S);
    request = (struct erase_request){.from = INT64_MIN, .to = INT64_MAX, .whole = true};
    assert_ok(erase_run(t->store, &request, TMPSTORE_NOW, &answer));
    import(t, GAS, "ORANGEMETER", "orange.csv", 1000, 10);
    assert_err(import_close(m, TMPSTORE_NOW), ERR_CONFLICT);
    import_fail(m, ERR_CONFLICT, TMPSTORE_NOW);
    assert_int_equal(number(t, SQL_RECORDS), 10);
    assert_int_equal(number(t, SQL_STRAYS), 0);
    assert_int_equal(number(t, SQL_IMPORTS), 1);
    must_be_sound(t);
}

static void the_copy_of_before_a_migration_goes_too(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    struct erase_request request = {.dataset = dataset_of(GAS), .from = 0, .to = 1};
    const char *path = tempdir_path(t->dir, "store/vault.db.before-001");

    (void)state;
    assert_ok(fs_make(path, "sealed", 6));
    must_answer(t, &request, 0, 0, 0, 0);
    assert_false(fs_exists(path));
}

static void a_request_must_make_sense(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    const struct erase_request bad[] = {
        {.from = INT64_MIN, .to = INT64_MAX},
        {.dataset = dataset_of(GAS), .from = 5, .to = 5},
        {.source_id = 1, .from = 0, .to = 5, .bare = true},
        {.whole = true, .from = INT64_MIN, .to = INT64_MAX, .bare = true},
        {.whole = true, .source_id = 1, .from = INT64_MIN, .to = INT64_MAX},
        {.whole = true, .from = 0, .to = INT64_MAX},
        {.whole = true, .dataset = dataset_of(GAS), .from = INT64_MIN, .to = INT64_MAX},
    };
    json_t *answer = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_err(erase_run(t->store, &bad[i], TMPSTORE_NOW, &answer), ERR_INVALID);
    assert_int_equal(number(t, SQL_TOLD), 0);
    assert_null(answer);
}

static void each_failing_allocation_is_told(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    struct erase_request request = {.from = INT64_MIN, .to = INT64_MAX, .whole = true};
    json_t *answer = NULL;
    enum err e;

    (void)state;
    add_papers(t);
    FAIL_EACH_ALLOCATION (e, erase_run(t->store, &request, TMPSTORE_NOW, &answer)) {
        if (e) { /* SQLite does without some */
            assert_int_equal(e, ERR_NO_MEMORY);
            assert_null(answer);
        }
        assert_int_equal(number(t, SQL_TO_DELETE), 0); /* the next opening deletes nothing more */
        json_decref(answer);
        answer = NULL;
    }
    json_decref(answer);
    tmpstore_reopen(t);
    assert_int_equal(number(t, SQL_ERASURES), 0);
    assert_int_equal(traces(t, OF_ALL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dataset_goes_without_a_trace_and_others_stay),
        cmocka_unit_test(a_source_goes_and_the_owners_remarks_stay),
        cmocka_unit_test(a_period_goes_and_the_rest_of_its_import_stays),
        cmocka_unit_test(everything_goes_and_the_store_can_be_used),
        cmocka_unit_test(what_a_crash_cut_goes_on_at_the_next_opening),
        cmocka_unit_test(records_alone_go_after_a_crash_and_nothing_else),
        cmocka_unit_test(what_is_imported_after_an_erasure_that_was_told_busy_stays),
        cmocka_unit_test(an_import_that_runs_meanwhile_writes_into_nothing_of_others),
        cmocka_unit_test(the_copy_of_before_a_migration_goes_too),
        cmocka_unit_test(a_request_must_make_sense),
        cmocka_unit_test(each_failing_allocation_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
