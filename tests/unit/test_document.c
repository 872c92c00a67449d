#include "tests/harness/test.h"
#include "tests/harness/fault.h"
#include "tests/harness/tmpstore.h"

#include "pds/audit/trail.h"
#include "pds/base/fs.h"
#include "pds/store/bundle.h"
#include "pds/store/document_internal.h"
#include "pds/vault/vault_copy.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int store_made(void **state)
{
    *state = tmpstore_new();
    return 0;
}

static int store_gone(void **state)
{
    tmpstore_free(*state);
    return 0;
}

static const struct document_facts NOTHING = {.remind_days = -1};

static enum err finished(struct tmpstore *t, const char *text, struct blob_writer **out)
{
    enum err e;

    if ((e = blob_writer_new(t->store, out)) || (e = blob_write(*out, text, strlen(text))))
        return e;
    return blob_finish(*out);
}

static enum err add(struct tmpstore *t, const char *text, const char *file,
                    const struct document_facts *facts, char *id)
{
    AUTO(blob_writer_freep) struct blob_writer *w = NULL;
    enum err e;

    if ((e = finished(t, text, &w)))
        return e;
    return document_add(t->store, STR(""), w, str_of(file), STR("text/plain"), facts, TMPSTORE_NOW, id);
}

static json_t *get(struct tmpstore *t, const char *id)
{
    AUTO(reader_done) struct reader r = {t->vault, NULL};
    json_t *document = NULL;

    assert_ok(vault_read(t->vault, &r.db));
    assert_ok(document_get(r.db, str_of(id), &document));
    return document;
}

static enum err try_list(struct tmpstore *t, struct document_filter f, const char *cursor, int64_t limit,
                         json_t **out)
{
    AUTO(reader_done) struct reader r = {t->vault, NULL};
    enum err e = vault_read(t->vault, &r.db);

    return e ? e : document_list(r.db, &f, str_of(cursor), limit, out);
}

/* How many documents a filter gives. */
static size_t count(struct tmpstore *t, struct document_filter f)
{
    json_t *list = NULL;
    size_t n;

    assert_ok(try_list(t, f, "", 100, &list));
    n = json_array_size(json_object_get(list, "documents"));
    json_decref(list);
    return n;
}

static size_t find(struct tmpstore *t, const char *words)
{
    return count(t, (struct document_filter){.words = str_of(words)});
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "(none)";
}

static size_t files(struct tmpstore *t)
{
    DIR *folder = opendir(tempdir_path(t->dir, "store/files"));
    const struct dirent *file;
    size_t n = 0;

    assert_non_null(folder);
    while ((file = readdir(folder)))
        n += file->d_name[0] != '.';
    (void)closedir(folder);
    return n;
}

static void what_is_told_of_a_document_is_kept(void **state)
{
    static const struct str TAGS[] = {STR_ROW("maison"), STR_ROW(" caf "), STR_ROW("maison")};
    struct document_facts facts = {.kind = STR("identity-card"),
                                   .title = STR(" Ma carte "),
                                   .reference = STR("880692310285"),
                                   .issuer = STR("Préfecture"),
                                   .issued_on = STR("2020-02-29"),
                                   .expires_on = STR("2030-02-28"),
                                   .note = STR("une\nnote"),
                                   .tags = TAGS,
                                   .tag_count = 3,
                                   .has_tags = true,
                                   .remind_days = -1};
    struct tmpstore *t = *state;
    char id[ID_CHARS + 1];
    json_t *d;

    assert_ok(add(t, "hello", "carte\n.txt", &facts, id));
    d = get(t, id);
    assert_string_equal(text_of(d, "id"), id);
    assert_string_equal(text_of(d, "title"), "Ma carte");
    assert_string_equal(text_of(d, "number"), "880692310285");
    assert_string_equal(text_of(d, "issued"), "2020-02-29");
    assert_string_equal(text_of(d, "file"), "carte_.txt");
    assert_string_equal(text_of(d, "sha256"),
                        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    assert_int_equal(json_integer_value(json_object_get(d, "remind_days")), 90);
    assert_int_equal(json_integer_value(json_object_get(d, "revision")), 1);
    assert_int_equal(json_integer_value(json_object_get(d, "size")), 5);
    assert_int_equal(json_array_size(json_object_get(d, "tags")), 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(d, "tags"), 0)), "caf");
    assert_int_equal(json_array_size(json_object_get(d, "versions")), 1);
    json_decref(d);
}

static void what_is_not_told_has_a_sensible_value(void **state)
{
    struct tmpstore *t = *state;
    char id[ID_CHARS + 1];
    json_t *d;

    assert_ok(add(t, "x", "facture.txt", &NOTHING, id));
    d = get(t, id);
    assert_string_equal(text_of(d, "title"), "facture.txt");
    assert_string_equal(text_of(d, "kind"), "other");
    assert_true(json_is_null(json_object_get(d, "issued")));
    json_decref(d);
    assert_ok(add(t, "x", "", &NOTHING, id));
    d = get(t, id);
    assert_string_equal(text_of(d, "title"), "autre");
    json_decref(d);
}

static void facts_that_break_a_rule_are_refused(void **state)
{
    static char LONG[DOCUMENT_TEXT_BYTES + 2];
    static const struct str EMPTY_TAG[] = {STR_ROW(" ")};
    struct tmpstore *t = *state;
    char id[ID_CHARS + 1];

    memset(LONG, 'a', DOCUMENT_TEXT_BYTES + 1);
    const struct {
        const char *name;
        struct document_facts facts;
    } rows[] = {
        {"kind", {.kind = STR("poem"), .remind_days = -1}},
        {"empty title", {.title = STR("  "), .remind_days = -1}},
        {"long title", {.title = str_of(LONG), .remind_days = -1}},
        {"control", {.title = STR("a\nb"), .remind_days = -1}},
        {"steers a terminal",
         {.note = STR("a\xc2\x9b"
                      "31m"),
          .remind_days = -1}},
        {"not UTF-8", {.issuer = STR("\xff"), .remind_days = -1}},
        {"no day", {.issued_on = STR("2023-02-29"), .remind_days = -1}},
        {"an instant", {.expires_on = STR("2023-02-28T00:00"), .remind_days = -1}},
        {"reminder", {.remind_days = DOCUMENT_REMIND_MAX + 1}},
        {"tag", {.tags = EMPTY_TAG, .tag_count = 1, .has_tags = true, .remind_days = -1}},
        {"tags",
         {.tags = EMPTY_TAG, .tag_count = DOCUMENT_TAGS_MAX + 1, .has_tags = true, .remind_days = -1}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_row(rows[i].name, add(t, "x", "f", &rows[i].facts, id) == ERR_INVALID);
    assert_int_equal(files(t), 0);
    assert_int_equal(count(t, (struct document_filter){0}), 0);
}

static void changes_count_and_stale_ones_are_refused(void **state)
{
    struct document_facts facts = NOTHING;
    struct tmpstore *t = *state;
    char id[ID_CHARS + 1];
    json_t *d;

    assert_ok(add(t, "x", "f.txt", &NOTHING, id));
    facts.title = STR("Bail");
    facts.expires_on = STR("2031-01-01");
    assert_ok(document_change(t->store, str_of(id), &facts, 1, TMPSTORE_NOW + 5));
    assert_err(document_change(t->store, str_of(id), &facts, 1, TMPSTORE_NOW), ERR_PRECONDITION);
    facts = NOTHING;
    facts.expires_on = STR("");
    assert_ok(document_change(t->store, str_of(id), &facts, 0, TMPSTORE_NOW + 9));
    d = get(t, id);
    assert_string_equal(text_of(d, "title"), "Bail");
    assert_true(json_is_null(json_object_get(d, "expires")));
    assert_int_equal(json_integer_value(json_object_get(d, "revision")), 3);
    assert_string_equal(text_of(d, "updated"), "2027-01-15T08:00:09Z");
    json_decref(d);
    assert_err(document_delete(t->store, str_of(id), 2, TMPSTORE_NOW), ERR_PRECONDITION);
    assert_err(document_change(t->store, STR("nonsense"), &facts, 0, TMPSTORE_NOW), ERR_NOT_FOUND);
}

static void versions_follow_each_other(void **state)
{
    struct tmpstore *t = *state;
    AUTO(reader_done) struct reader r = {t->vault, NULL};
    AUTO(blob_writer_freep) struct blob_writer *w = NULL;
    struct document_file file;
    char id[ID_CHARS + 1];

    assert_ok(add(t, "premier", "v1.txt", &NOTHING, id));
    assert_ok(finished(t, "deuxieme", &w));
    assert_err(
        document_add_version(t->store, str_of(id), w, STR("v2.txt"), STR("text/plain"), 7, TMPSTORE_NOW),
        ERR_PRECONDITION);
    assert_ok(
        document_add_version(t->store, str_of(id), w, STR("v2.txt"), STR("text/plain"), 1, TMPSTORE_NOW));
    assert_ok(vault_read(t->vault, &r.db));
    assert_ok(document_file(r.db, str_of(id), 0, &file));
    assert_string_equal(file.file, "v2.txt");
    assert_int_equal(file.size, 8);
    assert_ok(document_file(r.db, str_of(id), 1, &file));
    assert_string_equal(file.file, "v1.txt");
    assert_err(document_file(r.db, str_of(id), 3, &file), ERR_NOT_FOUND);
    assert_int_equal(find(t, "deuxieme"), 1);
    assert_int_equal(find(t, "premier"), 0);
}

static void words_are_found_without_accents_and_by_their_beginning(void **state)
{
    static const struct {
        const char *words;
        size_t found;
    } ROWS[] = {
        {"electricite", 1},
        {"ÉLECTRICITÉ", 1},
        {"elec", 1},
        {"elec facture", 0},
        {"facture elec", 1},
        {"l'électricité", 1},
        {"zzz", 0},
        {"facture OR zzz", 0},
        {"title:facture", 0},
        {"\"facture", 1},
        {"fac* NEAR", 0},
        {"-", 0},
        {"(", 0},
        {"facture AND", 0},
        {"soleil", 1},
        {"maison", 1},
        {"edf.txt", 1},
        {"EDF", 1},
        {"  facture  ", 1},
        {"^facture", 1},
        {"d'électricité", 1}, /* a phrase */
        {"soleil.electricite", 0},
        {"electricite.maison", 0}, /* nor one that begins in one text and ends in another */
        {"facture !", 1},
        {"ÉLECTRICITE\u0301", 1}, /* an accent of its own */
        {"\u0627", 0},
        {"coeur", 1}, /* written as one letter, or as two */
        {"c\u0153ur", 1},
        {"CŒU", 1},
    };
    static const struct str TAGS[] = {STR_ROW("maison")};
    struct document_facts facts = {.title = STR("Facture d'électricité"),
                                   .tags = TAGS,
                                   .tag_count = 1,
                                   .has_tags = true,
                                   .remind_days = -1};
    struct tmpstore *t = *state;
    char id[ID_CHARS + 1], long_words[DOCUMENT_TEXT_BYTES + 2];
    json_t *list;

    assert_ok(add(t, "l'électricité du soleil au cœur", "edf.txt", &facts, id));
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_row(ROWS[i].words, find(t, ROWS[i].words) == ROWS[i].found);
    memset(long_words, 'a', sizeof long_words);
    long_words[sizeof long_words - 1] = '\0';
    assert_err(try_list(t, (struct document_filter){.words = str_of(long_words)}, "", 1, &list), ERR_INVALID);
}

static void lists_page_and_filter(void **state)
{
    struct document_facts facts = NOTHING;
    struct tmpstore *t = *state;
    char ids[5][ID_CHARS + 1];
    json_t *list = NULL;

    for (int i = 0; i < 5; i++) {
        char title[20];
        (void)snprintf(title, sizeof title, "papier %d", i);
        facts.title = str_of(title);
        facts.kind = i == 2 ? STR("lease") : (struct str){0};
        facts.expires_on = i == 2 ? STR("2031-06-30") : i == 3 ? STR("2027-03-01") : (struct str){0};
        assert_ok(add(t, "x", "f", &facts, ids[i]));
    }
    for (int by_words = 0; by_words < 2; by_words++) {
        struct document_filter f = {.words = by_words ? STR("papier") : (struct str){0}};
        char cursor[40] = "";
        size_t seen = 0;
        do {
            assert_ok(try_list(t, f, cursor, 2, &list));
            seen += json_array_size(json_object_get(list, "documents"));
            (void)snprintf(cursor, sizeof cursor, "%s",
                           json_is_null(json_object_get(list, "next")) ? "" : text_of(list, "next"));
            json_decref(list);
        } while (cursor[0]);
        assert_int_equal(seen, 5);
    }
    assert_ok(try_list(t, (struct document_filter){0}, "", 1, &list));
    assert_string_equal(text_of(json_array_get(json_object_get(list, "documents"), 0), "id"), ids[4]);
    json_decref(list);
    assert_int_equal(count(t, (struct document_filter){.kind = STR("lease")}), 1);
    assert_int_equal(count(t, (struct document_filter){.expiring = STR("2027-01-29")}), 0);
    assert_int_equal(count(t, (struct document_filter){.expiring = STR("2027-01-30")}), 1); /* 30 days */
    assert_int_equal(count(t, (struct document_filter){.expiring = STR("2031-01-01")}), 2); /* 180 days */
    assert_err(try_list(t, (struct document_filter){.kind = STR("x")}, "", 1, &list), ERR_INVALID);
    assert_err(try_list(t, (struct document_filter){.expiring = STR("x")}, "", 1, &list), ERR_INVALID);
    assert_err(try_list(t, (struct document_filter){0}, "x", 1, &list), ERR_INVALID);
    assert_err(try_list(t, (struct document_filter){.words = STR("a")}, "x", 1, &list), ERR_INVALID);
}

/* All pages of the vault, opened. */
static enum err gather(void *context, const void *bytes, size_t len)
{
    buf_add(context, bytes, len);
    return buf_err(context);
}

static bool is_in_pages(struct tmpstore *t, const char *word)
{
    AUTO(buf_done) struct buf all;

    buf_init(&all, 64 * 1024 * 1024);
    assert_ok(vault_copy(t->vault, NULL, gather, &all));
    return memmem(all.data, all.len, word, strlen(word)) != NULL;
}

static long long log_bytes(struct tmpstore *t)
{
    struct stat facts;

    assert_int_equal(stat(tempdir_path(t->dir, "store/vault.db-wal"), &facts), 0);
    return (long long)facts.st_size;
}

static void what_is_deleted_or_changed_is_in_no_page(void **state)
{
    static const struct str TAGS[] = {STR_ROW("zqtagcanary")};
    struct document_facts facts = {.title = STR("Zqtitlecanary"),
                                   .reference = STR("zqnumbercanary"),
                                   .tags = TAGS,
                                   .tag_count = 1,
                                   .has_tags = true,
                                   .remind_days = -1};
    static const char *const WORDS[] = {"qtitlecanary", "qnumbercanary", "qtagcanary",
                                        "qbodycanary",  "qfilecanary",   "Zqtitlecanary"};
    struct tmpstore *t = *state;
    char id[ID_CHARS + 1], other[ID_CHARS + 1];
    AUTO(reader_done) struct reader r = {t->vault, NULL};
    json_t *d;

    assert_ok(add(t, "autre chose", "autre.txt", &NOTHING, other));
    assert_ok(add(t, "le zqbodycanary est la", "zqfilecanary.txt", &facts, id));
    for (size_t i = 0; i < COUNT_OF(WORDS); i++)
        assert_row(WORDS[i], is_in_pages(t, WORDS[i]));
    facts = NOTHING;
    facts.title = STR("Nouveau");
    assert_ok(document_change(t->store, str_of(id), &facts, 0, TMPSTORE_NOW));
    assert_false(is_in_pages(t, "qtitlecanary"));
    assert_int_equal(log_bytes(t), 0); /* which held the page before */
    assert_true(is_in_pages(t, "qbodycanary"));
    assert_int_equal(files(t), 2);
    assert_ok(document_delete(t->store, str_of(id), 0, TMPSTORE_NOW));
    for (size_t i = 0; i < COUNT_OF(WORDS); i++)
        assert_row(WORDS[i], !is_in_pages(t, WORDS[i]));
    assert_int_equal(files(t), 1);
    assert_int_equal(find(t, "autre"), 1);
    assert_ok(vault_read(t->vault, &r.db));
    assert_err(document_get(r.db, str_of(id), &d), ERR_NOT_FOUND);
    assert_err(document_delete(t->store, str_of(id), 0, TMPSTORE_NOW), ERR_NOT_FOUND);
}

static void the_trail_tells_of_changes_and_names_ids_alone(void **state)
{
    static const struct trail_filter ALL = {.from = INT64_MIN, .to = INT64_MAX, .newest_first = true};
    struct document_facts facts = NOTHING;
    struct tmpstore *t = *state;
    AUTO(reader_done) struct reader r = {t->vault, NULL};
    char id[ID_CHARS + 1];
    json_t *list = NULL, *entries;

    assert_ok(add(t, "x", "zqsecret.txt", &NOTHING, id));
    facts.title = STR("zqtitle");
    assert_ok(document_change(t->store, str_of(id), &facts, 0, TMPSTORE_NOW));
    assert_ok(document_delete(t->store, str_of(id), 0, TMPSTORE_NOW));
    assert_ok(vault_read(t->vault, &r.db));
    assert_ok(trail_list(r.db, &ALL, -1, 3, &list));
    entries = json_object_get(list, "entries");
    assert_string_equal(text_of(json_array_get(entries, 0), "kind"), "document.deleted");
    assert_string_equal(text_of(json_array_get(entries, 1), "kind"), "document.changed");
    assert_string_equal(text_of(json_array_get(entries, 2), "kind"), "document.added");
    assert_string_equal(text_of(json_array_get(entries, 2), "what"), id);
    json_decref(list);
}

static void an_id_may_be_given_once(void **state)
{
    static const char ID[] = "01J00000000000000000000000";
    struct tmpstore *t = *state;
    AUTO(blob_writer_freep) struct blob_writer *w = NULL, *again = NULL;
    char id[ID_CHARS + 1];

    assert_ok(finished(t, "x", &w));
    assert_ok(document_add(t->store, str_of(ID), w, STR("f"), STR("text/plain"), &NOTHING, TMPSTORE_NOW, id));
    assert_string_equal(id, ID);
    assert_ok(finished(t, "x", &again));
    assert_err(
        document_add(t->store, str_of(ID), again, STR("f"), STR("text/plain"), &NOTHING, TMPSTORE_NOW, id),
        ERR_CONFLICT);
    assert_err(
        document_add(t->store, STR("no id"), again, STR("f"), STR("text/plain"), &NOTHING, TMPSTORE_NOW, id),
        ERR_INVALID);
}

static void text_that_is_no_utf8_is_kept_and_not_searched(void **state)
{
    struct tmpstore *t = *state;
    AUTO(blob_writer_freep) struct blob_writer *w = NULL;
    char id[ID_CHARS + 1], *big;
    static const char WORD[] = "un lampadaire, "; /* of odd length */
    enum { BIG = DOCUMENT_BODY_BYTES + 101 };

    assert_ok(add(t, "\xe9lectrique lampe", "a.txt", &NOTHING, id));
    assert_int_equal(find(t, "lampe"), 0);
    assert_non_null(big = mem_new(BIG + 1));
    for (size_t i = 0; i < BIG; i++)
        big[i] = i % 2 ? '\xc3' : '\xa9'; /* é, over and over */
    for (size_t i = 0; i < sizeof WORD - 1; i++)
        big[i] = WORD[i];
    big[BIG] = '\0';
    assert_ok(add(t, big, "b.txt", &NOTHING, id)); /* the ceiling cuts a character */
    mem_free(big);
    assert_int_equal(find(t, "lampadaire"), 1);
    assert_ok(finished(t, "%PDF zqpdf", &w));
    assert_ok(
        document_add(t->store, STR(""), w, STR("f"), STR("application/pdf"), &NOTHING, TMPSTORE_NOW, id));
    assert_int_equal(find(t, "zqpdf"), 0);
}

static void adding_survives_each_failing_allocation(void **state)
{
    struct tmpstore *t = *state;
    char id[ID_CHARS + 1];
    long live;
    enum err e;

    assert_ok(add(t, "x", "f", &NOTHING, id));
    live = mem_live();
    FAIL_EACH_ALLOCATION (e, add(t, "x", "f", &NOTHING, id)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_true(mem_live() <= live);
    }
    assert_int_equal(count(t, (struct document_filter){0}), 2);
    assert_int_equal(files(t), 2);
}

static void a_files_name_is_a_label_that_shows_only_itself(void **state)
{
    static const struct {
        struct str file;
        const char *label;
    } ROWS[] = {
        {STR_ROW("facture d'été.pdf"), "facture d'été.pdf"},
        {STR_ROW("a\nb\x7f\0c"), "a_b__c"},
        {STR_ROW("a\xc2\x9b"
                 "31m\xc2\xa0z"),
         "a_31m\xc2\xa0z"},
        {STR_ROW("fac\u202efdp.exe"), "fac_fdp.exe"},
        {STR_ROW("\u2066a\u2069\u2028"), "_a__"},
        {STR_ROW("\u0628\u064a\u062a\u200f.txt"), "\u0628\u064a\u062a\u200f.txt"},
        {STR_ROW("\xff\xe9t\xe9.txt"), "__t_.txt"},
        {STR_ROW("  "), ""},
    };
    char label[DOCUMENT_LABEL_BYTES], many[DOCUMENT_LABEL_BYTES + 1];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        document_label(ROWS[i].file, label);
        assert_string_equal(label, ROWS[i].label);
    }
    memset(many, 'a', sizeof many);
    many[DOCUMENT_LABEL_BYTES - 2] = (char)0xc3; /* a letter that would be cut */
    many[DOCUMENT_LABEL_BYTES - 1] = (char)0xa9;
    document_label((struct str){many, sizeof many}, label);
    assert_int_equal(strlen(label), DOCUMENT_LABEL_BYTES - 2);
}

static enum err refuse_words(struct db *db, void *context)
{
    static const char SQL[] = "CREATE TEMP TRIGGER refusal BEFORE INSERT ON document_text BEGIN SELECT "
                              "RAISE(ABORT, 'refused'); END";

    (void)context;
    return db_run(db, SQL, NO_PARAMS);
}

static void what_the_vault_refuses_leaves_no_file(void **state)
{
    struct tmpstore *t = *state;
    char id[ID_CHARS + 1];

    assert_ok(vault_write(t->vault, refuse_words, NULL));
    assert_err(add(t, "x", "f", &NOTHING, id), ERR_CONFLICT);
    assert_int_equal(files(t), 0); /* it would take room until the next opening */
}

static enum err get_once(struct tmpstore *t, const char *id)
{
    AUTO(reader_done) struct reader r = {t->vault, NULL};
    AUTO(json_freep) json_t *d = NULL, *list = NULL;
    struct document_filter f = {.words = STR("f")};
    enum err e;

    if ((e = vault_read(t->vault, &r.db)) || (e = document_get(r.db, str_of(id), &d)))
        return e;
    return document_list(r.db, &f, STR(""), 10, &list);
}

static void telling_survives_each_failing_allocation(void **state)
{
    struct tmpstore *t = *state;
    char id[ID_CHARS + 1];
    enum err e;

    assert_ok(add(t, "x", "f", &NOTHING, id));
    assert_ok(get_once(t, id));
    FAIL_EACH_ALLOCATION (e, get_once(t, id)) {
        assert_true(e == ERR_NO_MEMORY || e == ERR_OK); /* SQLite does without some */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_STORE(f) cmocka_unit_test_setup_teardown(f, store_made, store_gone)
        WITH_STORE(what_is_told_of_a_document_is_kept),
        WITH_STORE(what_is_not_told_has_a_sensible_value),
        WITH_STORE(facts_that_break_a_rule_are_refused),
        WITH_STORE(changes_count_and_stale_ones_are_refused),
        WITH_STORE(versions_follow_each_other),
        WITH_STORE(words_are_found_without_accents_and_by_their_beginning),
        WITH_STORE(lists_page_and_filter),
        WITH_STORE(what_is_deleted_or_changed_is_in_no_page),
        WITH_STORE(the_trail_tells_of_changes_and_names_ids_alone),
        WITH_STORE(an_id_may_be_given_once),
        WITH_STORE(text_that_is_no_utf8_is_kept_and_not_searched),
        WITH_STORE(adding_survives_each_failing_allocation),
        WITH_STORE(what_the_vault_refuses_leaves_no_file),
        cmocka_unit_test(a_files_name_is_a_label_that_shows_only_itself),
        WITH_STORE(telling_survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
