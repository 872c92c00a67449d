/* The socket listened on, and the names it is called by. */
#ifndef HTTPD_LISTENER_H
#define HTTPD_LISTENER_H
#include "pds/base/err.h"
#include "pds/httpd/head.h"
#include "pds/httpd/server.h"

#include <stdbool.h>
#include <sys/socket.h>

enum { ADDRESS_BYTES = 64, URL_BYTES = 128 };

struct listener {
    int fd;
    bool ipv6;
    bool loopback;       /* only this machine can connect */
    char url[URL_BYTES]; /* "http://127.0.0.1:8765" */
    struct hosts hosts;  /* that it answers to */
};

/* ERR_FORBIDDEN when others could listen in: an address that is not loopback, without TLS or a declared
 * proxy. ERR_INVALID for what is not an address, ERR_CONFLICT when the port is taken. */
MUST_CHECK enum err listener_open(const struct server_options *options, struct listener *out);
void listener_close(struct listener *l);

bool address_is_loopback(const struct sockaddr *address);
/* Numeric, without port; an IPv4 address in IPv6 clothes is told as IPv4. */
void address_text(const struct sockaddr *address, char out[static ADDRESS_BYTES]);
/* A numeric address in the spelling of address_text(); false for anything else. */
bool address_read(struct str text, char out[static ADDRESS_BYTES]);
/* Whose it is, as far as an address tells: one household or host is given a whole IPv6 /64. address is as
 * address_text() tells it. */
void address_household(const char *address, char out[static ADDRESS_BYTES]);
#endif
