#include "tests/harness/fault.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/json.h"
#include "pds/base/limits.h"
#include "pds/portable/backup_internal.h"

#include <stdio.h>
#include <string.h>

static const char PATH[] = "files/0123456789abcdef0123456789abcdef";

static void fill(struct backup_manifest *m)
{
    struct backup_entry *entry;

    *m = (struct backup_manifest){.store = {1, 2, 3}, .made_at = 1800000000, .schema = 4};
    assert_ok(backup_manifest_add(m, STR(BACKUP_DATABASE), 4096, &entry));
    memset(entry->sha256, 0xab, sizeof entry->sha256);
    for (int i = 0; i < 20; i++)
        assert_ok(
            backup_manifest_add(m, STR("files/0123456789abcdef0123456789abcdef"), UINT64_C(1) << 40, &entry));
}

static struct str text_of(const struct buf *b) { return (struct str){b->data, b->len}; }

static void what_is_written_is_read(void **state)
{
    AUTO(backup_manifest_done) struct backup_manifest m, back = {0};
    AUTO(buf_done) struct buf text, again;

    (void)state;
    fill(&m);
    buf_init(&text, 64 * KIB);
    buf_init(&again, 64 * KIB);
    backup_manifest_write(&m, &text);
    assert_ok(backup_manifest_read(text_of(&text), &back));
    assert_ok(backup_manifest_match(&m, &back));
    assert_memory_equal(back.store, m.store, sizeof m.store);
    assert_int_equal(back.made_at, m.made_at);
    assert_int_equal(back.schema, 4);
    backup_manifest_write(&back, &again);
    assert_string_equal(again.data, text.data);
}

static void sums_are_those_that_sha256sum_reads(void **state)
{
    AUTO(backup_manifest_done) struct backup_manifest m = {0};
    AUTO(buf_done) struct buf sums;
    struct backup_entry *entry;

    (void)state;
    assert_ok(backup_manifest_add(&m, STR(BACKUP_DATABASE), 0, &entry));
    buf_init(&sums, 4096);
    backup_manifest_sums(&m, STR("abc"), &sums);
    assert_string_equal(sums.data,
                        "0000000000000000000000000000000000000000000000000000000000000000  vault.sqlite\n"
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  manifest.json\n");
}

#define HASH  "abababababababababababababababababababababababababababababababab"
#define ENTRY "{\"path\":\"vault.sqlite\",\"size\":1,\"sha256\":\"" HASH "\"}"
#define HEAD(version)                                                                                        \
    "{\"format\":\"traboule-backup\",\"version\":" version ",\"made_at\":\"2026-11-24T14:17:30Z\","
#define REST(store, schema, entries)                                                                         \
    "\"store\":\"" store "\",\"schema\":" schema ",\"entries\":[" entries "]}"
#define ID "LOSrD6Wc4EJLOz7XHegOGw"

static void other_texts_are_refused(void **state)
{
    static const struct {
        const char *text;
        enum err wanted;
    } ROWS[] = {
        {HEAD("1") REST(ID, "4", ENTRY), ERR_OK},
        {HEAD("1") REST(ID, "4", ""), ERR_OK},
        {HEAD("2") "\"what\":1}", ERR_UNSUPPORTED},
        {"", ERR_CORRUPT},
        {"{}", ERR_CORRUPT},
        {"[]", ERR_CORRUPT},
        {"{\"format\":\"another\",\"version\":1}", ERR_CORRUPT},
        {HEAD("1") REST("LOSrD6Wc4EJLOz7XHegOG", "4", ENTRY), ERR_CORRUPT},
        {HEAD("1") REST(ID, "\"4\"", ENTRY), ERR_CORRUPT},
        {HEAD("1") REST(ID, "4", "1"), ERR_CORRUPT},
        {HEAD("1") REST(ID, "4", "{\"path\":\"a\",\"size\":-1,\"sha256\":\"" HASH "\"}"), ERR_CORRUPT},
        {HEAD("1") REST(ID, "4", "{\"path\":\"a\",\"size\":1,\"sha256\":\"ab\"}"), ERR_CORRUPT},
        {HEAD("1") REST(ID, "4", "{\"path\":\"a\",\"size\":1}"), ERR_CORRUPT},
        {HEAD("1") REST(ID, "4", "{\"path\":\"a\",\"size\":1,\"sha256\":\"" HASH "\",\"x\":1}"), ERR_CORRUPT},
        {HEAD("1") "\"x\":1," REST(ID, "4", ENTRY), ERR_CORRUPT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(backup_manifest_done) struct backup_manifest m = {0};

        assert_row(ROWS[i].text, backup_manifest_read(str_of(ROWS[i].text), &m) == ROWS[i].wanted);
    }
}

static void each_difference_shows(void **state)
{
    AUTO(backup_manifest_done) struct backup_manifest a, b;

    (void)state;
    fill(&a);
    fill(&b);
    assert_ok(backup_manifest_match(&a, &b));
    b.entries[20].sha256[31] ^= 1;
    assert_err(backup_manifest_match(&a, &b), ERR_CORRUPT);
    b.entries[20].sha256[31] ^= 1;
    b.entries[0].size++;
    assert_err(backup_manifest_match(&a, &b), ERR_CORRUPT);
    b.entries[0].size--;
    b.entries[3].path[8] = 'f';
    assert_err(backup_manifest_match(&a, &b), ERR_CORRUPT);
    b.entries[3].path[8] = PATH[8];
    b.count--;
    assert_err(backup_manifest_match(&a, &b), ERR_CORRUPT);
}

static void entries_have_ceilings(void **state)
{
    AUTO(backup_manifest_done) struct backup_manifest m = {0};
    struct backup_entry *entry;
    enum err e;

    (void)state;
    assert_err(backup_manifest_add(&m, STR("files/0123456789abcdef0123456789abcdefg"), 1, &entry),
               ERR_TOO_LARGE);
    for (size_t i = 0; i <= LIMIT_BACKUP_FILES; i++)
        assert_ok(backup_manifest_add(&m, STR("a"), 1, &entry));
    assert_err(backup_manifest_add(&m, STR("a"), 1, &entry), ERR_TOO_LARGE);
    backup_manifest_done(&m);
    FAIL_EACH_ALLOCATION (e, backup_manifest_add(&m, STR("a"), 1, &entry)) {
        assert_int_equal(e, ERR_NO_MEMORY);
    }
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(what_is_written_is_read), cmocka_unit_test(sums_are_those_that_sha256sum_reads),
        cmocka_unit_test(other_texts_are_refused), cmocka_unit_test(each_difference_shows),
        cmocka_unit_test(entries_have_ceilings),
    };

    json_start();
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
