/* Failures as RFC 9457 problem documents, in the language asked for. */
#ifndef API_PROBLEM_H
#define API_PROBLEM_H
#include "pds/base/err.h"
#include "pds/httpd/request.h"
#include "pds/httpd/response.h"

/* Fill the response with the problem of an outcome and this thread's story. A 401 or 403 tells no more than
 * its type; where anyone may ask, only what is wrong with the request itself is told. A status of 400 or more
 * that the response holds already is kept: the server knows finer ones than the outcome. request may lack
 * anything (a refused one). retry_after_s goes into Retry-After; with 0 a 503 or 429 says a usual time,
 * unless it is damage. */
void problem_fill(const struct request *request, enum err e, int retry_after_s, struct response *response);
/* The type of an outcome: "urn:traboule:problem:locked". Into at, of size bytes. */
void problem_type(enum err e, char *at, size_t size);
#endif
