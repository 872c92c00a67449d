/* The one path of every request: who is it, may they, handle, tell failures. */
#ifndef API_EXCHANGE_H
#define API_EXCHANGE_H
#include "pds/httpd/server.h"

void exchange_run(struct request *request, struct response *response, void *context);
void exchange_refuse(struct request *request, enum err e, struct response *response, void *context);

/* The session token that the request's cookie holds; empty without one. */
struct str exchange_token(const struct request *request, const void *context);
#endif
