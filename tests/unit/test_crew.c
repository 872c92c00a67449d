/* Handlers on threads of their own when the server closes: who is let end, who is cut, who must not begin. */
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/json.h"
#include "pds/httpd/pace.h"
#include "tests/integration/http_client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

static atomic_int running, ended;

static void pause_ms(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

    (void)nanosleep(&t, NULL);
}

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
    atomic_fetch_add(&running, 1);
    pause_ms(1000);
    atomic_fetch_add(&ended, 1);
    return hello(q, r, context);
}

/* On the server's thread. */
static atomic_int blocked;
static enum err block(struct request *q, struct response *r, void *context)
{
    atomic_fetch_add(&blocked, 1);
    pause_ms(300);
    return hello(q, r, context);
}

static enum err echo(struct request *q, struct response *r, void *context)
{
    (void)context;
    buf_add(&r->body, q->body.ptr, q->body.len);
    return ERR_OK;
}

static _Atomic int upload_outcome;
static enum err read_upload(struct request *q, struct response *r, void *context)
{
    struct str field = {0}, name = {0};
    char piece[4096];
    size_t got = 1, total = 0;
    enum err e;

    (void)context;
    atomic_fetch_add(&running, 1);
    if (!(e = upload_next(q->upload, &field, &name)))
        for (; got > 0 && !(e = upload_read(q->upload, piece, sizeof piece, &got)); total += got)
            ;
    upload_outcome = (int)e;
    atomic_fetch_add(&ended, 1);
    buf_printf(&r->body, "%zu", total);
    return e;
}

static const struct route ROUTES[] = {
    {"GET", "/", 0, BODY_NONE, RUN_INLINE, hello, ""},
    {"GET", "/nap", 0, BODY_NONE, RUN_WORKER, nap, ""},
    {"GET", "/block", 0, BODY_NONE, RUN_INLINE, block, ""},
    {"POST", "/json", 0, BODY_JSON, RUN_WORKER, echo, ""},
    {"POST", "/upload", 0, BODY_UPLOAD, RUN_WORKER, read_upload, ""},
};

static struct server *open_with(int close_ms)
{
    struct pace pace = PACE_DEFAULT;
    struct server_options o = {.listen = "127.0.0.1:0", .routes = ROUTES, .route_count = COUNT_OF(ROUTES)};
    struct server *s = NULL;

    pace.close_ms = close_ms;
    running = ended = blocked = 0;
    upload_outcome = -1;
    assert_ok(server_open_paced(&o, &pace, &s));
    return s;
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

static void *close_server(void *server)
{
    server_close(server);
    return NULL;
}

static void closing_lets_a_running_handler_end(void **state)
{
    struct server *s = open_with(10000);
    char url[64];
    pthread_t thread;
    int fd = say(s, "GET /nap", ""), idle = say(s, "GET /", "");

    (void)state;
    (void)snprintf(url, sizeof url, "%s", server_url(s));
    http_read(idle, &a, false, 2000);
    assert_int_equal(a.status, 200);
    while (running == 0)
        pause_ms(5);
    int64_t begun = clock_monotonic_ms();
    assert_int_equal(pthread_create(&thread, NULL, close_server, s), 0);
    assert_true(http_is_closed(idle, 700));
    http_read(fd, &a, false, 2000);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "hello");
    (void)pthread_join(thread, NULL);
    assert_true(clock_monotonic_ms() - begun < 5000);
    assert_int_equal(http_connect(url), -1);
    (void)close(fd);
    (void)close(idle);
}

static void closing_cuts_an_upload_that_does_not_end(void **state)
{
    (void)state;
    struct server *s = open_with(100);
    int fd =
        say(s, "POST /upload", "Content-Type: multipart/form-data; boundary=B\r\nContent-Length: 1000\r\n");
    while (running == 0)
        pause_ms(5);
    int64_t begun = clock_monotonic_ms();
    server_close(s);
    assert_true(clock_monotonic_ms() - begun < 5000);
    assert_int_equal(upload_outcome, ERR_IO);
    assert_true(http_is_closed(fd, 1000));
    (void)close(fd);
}

/* A body that ends when the time of those that run has run out, and before the library has stopped: its
 * server's thread is held up meanwhile, as a busy machine would. */
static void nothing_begins_to_wait_while_closing(void **state)
{
    static const struct {
        const char *line, *fields, *rest;
    } rows[] = {
        {"POST /json", "Content-Length: 2\r\n", "}"},
        {"POST /upload", "Content-Type: multipart/form-data; boundary=B\r\nContent-Length: 1000\r\n", "-"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct server *s = open_with(50);
        pthread_t thread;
        int slow = say(s, rows[i].line, rows[i].fields), first = http_connect(server_url(s)),
            second = http_connect(server_url(s));
        char request[256];
        assert_true(http_say(slow, i == 0 ? "{" : "-"));
        (void)snprintf(request, sizeof request, "GET /block HTTP/1.1\r\nHost: %s\r\n\r\n",
                       strstr(server_url(s), "//") + 2);
        pause_ms(50);
        assert_true(http_say(first, request)); /* both that follow are there when it looks again */
        while (blocked < 1)
            pause_ms(5);
        assert_true(http_say(second, request));
        pause_ms(10);
        assert_true(http_say(slow, rows[i].rest));
        while (blocked < 2)
            pause_ms(5);
        assert_int_equal(pthread_create(&thread, NULL, close_server, s), 0);
        (void)pthread_join(thread, NULL);
        http_read(slow, &a, false, 1000);
        assert_int_equal(a.status, 0);
        (void)close(slow);
        (void)close(first);
        (void)close(second);
    }
}

/* As many as there are threads: some wait, and what is short does not. Those that wait have their turn. */
static void uploads_leave_threads_to_others(void **state)
{
    static const char FORM[] = "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n",
                      END[] = "x\r\n--B--\r\n";
    struct server *s = open_with(10000);
    int fds[LIMIT_WORKERS], asked;
    char fields[128];

    (void)state;
    (void)snprintf(fields, sizeof fields,
                   "Content-Type: multipart/form-data; boundary=B\r\nContent-Length: %zu\r\n",
                   sizeof FORM - 1 + sizeof END - 1);
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = say(s, "POST /upload", fields);
        assert_true(http_say(fds[i], FORM));
    }
    while (running < LIMIT_WORKERS * 3 / 4)
        pause_ms(5);
    asked = say(s, "GET /nap", "");
    http_read(asked, &a, false, 2000);
    assert_int_equal(a.status, 200);
    assert_int_equal(running, LIMIT_WORKERS * 3 / 4 + 1);
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        assert_true(http_say(fds[i], END));
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        http_read(fds[i], &a, false, 2000);
        assert_int_equal(a.status, 200);
        assert_string_equal(a.body, "1");
        (void)close(fds[i]);
    }
    (void)close(asked);
    server_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uploads_leave_threads_to_others),
        cmocka_unit_test(closing_lets_a_running_handler_end),
        cmocka_unit_test(closing_cuts_an_upload_that_does_not_end),
        cmocka_unit_test(nothing_begins_to_wait_while_closing),
    };
    json_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
