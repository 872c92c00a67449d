/* A folder of one test's own, mode 0700, removed with all that is in it: by tempdir_free(), or when
 * the program ends, since a test that fails does not get there. */
#ifndef HARNESS_TEMPDIR_H
#define HARNESS_TEMPDIR_H

struct tempdir;

struct tempdir *tempdir_new(void); /* never NULL: without one the test fails */
const char *tempdir_root(const struct tempdir *d);
/* The path of a name in it; borrowed until tempdir_free(). */
const char *tempdir_path(struct tempdir *d, const char *name);
void tempdir_free(struct tempdir *d); /* NULL is fine */
static inline void tempdir_freep(struct tempdir **d) { tempdir_free(*d); }
#endif
