/* What every test includes first: cmocka with the headers it needs, and a few words of ours. */
#ifndef HARNESS_TEST_H
#define HARNESS_TEST_H
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pds/base/err.h"

/* Rows of an array. */
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* The call must be ERR_OK; its story is shown when it is not. */
#define assert_ok(call) test_expect((call), ERR_OK, #call, __FILE__, __LINE__)
/* The call must have just this outcome. */
#define assert_err(call, wanted) test_expect((call), (wanted), #call, __FILE__, __LINE__)
void test_expect(enum err got, enum err wanted, const char *call, const char *file, int line);

/* In a loop over a table: the row must hold, or its name is shown. */
#define assert_row(name, condition) test_row((condition), (name), #condition, __FILE__, __LINE__)
void test_row(bool holds, const char *name, const char *condition, const char *file, int line);

/* Numbers that look random. The seed is printed, so that a failure can be had again with TEST_SEED=n. */
uint64_t test_seed(void);
uint64_t test_random(uint64_t *state);                              /* splitmix64 */
int64_t test_between(uint64_t *state, int64_t least, int64_t most); /* both included */
#endif
