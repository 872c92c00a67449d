#include "tests/harness/test.h"

#include <stdlib.h>
#include <sys/random.h>

void test_expect(enum err got, enum err wanted, const char *call, const char *file, int line)
{
    if (got == wanted)
        return;
    print_error("%s: %s instead of %s: %s\n", call, err_row(got)->name, err_row(wanted)->name,
                got ? err_story() : "no failure");
    _fail(file, line);
}

void test_row(bool holds, const char *name, const char *condition, const char *file, int line)
{
    if (holds)
        return;
    print_error("row \"%s\": %s\n", name, condition);
    _fail(file, line);
}

uint64_t test_seed(void)
{
    const char *given = getenv("TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 0;

    if (!given && getrandom(&seed, sizeof seed, 0) != sizeof seed)
        fail_msg("no random seed");
    print_message("TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

uint64_t test_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

int64_t test_between(uint64_t *state, int64_t least, int64_t most)
{
    uint64_t span = (uint64_t)most - (uint64_t)least + 1;

    return (int64_t)((uint64_t)least + (span ? test_random(state) % span : test_random(state)));
}
