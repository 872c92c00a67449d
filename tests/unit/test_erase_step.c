/* Each table is either emptied when everything is erased, or stays for a reason. */
#include "tests/harness/test.h"
#include "tests/harness/tmpvault.h"

#include "pds/base/auto.h"
#include "pds/store/erase_internal.h"
#include "pds/vault/db.h"

/* A new table gets a row here, and, if it tells anything of the owner, a place in erase_step.c. */
static const struct {
    const char *name;
    bool erased;
} TABLES[] = {
    {"annotation", true},    {"blob", true},
    {"bundle", true},        {"bundle_document", true},
    {"document", true},      {"document_tag", true},
    {"document_text", true}, {"document_version", true},
    {"erasure", true},       {"import", true},
    {"import_count", true},  {"import_part", true},
    {"record", true},        {"record_confirmed", true},
    {"record_extent", true}, {"record_history", true},
    {"series", true},        {"setting", true},
    {"source", true},        {"signing_key", false}, /* verifies what was handed out */
    {"trail_entry", false},                          /* emptied, its hashes stay */
    {"trail_node", false},                           /* hashes */
};

static void each_table_is_decided_on(void **state)
{
    static const char SQL[] =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    AUTO(reader_done) struct reader r = {t->vault, NULL};
    AUTO(stmt_closep) struct stmt *row = NULL;
    size_t found = 0;
    enum err e;

    (void)state;
    assert_ok(vault_read(t->vault, &r.db));
    assert_ok(db_query(r.db, SQL, NO_PARAMS, &row));
    while (!(e = stmt_next(row))) {
        struct str name = stmt_text(row, 0);
        size_t i = 0;

        while (i < COUNT_OF(TABLES) && !str_eq(name, str_of(TABLES[i].name)))
            i++;
        if (i == COUNT_OF(TABLES))
            fail_msg("nobody decided whether table %.*s is erased", (int)name.len, name.ptr);
        found++;
    }
    assert_int_equal(e, ERR_NOT_FOUND);
    assert_int_equal(found, COUNT_OF(TABLES));
}

static enum err run_things(struct db *db, void *context)
{
    struct erase_step *s = context;
    enum err e;

    do {
        if ((e = erase_things(db, s)))
            return e;
        s->after = s->next;
    } while (!s->done);
    return ERR_OK;
}

static void steps_on_an_empty_store_find_nothing(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    struct erasure erasure = {.from = 0, .to = 1, .whole = true};
    struct erase_step s = {.erasure = &erasure};

    (void)state;
    assert_ok(vault_write(t->vault, erase_records, &s));
    assert_true(s.done);
    assert_ok(vault_write(t->vault, erase_leftovers, &s));
    assert_true(s.done);
    s.after = 0;
    assert_ok(vault_write(t->vault, run_things, &s));
    assert_ok(vault_write(t->vault, erase_names, &s));
    for (int i = 0; i < ERASED_COUNTS; i++)
        assert_int_equal(s.counts[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_table_is_decided_on),
        cmocka_unit_test(steps_on_an_empty_store_find_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
