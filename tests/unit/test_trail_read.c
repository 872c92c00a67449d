#include "tests/harness/fault.h"
#include "tests/harness/test.h"
#include "tests/harness/tmpvault.h"

#include "pds/audit/trail.h"
#include "pds/audit/trail_internal.h"
#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "pds/base/limits.h"

#include <stdio.h>
#include <string.h>

enum { NOW = 1700000000, LINES = 12 };

struct filling {
    int64_t before;
    int lines;
};

/* The first line, then lines that differ in kind, who and consent, a minute apart. */
static enum err fill_work(struct db *db, void *context)
{
    struct filling *f = context;
    enum err e = trail_begin(db, TMPVAULT_ID, NOW);

    for (int i = 1; i < f->lines && !e; i++) {
        struct event event = {i % 2 ? EVENT_IMPORTED : EVENT_SIGN_IN, i % 3 ? "owner" : "service-1", "a b",
                              i % 4 ? NULL : "consent-1"};

        e = trail_add(db, &event, NOW + i * 60, NULL);
    }
    return e;
}

static enum err blank_work(struct db *db, void *context)
{
    return trail_blank(db, ((struct filling *)context)->before);
}

static enum err rekey_work(struct db *db, void *context)
{
    (void)context;
    return trail_rekey(db, NOW + 3600);
}

static struct tmpvault *filled(int lines)
{
    struct tmpvault *v = tmpvault_new();
    struct filling f = {.lines = lines};

    assert_ok(vault_write(v->vault, fill_work, &f));
    return v;
}

static const struct trail_filter ALL = {.from = INT64_MIN, .to = INT64_MAX};

static json_t *list(struct db *db, struct trail_filter filter, int64_t after, int64_t limit)
{
    json_t *out = NULL;

    assert_ok(trail_list(db, &filter, after, limit, &out));
    return out;
}

static const json_t *entry(const json_t *answer, size_t i)
{
    return json_array_get(json_object_get(answer, "entries"), i);
}

static size_t count(const json_t *answer) { return json_array_size(json_object_get(answer, "entries")); }

static int64_t index_of(const json_t *e) { return json_integer_value(json_object_get(e, "index")); }

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void a_line_is_told_with_all_that_proves_it(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = filled(LINES);
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    AUTO(json_freep) json_t *all = NULL;
    const json_t *line;

    (void)state;
    assert_ok(vault_read(v->vault, &r.db));
    all = list(r.db, ALL, -1, 100);
    assert_int_equal(count(all), LINES);
    line = entry(all, 4);
    assert_int_equal(index_of(line), 4);
    assert_string_equal(text_of(line, "time"), "2023-11-14T22:17:20Z");
    assert_string_equal(text_of(line, "kind"), "sign-in");
    assert_string_equal(text_of(line, "who"), "owner");
    assert_string_equal(text_of(line, "what"), "a b");
    assert_string_equal(text_of(line, "consent"), "consent-1");
    assert_int_equal(strlen(text_of(line, "leaf_hash")), 44);
    assert_int_equal(strlen(text_of(line, "salt")), 44);
    assert_true(json_is_null(json_object_get(entry(all, 3), "consent")));
    assert_true(json_is_null(json_object_get(all, "next")));
}

static void the_checkpoint_is_over_the_lines_told(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = filled(LINES);
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    AUTO(json_freep) json_t *all = NULL;
    struct tlog_frontier f = {0};
    struct tlog_checkpoint c;
    struct tlog_verifier key;
    struct tlog_hash root, leaf;
    size_t len;

    (void)state;
    assert_ok(vault_read(v->vault, &r.db));
    all = list(r.db, ALL, -1, 100);
    for (size_t i = 0; i < LINES; i++) {
        assert_ok(codec_unbase64(str_of(text_of(entry(all, i), "leaf_hash")), leaf.bytes, 32, &len));
        tlog_frontier_add(&f, &leaf);
    }
    tlog_frontier_root(&f, &root);
    assert_ok(tlog_vkey_read(str_of(text_of(all, "vkey")), &key));
    assert_ok(tlog_checkpoint_read(str_of(text_of(all, "checkpoint")), &key, &c));
    assert_int_equal(c.size, LINES);
    assert_memory_equal(c.root.bytes, root.bytes, 32);
    assert_string_equal(c.origin, "traboule.invalid/07000000000000000000000000000000");
}

static void pages_follow_each_other_in_either_order(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = filled(LINES);
    AUTO(reader_done) struct reader r = {v->vault, NULL};

    (void)state;
    assert_ok(vault_read(v->vault, &r.db));
    for (int down = 0; down < 2; down++) {
        struct trail_filter filter = ALL;
        int64_t after = -1, told = 0;

        filter.newest_first = down;
        for (bool more = true; more;) {
            AUTO(json_freep) json_t *page = list(r.db, filter, after, 5);

            for (size_t i = 0; i < count(page); i++, told++)
                assert_int_equal(index_of(entry(page, i)), down ? LINES - 1 - told : told);
            more = json_is_string(json_object_get(page, "next"));
            if (more)
                assert_ok(str_int64(str_of(text_of(page, "next")), &after));
        }
        assert_int_equal(told, LINES);
    }
}

static void filters_narrow(void **state)
{
    static const struct {
        const char *name;
        struct trail_filter filter;
        size_t wanted;
    } ROWS[] = {
        {"kind", {.kind = STR_ROW("imported"), .from = INT64_MIN, .to = INT64_MAX}, 6},
        {"who", {.who = STR_ROW("service-1"), .from = INT64_MIN, .to = INT64_MAX}, 3},
        {"consent", {.consent = STR_ROW("consent-1"), .from = INT64_MIN, .to = INT64_MAX}, 2},
        {"from", {.from = NOW + 60, .to = INT64_MAX}, 11},
        {"to", {.from = INT64_MIN, .to = NOW + 60}, 1},
        {"both", {.from = NOW + 60, .to = NOW + 121}, 2},
        {"nobody", {.who = STR_ROW("nobody"), .from = INT64_MIN, .to = INT64_MAX}, 0},
        {"two",
         {.kind = STR_ROW("sign-in"), .who = STR_ROW("service-1"), .from = INT64_MIN, .to = INT64_MAX},
         1},
    };
    AUTO(tmpvault_freep) struct tmpvault *v = filled(LINES);
    AUTO(reader_done) struct reader r = {v->vault, NULL};

    (void)state;
    assert_ok(vault_read(v->vault, &r.db));
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(json_freep) json_t *page = list(r.db, ROWS[i].filter, -1, 100);

        assert_row(ROWS[i].name, count(page) == ROWS[i].wanted);
    }
}

static void an_erased_line_is_a_hole_that_is_seen(void **state)
{
    static const char *const GONE[] = {"kind", "who", "what", "consent", "salt"};
    AUTO(tmpvault_freep) struct tmpvault *v = filled(LINES);
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    AUTO(json_freep) json_t *all = NULL;
    struct filling f = {.before = 5};

    (void)state;
    assert_ok(vault_write(v->vault, blank_work, &f));
    assert_ok(vault_read(v->vault, &r.db));
    all = list(r.db, ALL, -1, 100);
    assert_int_equal(count(all), LINES);
    for (size_t i = 0; i < COUNT_OF(GONE); i++) {
        assert_row(GONE[i], json_is_null(json_object_get(entry(all, 4), GONE[i])));
        assert_row(GONE[i], i == 3 || json_is_string(json_object_get(entry(all, 5), GONE[i])));
    }
    assert_true(json_is_string(json_object_get(entry(all, 4), "leaf_hash")));
    assert_true(json_is_string(json_object_get(entry(all, 4), "time")));
}

static void every_line_has_a_proof_that_holds(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = filled(LINES);
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    AUTO(buf_done) struct buf text;
    struct tlog_proof proof;
    struct tlog_checkpoint c;
    struct tlog_hash leaf;
    struct trail_key key;

    (void)state;
    buf_init(&text, LIMIT_PROOF_BYTES);
    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(trail_key_next(r.db, 0, &key));
    for (int64_t i = 0; i < LINES; i++) {
        buf_clear(&text);
        assert_ok(trail_proof(r.db, i, &text));
        assert_ok(tlog_proof_read((struct str){text.data, text.len}, &proof));
        assert_int_equal(proof.index, i);
        assert_ok(tlog_checkpoint_read(proof.note, &key.verifier, &c));
        assert_ok(trail_node(r.db, 0, i, &leaf));
        assert_ok(tlog_check_inclusion(&leaf, i, c.size, &proof.path, &c.root));
    }
    assert_err(trail_proof(r.db, LINES, &text), ERR_NOT_FOUND);
    assert_err(trail_proof(r.db, -1, &text), ERR_NOT_FOUND);
}

/* A note kept earlier, and what became of the trail since. */
static void a_trail_goes_on_from_what_it_was(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = filled(LINES);
    AUTO(tmpvault_freep) struct tmpvault *other = filled(2 * LINES);
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    AUTO(reader_done) struct reader o = {other->vault, NULL};
    AUTO(buf_done) struct buf note;
    AUTO(buf_done) struct buf strange;

    (void)state;
    buf_init(&note, LIMIT_NOTE_BYTES);
    buf_init(&strange, LIMIT_NOTE_BYTES);
    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(trail_checkpoint(r.db, &note));
    assert_ok(trail_check_since(r.db, (struct str){note.data, note.len}));
    vault_read_end(v->vault, r.db);
    r.db = NULL;
    assert_ok(vault_write(v->vault, rekey_work, NULL));
    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(trail_check_since(r.db, (struct str){note.data, note.len})); /* by the retired key */

    assert_ok(vault_read(other->vault, &o.db));
    assert_ok(trail_checkpoint(o.db, &strange));
    assert_err(trail_check_since(r.db, (struct str){strange.data, strange.len}), ERR_CORRUPT);
    assert_err(trail_check_since(r.db, STR("no note")), ERR_INVALID);
    note.data[51] ^= 1; /* its size */
    assert_err(trail_check_since(r.db, (struct str){note.data, note.len}), ERR_CORRUPT);
}

/* Notes that our own key signed, of a past that is not this one. */
static void another_past_is_noticed(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = filled(LINES);
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    AUTO(sign_seed_freep) struct sign_seed *seed = sign_seed_new();
    struct tlog_checkpoint c = {.size = LINES + 1};
    struct tlog_verifier key;

    (void)state;
    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(trail_signer(r.db, &key, seed));
    memcpy(c.origin, key.name, sizeof c.origin);
    for (; c.size > 0; c.size -= LINES / 2) { /* longer than it is, then of other lines */
        AUTO(buf_done) struct buf note;

        buf_init(&note, LIMIT_NOTE_BYTES);
        tlog_checkpoint_write(&note, &c, seed);
        assert_err(trail_check_since(r.db, (struct str){note.data, note.len}), ERR_CORRUPT);
        assert_non_null(strstr(err_story(), c.size > LINES ? "cut" : "rewritten"));
    }
}

/* The key of a JWKS that has this name; NULL for none. */
static const json_t *key_of(const json_t *set, const char *kid)
{
    const json_t *key;
    size_t i;

    json_array_foreach(json_object_get(set, "keys"), i, key)
    {
        if (strcmp(text_of(key, "kid"), kid) == 0)
            return key;
    }
    return NULL;
}

/* By the name of a note its key is found, before a change of keys and after; by a name with a number, the
 * same key for ever. */
static void keys_are_told_as_a_jwks(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = filled(2);
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    AUTO(json_freep) json_t *before = NULL;
    AUTO(json_freep) json_t *after = NULL;
    AUTO(buf_done) struct buf vkey;
    static const char NAME[] = "traboule.invalid/07000000000000000000000000000000";
    const json_t *signer, *again, *old;

    (void)state;
    buf_init(&vkey, 1024);
    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(trail_jwks(r.db, &before));
    vault_read_end(v->vault, r.db);
    r.db = NULL;
    assert_int_equal(json_array_size(json_object_get(before, "keys")), 2);
    assert_ok(vault_write(v->vault, rekey_work, NULL));
    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(trail_jwks(r.db, &after));
    assert_ok(trail_vkey(r.db, &vkey));
    assert_int_equal(json_array_size(json_object_get(after, "keys")), 3);
    old = key_of(after, text_of(json_array_get(json_object_get(before, "keys"), 1), "kid"));
    assert_non_null(old);
    assert_string_equal(text_of(old, "x"), text_of(key_of(before, NAME), "x"));
    signer = json_array_get(json_object_get(after, "keys"), 0);
    assert_ptr_equal(signer, key_of(after, NAME));
    again = json_array_get(json_object_get(after, "keys"), 1);
    assert_string_equal(text_of(again, "x"), text_of(signer, "x"));
    assert_int_equal(strncmp(text_of(again, "kid"), vkey.data, strlen(text_of(again, "kid"))), 0);
    assert_int_equal(strlen(text_of(again, "kid")), strlen(NAME) + 9);
    assert_string_equal(text_of(signer, "kty"), "OKP");
    assert_string_equal(text_of(signer, "crv"), "Ed25519");
    assert_string_equal(text_of(signer, "use"), "sig");
    assert_int_equal(strlen(text_of(signer, "x")), 43);
}

static void a_trail_without_a_key_tells_nothing(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    AUTO(json_freep) json_t *out = NULL;
    AUTO(buf_done) struct buf text;

    (void)state;
    buf_init(&text, 4096);
    assert_ok(vault_read(v->vault, &r.db));
    assert_err(trail_list(r.db, &ALL, -1, 5, &out), ERR_NOT_FOUND);
    assert_err(trail_vkey(r.db, &text), ERR_NOT_FOUND);
    assert_err(trail_checkpoint(r.db, &text), ERR_NOT_FOUND);
}

static enum err sql_work(struct db *db, void *context) { return db_run(db, context, NO_PARAMS); }

static enum err add_work(struct db *db, void *context)
{
    static const struct event EVENT = {EVENT_SIGN_IN, "owner", "", NULL};

    (void)context;
    return trail_add(db, &EVENT, NOW, NULL);
}

static void ignore(void *context, const char *where, const char *what)
{
    (void)context, (void)where, (void)what;
}

static void note_failure(char failing[static 12], char letter, enum err e)
{
    if (e)
        failing[strlen(failing)] = letter;
}

/* What is done to the tables, and which calls then fail, each by a letter: l list, c checkpoint, p proof, s
 * since, j JWKS, v verifier key, a add, r rekey, k check, t time. None crashes, and none tells anything. */
static void what_cannot_be_read_is_an_error(void **state)
{
    static const struct {
        const char *sql, *failing;
    } ROWS[] = {
        {"DROP TABLE trail_entry", "lcpsktar"},
        {"DROP TABLE trail_node", "lcpskar"},
        {"DROP TABLE signing_key", "lcpsjvkr"},
        {"DELETE FROM trail_node", "lcpsar"},
        {"DELETE FROM trail_entry WHERE number = 10", "s"},
        {"UPDATE trail_entry SET leaf_hash = zeroblob(2) WHERE number = 10", "lcpsar"},
        {"UPDATE trail_entry SET at = 253402300800 WHERE number = 1", "lp"},
        {"UPDATE trail_node SET hash = zeroblob(2)", "lcpsar"},
        {"UPDATE signing_key SET name = '' || char(0)", "lcpsjvr"},
        {"UPDATE signing_key SET public_key = zeroblob(2)", "lcpsjvr"},
        {"UPDATE signing_key SET seed = zeroblob(2)", "lcpr"},
        {"UPDATE signing_key SET until_at = 5", "lcpvr"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(tmpvault_freep) struct tmpvault *v = filled(11);
        AUTO(reader_done) struct reader r = {v->vault, NULL};
        AUTO(buf_done) struct buf note;
        AUTO(buf_done) struct buf text;
        char failing[12] = "";
        json_t *tree = NULL;
        int64_t n;

        buf_init(&note, LIMIT_NOTE_BYTES);
        buf_init(&text, LIMIT_PROOF_BYTES);
        assert_ok(vault_read(v->vault, &r.db));
        assert_ok(trail_checkpoint(r.db, &note));
        vault_read_end(v->vault, r.db);
        r.db = NULL;
        assert_ok(vault_write(v->vault, sql_work, (void *)(uintptr_t)ROWS[i].sql));
        assert_ok(vault_read(v->vault, &r.db));
        note_failure(failing, 'l', trail_list(r.db, &ALL, -1, 100, &tree));
        json_decref(tree);
        tree = NULL;
        note_failure(failing, 'c', trail_checkpoint(r.db, &text));
        note_failure(failing, 'p', trail_proof(r.db, 1, &text));
        note_failure(failing, 's', trail_check_since(r.db, (struct str){note.data, note.len}));
        note_failure(failing, 'j', trail_jwks(r.db, &tree));
        json_decref(tree);
        note_failure(failing, 'v', trail_vkey(r.db, &text));
        note_failure(failing, 'k', trail_check(r.db, ignore, NULL, &n));
        note_failure(failing, 't', trail_time(r.db, &n));
        note_failure(failing, 'a', vault_write(v->vault, add_work, NULL));
        note_failure(failing, 'r', vault_write(v->vault, rekey_work, NULL));
        assert_row(ROWS[i].sql, strcmp(failing, ROWS[i].failing) == 0);
    }
}

static enum err read_all(struct db *db, json_t **all, json_t **set, struct buf *text)
{
    enum err e;

    buf_clear(text);
    if (*all)
        json_decref(*all);
    *all = NULL;
    if (*set)
        json_decref(*set);
    *set = NULL;
    if ((e = trail_list(db, &ALL, -1, 5, all)) || (e = trail_jwks(db, set)) || (e = trail_proof(db, 1, text)))
        return e;
    return trail_checkpoint(db, text);
}

static void reading_survives_each_failing_allocation(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = filled(8);
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    AUTO(json_freep) json_t *all = NULL;
    AUTO(json_freep) json_t *set = NULL;
    AUTO(buf_done) struct buf text;
    enum err e;

    (void)state;
    buf_init(&text, LIMIT_PROOF_BYTES);
    assert_ok(vault_read(v->vault, &r.db));
    for (int again = 0; again < 2; again++) { /* then with statements and pages there, all else can fail */
        FAIL_EACH_ALLOCATION (e, read_all(r.db, &all, &set, &text)) {
            assert_int_equal(e, ERR_NO_MEMORY);
        }
        assert_int_equal(count(all), 5);
    }
}

/* What stands in for a store's keys where there is no store is what a store would tell, to the letter. */
static void keys_of_a_trail_that_is_none_look_like_one_just_begun(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = filled(1);
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    AUTO(sign_seed_freep) struct sign_seed *seed = sign_seed_new();
    AUTO(json_freep) json_t *real = NULL;
    AUTO(json_freep) json_t *made = NULL;
    struct tlog_verifier signer;
    enum err e;

    (void)state;
    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(trail_signer(r.db, &signer, seed));
    assert_ok(trail_jwks(r.db, &real));
    FAIL_EACH_ALLOCATION (e, trail_jwks_begun(TMPVAULT_ID, seed, &made)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(made);
    }
    assert_true(json_equal(real, made));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_told_with_all_that_proves_it),
        cmocka_unit_test(the_checkpoint_is_over_the_lines_told),
        cmocka_unit_test(pages_follow_each_other_in_either_order),
        cmocka_unit_test(filters_narrow),
        cmocka_unit_test(an_erased_line_is_a_hole_that_is_seen),
        cmocka_unit_test(every_line_has_a_proof_that_holds),
        cmocka_unit_test(a_trail_goes_on_from_what_it_was),
        cmocka_unit_test(another_past_is_noticed),
        cmocka_unit_test(keys_are_told_as_a_jwks),
        cmocka_unit_test(keys_of_a_trail_that_is_none_look_like_one_just_begun),
        cmocka_unit_test(a_trail_without_a_key_tells_nothing),
        cmocka_unit_test(what_cannot_be_read_is_an_error),
        cmocka_unit_test(reading_survives_each_failing_allocation),
    };

    json_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
