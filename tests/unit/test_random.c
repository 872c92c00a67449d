#include "tests/harness/test.h"

#include "pds/base/mem.h"
#include "pds/crypto/random.h"
#include "pds/crypto/seal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DRAWS = 1000000, FEW = 64, THREADS = 4, PER_THREAD = 20000 };

struct nonce {
    uint8_t bytes[SEAL_NONCE_BYTES];
};

static int compare(const void *a, const void *b) { return memcmp(a, b, sizeof(struct nonce)); }

static void assert_all_differ(struct nonce *nonces, size_t count)
{
    qsort(nonces, count, sizeof *nonces, compare);
    for (size_t i = 1; i < count; i++)
        assert_int_not_equal(compare(&nonces[i - 1], &nonces[i]), 0);
}

static void draw(struct nonce *nonces, size_t count)
{
    for (size_t i = 0; i < count; i++)
        random_nonce(nonces[i].bytes, SEAL_NONCE_BYTES);
}

static void nonces_differ_over_a_million_draws(void **state)
{
    struct nonce *nonces = mem_array(DRAWS, sizeof *nonces);

    (void)state;
    assert_non_null(nonces);
    draw(nonces, DRAWS);
    assert_all_differ(nonces, DRAWS);
    mem_free(nonces);
}

static void nonces_differ_between_parent_and_child(void **state)
{
    struct nonce nonces[2 * FEW];
    int ends[2], status = -1;
    pid_t child;

    (void)state;
    draw(nonces, 1); /* some are waiting to be handed out */
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        draw(nonces, FEW);
        _exit(write(ends[1], nonces, sizeof *nonces * FEW) != (ssize_t)(sizeof *nonces * FEW));
    }
    draw(nonces + FEW, FEW);
    assert_int_equal(read(ends[0], nonces, sizeof *nonces * FEW), sizeof *nonces * FEW);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_all_differ(nonces, COUNT_OF(nonces));
    close(ends[0]);
    close(ends[1]);
}

static void *draw_many(void *to)
{
    draw(to, PER_THREAD);
    return NULL;
}

static void nonces_differ_between_threads(void **state)
{
    struct nonce *nonces = mem_array((size_t)THREADS * PER_THREAD, sizeof *nonces);
    pthread_t threads[THREADS];

    (void)state;
    assert_non_null(nonces);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, draw_many, nonces + i * PER_THREAD), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_all_differ(nonces, (size_t)THREADS * PER_THREAD);
    mem_free(nonces);
}

static void random_nonce_gives_more_than_it_draws_ahead(void **state)
{
    static uint8_t bytes[10000];
    size_t zeros = 0;

    (void)state;
    random_nonce(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        zeros += bytes[i] == 0;
    assert_true(zeros < 200); /* about 39 */
}

/* Whatever the sizes asked for, each byte drawn ahead is handed out once. */
static void random_nonce_of_odd_sizes_hands_out_fresh_bytes(void **state)
{
    uint8_t bytes[257], zeros[257] = {0};

    (void)state;
    for (int i = 0; i < 200; i++) {
        memset(bytes, 0, sizeof bytes);
        random_nonce(bytes, sizeof bytes);
        assert_memory_not_equal(bytes, zeros, 64);
        assert_memory_not_equal(bytes + sizeof bytes - 64, zeros, 64);
    }
}

static void random_equal_compares_all_bytes(void **state)
{
    uint8_t a[32], b[32];

    (void)state;
    random_bytes(a, sizeof a);
    memcpy(b, a, sizeof b);
    assert_true(random_equal(a, b, sizeof a));
    assert_true(random_equal(a, b, 0));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] ^= 0x40;
        assert_false(random_equal(a, b, sizeof a));
        b[i] ^= 0x40;
    }
}

static void random_wipe_leaves_zeros(void **state)
{
    uint8_t bytes[40], zeros[40] = {0};

    (void)state;
    random_bytes(bytes, sizeof bytes);
    random_wipe(bytes, sizeof bytes);
    assert_memory_equal(bytes, zeros, sizeof bytes);
}

static void random_starts_more_than_once(void **state)
{
    (void)state;
    assert_ok(random_start());
}

static int start(void **state)
{
    (void)state;
    return random_start() != ERR_OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nonces_differ_over_a_million_draws),
        cmocka_unit_test(nonces_differ_between_parent_and_child),
        cmocka_unit_test(nonces_differ_between_threads),
        cmocka_unit_test(random_nonce_gives_more_than_it_draws_ahead),
        cmocka_unit_test(random_nonce_of_odd_sizes_hands_out_fresh_bytes),
        cmocka_unit_test(random_equal_compares_all_bytes),
        cmocka_unit_test(random_wipe_leaves_zeros),
        cmocka_unit_test(random_starts_more_than_once),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
