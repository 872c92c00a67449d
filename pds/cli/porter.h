/* The porter of a house: the control sockets of its open stores, each there as long as the store's files are
 * open. A command typed while a store is at rest opens the store itself. Thread-safe. */
#ifndef CLI_PORTER_H
#define CLI_PORTER_H
#include "pds/api/house.h"

struct porter;
struct porter *porter_new(void); /* NULL: no memory */
/* What a house is to tell; the porter must outlive it. */
struct house_watch porter_watch(struct porter *p);
void porter_free(struct porter *p); /* NULL is fine */
static inline void porter_freep(struct porter **p) { porter_free(*p); }
#endif
