/* An answer onto the wire: the headers that every one carries, and its body in the form the library takes. */
#ifndef HTTPD_WIRE_H
#define HTTPD_WIRE_H
#include "pds/httpd/turn.h"

/* Queue an answer and leave it empty. MHD_NO cuts the connection. */
enum MHD_Result wire_send(struct turn *t, struct response *response);
#endif
