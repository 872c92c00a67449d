#include "tests/harness/test.h"

#include "pds/base/id.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In place of the system's: what the next calls answer, before it is asked itself. */
static struct {
    int interrupted; /* so many times */
    int fails;       /* with this errno */
    size_t most;     /* bytes a call; 0: all */
} random_source;

ssize_t getrandom(void *buffer, size_t length, unsigned flags)
{
    if (random_source.interrupted > 0) {
        random_source.interrupted--;
        errno = EINTR;
        return -1;
    }
    if (random_source.fails) {
        errno = random_source.fails;
        return -1;
    }
    if (random_source.most && length > random_source.most)
        length = random_source.most;
    return syscall(SYS_getrandom, buffer, length, flags);
}

static const struct {
    int64_t now_ms;
    const char *front;
} INSTANTS[] = {
    {0, "0000000000"},
    {1, "0000000001"},
    {31, "000000000Z"},
    {32, "0000000010"},
    {1469918176385, "01ARYZ6S41"}, /* the example of the ULID specification */
    {(INT64_C(1) << 48) - 1, "7ZZZZZZZZZ"},
};

static void the_instant_is_in_front(void **state)
{
    char id[ID_CHARS + 1];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(INSTANTS); i++) {
        assert_ok(id_make(INSTANTS[i].now_ms, id));
        assert_int_equal(strlen(id), ID_CHARS);
        assert_row(INSTANTS[i].front, strncmp(id, INSTANTS[i].front, 10) == 0);
        assert_true(id_is_valid(str_of(id)));
    }
}

static void instants_that_do_not_fit_are_refused(void **state)
{
    char id[ID_CHARS + 1] = "untouched";

    (void)state;
    assert_err(id_make(-1, id), ERR_INVALID);
    assert_err(id_make(INT64_MIN, id), ERR_INVALID);
    assert_err(id_make(INT64_C(1) << 48, id), ERR_INVALID);
    assert_err(id_make(INT64_MAX, id), ERR_INVALID);
    assert_string_equal(id, "untouched");
}

static void ids_sort_by_time(void **state)
{
    uint64_t random = test_seed();
    char a[ID_CHARS + 1], b[ID_CHARS + 1];

    (void)state;
    for (int i = 0; i < 2000; i++) {
        int64_t first = test_between(&random, 0, (INT64_C(1) << 48) - 2);
        int64_t second = test_between(&random, first + 1, (INT64_C(1) << 48) - 1);
        assert_ok(id_make(first, a));
        assert_ok(id_make(second, b));
        assert_true(strcmp(a, b) < 0);
    }
}

/* All 80 bits take part: each position of the tail shows every letter, and no id comes twice. */
static void the_rest_is_random(void **state)
{
    static char ids[2000][ID_CHARS + 1];
    bool seen[16][128] = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        assert_ok(id_make(7, ids[i]));
        for (size_t k = 0; k < 16; k++)
            seen[k][(unsigned char)ids[i][10 + k]] = true;
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(ids[i], ids[k]);
    }
    for (size_t k = 0; k < 16; k++) {
        int letters = 0;
        for (size_t c = 0; c < 128; c++)
            letters += seen[k][c];
        assert_int_equal(letters, 32); /* one missing: less than 1 in 10^24 */
    }
}

static const struct {
    struct str text;
    bool valid;
} TEXTS[] = {
    {STR_ROW("01ARYZ6S41TSV4RRFFQ69G5FAV"), true},
    {STR_ROW("00000000000000000000000000"), true},
    {STR_ROW("7ZZZZZZZZZZZZZZZZZZZZZZZZZ"), true},
    {STR_ROW("8ZZZZZZZZZZZZZZZZZZZZZZZZZ"), false}, /* past 48 bits */
    {STR_ROW("/ZZZZZZZZZZZZZZZZZZZZZZZZZ"), false},
    {STR_ROW("AZZZZZZZZZZZZZZZZZZZZZZZZZ"), false},
    {STR_ROW("01ARYZ6S41TSV4RRFFQ69G5FA"), false},
    {STR_ROW("01ARYZ6S41TSV4RRFFQ69G5FAVV"), false},
    {STR_ROW("01aryz6s41tsv4rrffq69g5fav"), false},
    {STR_ROW("01ARYZ6S41TSV4RRFFQ69G5FAI"), false},
    {STR_ROW("01ARYZ6S41TSV4RRFFQ69G5FAL"), false},
    {STR_ROW("01ARYZ6S41TSV4RRFFQ69G5FAO"), false},
    {STR_ROW("01ARYZ6S41TSV4RRFFQ69G5FAU"), false},
    {STR_ROW("01ARYZ6S41TSV4RRFFQ69G5FA\0"), false},
    {STR_ROW("01ARYZ6S41TSV4RRFFQ69G5F-A"), false},
    {STR_ROW(""), false},
    {{NULL, 0}, false},
};

static void only_the_form_we_write_is_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++)
        assert_row(TEXTS[i].text.ptr, id_is_valid(TEXTS[i].text) == TEXTS[i].valid);
}

static void a_slow_source_of_random_bytes_is_waited_for(void **state)
{
    char id[ID_CHARS + 1];

    (void)state;
    random_source.interrupted = 3;
    random_source.most = 3;
    assert_ok(id_make(1, id));
    assert_true(id_is_valid(str_of(id)));
    assert_int_equal(random_source.interrupted, 0);
    random_source.most = 0;
}

static void without_random_bytes_there_is_no_id(void **state)
{
    char id[ID_CHARS + 1] = "untouched";

    (void)state;
    random_source.fails = ENOSYS;
    assert_err(id_make(1, id), ERR_IO);
    random_source.fails = 0;
    assert_string_equal(id, "untouched");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_instant_is_in_front),
        cmocka_unit_test(instants_that_do_not_fit_are_refused),
        cmocka_unit_test(ids_sort_by_time),
        cmocka_unit_test(the_rest_is_random),
        cmocka_unit_test(only_the_form_we_write_is_valid),
        cmocka_unit_test(a_slow_source_of_random_bytes_is_waited_for),
        cmocka_unit_test(without_random_bytes_there_is_no_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
