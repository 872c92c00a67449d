/* Deadlines: who dribbles is cut, who keeps the pace is served, and nobody else notices. */
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

static enum err hello(struct request *q, struct response *r, void *context)
{
    (void)q;
    (void)context;
    buf_text(&r->body, "hello");
    return ERR_OK;
}

static enum err echo(struct request *q, struct response *r, void *context)
{
    (void)context;
    buf_printf(&r->body, "%zu", q->body.len);
    return ERR_OK;
}

/* A stream of events: three words with silence between, then silence for ever. */
struct ticker {
    int64_t next_ms;
    int said;
};
static atomic_int freed, asked;

static enum err tick(void *context, char *out, size_t size, size_t *got)
{
    struct ticker *t = context;

    (void)size;
    atomic_fetch_add(&asked, 1);
    if (clock_monotonic_ms() < t->next_ms || t->said == 3)
        return ERR_BUSY;
    t->next_ms = clock_monotonic_ms() + 40;
    t->said++;
    static const char word[] = {'t', 'i', 'c', 'k', '\n'};
    memcpy(out, word, sizeof word);
    *got = sizeof word;
    return ERR_OK;
}

static void tick_free(void *context)
{
    atomic_fetch_add(&freed, 1);
    mem_free(context);
}

static enum err events(struct request *q, struct response *r, void *context)
{
    (void)q;
    (void)context;
    if (!(r->source_context = mem_new(sizeof(struct ticker))))
        return err_set(ERR_NO_MEMORY, "a ticker");
    r->type = "text/event-stream";
    r->source = tick;
    r->source_free = tick_free;
    return ERR_OK;
}

/* So many kilobytes, then an end or a failure. */
static enum err pour(void *context, char *out, size_t size, size_t *got)
{
    int *left = context;

    assert_true(size >= 4096 && size <= 65536);
    size = 4096;
    if (*left == -1)
        return err_set(ERR_IO, "a source that fails");
    memset(out, 'x', size);
    *got = *left < 4 ? 0 : size;
    *left = *left < 4 ? *left : *left - 4;
    if (*left == 1)
        *left = -1;
    return ERR_OK;
}

static enum err stream(struct request *q, struct response *r, void *context)
{
    int *left = mem_new(sizeof *left);

    (void)context;
    if (!left)
        return err_set(ERR_NO_MEMORY, "a stream");
    *left = str_eq(q->params[0], STR("whole")) ? 40 : 41;
    r->source = pour;
    r->source_context = left;
    r->source_free = tick_free;
    return ERR_OK;
}

static enum err large(struct request *q, struct response *r, void *context)
{
    static const char much[16 << 20]; /* more than any socket takes */

    (void)q;
    (void)context;
    r->fixed = much;
    r->fixed_len = sizeof much;
    return ERR_OK;
}

static const struct route ROUTES[] = {
    {"GET", "/large", 0, BODY_NONE, RUN_INLINE, large, ""},
    {"GET", "/", 0, BODY_NONE, RUN_INLINE, hello, ""},
    {"POST", "/json", 0, BODY_JSON, RUN_WORKER, echo, ""},
    {"GET", "/events", 0, BODY_NONE, RUN_WORKER, events, ""},
    {"GET", "/stream/:how", 0, BODY_NONE, RUN_INLINE, stream, ""},
};

static struct server *server;
static char host[64];
static struct answer a;

static int setup(void **state)
{
    struct pace pace = PACE_DEFAULT;
    struct server_options o = {.listen = "127.0.0.1:0", .routes = ROUTES, .route_count = COUNT_OF(ROUTES)};

    (void)state;
    pace.header_ms = 300;
    pace.grace_ms = 300;
    pace.idle_ms = 700;
    pace.body_bytes_per_s = 1024;
    atomic_store(&freed, 0);
    if (server_open_paced(&o, &pace, &server))
        return -1;
    (void)snprintf(host, sizeof host, "%s", server_url(server) + strlen("http://"));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    server_close(server);
    return 0;
}

static int say(const char *line, const char *fields)
{
    char request[1024];
    int fd = http_connect(server_url(server));

    (void)snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: %s\r\n%s\r\n", line, host, fields);
    assert_true(http_say(fd, request));
    return fd;
}

/* One byte now and then until the server hangs up; after how long it did. */
static int64_t dribble(int fd, const char *text, int every_ms)
{
    int64_t begun = clock_monotonic_ms();

    for (size_t i = 0; !http_is_closed(fd, every_ms) && clock_monotonic_ms() - begun < 5000; i++)
        (void)http_send(fd, &text[i % strlen(text)], 1); /* the next round sees a closed connection */
    return clock_monotonic_ms() - begun;
}

static void dribbled_head_is_cut_at_the_deadline(void **state)
{
    int fd = http_connect(server_url(server));

    (void)state;
    assert_in_range(dribble(fd, "GET / HTTP/1.1\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 20), 250, 3000);
    (void)close(fd);
}

static void dribbled_second_head_is_cut_too(void **state)
{
    int fd = say("GET /", "");

    (void)state;
    http_read(fd, &a, false, 1000);
    assert_int_equal(a.status, 200);
    pause_ms(150);
    assert_in_range(dribble(fd, "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 20), 250, 3000);
    (void)close(fd);
}

static void dribbled_fields_of_a_second_request_are_cut(void **state)
{
    char line[128];
    int fd = say("GET /", "");

    (void)state;
    http_read(fd, &a, false, 1000);
    (void)snprintf(line, sizeof line, "GET / HTTP/1.1\r\nHost: %s\r\nX: ", host);
    assert_true(http_say(fd, line));
    assert_in_range(dribble(fd, "a", 20), 250, 3000);
    (void)close(fd);
}

static void idle_connection_is_closed(void **state)
{
    int fd = say("GET /", "");
    int64_t begun = clock_monotonic_ms();

    (void)state;
    http_read(fd, &a, false, 1000);
    assert_false(a.closed);
    assert_true(http_is_closed(fd, 3000));
    assert_in_range(clock_monotonic_ms() - begun, 600, 3000);
    (void)close(fd);
}

static void dribbled_body_is_cut_after_its_grace(void **state)
{
    int fd = say("POST /json", "Content-Length: 100000\r\n");

    (void)state;
    assert_in_range(dribble(fd, "x", 20), 250, 3000);
    (void)close(fd);
    fd = say("POST /json", "Transfer-Encoding: chunked\r\n");
    assert_in_range(dribble(fd, "1\r\nx\r\n", 5), 250, 3000);
    (void)close(fd);
}

static void good_start_does_not_buy_a_slow_end(void **state)
{
    static const char much[100000];
    int fd = say("POST /json", "Content-Length: 200000\r\n");

    (void)state;
    assert_true(http_send(fd, much, sizeof much));
    assert_in_range(dribble(fd, "x", 20), 250, 3000);
    (void)close(fd);
}

static void body_that_keeps_the_pace_is_taken(void **state)
{
    static const char piece[200];
    int fd = say("POST /json", "Content-Length: 4000\r\n");

    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_true(http_send(fd, piece, sizeof piece));
        pause_ms(50);
    }
    http_read(fd, &a, false, 2000);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "4000");
    (void)close(fd);
}

static struct server *open_patiently(void)
{
    struct pace pace = PACE_DEFAULT; /* an idle time that does not help */
    struct server_options o = {.listen = "127.0.0.1:0", .routes = ROUTES, .route_count = COUNT_OF(ROUTES)};
    struct server *s = NULL;

    pace.grace_ms = 300;
    assert_ok(server_open_paced(&o, &pace, &s));
    return s;
}

static int connect_narrowly(const struct server *s)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), room = 2048;

    to.sin_port = htons((uint16_t)strtol(strrchr(server_url(s), ':') + 1, NULL, 10));
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static bool is_served_by(const struct server *s)
{
    char request[128];
    int fd = http_connect(server_url(s));

    (void)snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", server_url(s) + 7);
    assert_true(http_say(fd, request));
    http_read(fd, &a, false, 1000);
    (void)close(fd);
    return a.status == 200;
}

/* As many bytes every so often, until the connection is reset; after how long that was. */
static int64_t sip(int fd, size_t size, int every_ms, int64_t most_ms)
{
    int64_t begun = clock_monotonic_ms();
    struct pollfd p = {.fd = fd};
    char piece[4096];

    while (poll(&p, 1, 0) == 0 && http_hear(fd, piece, size, 5000) > 0 &&
           clock_monotonic_ms() - begun < most_ms)
        pause_ms(every_ms);
    return clock_monotonic_ms() - begun;
}

static void answer_read_in_sips_is_cut(void **state)
{
    AUTO(server_closep) struct server *s = open_patiently();
    char request[256];

    (void)state;
    for (int i = 0; i < 2; i++) { /* one large answer; many small ones, asked for all at once */
        int fd = connect_narrowly(s);
        (void)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", i ? "/" : "/large",
                       server_url(s) + 7);
        for (int k = 0; k < (i ? 20000 : 1) && send(fd, request, strlen(request), MSG_DONTWAIT) > 0; k++)
            ;
        assert_in_range(sip(fd, 16, 60, 5000), 250, 4000);
        (void)close(fd);
        assert_true(is_served_by(s));
    }
}

static void answer_read_slowly_but_steadily_is_given(void **state)
{
    AUTO(server_closep) struct server *s = open_patiently();
    char request[256];
    int fd = connect_narrowly(s);

    (void)state;
    (void)snprintf(request, sizeof request, "GET /large HTTP/1.1\r\nHost: %s\r\n\r\n", server_url(s) + 7);
    assert_true(http_say(fd, request));
    assert_true(sip(fd, 1000, 20, 2000) >= 2000);
    (void)close(fd);
}

static void slow_crowd_leaves_others_served(void **state)
{
    int crowd[200];
    int64_t worst = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(crowd); i++) {
        crowd[i] = i % 2 ? say("POST /json", "Content-Length: 100000\r\n") : http_connect(server_url(server));
        assert_true(crowd[i] >= 0);
    }
    for (int i = 0; i < 50; i++) {
        int64_t begun = clock_monotonic_ms();
        int fd = say("GET /", "");
        http_read(fd, &a, false, 1000);
        (void)close(fd);
        assert_int_equal(a.status, 200);
        worst = clock_monotonic_ms() - begun > worst ? clock_monotonic_ms() - begun : worst;
    }
    assert_true(worst < 1000);
    for (size_t i = 0; i < COUNT_OF(crowd); i++) {
        assert_true(http_is_closed(crowd[i], 2000));
        (void)close(crowd[i]);
    }
}

static void stream_sleeps_between_its_words(void **state)
{
    char heard[4096];
    size_t len = 0;
    int fd = say("GET /events", "");

    (void)state;
    atomic_store(&asked, 0);
    while (len < sizeof heard - 1) {
        ssize_t n = http_hear(fd, heard + len, sizeof heard - 1 - len, 500);
        if (n <= 0)
            break;
        len += (size_t)n;
        heard[len] = '\0';
    }
    assert_non_null(strstr(heard, "Transfer-Encoding: chunked"));
    assert_int_equal(strncmp(heard + len - 30, "5\r\ntick\n\r\n5\r\ntick\n\r\n5\r\ntick\n\r\n", 30), 0);
    assert_true(asked < 200); /* nobody turns in circles */
    assert_int_equal(freed, 0);
    (void)close(fd);
    for (int i = 0; i < 100 && freed == 0; i++)
        pause_ms(20);
    assert_int_equal(freed, 1); /* it was noticed that the client left */
}

static void closing_ends_a_stream(void **state)
{
    int fd = say("GET /events", "");
    int64_t begun = clock_monotonic_ms();

    (void)state;
    pause_ms(100);
    server_close(server);
    server = NULL;
    assert_true(clock_monotonic_ms() - begun < 5000);
    assert_int_equal(freed, 1);
    (void)close(fd);
}

static void stream_ends_or_is_cut(void **state)
{
    int fd = say("GET /stream/whole", "");

    (void)state;
    http_read(fd, &a, false, 2000);
    assert_int_equal(a.status, 200);
    assert_false(a.closed);
    assert_string_equal(http_header(&a, "Transfer-Encoding"), "chunked");
    (void)close(fd);
    fd = say("GET /stream/cut", "");
    http_read(fd, &a, false, 2000);
    assert_true(a.closed);
    assert_memory_not_equal(a.body + a.body_len - 5, "0\r\n\r\n", 5);
    (void)close(fd);
    fd = say("HEAD /stream/whole", "");
    http_read(fd, &a, true, 2000);
    assert_int_equal(a.status, 200);
    (void)close(fd);
    for (int i = 0; i < 100 && freed < 3; i++)
        pause_ms(10);
    assert_int_equal(freed, 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(dribbled_head_is_cut_at_the_deadline),
        TEST(dribbled_second_head_is_cut_too),
        TEST(dribbled_fields_of_a_second_request_are_cut),
        TEST(idle_connection_is_closed),
        TEST(dribbled_body_is_cut_after_its_grace),
        TEST(good_start_does_not_buy_a_slow_end),
        TEST(body_that_keeps_the_pace_is_taken),
        TEST(answer_read_in_sips_is_cut),
        TEST(answer_read_slowly_but_steadily_is_given),
        TEST(slow_crowd_leaves_others_served),
        TEST(stream_sleeps_between_its_words),
        TEST(closing_ends_a_stream),
        TEST(stream_ends_or_is_cut),
    };
    json_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
