/* The format as such is held to the public vectors by tests/integration/age_vectors.mjs. */
#include "tests/harness/bytes.h"
#include "tests/harness/fault.h"
#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/codec.h"
#include "pds/base/limits.h"
#include "pds/crypto/age_internal.h"
#include "pds/crypto/random.h"

#include <string.h>

enum { CHUNK = AGE_CHUNK_BYTES, MAX_BYTES = 1024 * 1024 };

/* Of age's own specification. */
static const char IDENTITY[] = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
static const char RECIPIENT[] = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

static struct age_identity *identity_of(const char *text)
{
    AUTO(secret_text_freep) struct secret_text *secret = NULL;
    struct age_identity *identity = NULL;

    assert_ok(secret_text_new(text, strlen(text), &secret));
    assert_ok(age_identity_read(secret, &identity));
    return identity;
}

static enum err seal(const uint8_t *plain, size_t len, struct buf *out)
{
    AUTO(age_writer_freep) struct age_writer *w = NULL;
    uint8_t recipient[AGE_RECIPIENT_BYTES];
    enum err e;

    if ((e = age_recipient_read(str_of(RECIPIENT), recipient)) ||
        (e = age_writer_new(recipient, bytes_put, out, &w)) || (e = age_write(w, plain, len)))
        return e;
    return age_finish(w);
}

/* All of it, read in pieces of some size. */
static enum err open_all(const struct age_keys *keys, struct str file, size_t piece, struct buf *out)
{
    AUTO(age_reader_freep) struct age_reader *r = NULL;
    struct bytes s = {.text = file, .piece = piece};
    static uint8_t bytes[CHUNK];
    size_t got = 1;
    enum err e;

    if ((e = age_reader_new(keys, bytes_get, &s, &r)))
        return e;
    while (got > 0) {
        if ((e = age_read(r, bytes, piece && piece < sizeof bytes ? piece : sizeof bytes, &got)))
            return e;
        buf_add(out, bytes, got);
    }
    return buf_err(out);
}

static void keys_are_written_as_the_standard_writes_them(void **state)
{
    AUTO(age_identity_freep) struct age_identity *identity = identity_of(IDENTITY);
    AUTO(secret_text_freep) struct secret_text *text = NULL;
    AUTO(buf_done) struct buf told;
    uint8_t recipient[AGE_RECIPIENT_BYTES], back[AGE_RECIPIENT_BYTES];

    (void)state;
    buf_init(&told, 128);
    assert_ok(age_identity_text(identity, &text));
    assert_string_equal(text->text, IDENTITY);
    assert_ok(age_recipient_of(identity, recipient));
    age_recipient_text(&told, recipient);
    assert_string_equal(told.data, RECIPIENT);
    assert_ok(age_recipient_read(str_of(RECIPIENT), back));
    assert_memory_equal(back, recipient, sizeof back);
    assert_err(age_recipient_read(str_of("age1zvkyg"), back), ERR_INVALID);
    assert_err(age_recipient_read(str_of(IDENTITY), back), ERR_INVALID);
}

/* Known by Python's hashlib.blake2b, as docs/backup-format.md says. */
static void identity_of_a_code_never_changes(void **state)
{
    static const char WANTED[] = "00b635a1560ac7f09645e8afbf27aea2074358ee036bf3d833468fb5ca7c2506";
    AUTO(age_identity_freep) struct age_identity *identity = age_identity_new();
    AUTO(buf_done) struct buf hex;
    uint8_t bits[RECOVERY_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof bits; i++)
        bits[i] = (uint8_t)i;
    age_identity_of_code(bits, identity);
    buf_init(&hex, 128);
    codec_hex(&hex, identity->bytes, sizeof identity->bytes);
    assert_string_equal(hex.data, WANTED);
}

static void identity_of_a_mistyped_code_is_none(void **state)
{
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    AUTO(age_identity_freep) struct age_identity *identity = NULL, *again = NULL;

    (void)state;
    assert_ok(recovery_make(&code));
    assert_ok(age_identity_of(code, &identity));
    assert_ok(age_identity_of(code, &again));
    assert_memory_equal(identity->bytes, again->bytes, KEY_BYTES);
    code->text[0] = code->text[0] == '7' ? '8' : '7';
    age_identity_free(again);
    again = NULL;
    assert_err(age_identity_of(code, &again), ERR_INVALID);
}

static void what_is_sealed_opens_in_pieces_of_any_size(void **state)
{
    static const size_t SIZES[] = {0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7};
    static const size_t PIECES[] = {0, 1, 1000, CHUNK + AGE_TAG_BYTES};
    AUTO(age_identity_freep) struct age_identity *identity = identity_of(IDENTITY);
    static uint8_t plain[2 * CHUNK + 7];

    (void)state;
    random_bytes(plain, sizeof plain);
    for (size_t i = 0; i < COUNT_OF(SIZES); i++) {
        AUTO(buf_done) struct buf file;

        buf_init(&file, MAX_BYTES);
        assert_ok(seal(plain, SIZES[i], &file));
        for (size_t j = 0; j < COUNT_OF(PIECES); j++) {
            AUTO(buf_done) struct buf out;

            buf_init(&out, MAX_BYTES);
            assert_ok(open_all(&(struct age_keys){.identity = identity}, (struct str){file.data, file.len},
                               PIECES[j], &out));
            assert_int_equal(out.len, SIZES[i]);
            assert_true(out.len == 0 || memcmp(out.data, plain, out.len) == 0);
        }
    }
}

static void it_is_written_in_pieces_of_any_size(void **state)
{
    AUTO(age_identity_freep) struct age_identity *identity = identity_of(IDENTITY);
    AUTO(age_writer_freep) struct age_writer *w = NULL;
    AUTO(buf_done) struct buf file, out;
    uint8_t recipient[AGE_RECIPIENT_BYTES];
    static uint8_t plain[3 * CHUNK];
    uint64_t random = test_seed();
    size_t at = 0;

    (void)state;
    random_bytes(plain, sizeof plain);
    buf_init(&file, MAX_BYTES);
    buf_init(&out, MAX_BYTES);
    assert_ok(age_recipient_of(identity, recipient));
    assert_ok(age_writer_new(recipient, bytes_put, &file, &w));
    while (at < sizeof plain) {
        size_t part = (size_t)test_between(&random, 0, CHUNK + 100);

        part = part < sizeof plain - at ? part : sizeof plain - at;
        assert_ok(age_write(w, plain + at, part));
        at += part;
    }
    assert_ok(age_finish(w));
    assert_err(age_finish(w), ERR_CONFLICT);
    assert_err(age_write(w, plain, 1), ERR_CONFLICT);
    assert_ok(open_all(&(struct age_keys){.file_key = age_file_key(w)}, (struct str){file.data, file.len}, 0,
                       &out));
    assert_int_equal(out.len, sizeof plain);
    assert_memory_equal(out.data, plain, sizeof plain);
}

static void other_keys_do_not_open_it(void **state)
{
    AUTO(age_identity_freep) struct age_identity *other = age_identity_new();
    AUTO(secret_text_freep) struct secret_text *phrase = NULL;
    AUTO(buf_done) struct buf file, out;
    uint8_t file_key[AGE_FILE_KEY_BYTES] = {1};
    struct str bytes;

    (void)state;
    random_bytes(other->bytes, KEY_BYTES);
    assert_ok(secret_text_new("a phrase", 8, &phrase));
    buf_init(&file, MAX_BYTES);
    buf_init(&out, MAX_BYTES);
    assert_ok(seal((const uint8_t *)"x", 1, &file));
    bytes = (struct str){file.data, file.len};
    assert_err(open_all(&(struct age_keys){.identity = other}, bytes, 0, &out), ERR_WRONG_KEY);
    assert_err(open_all(&(struct age_keys){.passphrase = phrase}, bytes, 0, &out), ERR_WRONG_KEY);
    assert_err(open_all(&(struct age_keys){.file_key = file_key}, bytes, 0, &out), ERR_CORRUPT);
    assert_int_equal(out.len, 0);
}

static void a_passphrase_opens_what_it_sealed(void **state)
{
    AUTO(secret_text_freep) struct secret_text *phrase = NULL, *other = NULL;
    AUTO(age_writer_freep) struct age_writer *w = NULL, *refused = NULL;
    AUTO(buf_done) struct buf file, out;
    struct str bytes;

    (void)state;
    assert_ok(secret_text_new("a phrase", 8, &phrase));
    assert_ok(secret_text_new("a phrasf", 8, &other));
    buf_init(&file, MAX_BYTES);
    buf_init(&out, MAX_BYTES);
    assert_err(age_writer_new_passphrase(phrase, 0, bytes_put, &file, &refused), ERR_INVALID);
    assert_err(age_writer_new_passphrase(phrase, AGE_WORK_FACTOR_MAX + 1, bytes_put, &file, &refused),
               ERR_INVALID);
    assert_ok(age_writer_new_passphrase(phrase, 4, bytes_put, &file, &w));
    assert_ok(age_write(w, "hello", 5));
    assert_ok(age_finish(w));
    bytes = (struct str){file.data, file.len};
    assert_ok(open_all(&(struct age_keys){.passphrase = phrase}, bytes, 0, &out));
    assert_string_equal(out.data, "hello");
    assert_err(open_all(&(struct age_keys){.passphrase = other}, bytes, 0, &out), ERR_WRONG_KEY);
}

/* Each byte of the file, changed; each length, cut; a byte behind the end. */
static void every_change_is_noticed(void **state)
{
    AUTO(age_identity_freep) struct age_identity *identity = identity_of(IDENTITY);
    struct age_keys keys = {.identity = identity};
    AUTO(buf_done) struct buf file, out;

    (void)state;
    buf_init(&file, MAX_BYTES);
    buf_init(&out, MAX_BYTES);
    assert_ok(seal((const uint8_t *)"all of the owner's data", 23, &file));
    for (size_t i = 0; i < file.len; i++) {
        file.data[i] ^= 1;
        assert_true(open_all(&keys, (struct str){file.data, file.len}, 0, &out) != ERR_OK);
        file.data[i] ^= 1;
        assert_true(open_all(&keys, (struct str){file.data, i}, 0, &out) != ERR_OK);
    }
    buf_char(&file, '\0');
    assert_err(open_all(&keys, (struct str){file.data, file.len}, 0, &out), ERR_CORRUPT);
    assert_ok(open_all(&keys, (struct str){file.data, file.len - 1}, 0, &out));
}

/* Chunks that change places, or are missing, in a file that is longer than one. */
static void chunks_keep_their_places(void **state)
{
    AUTO(age_identity_freep) struct age_identity *identity = identity_of(IDENTITY);
    struct age_keys keys = {.identity = identity};
    static uint8_t plain[3 * CHUNK], sealed[CHUNK + AGE_TAG_BYTES];
    AUTO(buf_done) struct buf file, out;
    char *first;

    (void)state;
    buf_init(&file, MAX_BYTES);
    buf_init(&out, MAX_BYTES);
    assert_ok(seal(plain, sizeof plain, &file));
    first = file.data + file.len - 3 * sizeof sealed;
    assert_err(open_all(&keys, (struct str){file.data, file.len - sizeof sealed}, 0, &out), ERR_CORRUPT);
    memcpy(sealed, first, sizeof sealed);
    memcpy(first, first + sizeof sealed, sizeof sealed);
    memcpy(first + sizeof sealed, sealed, sizeof sealed);
    buf_clear(&out);
    assert_err(open_all(&keys, (struct str){file.data, file.len}, 0, &out), ERR_CORRUPT);
    assert_int_equal(out.len, 0);
}

static void a_failed_reader_stays_failed(void **state)
{
    AUTO(age_identity_freep) struct age_identity *identity = identity_of(IDENTITY);
    AUTO(age_reader_freep) struct age_reader *r = NULL;
    AUTO(buf_done) struct buf file;
    struct bytes s;
    uint8_t bytes[10];
    size_t got = 77;

    (void)state;
    buf_init(&file, MAX_BYTES);
    assert_ok(seal((const uint8_t *)"hello", 5, &file));
    file.data[file.len - 1] ^= 1;
    s = (struct bytes){.text = {file.data, file.len}};
    assert_ok(age_reader_new(&(struct age_keys){.identity = identity}, bytes_get, &s, &r));
    assert_err(age_read(r, bytes, sizeof bytes, &got), ERR_CORRUPT);
    assert_err(age_read(r, bytes, sizeof bytes, &got), ERR_CORRUPT);
    assert_int_equal(got, 77);
    age_reader_free(NULL);
    age_writer_free(NULL);
}

static void what_is_no_age_file_is_unsupported(void **state)
{
    static const char *const ROWS[] = {
        "",
        "a",
        "hello\n",
        "age-encryption.org/v2\n-> X25519 a\n\n--- b\n",
        "-----BEGIN PGP MESSAGE-----\n",
        "\n\n\n",
        "PK\3\4",
        "age-encryption.org/v1",
    };
    AUTO(age_identity_freep) struct age_identity *identity = identity_of(IDENTITY);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(buf_done) struct buf out;

        buf_init(&out, 100);
        assert_row(ROWS[i], open_all(&(struct age_keys){.identity = identity}, str_of(ROWS[i]), 0, &out) ==
                                ERR_UNSUPPORTED);
    }
}

static void a_header_has_a_ceiling(void **state)
{
    AUTO(age_identity_freep) struct age_identity *identity = identity_of(IDENTITY);
    AUTO(buf_done) struct buf file, out;

    (void)state;
    buf_init(&file, MAX_BYTES);
    buf_init(&out, 100);
    buf_text(&file, "age-encryption.org/v1\n-> ");
    while (file.len < LIMIT_AGE_HEADER_BYTES + 10)
        buf_char(&file, 'x');
    assert_err(open_all(&(struct age_keys){.identity = identity}, (struct str){file.data, file.len}, 0, &out),
               ERR_INVALID);
}

static enum err refuse(void *context, const void *bytes, size_t len)
{
    (void)context;
    (void)bytes;
    (void)len;
    return err_set(ERR_FULL, "no space");
}

static enum err break_down(void *context, void *out, size_t size, size_t *got)
{
    (void)context;
    (void)out;
    (void)size;
    (void)got;
    return err_set(ERR_IO, "a bad disk");
}

static void failures_of_others_are_passed_on(void **state)
{
    AUTO(age_identity_freep) struct age_identity *identity = identity_of(IDENTITY);
    AUTO(age_writer_freep) struct age_writer *w = NULL;
    AUTO(age_reader_freep) struct age_reader *r = NULL;
    uint8_t recipient[AGE_RECIPIENT_BYTES];

    (void)state;
    assert_ok(age_recipient_of(identity, recipient));
    assert_err(age_writer_new(recipient, refuse, NULL, &w), ERR_FULL);
    assert_err(age_reader_new(&(struct age_keys){.identity = identity}, break_down, NULL, &r), ERR_IO);
}

/* To a share of low order everybody would have the key. */
static void recipients_of_low_order_are_refused(void **state)
{
    AUTO(age_writer_freep) struct age_writer *w = NULL;
    AUTO(buf_done) struct buf file;
    uint8_t zero[AGE_RECIPIENT_BYTES] = {0};

    (void)state;
    buf_init(&file, MAX_BYTES);
    assert_err(age_writer_new(zero, bytes_put, &file, &w), ERR_INVALID);
    assert_int_equal(file.len, 0);
}

static void survives_each_failing_allocation(void **state)
{
    AUTO(age_identity_freep) struct age_identity *identity = identity_of(IDENTITY);
    struct age_keys keys = {.identity = identity};
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    AUTO(buf_done) struct buf file, out;
    struct age_identity *derived = NULL, *read = NULL;
    struct secret_text *text = NULL;
    long live;
    enum err e;

    (void)state;
    buf_init(&file, MAX_BYTES);
    buf_init(&out, MAX_BYTES);
    assert_ok(recovery_make(&code));
    FAIL_EACH_ALLOCATION (e, (buf_clear(&file), seal((const uint8_t *)"hello", 5, &file))) {
        assert_int_equal(e, ERR_NO_MEMORY);
    }
    live = mem_live();
    FAIL_EACH_ALLOCATION (e, open_all(&keys, (struct str){file.data, file.len}, 0, &out)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        buf_done(&out);
        assert_int_equal(mem_live(), live);
    }
    FAIL_EACH_ALLOCATION (e, age_identity_of(code, &derived)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(derived);
    }
    FAIL_EACH_ALLOCATION (e, age_identity_text(derived, &text)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(text);
    }
    FAIL_EACH_ALLOCATION (e, age_identity_read(text, &read)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(read);
    }
    assert_memory_equal(read->bytes, derived->bytes, KEY_BYTES);
    secret_text_free(text);
    age_identity_free(read);
    age_identity_free(derived);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(keys_are_written_as_the_standard_writes_them),
        cmocka_unit_test(identity_of_a_code_never_changes),
        cmocka_unit_test(identity_of_a_mistyped_code_is_none),
        cmocka_unit_test(what_is_sealed_opens_in_pieces_of_any_size),
        cmocka_unit_test(it_is_written_in_pieces_of_any_size),
        cmocka_unit_test(other_keys_do_not_open_it),
        cmocka_unit_test(a_passphrase_opens_what_it_sealed),
        cmocka_unit_test(every_change_is_noticed),
        cmocka_unit_test(chunks_keep_their_places),
        cmocka_unit_test(a_failed_reader_stays_failed),
        cmocka_unit_test(what_is_no_age_file_is_unsupported),
        cmocka_unit_test(a_header_has_a_ceiling),
        cmocka_unit_test(failures_of_others_are_passed_on),
        cmocka_unit_test(recipients_of_low_order_are_refused),
        cmocka_unit_test(survives_each_failing_allocation),
    };

    if (random_start())
        return 1;
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
