#include "tests/harness/test.h"

#include "demo/draw.h"

/* The first outputs of splitmix64 for the state 1234567, as its authors' program prints them. */
static void it_is_splitmix64(void **state)
{
    static const uint64_t WANTED[] = {6457827717110365317U, 3203168211198807973U, 9817491932198370423U,
                                      4593380528125082431U, 16408922859458223821U};
    struct draw d = {1234567};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(WANTED); i++)
        assert_true(draw_next(&d) == WANTED[i]);
}

static void purposes_and_places_have_streams_of_their_own(void **state)
{
    struct draw a = draw_for(1, "light", 10), same = draw_for(1, "light", 10),
                other = draw_for(1, "meals", 10), next = draw_for(1, "light", 11),
                seed = draw_for(2, "light", 10);
    uint64_t first = draw_next(&a);

    (void)state;
    assert_true(draw_next(&same) == first);
    assert_true(draw_next(&other) != first);
    assert_true(draw_next(&next) != first);
    assert_true(draw_next(&seed) != first);
}

static void a_draw_stays_between_its_bounds_and_reaches_both(void **state)
{
    struct draw d = draw_for(1, "test", 0);
    int seen[7] = {0};

    (void)state;
    for (int i = 0; i < 1000; i++) {
        int n = draw_between(&d, -3, 3);

        assert_in_range(n + 3, 0, 6);
        seen[n + 3]++;
    }
    for (size_t i = 0; i < COUNT_OF(seen); i++)
        assert_in_range(seen[i], 90, 200);
    assert_int_equal(draw_between(&d, 5, 5), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_splitmix64),
        cmocka_unit_test(purposes_and_places_have_streams_of_their_own),
        cmocka_unit_test(a_draw_stays_between_its_bounds_and_reaches_both),
    };

    return cmocka_run_group_tests_name("draw", tests, NULL, NULL);
}
