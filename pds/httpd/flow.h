/* A body that is made while it is sent: its pieces are made on a worker's thread, with the connection
 * suspended meanwhile. Those of a file, whose size is told before, are larger, and the next is made while one
 * is sent. */
#ifndef HTTPD_FLOW_H
#define HTTPD_FLOW_H
#include "pds/httpd/turn.h"

/* The response's source moves into it; NULL (the source stays where it is) without memory. */
struct MHD_Response *flow_new(struct turn *t, struct response *r);
#endif
