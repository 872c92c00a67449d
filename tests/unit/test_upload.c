/* An upload between the server's thread and its reader. */
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/json.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/httpd/pace.h"
#include "pds/httpd/upload.h"
#include "tests/integration/http_client.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

static void pause_ms(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

    (void)nanosleep(&t, NULL);
}

#define TYPE  "multipart/form-data; boundary=B"
#define BEGIN "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n"
#define CLOSE "\r\n--B--\r\n"

struct fixture {
    struct gate gate;
    struct arena arena;
    struct upload *upload;
    int resumed;
};

static void count_resume(void *what) { ((struct fixture *)what)->resumed++; }

static void fixture_init(struct fixture *f, uint64_t max)
{
    memset(f, 0, sizeof *f);
    gate_init(&f->gate, count_resume, f);
    arena_init(&f->arena, 65536);
    f->upload = upload_new(&f->gate, &f->arena, STR(TYPE), max);
    assert_non_null(f->upload);
}

static void fixture_done(struct fixture *f)
{
    upload_free(f->upload);
    arena_done(&f->arena);
    gate_done(&f->gate);
}

static size_t feed(struct fixture *f, const char *bytes, size_t len)
{
    gate_lock(&f->gate);
    size_t taken = upload_feed(f->upload, bytes, len);
    gate_unlock(&f->gate);
    return taken;
}

static void end(struct fixture *f)
{
    gate_lock(&f->gate);
    upload_end(f->upload);
    gate_unlock(&f->gate);
}

static void reader_gets_what_was_fed(void **state)
{
    struct fixture f;
    struct str field = {0}, name = {0};
    char bytes[16];
    size_t got = 0;

    (void)state;
    fixture_init(&f, 1000);
    assert_err(upload_read(f.upload, bytes, sizeof bytes, &got), ERR_INTERNAL);
    assert_false(upload_is_wanted(f.upload));
    static const char body[] =
        "--B\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhi\r\n" BEGIN "abc" CLOSE;
    assert_int_equal(feed(&f, body, sizeof body - 1), sizeof body - 1);
    end(&f);
    f.gate.suspended = true; /* held at the head */
    assert_ok(upload_next(f.upload, &field, &name));
    assert_int_equal(f.resumed, 1);
    assert_true(upload_is_wanted(f.upload));
    assert_true(str_eq(field, STR("file"))); /* plain fields are passed over */
    assert_true(str_eq(name, STR("a.csv")));
    assert_ok(upload_read(f.upload, bytes, sizeof bytes, &got));
    assert_int_equal(got, 3);
    assert_memory_equal(bytes, "abc", 3);
    assert_ok(upload_read(f.upload, bytes, sizeof bytes, &got));
    assert_int_equal(got, 0);
    assert_err(upload_next(f.upload, &field, &name), ERR_NOT_FOUND);
    fixture_done(&f);
}

static void plain_fields_are_told_to_who_asks(void **state)
{
    struct fixture f;
    struct str field = {0}, name = {0};
    char bytes[16];
    size_t got = 0;

    (void)state;
    fixture_init(&f, 1000);
    static const char body[] =
        "--B\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhi\r\n" BEGIN "abc" CLOSE;
    assert_int_equal(feed(&f, body, sizeof body - 1), sizeof body - 1);
    end(&f);
    assert_ok(upload_next_part(f.upload, &field, &name));
    assert_true(str_eq(field, STR("note")));
    assert_null(name.ptr);
    assert_ok(upload_read(f.upload, bytes, sizeof bytes, &got));
    assert_int_equal(got, 2);
    assert_memory_equal(bytes, "hi", 2);
    assert_ok(upload_next_part(f.upload, &field, &name));
    assert_true(str_eq(name, STR("a.csv")));
    assert_err(upload_next_part(f.upload, &field, &name), ERR_NOT_FOUND);
    fixture_done(&f);
}

static void full_queue_waits_for_half_of_it(void **state)
{
    struct fixture f;
    struct str field, name;
    static char much[2 * LIMIT_UPLOAD_QUEUE_BYTES], bytes[4096];
    size_t got = 0, read = 0, sent;

    (void)state;
    memset(much, 'x', sizeof much);
    memcpy(much, BEGIN, sizeof BEGIN - 1);
    fixture_init(&f, sizeof much);
    sent = feed(&f, much, sizeof much);
    assert_int_equal(sent, LIMIT_UPLOAD_QUEUE_BYTES);
    assert_int_equal(feed(&f, much, 1), 0);
    assert_ok(upload_next(f.upload, &field, &name));
    f.gate.suspended = true;
    while (read < LIMIT_UPLOAD_QUEUE_BYTES / 4) {
        assert_ok(upload_read(f.upload, bytes, sizeof bytes, &got));
        read += got;
    }
    assert_int_equal(f.resumed, 0);
    while (read < LIMIT_UPLOAD_QUEUE_BYTES * 3 / 4) {
        assert_ok(upload_read(f.upload, bytes, sizeof bytes, &got));
        read += got;
    }
    assert_int_equal(f.resumed, 1);
    assert_true(feed(&f, much + sent, 1000) == 1000); /* round the end of the ring */
    fixture_done(&f);
}

static void ceiling_is_told_to_the_reader(void **state)
{
    struct fixture f;
    struct str field, name;
    char bytes[200];
    size_t got = 1;
    enum err e = ERR_OK;

    (void)state;
    fixture_init(&f, sizeof BEGIN + 10);
    assert_int_equal(feed(&f, BEGIN, sizeof BEGIN - 1), sizeof BEGIN - 1);
    assert_int_equal(feed(&f, "12345", 5), 5);
    assert_int_equal(feed(&f, "1234567", 7), 7); /* thrown away */
    e = upload_next(f.upload, &field, &name);
    while (!e && got > 0)
        e = upload_read(f.upload, bytes, sizeof bytes, &got);
    assert_int_equal(e, ERR_TOO_LARGE);
    fixture_done(&f);
}

static void *leave_soon(void *context)
{
    struct fixture *f = context;

    pause_ms(50);
    gate_leave(&f->gate);
    return NULL;
}

static void reader_wakes_when_the_client_leaves(void **state)
{
    struct fixture f;
    struct str field, name;
    pthread_t thread;

    (void)state;
    fixture_init(&f, 1000);
    assert_int_equal(pthread_create(&thread, NULL, leave_soon, &f), 0);
    assert_err(upload_next(f.upload, &field, &name), ERR_IO);
    (void)pthread_join(thread, NULL);
    fixture_done(&f);
}

static void *stop_soon(void *context)
{
    struct fixture *f = context;

    pause_ms(50);
    gate_lock(&f->gate);
    upload_stop(f->upload);
    gate_unlock(&f->gate);
    return NULL;
}

static void reader_wakes_when_the_upload_is_stopped(void **state)
{
    struct fixture f;
    struct str field, name;
    pthread_t thread;

    (void)state;
    fixture_init(&f, 1000);
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, &f), 0);
    assert_err(upload_next(f.upload, &field, &name), ERR_BUSY);
    (void)pthread_join(thread, NULL);
    fixture_done(&f);
}

/* The same over a socket. */
static atomic_int begun, outcome, go_on;
static atomic_size_t total;

static enum err take(struct request *q, struct response *r, void *context)
{
    struct str field = {0}, name = {0};
    char piece[16384];
    size_t got = 1;
    enum err e;

    (void)context;
    if (!(e = upload_next(q->upload, &field, &name))) {
        atomic_store(&begun, 1);
        while (!go_on)
            pause_ms(5);
        for (; got > 0 && !(e = upload_read(q->upload, piece, sizeof piece, &got)); total += got)
            if (go_on == 2 && total > 1000000) /* had enough: an error in line 12 */
                return err_set(ERR_INVALID, "line 12");
    }
    atomic_store(&outcome, (int)e);
    buf_printf(&r->body, "%zu", total);
    return e;
}

static enum err for_ever(void *context, char *out, size_t size, size_t *got)
{
    (void)context;
    memset(out, 'x', size);
    *got = size;
    return ERR_OK;
}

static atomic_int freed;
static void count_free(void *context)
{
    (void)context;
    atomic_fetch_add(&freed, 1);
}

static enum err stream(struct request *q, struct response *r, void *context)
{
    (void)q;
    (void)context;
    r->source = for_ever;
    r->source_free = count_free;
    return ERR_OK;
}

static enum err whole(struct request *q, struct response *r, void *context)
{
    (void)q;
    (void)context;
    buf_text(&r->body, "whole");
    return ERR_OK;
}

static const struct route ROUTES[] = {{"POST", "/upload", 0, BODY_UPLOAD, RUN_WORKER, take, ""},
                                      {"GET", "/stream", 0, BODY_NONE, RUN_WORKER, stream, ""},
                                      {"GET", "/whole", 0, BODY_NONE, RUN_WORKER, whole, ""}};
static struct server *server;
static struct answer a;

static int setup(void **state)
{
    struct server_options o = {.listen = "127.0.0.1:0", .routes = ROUTES, .route_count = COUNT_OF(ROUTES)};

    (void)state;
    begun = go_on = 0;
    outcome = -1;
    total = 0;
    return server_open(&o, &server) ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    server_close(server);
    return 0;
}

static int begin(size_t size)
{
    char head[512];
    int fd = http_connect(server_url(server));

    (void)snprintf(head, sizeof head,
                   "POST /upload HTTP/1.1\r\nHost: %s\r\nContent-Type: " TYPE
                   "\r\nContent-Length: %zu\r\n\r\n" BEGIN,
                   server_url(server) + 7, size + sizeof BEGIN - 1 + sizeof CLOSE - 1);
    assert_true(http_say(fd, head));
    return fd;
}

/* As much as the kernel and the server take within a moment without anybody reading. */
static size_t push(int fd, const char *bytes, size_t len)
{
    size_t sent = 0;

    for (int quiet = 0; sent < len && quiet < 20;) {
        ssize_t n = send(fd, bytes + sent, len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            quiet++;
            pause_ms(10);
            continue;
        }
        assert_true(n > 0);
        quiet = 0;
        sent += (size_t)n;
    }
    return sent;
}

static void slow_reader_slows_its_sender_down(void **state)
{
    size_t size = 64 << 20;
    char *bytes = mem_new(size);

    (void)state;
    assert_non_null(bytes);
    int fd = begin(size);
    size_t sent = push(fd, bytes, size);
    assert_true(sent < size / 2); /* the rest waits in the sender, not in the server */
    assert_int_equal(begun, 1);
    atomic_store(&go_on, 1);
    assert_true(http_send(fd, bytes + sent, size - sent));
    assert_true(http_say(fd, CLOSE));
    http_read(fd, &a, false, 5000);
    assert_int_equal(a.status, 200);
    assert_int_equal(total, size);
    assert_false(a.closed);
    (void)close(fd);
    mem_free(bytes);
}

static void client_that_leaves_is_noticed_at_once(void **state)
{
    int fd = begin(1000000);

    (void)state;
    atomic_store(&go_on, 1);
    assert_true(http_say(fd, "some bytes"));
    while (begun == 0)
        pause_ms(5);
    (void)close(fd);
    for (int i = 0; i < 50 && outcome == -1; i++)
        pause_ms(10);
    assert_int_equal(outcome, ERR_IO);
}

static void refusal_in_the_middle_is_heard(void **state)
{
    size_t size = 8 << 20;
    char *bytes = mem_new(size);

    (void)state;
    assert_non_null(bytes);
    atomic_store(&go_on, 2);
    int fd = begin(size);
    assert_true(http_send(fd, bytes, size));
    assert_true(http_say(fd, CLOSE));
    http_read(fd, &a, false, 5000);
    assert_int_equal(a.status, 400);
    assert_true(a.closed);
    (void)close(fd);
    mem_free(bytes);
}

/* Nobody reads the stream, nobody goes on with the upload: both end at once, and who is short stays. */
static void what_may_last_can_be_cut(void **state)
{
    static char much[4000000];
    char head[256];
    int upload = begin(sizeof much), reader = http_connect(server_url(server)),
        idle = http_connect(server_url(server));

    (void)state;
    go_on = 1;
    freed = 0;
    (void)snprintf(head, sizeof head, "GET /stream HTTP/1.1\r\nHost: %s\r\n\r\n", server_url(server) + 7);
    assert_true(http_say(reader, head));
    (void)snprintf(head, sizeof head, "GET /whole HTTP/1.1\r\nHost: %s\r\n\r\n", server_url(server) + 7);
    assert_true(http_say(idle, head));
    http_read(idle, &a, false, 3000);
    assert_int_equal(a.status, 200);
    assert_true(push(upload, much, 1000) == 1000);
    pause_ms(200);
    assert_int_equal(freed, 0);
    assert_int_equal(outcome, -1);
    server_cut_long(server);
    for (int i = 0; i < 100 && (freed == 0 || outcome == -1); i++)
        pause_ms(10);
    assert_int_equal(freed, 1);
    assert_int_equal(outcome, ERR_BUSY);
    assert_true(http_say(idle, head));
    http_read(idle, &a, false, 3000);
    assert_int_equal(a.status, 200);
    (void)close(upload);
    (void)close(reader);
    (void)close(idle);
}

static void many_uploads_at_once(void **state)
{
    static char bytes[300000];
    int fds[12];

    (void)state;
    atomic_store(&go_on, 1);
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fds[i] = begin(sizeof bytes);
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        assert_true(http_send(fds[i], bytes, sizeof bytes));
        assert_true(http_say(fds[i], CLOSE));
    }
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        http_read(fds[i], &a, false, 5000);
        assert_int_equal(a.status, 200);
        (void)close(fds[i]);
    }
    assert_int_equal(total, COUNT_OF(fds) * sizeof bytes);
}

#define SERVED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_gets_what_was_fed),
        cmocka_unit_test(plain_fields_are_told_to_who_asks),
        cmocka_unit_test(full_queue_waits_for_half_of_it),
        cmocka_unit_test(ceiling_is_told_to_the_reader),
        cmocka_unit_test(reader_wakes_when_the_client_leaves),
        cmocka_unit_test(reader_wakes_when_the_upload_is_stopped),
        SERVED(what_may_last_can_be_cut),
        SERVED(slow_reader_slows_its_sender_down),
        SERVED(client_that_leaves_is_noticed_at_once),
        SERVED(refusal_in_the_middle_is_heard),
        SERVED(many_uploads_at_once),
    };
    json_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
