/* How many may come in, and who makes room. */
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/json.h"
#include "pds/httpd/pace.h"
#include "pds/httpd/peer.h"
#include "tests/integration/http_client.h"

#include <string.h>
#include <time.h>

static enum err hello(struct request *q, struct response *r, void *context)
{
    (void)q;
    (void)context;
    buf_text(&r->body, "hello");
    return ERR_OK;
}

static const struct route ROUTES[] = {{"GET", "/", 0, BODY_NONE, RUN_INLINE, hello, ""}};

static struct server *open_with(const char *proxy, const struct pace *pace)
{
    struct server_options o = {.listen = "127.0.0.1:0", .proxy = proxy, .routes = ROUTES, .route_count = 1};
    struct server *s = NULL;

    assert_ok(server_open_paced(&o, pace, &s));
    return s;
}

static struct answer a;

/* Whether a request on this connection is answered. */
static bool is_served(const struct server *s, int fd)
{
    char request[256];

    (void)snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", server_url(s) + 7);
    if (!http_say(fd, request))
        return false;
    http_read(fd, &a, false, 1000);
    return a.status == 200;
}

static void pause_ms(int ms)
{
    struct timespec t = {0, ms * 1000000L};

    (void)nanosleep(&t, NULL);
}

static void one_address_has_its_share(void **state)
{
    struct pace pace = PACE_DEFAULT;
    int fds[LIMIT_CONNECTIONS_ADDRESS + 4], served = 0;

    (void)state;
    /* With a proxy declared elsewhere, this machine is an address like any other. */
    AUTO(server_closep) struct server *s = open_with("192.0.2.1", &pace);
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fds[i] = http_connect(server_url(s));
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        served += is_served(s, fds[i]);
    assert_int_equal(served, LIMIT_CONNECTIONS_ADDRESS);
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        (void)close(fds[i]);
    pause_ms(100);
    int again = http_connect(server_url(s)); /* and they are given back */
    assert_true(is_served(s, again));
    (void)close(again);
}

static void household_has_one_share(void **state)
{
    struct pace pace = PACE_DEFAULT;
    struct peers all;
    struct peer *in[LIMIT_CONNECTIONS_ADDRESS];
    struct sockaddr_in6 from = {.sin6_family = AF_INET6};
    const struct sockaddr *address = (const struct sockaddr *)&from;

    (void)state;
    peers_init(&all, &pace, NULL);
    assert_int_equal(inet_pton(AF_INET6, "2001:db8:1:2::", &from.sin6_addr), 1);
    for (size_t i = 0; i < LIMIT_CONNECTIONS_ADDRESS; i++) { /* each from an address of its own */
        from.sin6_addr.s6_addr[8] = (uint8_t)i;
        assert_true(peers_admit(&all, address));
        assert_non_null(in[i] = peer_new(&all, NULL, -1, address));
    }
    from.sin6_addr.s6_addr[15] = 7;
    assert_false(peers_admit(&all, address));
    from.sin6_addr.s6_addr[7] = 3; /* the neighbours */
    assert_true(peers_admit(&all, address));
    for (size_t i = 0; i < LIMIT_CONNECTIONS_ADDRESS; i++)
        peer_free(&all, in[i]);
    peers_done(&all);
}

static int ask_as(const struct server *s, const char *address, const char *line)
{
    char request[512];

    (void)snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: %s\r\nX-Forwarded-For: %s\r\n\r\n", line,
                   server_url(s) + 7, address);
    http_ask(server_url(s), request, strlen(request), &a);
    return a.status;
}

static void household_has_its_pace(void **state)
{
    struct pace pace = PACE_DEFAULT;

    (void)state;
    pace.requests_per_min = 30;
    pace.requests_at_once = 3;
    AUTO(server_closep) struct server *s = open_with("127.0.0.1", &pace);
    assert_int_equal(ask_as(s, "2001:db8::1", "GET /"), 200);
    assert_int_equal(ask_as(s, "2001:db8::2", "GET /nothing"), 404); /* what is refused counts */
    assert_int_equal(ask_as(s, "2001:db8:0:0:ffff::", "GET /"), 200);
    assert_int_equal(ask_as(s, "2001:db8::3", "GET /"), 429);
    assert_string_equal(http_header(&a, "Retry-After"), "2");
    assert_false(a.closed);
    assert_int_equal(ask_as(s, "2001:db8::3", "POST /"), 429);
    assert_int_equal(ask_as(s, "2001:db8:0:1::1", "GET /"), 200);
    assert_int_equal(ask_as(s, "192.0.2.1", "GET /"), 200);
    for (int i = 0; i < 3; i++) /* without a word of the proxy, it is the proxy that asks */
        assert_int_equal(ask_as(s, "", "GET /"), 200);
    assert_int_equal(ask_as(s, "127.0.0.1", "GET /"), 429);
}

static void this_machine_has_no_pace(void **state)
{
    struct pace pace = PACE_DEFAULT;

    (void)state;
    pace.requests_per_min = pace.requests_at_once = 1;
    AUTO(server_closep) struct server *s = open_with(NULL, &pace);
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask_as(s, "192.0.2.1", "GET /"), 200);
}

static void proxy_and_this_machine_have_no_share(void **state)
{
    struct pace pace = PACE_DEFAULT;

    (void)state;
    for (int k = 0; k < 2; k++) {
        AUTO(server_closep) struct server *s = open_with(k ? "127.0.0.1" : NULL, &pace);
        int fds[LIMIT_CONNECTIONS_ADDRESS * 2], served = 0;
        for (size_t i = 0; i < COUNT_OF(fds); i++)
            fds[i] = http_connect(server_url(s));
        for (size_t i = 0; i < COUNT_OF(fds); i++) {
            served += is_served(s, fds[i]);
            (void)close(fds[i]);
        }
        assert_int_equal(served, COUNT_OF(fds));
    }
}

static void full_house_has_no_room(void **state)
{
    struct pace pace = PACE_DEFAULT;
    int fds[10], served = 0;

    (void)state;
    pace.connections = 8;
    AUTO(server_closep) struct server *s = open_with("127.0.0.1", &pace);
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fds[i] = http_connect(server_url(s));
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        served += is_served(s, fds[i]);
    assert_int_equal(served, 8);
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        (void)close(fds[i]);
}

static void owner_takes_the_place_of_who_dawdles(void **state)
{
    struct pace pace = PACE_DEFAULT;
    int fds[8];

    (void)state;
    pace.connections = 8;
    AUTO(server_closep) struct server *s = open_with(NULL, &pace);
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = http_connect(server_url(s));
        assert_true(http_say(fds[i], "GET / HTTP/1.1\r\n"));
        pause_ms(10);
    }
    for (int i = 0; i < 20; i++) { /* a crowd that never speaks out does not keep the owner away */
        int fd = http_connect(server_url(s));
        assert_true(is_served(s, fd));
        (void)close(fd);
        pause_ms(5);
    }
    assert_true(http_is_closed(fds[0], 500)); /* the first had dawdled for longest */
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        (void)close(fds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_address_has_its_share),
        cmocka_unit_test(household_has_one_share),
        cmocka_unit_test(household_has_its_pace),
        cmocka_unit_test(this_machine_has_no_pace),
        cmocka_unit_test(proxy_and_this_machine_have_no_share),
        cmocka_unit_test(full_house_has_no_room),
        cmocka_unit_test(owner_takes_the_place_of_who_dawdles),
    };
    json_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
