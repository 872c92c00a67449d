/* Load on an HTTP server of this machine: bench_load PORT CONNECTIONS SECONDS FIRST METHOD PATH BODY
 * [HEADER…].
 *
 * Each connection sends its next request when it has the whole answer to the last one. Request number n,
 * counted from FIRST, fills in @start@ and @end@ (a minute of its own), @year@ and @next@ (1 January of one
 * of nine years), @day@ and @morrow@ (one of 3,000 days and the day after) in PATH and BODY. What ends in the
 * first half second warms up and is not counted. Prints one JSON object; "next" is the first number that no
 * request has had. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 256, REQUEST_BYTES = 16384, HEAD_BYTES = 16384, READ_BYTES = 131072, MINUTE_S = 60 };
enum { FIRST_DAY = 1072915200, DAYS = 3000, DAY_S = 86400 };
enum { FIRST_INSTANT = 946684800, FIRST_YEAR = 2015, YEARS = 9, WARM_UP_NS = 500000000 };

enum phase { HEAD, LENGTH_BODY, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER };

struct connection {
    int fd;
    char out[REQUEST_BYTES];
    size_t out_len, out_sent;
    enum phase phase;
    char line[HEAD_BYTES]; /* the head, or a chunk's line, until it is whole */
    size_t line_len;
    uint64_t left; /* of the body, or of the chunk */
    int status;
    int64_t sent_at;
};

static struct load {
    int port, epoll;
    const char *method, *path, *body;
    char headers[4096];
    long next;
    int64_t counted_from, until;
    uint32_t *took_us; /* of each counted request */
    size_t count, room;
    long failed;
    int bad_status;
    int64_t last_at;
    int busy;
} load;

static _Noreturn void give_up(const char *what)
{
    (void)fprintf(stderr, "bench_load: %s (%s)\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int write_instant(char *out, size_t size, long minute)
{
    time_t at = FIRST_INSTANT + (time_t)minute * MINUTE_S;
    struct tm t;

    (void)gmtime_r(&at, &t);
    return (int)strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &t);
}

/* Midnight of one of the days after 1 January 2004; neighbours in n lie apart. */
static int write_day(char *out, size_t size, long n, int after)
{
    time_t at = FIRST_DAY + (time_t)(n * 37 % DAYS + after) * DAY_S;
    struct tm t;

    (void)gmtime_r(&at, &t);
    return (int)strftime(out, size, "%Y-%m-%d", &t);
}

/* Write a template with the words of request n filled in; gives the length. */
static size_t fill(char *out, size_t size, const char *text, long n)
{
    char *at = out, *end = out + size - 64;

    while (*text && at < end) {
        if (strncmp(text, "@start@", 7) == 0) {
            at += write_instant(at, 32, n);
            text += 7;
        } else if (strncmp(text, "@end@", 5) == 0) {
            at += write_instant(at, 32, n + 1);
            text += 5;
        } else if (strncmp(text, "@year@", 6) == 0 || strncmp(text, "@next@", 6) == 0) {
            at += snprintf(at, 32, "%ld-01-01", FIRST_YEAR + n % YEARS + (text[1] == 'n'));
            text += 6;
        } else if (strncmp(text, "@day@", 5) == 0) {
            at += write_day(at, 32, n, 0);
            text += 5;
        } else if (strncmp(text, "@morrow@", 8) == 0) {
            at += write_day(at, 32, n, 1);
            text += 8;
        } else {
            *at++ = *text++;
        }
    }
    *at = '\0';
    if (*text)
        give_up("a request is too long");
    return (size_t)(at - out);
}

static void watch(struct connection *c, int how, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = c};

    if (epoll_ctl(load.epoll, how, c->fd, &e))
        give_up("epoll_ctl");
}

static void push(struct connection *c)
{
    while (c->out_sent < c->out_len) {
        ssize_t n = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent, MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN) {
            watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            return;
        }
        if (n <= 0)
            give_up("the server hung up on a request");
        c->out_sent += (size_t)n;
    }
}

static void ask(struct connection *c)
{
    char body[REQUEST_BYTES / 2], path[2048];
    size_t body_len = fill(body, sizeof body, load.body, load.next);
    int n;

    (void)fill(path, sizeof path, load.path, load.next);
    load.next++;
    n = snprintf(c->out, sizeof c->out, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s", load.method, path,
                 load.port, load.headers);
    if (body_len)
        n += snprintf(c->out + n, sizeof c->out - (size_t)n, "Content-Length: %zu\r\n\r\n%s", body_len, body);
    else
        n += snprintf(c->out + n, sizeof c->out - (size_t)n, "\r\n");
    if (n >= (int)sizeof c->out)
        give_up("a request is too long");
    c->out_len = (size_t)n;
    c->out_sent = 0;
    c->phase = HEAD;
    c->line_len = 0;
    c->sent_at = now_ns();
    load.busy++;
    push(c);
}

static void note(const struct connection *c)
{
    int64_t now = now_ns();

    load.busy--;
    if (c->status < 200 || c->status > 299) {
        load.failed++;
        load.bad_status = c->status;
    }
    if (now < load.counted_from)
        return;
    if (load.count == load.room) {
        load.room = load.room ? 2 * load.room : 65536;
        if (!(load.took_us = realloc(load.took_us, load.room * sizeof *load.took_us)))
            give_up("no memory");
    }
    load.took_us[load.count++] = (uint32_t)((now - c->sent_at) / 1000);
    load.last_at = now;
}

static void answered(struct connection *c)
{
    note(c);
    if (now_ns() < load.until)
        ask(c);
}

/* A header's value within the head, or NULL. */
static const char *header(const char *head, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':')
            return line + 3 + len + strspn(line + 3 + len, " ");
    return NULL;
}

/* The head is whole, ended by an empty line. */
static void read_head(struct connection *c)
{
    const char *coding = header(c->line, "Transfer-Encoding"), *length = header(c->line, "Content-Length");

    if (strncmp(c->line, "HTTP/1.1 ", 9) != 0)
        give_up("an answer that is not HTTP/1.1");
    c->status = atoi(c->line + 9);
    c->line_len = 0;
    c->left = length ? strtoull(length, NULL, 10) : 0;
    if (coding)
        c->phase = CHUNK_SIZE;
    else if (c->left)
        c->phase = LENGTH_BODY;
    else
        answered(c);
}

static void read_line(struct connection *c)
{
    bool empty = c->line_len == 2;

    c->line_len = 0;
    if (c->phase == CHUNK_SIZE) {
        c->left = strtoull(c->line, NULL, 16);
        c->phase = c->left ? CHUNK_DATA : TRAILER;
    } else if (c->phase == CHUNK_END) {
        c->phase = CHUNK_SIZE;
    } else if (empty) {
        answered(c);
    }
}

/* Take bytes into the line until it is whole; gives how many. */
static size_t take_line(struct connection *c, const char *bytes, size_t len)
{
    const char *end = memchr(bytes, '\n', len);
    size_t used = end ? (size_t)(end - bytes) + 1 : len;

    if (used >= sizeof c->line - c->line_len)
        give_up("a head is too long");
    memcpy(c->line + c->line_len, bytes, used);
    c->line_len += used;
    c->line[c->line_len] = '\0';
    if (!end)
        return used;
    if (c->phase != HEAD)
        read_line(c);
    else if (c->line_len >= 4 && memcmp(c->line + c->line_len - 4, "\r\n\r\n", 4) == 0)
        read_head(c);
    return used;
}

static size_t take_data(struct connection *c, size_t len)
{
    size_t used = len < c->left ? len : (size_t)c->left;

    c->left -= used;
    if (c->left)
        return used;
    if (c->phase == CHUNK_DATA)
        c->phase = CHUNK_END;
    else
        answered(c);
    return used;
}

static void hear(struct connection *c)
{
    static char bytes[READ_BYTES];
    ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        give_up("the server hung up");
    for (size_t used = 0; used < (size_t)n;)
        used += c->phase == LENGTH_BODY || c->phase == CHUNK_DATA
                    ? take_data(c, (size_t)n - used)
                    : take_line(c, bytes + used, (size_t)n - used);
}

static void dial(struct connection *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load.port)};
    int on = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) || fcntl(c->fd, F_SETFL, O_NONBLOCK))
        give_up("connecting");
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(c, EPOLL_CTL_ADD, EPOLLIN);
}

static void run(void)
{
    struct epoll_event events[CONNECTIONS_MAX];

    while (load.busy) {
        int n = epoll_wait(load.epoll, events, CONNECTIONS_MAX, 30000);

        if (n == 0)
            give_up("no answer within 30 s");
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;

            if (events[i].events & EPOLLOUT) {
                watch(c, EPOLL_CTL_MOD, EPOLLIN);
                push(c);
            }
            if (events[i].events & ~(uint32_t)EPOLLOUT)
                hear(c);
        }
    }
}

static int compare(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* The time within which a share of the requests was answered. */
static double within_ms(double share)
{
    size_t at = (size_t)((double)load.count * share);

    return load.count ? load.took_us[at < load.count ? at : load.count - 1] / 1e3 : 0;
}

static void report(void)
{
    double seconds = (double)(load.last_at - load.counted_from) / 1e9;

    qsort(load.took_us, load.count, sizeof *load.took_us, compare);
    (void)printf("{\"requests\":%zu,\"per_s\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,"
                 "\"failed\":%ld,\"bad_status\":%d,\"next\":%ld}\n",
                 load.count, seconds > 0 ? (double)load.count / seconds : 0, within_ms(0.5), within_ms(0.99),
                 within_ms(1), load.failed, load.bad_status, load.next);
}

int main(int argc, char *argv[])
{
    static struct connection connections[CONNECTIONS_MAX];
    int count, used = 0;

    if (argc < 8 || (count = atoi(argv[2])) < 1 || count > CONNECTIONS_MAX) {
        (void)fprintf(stderr,
                      "Usage: bench_load PORT CONNECTIONS SECONDS FIRST METHOD PATH BODY [HEADER...]\n");
        return 2;
    }
    load = (struct load){
        .port = atoi(argv[1]), .next = atol(argv[4]), .method = argv[5], .path = argv[6], .body = argv[7]};
    for (int i = 8; i < argc && used < (int)sizeof load.headers; i++)
        used += snprintf(load.headers + used, sizeof load.headers - (size_t)used, "%s\r\n", argv[i]);
    load.epoll = epoll_create1(0);
    load.counted_from = now_ns() + WARM_UP_NS;
    load.until = load.counted_from + (int64_t)(atof(argv[3]) * 1e9);
    for (int i = 0; i < count; i++)
        dial(&connections[i]);
    for (int i = 0; i < count; i++)
        ask(&connections[i]);
    run();
    report();
    free(load.took_us);
    return 0;
}
