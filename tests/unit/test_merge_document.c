/* Documents that come from another store: the same, longer, or another's under the same id. */
#include "tests/harness/portable.h"

#include "pds/store/blob.h"
#include "pds/store/bundle.h"
#include "pds/store/document.h"

static const char ID[] = "01HWSMQG00AAAAAAAAAAAAAAAA";

static struct blob_writer *make_blob(struct tmpstore *t, const char *bytes)
{
    struct blob_writer *w = NULL;

    assert_ok(blob_writer_new(t->store, &w));
    assert_ok(blob_write(w, bytes, strlen(bytes)));
    assert_ok(blob_finish(w));
    return w;
}

static void add_document(struct tmpstore *t, const char *id, const char *title, const char *bytes)
{
    static const struct str TAGS[] = {STR_ROW("zinc"), STR_ROW("=amber")};
    AUTO(blob_writer_freep) struct blob_writer *w = make_blob(t, bytes);
    struct document_facts facts = {.kind = STR("certificate"),
                                   .title = str_of(title),
                                   .reference = STR("+33"),
                                   .issuer = STR("Mairie"),
                                   .issued_on = STR("2024-05-01"),
                                   .expires_on = STR("2034-05-01"),
                                   .note = STR("two\nlines"),
                                   .tags = TAGS,
                                   .tag_count = 2,
                                   .has_tags = true,
                                   .remind_days = 12};
    char made[ID_CHARS + 1];

    assert_ok(document_add(t->store, str_of(id), w, STR("../a b.pdf"), STR("text/plain"), &facts,
                           TMPSTORE_NOW, made));
}

static void add_version(struct tmpstore *t, const char *bytes)
{
    AUTO(blob_writer_freep) struct blob_writer *w = make_blob(t, bytes);

    assert_ok(
        document_add_version(t->store, str_of(ID), w, STR("CON.pdf"), STR("text/plain"), 0, TMPSTORE_NOW));
}

/* Merge what a holds into b. */
static void merge(struct tmpstore *a, struct tmpstore *b, json_t **answer)
{
    AUTO(buf_done) struct buf zip;

    portable_export(a, &zip);
    assert_ok(portable_merge(b, (struct str){zip.data, zip.len}, answer));
}

static void expect(const json_t *answer, const char *kind, int64_t new_count, int64_t same, int64_t conflicts)
{
    const json_t *tally = json_object_get(answer, kind);

    assert_int_equal(json_integer_value(json_object_get(tally, "new")), new_count);
    assert_int_equal(json_integer_value(json_object_get(tally, "same")), same);
    assert_int_equal(json_integer_value(json_object_get(tally, "conflicts")), conflicts);
}

static void expect_alike(struct tmpstore *a, struct tmpstore *b, bool alike)
{
    char one[PORTABLE_DIGEST], other[PORTABLE_DIGEST];

    portable_digest(a, one);
    portable_digest(b, other);
    assert_int_equal(strcmp(one, other) == 0, alike);
}

static void documents_come_whole_with_bundles(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(tmpstore_freep) struct tmpstore *b = tmpstore_new();
    AUTO(json_freep) json_t *first = NULL;
    AUTO(json_freep) json_t *again = NULL;
    AUTO(json_freep) json_t *document = NULL;
    AUTO(store_view_done) struct store_view view = {0};
    struct str id = str_of(ID);
    struct document_file file;
    char made[ID_CHARS + 1];

    (void)state;
    add_document(a, ID, "=1+1", "one");
    add_version(a, "two");
    add_document(a, "01HWSMQG00BBBBBBBBBBBBBBBB", "other", "");
    assert_ok(
        bundle_put(a->store, STR("01HWSMQG00CCCCCCCCCCCCCCCC"), STR("taxes"), &id, 1, TMPSTORE_NOW, made));
    merge(a, b, &first);
    expect(first, "documents", 2, 0, 0);
    expect(first, "bundles", 1, 0, 0);
    expect_alike(a, b, true);
    assert_ok(store_view(b->store, &view));
    assert_ok(document_get(view.db, id, &document));
    assert_string_equal(json_string_value(json_object_get(document, "title")), "=1+1");
    assert_int_equal(json_array_size(json_object_get(document, "versions")), 2);
    assert_ok(document_file(view.db, id, 1, &file));
    assert_string_equal(file.type, "text/plain");
    store_view_done(&view);
    view = (struct store_view){0};
    merge(a, b, &again);
    expect(again, "documents", 0, 2, 0);
    expect(again, "bundles", 0, 1, 0);
    expect_alike(a, b, true);
}

static void further_versions_are_added(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(tmpstore_freep) struct tmpstore *b = tmpstore_new();
    AUTO(json_freep) json_t *first = NULL;
    AUTO(json_freep) json_t *second = NULL;
    AUTO(json_freep) json_t *back = NULL;

    (void)state;
    add_document(a, ID, "title", "one");
    merge(a, b, &first);
    add_version(a, "two");
    add_version(a, "three");
    merge(a, b, &second);
    expect(second, "documents", 1, 0, 0);
    expect_alike(a, b, true);
    merge(b, a, &back);
    expect(back, "documents", 0, 1, 0);
}

static void an_older_export_adds_nothing_to_what_grew_since(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(json_freep) json_t *answer = NULL;
    AUTO(buf_done) struct buf zip;
    char before[PORTABLE_DIGEST], after[PORTABLE_DIGEST];

    (void)state;
    add_document(a, ID, "title", "one");
    portable_export(a, &zip);
    add_version(a, "two");
    portable_digest(a, before);
    assert_ok(portable_merge(a, (struct str){zip.data, zip.len}, &answer));
    expect(answer, "documents", 0, 1, 0);
    portable_digest(a, after);
    assert_string_equal(before, after);
}

/* As many versions as there may be, told as long as they may be told. */
static void a_document_of_many_versions_comes_whole(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(tmpstore_freep) struct tmpstore *b = tmpstore_new();
    AUTO(json_freep) json_t *answer = NULL;
    struct document_facts facts = {.remind_days = -1, .has_tags = true, .tag_count = DOCUMENT_TAGS_MAX};
    char text[DOCUMENT_TEXT_BYTES], note[DOCUMENT_NOTE_BYTES], tags[DOCUMENT_TAGS_MAX][DOCUMENT_TEXT_BYTES];
    struct str list[DOCUMENT_TAGS_MAX];

    (void)state;
    memset(text, '"', sizeof text - 1);
    memset(note, '\t', sizeof note - 1);
    note[0] = note[sizeof note - 2] = '.';
    text[sizeof text - 1] = note[sizeof note - 1] = '\0';
    for (size_t i = 0; i < DOCUMENT_TAGS_MAX; i++) {
        (void)snprintf(tags[i], sizeof tags[i], "%zu%s", i, text + 4);
        list[i] = str_of(tags[i]);
    }
    facts.title = facts.reference = facts.issuer = str_of(text);
    facts.note = str_of(note);
    facts.tags = list;
    add_document(a, ID, "title", "one");
    assert_ok(document_change(a->store, str_of(ID), &facts, 0, TMPSTORE_NOW));
    for (size_t i = 1; i < DOCUMENT_VERSIONS_MAX; i++) {
        AUTO(blob_writer_freep) struct blob_writer *w = make_blob(a, "x");

        assert_ok(
            document_add_version(a->store, str_of(ID), w, str_of(text), STR("text/plain"), 0, TMPSTORE_NOW));
    }
    AUTO(blob_writer_freep) struct blob_writer *w = make_blob(a, "x");

    assert_err(document_add_version(a->store, str_of(ID), w, STR(""), STR("text/plain"), 0, TMPSTORE_NOW),
               ERR_CONFLICT);
    merge(a, b, &answer);
    expect(answer, "documents", 1, 0, 0);
    expect_alike(a, b, true);
}

static void put_bundle(struct tmpstore *t, size_t i, const char *title, const struct str *documents,
                       size_t count)
{
    char id[ID_CHARS + 1], made[ID_CHARS + 1];

    (void)snprintf(id, sizeof id, "01HWSMQG00CCCCCCCCCCCC%04zu", i);
    assert_ok(bundle_put(t->store, str_of(id), str_of(title), documents, count, TMPSTORE_NOW, made));
}

static size_t documents_in(struct tmpstore *t, size_t i)
{
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(json_freep) json_t *bundle = NULL;
    char id[ID_CHARS + 1];

    (void)snprintf(id, sizeof id, "01HWSMQG00CCCCCCCCCCCC%04zu", i);
    assert_ok(store_view(t->store, &view));
    assert_ok(bundle_get(view.db, str_of(id), &bundle));
    return json_array_size(json_object_get(bundle, "documents"));
}

/* More than a list of them tells; the last one is here too, with another document. */
static void all_bundles_leave_and_none_is_emptied(void **state)
{
    enum { MANY = LIMIT_LIST_ANSWER + 2 };
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(tmpstore_freep) struct tmpstore *b = tmpstore_new();
    AUTO(json_freep) json_t *first = NULL;
    AUTO(json_freep) json_t *back = NULL;
    struct str id = str_of(ID), other = STR("01HWSMQG00BBBBBBBBBBBBBBBB");

    (void)state;
    add_document(a, ID, "a", "one");
    add_document(b, "01HWSMQG00BBBBBBBBBBBBBBBB", "b", "two");
    for (size_t i = 0; i < MANY; i++)
        put_bundle(a, i, "=", &id, 1);
    put_bundle(b, MANY - 1, "=", &other, 1);
    merge(a, b, &first);
    expect(first, "bundles", MANY, 0, 0);
    assert_int_equal(documents_in(b, MANY - 1), 2);
    merge(b, a, &back);
    expect(back, "bundles", 1, MANY - 1, 0);
    assert_int_equal(documents_in(a, MANY - 1), 2);
    expect_alike(a, b, true);
}

static void a_bundle_without_room_for_both_stays(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(tmpstore_freep) struct tmpstore *b = tmpstore_new();
    AUTO(json_freep) json_t *first = NULL;
    static struct str ids[LIMIT_LIST_ANSWER];
    static char texts[LIMIT_LIST_ANSWER][ID_CHARS + 1];
    struct str id = str_of(ID);

    (void)state;
    add_document(a, ID, "a", "one");
    for (size_t i = 0; i < LIMIT_LIST_ANSWER; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "01HWSMQG00BBBBBBBBBBBB%04zu", i);
        ids[i] = str_of(texts[i]);
        add_document(b, texts[i], "b", "");
    }
    put_bundle(a, 0, "=", &id, 1);
    put_bundle(b, 0, "=", ids, LIMIT_LIST_ANSWER);
    merge(a, b, &first);
    expect(first, "documents", 1, 0, 0);
    expect(first, "bundles", 0, 0, 1);
    assert_int_equal(documents_in(b, 0), LIMIT_LIST_ANSWER);
}

static void another_of_the_same_id_is_kept_beside(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(tmpstore_freep) struct tmpstore *b = tmpstore_new();
    AUTO(json_freep) json_t *first = NULL;
    AUTO(json_freep) json_t *again = NULL;
    AUTO(json_freep) json_t *list = NULL;
    AUTO(store_view_done) struct store_view view = {0};
    struct str id = str_of(ID);
    const json_t *in;
    char made[ID_CHARS + 1];

    (void)state;
    add_document(a, ID, "theirs", "one");
    add_document(b, ID, "ours", "one");
    assert_ok(
        bundle_put(a->store, STR("01HWSMQG00CCCCCCCCCCCCCCCC"), STR("taxes"), &id, 1, TMPSTORE_NOW, made));
    assert_ok(
        bundle_put(b->store, STR("01HWSMQG00CCCCCCCCCCCCCCCC"), STR("impôts"), &id, 1, TMPSTORE_NOW, made));
    merge(a, b, &first);
    expect(first, "documents", 1, 0, 1);
    expect(first, "bundles", 1, 0, 1); /* the title here stays; both documents are in it */
    assert_ok(store_view(b->store, &view));
    assert_ok(bundle_list(view.db, &list));
    in = json_object_get(json_array_get(json_object_get(list, "bundles"), 0), "documents");
    assert_int_equal(json_array_size(in), 2);
    store_view_done(&view);
    view = (struct store_view){0};
    merge(a, b, &again);
    expect(again, "documents", 0, 1, 0);
    expect(again, "bundles", 0, 1, 1);
}

static void what_was_changed_here_since_stays(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(tmpstore_freep) struct tmpstore *b = tmpstore_new();
    AUTO(json_freep) json_t *first = NULL;
    AUTO(json_freep) json_t *again = NULL;
    AUTO(json_freep) json_t *list = NULL;
    AUTO(store_view_done) struct store_view view = {0};
    const struct document_facts facts = {.title = STR("mine now"), .remind_days = -1};
    const json_t *document;
    size_t i;

    (void)state;
    add_document(a, ID, "theirs", "one");
    add_document(b, ID, "ours", "one");
    merge(a, b, &first);
    assert_ok(store_view(b->store, &view));
    assert_ok(document_list(view.db, &(struct document_filter){0}, STR(""), 10, &list));
    store_view_done(&view);
    view = (struct store_view){0};
    json_array_foreach(json_object_get(list, "documents"), i, document)
    {
        const char *id = json_string_value(json_object_get(document, "id"));

        if (strcmp(id, ID) != 0)
            assert_ok(document_change(b->store, str_of(id), &facts, 0, TMPSTORE_NOW));
    }
    assert_int_equal(i, 2);
    merge(a, b, &again);
    expect(again, "documents", 0, 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_come_whole_with_bundles),
        cmocka_unit_test(further_versions_are_added),
        cmocka_unit_test(an_older_export_adds_nothing_to_what_grew_since),
        cmocka_unit_test(a_document_of_many_versions_comes_whole),
        cmocka_unit_test(all_bundles_leave_and_none_is_emptied),
        cmocka_unit_test(a_bundle_without_room_for_both_stays),
        cmocka_unit_test(another_of_the_same_id_is_kept_beside),
        cmocka_unit_test(what_was_changed_here_since_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
