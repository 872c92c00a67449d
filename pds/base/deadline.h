/* Waiting for a condition, but not for ever: by the clock that nobody sets. */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H
#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* A condition that pthread_cond_timedwait() waits for until a deadline of deadline_in(). */
void deadline_cond_init(pthread_cond_t *c);
struct timespec deadline_in(int64_t ms); /* so many milliseconds from now */
#endif
