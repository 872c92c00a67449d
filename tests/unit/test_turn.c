/* What the server answers to each request on a raw socket, and whether it hangs up: a row a request. */
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/json.h"
#include "pds/httpd/pace.h"
#include "tests/integration/http_client.h"

#include <string.h>
#include <time.h>

static enum err hello(struct request *q, struct response *r, void *context)
{
    (void)q;
    (void)context;
    r->type = "text/plain";
    buf_text(&r->body, "hello");
    return ERR_OK;
}

/* What the handler was given. */
static enum err echo(struct request *q, struct response *r, void *context)
{
    (void)context;
    r->type = "text/plain";
    for (size_t i = 0; i < q->param_count; i++)
        buf_printf(&r->body, "[%.*s]", STR_ARGS(q->params[i]));
    buf_add(&r->body, q->body.ptr, q->body.len);
    return ERR_OK;
}

static enum err read_upload(struct request *q, struct response *r, void *context)
{
    struct str field = {0}, name = {0};
    char piece[1000];
    size_t got = 1;
    enum err e;

    (void)context;
    while (!(e = upload_next(q->upload, &field, &name))) {
        size_t total = 0;
        for (got = 1; got > 0; total += got)
            if ((e = upload_read(q->upload, piece, sizeof piece, &got)))
                return e;
        buf_printf(&r->body, "%.*s %.*s %zu\n", STR_ARGS(field), STR_ARGS(name), total);
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err count(struct request *q, struct response *r, void *context)
{
    (void)context;
    buf_printf(&r->body, "%zu", q->body.len);
    return ERR_OK;
}

static enum err forbid(struct request *q, struct response *r, void *context)
{
    (void)q;
    (void)r;
    (void)context;
    return err_set(ERR_FORBIDDEN, "not for you");
}

static const struct route ROUTES[] = {
    {"GET", "/", 0, BODY_NONE, RUN_INLINE, hello, ""},
    {"GET", "/work", 0, BODY_NONE, RUN_WORKER, hello, ""},
    {"GET", "/item/:id", 0, BODY_NONE, RUN_INLINE, echo, ""},
    {"POST", "/json", 0, BODY_JSON, RUN_WORKER, echo, ""},
    {"POST", "/count", 0, BODY_JSON, RUN_WORKER, count, ""},
    {"POST", "/inline", 0, BODY_JSON, RUN_INLINE, echo, ""},
    {"POST", "/form", 0, BODY_FORM, RUN_WORKER, echo, ""},
    {"POST", "/upload", 0, BODY_UPLOAD, RUN_WORKER, read_upload, ""},
    {"POST", "/forbidden", 0, BODY_UPLOAD, RUN_WORKER, forbid, ""},
    {"POST", "/act", 0, BODY_NONE, RUN_WORKER, hello, ""},
};

static struct server *server;

static int setup(void **state)
{
    struct pace pace = PACE_DEFAULT;
    struct server_options o = {
        .listen = "127.0.0.1:0", .routes = ROUTES, .route_count = COUNT_OF(ROUTES), .workers = 4};

    (void)state;
    pace.header_ms = 300;
    pace.grace_ms = 300;
    return server_open_paced(&o, &pace, &server) ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    server_close(server);
    return 0;
}

/* @ stands for the server's authority; a row that holds a NUL tells its length. */
enum { OPEN, CLOSED };
struct row {
    const char *name, *request;
    size_t len;
    int status, closed;
    const char *body; /* NULL: whatever */
};
#define H   "Host: @\r\n"
#define END "\r\n"
#define ROW(name, text, status, closed, body)                                                                \
    {                                                                                                        \
        name, text, sizeof(text) - 1, status, closed, body                                                   \
    }

static const struct row ROWS[] = {
    ROW("plain", "GET / HTTP/1.1\r\n" H END, 200, OPEN, "hello"),
    ROW("worker", "GET /work HTTP/1.1\r\n" H END, 200, OPEN, "hello"),
    ROW("head", "HEAD / HTTP/1.1\r\n" H END, 200, OPEN, ""),
    ROW("asks to close", "GET / HTTP/1.1\r\n" H "Connection: close\r\n" END, 200, CLOSED, "hello"),
    ROW("worker, asks to close", "GET /work HTTP/1.1\r\n" H "Connection: close\r\n" END, 200, CLOSED,
        "hello"),
    ROW("1.0 closes", "GET / HTTP/1.0\r\n" H END, 200, CLOSED, "hello"),
    ROW("1.0 kept", "GET / HTTP/1.0\r\n" H "Connection: keep-alive\r\n" END, 200, OPEN, "hello"),
    ROW("absolute target", "GET http://@/item/1?q HTTP/1.1\r\n" H END, 200, OPEN, "[1]"),
    ROW("absolute target without path", "GET http://@ HTTP/1.1\r\n" H END, 200, OPEN, "hello"),
    ROW("query is not path", "GET /?a=/item/1 HTTP/1.1\r\n" H END, 200, OPEN, "hello"),
    ROW("escaped slash stays", "GET /item/a%2Fb HTTP/1.1\r\n" H END, 200, OPEN, "[a/b]"),
    ROW("decoded once", "GET /item/%2541 HTTP/1.1\r\n" H END, 200, OPEN, "[%41]"),
    ROW("plus stays", "GET /item/a+b HTTP/1.1\r\n" H END, 200, OPEN, "[a+b]"),
    ROW("an empty line first", "\r\nGET / HTTP/1.1\r\n" H END, 200, OPEN, "hello"),
    ROW("spaces around a value", "GET / HTTP/1.1\r\nHost:\t @ \t\r\n" END, 200, OPEN, "hello"),
    ROW("host in capitals", "GET / HTTP/1.1\r\nHOST: @\r\n" END, 200, OPEN, "hello"),
    ROW("localhost is ours", "GET / HTTP/1.1\r\nHost: LOCALHOST:#\r\n" END, 200, OPEN, "hello"),

    ROW("cookie of one quote", "GET / HTTP/1.1\r\n" H "Cookie: a=\"\r\n" END, 431, CLOSED, NULL),
    ROW("no host", "GET / HTTP/1.1\r\n" END, 400, CLOSED, NULL),
    ROW("no host, 1.0", "GET / HTTP/1.0\r\n" END, 400, CLOSED, NULL),
    ROW("two hosts", "GET / HTTP/1.1\r\n" H H END, 400, CLOSED, NULL),
    ROW("two hosts, two cases", "GET / HTTP/1.1\r\n" H "hOsT: @\r\n" END, 400, CLOSED, NULL),
    ROW("empty host", "GET / HTTP/1.1\r\nHost:\r\n" END, 421, CLOSED, NULL),
    ROW("foreign host", "GET / HTTP/1.1\r\nHost: example.org\r\n" END, 421, CLOSED, NULL),
    ROW("host of another port", "GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n" END, 421, CLOSED, NULL),
    ROW("host without port", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" END, 421, CLOSED, NULL),
    ROW("host with more behind", "GET / HTTP/1.1\r\nHost: @.example.org\r\n" END, 421, CLOSED, NULL),
    ROW("foreign authority", "GET http://example.org/ HTTP/1.1\r\n" H END, 421, CLOSED, NULL),
    ROW("userinfo", "GET http://@@example.org/ HTTP/1.1\r\n" H END, 421, CLOSED, NULL),
    ROW("ours, foreign host", "GET http://@/ HTTP/1.1\r\nHost: example.org\r\n" END, 421, CLOSED, NULL),

    ROW("both lengths",
        "POST /json HTTP/1.1\r\n" H "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n" END "{}", 400,
        CLOSED, NULL),
    ROW("both lengths, other order",
        "POST /json HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" END "0\r\n\r\n",
        400, CLOSED, NULL),
    ROW("two lengths", "POST /json HTTP/1.1\r\n" H "Content-Length: 2\r\nContent-Length: 2\r\n" END "{}", 400,
        CLOSED, NULL),
    ROW("two lengths differ",
        "POST /json HTTP/1.1\r\n" H "Content-Length: 2\r\ncontent-length: 3\r\n" END "{}", 400, CLOSED, NULL),
    ROW("length list", "POST /json HTTP/1.1\r\n" H "Content-Length: 2, 2\r\n" END "{}", 400, CLOSED, NULL),
    ROW("length with sign", "POST /json HTTP/1.1\r\n" H "Content-Length: +2\r\n" END "{}", 400, CLOSED, NULL),
    ROW("negative length", "POST /json HTTP/1.1\r\n" H "Content-Length: -2\r\n" END "{}", 400, CLOSED, NULL),
    ROW("hexadecimal length", "POST /json HTTP/1.1\r\n" H "Content-Length: 0x2\r\n" END "{}", 400, CLOSED,
        NULL),
    ROW("empty length", "POST /json HTTP/1.1\r\n" H "Content-Length:\r\n" END "{}", 400, CLOSED, NULL),
    ROW("length past 64 bits", "POST /json HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n" END,
        413, CLOSED, NULL),
    ROW("length past 63 bits", "POST /json HTTP/1.1\r\n" H "Content-Length: 9223372036854775808\r\n" END, 400,
        CLOSED, NULL),
    ROW("gzip coding", "POST /json HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n" END, 501, CLOSED, NULL),
    ROW("gzip then chunked", "POST /json HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n" END, 501,
        CLOSED, NULL),
    ROW("identity coding", "POST /json HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n" END, 501, CLOSED,
        NULL),
    ROW("chunked twice",
        "POST /json HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END, 400,
        CLOSED, NULL),
    ROW("vertical tab before chunked", "POST /json HTTP/1.1\r\n" H "Transfer-Encoding: \vchunked\r\n" END,
        400, CLOSED, NULL),
    ROW("chunks in 1.0", "POST /json HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n" END "0\r\n\r\n", 400,
        CLOSED, NULL),

    ROW("NUL in a value", "GET / HTTP/1.1\r\n" H "X: a\0b\r\n" END, 400, CLOSED, NULL),
    ROW("NUL in the last value", "GET / HTTP/1.1\r\n" H "X: a\0\0\0b\r\n" END, 400, CLOSED, NULL),
    ROW("NUL in a name", "GET / HTTP/1.1\r\n" H "X\0Y: a\r\n" END, 400, CLOSED, NULL),
    ROW("NUL in the target", "GET /\0item/1 HTTP/1.1\r\n" H END, 400, CLOSED, NULL),
    ROW("NUL in the method", "GE\0T / HTTP/1.1\r\n" H END, 400, CLOSED, NULL),
    ROW("bare CR in a value", "GET / HTTP/1.1\r\n" H "X: a\rb\r\n" END, 400, CLOSED, NULL),
    ROW("bare LF ends a field", "GET / HTTP/1.1\r\n" H "X: a\nY: b\r\n" END, 400, CLOSED, NULL),
    ROW("bare LF ends the last field", "GET / HTTP/1.1\r\n" H "X: a\n" END, 400, CLOSED, NULL),
    ROW("bare LF ends the line", "GET / HTTP/1.1\n" H END, 400, CLOSED, NULL),
    ROW("bare LF ends the head", "GET / HTTP/1.1\r\n" H "\n", 400, CLOSED, NULL),
    ROW("bare LF everywhere", "GET / HTTP/1.1\nHost: @\n\n", 400, CLOSED, NULL),
    ROW("folded line", "GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n" END, 400, CLOSED, NULL),
    ROW("folded with tab", "GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\nY: c\r\n" END, 400, CLOSED, NULL),
    ROW("folded host", "GET / HTTP/1.1\r\nHost:\r\n @\r\n" END, 400, CLOSED, NULL),
    ROW("first field folded", "GET / HTTP/1.1\r\n X: a\r\n" H END, 400, CLOSED, NULL),
    ROW("control character", "GET / HTTP/1.1\r\n" H "X: a\x01\r\n" END, 400, CLOSED, NULL),
    ROW("space before the colon", "GET / HTTP/1.1\r\nHost : @\r\n" END, 400, CLOSED, NULL),
    ROW("space in a name", "GET / HTTP/1.1\r\n" H "X Y: a\r\n" END, 400, CLOSED, NULL),
    ROW("no colon", "GET / HTTP/1.1\r\n" H "nonsense\r\n" END, 400, CLOSED, NULL),
    ROW("no name", "GET / HTTP/1.1\r\n" H ": a\r\n" END, 400, CLOSED, NULL),
    ROW("name in UTF-8", "GET / HTTP/1.1\r\n" H "\xC3\xA9: a\r\n" END, 400, CLOSED, NULL),
    ROW("authorization twice", "GET / HTTP/1.1\r\n" H "Authorization: a\r\nauthorization: b\r\n" END, 400,
        CLOSED, NULL),
    ROW("two proofs", "GET / HTTP/1.1\r\n" H "DPoP: a\r\nDPoP: b\r\n" END, 400, CLOSED, NULL),

    ROW("no version", "GET /\r\n" H END, 400, CLOSED, NULL),
    ROW("version 0.9", "GET / HTTP/0.9\r\n" H END, 505, CLOSED, NULL),
    ROW("version 1.2", "GET / HTTP/1.2\r\n" H END, 505, CLOSED, NULL),
    ROW("version 2.0", "GET / HTTP/2.0\r\n" H END, 505, CLOSED, NULL),
    ROW("version in lower case", "GET / http/1.1\r\n" H END, 400, CLOSED, NULL),
    ROW("version not one", "GET / HTTP/1.1x\r\n" H END, 400, CLOSED, NULL),
    ROW("two spaces", "GET  / HTTP/1.1\r\n" H END, 400, CLOSED, NULL),
    ROW("two spaces before version", "GET /  HTTP/1.1\r\n" H END, 400, CLOSED, NULL),
    ROW("space behind version", "GET / HTTP/1.1 \r\n" H END, 400, CLOSED, NULL),
    ROW("space in the target", "GET /item/a b HTTP/1.1\r\n" H END, 400, CLOSED, NULL),
    ROW("tab in the target", "GET /item/a\tb HTTP/1.1\r\n" H END, 400, CLOSED, NULL),
    ROW("fragment", "GET /#a HTTP/1.1\r\n" H END, 400, CLOSED, NULL),
    ROW("star", "OPTIONS * HTTP/1.1\r\n" H END, 400, CLOSED, NULL),
    ROW("authority form", "CONNECT @ HTTP/1.1\r\n" H END, 400, CLOSED, NULL),
    ROW("another scheme", "GET ftp://@/ HTTP/1.1\r\n" H END, 400, CLOSED, NULL),
    ROW("relative target", "GET item/1 HTTP/1.1\r\n" H END, 400, CLOSED, NULL),
    ROW("method no token", "G(T / HTTP/1.1\r\n" H END, 400, CLOSED, NULL),
    ROW("a TLS greeting", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 0, CLOSED, NULL),
    ROW("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, CLOSED, NULL),

    ROW("lower-case method", "get / HTTP/1.1\r\n" H END, 405, OPEN, NULL),
    ROW("unknown method", "BREW / HTTP/1.1\r\n" H END, 405, OPEN, NULL),
    ROW("trace", "TRACE / HTTP/1.1\r\n" H END, 405, OPEN, NULL),
    ROW("wrong method with body", "PUT / HTTP/1.1\r\n" H "Content-Length: 2\r\n" END "{}", 405, CLOSED, NULL),
    ROW("no such path", "GET /nothing HTTP/1.1\r\n" H END, 404, OPEN, NULL),
    ROW("no such path, with body", "POST /nothing HTTP/1.1\r\n" H "Content-Length: 2\r\n" END "{}", 404,
        CLOSED, NULL),
    ROW("dots", "GET /item/../x HTTP/1.1\r\n" H END, 400, OPEN, NULL),
    ROW("escaped dots", "GET /item/%2e%2e HTTP/1.1\r\n" H END, 400, OPEN, NULL),
    ROW("escaped NUL", "GET /item/%00 HTTP/1.1\r\n" H END, 400, OPEN, NULL),
    ROW("escaped line end", "GET /item/%0d%0a HTTP/1.1\r\n" H END, 400, OPEN, NULL),
    ROW("bad escape", "GET /item/%zz HTTP/1.1\r\n" H END, 400, OPEN, NULL),
    ROW("bad UTF-8", "GET /item/%ff HTTP/1.1\r\n" H END, 400, OPEN, NULL),

    ROW("expects something else", "POST /json HTTP/1.1\r\n" H "Expect: 200-ok\r\nContent-Length: 2\r\n" END,
        417, CLOSED, NULL),
    ROW("body where none is taken", "POST /act HTTP/1.1\r\n" H "Content-Length: 2\r\n" END "{}", 413, CLOSED,
        NULL),
    ROW("no body where none is taken", "POST /act HTTP/1.1\r\n" H "Content-Length: 0\r\n" END, 200, OPEN,
        "hello"),
    ROW("get with a body", "GET / HTTP/1.1\r\n" H "Content-Length: 2\r\n" END "{}", 413, CLOSED, NULL),
    ROW("body", "POST /json HTTP/1.1\r\n" H "Content-Length: 7\r\n" END "{\"a\":1}", 200, OPEN, "{\"a\":1}"),
    ROW("body, inline", "POST /inline HTTP/1.1\r\n" H "Content-Length: 2\r\n" END "{}", 200, OPEN, "{}"),
    ROW("no body", "POST /json HTTP/1.1\r\n" H END, 200, OPEN, ""),
    ROW("large json", "POST /json HTTP/1.1\r\n" H "Content-Length: 262145\r\n" END, 413, CLOSED, NULL),
    ROW("large form", "POST /form HTTP/1.1\r\n" H "Content-Length: 16385\r\n" END, 413, CLOSED, NULL),
    ROW("large upload", "POST /upload HTTP/1.1\r\n" H "Content-Length: 2147549185\r\n" END, 413, CLOSED,
        NULL),
    ROW("upload of another type", "POST /upload HTTP/1.1\r\n" H "Content-Length: 2\r\n" END "{}", 415, CLOSED,
        NULL),
    ROW("upload of nothing", "POST /upload HTTP/1.1\r\n" H END, 415, OPEN, NULL),
    ROW("upload without boundary",
        "POST /upload HTTP/1.1\r\n" H "Content-Type: multipart/form-data\r\nContent-Length: 2\r\n" END "{}",
        400, CLOSED, NULL),
    ROW("upload",
        "POST /upload HTTP/1.1\r\n" H
        "Content-Type: multipart/form-data; boundary=B\r\nContent-Length: 82\r\n" END
        "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\nabc\r\n--B--\r\n",
        200, OPEN, "file a.csv 3\n"),

    ROW("chunks",
        "POST /json HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n" END
        "3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n",
        200, CLOSED, "{\"a\":1}"),
    ROW("chunk extension",
        "POST /json HTTP/1.1\r\n" H "Transfer-Encoding: CHUNKED\r\n" END "2;x=y\r\n{}\r\n0\r\n\r\n", 200,
        CLOSED, "{}"),
    ROW("chunk trailers",
        "POST /json HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n" END "2\r\n{}\r\n0\r\nX: y\r\n\r\n", 200,
        CLOSED, "{}"),
    ROW("chunk size no number",
        "POST /json HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n" END "xy\r\n{}\r\n0\r\n\r\n", 400, CLOSED,
        NULL),
    ROW("chunk size signed",
        "POST /json HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n" END "-2\r\n{}\r\n0\r\n\r\n", 400, CLOSED,
        NULL),
    ROW("chunk size prefixed",
        "POST /json HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n" END "0x2\r\n{}\r\n0\r\n\r\n", 400,
        CLOSED, NULL),
    ROW("chunk size too large",
        "POST /json HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n" END
        "fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        413, CLOSED, NULL),
    ROW("chunk longer than told",
        "POST /json HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n" END "1\r\n{}\r\n0\r\n\r\n", 400, CLOSED,
        NULL),

    ROW("head that never ends", "GET / HTTP/1.1\r\n" H "X: a", 0, CLOSED, NULL),
    ROW("line that never ends", "GET /", 0, CLOSED, NULL),
    ROW("body that never ends", "POST /json HTTP/1.1\r\n" H "Content-Length: 9\r\n" END "{", 0, CLOSED, NULL),
    ROW("chunks that never end", "POST /json HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n" END "5\r\n{", 0,
        CLOSED, NULL),
    ROW("nothing at all", "", 0, CLOSED, NULL),
};

/* The row's request with @ and # put in; how long it is. A fragment's # stays. */
static size_t expand(const struct row *row, char out[static 4096])
{
    struct str authority = str_of(server_url(server) + strlen("http://")), port = authority, rest;
    size_t len = 0;

    (void)str_split(&port, ':', &rest);
    for (size_t i = 0; i < row->len; i++) {
        struct str put = {&row->request[i], 1};
        if (row->request[i] == '@')
            put = authority;
        else if (row->request[i] == '#' && strcmp(row->name, "fragment") != 0)
            put = port;
        for (size_t k = 0; k < put.len; k++)
            out[len++] = put.ptr[k];
    }
    return len;
}

static void each_request_has_its_answer(void **state)
{
    static struct answer a;
    static char request[4096];

    (void)state;
    assert_true(COUNT_OF(ROWS) >= 60);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        const struct row *row = &ROWS[i];
        int64_t begun = clock_monotonic_ms();
        http_ask(server_url(server), request, expand(row, request), &a);
        if (a.status != row->status || a.closed != row->closed ||
            (row->body && strcmp(a.body, row->body) != 0))
            print_error("%s: %d %s \"%s\"\n", row->name, a.status, a.closed ? "closed" : "open", a.body);
        assert_int_equal(a.status, row->status);
        assert_int_equal(a.closed, row->closed);
        if (row->body)
            assert_string_equal(a.body, row->body);
        if (a.status == 405)
            assert_non_null(http_header(&a, "Allow"));
        assert_true(clock_monotonic_ms() - begun < 3000);
    }
}

enum { MARK_BYTES = 24 };

/* What stands in the body; asked for each time so that no copy of it lies about. */
static void put_mark(char at[static MARK_BYTES])
{
    for (int i = 0; i < MARK_BYTES; i++)
        at[i] = (char)('a' + i * 7 % 26);
}

/* How often the mark is found in what this process can write to. */
static int marks_in_memory(void)
{
    static char page[1 << 16];
    char line[512], mark[MARK_BYTES];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "re"), *memory = fopen("/proc/self/mem", "re");

    assert_non_null(maps);
    assert_non_null(memory);
    while (fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx rw-p", &from, &to) != 2 || !strstr(line, " rw-p ") || /* NOLINT */
            strstr(line, "[stack]"))
            continue;
        for (; from < to; from += sizeof page) {
            size_t want = to - from < sizeof page ? to - from : sizeof page;
            ssize_t got = pread(fileno(memory), page, want, (off_t)from);
            put_mark(mark);
            found += got > 0 && memmem(page, (size_t)got, mark, sizeof mark) != NULL;
            explicit_bzero(page, sizeof page);
            explicit_bzero(mark, sizeof mark);
        }
    }
    (void)fclose(maps);
    (void)fclose(memory);
    return found;
}

static void pause_ms(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

    (void)nanosleep(&t, NULL);
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

static void body_in_pieces_leaves_no_copy(void **state)
{
    static struct answer a;
    char piece[2000];

    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* their maps are too large to look through */
#endif
    struct server_options o = {.listen = "127.0.0.1:0", .routes = ROUTES, .route_count = COUNT_OF(ROUTES)};
    AUTO(server_closep) struct server *s = NULL;
    assert_ok(server_open(&o, &s));
    for (int i = 0; i < 2; i++) {
        int fd = say(s, "POST /count", i ? "Transfer-Encoding: chunked\r\n" : "Content-Length: 60000\r\n"),
            behind = say(s, "POST /count", "Content-Length: 60000\r\n");
        for (int n = 0; n < 30; n++) {
            memset(piece, ' ', sizeof piece);
            if (n == 0)
                put_mark(piece + 1000);
            if (n == 29)
                assert_true(marks_in_memory() > 0); /* it is found when it is there */
            if (i)
                assert_true(http_say(fd, "7d0\r\n"));
            assert_true(http_send(fd, piece, sizeof piece));
            if (i)
                assert_true(http_say(fd, n < 29 ? "\r\n" : "\r\n0\r\n\r\n"));
            memset(piece, ' ', sizeof piece);
            pause_ms(2);
            if (n < 29) /* what lies behind in memory keeps blocks from growing where they are */
                assert_true(http_send(behind, piece, sizeof piece));
        }
        http_read(fd, &a, false, 2000);
        assert_int_equal(a.status, 200);
        assert_string_equal(a.body, "60000");
        (void)close(fd);
        (void)close(behind);
        for (int k = 0; k < 50 && marks_in_memory() > 0; k++)
            pause_ms(10);
        assert_int_equal(marks_in_memory(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_has_its_answer),
        cmocka_unit_test(body_in_pieces_leaves_no_copy),
    };
    json_start();
    return cmocka_run_group_tests(tests, setup, teardown);
}
