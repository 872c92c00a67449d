/* A client that can be rude: raw bytes out, one answer in, and whether the server hung up. */
#ifndef TESTS_HTTP_CLIENT_H
#define TESTS_HTTP_CLIENT_H
#include "pds/base/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct answer {
    int status;        /* 0 when nothing came */
    int continues;     /* "100 Continue" before it */
    char head[8192];   /* of the final answer, NUL-ended */
    char body[262144]; /* as on the wire when chunked, NUL-ended */
    size_t body_len;
    bool closed; /* by the server, at once or within a moment of an answer that says so */
};

/* To "http://127.0.0.1:1234" or "https://…" (the bytes are the caller's business then); -1 when refused. */
static inline int http_connect(const char *url)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_port = htons((uint16_t)strtol(strrchr(url, ':') + 1, NULL, 10));
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* All of it, or false when the server hung up. */
static inline bool http_send(int fd, const void *bytes, size_t len)
{
    for (size_t sent = 0; sent < len;) {
        ssize_t n = send(fd, (const char *)bytes + sent, len - sent, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        sent += (size_t)n;
    }
    return true;
}

static inline bool http_say(int fd, const char *text) { return http_send(fd, text, strlen(text)); }

/* Up to size bytes within ms; 0 for the end of the connection (a reset counts as one), -1 for silence. */
static inline ssize_t http_hear(int fd, char *out, size_t size, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    if (poll(&p, 1, ms) <= 0)
        return -1;
    ssize_t n = recv(fd, out, size, 0);
    return n < 0 ? 0 : n;
}

static inline bool http_is_closed(int fd, int ms)
{
    char rest[4096];
    ssize_t n;

    while ((n = http_hear(fd, rest, sizeof rest, ms)) > 0)
        ;
    return n == 0;
}

static inline const char *http_header(const struct answer *a, const char *name)
{
    static _Thread_local char value[2048];
    size_t len = strlen(name);

    for (const char *line = strstr(a->head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':') {
            const char *from = line + 3 + len + strspn(line + 3 + len, " ");
            (void)snprintf(value, sizeof value, "%.*s", (int)strcspn(from, "\r\n"), from);
            return value;
        }
    return NULL;
}

/* The head, byte by byte so that nothing of what follows is taken; 100s are counted and passed over. */
static inline bool http_read_head(int fd, struct answer *a, int ms)
{
    int64_t until = clock_monotonic_ms() + ms;
    size_t len = 0;

    while (len + 1 < sizeof a->head) {
        int left = (int)(until - clock_monotonic_ms());
        ssize_t n = http_hear(fd, a->head + len, 1, left > 0 ? left : 0);
        if (n <= 0) {
            a->closed = n == 0;
            a->head[len] = '\0';
            return false;
        }
        len += (size_t)n;
        a->head[len] = '\0';
        if (len < 4 || memcmp(a->head + len - 4, "\r\n\r\n", 4) != 0)
            continue;
        a->status = (int)strtol(a->head + strlen("HTTP/1.1 "), NULL, 10);
        if (a->status != 100)
            return true;
        a->continues++;
        a->status = 0;
        len = 0;
    }
    return false;
}

/* One answer; without_body for a HEAD. */
static inline void http_read(int fd, struct answer *a, bool without_body, int ms)
{
    size_t want = 0;

    memset(a, 0, offsetof(struct answer, body));
    a->body_len = 0;
    a->closed = false;
    a->body[0] = '\0';
    if (!http_read_head(fd, a, ms))
        return;
    const char *length = http_header(a, "Content-Length");
    bool chunked = http_header(a, "Transfer-Encoding") != NULL;
    want = length ? (size_t)strtoul(length, NULL, 10) : 0;
    while (!without_body && a->status != 304 && a->status != 204 && a->body_len + 1 < sizeof a->body) {
        if (!chunked && a->body_len >= want)
            break;
        if (chunked && a->body_len >= 5 && memcmp(a->body + a->body_len - 5, "0\r\n\r\n", 5) == 0)
            break;
        size_t room = chunked ? sizeof a->body - a->body_len - 1 : want - a->body_len;
        ssize_t n = http_hear(fd, a->body + a->body_len, room, ms);
        if (n <= 0) {
            a->closed = n == 0;
            break;
        }
        a->body_len += (size_t)n;
        a->body[a->body_len] = '\0';
    }
    const char *connection = http_header(a, "Connection");
    if (!a->closed)
        a->closed = http_is_closed(fd, connection && strcasecmp(connection, "close") == 0 ? 2000 : 0);
}

/* A whole exchange on a connection of its own. */
static inline void http_ask(const char *url, const char *request, size_t len, struct answer *a)
{
    int fd = http_connect(url);

    (void)http_send(fd, request, len); /* a server that hangs up early is what some tests want */
    http_read(fd, a, strncmp(request, "HEAD", 4) == 0, 3000);
    (void)close(fd);
}
#endif
