#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/api/api.h"
#include "pds/api/exchange.h"
#include "pds/api/route.h"
#include "pds/api/session.h"
#include "pds/base/auto.h"
#include "pds/base/json.h"
#include "pds/crypto/random.h"
#include "pds/httpd/header.h"
#include "pds/store/dataset.h"

#include <stdio.h>
#include <string.h>

enum { T0 = 1800000000, HEADERS_MAX = 6, VALUE_BYTES = 160 };

static struct tempdir *dir;
static struct store *open_store, *locked_store;
static char token[SESSION_TOKEN_TEXT], csrf[SESSION_TOKEN_TEXT], other_csrf[SESSION_TOKEN_TEXT];
static struct sessions *sessions;

static struct store *make(const char *name, bool open)
{
    static const char PASSPHRASE[] = "a passphrase of the tests";
    const struct passphrase_cost cheap = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL;
    const char *path = tempdir_path(dir, name);
    uint8_t key[KEY_BYTES] = {1, 2, 3};
    struct store *store = NULL;

    assert_ok(secret_text_new(PASSPHRASE, strlen(PASSPHRASE), &passphrase));
    assert_ok(store_create(path, passphrase, cheap, key, &code));
    assert_ok(store_new(path, &store));
    assert_ok(store_key_of_keyfile(store, key, &root));
    if (open)
        assert_ok(store_unlock(store, root, T0));
    return store;
}

static int setup(void **state)
{
    char other[SESSION_TOKEN_TEXT];

    (void)state;
    json_start();
    assert_ok(random_start());
    assert_ok(dataset_start());
    dir = tempdir_new();
    open_store = make("open", true);
    locked_store = make("locked", false);
    sessions = sessions_new();
    assert_ok(session_begin(sessions, store_opening(open_store), T0, token, csrf));
    assert_ok(session_begin(sessions, store_opening(open_store), T0, other, other_csrf));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    store_free(open_store);
    store_free(locked_store);
    sessions_free(sessions);
    tempdir_free(dir);
    dataset_stop();
    return 0;
}

static enum err outcome;
static int handled;

static enum err handler(struct request *request, struct response *response, void *context)
{
    (void)request, (void)context;
    handled++;
    response->status = 200;
    buf_text(&response->body, "what the owner has");
    return outcome ? err_set(outcome, "page 7") : ERR_OK;
}

/* What stands in a row's headers for the session's own values. */
#define COOKIE "@cookie"
#define SECURE "@secure cookie"
#define CSRF   "@csrf"
#define OTHER  "@other csrf"
#define WRONG  "@wrong csrf"

static const struct row {
    const char *name, *method;
    enum access access;
    bool locked, away, https;
    const char *headers[HEADERS_MAX]; /* name, value, … */
    int status;                       /* 200: the handler ran */
} ROWS[] = {
    {"anyone reads", "GET", ACCESS_ANYONE, false, true, false, {0}, 200},
    {"anyone reads while it is locked", "GET", ACCESS_ANYONE, true, true, false, {0}, 200},
    {"anyone changes", "POST", ACCESS_ANYONE, true, true, false, {0}, 200},
    {"this machine", "GET", ACCESS_LOOPBACK, false, false, false, {0}, 200},
    {"another machine", "GET", ACCESS_LOOPBACK, false, true, false, {0}, 403},

    {"the owner reads", "GET", ACCESS_OWNER, false, true, false, {"Cookie", COOKIE}, 200},
    {"the owner asks for the head", "HEAD", ACCESS_OWNER, false, true, false, {"Cookie", COOKIE}, 200},
    {"nobody reads", "GET", ACCESS_OWNER, false, false, false, {0}, 401},
    {"a CSRF token is no session", "GET", ACCESS_OWNER, false, false, false, {"X-CSRF-Token", CSRF}, 401},
    {"locked", "GET", ACCESS_OWNER, true, false, false, {"Cookie", COOKIE}, 503},
    {"locked, without a session", "GET", ACCESS_OWNER, true, false, false, {0}, 503},
    {"locked, with Authorization",
     "GET",
     ACCESS_OWNER,
     true,
     false,
     false,
     {"Authorization", "Bearer x"},
     503},
    {"Authorization too",
     "GET",
     ACCESS_OWNER,
     false,
     false,
     false,
     {"Cookie", COOKIE, "Authorization", "x"},
     400},
    {"the wrong cookie under https", "GET", ACCESS_OWNER, false, false, true, {"Cookie", COOKIE}, 401},
    {"the right cookie under https", "GET", ACCESS_OWNER, false, false, true, {"Cookie", SECURE}, 200},
    {"the cookie of https without it", "GET", ACCESS_OWNER, false, false, false, {"Cookie", SECURE}, 401},

    {"the owner changes",
     "POST",
     ACCESS_OWNER,
     false,
     true,
     false,
     {"Cookie", COOKIE, "X-CSRF-Token", CSRF},
     200},
    {"the owner deletes",
     "DELETE",
     ACCESS_OWNER,
     false,
     true,
     false,
     {"Cookie", COOKIE, "X-CSRF-Token", CSRF},
     200},
    {"no CSRF token", "POST", ACCESS_OWNER, false, false, false, {"Cookie", COOKIE}, 403},
    {"no CSRF token, DELETE", "DELETE", ACCESS_OWNER, false, false, false, {"Cookie", COOKIE}, 403},
    {"an unknown method", "BREW", ACCESS_OWNER, false, false, false, {"Cookie", COOKIE}, 403},
    {"an empty CSRF token",
     "POST",
     ACCESS_OWNER,
     false,
     false,
     false,
     {"Cookie", COOKIE, "X-CSRF-Token", ""},
     403},
    {"a wrong CSRF token",
     "POST",
     ACCESS_OWNER,
     false,
     false,
     false,
     {"Cookie", COOKIE, "X-CSRF-Token", WRONG},
     403},
    {"another session's",
     "POST",
     ACCESS_OWNER,
     false,
     false,
     false,
     {"Cookie", COOKIE, "X-CSRF-Token", OTHER},
     403},
    {"no session", "POST", ACCESS_OWNER, false, false, false, {"X-CSRF-Token", CSRF}, 401},

    {"our own page",
     "POST",
     ACCESS_ANYONE,
     false,
     false,
     false,
     {"Origin", "http://127.0.0.1:8765", "Sec-Fetch-Site", "same-origin"},
     200},
    {"its host in capitals",
     "POST",
     ACCESS_ANYONE,
     false,
     false,
     false,
     {"Origin", "http://LOCALHOST:1", "Host", "localhost:1"},
     200},
    {"our own page, https",
     "POST",
     ACCESS_ANYONE,
     false,
     false,
     true,
     {"Origin", "https://127.0.0.1:8765"},
     200},
    {"another scheme", "POST", ACCESS_ANYONE, false, false, false, {"Origin", "https://127.0.0.1:8765"}, 403},
    {"another scheme, https",
     "POST",
     ACCESS_ANYONE,
     false,
     false,
     true,
     {"Origin", "http://127.0.0.1:8765"},
     403},
    {"another port", "POST", ACCESS_ANYONE, false, false, false, {"Origin", "http://127.0.0.1:8766"}, 403},
    {"a longer host", "POST", ACCESS_ANYONE, false, false, false, {"Origin", "http://127.0.0.1:87650"}, 403},
    {"a host before ours",
     "POST",
     ACCESS_ANYONE,
     false,
     false,
     false,
     {"Origin", "http://a@127.0.0.1:8765"},
     403},
    {"an opaque origin", "POST", ACCESS_ANYONE, false, false, false, {"Origin", "null"}, 403},
    {"an empty origin", "POST", ACCESS_ANYONE, false, false, false, {"Origin", ""}, 403},
    {"cross-site", "POST", ACCESS_ANYONE, false, false, false, {"Sec-Fetch-Site", "cross-site"}, 403},
    {"same-site", "POST", ACCESS_ANYONE, false, false, false, {"Sec-Fetch-Site", "same-site"}, 403},
    {"typed into the bar", "POST", ACCESS_ANYONE, false, false, false, {"Sec-Fetch-Site", "none"}, 403},
    {"a reading from elsewhere",
     "GET",
     ACCESS_OWNER,
     false,
     false,
     false,
     {"Cookie", COOKIE, "Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site"},
     200},
    {"an owner's change from elsewhere",
     "POST",
     ACCESS_OWNER,
     false,
     false,
     false,
     {"Cookie", COOKIE, "X-CSRF-Token", CSRF, "Origin", "http://evil.example"},
     403},
    {"from elsewhere while it is locked",
     "POST",
     ACCESS_OWNER,
     true,
     false,
     false,
     {"Origin", "http://evil.example"},
     403},
};

static void fill_value(const char *word, char out[static VALUE_BYTES])
{
    char wrong[SESSION_TOKEN_TEXT];

    memcpy(wrong, csrf, sizeof wrong);
    wrong[7] = wrong[7] == 'A' ? 'B' : 'A';
    if (strcmp(word, COOKIE) == 0)
        (void)snprintf(out, VALUE_BYTES, "traboule=%s", token);
    else if (strcmp(word, SECURE) == 0)
        (void)snprintf(out, VALUE_BYTES, "__Host-traboule=%s", token);
    else if (*word == '@')
        (void)snprintf(out, VALUE_BYTES, "%s",
                       strcmp(word, CSRF) == 0    ? csrf
                       : strcmp(word, OTHER) == 0 ? other_csrf
                                                  : wrong);
    else
        (void)snprintf(out, VALUE_BYTES, "%s", word);
}

/* Carry out a row; the response is the caller's. */
static void run(const struct row *row, struct response *response)
{
    const struct route route = {row->method, "/x",    (int)row->access, BODY_NONE,
                                RUN_INLINE,  handler, "A test"};
    struct api api = {
        .store = row->locked ? locked_store : open_store, .sessions = sessions, .https = row->https};
    static char values[HEADERS_MAX][VALUE_BYTES];
    struct headers headers = {.count = 0};
    struct request request = {.route = &route,
                              .method = str_of(row->method),
                              .transport = &headers,
                              .loopback = !row->away,
                              .now = T0 + 1};

    for (size_t i = 0; i + 1 < HEADERS_MAX && row->headers[i]; i += 2) {
        fill_value(row->headers[i + 1], values[i]);
        headers.at[headers.count++] = (struct header){str_of(row->headers[i]), str_of(values[i])};
    }
    headers.at[headers.count++] = (struct header){STR("Host"), STR("127.0.0.1:8765")};
    handled = 0;
    response_init(response);
    exchange_run(&request, response, &api);
}

static void requests_reach_their_handler_or_are_refused(void **state)
{
    (void)state;
    outcome = ERR_OK;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct response response;

        run(&ROWS[i], &response);
        assert_row(ROWS[i].name, response.status == ROWS[i].status);
        assert_row(ROWS[i].name, handled == (ROWS[i].status == 200));
        assert_row(ROWS[i].name, handled || !strstr(response.body.data, "owner has"));
        response_done(&response);
    }
}

static void failures_of_a_handler_are_told_as_problems(void **state)
{
    const struct row row = {"", "GET", ACCESS_OWNER, false, false, false, {"Cookie", COOKIE}, 0};
    static const enum err OUTCOMES[] = {ERR_INVALID,   ERR_UNSUPPORTED, ERR_TOO_LARGE,
                                        ERR_NOT_FOUND, ERR_CONFLICT,    ERR_LOCKED};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(OUTCOMES); i++) {
        struct response response;

        outcome = OUTCOMES[i];
        run(&row, &response);
        assert_int_equal(handled, 1);
        assert_int_equal(response.status, err_row(outcome)->http);
        assert_string_equal(response.type, "application/problem+json");
        assert_null(strstr(response.body.data, "owner has")); /* half an answer is no answer */
        assert_non_null(strstr(response.body.data, "page 7"));
        response_done(&response);
    }
    outcome = ERR_OK;
}

static void a_request_refused_before_it_had_a_route_is_told_alike(void **state)
{
    struct request request = {.now = T0};
    struct response response;

    (void)state;
    response_init(&response);
    (void)err_set(ERR_MISDIRECTED, "a host that is not ours");
    exchange_refuse(&request, ERR_MISDIRECTED, &response, NULL);
    assert_int_equal(response.status, 421);
    assert_string_equal(response.type, "application/problem+json");
    response_done(&response);
}

/* One request with a session's cookie, by a clock: its status. */
static int ask_at(int64_t clock, enum access access, const char *session)
{
    const struct route route = {"GET", "/x", (int)access, BODY_NONE, RUN_INLINE, handler, "A test"};
    struct api api = {.store = open_store, .sessions = sessions};
    char cookie[VALUE_BYTES];
    struct headers headers = {.count = 0};
    struct request request = {.route = &route, .method = STR("GET"), .transport = &headers, .now = clock};
    struct response response;
    int status;

    (void)snprintf(cookie, sizeof cookie, "traboule=%s", session);
    headers.at[headers.count++] = (struct header){STR("Cookie"), str_of(cookie)};
    headers.at[headers.count++] = (struct header){STR("Host"), STR("127.0.0.1:8765")};
    outcome = ERR_OK;
    response_init(&response);
    exchange_run(&request, &response, &api);
    status = response.status;
    response_done(&response);
    return status;
}

/* Row 34 of the security brief. The last test here: for this store time goes on by a year. */
static void a_clock_set_back_makes_no_session_longer(void **state)
{
    enum { YEAR = 365 * 86400 };
    char one[SESSION_TOKEN_TEXT], two[SESSION_TOKEN_TEXT], any[SESSION_TOKEN_TEXT];

    (void)state;
    assert_ok(session_begin(sessions, store_opening(open_store), T0 + 100, one, any));
    assert_int_equal(ask_at(T0 + 100, ACCESS_OWNER, one), 200);
    assert_int_equal(ask_at(T0 - YEAR, ACCESS_OWNER, one), 200); /* back a year: as if no time had gone by */
    assert_int_equal(ask_at(T0 + 100 + LIMIT_SESSION_IDLE_S + 1, ACCESS_ANYONE, ""), 200);
    assert_int_equal(ask_at(T0 - YEAR, ACCESS_OWNER, one), 401); /* its time was over, and stays over */

    assert_ok(session_begin(sessions, store_opening(open_store), T0 + 5000, two, any));
    assert_int_equal(ask_at(T0 + 5000, ACCESS_OWNER, two), 200);
    assert_int_equal(ask_at(T0 + 5000 + YEAR, ACCESS_OWNER, two), 401); /* forward a year */
    assert_int_equal(ask_at(T0 + 5000, ACCESS_OWNER, two), 401);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_reach_their_handler_or_are_refused),
        cmocka_unit_test(failures_of_a_handler_are_told_as_problems),
        cmocka_unit_test(a_request_refused_before_it_had_a_route_is_told_alike),
        cmocka_unit_test(a_clock_set_back_makes_no_session_longer),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
