#include "tests/harness/test.h"
#include "tests/harness/fault.h"
#include "tests/harness/tmpstore.h"

#include "pds/store/bundle.h"
#include "pds/store/document.h"

#include <stdio.h>
#include <string.h>

enum { DOCUMENTS = 3 };

struct made {
    struct tmpstore *t;
    char ids[DOCUMENTS][ID_CHARS + 1];
    struct str documents[DOCUMENTS];
};

static int documents_made(void **state)
{
    static struct made m;
    static const struct document_facts NOTHING = {.remind_days = -1};

    m.t = tmpstore_new();
    for (size_t i = 0; i < DOCUMENTS; i++) {
        AUTO(blob_writer_freep) struct blob_writer *w = NULL;

        assert_ok(blob_writer_new(m.t->store, &w));
        assert_ok(blob_finish(w));
        assert_ok(document_add(m.t->store, STR(""), w, STR("f"), STR("text/plain"), &NOTHING, TMPSTORE_NOW,
                               m.ids[i]));
        m.documents[i] = str_of(m.ids[i]);
    }
    *state = &m;
    return 0;
}

static int documents_gone(void **state)
{
    struct made *m = *state;

    tmpstore_free(m->t);
    return 0;
}

static json_t *list(struct made *m)
{
    AUTO(reader_done) struct reader r = {m->t->vault, NULL};
    json_t *out = NULL;

    assert_ok(vault_read(m->t->vault, &r.db));
    assert_ok(bundle_list(r.db, &out));
    return out;
}

/* How many documents the first bundle has; -1 without one. */
static int first_count(struct made *m)
{
    json_t *all = list(m);
    const json_t *first = json_array_get(json_object_get(all, "bundles"), 0);
    int count = first ? (int)json_array_size(json_object_get(first, "documents")) : -1;

    json_decref(all);
    return count;
}

static void a_bundle_is_made_replaced_and_deleted(void **state)
{
    struct made *m = *state;
    char id[ID_CHARS + 1], again[ID_CHARS + 1];
    struct str twice[] = {m->documents[0], m->documents[0]};
    json_t *all;

    assert_int_equal(first_count(m), -1);
    assert_ok(bundle_put(m->t->store, STR(""), STR(" Dossier CAF "), m->documents, 2, TMPSTORE_NOW, id));
    assert_int_equal(first_count(m), 2);
    all = list(m);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(json_object_get(all, "bundles"), 0), "title")),
        "Dossier CAF");
    json_decref(all);
    assert_ok(bundle_put(m->t->store, str_of(id), STR("CAF"), twice, 2, TMPSTORE_NOW, again));
    assert_string_equal(id, again);
    assert_int_equal(first_count(m), 1);
    assert_ok(bundle_put(m->t->store, str_of(id), STR("CAF"), NULL, 0, TMPSTORE_NOW, again));
    assert_int_equal(first_count(m), 0);
    assert_ok(bundle_delete(m->t->store, str_of(id), TMPSTORE_NOW));
    assert_int_equal(first_count(m), -1);
    assert_err(bundle_delete(m->t->store, str_of(id), TMPSTORE_NOW), ERR_NOT_FOUND);
}

static void a_document_that_goes_leaves_its_bundles(void **state)
{
    struct made *m = *state;
    AUTO(reader_done) struct reader r = {m->t->vault, NULL};
    struct document_filter f = {0};
    char id[ID_CHARS + 1];
    json_t *found = NULL, *d = NULL;

    assert_ok(bundle_put(m->t->store, STR(""), STR("Tout"), m->documents, 3, TMPSTORE_NOW, id));
    assert_ok(document_delete(m->t->store, m->documents[1], 0, TMPSTORE_NOW));
    assert_int_equal(first_count(m), 2);
    assert_ok(vault_read(m->t->vault, &r.db));
    f.bundle = str_of(id);
    assert_ok(document_list(r.db, &f, STR(""), 10, &found));
    assert_int_equal(json_array_size(json_object_get(found, "documents")), 2);
    json_decref(found);
    assert_ok(document_get(r.db, m->documents[0], &d));
    assert_string_equal(json_string_value(json_array_get(json_object_get(d, "bundles"), 0)), id);
    json_decref(d);
}

static void what_is_no_bundle_is_refused(void **state)
{
    struct made *m = *state;
    struct str none[] = {m->documents[0], STR("01J00000000000000000000000")};
    char id[ID_CHARS + 1];

    assert_err(bundle_put(m->t->store, STR("x"), STR("T"), NULL, 0, TMPSTORE_NOW, id), ERR_INVALID);
    assert_err(bundle_put(m->t->store, STR(""), STR(" "), NULL, 0, TMPSTORE_NOW, id), ERR_INVALID);
    assert_err(bundle_put(m->t->store, STR(""), (struct str){0}, NULL, 0, TMPSTORE_NOW, id), ERR_INVALID);
    assert_err(bundle_put(m->t->store, STR(""), STR("T"), none, 1001, TMPSTORE_NOW, id), ERR_INVALID);
    assert_err(bundle_put(m->t->store, STR(""), STR("T"), none, 2, TMPSTORE_NOW, id), ERR_INVALID);
    assert_int_equal(first_count(m), -1); /* all or nothing */
}

static enum err list_once(struct made *m)
{
    AUTO(reader_done) struct reader r = {m->t->vault, NULL};
    AUTO(json_freep) json_t *out = NULL;
    enum err e = vault_read(m->t->vault, &r.db);

    return e ? e : bundle_list(r.db, &out);
}

static void listing_survives_each_failing_allocation(void **state)
{
    struct made *m = *state;
    char id[ID_CHARS + 1];
    enum err e;

    assert_ok(bundle_put(m->t->store, STR(""), STR("Tout"), m->documents, 3, TMPSTORE_NOW, id));
    FAIL_EACH_ALLOCATION (e, list_once(m)) {
        assert_true(e == ERR_NO_MEMORY || e == ERR_OK); /* SQLite does without some */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_DOCUMENTS(f) cmocka_unit_test_setup_teardown(f, documents_made, documents_gone)
        WITH_DOCUMENTS(a_bundle_is_made_replaced_and_deleted),
        WITH_DOCUMENTS(a_document_that_goes_leaves_its_bundles),
        WITH_DOCUMENTS(what_is_no_bundle_is_refused),
        WITH_DOCUMENTS(listing_survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
