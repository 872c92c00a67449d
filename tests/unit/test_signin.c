#include "tests/harness/test.h"

#include "pds/api/signin.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static const char HOME[] = "127.0.0.1", AWAY[] = "2001:db8::7";

static void try(struct signin *s, const char *address, enum err outcome, int64_t now_ms)
{
    int wait_s = 0;

    assert_ok(signin_enter(s, address, now_ms, &wait_s));
    signin_leave(s, address, outcome, now_ms);
}

static int wait_of(struct signin *s, const char *address, int64_t now_ms)
{
    int wait_s = 0;
    enum err e = signin_enter(s, address, now_ms, &wait_s);

    if (!e) {
        signin_leave(s, address, ERR_OK, now_ms); /* which clears the count */
        return 0;
    }
    assert_int_equal(e, ERR_THROTTLED);
    return wait_s;
}

static void wait_doubles_after_the_free_failures(void **state)
{
    static const int WAITS_S[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    struct signin *s = signin_new();
    int64_t now = 1000000;

    (void)state;
    for (int i = 1; i < LIMIT_FAILURES_FREE; i++)
        try(s, HOME, ERR_WRONG_KEY, now);
    for (size_t i = 0; i < COUNT_OF(WAITS_S); i++) {
        try(s, HOME, ERR_WRONG_KEY, now);
        assert_int_equal(wait_of(s, HOME, now), WAITS_S[i]);
        assert_int_equal(wait_of(s, HOME, now + 1), WAITS_S[i]);
        assert_int_equal(wait_of(s, HOME, now + WAITS_S[i] * 1000 - 1), 1);
        assert_int_equal(wait_of(s, AWAY, now), 0); /* each address has its own count */
        now += WAITS_S[i] * 1000;
    }
    assert_int_equal(wait_of(s, HOME, now), 0);
    signin_free(s);
}

static void success_clears_the_count(void **state)
{
    struct signin *s = signin_new();

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = 1; i < LIMIT_FAILURES_FREE; i++)
            try(s, HOME, ERR_WRONG_KEY, 1000);
        try(s, HOME, ERR_OK, 1000);
    }
    for (int i = 1; i < LIMIT_FAILURES_FREE; i++)
        try(s, HOME, ERR_WRONG_KEY, 1000);
    try(s, HOME, ERR_WRONG_KEY, 1000);
    assert_int_equal(wait_of(s, HOME, 1000), 1);
    signin_free(s);
}

static void refused_try_makes_the_wait_no_longer(void **state)
{
    struct signin *s = signin_new();

    (void)state;
    for (int i = 0; i < LIMIT_FAILURES_FREE; i++)
        try(s, HOME, ERR_WRONG_KEY, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(wait_of(s, HOME, 500), 1);
    assert_int_equal(wait_of(s, HOME, 1000), 0);
    signin_free(s);
}

static void try_that_could_not_be_made_changes_nothing(void **state)
{
    struct signin *s = signin_new();

    (void)state;
    for (int i = 1; i < LIMIT_FAILURES_FREE; i++)
        try(s, HOME, ERR_WRONG_KEY, 0);
    for (int i = 0; i < 20; i++)
        try(s, HOME, i % 2 ? ERR_NO_MEMORY : ERR_IO, 0);
    try(s, HOME, ERR_INVALID, 0); /* a mistyped recovery code is a wrong one */
    assert_int_equal(wait_of(s, HOME, 0), 1);
    signin_free(s);
}

static void after_the_free_failures_an_address_tries_one_at_a_time(void **state)
{
    struct signin *s = signin_new();
    int wait_s = 0;

    (void)state;
    assert_ok(signin_enter(s, HOME, 0, &wait_s));
    assert_ok(signin_enter(s, HOME, 0, &wait_s)); /* nothing is wrong yet: two may */
    signin_leave(s, HOME, ERR_WRONG_KEY, 0);
    signin_leave(s, HOME, ERR_WRONG_KEY, 0);
    for (int i = 2; i < LIMIT_FAILURES_FREE; i++)
        try(s, HOME, ERR_WRONG_KEY, 0);
    assert_ok(signin_enter(s, HOME, 1000, &wait_s));
    assert_int_equal(wait_of(s, HOME, 1000), 2);
    assert_int_equal(wait_of(s, AWAY, 1000), 0);
    signin_leave(s, HOME, ERR_WRONG_KEY, 1000);
    assert_int_equal(wait_of(s, HOME, 1000), 2); /* the delay has doubled */
    assert_int_equal(wait_of(s, HOME, 3000), 0);
    signin_free(s);
}

static const struct {
    const char *one, *other;
    bool same;
} NETS[] = {
    {"127.0.0.1", "127.0.0.1", true},
    {"127.0.0.1", "127.9.9.9", true},
    {"127.0.0.1", "::1", true},
    {"::1", "::ffff:127.0.0.1", true},
    {"::1", "::2", false},
    {"192.0.2.1", "192.0.2.2", false},
    {"192.0.2.1", "::ffff:192.0.2.1", true},
    {"192.0.2.1", "127.0.0.1", false},
    {"2001:db8::1", "2001:db8::2", true},
    {"2001:db8:0:0:1::", "2001:db8::", true},
    {"2001:db8:0:1::1", "2001:db8:0:2::1", false},
    {"", "nonsense", true},
};

static void addresses_of_one_household_count_as_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(NETS); i++) {
        struct signin *s = signin_new();

        for (int n = 0; n < LIMIT_FAILURES_FREE; n++)
            try(s, NETS[i].one, ERR_WRONG_KEY, 0);
        assert_row(NETS[i].other, (wait_of(s, NETS[i].other, 0) == 1) == NETS[i].same);
        signin_free(s);
    }
}

static void try_many(struct signin *s, int64_t now_ms)
{
    enum { MANY = 300 }; /* more than are kept */
    char address[32];

    for (int i = 0; i < MANY; i++) {
        (void)snprintf(address, sizeof address, "2001:db8:%x::1", (unsigned)i + 1);
        try(s, address, ERR_WRONG_KEY, now_ms + i);
    }
}

static void others_push_an_address_out_only_once_its_wait_is_over(void **state)
{
    struct signin *s = signin_new();

    (void)state;
    for (int i = 0; i < LIMIT_FAILURES_FREE; i++)
        try(s, HOME, ERR_WRONG_KEY, 0);
    try_many(s, 10);
    assert_int_equal(wait_of(s, HOME, 500), 1);
    try_many(s, 2000);
    try(s, HOME, ERR_WRONG_KEY, 3000);
    assert_int_equal(wait_of(s, HOME, 3000), 0); /* its first again */
    signin_free(s);
}

struct crowd {
    struct signin *signin;
    enum err outcome; /* of each try */
    atomic_int inside, most, entered, refused, retry_after_s;
    sem_t refusal;
};

static void *enter_and_leave(void *context)
{
    struct crowd *c = context;
    int wait_s = 0, inside;

    if (signin_enter(c->signin, HOME, 1000, &wait_s)) {
        atomic_fetch_add(&c->refused, 1);
        atomic_store(&c->retry_after_s, wait_s);
        (void)sem_post(&c->refusal);
        return NULL;
    }
    inside = atomic_fetch_add(&c->inside, 1) + 1;
    if (inside > atomic_load(&c->most))
        atomic_store(&c->most, inside);
    atomic_fetch_add(&c->entered, 1);
    atomic_fetch_sub(&c->inside, 1);
    signin_leave(c->signin, HOME, c->outcome, 1000);
    return NULL;
}

/* Two are inside; of those who come, LIMIT_DERIVATIONS_WAITING wait and one more is sent away at once. */
static void few_derive_at_once_and_few_wait(void **state)
{
    struct crowd c = {.signin = signin_new()};
    pthread_t threads[LIMIT_DERIVATIONS_WAITING + 1];
    struct timespec late;
    int wait_s = 0;

    (void)state;
    assert_int_equal(sem_init(&c.refusal, 0, 0), 0);
    for (int i = 0; i < LIMIT_DERIVATIONS; i++)
        assert_ok(signin_enter(c.signin, HOME, 1000, &wait_s));
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, enter_and_leave, &c), 0);
    (void)clock_gettime(CLOCK_REALTIME, &late);
    late.tv_sec += 30;
    assert_int_equal(sem_timedwait(&c.refusal, &late), 0);
    assert_int_equal(atomic_load(&c.entered), 0);
    assert_int_equal(atomic_load(&c.refused), 1);
    assert_int_equal(atomic_load(&c.retry_after_s), 2);
    for (int i = 0; i < LIMIT_DERIVATIONS; i++)
        signin_leave(c.signin, HOME, ERR_OK, 1000);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&c.entered), LIMIT_DERIVATIONS_WAITING);
    assert_true(atomic_load(&c.most) <= LIMIT_DERIVATIONS);
    assert_int_equal(wait_of(c.signin, HOME, 1000), 0);
    signin_free(c.signin);
    (void)sem_destroy(&c.refusal);
}

/* Who comes at once with wrong secrets gets the free tries and one more at the most: those who waited for a
 * place are looked at again when they get it. */
static void a_burst_gets_no_more_than_the_free_tries(void **state)
{
    struct crowd c = {.signin = signin_new(), .outcome = ERR_WRONG_KEY};
    pthread_t threads[2 * LIMIT_FAILURES_FREE + LIMIT_DERIVATIONS_WAITING];

    (void)state;
    assert_int_equal(sem_init(&c.refusal, 0, 0), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, enter_and_leave, &c), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_in_range(atomic_load(&c.entered), 1, LIMIT_FAILURES_FREE + 1);
    assert_int_equal(atomic_load(&c.entered) + atomic_load(&c.refused), COUNT_OF(threads));
    signin_free(c.signin);
    (void)sem_destroy(&c.refusal);
}

static void signin_new_without_memory_is_null(void **state)
{
    (void)state;
    mem_fail_at(1);
    assert_null(signin_new());
    mem_fail_at(0);
    signin_free(NULL);
}

static void names_of_a_shared_gate_have_counts_of_their_own(void **state)
{
    struct signin *shared = signin_new_shared();
    struct signin *a = signin_new_view(shared, STR("a")), *b = signin_new_view(shared, STR("b"));
    struct signin *again = signin_new_view(shared, STR("a"));

    (void)state;
    for (int i = 0; i < LIMIT_FAILURES_FREE; i++)
        try(a, HOME, ERR_WRONG_KEY, 0);
    assert_int_equal(wait_of(a, HOME, 0), 1);
    assert_int_equal(wait_of(again, HOME, 0), 1); /* a view is of a name, whoever made it */
    assert_int_equal(wait_of(b, HOME, 0), 0);
    assert_int_equal(wait_of(a, AWAY, 0), 0);
    assert_null(signin_new_view(shared, STR("a-name-that-is-longer-than-any-of-ours-is")));
    signin_free(again);
    signin_free(b);
    signin_free(a);
    signin_free(shared);
}

/* Enters a view and waits inside until it is told to leave. */
struct guest {
    struct signin *signin;
    const char *address; /* NULL: HOME */
    pthread_t thread;
    sem_t go;
    atomic_int outcome; /* -1: waiting */
};

static void *visit(void *context)
{
    struct guest *g = context;
    int wait_s = 0;
    enum err e = signin_enter(g->signin, g->address ? g->address : HOME, 0, &wait_s);

    atomic_store(&g->outcome, (int)e);
    if (e)
        return NULL;
    (void)sem_wait(&g->go);
    signin_leave(g->signin, g->address ? g->address : HOME, ERR_OK, 0);
    return NULL;
}

static void guest_come(struct guest *g, struct signin *s)
{
    g->signin = s;
    atomic_store(&g->outcome, -1);
    assert_int_equal(sem_init(&g->go, 0, 0), 0);
    assert_int_equal(pthread_create(&g->thread, NULL, visit, g), 0);
}

/* Whether it gets an answer within half a second. */
static bool guest_is_answered(struct guest *g)
{
    const struct timespec pause = {.tv_nsec = 5000000};

    for (int i = 0; i < 100 && atomic_load(&g->outcome) < 0; i++)
        (void)nanosleep(&pause, NULL);
    return atomic_load(&g->outcome) >= 0;
}

static void guest_go(struct guest *g)
{
    assert_int_equal(sem_post(&g->go), 0);
    assert_int_equal(pthread_join(g->thread, NULL), 0);
    (void)sem_destroy(&g->go);
}

/* All places are taken by those who guessed wrong once. */
static void who_did_not_guess_goes_before_those_who_did(void **state)
{
    static const char OWNER[] = "192.0.2.200", FRESH[] = "192.0.2.201";
    struct signin *s = signin_new();
    struct guest inside[LIMIT_DERIVATIONS] = {{0}}, owner = {.address = OWNER}, fresh = {.address = FRESH};
    struct guest crowd[LIMIT_DERIVATIONS_WAITING] = {{0}};
    char addresses[LIMIT_DERIVATIONS_WAITING][16];
    const struct timespec pause = {.tv_nsec = 20000000};
    size_t sent_away = 0;
    int wait_s = 0;

    (void)state;
    try(s, OWNER, ERR_OK, 0);
    for (size_t i = 0; i < COUNT_OF(crowd); i++) {
        (void)snprintf(addresses[i], sizeof addresses[i], "198.51.100.%zu", i + 1);
        try(s, addresses[i], ERR_WRONG_KEY, 0);
    }
    for (size_t i = 0; i < COUNT_OF(inside); i++) {
        guest_come(&inside[i], s);
        assert_true(guest_is_answered(&inside[i]));
    }
    for (size_t i = 0; i < COUNT_OF(crowd); i++) {
        crowd[i].address = addresses[i];
        guest_come(&crowd[i], s);
        (void)nanosleep(&pause, NULL);
    }
    assert_err(signin_enter(s, addresses[0], 0, &wait_s),
               ERR_THROTTLED); /* none of them pushes another out */
    guest_come(&fresh, s);
    (void)nanosleep(&pause, NULL);
    guest_come(&owner, s);
    (void)nanosleep(&pause, NULL);
    for (size_t i = 0; i < COUNT_OF(crowd); i++)
        sent_away += atomic_load(&crowd[i].outcome) == ERR_THROTTLED;
    assert_int_equal(sent_away, 2); /* those who came last */
    assert_int_equal(atomic_load(&crowd[0].outcome), -1);
    guest_go(&inside[0]);
    assert_true(guest_is_answered(&owner)); /* came last, goes first */
    assert_int_equal(atomic_load(&owner.outcome), ERR_OK);
    assert_int_equal(atomic_load(&fresh.outcome), -1);
    guest_go(&owner);
    assert_true(guest_is_answered(&fresh));
    assert_int_equal(atomic_load(&fresh.outcome), ERR_OK);
    assert_int_equal(atomic_load(&crowd[0].outcome), -1);
    guest_go(&fresh);
    guest_go(&inside[1]);
    for (size_t i = 0; i < COUNT_OF(crowd); i++)
        guest_go(&crowd[i]);
    signin_free(s);
}

static void one_name_takes_one_place_and_half_of_those_that_wait(void **state)
{
    enum { MINE = 1 + LIMIT_DERIVATIONS_WAITING / 2 };
    struct signin *shared = signin_new_shared();
    struct signin *a = signin_new_view(shared, STR("a")), *b = signin_new_view(shared, STR("b"));
    struct guest greedy[MINE] = {{0}}, modest = {0};
    const struct timespec pause = {.tv_nsec = 100000000};
    int wait_s = 0;

    (void)state;
    for (int i = 0; i < MINE; i++) {
        guest_come(&greedy[i], a);
        assert_true(i > 0 || guest_is_answered(&greedy[i]));
    }
    (void)nanosleep(&pause, NULL);
    for (int i = 1; i < MINE; i++)
        assert_int_equal(atomic_load(&greedy[i].outcome), -1); /* one at a time, though two may run */
    assert_err(signin_enter(a, HOME, 0, &wait_s), ERR_THROTTLED);
    guest_come(&modest, b);
    assert_true(guest_is_answered(&modest)); /* the others do not keep it out */
    assert_int_equal(atomic_load(&modest.outcome), ERR_OK);
    assert_int_equal(sem_post(&modest.go), 0);
    assert_int_equal(pthread_join(modest.thread, NULL), 0);
    for (int i = 0; i < MINE; i++)
        assert_int_equal(sem_post(&greedy[i].go), 0);
    for (int i = 0; i < MINE; i++) {
        assert_int_equal(pthread_join(greedy[i].thread, NULL), 0);
        assert_int_equal(atomic_load(&greedy[i].outcome), ERR_OK);
        (void)sem_destroy(&greedy[i].go);
    }
    (void)sem_destroy(&modest.go);
    signin_free(b);
    signin_free(a);
    signin_free(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_a_shared_gate_have_counts_of_their_own),
        cmocka_unit_test(who_did_not_guess_goes_before_those_who_did),
        cmocka_unit_test(one_name_takes_one_place_and_half_of_those_that_wait),
        cmocka_unit_test(wait_doubles_after_the_free_failures),
        cmocka_unit_test(success_clears_the_count),
        cmocka_unit_test(refused_try_makes_the_wait_no_longer),
        cmocka_unit_test(try_that_could_not_be_made_changes_nothing),
        cmocka_unit_test(after_the_free_failures_an_address_tries_one_at_a_time),
        cmocka_unit_test(addresses_of_one_household_count_as_one),
        cmocka_unit_test(others_push_an_address_out_only_once_its_wait_is_over),
        cmocka_unit_test(few_derive_at_once_and_few_wait),
        cmocka_unit_test(a_burst_gets_no_more_than_the_free_tries),
        cmocka_unit_test(signin_new_without_memory_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
