#include "tests/harness/test.h"
#include "tests/harness/fault.h"

#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/crypto/random.h"
#include "pds/crypto/secret.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MARK_BYTES = 16 };

static uint8_t mark[MARK_BYTES]; /* what must not be found in memory that is given back */
static int returned_blocks, returned_marks;

/* Stands before the C library's, so that the last state of a guarded block can be seen. */
int munmap(void *address, size_t len)
{
    for (size_t i = 0; mark[0] && i + MARK_BYTES <= len; i++)
        if (memcmp((const uint8_t *)address + i, mark, MARK_BYTES) == 0)
            returned_marks++;
    returned_blocks++;
    return (int)syscall(SYS_munmap, address, len);
}

static void watch(void)
{
    random_bytes(mark, sizeof mark);
    mark[0] |= 1;
    returned_blocks = 0;
    returned_marks = 0;
}

static void unwatch(void) { memset(mark, 0, sizeof mark); }

static void secret_is_wiped_when_released(void **state)
{
    struct page_key *key = page_key_new();

    (void)state;
    assert_non_null(key);
    watch();
    memcpy(key->bytes + 8, mark, sizeof mark);
    page_key_free(key);
    assert_true(returned_blocks > 0);
    assert_int_equal(returned_marks, 0);
    unwatch();
}

static void secret_text_is_wiped_when_freed(void **state)
{
    struct secret_text *text = NULL;

    (void)state;
    watch();
    assert_ok(secret_text_new((const char *)mark, sizeof mark, &text));
    assert_memory_equal(text->text, mark, sizeof mark);
    secret_text_free(text);
    assert_true(returned_blocks > 0);
    assert_int_equal(returned_marks, 0);
    unwatch();
}

static void secret_starts_as_zeros(void **state)
{
    AUTO(value_key_freep) struct value_key *key = value_key_new();
    uint8_t zeros[KEY_BYTES] = {0};

    (void)state;
    assert_memory_equal(key->bytes, zeros, KEY_BYTES);
}

static void secret_text_keeps_its_bytes_and_ends_with_nul(void **state)
{
    AUTO(secret_text_freep) struct secret_text *text = NULL;
    AUTO(secret_text_freep) struct secret_text *none = NULL;

    (void)state;
    assert_ok(secret_text_new("passphrase and more", 10, &text));
    assert_int_equal(text->len, 10);
    assert_string_equal(text->text, "passphrase");
    assert_ok(secret_text_new(NULL, 0, &none));
    assert_string_equal(none->text, "");
}

static void secret_text_has_a_ceiling(void **state)
{
    static char bytes[LIMIT_PASSPHRASE_BYTES + 1];
    struct secret_text *text = NULL;

    (void)state;
    assert_err(secret_text_new(bytes, sizeof bytes, &text), ERR_TOO_LARGE);
    assert_null(text);
    assert_ok(secret_text_new(bytes, sizeof bytes - 1, &text));
    secret_text_free(text);
}

static void secret_alloc_refuses_what_no_memory_can_hold(void **state)
{
    long live = mem_live();
    size_t volatile most = SIZE_MAX; /* the compiler knows that this cannot be had */

    (void)state;
    assert_null(secret_alloc(most));
    assert_null(secret_alloc(most - 4096));
    assert_int_equal(mem_live(), live);
}

static void secret_text_survives_each_failing_allocation(void **state)
{
    struct secret_text *text = NULL;
    long live = mem_live();
    enum err e;

    (void)state;
    FAIL_EACH_ALLOCATION (e, secret_text_new("abc", 3, &text)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(text);
        assert_int_equal(mem_live(), live);
    }
    assert_true(mem_live() > live); /* guarded memory is counted too */
    secret_text_free(text);
    assert_int_equal(mem_live(), live);
}

static void nothing_is_released_twice(void **state)
{
    (void)state;
    secret_release(NULL);
    secret_text_free(NULL);
    page_key_free(NULL);
}

/* The line of flags of the mapping that holds this address. */
static bool mapping_has_flag(const void *address, const char *flag)
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    char line[512];
    bool here = false, found = false;

    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) {
        uintptr_t from, to;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2) /* NOLINT(cert-err34-c) */
            here = (uintptr_t)address >= from && (uintptr_t)address < to;
        else if (here && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, flag) != NULL;
    }
    (void)fclose(maps);
    return found;
}

static void secret_is_left_out_of_core_files(void **state)
{
    AUTO(page_key_freep) struct page_key *key = page_key_new();

    (void)state;
    assert_true(mapping_has_flag(key, " dd"));
}

/* Reading past the end meets a page that cannot be read. */
static void secret_is_followed_by_a_guard(void **state)
{
    AUTO(page_key_freep) struct page_key *key = page_key_new();
    int status = 0;
    pid_t child;

    (void)state;
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct sigaction plain = {.sa_handler = SIG_DFL};
        (void)sigaction(SIGSEGV, &plain, NULL);
        (void)sigaction(SIGBUS, &plain, NULL);
        _exit(*(volatile uint8_t *)(key->bytes + KEY_BYTES));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static int start(void **state)
{
    (void)state;
    return random_start() != ERR_OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secret_is_wiped_when_released),
        cmocka_unit_test(secret_text_is_wiped_when_freed),
        cmocka_unit_test(secret_starts_as_zeros),
        cmocka_unit_test(secret_text_keeps_its_bytes_and_ends_with_nul),
        cmocka_unit_test(secret_text_has_a_ceiling),
        cmocka_unit_test(secret_alloc_refuses_what_no_memory_can_hold),
        cmocka_unit_test(secret_text_survives_each_failing_allocation),
        cmocka_unit_test(nothing_is_released_twice),
        cmocka_unit_test(secret_is_left_out_of_core_files),
        cmocka_unit_test(secret_is_followed_by_a_guard),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
