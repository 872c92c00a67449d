/* Token buckets: so many events a minute for each key (an address). Bounded memory: when full, the
 * key unseen for longest makes room. Thread-safe. */
#ifndef HTTPD_THROTTLE_H
#define HTTPD_THROTTLE_H
#include <stdbool.h>
#include <stdint.h>

struct throttle;
struct throttle *throttle_new(unsigned per_minute, unsigned burst, unsigned keys); /* NULL: no memory */
/* Take one; when none is left *retry_after_s says when. */
bool throttle_allows(struct throttle *t, const char *key, int64_t now_ms, int *retry_after_s);
void throttle_free(struct throttle *t);
#endif
