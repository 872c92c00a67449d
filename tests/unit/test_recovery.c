#include "tests/harness/test.h"
#include "tests/harness/fault.h"

#include "pds/base/auto.h"
#include "pds/crypto/random.h"
#include "pds/crypto/recovery.h"

#include <ctype.h>
#include <string.h>

static const char ALPHABET[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static enum err read_text(const char *text, uint8_t bits[static RECOVERY_BYTES])
{
    AUTO(secret_text_freep) struct secret_text *code = NULL;

    assert_ok(secret_text_new(text, strlen(text), &code));
    return recovery_read(code, bits);
}

static void make_text(char text[static RECOVERY_TEXT_BYTES])
{
    AUTO(secret_text_freep) struct secret_text *code = NULL;

    assert_ok(recovery_make(&code));
    assert_int_equal(code->len, RECOVERY_TEXT_BYTES - 1);
    memcpy(text, code->text, RECOVERY_TEXT_BYTES);
}

static void recovery_code_has_six_groups_of_five(void **state)
{
    char text[RECOVERY_TEXT_BYTES];

    (void)state;
    make_text(text);
    for (size_t i = 0; i < RECOVERY_TEXT_BYTES - 1; i++)
        assert_true(i % 6 == 5 ? text[i] == '-' : strchr(ALPHABET, text[i]) != NULL);
}

static void recovery_codes_differ_and_read_back(void **state)
{
    char one[RECOVERY_TEXT_BYTES], two[RECOVERY_TEXT_BYTES];
    uint8_t bits[RECOVERY_BYTES], again[RECOVERY_BYTES];

    (void)state;
    for (int i = 0; i < 200; i++) {
        make_text(one);
        make_text(two);
        assert_string_not_equal(one, two);
        assert_ok(read_text(one, bits));
        assert_ok(read_text(two, again));
        assert_memory_not_equal(bits, again, sizeof bits);
    }
}

/* Once printed, a code must be read for ever. */
static void recovery_reads_what_it_always_did(void **state)
{
    static const uint8_t WANTED[RECOVERY_BYTES] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                                   0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    uint8_t bits[RECOVERY_BYTES];

    (void)state;
    assert_ok(read_text("008J4-CT4AN-K7F24-SNAXW-SQFEZ-WSZPY", bits));
    assert_memory_equal(bits, WANTED, sizeof bits);
}

static void recovery_forgives_case_spaces_and_lookalikes(void **state)
{
    char text[RECOVERY_TEXT_BYTES], typed[3 * RECOVERY_TEXT_BYTES];
    uint8_t bits[RECOVERY_BYTES], again[RECOVERY_BYTES];

    (void)state;
    for (int round = 0; round < 50; round++) {
        size_t at = 0;
        make_text(text);
        assert_ok(read_text(text, bits));
        for (const char *c = text; *c; c++) {
            if (*c == '-')
                continue;
            typed[at++] = round % 2 ? ' ' : '\t';
            typed[at++] = *c == '0' ? "oO"[round % 2] : *c == '1' ? "iIlL"[round % 4] : (char)tolower(*c);
        }
        typed[at++] = '\n';
        typed[at] = '\0';
        assert_ok(read_text(typed, again));
        assert_memory_equal(again, bits, sizeof bits);
    }
}

static void recovery_shows_each_wrong_character(void **state)
{
    char text[RECOVERY_TEXT_BYTES];
    uint8_t bits[RECOVERY_BYTES] = {42};
    uint8_t before[RECOVERY_BYTES];

    (void)state;
    memcpy(before, bits, sizeof bits);
    make_text(text);
    for (size_t i = 0; text[i]; i++) {
        char right = text[i];
        for (const char *wrong = ALPHABET; right != '-' && *wrong; wrong++)
            if (*wrong != right) {
                text[i] = *wrong;
                assert_err(read_text(text, bits), ERR_INVALID);
            }
        text[i] = right;
    }
    assert_memory_equal(bits, before, sizeof bits);
}

static void recovery_shows_each_swap(void **state)
{
    char text[RECOVERY_TEXT_BYTES], plain[31];
    uint8_t bits[RECOVERY_BYTES];
    size_t len = 0;

    (void)state;
    make_text(text);
    for (const char *c = text; *c; c++)
        if (*c != '-')
            plain[len++] = *c;
    plain[len] = '\0';
    for (size_t a = 0; a < len; a++)
        for (size_t b = a + 1; b < len; b++) {
            char kept = plain[a];
            if (plain[a] == plain[b])
                continue;
            plain[a] = plain[b];
            plain[b] = kept;
            assert_err(read_text(plain, bits), ERR_INVALID);
            plain[b] = plain[a];
            plain[a] = kept;
        }
    assert_ok(read_text(plain, bits));
}

static void recovery_shows_four_wrong_characters(void **state)
{
    uint64_t random = test_seed();
    char text[RECOVERY_TEXT_BYTES], wrong[RECOVERY_TEXT_BYTES];
    uint8_t bits[RECOVERY_BYTES];

    (void)state;
    make_text(text);
    for (int round = 0; round < 20000; round++) {
        memcpy(wrong, text, sizeof wrong);
        for (int i = 0; i < 4; i++) {
            int64_t place = test_between(&random, 0, RECOVERY_TEXT_BYTES - 2);
            if (text[place] != '-')
                wrong[place] = ALPHABET[test_between(&random, 0, 31)];
        }
        if (strcmp(text, wrong) != 0)
            assert_err(read_text(wrong, bits), ERR_INVALID);
    }
}

static void recovery_refuses_other_shapes(void **state)
{
    static const char *const ROWS[] = {
        "",
        "008J4-CT4AN-K7F24-SNAXW-SQFEZ",
        "008J4-CT4AN-K7F24-SNAXW-SQFEZ-WSZP",
        "008J4-CT4AN-K7F24-SNAXW-SQFEZ-WSZPY5",
        "008J4-CT4AN-K7F24-SNAXW-SQFEZ-WSZPU",
        "008J4_CT4AN-K7F24-SNAXW-SQFEZ-WSZPY",
        "00000-00000-00000-00000-00000-00000",
        "008J4-CT4AN-K7F24-SNAXW-SQFEZ-X7SZF", /* its two spare bits are not zero */
        "\xc3\xa9",
        "008J4-CT4AN-K7F24-SNAXW-SQFEZ-WSZPY-008J4-CT4AN-K7F24-SNAXW-SQFEZ-WSZPY",
    };
    uint8_t bits[RECOVERY_BYTES];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_row(ROWS[i], read_text(ROWS[i], bits) == ERR_INVALID);
}

static void recovery_refuses_a_nul(void **state)
{
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    uint8_t bits[RECOVERY_BYTES];

    (void)state;
    assert_ok(secret_text_new("008J4-CT4AN-K7F24-SNAXW-SQFEZ-WSZPY", 36, &code));
    assert_err(recovery_read(code, bits), ERR_INVALID);
}

static void recovery_make_survives_each_failing_allocation(void **state)
{
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    long live = mem_live();
    enum err e;

    (void)state;
    FAIL_EACH_ALLOCATION (e, recovery_make(&code)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(code);
        assert_int_equal(mem_live(), live);
    }
    assert_non_null(code);
}

static int start(void **state)
{
    (void)state;
    return random_start() != ERR_OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recovery_code_has_six_groups_of_five),
        cmocka_unit_test(recovery_codes_differ_and_read_back),
        cmocka_unit_test(recovery_reads_what_it_always_did),
        cmocka_unit_test(recovery_forgives_case_spaces_and_lookalikes),
        cmocka_unit_test(recovery_shows_each_wrong_character),
        cmocka_unit_test(recovery_shows_each_swap),
        cmocka_unit_test(recovery_shows_four_wrong_characters),
        cmocka_unit_test(recovery_refuses_other_shapes),
        cmocka_unit_test(recovery_refuses_a_nul),
        cmocka_unit_test(recovery_make_survives_each_failing_allocation),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
