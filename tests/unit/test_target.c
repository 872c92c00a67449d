#include "tests/harness/test.h"

#include "pds/httpd/target.h"

static const struct row {
    const char *path;
    const char *name, *rest; /* NULL: it names no mount */
} ROWS[] = {
    {"/@alice/", "alice", "/"},
    {"/@alice/health", "alice", "/health"},
    {"/@a/@b/c", "a", "/@b/c"},
    {"/@0/x", "0", "/x"},
    {"/@a-9-/x", "a-9-", "/x"},
    {"/@alice//x", "alice", "//x"},
    {"/@abcdefghijklmnopqrstuvwxyz012345/", "abcdefghijklmnopqrstuvwxyz012345", "/"},
    {"/@abcdefghijklmnopqrstuvwxyz0123456/", NULL, NULL},
    {"/@alice", NULL, NULL},
    {"/@/", NULL, NULL},
    {"/@-a/", NULL, NULL},
    {"/@Alice/", NULL, NULL},
    {"/@a.b/", NULL, NULL},
    {"/@a_b/", NULL, NULL},
    {"/@../x", NULL, NULL},
    {"/@a%62/", NULL, NULL},
    {"/%40alice/", NULL, NULL},
    {"/@\xc3\xa9/", NULL, NULL},
    {"//@alice/", NULL, NULL},
    {"/alice/", NULL, NULL},
    {"/", NULL, NULL},
    {"", NULL, NULL},
};

static void mount_is_taken_off_a_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        const struct row *r = &ROWS[i];
        struct str path = str_of(r->path), name = STR("before");
        bool taken = target_mount(&path, &name);

        assert_row(r->path, taken == (r->name != NULL));
        assert_row(r->path, str_eq(name, r->name ? str_of(r->name) : STR("before")));
        assert_row(r->path, str_eq(path, str_of(r->rest ? r->rest : r->path)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(mount_is_taken_off_a_path)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
