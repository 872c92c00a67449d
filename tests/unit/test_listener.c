/* Where a server listens, who may reach it there, and under which names. */
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/json.h"
#include "pds/base/mem.h"
#include "pds/httpd/listener.h"
#include "tests/harness/tempdir.h"
#include "tests/integration/http_client.h"

#include <string.h>

static enum err who(struct request *q, struct response *r, void *context)
{
    (void)context;
    buf_printf(&r->body, "%s %d ", q->address, q->loopback);
    return ERR_OK;
}

static const struct route ROUTES[] = {{"GET", "/who", 0, BODY_NONE, RUN_WORKER, who, ""}};

static struct server *open_with(struct server_options o)
{
    struct server *s = NULL;

    o.routes = ROUTES;
    o.route_count = COUNT_OF(ROUTES);
    assert_ok(server_open(&o, &s));
    return s;
}

static struct answer a;

static void exposure_needs_tls_or_a_proxy(void **state)
{
    static const struct {
        struct server_options o;
        enum err expected;
    } rows[] = {
        {{.listen = "0.0.0.0:0"}, ERR_FORBIDDEN},
        {{.listen = "[::]:0"}, ERR_FORBIDDEN},
        {{.listen = "192.0.2.1:0"}, ERR_FORBIDDEN},
        {{.listen = "0.0.0.0:0", .proxy = "127.0.0.1"}, ERR_INVALID},
        {{.listen = "0.0.0.0:0", .proxy = "127.0.0.1", .base_url = "https://a.example"}, ERR_OK},
        {{.listen = "127.0.0.1:0", .proxy = "localhost"}, ERR_INVALID},
        {{.listen = "127.0.0.1:0", .proxy = ""}, ERR_INVALID},
        {{.listen = "127.0.0.1:0", .proxy = "127.0.0.1:80"}, ERR_INVALID},
        {{.listen = "127.0.0.1:0", .base_url = "a.example"}, ERR_INVALID},
        {{.listen = "127.0.0.1:0", .base_url = "http://"}, ERR_INVALID},
        {{.listen = "127.0.0.1:0", .base_url = "http://u@a.example"}, ERR_INVALID},
        {{.listen = "127.0.0.1:0", .tls_cert_file = "/nowhere"}, ERR_INVALID},
        {{.listen = "127.0.0.1:0", .tls_cert_file = "/nowhere", .tls_key_file = "/nowhere"}, ERR_NOT_FOUND},
        {{.listen = "127.0.0.1"}, ERR_INVALID},
        {{.listen = "127.0.0.1:65536"}, ERR_INVALID},
        {{.listen = "127.0.0.1:-1"}, ERR_INVALID},
        {{.listen = "example.org:80"}, ERR_INVALID},
        {{.listen = "[::1:80"}, ERR_INVALID},
        {{.listen = "[nonsense]:80"}, ERR_INVALID},
        {{.listen = NULL}, ERR_INVALID},
        {{.listen = "localhost:0"}, ERR_OK},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(server_closep) struct server *s = NULL;
        struct server_options o = rows[i].o;
        long live = mem_live();
        o.routes = ROUTES;
        o.route_count = COUNT_OF(ROUTES);
        assert_err(server_open(&o, &s), rows[i].expected);
        if (!s)
            assert_int_equal(mem_live(), live);
    }
    AUTO(server_closep) struct server *first = open_with((struct server_options){.listen = "127.0.0.1:0"});
    struct server *second = NULL;
    struct server_options again = {.listen = strstr(server_url(first), "//") + 2};
    assert_err(server_open(&again, &second), ERR_CONFLICT);
}

static void port_of_the_scheme_need_not_be_named(void **state)
{
    static const struct {
        const char *host;
        int status;
    } rows[] = {{"127.7.6.5", 200}, {"127.7.6.5:80", 200}, {"localhost", 200},
                {"[::1]", 200},     {"127.0.0.1", 200},    {"127.7.6.5:", 421},
                {"127.7.6.4", 421}, {"a.example", 200},    {"a.example:80", 200}};
    struct server_options o = {.listen = "127.7.6.5:80",
                               .base_url = "http://a.example",
                               .routes = ROUTES,
                               .route_count = COUNT_OF(ROUTES)};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
    AUTO(server_closep) struct server *s = NULL;
    char request[256];

    (void)state;
    if (server_open(&o, &s))
        skip(); /* low ports are the administrator's */
    (void)inet_pton(AF_INET, "127.7.6.5", &to.sin_addr);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
        (void)snprintf(request, sizeof request, "GET /who HTTP/1.1\r\nHost: %s\r\n\r\n", rows[i].host);
        assert_true(http_say(fd, request));
        http_read(fd, &a, false, 2000);
        (void)close(fd);
        assert_row(rows[i].host, a.status == rows[i].status);
    }
}

static void address_has_one_spelling_and_a_household(void **state)
{
    static const struct {
        const char *text, *address, *household; /* NULL: no address */
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", "192.0.2.1"},
        {"::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"},
        {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1", "2001:db8::"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
        {"::1", "::1", "::"},
        {"192.0.2", NULL, NULL},
        {"192.0.2.1:80", NULL, NULL},
        {"[::1]", NULL, NULL},
        {"", NULL, NULL},
        {"localhost", NULL, NULL},
        {"0000000000000000000000000000000000000000000000000000000000000000000000", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char address[ADDRESS_BYTES] = "untouched", household[ADDRESS_BYTES];
        assert_row(rows[i].text, address_read(str_of(rows[i].text), address) == (rows[i].address != NULL));
        assert_string_equal(address, rows[i].address ? rows[i].address : "untouched");
        if (!rows[i].address)
            continue;
        address_household(address, household);
        assert_string_equal(household, rows[i].household);
    }
    char address[ADDRESS_BYTES];
    assert_false(address_read((struct str){"::1\0:2", 6}, address));
}

static void ipv6_is_served(void **state)
{
    struct server_options o = {.listen = "[::1]:0", .routes = ROUTES, .route_count = COUNT_OF(ROUTES)};
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    AUTO(server_closep) struct server *s = NULL;
    char request[256];

    (void)state;
    if (server_open(&o, &s))
        skip(); /* a machine without IPv6 */
    assert_int_equal(strncmp(server_url(s), "http://[::1]:", 13), 0);
    to.sin6_port = htons((uint16_t)strtol(strrchr(server_url(s), ':') + 1, NULL, 10));
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    (void)snprintf(request, sizeof request, "GET /who HTTP/1.1\r\nHost: %s\r\n\r\n", server_url(s) + 7);
    assert_true(http_say(fd, request));
    http_read(fd, &a, false, 2000);
    assert_string_equal(a.body, "::1 1 ");
    (void)close(fd);
}

static int openssl(const char *arguments, char *out, size_t size)
{
    char command[2048];

    (void)snprintf(command, sizeof command, "openssl %s 2>&1", arguments);
    FILE *pipe = popen(command, "r"); /* NOLINT(cert-env33-c): a test's own words */
    if (!pipe)
        return -1;
    size_t len = fread(out, 1, size - 1, pipe);
    out[len] = '\0';
    return pclose(pipe);
}

static void tls_is_served_from_1_2(void **state)
{
    AUTO(tempdir_freep) struct tempdir *dir = tempdir_new();
    char command[2048], out[16384];
    const char *cert = tempdir_path(dir, "cert.pem");

    (void)state;
    (void)snprintf(command, sizeof command,
                   "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
                   "-keyout %s/key.pem -out %s",
                   tempdir_root(dir), cert);
    if (openssl(command, out, sizeof out) != 0)
        skip();
    const char *key = tempdir_path(dir, "key.pem");
    AUTO(server_closep)
    struct server *s = open_with(
        (struct server_options){.listen = "127.0.0.1:0", .tls_cert_file = cert, .tls_key_file = key});
    const char *host = strstr(server_url(s), "//") + 2;
    assert_int_equal(strncmp(server_url(s), "https://127.0.0.1:", 18), 0);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(
            command, sizeof command,
            "s_client -connect %s -quiet -ign_eof -CAfile %s -verify_return_error -verify_hostname localhost "
            "%s <<'X'\nGET /who HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\nX\n",
            host, cert, i ? "-tls1_2" : "-tls1_3", host);
        (void)openssl(command, out, sizeof out);
        assert_non_null(strstr(out, "HTTP/1.1 200 OK"));
        assert_non_null(strstr(out, "Strict-Transport-Security: max-age="));
        assert_non_null(strstr(out, "127.0.0.1 1 "));
    }
    (void)snprintf(command, sizeof command, "s_client -connect %s -tls1_1 -cipher ALL:@SECLEVEL=0 </dev/null",
                   host);
    assert_int_not_equal(openssl(command, out, sizeof out), 0);
    struct server *wrong = NULL;
    struct server_options o = {.listen = "127.0.0.1:0", .tls_cert_file = key, .tls_key_file = key};
    assert_err(server_open(&o, &wrong), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exposure_needs_tls_or_a_proxy),
        cmocka_unit_test(port_of_the_scheme_need_not_be_named),
        cmocka_unit_test(address_has_one_spelling_and_a_household),
        cmocka_unit_test(ipv6_is_served),
        cmocka_unit_test(tls_is_served_from_1_2),
    };
    json_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
