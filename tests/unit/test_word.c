#include "tests/harness/fault.h"
#include "tests/harness/test.h"
#include "tests/harness/tmpvault.h"

#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/vault/db.h"
#include "pds/vault/word.h"

#include <string.h>

static enum err gather(void *context, struct str word)
{
    struct buf *out = context;

    buf_add(out, word.ptr, word.len);
    buf_char(out, '|');
    return buf_err(out);
}

static void words_are_small_letters_and_digits_without_accents(void **state)
{
    static const struct {
        struct str text;
        const char *words;
    } ROWS[] = {
        {STR_ROW(""), ""},
        {STR_ROW("  ,.!\"*^()"), ""},
        {STR_ROW("Électricité 2026"), "electricite|2026|"},
        {STR_ROW("E\u0301te\u0301"), "ete|"},
        {STR_ROW("l'été; OR a-b"), "l|ete|or|a|b|"},
        {STR_ROW("un\0deux"), "un|deux|"},
        {STR_ROW("\u0627\u0644\u0628\u064a\u062a"), "\u0627\u0644\u0628\u064a\u062a|"}, /* Arabic stays */
        {STR_ROW("\u202eGNP.exe"), "gnp|exe|"}, /* a mark of direction is no letter */
        {STR_ROW("\ufb01n"), "\ufb01n|"},       /* a ligature is a letter of its own */
    };
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    AUTO(reader_done) struct reader r = {t->vault, NULL};

    (void)state;
    assert_ok(vault_read(t->vault, &r.db));
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(buf_done) struct buf out;

        buf_init(&out, 1024);
        assert_ok(word_each(r.db, ROWS[i].text, gather, &out));
        buf_char(&out, '\0');
        assert_string_equal(out.data, ROWS[i].words);
    }
}

static enum err refuse(void *context, struct str word)
{
    int *calls = context;

    (void)word;
    ++*calls;
    return err_set(ERR_TOO_LARGE, "enough");
}

static void a_listener_that_has_enough_ends_the_text(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    AUTO(reader_done) struct reader r = {t->vault, NULL};
    int calls = 0;

    (void)state;
    assert_ok(vault_read(t->vault, &r.db));
    assert_err(word_each(r.db, STR("un deux"), refuse, &calls), ERR_TOO_LARGE);
    assert_int_equal(calls, 1);
}

static void words_survive_each_failing_allocation(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *t = tmpvault_new();
    AUTO(reader_done) struct reader r = {t->vault, NULL};
    AUTO(buf_done) struct buf out;
    enum err e;

    (void)state;
    buf_init(&out, 1024);
    assert_ok(vault_read(t->vault, &r.db));
    FAIL_EACH_ALLOCATION (e, word_each(r.db, STR("Un deux"), gather, &out)) {
        assert_true(e == ERR_NO_MEMORY || e == ERR_OK); /* SQLite does without some */
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_small_letters_and_digits_without_accents),
        cmocka_unit_test(a_listener_that_has_enough_ends_the_text),
        cmocka_unit_test(words_survive_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
