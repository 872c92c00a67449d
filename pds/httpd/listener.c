#include "pds/httpd/listener.h"

#include "pds/base/fs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

bool address_is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
    }
    if (address->sa_family == AF_INET6) {
        const struct in6_addr *v6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
    }
    return false;
}

void address_text(const struct sockaddr *address, char out[static ADDRESS_BYTES])
{
    const char *told = NULL;

    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        told = inet_ntop(AF_INET, &v4->sin_addr, out, ADDRESS_BYTES);
    } else if (address->sa_family == AF_INET6) {
        const struct in6_addr *v6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        told = IN6_IS_ADDR_V4MAPPED(v6) ? inet_ntop(AF_INET, &v6->s6_addr[12], out, ADDRESS_BYTES)
                                        : inet_ntop(AF_INET6, v6, out, ADDRESS_BYTES);
    }
    if (!told)
        memcpy(out, "unknown", sizeof "unknown");
}

bool address_read(struct str text, char out[static ADDRESS_BYTES])
{
    union address a;
    char copy[ADDRESS_BYTES];

    memset(&a, 0, sizeof a);
    if (text.len >= sizeof copy || memchr(text.ptr, 0, text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, &a.v4.sin_addr) == 1)
        a.v4.sin_family = AF_INET;
    else if (inet_pton(AF_INET6, copy, &a.v6.sin6_addr) == 1)
        a.v6.sin6_family = AF_INET6;
    else
        return false;
    address_text(&a.any, out);
    return true;
}

void address_household(const char *address, char out[static ADDRESS_BYTES])
{
    struct in6_addr v6;

    if (inet_pton(AF_INET6, address, &v6) != 1) {
        (void)snprintf(out, ADDRESS_BYTES, "%s", address);
        return;
    }
    memset(&v6.s6_addr[8], 0, 8);
    (void)inet_ntop(AF_INET6, &v6, out, ADDRESS_BYTES); /* there is room for any */
}

/* "127.0.0.1:8765", "[::1]:0", "localhost:8765". */
static enum err parse_listen(const char *text, union address *out, socklen_t *size)
{
    const char *colon = text ? strrchr(text, ':') : NULL;
    struct str host;
    char name[ADDRESS_BYTES];
    int64_t port;

    memset(out, 0, sizeof *out);
    if (!colon || str_int64(str_of(colon + 1), &port) || port < 0 || port > 65535 || colon[1] == '+')
        return err_set(ERR_INVALID, "an address to listen on is written 127.0.0.1:8765 or [::1]:8765");
    host = (struct str){text, (size_t)(colon - text)};
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']') {
        host.ptr++;
        host.len -= 2;
        if (str_copy(host, name, sizeof name) || inet_pton(AF_INET6, name, &out->v6.sin6_addr) != 1)
            return err_set(ERR_INVALID, "no IPv6 address between the brackets");
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons((uint16_t)port);
        *size = sizeof out->v6;
        return ERR_OK;
    }
    if (str_eq(host, STR("localhost")))
        host = STR("127.0.0.1");
    if (str_copy(host, name, sizeof name) || inet_pton(AF_INET, name, &out->v4.sin_addr) != 1)
        return err_set(ERR_INVALID, "an address to listen on is a number: 127.0.0.1:8765 or [::1]:8765");
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons((uint16_t)port);
    *size = sizeof out->v4;
    return ERR_OK;
}

static bool is_wildcard(const union address *a)
{
    return a->any.sa_family == AF_INET ? a->v4.sin_addr.s_addr == INADDR_ANY
                                       : IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr);
}

static enum err check_exposure(const struct server_options *o, const union address *a)
{
    if (address_is_loopback(&a->any))
        return ERR_OK;
    if (!o->tls_cert_file && !o->proxy)
        return err_set(ERR_FORBIDDEN,
                       "%s can be reached by others: give a certificate and its key, "
                       "or name the proxy that has them, or listen on 127.0.0.1",
                       o->listen);
    if (is_wildcard(a) && !o->base_url)
        return err_set(ERR_INVALID, "%s stands for every address: give the base URL that people type",
                       o->listen);
    return ERR_OK;
}

static enum err open_socket(const union address *a, socklen_t size, int *out)
{
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    enum err e = ERR_OK;

    if (fd < 0)
        return fs_error("opening", "a socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
                     sizeof on); /* without it a restart has to wait, no more */
    if (bind(fd, &a->any, size) != 0)
        e = errno == EADDRINUSE ? err_set(ERR_CONFLICT, "another program listens on this port already")
                                : fs_error("listening on", "the address");
    else if (listen(fd, 511) != 0)
        e = fs_error("listening on", "the address");
    if (e) {
        (void)close(fd);
        return e;
    }
    *out = fd;
    return ERR_OK;
}

/* The authority of "https://host[:port]/…", with the port of its scheme and without. */
static enum err add_base(struct hosts *hosts, const char *base_url)
{
    bool https = strncmp(base_url, "https://", 8) == 0;
    struct str rest = str_of(base_url), authority = {0}, port = https ? STR(":443") : STR(":80");
    char text[HOST_BYTES];
    enum err e;

    if (!https && strncmp(base_url, "http://", 7) != 0)
        return err_set(ERR_INVALID, "a base URL begins with http:// or https://");
    rest.ptr += https ? 8 : 7;
    rest.len -= https ? 8 : 7;
    if (!str_split(&rest, '/', &authority) || authority.len == 0 || memchr(authority.ptr, '@', authority.len))
        return err_set(ERR_INVALID, "a base URL names a host");
    if ((e = hosts_add(hosts, authority)))
        return e;
    if (str_ends(authority, port))
        return hosts_add(hosts, (struct str){authority.ptr, authority.len - port.len});
    const char *colon = memrchr(authority.ptr, ':', authority.len);
    if (colon && !memchr(colon, ']', authority.len - (size_t)(colon - authority.ptr)))
        return ERR_OK; /* a port of its own */
    if (snprintf(text, sizeof text, "%.*s%.*s", STR_ARGS(authority), STR_ARGS(port)) >= (int)sizeof text)
        return err_set(ERR_TOO_LARGE, "the host of the base URL");
    return hosts_add(hosts, str_of(text));
}

/* "host:port", and "host" alone when the port is the scheme's own: a browser leaves that away. */
static enum err add_host(struct hosts *hosts, const char *host, unsigned port, unsigned usual_port)
{
    char text[HOST_BYTES];
    enum err e;

    (void)snprintf(text, sizeof text, "%s:%u", host, port);
    if (!hosts_have(hosts, str_of(text)) && (e = hosts_add(hosts, str_of(text))))
        return e;
    return port != usual_port || hosts_have(hosts, str_of(host)) ? ERR_OK : hosts_add(hosts, str_of(host));
}

static enum err name_hosts(struct listener *l, const struct server_options *o, const char *host,
                           unsigned port)
{
    static const char *const LOCAL[] = {"127.0.0.1", "localhost", "[::1]"};
    unsigned usual_port = o->tls_cert_file ? 443 : 80;
    enum err e;

    if (o->base_url && (e = add_base(&l->hosts, o->base_url)))
        return e;
    if ((!o->base_url || l->loopback) && (e = add_host(&l->hosts, host, port, usual_port)))
        return e;
    for (size_t i = 0; l->loopback && i < sizeof LOCAL / sizeof *LOCAL; i++)
        if ((e = add_host(&l->hosts, LOCAL[i], port, usual_port)))
            return e;
    return ERR_OK;
}

static enum err tell_names(struct listener *l, const struct server_options *o)
{
    union address a;
    socklen_t size = sizeof a;
    char number[ADDRESS_BYTES], host[ADDRESS_BYTES + 2];

    memset(&a, 0, sizeof a);
    if (getsockname(l->fd, &a.any, &size) != 0)
        return fs_error("asking for", "the port");
    l->ipv6 = a.any.sa_family == AF_INET6;
    l->loopback = address_is_loopback(&a.any);
    address_text(&a.any, number);
    (void)snprintf(host, sizeof host, strchr(number, ':') ? "[%s]" : "%s", number);
    unsigned port = ntohs(l->ipv6 ? a.v6.sin6_port : a.v4.sin_port);
    (void)snprintf(l->url, sizeof l->url, "%s://%s:%u", o->tls_cert_file ? "https" : "http", host, port);
    return name_hosts(l, o, host, port);
}

enum err listener_open(const struct server_options *options, struct listener *out)
{
    struct listener l = {.fd = -1};
    union address a;
    socklen_t size;
    enum err e;

    if ((e = parse_listen(options->listen, &a, &size)) || (e = check_exposure(options, &a)) ||
        (e = open_socket(&a, size, &l.fd)))
        return e;
    if ((e = tell_names(&l, options))) {
        listener_close(&l);
        return e;
    }
    *out = l;
    return ERR_OK;
}

void listener_close(struct listener *l)
{
    if (l->fd >= 0)
        (void)close(l->fd);
    l->fd = -1;
}
