#include "tests/harness/fault.h"
#include "tests/harness/test.h"

#include "pds/api/session.h"
#include "pds/base/clock.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/crypto/random.h"

#include <string.h>

enum { T0 = 1800000000, OPENING = 3 };

static int setup(void **state)
{
    (void)state;
    assert_ok(random_start());
    return 0;
}

static enum err find(struct sessions *s, const char *token, int64_t now)
{
    char csrf[SESSION_TOKEN_TEXT];

    return session_find(s, str_of(token), OPENING, now, csrf, NULL);
}

static void begin(struct sessions *s, int64_t now, char token[static SESSION_TOKEN_TEXT])
{
    char csrf[SESSION_TOKEN_TEXT];

    assert_ok(session_begin(s, OPENING, now, token, csrf));
}

static void session_is_known_by_its_token_alone(void **state)
{
    (void)state;
    struct sessions *s = sessions_new();
    char token[SESSION_TOKEN_TEXT], csrf[SESSION_TOKEN_TEXT], told[SESSION_TOKEN_TEXT],
        wrong[SESSION_TOKEN_TEXT + 2];
    int64_t ends_at = 0;

    assert_err(find(s, "", T0), ERR_UNAUTHENTICATED);
    assert_ok(session_begin(s, OPENING, T0, token, csrf));
    assert_ok(session_find(s, str_of(token), OPENING, T0 + 1, told, &ends_at));
    assert_string_equal(told, csrf);
    assert_string_not_equal(token, csrf);
    assert_int_equal(strlen(token), SESSION_TOKEN_TEXT - 1);
    assert_int_equal(ends_at, T0 + LIMIT_SESSION_S);

    assert_err(find(s, csrf, T0), ERR_UNAUTHENTICATED);
    for (size_t i = 0; i < SESSION_TOKEN_TEXT - 1; i++) {
        memcpy(wrong, token, SESSION_TOKEN_TEXT);
        wrong[i] = token[i] == 'A' ? 'B' : 'A';
        assert_err(find(s, wrong, T0), ERR_UNAUTHENTICATED);
    }
    memcpy(wrong, token, SESSION_TOKEN_TEXT);
    wrong[SESSION_TOKEN_TEXT - 1] = 'A';
    wrong[SESSION_TOKEN_TEXT] = '\0';
    assert_err(find(s, wrong, T0), ERR_UNAUTHENTICATED);
    wrong[SESSION_TOKEN_TEXT - 2] = '\0';
    assert_err(find(s, wrong, T0), ERR_UNAUTHENTICATED);
    assert_err(session_find(s, (struct str){0}, OPENING, T0, told, NULL), ERR_UNAUTHENTICATED);
    assert_ok(find(s, token, T0));
    sessions_free(s);
}

static void sessions_are_all_different(void **state)
{
    (void)state;
    enum { MANY = 16 };
    struct sessions *s = sessions_new();
    char texts[2 * MANY][SESSION_TOKEN_TEXT];

    for (size_t i = 0; i < MANY; i++)
        assert_ok(session_begin(s, OPENING, T0, texts[2 * i], texts[2 * i + 1]));
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(texts[i], texts[j]);
    sessions_free(s);
}

/* When a session that began at T0 is used, in seconds since then; -1 ends. It is over at the last of them,
 * and not before. */
static const struct {
    const char *name;
    int64_t used[64];
    bool over;
} USES[] = {
    {"at once", {0, -1}, false},
    {"just before it idles too long", {LIMIT_SESSION_IDLE_S - 1, -1}, false},
    {"idle for the limit", {LIMIT_SESSION_IDLE_S, -1}, true},
    {"idle for days", {86400 * 9, -1}, true},
    {"used, then idle for less than the limit since", {600, 600 + LIMIT_SESSION_IDLE_S - 1, -1}, false},
    {"used, then idle for the limit since", {600, 600 + LIMIT_SESSION_IDLE_S, -1}, true},
    {"a clock put back", {-3600, -1}, false},
};

static void session_ends_when_it_is_idle(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(USES); i++) {
        struct sessions *s = sessions_new();
        char token[SESSION_TOKEN_TEXT];
        bool over = false;

        begin(s, T0, token);
        for (const int64_t *at = USES[i].used; *at != -1; at++) {
            assert_row(USES[i].name, !over);
            over = find(s, token, T0 + *at) == ERR_UNAUTHENTICATED;
        }
        assert_row(USES[i].name, over == USES[i].over);
        sessions_free(s);
    }
}

static void session_ends_after_its_whole_time_however_much_it_is_used(void **state)
{
    (void)state;
    struct sessions *s = sessions_new();
    char token[SESSION_TOKEN_TEXT], csrf[SESSION_TOKEN_TEXT];
    int64_t now = T0, ends_at = 0;

    begin(s, T0, token);
    for (; now < T0 + LIMIT_SESSION_S; now += 600) {
        assert_ok(session_find(s, str_of(token), OPENING, now, csrf, &ends_at));
        assert_int_equal(ends_at, T0 + LIMIT_SESSION_S);
    }
    assert_ok(find(s, token, T0 + LIMIT_SESSION_S - 1));
    assert_err(find(s, token, T0 + LIMIT_SESSION_S), ERR_UNAUTHENTICATED);
    assert_err(find(s, token, T0 + 1), ERR_UNAUTHENTICATED); /* it does not come back */
    sessions_free(s);
}

/* A clock that was far ahead once holds the store's time still until the day has come: hours pass all the
 * same. */
static void a_session_ends_while_the_clock_of_the_store_stands_still(void **state)
{
    (void)state;
    struct sessions *s = sessions_new();
    char token[SESSION_TOKEN_TEXT];

    begin(s, T0, token);
    for (int64_t passed = 0; passed < LIMIT_SESSION_S - 10; passed += LIMIT_SESSION_IDLE_S - 10) {
        clock_set_running(passed);
        assert_ok(find(s, token, T0));
    }
    clock_set_running(LIMIT_SESSION_S + 1);
    assert_err(find(s, token, T0), ERR_UNAUTHENTICATED);
    begin(s, T0, token);
    clock_set_running(LIMIT_SESSION_S + LIMIT_SESSION_IDLE_S + 1);
    assert_err(find(s, token, T0), ERR_UNAUTHENTICATED);
    clock_set_running(0);
    sessions_free(s);
}

static void session_end_ends_one_and_sessions_end_all_all(void **state)
{
    (void)state;
    struct sessions *s = sessions_new();
    char tokens[3][SESSION_TOKEN_TEXT];

    for (size_t i = 0; i < 3; i++)
        begin(s, T0, tokens[i]);
    session_end(s, str_of(tokens[1]));
    session_end(s, str_of(tokens[1]));
    session_end(s, (struct str){0});
    assert_ok(find(s, tokens[0], T0));
    assert_err(find(s, tokens[1], T0), ERR_UNAUTHENTICATED);
    assert_ok(find(s, tokens[2], T0));
    sessions_end_all(s);
    for (size_t i = 0; i < 3; i++)
        assert_err(find(s, tokens[i], T0), ERR_UNAUTHENTICATED);
    sessions_free(s);
}

/* However it raced with the lock: what began under one opening is nothing under the next. */
static void a_session_ends_with_the_opening_of_the_store(void **state)
{
    (void)state;
    struct sessions *s = sessions_new();
    char token[SESSION_TOKEN_TEXT], csrf[SESSION_TOKEN_TEXT];

    begin(s, T0, token);
    assert_ok(find(s, token, T0));
    assert_err(session_find(s, str_of(token), OPENING + 1, T0, csrf, NULL), ERR_UNAUTHENTICATED);
    assert_err(find(s, token, T0), ERR_UNAUTHENTICATED); /* it does not come back */
    sessions_free(s);
}

static void sessions_end_others_leaves_one(void **state)
{
    (void)state;
    struct sessions *s = sessions_new();
    char tokens[3][SESSION_TOKEN_TEXT];

    for (size_t i = 0; i < 3; i++)
        begin(s, T0, tokens[i]);
    sessions_end_others(s, str_of(tokens[1]));
    assert_err(find(s, tokens[0], T0), ERR_UNAUTHENTICATED);
    assert_ok(find(s, tokens[1], T0));
    assert_err(find(s, tokens[2], T0), ERR_UNAUTHENTICATED);
    sessions_end_others(s, STR("none"));
    assert_err(find(s, tokens[1], T0), ERR_UNAUTHENTICATED);
    sessions_free(s);
}

static void the_session_unused_for_longest_makes_room(void **state)
{
    (void)state;
    struct sessions *s = sessions_new();
    char tokens[LIMIT_SESSIONS][SESSION_TOKEN_TEXT], more[SESSION_TOKEN_TEXT];

    for (size_t i = 0; i < LIMIT_SESSIONS; i++)
        begin(s, T0 + (int64_t)i, tokens[i]);
    assert_ok(find(s, tokens[0], T0 + 100)); /* used: now the second is the oldest */
    begin(s, T0 + 101, more);
    assert_err(find(s, tokens[1], T0 + 102), ERR_UNAUTHENTICATED);
    assert_ok(find(s, more, T0 + 102));
    for (size_t i = 0; i < LIMIT_SESSIONS; i++)
        if (i != 1)
            assert_ok(find(s, tokens[i], T0 + 102));

    session_end(s, str_of(tokens[40])); /* a free place is taken before a used one */
    begin(s, T0 + 103, more);
    for (size_t i = 0; i < LIMIT_SESSIONS; i++)
        if (i != 1 && i != 40)
            assert_ok(find(s, tokens[i], T0 + 104));
    sessions_free(s);
}

static void session_begin_survives_each_failing_allocation(void **state)
{
    (void)state;
    long live = mem_live();
    struct sessions *s;
    char token[SESSION_TOKEN_TEXT], csrf[SESSION_TOKEN_TEXT];
    enum err e;

    mem_fail_at(1);
    assert_null(sessions_new());
    mem_fail_at(0);
    s = sessions_new();
    FAIL_EACH_ALLOCATION (e, session_begin(s, OPENING, T0, token, csrf)) {
        assert_int_equal(e, ERR_NO_MEMORY);
    }
    assert_ok(find(s, token, T0));
    sessions_free(s);
    sessions_free(NULL);
    assert_int_equal(mem_live(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_is_known_by_its_token_alone),
        cmocka_unit_test(sessions_are_all_different),
        cmocka_unit_test(session_ends_when_it_is_idle),
        cmocka_unit_test(session_ends_after_its_whole_time_however_much_it_is_used),
        cmocka_unit_test(a_session_ends_while_the_clock_of_the_store_stands_still),
        cmocka_unit_test(session_end_ends_one_and_sessions_end_all_all),
        cmocka_unit_test(a_session_ends_with_the_opening_of_the_store),
        cmocka_unit_test(sessions_end_others_leaves_one),
        cmocka_unit_test(the_session_unused_for_longest_makes_room),
        cmocka_unit_test(session_begin_survives_each_failing_allocation),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
