/* The command "documents" where the store is open: what it says, keeps, finds, gives back and refuses. */
#include "tests/harness/tmpstore.h"

#include "pds/cli/command.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 24 };

/* What a run said; the texts are malloc's, for open_memstream() makes them so. */
struct said {
    int status;
    char *out, *err;
    size_t out_len;
};

static void said_done(struct said *s)
{
    (free)(s->out);
    (free)(s->err);
}

/* Run "traboule documents S <words>"; file, if any, is the text of the file that is added. */
static void run(struct tmpstore *t, struct said *said, const char *const words[], const char *file)
{
    char *argv[WORDS_MAX] = {(char *)"traboule", (char *)"documents", (char *)"S"};
    size_t err_len = 0;
    FILE *out, *err;
    int argc = 3, ends[2] = {-1, -1};

    for (; words[argc - 3]; argc++)
        argv[argc] = (char *)words[argc - 3];
    if (file) {
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], file, strlen(file)), (ssize_t)strlen(file));
        (void)close(ends[1]);
    }
    *said = (struct said){0};
    out = open_memstream(&said->out, &said->out_len);
    err = open_memstream(&said->err, &err_len);
    assert_true(out && err);
    said->status = command_run_open(argc, argv, t->store, NULL, ends, file ? 1 : 0, out, err);
    (void)fclose(out);
    (void)fclose(err);
    if (file)
        (void)close(ends[0]);
}

static json_t *run_json(struct tmpstore *t, const char *const words[], const char *file)
{
    struct said said;
    json_t *answer;

    run(t, &said, words, file);
    assert_string_equal(said.err, "");
    assert_int_equal(said.status, 0);
    answer = json_loads(said.out, 0, NULL);
    assert_non_null(answer);
    said_done(&said);
    return answer;
}

static void a_document_is_added_found_given_back_and_deleted(void **state)
{
    static const char TEXT[] = "Consommation : 412 kWh\n";
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(json_freep) json_t *made = NULL;
    struct said said;
    const char *id;

    (void)state;
    made =
        run_json(t,
                 (const char *const[]){"add", "a/b/facture.txt", "--kind", "energy-bill", "--number", "F-1",
                                       "--issuer", "EDF", "--issued", "2026-01-31", "--expires", "2027-01-31",
                                       "--tags", " caf,,maison ", "--note", "payée", "--json", NULL},
                 TEXT);
    id = json_string_value(json_object_get(made, "id"));
    assert_non_null(id);
    assert_string_equal(json_string_value(json_object_get(made, "title")), "facture.txt");
    assert_string_equal(json_string_value(json_object_get(made, "type")), "text/plain");
    assert_int_equal(json_array_size(json_object_get(made, "tags")), 2);

    run(t, &said, (const char *const[]){"find", "412", "conso", NULL}, NULL);
    assert_int_equal(said.status, 0);
    assert_non_null(strstr(said.out, id));
    said_done(&said);
    run(t, &said, (const char *const[]){"find", "absent", NULL}, NULL);
    assert_int_equal(said.status, 0);
    assert_string_equal(said.out, "");
    said_done(&said);
    run(t, &said, (const char *const[]){"get", id, NULL}, NULL);
    assert_int_equal(said.status, 0);
    assert_int_equal(said.out_len, strlen(TEXT));
    assert_string_equal(said.out, TEXT);
    said_done(&said);
    run(t, &said, (const char *const[]){"delete", id, NULL}, NULL);
    assert_int_equal(said.status, 0);
    said_done(&said);
    run(t, &said, (const char *const[]){NULL}, NULL);
    assert_string_equal(said.out, "");
    said_done(&said);
}

static void lists_page_by_limit_and_cursor(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(json_freep) json_t *first = NULL, *second = NULL;

    (void)state;
    json_decref(run_json(t, (const char *const[]){"add", "a", "--json", NULL}, "x"));
    json_decref(run_json(t, (const char *const[]){"add", "b", "--json", NULL}, "x"));
    first = run_json(t, (const char *const[]){"--limit", "1", "--json", NULL}, NULL);
    assert_int_equal(json_array_size(json_object_get(first, "documents")), 1);
    second = run_json(
        t,
        (const char *const[]){"--cursor", json_string_value(json_object_get(first, "next")), "--json", NULL},
        NULL);
    assert_int_equal(json_array_size(json_object_get(second, "documents")), 1);
    assert_true(json_is_null(json_object_get(second, "next")));
}

static void what_is_wrong_is_said_and_leaves_nothing(void **state)
{
    static const struct {
        const char *words[6];
        const char *file;
        int status;
        const char *err;
    } ROWS[] = {
        {{"add", "f", "--kind", "poem", NULL}, "x", 2, "kind is none of the list"},
        {{"add", "f", "--issued", "31/01/2026", NULL}, "x", 2, "issued is no day"},
        {{"add", "f", "--title", " ", NULL}, "x", 2, "title is empty"},
        {{"add", NULL}, NULL, 2, "expected: traboule documents"},
        {{"get", "a", "b", NULL}, NULL, 2, "expected"},
        {{"get", "none", NULL}, NULL, 1, "no such document"},
        {{"get", "none", "--version", "0", NULL}, NULL, 2, "--version"},
        {{"get", "none", "--version", "x", NULL}, NULL, 2, "--version"},
        {{"delete", "none", NULL}, NULL, 1, "document"},
        {{"delete", NULL}, NULL, 2, "expected"},
        {{"burn", "none", NULL}, NULL, 2, "expected"},
        {{"find", NULL}, NULL, 2, "expected"},
        {{"--limit", "0", NULL}, NULL, 2, "--limit"},
        {{"--kind", "poem", NULL}, NULL, 1, "kind"},
        {{"--expiring", "soon", NULL}, NULL, 1, "expiring"},
    };
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    struct said said;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        run(t, &said, ROWS[i].words, ROWS[i].file);
        if (said.status != ROWS[i].status || !strstr(said.err, ROWS[i].err) || said.out_len > 0)
            fail_msg("row %zu (%s %s): %d %s%s", i, ROWS[i].words[0],
                     ROWS[i].words[1] ? ROWS[i].words[1] : "", said.status, said.out, said.err);
        said_done(&said);
    }
    run(t, &said, (const char *const[]){NULL}, NULL);
    assert_string_equal(said.out, "");
    said_done(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_added_found_given_back_and_deleted),
        cmocka_unit_test(lists_page_by_limit_and_cursor),
        cmocka_unit_test(what_is_wrong_is_said_and_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
