/* One line of JSON an event, on standard error. No personal value can be passed: an event takes
 * a fixed word, an outcome with its story, and numbers. */
#ifndef BASE_LOG_H
#define BASE_LOG_H
#include "pds/base/err.h"

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

void log_set_level(enum log_level least);

/* One event, with its numbers: log_event(LOG_INFO, "listening", LOG_NUMBERS({"port", port})). */
struct log_number {
    const char *name; /* NULL ends */
    int64_t value;
};
#define LOG_NUMBERS(...) ((const struct log_number[]){__VA_ARGS__, {0}})
void log_event(enum log_level level, const char *event,
               const struct log_number *numbers); /* numbers may be NULL */
void log_failure(const char *event, enum err e);  /* at LOG_ERROR, with the thread's story */
#endif
