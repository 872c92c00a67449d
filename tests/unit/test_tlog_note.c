#include "tests/harness/test.h"

#include "pds/audit/tlog.h"
#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/crypto/random.h"

#include <stdio.h>
#include <string.h>

/* The key of the example in the documentation of golang.org/x/mod/sumdb/note. */
static const char OTHERS_VKEY[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

struct signer {
    struct sign_seed *seed;
    struct tlog_verifier v;
};

static int start(void **state)
{
    (void)state;
    return random_start() != ERR_OK;
}

static void signer_init(struct signer *s, const char *name, uint8_t fill)
{
    s->seed = sign_seed_new();
    memset(s->seed->bytes, fill, sizeof s->seed->bytes);
    sign_public(s->seed, s->v.public_key);
    assert_ok(str_copy(str_of(name), s->v.name, sizeof s->v.name));
}
static void signer_done(struct signer *s) { sign_seed_free(s->seed); }

static void note_of(const struct signer *s, int64_t size, struct buf *out)
{
    struct tlog_checkpoint c = {.size = size, .root = {{1, 2, 3}}};

    memcpy(c.origin, s->v.name, sizeof c.origin);
    tlog_checkpoint_write(out, &c, s->seed);
    assert_ok(buf_err(out));
}

static struct str str(const struct buf *b) { return (struct str){b->data, b->len}; }

static void verifier_keys_are_read_and_written(void **state)
{
    static const char *const BAD[] = {
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",   /* hash */
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",   /* its case */
        "PeterNeumann+c74f20a3+AhPc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",   /* type */
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10Q=",   /* length */
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n", /* what follows */
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW+",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    };
    struct tlog_verifier v;
    AUTO(buf_done) struct buf text;

    (void)state;
    buf_init(&text, 1024);
    assert_ok(tlog_vkey_read(str_of(OTHERS_VKEY), &v));
    assert_string_equal(v.name, "PeterNeumann");
    tlog_vkey_write(&text, &v);
    assert_string_equal(text.data, OTHERS_VKEY);
    for (size_t i = 0; i < COUNT_OF(BAD); i++)
        assert_row(BAD[i], tlog_vkey_read(str_of(BAD[i]), &v) == ERR_INVALID);
}

static void names_are_printable_and_short(void **state)
{
    char longest[TLOG_NAME_BYTES + 1];

    (void)state;
    memset(longest, 'a', sizeof longest);
    assert_true(tlog_name_is_valid((struct str){longest, TLOG_NAME_BYTES - 1}));
    assert_false(tlog_name_is_valid((struct str){longest, TLOG_NAME_BYTES}));
    assert_true(tlog_name_is_valid(STR("traboule.invalid/07")));
    assert_false(tlog_name_is_valid(STR("")));
    assert_false(tlog_name_is_valid(STR("a b")));
    assert_false(tlog_name_is_valid(STR("a+b")));
    assert_false(tlog_name_is_valid(STR("a\x7f")));
    assert_false(tlog_name_is_valid(STR("\xC3\xA9")));
}

static void a_checkpoint_is_read_by_its_key_alone(void **state)
{
    struct signer s, other, namesake;
    struct tlog_checkpoint c;
    AUTO(buf_done) struct buf note;

    (void)state;
    buf_init(&note, 4096);
    signer_init(&s, "traboule.invalid/1", 1);
    signer_init(&other, "traboule.invalid/2", 2);
    signer_init(&namesake, "traboule.invalid/1", 3);
    note_of(&s, 17, &note);
    assert_true(strncmp(note.data, "traboule.invalid/1\n17\nAQID", 26) == 0);
    assert_ok(tlog_checkpoint_read(str(&note), &s.v, &c));
    assert_string_equal(c.origin, "traboule.invalid/1");
    assert_int_equal(c.size, 17);
    assert_int_equal(c.root.bytes[2], 3);
    assert_ok(tlog_checkpoint_read(str(&note), NULL, &c));
    assert_err(tlog_checkpoint_read(str(&note), &other.v, &c), ERR_CORRUPT);
    assert_err(tlog_checkpoint_read(str(&note), &namesake.v, &c), ERR_CORRUPT);
    signer_done(&s);
    signer_done(&other);
    signer_done(&namesake);
}

/* Whichever byte of it changes, it is no checkpoint of that key any more. */
static void every_changed_byte_is_noticed(void **state)
{
    struct signer s;
    struct tlog_checkpoint c;
    AUTO(buf_done) struct buf note;

    (void)state;
    buf_init(&note, 4096);
    signer_init(&s, "traboule.invalid/1", 1);
    note_of(&s, 17, &note);
    for (size_t i = 0; i < note.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            note.data[i] = (char)(note.data[i] ^ (1 << bit));
            assert_true(tlog_checkpoint_read(str(&note), &s.v, &c) != ERR_OK);
            note.data[i] = (char)(note.data[i] ^ (1 << bit));
        }
    }
    for (size_t len = 0; len < note.len; len++)
        assert_true(tlog_checkpoint_read((struct str){note.data, len}, &s.v, &c) != ERR_OK);
    assert_ok(tlog_checkpoint_read(str(&note), &s.v, &c));
    signer_done(&s);
}

/* Texts whose form is right or wrong, whoever signed: R stands for a hash, S for a signature. */
static void forms_are_strict(void **state)
{
    static const char HASH[] = "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    static const char SIGNED[] = "\xE2\x80\x94 a.example AAAAAAA=\n";
    static const struct {
        const char *name, *text;
        enum err wanted;
    } ROWS[] = {
        {"least", "a\n0\nR\n\nS", ERR_OK},
        {"extension lines", "a\n0\nR\nmore\nand more\n\nS", ERR_OK},
        {"two signatures", "a\n0\nR\n\nSS", ERR_OK},
        {"a zero in front", "a\n01\nR\n\nS", ERR_INVALID},
        {"a sign", "a\n+1\nR\n\nS", ERR_INVALID},
        {"negative", "a\n-1\nR\n\nS", ERR_INVALID},
        {"the greatest size", "a\n9223372036854775807\nR\n\nS", ERR_OK},
        {"a greater one", "a\n9223372036854775808\nR\n\nS", ERR_INVALID},
        {"no size", "a\n\nR\n\nS", ERR_INVALID},
        {"no hash", "a\n1\n\nS", ERR_INVALID},
        {"half a hash", "a\n1\nAQID\n\nS", ERR_INVALID},
        {"no origin", "\n1\nR\n\nS", ERR_INVALID},
        {"a space in the origin", "a b\n1\nR\n\nS", ERR_INVALID},
        {"no signature", "a\n1\nR\n\n", ERR_INVALID},
        {"no empty line", "a\n1\nR\nS", ERR_INVALID},
        {"no last line end", "a\n1\nR\n\nS-", ERR_INVALID},
        {"a carriage return", "a\r\n1\nR\n\nS", ERR_INVALID},
        {"not UTF-8", "a\n1\nR\n\xff\n\nS", ERR_INVALID},
        {"a hyphen for the dash", "a\n1\nR\n\n- a.example AAAAAAA=\n", ERR_INVALID},
        {"a signature without name", "a\n1\nR\n\n\xE2\x80\x94  AAAAAAA=\n", ERR_INVALID},
        {"a signature of no bytes", "a\n1\nR\n\n\xE2\x80\x94 a AAAAAA==\n", ERR_INVALID},
        {"a signature that is no base64", "a\n1\nR\n\n\xE2\x80\x94 a AAAAAA!=\n", ERR_INVALID},
        {"an origin alone", "a\n\nS", ERR_INVALID},
        {"an empty extension line", "a\n1\nR\n\nmore\n\nS", ERR_INVALID},
        {"a signature line of one word", "a\n1\nR\n\n\xE2\x80\x94 AAAAAAA=\n", ERR_INVALID},
        {"a signature line of a name", "a\n1\nR\n\n\xE2\x80\x94 a \n", ERR_INVALID},
        {"nothing", "", ERR_INVALID},
        {"two lines", "\n\n", ERR_INVALID},
    };
    struct tlog_checkpoint c;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(buf_done) struct buf text;

        buf_init(&text, 4096);
        for (const char *at = ROWS[i].text; *at; at++) {
            if (*at == 'R')
                buf_text(&text, HASH);
            else if (*at == 'S')
                buf_text(&text, SIGNED);
            else
                buf_char(&text, *at);
        }
        assert_row(ROWS[i].name, tlog_checkpoint_read((struct str){text.data ? text.data : "", text.len},
                                                      NULL, &c) == ROWS[i].wanted);
    }
}

static void signatures_of_others_are_passed_over(void **state)
{
    struct signer s, witness;
    struct tlog_checkpoint c;
    AUTO(buf_done) struct buf note;
    AUTO(buf_done) struct buf second;
    uint8_t raw[68] = {1, 2, 3, 4};

    (void)state;
    buf_init(&note, 64 * KIB);
    buf_init(&second, 4096);
    signer_init(&s, "traboule.invalid/1", 1);
    signer_init(&witness, "witness.example", 2);
    note_of(&s, 17, &note);
    for (int i = 0; i < 20; i++) {
        buf_printf(&note, "\xE2\x80\x94 witness%d.example ", i);
        codec_base64(&note, raw, sizeof raw);
        buf_char(&note, '\n');
    }
    assert_ok(tlog_checkpoint_read(str(&note), &s.v, &c));
    assert_err(tlog_checkpoint_read(str(&note), &witness.v, &c), ERR_CORRUPT);
    for (int i = 0; i < 100; i++) {
        buf_text(&note, "\xE2\x80\x94 w ");
        codec_base64(&note, raw, sizeof raw);
        buf_char(&note, '\n');
    }
    assert_err(tlog_checkpoint_read(str(&note), &s.v, &c), ERR_TOO_LARGE);
    signer_done(&s);
    signer_done(&witness);
}

static void what_has_no_room_is_no_note(void **state)
{
    struct tlog_checkpoint c = {.origin = "a", .size = 1};
    struct signer s;
    char memory[24];
    struct buf out;

    (void)state;
    signer_init(&s, "a", 1);
    buf_over(&out, memory, sizeof memory);
    tlog_checkpoint_write(&out, &c, s.seed);
    assert_true(buf_err(&out) != ERR_OK);
    assert_null(memmem(memory, sizeof memory, "\xE2\x80\x94", 3)); /* nothing half is signed */
    signer_done(&s);
}

static void a_note_has_a_ceiling(void **state)
{
    static char text[LIMIT_PROOF_BYTES + 1];
    struct tlog_checkpoint c;
    struct tlog_proof p;

    (void)state;
    memset(text, 'a', sizeof text);
    assert_err(tlog_checkpoint_read((struct str){text, LIMIT_NOTE_BYTES + 1}, NULL, &c), ERR_TOO_LARGE);
    assert_err(tlog_proof_read((struct str){text, LIMIT_PROOF_BYTES + 1}, &p), ERR_TOO_LARGE);
}

static void proofs_come_back_as_they_were(void **state)
{
    struct signer s;
    struct tlog_proof p = {.index = 5, .path = {.count = 3}, .extra = STR("AAAA")}, back;
    AUTO(buf_done) struct buf note;
    AUTO(buf_done) struct buf text;

    (void)state;
    buf_init(&note, 4096);
    buf_init(&text, 4096);
    signer_init(&s, "traboule.invalid/1", 1);
    note_of(&s, 17, &note);
    p.note = str(&note);
    for (uint8_t i = 0; i < 3; i++)
        p.path.hashes[i].bytes[0] = i;
    tlog_proof_write(&text, &p);
    assert_ok(tlog_proof_read(str(&text), &back));
    assert_int_equal(back.index, 5);
    assert_int_equal(back.path.count, 3);
    assert_int_equal(back.path.hashes[2].bytes[0], 2);
    assert_true(str_eq(back.extra, STR("AAAA")));
    assert_true(str_eq(back.note, p.note));
    p.extra = STR("");
    p.path.count = 0;
    buf_clear(&text);
    tlog_proof_write(&text, &p);
    assert_ok(tlog_proof_read(str(&text), &back));
    assert_int_equal(back.extra.len, 0);
    assert_int_equal(back.path.count, 0);
    signer_done(&s);
}

static void proofs_of_another_form_are_refused(void **state)
{
    static const char *const HEADS[] = {
        "",
        "c2sp.org/tlog-proof@v2\nindex 0\n\n",
        "c2sp.org/tlog-proof@v1\n",
        "c2sp.org/tlog-proof@v1\nextra AAAA\n",
        "c2sp.org/tlog-proof@v1\nextra \nindex 0\n\n",
        "c2sp.org/tlog-proof@v1\nindex\n\n",
        "c2sp.org/tlog-proof@v1\nindex 01\n\n",
        "c2sp.org/tlog-proof@v1\nindex -1\n\n",
        "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n\n\n",
        "c2sp.org/tlog-proof@v1\nindex 0\nextra AAAA\n\n",
    };
    struct signer s;
    struct tlog_proof p;
    AUTO(buf_done) struct buf note;

    (void)state;
    buf_init(&note, 4096);
    signer_init(&s, "traboule.invalid/1", 1);
    note_of(&s, 1, &note);
    for (size_t i = 0; i < COUNT_OF(HEADS); i++) {
        AUTO(buf_done) struct buf text;

        buf_init(&text, 8192);
        buf_text(&text, HEADS[i]);
        buf_add(&text, note.data, note.len);
        assert_row(HEADS[i], tlog_proof_read(str(&text), &p) == ERR_INVALID);
    }
    signer_done(&s);
}

static void a_path_is_no_longer_than_a_log_is_deep(void **state)
{
    struct signer s;
    struct tlog_proof p = {.index = 0, .path = {.count = TLOG_DEPTH_MAX + 1}}, back;
    AUTO(buf_done) struct buf note;
    AUTO(buf_done) struct buf text;

    (void)state;
    buf_init(&note, 4096);
    buf_init(&text, 16384);
    signer_init(&s, "traboule.invalid/1", 1);
    note_of(&s, 1, &note);
    p.note = str(&note);
    tlog_proof_write(&text, &p);
    assert_err(tlog_proof_read(str(&text), &back), ERR_TOO_LARGE);
    signer_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifier_keys_are_read_and_written),
        cmocka_unit_test(names_are_printable_and_short),
        cmocka_unit_test(a_checkpoint_is_read_by_its_key_alone),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(forms_are_strict),
        cmocka_unit_test(signatures_of_others_are_passed_over),
        cmocka_unit_test(what_has_no_room_is_no_note),
        cmocka_unit_test(a_note_has_a_ceiling),
        cmocka_unit_test(proofs_come_back_as_they_were),
        cmocka_unit_test(proofs_of_another_form_are_refused),
        cmocka_unit_test(a_path_is_no_longer_than_a_log_is_deep),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
