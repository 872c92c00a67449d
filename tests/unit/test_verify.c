#include "tests/harness/fault.h"
#include "tests/harness/test.h"
#include "tests/harness/tmpvault.h"

#include "pds/audit/trail.h"
#include "pds/audit/verify.h"
#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "pds/base/limits.h"

#include <stdio.h>
#include <string.h>

enum { NOW = 1700000000, LINES = 9 };

/* The texts of one store, made once. */
static struct tmpvault *v;
static char *trail, *checkpoint, *proof, *hole_proof, *vkey, *jwks, *other_vkey;

static enum err fill_work(struct db *db, void *context)
{
    static const struct event PUT = {EVENT_RECORDS_PUT, "owner", "a \"b\" \xC3\xA9", NULL};
    enum err e = trail_begin(db, TMPVAULT_ID, NOW);

    (void)context;
    for (int i = 1; i < LINES && !e; i++)
        e = trail_add(db, &PUT, NOW + i, NULL);
    return e ? e : trail_blank(db, 2);
}

static enum err rekey_work(struct db *db, void *context)
{
    (void)context;
    return trail_rekey(db, NOW + 100);
}

static char *take(struct buf *text)
{
    char *copy = mem_text(text->data, text->len);

    buf_clear(text);
    return copy;
}

static int make_texts(void **state)
{
    static const struct trail_filter ALL = {.from = INT64_MIN, .to = INT64_MAX};
    AUTO(json_freep) json_t *list = NULL;
    AUTO(json_freep) json_t *set = NULL;
    AUTO(buf_done) struct buf text;

    (void)state;
    json_start();
    v = tmpvault_new();
    AUTO(reader_done) struct reader r = {v->vault, NULL};

    buf_init(&text, MIB);
    assert_ok(vault_write(v->vault, fill_work, NULL));
    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(trail_list(r.db, &ALL, -1, 100, &list));
    json_write(&text, list);
    trail = take(&text);
    assert_ok(trail_checkpoint(r.db, &text));
    checkpoint = take(&text);
    assert_ok(trail_proof(r.db, 5, &text));
    proof = take(&text);
    assert_ok(trail_proof(r.db, 0, &text));
    hole_proof = take(&text);
    assert_ok(trail_vkey(r.db, &text));
    vkey = take(&text);
    vault_read_end(v->vault, r.db);
    r.db = NULL;
    assert_ok(vault_write(v->vault, rekey_work, NULL));
    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(trail_jwks(r.db, &set));
    json_write(&text, set);
    jwks = take(&text);
    assert_ok(trail_vkey(r.db, &text));
    other_vkey = take(&text);
    return 0;
}

static int free_texts(void **state)
{
    (void)state;
    mem_free(trail);
    mem_free(checkpoint);
    mem_free(proof);
    mem_free(hole_proof);
    mem_free(vkey);
    mem_free(jwks);
    mem_free(other_vkey);
    tmpvault_free(v);
    return 0;
}

static json_t *holds(const char *text, const char *keys)
{
    json_t *report = NULL;

    assert_ok(verify_file(str_of(text), str_of(keys), &report));
    assert_true(json_is_true(json_object_get(report, "ok")));
    assert_int_equal(json_array_size(json_object_get(report, "problems")), 0);
    return report;
}

static const char *text_of(const json_t *report, const char *key)
{
    return json_string_value(json_object_get(report, key));
}

/* The first place that does not hold. */
static void fails(const char *name, const char *text, const char *keys, const char *where)
{
    AUTO(json_freep) json_t *report = NULL;

    assert_err(verify_file(str_of(text), str_of(keys), &report), ERR_CORRUPT);
    assert_false(json_is_true(json_object_get(report, "ok")));
    assert_row(name,
               strcmp(text_of(json_array_get(json_object_get(report, "problems"), 0), "where"), where) == 0);
}

/* A copy in which the first `from` after the text `behind` is replaced. */
static char *changed(const char *text, const char *behind, const char *from, const char *to)
{
    AUTO(buf_done) struct buf out;
    const char *at = strstr(text, behind);

    assert_non_null(at);
    at = strstr(at, from);
    assert_non_null(at);
    buf_init(&out, MIB);
    buf_add(&out, text, (size_t)(at - text));
    buf_text(&out, to);
    buf_text(&out, at + strlen(from));
    return take(&out);
}

static void what_is_whole_holds(void **state)
{
    AUTO(json_freep) json_t *whole = holds(trail, "");
    AUTO(json_freep) json_t *trusted = holds(trail, vkey);
    AUTO(json_freep) json_t *note = holds(checkpoint, vkey);
    AUTO(json_freep) json_t *one = holds(proof, vkey);
    AUTO(json_freep) json_t *own = holds(proof, "");
    AUTO(json_freep) json_t *hole = holds(hole_proof, jwks);

    (void)state;
    assert_string_equal(text_of(whole, "kind"), "trail");
    assert_int_equal(json_integer_value(json_object_get(whole, "entries")), LINES);
    assert_int_equal(json_integer_value(json_object_get(whole, "size")), LINES);
    assert_int_equal(json_integer_value(json_object_get(whole, "erased")), 2);
    assert_int_equal(json_integer_value(json_object_get(hole, "erased")), 1);
    assert_int_equal(json_integer_value(json_object_get(one, "erased")), 0);
    assert_string_equal(text_of(whole, "key"), vkey);
    assert_false(json_is_true(json_object_get(whole, "trusted_key")));
    assert_true(json_is_true(json_object_get(trusted, "trusted_key")));
    assert_string_equal(text_of(note, "kind"), "checkpoint");
    assert_string_equal(text_of(note, "origin"), "traboule.invalid/07000000000000000000000000000000");
    assert_string_equal(text_of(one, "kind"), "tlog-proof");
    assert_int_equal(json_integer_value(json_object_get(one, "index")), 5);
    assert_string_equal(text_of(one, "entry"),
                        "{\"consent\":null,\"kind\":\"records.put\",\"time\":\"2023-11-14T22:13:25Z\","
                        "\"what\":\"a \\\"b\\\" \xC3\xA9\",\"who\":\"owner\"}");
    assert_false(json_is_true(json_object_get(own, "trusted_key")));
    assert_null(json_object_get(hole, "entry"));
}

static void another_key_does_not_do(void **state)
{
    (void)state;
    fails("trail", trail, other_vkey, "checkpoint");
    fails("checkpoint", checkpoint, other_vkey, "checkpoint");
    fails("proof", proof, other_vkey, "checkpoint");
}

static void a_trail_that_was_touched_says_where(void **state)
{
    static const struct {
        const char *behind, *from, *to, *where;
    } ROWS[] = {
        {"\"index\":4", "records.put", "sign-in", "entry 4"},
        {"\"index\":4", "owner", "stranger", "entry 4"},
        {"\"index\":4", "a \\\"b", "a \\\"c", "entry 4"},
        {"\"index\":4", "\"consent\":null", "\"consent\":\"\"", "entry 4"},
        {"\"index\":4", "22:13:24Z", "22:13:25Z", "entry 4"},
        {"\"index\":4", "22:13:24Z", "22:13:22Z", "entry 4"},
        {"\"index\":4", "22:13:24Z", "22:13:24+00:00", "entry 4"},
        {"\"index\":4", "22:13:24Z", "yesterday", "entry 4"},
        {"\"index\":4", "\"leaf_hash\":\"", "\"leaf_hash\":\"A", "entry 4"},
        {"\"index\":4", "\"index\":4", "\"index\":5", "entry 4"},
        {"\"index\":4", "\"index\":4", "\"index\":\"4\"", "entry 4"},
        {"\"index\":4", "\"index\":4", "\"more\":1,\"index\":4", "entry 4"},
        {"\"index\":4", "\"kind\":\"records.put\"", "\"kind\":null", "entry 4"},
        {"\"index\":1", "\"kind\":null", "\"kind\":\"sign-in\"", "entry 1"},
        {"\"index\":1", "\"salt\":null", "\"salt\":\"AAAA\"", "entry 1"},
        {"\"checkpoint\"", "\\n9\\n", "\\n8\\n", "checkpoint"},
        {"\"vkey\"", "+", "-", "checkpoint"},
        {"\"next\"", "null", "\"8\"", "next"},
        {"\"index\":4", "\"salt\":\"", "\"salt\":\"A", "entry 4"},
        {"\"index\":4", "\"time\":\"", "\"time\":1,\"t\":\"", "entry 4"},
        {"\"index\":4", "\"time\":\"2023-11-14T22:13:24Z\"", "\"time\":1", "entry 4"},
        {"\"index\":4", "\"who\":\"owner\"", "\"who\":null", "entry 4"},
        {"\"index\":4", "\"what\":\"a \\\"b\\\" \xC3\xA9\"", "\"what\":1", "entry 4"},
        {"\"index\":4", "\"consent\":null", "\"consent\":1", "entry 4"},
        {"\"index\":1", "\"who\":null", "\"who\":\"owner\"", "entry 1"},
        {"\"index\":1", "\"what\":null", "\"what\":\"\"", "entry 1"},
        {"\"index\":1", "\"consent\":null", "\"consent\":\"1\"", "entry 1"},
        {"", "{", "", "file"},
        {"", "{", "z", "file"},
        {"", "{", "[{", "file"},
        {"\"entries\"", "\"entries\"", "\"entrie\"", "file"},
        {"\"entries\"", "\"entries\"", "entries", "file"},
        {"\"entries\"", "\"entries\":", "\"entries\"", "file"},
        {"\"entries\"", "\"entries\":[", "\"entries\":{", "file"},
        {"\"entries\"", "\"entries\":[", "\"entries\":[1,", "entry 0"},
        {"\"next\"", "\"next\"", "\"entries\"", "file"},
        {"\"next\"", "\"next\"", "\"more\"", "file"},
        {"\"next\"", "null}", "null", "file"},
        {"\"next\"", "null}", "null}}", "file"},
        {"\"next\"", "null}", "null,}", "file"},
        {"\"checkpoint\"", "\"checkpoint\":\"", "\"checkpoint\":1,\"vkey\":\"", "file"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        char *text = changed(trail, ROWS[i].behind, ROWS[i].from, ROWS[i].to);

        fails(ROWS[i].to, text, "", ROWS[i].where);
        mem_free(text);
    }
}

/* Texts that begin as a trail does, and the first place that is wrong. */
static void texts_of_another_form_are_no_trail(void **state)
{
    static const struct {
        const char *text, *where;
    } ROWS[] = {
        {"{\"entries\"", "file"},
        {"{\"entries\" 1}", "file"},
        {"{\"entries\":[]}", "file"},
        {"{\"entries\":[] ,}", "file"},
        {"{\"entries\":[", "file"},
        {"{\"entries\":[{}", "entry 0"},
        {"{\"entries\":[}", "file"},
        {"{\"entries\":[tru]}", "file"},
        {"{\"entries\":[1 2]}", "entry 0"},
        {"{\"entries\":[true]}", "entry 0"},
        {"{\"entries\":[[[]]]}", "entry 0"},
        {"{\"entries\":[\"]\\\"\"]}", "entry 0"},
        {"{1:2,\"entries\":[]}", "file"},
        {"{\"a\":\"entries\",\"entries\":[]}", "file"},
        {"{\"entries\":[],\"checkpoint\":1,\"next\":null}", "file"},
        {"{\"checkpoint\":\"x\",\"next\":null,\"a\":\"entries\"}", "file"},
        {"{\"checkpoint\":\"x\",\"next\":null,\"leaf_hash\":1}", "file"},
        {"{\"entries\":[],\"checkpoint\":\"x\",\"next\":\"1\"}", "next"},
        {"{\"entries\":[],\"checkpoint\":tru}", "file"},
        {"{\"entries\":[]x", "file"},
        {"{\"entries\"\\", "file"},
        {"{\"entries\":[],\"checkpoint\":\"\\", "file"},
        {"{\"checkpoint\":\"x\",\"checkpoint\":\"x\",\"entries\":[]}", "file"},
        {"{\"checkpoint\":\"x\",\"entries\":[],\"next\":null} x", "file"},
        {" { \"checkpoint\" : \"x\" , \"entries\" : [ ] , \"next\" : null } ", "checkpoint"},
        {"{\"checkpoint\":\"x\",\"vkey\":1,\"entries\":[]}", "checkpoint"},
        {"{\"entries\":[{\"index\":0}],\"checkpoint\":\"x\"}", "entry 0"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        fails(ROWS[i].text, ROWS[i].text, "", ROWS[i].where);
}

/* Lines that are all sound, and not those of the checkpoint. */
static void lines_dropped_moved_or_exchanged_are_noticed(void **state)
{
    AUTO(json_freep) json_t *tree = NULL;
    json_t *entries;

    (void)state;
    for (int what = 0; what < 4; what++) {
        AUTO(buf_done) struct buf text;

        assert_ok(json_read(str_of(trail), MIB, &tree));
        entries = json_object_get(tree, "entries");
        if (what == 0)
            assert_int_equal(json_array_remove(entries, LINES - 1), 0); /* cut */
        else if (what == 1)
            assert_int_equal(json_array_remove(entries, 3), 0);
        else if (what == 2)
            assert_int_equal(json_array_insert(entries, 6, json_array_get(entries, 3)), 0);
        else /* the hash of a line without content may be any */
            assert_int_equal(json_object_set(json_array_get(entries, 1), "leaf_hash",
                                             json_object_get(json_array_get(entries, 0), "leaf_hash")),
                             0);
        buf_init(&text, MIB);
        json_write(&text, tree);
        fails("moved", text.data, "",
              what == 0   ? "checkpoint"
              : what == 1 ? "entry 3"
              : what == 2 ? "entry 6"
                          : "checkpoint");
        json_decref(tree);
        tree = NULL;
    }
}

static void a_proof_that_was_touched_does_not_hold(void **state)
{
    static const struct {
        const char *from, *to, *where;
    } ROWS[] = {
        {"index 5", "index 4", "proof"},   {"index 5", "index 05", "proof"},
        {"index 5", "index 99", "proof"},  {"extra ", "extra e30=\nextra ", "proof"},
        {"\n9\n", "\n8\n", "checkpoint"},  {"@v1", "@v2", "proof"},
        {"extra ", "extra !", "proof"},    {"c2sp", "C2SP", "proof"},
        {"\nindex ", "\nIndex ", "proof"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        char *text = changed(proof, "", ROWS[i].from, ROWS[i].to);

        fails(ROWS[i].to, text, vkey, ROWS[i].where);
        mem_free(text);
    }
}

/* What stands beside a proof, which nothing vouches for. */
static void data_beside_a_proof_must_give_its_leaf(void **state)
{
    static const char *const EXTRAS[] = {
        "{}",
        "[]",
        "1",
        "{\"content\":1}",
        "{\"content\":\"{}\"}",
        "{\"content\":\"{}\",\"salt\":1}",
        "{\"leaf_hash\":1}",
        "{\"content\":\"{}\",\"salt\":\"AAAA\"}",
        "{\"content\":\"{}\",\"salt\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}",
        "{\"leaf_hash\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}",
        "no JSON"};
    const char *start = strstr(proof, "extra ") + 6;
    char old[4096];

    (void)state;
    (void)snprintf(old, sizeof old, "%.*s", (int)strcspn(start, "\n"), start);
    for (size_t i = 0; i < COUNT_OF(EXTRAS); i++) {
        AUTO(buf_done) struct buf base64;
        char *text;

        buf_init(&base64, 4096);
        codec_base64(&base64, EXTRAS[i], strlen(EXTRAS[i]));
        text = changed(proof, "extra ", old, base64.data);
        fails(EXTRAS[i], text, vkey, "proof");
        fails(EXTRAS[i], text, "", "checkpoint"); /* its key went too */
        mem_free(text);
    }
}

static void every_changed_byte_of_a_checkpoint_or_proof_is_noticed(void **state)
{
    char *const texts[] = {checkpoint, proof};

    (void)state;
    for (size_t t = 0; t < COUNT_OF(texts); t++) {
        size_t skip =
            t ? (size_t)(strstr(proof, "index ") - proof) : 0; /* extra data may say what they like */

        for (size_t i = skip; i < strlen(texts[t]); i++) {
            AUTO(json_freep) json_t *report = NULL;
            char kept = texts[t][i];

            texts[t][i] = (char)(kept ^ 1);
            assert_true(verify_file(str_of(texts[t]), str_of(vkey), &report) != ERR_OK);
            texts[t][i] = kept;
        }
    }
}

#define X32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" /* 32 bytes in base64url */

static void keys_are_of_a_known_form(void **state)
{
    static const char *const BAD[] = {
        "nonsense",
        "{}",
        "{\"keys\":[]}",
        "{\"keys\":1}",
        "[]",
        "{\"keys\":[1]}",
        "{\"keys\":[{\"kty\":\"EC\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"" X32 "\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"X25519\",\"kid\":\"a\",\"x\":\"" X32 "\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"\",\"x\":\"" X32 "\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a b\",\"x\":\"" X32 "\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":1}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X32 "\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"%\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"AAAA\"}]}"};
    json_t *report = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(BAD); i++)
        assert_row(BAD[i], verify_file(str_of(trail), str_of(BAD[i]), &report) == ERR_INVALID && !report);
}

/* Of a long JWKS the first VERIFY_KEYS_MAX keys count, each once whatever it goes by. */
static void a_jwks_may_be_long(void **state)
{
    static const struct {
        int before; /* keys of others, each twice, in front of ours */
        enum err outcome;
    } ROWS[] = {{0, ERR_OK}, {1, ERR_OK}, {14, ERR_OK}, {15, ERR_CORRUPT}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(json_freep) json_t *report = NULL;
        AUTO(json_freep) json_t *set = NULL;
        AUTO(buf_done) struct buf text;

        assert_ok(json_read(str_of(jwks), MIB, &set));
        for (int n = 0; n < 2 * ROWS[i].before; n++) {
            char x[] = X32;

            x[0] = (char)('B' + n / 2);
            assert_int_equal(
                json_array_insert_new(json_object_get(set, "keys"), 0,
                                      json_pack("{s:s, s:s, s:s, s:s}", "kty", "OKP", "crv", "Ed25519", "kid",
                                                n % 2 ? "other+1" : "other", "x", x)),
                0);
        }
        buf_init(&text, MIB);
        json_write(&text, set);
        assert_int_equal(verify_file(str_of(trail), (struct str){text.data, text.len}, &report),
                         ROWS[i].outcome);
    }
}

/* With a key that is trusted, the one in the file is of no use, and yet a sign. */
static void a_file_that_names_another_key_than_its_own_was_touched(void **state)
{
    char *text = changed(trail, "\"vkey\"", "+", "-");

    (void)state;
    fails("vkey", text, vkey, "vkey");
    mem_free(text);
}

/* What one file may have told of it does not grow with the file. */
static void a_thousand_faults_are_enough(void **state)
{
    AUTO(json_freep) json_t *report = NULL;
    AUTO(buf_done) struct buf text;

    (void)state;
    buf_init(&text, MIB);
    buf_text(&text, "{\"entries\":[1");
    for (int i = 0; i < LIMIT_LIST_ANSWER + 5; i++)
        buf_text(&text, ",1");
    buf_text(&text, "],\"checkpoint\":\"x\"}");
    assert_err(verify_file((struct str){text.data, text.len}, STR(""), &report), ERR_CORRUPT);
    assert_int_equal(json_array_size(json_object_get(report, "problems")), LIMIT_LIST_ANSWER);
    assert_int_equal(json_integer_value(json_object_get(report, "entries")), LIMIT_LIST_ANSWER + 6);
}

/* A line longer than any can be, and bytes that no text has. */
static void what_is_too_long_or_no_text_is_damage(void **state)
{
    static const char NUL[] = "{\"entries\":[]\0,\"checkpoint\":\"x\"}";
    AUTO(json_freep) json_t *report = NULL;
    AUTO(buf_done) struct buf text;

    (void)state;
    buf_init(&text, MIB);
    buf_text(&text, "{\"entries\":[\"");
    for (int i = 0; i < LIMIT_NOTE_BYTES; i++)
        buf_char(&text, 'a');
    buf_text(&text, "\"],\"checkpoint\":\"x\"}");
    fails("long", text.data, "", "file");
    assert_err(verify_file((struct str){NUL, sizeof NUL - 1}, STR(""), &report), ERR_CORRUPT);
}

/* One key may sign for two logs: a note is taken for its own alone. */
static void a_signature_in_another_logs_name_does_not_do(void **state)
{
    AUTO(sign_seed_freep) struct sign_seed *seed = sign_seed_new();
    struct tlog_verifier key = {.name = "b.example"};
    uint8_t line[4 + SIGN_BYTES] = {0};
    char id[TLOG_KEY_ID_BYTES];
    AUTO(buf_done) struct buf note;
    AUTO(buf_done) struct buf keys;
    size_t len, count;

    (void)state;
    assert_non_null(seed);
    sign_public(seed, key.public_key);
    buf_init(&note, MIB);
    buf_init(&keys, MIB);
    tlog_vkey_write(&keys, &key);
    tlog_key_id(&key, id);
    assert_ok(codec_unhex(str_of(id), line, 4, &count));
    buf_text(&note, "a.example\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    len = note.len;
    sign_make(seed, note.data, len, line + 4);
    buf_text(&note, "\n\xE2\x80\x94 b.example ");
    codec_base64(&note, line, sizeof line);
    buf_char(&note, '\n');
    fails("name", note.data, keys.data, "checkpoint");
}

/* A checkpoint that names another log than its key does. */
static void a_checkpoint_is_of_the_log_that_its_key_names(void **state)
{
    char *text = changed(checkpoint, "", "traboule.invalid/0", "traboule.invalid/1");

    (void)state;
    fails("origin", text, vkey, "checkpoint");
    mem_free(text);
}

static void what_is_nothing_of_ours_is_told_apart(void **state)
{
    static const char *const OTHERS[] = {"",           "hello",       "{}",          "{\"a\":1}",
                                         "[]",         "a,b\n1,2\n",  "<html>",      "name\n",
                                         "name\n12\n", "name\n:\n\n", "name\n/\n\n", "two words\n12\n\n",
                                         "\n12\n\n"};
    json_t *report = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++)
        assert_row(OTHERS[i],
                   verify_file(str_of(OTHERS[i]), str_of(""), &report) == ERR_UNSUPPORTED && !report);
    assert_err(verify_file(str_of(checkpoint), str_of(""), &report), ERR_INVALID); /* whose key? */
    assert_null(report);
}

static void verifying_survives_each_failing_allocation(void **state)
{
    const char *const texts[] = {trail, checkpoint, proof};
    const char *const keys[] = {"", jwks, vkey};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        json_t *report = NULL;
        enum err e;

        FAIL_EACH_ALLOCATION (e, verify_file(str_of(texts[i]), str_of(keys[i]), &report)) {
            assert_int_equal(e, ERR_NO_MEMORY);
            assert_null(report);
        }
        json_decref(report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_whole_holds),
        cmocka_unit_test(another_key_does_not_do),
        cmocka_unit_test(a_trail_that_was_touched_says_where),
        cmocka_unit_test(texts_of_another_form_are_no_trail),
        cmocka_unit_test(lines_dropped_moved_or_exchanged_are_noticed),
        cmocka_unit_test(a_proof_that_was_touched_does_not_hold),
        cmocka_unit_test(data_beside_a_proof_must_give_its_leaf),
        cmocka_unit_test(every_changed_byte_of_a_checkpoint_or_proof_is_noticed),
        cmocka_unit_test(keys_are_of_a_known_form),
        cmocka_unit_test(a_jwks_may_be_long),
        cmocka_unit_test(a_file_that_names_another_key_than_its_own_was_touched),
        cmocka_unit_test(a_thousand_faults_are_enough),
        cmocka_unit_test(what_is_too_long_or_no_text_is_damage),
        cmocka_unit_test(a_signature_in_another_logs_name_does_not_do),
        cmocka_unit_test(a_checkpoint_is_of_the_log_that_its_key_names),
        cmocka_unit_test(what_is_nothing_of_ours_is_told_apart),
        cmocka_unit_test(verifying_survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, make_texts, free_texts);
}
