/* A server as its clients and its program see it. */
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/json.h"
#include "pds/base/mem.h"
#include "pds/httpd/pace.h"
#include "tests/integration/http_client.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

static void pause_ms(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

    (void)nanosleep(&t, NULL);
}

static atomic_int ended, exchanged;

static enum err hello(struct request *q, struct response *r, void *context)
{
    (void)q;
    (void)context;
    r->type = "text/plain";
    buf_text(&r->body, "hello");
    return ERR_OK;
}

static enum err nap(struct request *q, struct response *r, void *context)
{
    pause_ms(300);
    atomic_fetch_add(&ended, 1);
    return hello(q, r, context);
}

static enum err echo(struct request *q, struct response *r, void *context)
{
    (void)context;
    buf_add(&r->body, q->body.ptr, q->body.len);
    return ERR_OK;
}

static enum err who(struct request *q, struct response *r, void *context)
{
    (void)context;
    buf_printf(&r->body, "%s %d %.*s", q->address, q->loopback, STR_ARGS(request_header(q, "X-Test")));
    return ERR_OK;
}

static enum err forbid(struct request *q, struct response *r, void *context)
{
    (void)q;
    (void)r;
    (void)context;
    return err_set(ERR_FORBIDDEN, "not for you");
}

static enum err broken(struct request *q, struct response *r, void *context)
{
    (void)q;
    (void)context;
    buf_init(&r->body, 1);
    buf_text(&r->body, "too long for its ceiling");
    return ERR_OK;
}

static enum err read_upload(struct request *q, struct response *r, void *context)
{
    struct str field = {0}, name = {0};
    char piece[4096];
    size_t got = 1, total = 0;
    enum err e;

    (void)context;
    if (!(e = upload_next(q->upload, &field, &name)))
        for (; got > 0 && !(e = upload_read(q->upload, piece, sizeof piece, &got)); total += got)
            ;
    buf_printf(&r->body, "%zu", total);
    return e;
}

static const struct route ROUTES[] = {
    {"GET", "/", 0, BODY_NONE, RUN_INLINE, hello, ""},
    {"GET", "/work", 0, BODY_NONE, RUN_WORKER, hello, ""},
    {"GET", "/nap", 0, BODY_NONE, RUN_WORKER, nap, ""},
    {"GET", "/who", 0, BODY_NONE, RUN_WORKER, who, ""},
    {"GET", "/broken", 0, BODY_NONE, RUN_INLINE, broken, ""},
    {"POST", "/json", 0, BODY_JSON, RUN_WORKER, echo, ""},
    {"POST", "/upload", 0, BODY_UPLOAD, RUN_WORKER, read_upload, ""},
    {"POST", "/forbidden", 0, BODY_UPLOAD, RUN_WORKER, forbid, ""},
};

static struct server *open_with(struct server_options o, const struct pace *pace)
{
    static const struct pace usual = PACE_DEFAULT;
    struct server *s = NULL;

    if (!o.listen)
        o.listen = "127.0.0.1:0";
    o.routes = ROUTES;
    o.route_count = COUNT_OF(ROUTES);
    ended = exchanged = 0;
    assert_ok(server_open_paced(&o, pace ? pace : &usual, &s));
    return s;
}

/* "GET path" with the server's host and whatever fields. */
static void ask(const struct server *s, const char *line, const char *fields, struct answer *a)
{
    char request[4096];

    (void)snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: %s\r\n%s\r\n", line,
                   strstr(server_url(s), "//") + 2, fields);
    http_ask(server_url(s), request, strlen(request), a);
}

static int say(const struct server *s, const char *line, const char *fields)
{
    char request[4096];
    int fd = http_connect(server_url(s));

    (void)snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: %s\r\n%s\r\n", line,
                   strstr(server_url(s), "//") + 2, fields);
    assert_true(http_say(fd, request));
    return fd;
}

static struct answer a;

static void every_answer_has_the_security_headers(void **state)
{
    static const char *const names[] = {"X-Content-Type-Options",
                                        "Referrer-Policy",
                                        "Cross-Origin-Opener-Policy",
                                        "Cross-Origin-Resource-Policy",
                                        "Permissions-Policy",
                                        "Content-Security-Policy",
                                        "Cache-Control",
                                        "Date"};
    AUTO(server_closep) struct server *s = open_with((struct server_options){0}, NULL);

    (void)state;
    for (int i = 0; i < 3; i++) {
        ask(s, i == 0 ? "GET /" : i == 1 ? "GET /nothing" : "HEAD /work", "", &a);
        for (size_t n = 0; n < COUNT_OF(names); n++)
            assert_row(names[n], http_header(&a, names[n]) != NULL);
        assert_null(http_header(&a, "Server"));
        assert_null(http_header(&a, "Strict-Transport-Security"));
    }
    assert_string_equal(http_header(&a, "Content-Length"), "5");
    assert_int_equal(a.body_len, 0);
}

static void answer_that_broke_cuts_the_connection(void **state)
{
    AUTO(server_closep) struct server *s = open_with((struct server_options){0}, NULL);

    (void)state;
    ask(s, "GET /broken", "", &a);
    assert_int_equal(a.status, 0);
    assert_true(a.closed);
    ask(s, "GET /", "", &a);
    assert_int_equal(a.status, 200);
}

static void requests_in_a_row_are_answered_in_order(void **state)
{
    AUTO(server_closep) struct server *s = open_with((struct server_options){0}, NULL);
    char text[2048] = "";
    const char *host = strstr(server_url(s), "//") + 2;
    static const int statuses[] = {200, 200, 404, 200};

    (void)state;
    (void)snprintf(text, sizeof text,
                   "GET /work HTTP/1.1\r\nHost: %s\r\n\r\nPOST /json HTTP/1.1\r\nHost: %s\r\nContent-Length: "
                   "4\r\n\r\n[12]"
                   "GET /nothing HTTP/1.1\r\nHost: %s\r\n\r\nGET / HTTP/1.1\r\nHost: %s\r\n\r\n",
                   host, host, host, host);
    int fd = http_connect(server_url(s));
    assert_true(http_say(fd, text));
    for (int i = 0; i < 4; i++) {
        http_read_head(fd, &a, 2000);
        assert_int_equal(a.status, statuses[i]);
        size_t len = (size_t)strtol(http_header(&a, "Content-Length"), NULL, 10);
        assert_int_equal(recv(fd, a.body, len, MSG_WAITALL), len);
    }
    for (int i = 0; i < 100; i++) { /* and the connection lives on */
        (void)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host);
        assert_true(http_say(fd, text));
        http_read(fd, &a, false, 2000);
        assert_int_equal(a.status, 200);
        assert_false(a.closed);
    }
    (void)close(fd);
    struct server_stats stats;
    server_stats(s, &stats);
    assert_int_equal(stats.connections, 1);
    assert_in_range(stats.requests, 103, 104); /* the last may just be ending */
    assert_int_equal(stats.by_status[2], 103);
    assert_int_equal(stats.by_status[4], 1);
    assert_int_equal(stats.refused, 1);
}

static void many_pieces_do_not_hang(void **state)
{
    AUTO(server_closep) struct server *s = open_with((struct server_options){0}, NULL);

    (void)state;
    for (int i = 0; i < 2; i++) {
        AUTO(buf_done) struct buf text;
        buf_init(&text, 20000);
        buf_printf(&text, "GET /%s", i ? "" : "?x");
        for (int n = 0; i == 0 && n < 4000; n++)
            buf_text(&text, "&a");
        buf_printf(&text, " HTTP/1.1\r\nHost: %s\r\nCookie: x", strstr(server_url(s), "//") + 2);
        for (int n = 0; i == 1 && n < 4000; n++)
            buf_text(&text, ";a");
        buf_text(&text, "\r\n\r\n");
        http_ask(server_url(s), text.data, text.len, &a);
        assert_int_equal(a.status, i ? 431 : 200);
        assert_int_equal(a.closed, i);
    }
}

static void head_of_a_request_has_ceilings(void **state)
{
    AUTO(server_closep) struct server *s = open_with((struct server_options){0}, NULL);
    static const struct {
        size_t target, fields, value;
        int status;
    } rows[] = {{10, 63, 10, 200},   {8000, 1, 10, 200},  {8192, 1, 10, 414},  {30000, 1, 10, 414},
                {60000, 1, 10, 414}, {10, 64, 10, 431},   {10, 200, 2, 431},   {10, 1, 16000, 200},
                {10, 1, 16384, 431}, {10, 1, 60000, 431}, {8000, 63, 200, 200}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buf_done) struct buf text;
        buf_init(&text, 200000);
        buf_text(&text, "GET /?");
        for (size_t n = 2; n < rows[i].target; n++)
            buf_char(&text, 'a');
        buf_printf(&text, " HTTP/1.1\r\nHost: %s\r\n", strstr(server_url(s), "//") + 2);
        for (size_t f = 0; f < rows[i].fields; f++) {
            buf_text(&text, "X: ");
            for (size_t n = 0; n < rows[i].value; n++)
                buf_char(&text, 'b');
            buf_text(&text, "\r\n");
        }
        buf_text(&text, "\r\n");
        http_ask(server_url(s), text.data, text.len, &a);
        if (a.status != rows[i].status)
            print_error("row %zu: %d\n", i, a.status);
        assert_int_equal(a.status, rows[i].status);
        assert_int_equal(a.closed, a.status != 200);
    }
}

static void refusal_comes_before_100_continue(void **state)
{
    AUTO(server_closep) struct server *s = open_with((struct server_options){0}, NULL);
    static const char upload[] = "Content-Type: multipart/form-data; boundary=B\r\nContent-Length: 75\r\n"
                                 "Expect: 100-continue\r\n";

    (void)state;
    ask(s, "POST /forbidden", upload, &a);
    assert_int_equal(a.status, 403);
    assert_int_equal(a.continues, 0);
    assert_true(a.closed);
    ask(s, "POST /json", "Content-Length: 999999\r\nExpect: 100-continue\r\n", &a);
    assert_int_equal(a.status, 413);
    assert_int_equal(a.continues, 0);
    ask(s, "POST /upload", "Content-Type: text/plain\r\nContent-Length: 3\r\nExpect: 100-continue\r\n", &a);
    assert_int_equal(a.status, 415);
    assert_int_equal(a.continues, 0);
}

static void wanted_body_gets_100_continue(void **state)
{
    AUTO(server_closep) struct server *s = open_with((struct server_options){0}, NULL);
    char line[64] = "";
    int fd = say(s, "POST /upload",
                 "Content-Type: multipart/form-data; boundary=B\r\nContent-Length: 82\r\n"
                 "Expect: 100-continue\r\n");

    (void)state;
    assert_true(http_hear(fd, line, sizeof line - 1, 2000) > 0);
    assert_int_equal(strncmp(line, "HTTP/1.1 100 ", 13), 0);
    assert_true(
        http_say(fd, "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\nabc\r\n"
                     "--B--\r\n"));
    http_read(fd, &a, false, 2000);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "3");
    assert_false(a.closed);
    (void)close(fd);
    fd = say(s, "POST /json", "Content-Length: 2\r\nExpect: 100-Continue\r\n");
    assert_true(http_hear(fd, line, sizeof line - 1, 2000) > 0);
    assert_int_equal(strncmp(line, "HTTP/1.1 100 ", 13), 0);
    assert_true(http_say(fd, "{}"));
    http_read(fd, &a, false, 2000);
    assert_int_equal(a.status, 200);
    (void)close(fd);
}

static void refusal_of_a_large_body_is_heard(void **state)
{
    AUTO(server_closep) struct server *s = open_with((struct server_options){0}, NULL);
    size_t size = 3 << 20;
    char *body = mem_new(size);

    (void)state;
    assert_non_null(body);
    for (int i = 0; i < 2; i++) {
        int fd = say(s, i ? "POST /forbidden" : "POST /json",
                     "Content-Type: multipart/form-data; boundary=B\r\nContent-Length: 3145728\r\n");
        assert_true(http_send(fd, body, size)); /* no reset while it is written */
        http_read(fd, &a, false, 2000);
        assert_int_equal(a.status, i ? 403 : 413);
        assert_true(a.closed);
        (void)close(fd);
    }
    int fd = say(s, "POST /json", "Transfer-Encoding: chunked\r\n");
    assert_true(http_say(fd, "300000\r\n"));
    assert_true(http_send(fd, body, size));
    assert_true(http_say(fd, "\r\n0\r\n\r\n"));
    http_read(fd, &a, false, 2000);
    assert_int_equal(a.status, 413);
    (void)close(fd);
    mem_free(body);
}

static void workers_run_side_by_side(void **state)
{
    AUTO(server_closep) struct server *s = open_with((struct server_options){.workers = 8}, NULL);
    int64_t begun = clock_monotonic_ms();
    int fds[8];

    (void)state;
    for (int i = 0; i < 8; i++)
        fds[i] = say(s, "GET /nap", "");
    ask(s, "GET /", "", &a); /* the server's thread is free meanwhile */
    assert_int_equal(a.status, 200);
    assert_int_equal(ended, 0);
    for (int i = 0; i < 8; i++) {
        http_read(fds[i], &a, false, 3000);
        assert_int_equal(a.status, 200);
        (void)close(fds[i]);
    }
    assert_true(clock_monotonic_ms() - begun < 8 * 300);
}

static void too_many_waiting_are_told_to_come_back(void **state)
{
    struct pace pace = PACE_DEFAULT;
    int fds[6], busy = 0;

    (void)state;
    pace.waiting = 2;
    AUTO(server_closep) struct server *s = open_with((struct server_options){.workers = 1}, &pace);
    for (int i = 0; i < 6; i++) {
        fds[i] = say(s, "GET /nap", "");
        pause_ms(20);
    }
    for (int i = 0; i < 6; i++) {
        http_read(fds[i], &a, false, 3000);
        if (a.status == 503) {
            busy++;
            assert_string_equal(http_header(&a, "Retry-After"), "1");
            assert_false(a.closed);
        }
        (void)close(fds[i]);
    }
    assert_int_equal(busy, 3);
}

static void handler_that_takes_too_long_is_left_behind(void **state)
{
    struct pace pace = PACE_DEFAULT;

    (void)state;
    pace.handler_ms = 60;
    AUTO(server_closep) struct server *s = open_with((struct server_options){0}, &pace);
    ask(s, "GET /nap", "", &a);
    assert_int_equal(a.status, 503);
    assert_true(a.closed);
    assert_int_equal(ended, 0);
}

static void proxy_tells_the_address(void **state)
{
    AUTO(server_closep)
    struct server *s =
        open_with((struct server_options){.proxy = "127.0.0.1", .base_url = "https://pds.example/"}, NULL);
    static const struct {
        const char *fields, *told;
    } rows[] = {{"X-Test: a\r\n", "127.0.0.1 0 a"},
                {"X-Forwarded-For: 192.0.2.7\r\n", "192.0.2.7 0 "},
                {"X-Forwarded-For: 10.0.0.1, 2001:db8::1 \r\n", "2001:db8::1 0 "},
                {"X-Forwarded-For: 10.0.0.1\r\nx-forwarded-for: 192.0.2.9\r\n", "192.0.2.9 0 "},
                {"X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2, nonsense\r\n", "127.0.0.1 0 "},
                {"X-Forwarded-For: 2001:DB8:0:0::1\r\n", "2001:db8::1 0 "},
                {"X-Forwarded-For: ::ffff:192.0.2.7\r\n", "192.0.2.7 0 "},
                {"X-Forwarded-For: nonsense\r\n", "127.0.0.1 0 "},
                {"X-Forwarded-For:\r\n", "127.0.0.1 0 "}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ask(s, "GET /who", rows[i].fields, &a);
        assert_string_equal(a.body, rows[i].told);
    }
    static const char named[] = "GET / HTTP/1.1\r\nHost: PDS.example\r\n\r\n",
                      port[] = "GET / HTTP/1.1\r\nHost: pds.example:443\r\n\r\n",
                      other[] = "GET / HTTP/1.1\r\nHost: pds.example:80\r\n\r\n";
    http_ask(server_url(s), named, sizeof named - 1, &a);
    assert_int_equal(a.status, 200);
    http_ask(server_url(s), port, sizeof port - 1, &a);
    assert_int_equal(a.status, 200);
    assert_non_null(http_header(&a, "Strict-Transport-Security"));
    http_ask(server_url(s), other, sizeof other - 1, &a);
    assert_int_equal(a.status, 421);
}

static void proxy_is_known_in_any_spelling(void **state)
{
    static const char *const spellings[] = {"127.0.0.1", "::ffff:127.0.0.1", "::FFFF:7f00:1"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(spellings); i++) {
        AUTO(server_closep)
        struct server *s = open_with((struct server_options){.proxy = spellings[i]}, NULL);
        ask(s, "GET /who", "X-Forwarded-For: 192.0.2.7\r\n", &a);
        assert_string_equal(a.body, "192.0.2.7 0 ");
    }
}

static void without_proxy_nobody_else_tells_the_address(void **state)
{
    AUTO(server_closep) struct server *s = open_with((struct server_options){0}, NULL);

    (void)state;
    ask(s, "GET /who", "X-Forwarded-For: 192.0.2.7\r\n", &a);
    assert_string_equal(a.body, "127.0.0.1 1 ");
}

static void exchange(struct request *q, struct response *r, void *context)
{
    atomic_fetch_add((atomic_int *)context, 1);
    buf_printf(&r->body, "%s", q->route->path);
}

static void refuse(struct request *q, enum err e, struct response *r, void *context)
{
    (void)context;
    r->type = "application/problem+json";
    if (r->status == 503)
        err_ignore(response_header(r, "retry-after", "7"));
    buf_printf(&r->body, "%s %d %.*s", err_row(e)->name, r->status, STR_ARGS(q->method));
}

static void hooks_make_the_answers(void **state)
{
    AUTO(server_closep)
    struct server *s = open_with(
        (struct server_options){.exchange = exchange, .refuse = refuse, .context = &exchanged}, NULL);

    (void)state;
    ask(s, "GET /work", "", &a);
    assert_string_equal(a.body, "/work");
    ask(s, "GET /", "", &a);
    assert_string_equal(a.body, "/");
    assert_int_equal(exchanged, 2);
    ask(s, "BREW /", "", &a);
    assert_string_equal(a.body, "method 405 BREW");
    assert_string_equal(http_header(&a, "Content-Type"), "application/problem+json");
    assert_string_equal(http_header(&a, "Allow"), "GET, HEAD");
    ask(s, "POST /json", "Transfer-Encoding: gzip\r\n", &a);
    assert_string_equal(a.body, "unsupported 501 POST");
}

static void hook_tells_when_to_come_back(void **state)
{
    struct pace pace = PACE_DEFAULT;

    (void)state;
    pace.handler_ms = 60;
    AUTO(server_closep) struct server *s = open_with((struct server_options){.refuse = refuse}, &pace);
    ask(s, "GET /nap", "", &a);
    assert_int_equal(a.status, 503);
    assert_string_equal(http_header(&a, "Retry-After"), "7");
    assert_null(strstr(strcasestr(a.head, "retry-after") + 1, "etry-After")); /* once */
}

static void opening_survives_each_failing_allocation(void **state)
{
    struct server_options o = {.listen = "127.0.0.1:0", .routes = ROUTES, .route_count = COUNT_OF(ROUTES)};
    struct server *s = NULL;
    long live = mem_live();

    (void)state;
    for (long nth = 1; !s; nth++) {
        mem_fail_at(nth);
        enum err e = server_open(&o, &s);
        mem_fail_at(0);
        assert_int_equal(e, s ? ERR_OK : ERR_NO_MEMORY);
    }
    server_close(s);
    server_close(NULL);
    assert_int_equal(mem_live(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_has_the_security_headers),
        cmocka_unit_test(answer_that_broke_cuts_the_connection),
        cmocka_unit_test(requests_in_a_row_are_answered_in_order),
        cmocka_unit_test(many_pieces_do_not_hang),
        cmocka_unit_test(head_of_a_request_has_ceilings),
        cmocka_unit_test(refusal_comes_before_100_continue),
        cmocka_unit_test(wanted_body_gets_100_continue),
        cmocka_unit_test(refusal_of_a_large_body_is_heard),
        cmocka_unit_test(workers_run_side_by_side),
        cmocka_unit_test(too_many_waiting_are_told_to_come_back),
        cmocka_unit_test(handler_that_takes_too_long_is_left_behind),
        cmocka_unit_test(proxy_tells_the_address),
        cmocka_unit_test(proxy_is_known_in_any_spelling),
        cmocka_unit_test(without_proxy_nobody_else_tells_the_address),
        cmocka_unit_test(hooks_make_the_answers),
        cmocka_unit_test(hook_tells_when_to_come_back),
        cmocka_unit_test(opening_survives_each_failing_allocation),
    };
    json_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
