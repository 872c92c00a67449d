/* Bodies made while they are sent: who makes them holds up nobody else. */
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/json.h"
#include "pds/base/mem.h"
#include "pds/httpd/pace.h"
#include "tests/integration/http_client.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { PIECES = 4, PIECE_MS = 250 };

static atomic_int making, made, freed, at_once;

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

/* Each piece is full of its number, and takes its time. */
static enum err grind(void *context, char *out, size_t size, size_t *got)
{
    int *n = context;

    assert_true(atomic_fetch_add(&at_once, 1) < 3);
    atomic_fetch_add(&making, 1);
    pause_ms(PIECE_MS);
    memset(out, '0' + *n, size);
    *got = *n == PIECES ? 0 : size;
    ++*n;
    atomic_fetch_add(&made, 1);
    atomic_fetch_sub(&at_once, 1);
    return ERR_OK;
}

static void grind_free(void *context)
{
    atomic_fetch_add(&freed, 1);
    mem_free(context);
}

static enum err slow(struct request *q, struct response *r, void *context)
{
    (void)q;
    (void)context;
    if (!(r->source_context = mem_new(sizeof(int))))
        return err_set(ERR_NO_MEMORY, "a number");
    r->source = grind;
    r->source_free = grind_free;
    return ERR_OK;
}

/* A file: what its size is told to be, and what comes. */
static atomic_size_t told, given;

static char byte_of(size_t i) { return (char)(i * 31 % 251); }

static enum err give(void *context, char *out, size_t size, size_t *got)
{
    size_t *at = context, all = given, len = all - *at < size ? all - *at : size;

    if (len > 70000)
        len = 70000; /* pieces need not be full */
    for (size_t i = 0; i < len; i++)
        out[i] = byte_of(*at + i);
    *at += len;
    *got = len;
    return ERR_OK;
}

static enum err file(struct request *q, struct response *r, void *context)
{
    (void)q;
    (void)context;
    if (!(r->source_context = mem_new(sizeof(size_t))))
        return err_set(ERR_NO_MEMORY, "a place");
    r->source = give;
    r->source_free = grind_free;
    r->sized = true;
    r->source_bytes = told;
    return ERR_OK;
}

static const struct route ROUTES[] = {
    {"GET", "/file", 0, BODY_NONE, RUN_WORKER, file, ""},
    {"GET", "/", 0, BODY_NONE, RUN_INLINE, hello, ""},
    {"GET", "/work", 0, BODY_NONE, RUN_WORKER, hello, ""},
    {"GET", "/slow", 0, BODY_NONE, RUN_INLINE, slow, ""},
};

static struct server *open_with(unsigned workers, int close_ms, unsigned waiting)
{
    struct pace pace = PACE_DEFAULT;
    struct server_options o = {
        .listen = "127.0.0.1:0", .routes = ROUTES, .route_count = COUNT_OF(ROUTES), .workers = workers};
    struct server *s = NULL;

    pace.close_ms = close_ms;
    pace.waiting = waiting;
    making = made = freed = at_once = 0;
    assert_ok(server_open_paced(&o, &pace, &s));
    return s;
}

static int say(const struct server *s, const char *path)
{
    char request[256];
    int fd = http_connect(server_url(s));

    (void)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, server_url(s) + 7);
    assert_true(http_say(fd, request));
    return fd;
}

static struct answer a;

/* How many bytes of each piece came, chunk heads left out; whether the last chunk did. */
static bool hear_all(int fd, size_t counts[static PIECES])
{
    static char heard[PIECES * 65536 + 16384];
    size_t len = 0;
    ssize_t n;

    memset(counts, 0, PIECES * sizeof *counts);
    while (len < sizeof heard && (n = http_hear(fd, heard + len, sizeof heard - len, 3000)) > 0) {
        len += (size_t)n;
        if (len > 5 && memcmp(heard + len - 5, "0\r\n\r\n", 5) == 0)
            break;
    }
    for (size_t i = 0, run = 0; i < len; i++) {
        run = i > 0 && heard[i] == heard[i - 1] ? run + 1 : 0;
        if (run > 100 && heard[i] >= '0' && heard[i] < '0' + PIECES)
            counts[heard[i] - '0']++;
    }
    return len > 5 && memcmp(heard + len - 5, "0\r\n\r\n", 5) == 0;
}

static void others_are_served_meanwhile(void **state)
{
    AUTO(server_closep) struct server *s = open_with(4, 5000, 128);
    size_t counts[PIECES];
    int64_t worst = 0;
    int fds[2] = {say(s, "/slow"), say(s, "/slow")};

    (void)state;
    while (making == 0)
        pause_ms(1);
    for (int i = 0; i < 40; i++) {
        int64_t begun = clock_monotonic_ms();
        int fd = say(s, i % 2 ? "/" : "/work");
        http_read(fd, &a, false, 2000);
        (void)close(fd);
        assert_int_equal(a.status, 200);
        worst = clock_monotonic_ms() - begun > worst ? clock_monotonic_ms() - begun : worst;
        pause_ms(5);
    }
    assert_true(worst < PIECE_MS / 2);
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        assert_true(hear_all(fds[i], counts));
        for (size_t n = 0; n < PIECES; n++) /* in order and whole, but for what the search leaves out */
            assert_in_range(counts[n], 65536 - 300, 65536);
        (void)close(fds[i]);
    }
    for (int i = 0; i < 100 && freed < 2; i++)
        pause_ms(10);
    assert_int_equal(freed, 2);
}

static void it_waits_when_workers_are_few(void **state)
{
    AUTO(server_closep) struct server *s = open_with(1, 5000, 1);
    size_t counts[PIECES];
    int fds[3];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fds[i] = say(s, "/slow");
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        assert_true(hear_all(fds[i], counts));
        (void)close(fds[i]);
    }
}

static void closing_leaves_a_piece_behind(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        struct server *s = open_with(1, round * 100, 128);
        int fds[3] = {say(s, "/slow"), say(s, "/slow"), say(s, "/slow")};
        while (making == 0)
            pause_ms(1);
        pause_ms(10);
        server_close(s);
        assert_int_equal(freed, COUNT_OF(fds));
        assert_true(made <= 3);
        for (size_t i = 0; i < COUNT_OF(fds); i++)
            (void)close(fds[i]);
    }
}

static void client_that_leaves_frees_it(void **state)
{
    AUTO(server_closep) struct server *s = open_with(1, 5000, 128);
    int fd = say(s, "/slow");

    (void)state;
    while (making == 0)
        pause_ms(1);
    (void)close(fd);
    for (int i = 0; i < 300 && freed == 0; i++)
        pause_ms(10);
    assert_int_equal(freed, 1);
    assert_true(made < PIECES);
}

static void a_file_comes_with_its_size_and_no_more(void **state)
{
    static const struct {
        const char *name;
        size_t told, given, comes;
    } ROWS[] = {
        {"one piece", 1000, 1000, 1000},
        {"many pieces", 1000000, 1000000, 1000000},
        {"empty", 0, 0, 0},
        {"more than told", 100000, 300000, 100000},
        {"less than told", 300000, 1, 1},
        {"nothing of it", 300000, 0, 0},
    };
    AUTO(server_closep) struct server *s = open_with(2, 5000, 128);
    static char heard[1000000 + 16384];
    char length[64];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        size_t len = 0, body;
        const char *end = NULL;
        ssize_t n;
        told = ROWS[i].told;
        given = ROWS[i].given;
        int fd = say(s, "/file");
        while ((n = http_hear(fd, heard + len, sizeof heard - 1 - len, 300)) > 0) {
            len += (size_t)n;
            heard[len] = '\0';
            end = memmem(heard, len, "\r\n\r\n", 4);
            if (end && len - (size_t)(end + 4 - heard) >= ROWS[i].told)
                break;
        }
        (void)close(fd);
        assert_row(ROWS[i].name, end);
        body = len - (size_t)(end + 4 - heard);
        (void)snprintf(length, sizeof length, "Content-Length: %zu\r\n", ROWS[i].told);
        assert_row(ROWS[i].name, memmem(heard, len, length, strlen(length)) && body == ROWS[i].comes);
        for (size_t b = 0; end && b < body; b++)
            assert_row(ROWS[i].name, end[4 + b] == byte_of(b));
    }
    for (int i = 0; i < 300 && freed < (int)COUNT_OF(ROWS); i++)
        pause_ms(10);
    assert_int_equal(freed, COUNT_OF(ROWS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_are_served_meanwhile),
        cmocka_unit_test(it_waits_when_workers_are_few),
        cmocka_unit_test(closing_leaves_a_piece_behind),
        cmocka_unit_test(client_that_leaves_frees_it),
        cmocka_unit_test(a_file_comes_with_its_size_and_no_more),
    };
    json_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
