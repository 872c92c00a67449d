/* Keeps the deadlines that the library does not know: it goes round, and cuts who is late. */
#ifndef HTTPD_WARDEN_H
#define HTTPD_WARDEN_H

void *warden_run(void *server); /* a thread's body; ends once the server is retired */
#endif
