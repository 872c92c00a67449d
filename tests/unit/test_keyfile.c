#include "tests/harness/test.h"
#include "tests/harness/fault.h"
#include "tests/harness/tempdir.h"

#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/base/json.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/crypto/keyfile.h"
#include "pds/crypto/random.h"
#include "pds/crypto/recovery.h"

#include <string.h>
#include <sys/stat.h>

static const struct passphrase_cost CHEAPEST = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};
static const uint8_t FILE_KEY[KEY_BYTES] = {1, 2, 3};
static const char PASSPHRASE[] = "correct horse battery staple";

/* A store's keys with a slot of each kind, and what opens them. */
struct keys {
    struct keyfile *file;
    struct store_key *root;
    struct secret_text *passphrase, *code;
    struct buf text; /* of keys.json */
};

static struct keys *keys_new(void)
{
    struct keys *k = mem_new(sizeof *k);

    assert_non_null(k);
    assert_ok(keyfile_new(&k->file, &k->root));
    assert_ok(secret_text_new(PASSPHRASE, strlen(PASSPHRASE), &k->passphrase));
    assert_ok(recovery_make(&k->code));
    assert_ok(keyfile_set_passphrase(k->file, k->root, k->passphrase, CHEAPEST));
    assert_ok(keyfile_set_recovery(k->file, k->root, k->code));
    assert_ok(keyfile_set_keyfile(k->file, k->root, FILE_KEY));
    buf_init(&k->text, LIMIT_KEYS_FILE_BYTES);
    keyfile_write(&k->text, k->file);
    assert_ok(buf_err(&k->text));
    return k;
}

static void keys_free(struct keys *k)
{
    keyfile_free(k->file);
    store_key_free(k->root);
    secret_text_free(k->passphrase);
    secret_text_free(k->code);
    buf_done(&k->text);
    mem_free(k);
}
static void keys_freep(struct keys **k) { keys_free(*k); }

static struct str text_of(const struct keys *k) { return (struct str){k->text.data, k->text.len}; }

/* The outcome of opening; what opens must be the same store key. */
static enum err open_kind(const struct keys *k, const struct keyfile *file, enum slot_kind kind)
{
    AUTO(store_key_freep) struct store_key *root = NULL;
    enum err e;

    if (kind == SLOT_PASSPHRASE)
        e = keyfile_open_passphrase(file, k->passphrase, &root);
    else if (kind == SLOT_RECOVERY)
        e = keyfile_open_recovery(file, k->code, &root);
    else
        e = keyfile_open_keyfile(file, FILE_KEY, &root);
    if (!e)
        assert_memory_equal(root->bytes, k->root->bytes, KEY_BYTES);
    else
        assert_null(root);
    return e;
}

static void new_store_has_its_own_id_and_key(void **state)
{
    AUTO(keyfile_freep) struct keyfile *one = NULL;
    AUTO(keyfile_freep) struct keyfile *two = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL;
    AUTO(store_key_freep) struct store_key *other = NULL;

    (void)state;
    assert_ok(keyfile_new(&one, &root));
    assert_ok(keyfile_new(&two, &other));
    assert_memory_not_equal(keyfile_store_id(one), keyfile_store_id(two), STORE_ID_BYTES);
    assert_memory_not_equal(root->bytes, other->bytes, KEY_BYTES);
    for (int kind = SLOT_PASSPHRASE; kind <= SLOT_KEYFILE; kind++)
        assert_false(keyfile_has(one, (enum slot_kind)kind));
}

static void each_kind_of_slot_opens_the_store(void **state)
{
    AUTO(keys_freep) struct keys *k = keys_new();
    AUTO(keyfile_freep) struct keyfile *read = NULL;

    (void)state;
    assert_ok(keyfile_parse(text_of(k), &read));
    assert_memory_equal(keyfile_store_id(read), keyfile_store_id(k->file), STORE_ID_BYTES);
    for (int kind = SLOT_PASSPHRASE; kind <= SLOT_KEYFILE; kind++) {
        assert_true(keyfile_has(read, (enum slot_kind)kind));
        assert_ok(open_kind(k, read, (enum slot_kind)kind));
    }
}

static void saved_keys_load_again(void **state)
{
    AUTO(keys_freep) struct keys *k = keys_new();
    AUTO(tempdir_freep) struct tempdir *dir = tempdir_new();
    AUTO(keyfile_freep) struct keyfile *loaded = NULL;
    const char *path = tempdir_path(dir, "keys.json");
    struct stat facts;

    (void)state;
    assert_ok(keyfile_save(k->file, path));
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    assert_ok(keyfile_load(path, &loaded));
    assert_ok(open_kind(k, loaded, SLOT_RECOVERY));
}

static void written_keys_read_and_write_the_same(void **state)
{
    AUTO(keys_freep) struct keys *k = keys_new();
    AUTO(keyfile_freep) struct keyfile *read = NULL;
    struct buf again;

    (void)state;
    assert_ok(keyfile_parse(text_of(k), &read));
    buf_init(&again, LIMIT_KEYS_FILE_BYTES);
    keyfile_write(&again, read);
    assert_ok(buf_err(&again));
    assert_string_equal(again.data, k->text.data);
    buf_done(&again);
}

static void missing_file_is_told_from_a_damaged_one(void **state)
{
    AUTO(tempdir_freep) struct tempdir *dir = tempdir_new();
    static char spaces[LIMIT_KEYS_FILE_BYTES + 1];
    struct keyfile *k = NULL;

    (void)state;
    assert_err(keyfile_load(tempdir_path(dir, "none"), &k), ERR_NOT_FOUND);
    assert_ok(fs_replace(tempdir_path(dir, "empty"), "", 0));
    assert_err(keyfile_load(tempdir_path(dir, "empty"), &k), ERR_CORRUPT);
    memset(spaces, ' ', sizeof spaces);
    assert_ok(fs_replace(tempdir_path(dir, "large"), spaces, sizeof spaces));
    assert_err(keyfile_load(tempdir_path(dir, "large"), &k), ERR_CORRUPT);
    assert_null(k);
}

static void save_fails_where_there_is_no_folder(void **state)
{
    AUTO(keys_freep) struct keys *k = keys_new();
    AUTO(tempdir_freep) struct tempdir *dir = tempdir_new();

    (void)state;
    assert_int_not_equal(keyfile_save(k->file, tempdir_path(dir, "none/keys.json")), ERR_OK);
}

static void wrong_passphrase_opens_nothing(void **state)
{
    AUTO(keys_freep) struct keys *k = keys_new();

    (void)state;
    k->passphrase->text[0] = 'C';
    assert_err(open_kind(k, k->file, SLOT_PASSPHRASE), ERR_WRONG_KEY);
}

static void wrong_code_is_told_from_a_mistyped_one(void **state)
{
    AUTO(keys_freep) struct keys *k = keys_new();

    (void)state;
    k->code->text[0] = k->code->text[0] == '7' ? '8' : '7';
    assert_err(open_kind(k, k->file, SLOT_RECOVERY), ERR_INVALID);
    assert_err(keyfile_set_recovery(k->file, k->root, k->code), ERR_INVALID);
    secret_text_free(k->code);
    k->code = NULL;
    assert_ok(recovery_make(&k->code)); /* of another store, say */
    assert_err(open_kind(k, k->file, SLOT_RECOVERY), ERR_WRONG_KEY);
}

static void wrong_key_file_opens_nothing(void **state)
{
    AUTO(keys_freep) struct keys *k = keys_new();
    uint8_t key[KEY_BYTES];
    struct store_key *root = NULL;

    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof key; bit++) {
        memcpy(key, FILE_KEY, sizeof key);
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_err(keyfile_open_keyfile(k->file, key, &root), ERR_WRONG_KEY);
        assert_null(root);
    }
}

static void absent_slot_opens_nothing(void **state)
{
    AUTO(keys_freep) struct keys *k = keys_new();
    AUTO(keyfile_freep) struct keyfile *bare = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL;

    (void)state;
    assert_ok(keyfile_new(&bare, &root));
    for (int kind = SLOT_PASSPHRASE; kind <= SLOT_KEYFILE; kind++)
        assert_err(open_kind(k, bare, (enum slot_kind)kind), ERR_WRONG_KEY);
}

static void new_slot_replaces_the_old_one(void **state)
{
    AUTO(keys_freep) struct keys *k = keys_new();
    AUTO(secret_text_freep) struct secret_text *old = NULL;
    struct store_key *root = NULL;

    (void)state;
    old = k->code;
    k->code = NULL;
    assert_ok(recovery_make(&k->code));
    assert_ok(keyfile_set_recovery(k->file, k->root, k->code));
    assert_ok(open_kind(k, k->file, SLOT_RECOVERY));
    assert_err(keyfile_open_recovery(k->file, old, &root), ERR_WRONG_KEY);
}

static void last_slot_cannot_be_dropped(void **state)
{
    AUTO(keys_freep) struct keys *k = keys_new();

    (void)state;
    assert_ok(keyfile_drop(k->file, SLOT_KEYFILE));
    assert_false(keyfile_has(k->file, SLOT_KEYFILE));
    assert_err(keyfile_drop(k->file, SLOT_KEYFILE), ERR_NOT_FOUND);
    assert_ok(keyfile_drop(k->file, SLOT_RECOVERY));
    assert_err(keyfile_drop(k->file, SLOT_PASSPHRASE), ERR_CONFLICT);
    assert_true(keyfile_has(k->file, SLOT_PASSPHRASE));
}

static void passphrase_slot_knows_when_it_is_cheap(void **state)
{
    AUTO(keys_freep) struct keys *k = keys_new();
    struct passphrase_cost more_passes = CHEAPEST, more_memory = CHEAPEST;

    (void)state;
    more_passes.passes++;
    more_memory.memory_kib++;
    assert_false(keyfile_is_cheaper(k->file, CHEAPEST));
    assert_true(keyfile_is_cheaper(k->file, more_passes));
    assert_true(keyfile_is_cheaper(k->file, more_memory));
    assert_ok(keyfile_drop(k->file, SLOT_PASSPHRASE));
    assert_false(keyfile_is_cheaper(k->file, more_memory));
}

static void cost_out_of_bounds_makes_no_slot(void **state)
{
    AUTO(keys_freep) struct keys *k = keys_new();
    struct passphrase_cost cost = {1, 8};

    (void)state;
    assert_err(keyfile_set_passphrase(k->file, k->root, k->passphrase, cost), ERR_INVALID);
    assert_ok(open_kind(k, k->file, SLOT_PASSPHRASE));
}

/* keys.json with one text in it replaced by another. */
static enum err parse_changed(const struct keys *k, const char *from, const char *to, struct keyfile **out)
{
    const char *at = strstr(k->text.data, from);
    struct buf text;
    enum err e;

    assert_non_null(at);
    buf_init(&text, LIMIT_KEYS_FILE_BYTES);
    buf_add(&text, k->text.data, (size_t)(at - k->text.data));
    buf_text(&text, to);
    buf_text(&text, at + strlen(from));
    assert_ok(buf_err(&text));
    e = keyfile_parse((struct str){text.data, text.len}, out);
    buf_done(&text);
    return e;
}

static void changed_cost_breaks_the_slot(void **state)
{
    AUTO(keys_freep) struct keys *k = keys_new();
    AUTO(keyfile_freep) struct keyfile *fewer = NULL;
    AUTO(keyfile_freep) struct keyfile *less = NULL;
    struct passphrase_cost dearer = {CHEAPEST.passes + 1, CHEAPEST.memory_kib + 1024};
    struct keyfile *none = NULL;

    (void)state;
    assert_ok(keyfile_set_passphrase(k->file, k->root, k->passphrase, dearer));
    buf_clear(&k->text);
    keyfile_write(&k->text, k->file);
    assert_ok(parse_changed(k, "\"passes\": 4", "\"passes\": 3", &fewer));
    assert_err(open_kind(k, fewer, SLOT_PASSPHRASE), ERR_WRONG_KEY);
    assert_ok(parse_changed(k, "66560", "65536", &less));
    assert_err(open_kind(k, less, SLOT_PASSPHRASE), ERR_WRONG_KEY);
    assert_err(parse_changed(k, "66560", "65535", &none), ERR_CORRUPT);
    assert_err(parse_changed(k, "\"passes\": 4", "\"passes\": 2", &none), ERR_CORRUPT);
}

/* Both are 32 random bytes under BLAKE2b: only what they are bound to tells them apart. */
static void slot_moved_to_another_kind_or_store_does_not_open(void **state)
{
    AUTO(keys_freep) struct keys *k = keys_new();
    AUTO(keys_freep) struct keys *other = keys_new();
    AUTO(keyfile_freep) struct keyfile *moved = NULL;
    AUTO(keyfile_freep) struct keyfile *here = NULL;
    char *store = strstr(k->text.data, "\"store\": \"");
    const char *there = strstr(other->text.data, "\"store\": \"");

    (void)state;
    assert_ok(keyfile_drop(k->file, SLOT_KEYFILE));
    buf_clear(&k->text);
    keyfile_write(&k->text, k->file);
    assert_ok(parse_changed(k, "\"recovery\"", "\"keyfile\"", &moved));
    assert_err(open_kind(k, moved, SLOT_KEYFILE), ERR_WRONG_KEY);
    assert_non_null(store);
    assert_non_null(there);
    memcpy(store, there, 10 + 22);
    assert_ok(keyfile_parse(text_of(k), &here));
    assert_err(open_kind(k, here, SLOT_RECOVERY), ERR_WRONG_KEY);
    assert_err(open_kind(k, here, SLOT_PASSPHRASE), ERR_WRONG_KEY);
}

/* open_kind() checks that whatever opens is the same key. The dear derivation is tried at some places only.
 */
static void flipped_bits_never_open_another_key(void **state)
{
    AUTO(keys_freep) struct keys *k = keys_new();
    int tried = 0;

    (void)state;
    for (size_t bit = 0; bit < 8 * k->text.len; bit++) {
        AUTO(keyfile_freep) struct keyfile *read = NULL;
        char right = k->text.data[bit / 8];

        k->text.data[bit / 8] = (char)((uint8_t)right ^ (1u << bit % 8));
        if (keyfile_parse(text_of(k), &read) == ERR_OK) {
            enum err recovery = open_kind(k, read, SLOT_RECOVERY);
            enum err keyfile = open_kind(k, read, SLOT_KEYFILE);
            assert_true(recovery == ERR_OK || recovery == ERR_WRONG_KEY);
            assert_true(keyfile == ERR_OK || keyfile == ERR_WRONG_KEY);
            if (recovery == ERR_OK && keyfile == ERR_OK && ++tried % 64 == 0)
                (void)open_kind(k, read, SLOT_PASSPHRASE);
        } else
            assert_null(read);
        k->text.data[bit / 8] = right;
    }
}

static void cut_text_never_reads(void **state)
{
    AUTO(keys_freep) struct keys *k = keys_new();
    struct keyfile *read = NULL;

    (void)state;
    for (size_t len = 0; len + 1 < k->text.len; len++) /* the last byte is a new line */
        assert_err(keyfile_parse((struct str){k->text.data, len}, &read), ERR_CORRUPT);
    assert_null(read);
}

#define A22 "AAAAAAAAAAAAAAAAAAAAAA"
#define A96 A22 A22 A22 A22 "AAAAAAAA"
#define HEAD                                                                                                 \
    "{\"format\":\"traboule-keys\",\"version\":1,\"store\":\"" A22 "\",\"cipher\":\"xchacha20poly1305\","
#define SALTED "\"salt\":\"" A22 "\",\"sealed\":\"" A96 "\""
#define FILED  "{\"kind\":\"keyfile\",\"kdf\":\"blake2b\"," SALTED "}"
#define COSTLY(passes, kib)                                                                                  \
    "{\"kind\":\"passphrase\",\"kdf\":\"argon2id13\",\"passes\":" passes ",\"memory_kib\":" kib "," SALTED "}"
#define SLOTS(slots) HEAD "\"slots\":[" slots "]}"
#define FOUR(x)      x "," x "," x "," x

static const struct {
    const char *name, *text;
    enum err outcome;
} TEXTS[] = {
    {"one key file slot", SLOTS(FILED), ERR_OK},
    {"the least cost", SLOTS(COSTLY("3", "65536")), ERR_OK},
    {"the most cost", SLOTS(COSTLY("64", "4194304")), ERR_OK},
    {"nothing", "", ERR_CORRUPT},
    {"not JSON", "keys", ERR_CORRUPT},
    {"an array", "[]", ERR_CORRUPT},
    {"a number", "1", ERR_CORRUPT},
    {"an empty object", "{}", ERR_CORRUPT},
    {"no slots", HEAD "\"slots\":[]}", ERR_CORRUPT},
    {"slots of another type", HEAD "\"slots\":{}}", ERR_CORRUPT},
    {"slots missing", HEAD "\"slot\":[]}", ERR_CORRUPT},
    {"a slot that is a number", SLOTS("1"), ERR_CORRUPT},
    {"a slot that is null", SLOTS(FILED ",null"), ERR_CORRUPT},
    {"a kind twice", SLOTS(FILED "," FILED), ERR_CORRUPT},
    {"17 slots", SLOTS(FOUR(FOUR(FILED)) "," FILED), ERR_CORRUPT},
    {"two documents", SLOTS(FILED) " {}", ERR_CORRUPT},
    {"an unknown key", HEAD "\"slots\":[" FILED "],\"hint\":\"x\"}", ERR_CORRUPT},
    {"an unknown key in a slot", SLOTS("{\"kind\":\"keyfile\",\"kdf\":\"blake2b\",\"hint\":1," SALTED "}"),
     ERR_CORRUPT},
    {"a cost where none belongs", SLOTS("{\"kind\":\"keyfile\",\"kdf\":\"blake2b\",\"passes\":3," SALTED "}"),
     ERR_CORRUPT},
    {"an unknown kind", SLOTS("{\"kind\":\"passkey\",\"kdf\":\"blake2b\"," SALTED "}"), ERR_CORRUPT},
    {"a kind that is a number", SLOTS("{\"kind\":1,\"kdf\":\"blake2b\"," SALTED "}"), ERR_CORRUPT},
    {"an unknown derivation", SLOTS("{\"kind\":\"keyfile\",\"kdf\":\"md5\"," SALTED "}"), ERR_CORRUPT},
    {"another kind's derivation", SLOTS("{\"kind\":\"keyfile\",\"kdf\":\"argon2id13\"," SALTED "}"),
     ERR_CORRUPT},
    {"no derivation", SLOTS("{\"kind\":\"keyfile\"," SALTED "}"), ERR_CORRUPT},
    {"no salt", SLOTS("{\"kind\":\"keyfile\",\"kdf\":\"blake2b\",\"sealed\":\"" A96 "\"}"), ERR_CORRUPT},
    {"a salt too short",
     SLOTS("{\"kind\":\"keyfile\",\"kdf\":\"blake2b\",\"salt\":\"AAAA\",\"sealed\":\"" A96 "\"}"),
     ERR_CORRUPT},
    {"a salt too long",
     SLOTS("{\"kind\":\"keyfile\",\"kdf\":\"blake2b\",\"salt\":\"" A96 "\",\"sealed\":\"" A96 "\"}"),
     ERR_CORRUPT},
    {"a seal too short",
     SLOTS("{\"kind\":\"keyfile\",\"kdf\":\"blake2b\",\"salt\":\"" A22 "\",\"sealed\":\"" A22 "\"}"),
     ERR_CORRUPT},
    {"no cost", SLOTS("{\"kind\":\"passphrase\",\"kdf\":\"argon2id13\"," SALTED "}"), ERR_CORRUPT},
    {"no memory", SLOTS("{\"kind\":\"passphrase\",\"kdf\":\"argon2id13\",\"passes\":3," SALTED "}"),
     ERR_CORRUPT},
    {"too few passes", SLOTS(COSTLY("2", "65536")), ERR_CORRUPT},
    {"too many passes", SLOTS(COSTLY("65", "65536")), ERR_CORRUPT},
    {"passes below zero", SLOTS(COSTLY("-3", "65536")), ERR_CORRUPT},
    {"passes past 32 bits", SLOTS(COSTLY("4294967299", "65536")), ERR_CORRUPT},
    {"too little memory", SLOTS(COSTLY("3", "65535")), ERR_CORRUPT},
    {"too much memory", SLOTS(COSTLY("3", "4194305")), ERR_CORRUPT},
    {"memory of 1 TiB", SLOTS(COSTLY("3", "1073741824")), ERR_CORRUPT},
    {"memory below zero", SLOTS(COSTLY("3", "-65536")), ERR_CORRUPT},
    {"a cost as text", SLOTS(COSTLY("\"3\"", "65536")), ERR_CORRUPT},
    {"another format", "{\"format\":\"other\",\"version\":1}", ERR_CORRUPT},
    {"no version", "{\"format\":\"traboule-keys\"}", ERR_CORRUPT},
    {"version 0", "{\"format\":\"traboule-keys\",\"version\":0}", ERR_CORRUPT},
    {"a newer version", "{\"format\":\"traboule-keys\",\"version\":2,\"new\":true}", ERR_UNSUPPORTED},
    {"another cipher",
     "{\"format\":\"traboule-keys\",\"version\":1,\"store\":\"" A22
     "\",\"cipher\":\"rot13\",\"slots\":[" FILED "]}",
     ERR_CORRUPT},
    {"a store id too short",
     "{\"format\":\"traboule-keys\",\"version\":1,\"store\":\"AA\",\"cipher\":\"xchacha20poly1305\","
     "\"slots\":[" FILED "]}",
     ERR_CORRUPT},
    {"a store id that is no base64url",
     "{\"format\":\"traboule-keys\",\"version\":1,\"store\":\"AAAAAAAAAAAAAAAAAAAAA+\",\"cipher\":"
     "\"xchacha20poly1305\",\"slots\":[" FILED "]}",
     ERR_CORRUPT},
};

static void text_that_breaks_its_format_is_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        AUTO(keyfile_freep) struct keyfile *k = NULL;
        enum err e = keyfile_parse(str_of(TEXTS[i].text), &k);

        assert_row(TEXTS[i].name, e == TEXTS[i].outcome);
        assert_row(TEXTS[i].name, (e == ERR_OK) == (k != NULL));
        if (e)
            assert_row(TEXTS[i].name, strncmp(err_story(), "keys.json: ", 11) == 0);
    }
}

static void keyfile_survives_each_failing_allocation(void **state)
{
    AUTO(keys_freep) struct keys *k = keys_new();
    AUTO(tempdir_freep) struct tempdir *dir = tempdir_new();
    AUTO(keyfile_freep) struct keyfile *made = NULL;
    AUTO(keyfile_freep) struct keyfile *loaded = NULL;
    AUTO(store_key_freep) struct store_key *root = NULL;
    const char *path = tempdir_path(dir, "keys.json");
    long live = mem_live();
    enum err e;

    (void)state;
    FAIL_EACH_ALLOCATION (e, keyfile_new(&made, &root)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(made);
        assert_null(root);
        assert_int_equal(mem_live(), live);
    }
    live = mem_live();
    FAIL_EACH_ALLOCATION (e, keyfile_save(k->file, path)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_false(fs_exists(path));
        assert_int_equal(mem_live(), live);
    }
    FAIL_EACH_ALLOCATION (e, keyfile_load(path, &loaded)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_null(loaded);
        assert_int_equal(mem_live(), live);
    }
    assert_ok(open_kind(k, loaded, SLOT_RECOVERY));
}

static enum err set_kind(struct keys *k, enum slot_kind kind)
{
    if (kind == SLOT_PASSPHRASE)
        return keyfile_set_passphrase(k->file, k->root, k->passphrase, CHEAPEST);
    return kind == SLOT_RECOVERY ? keyfile_set_recovery(k->file, k->root, k->code)
                                 : keyfile_set_keyfile(k->file, k->root, FILE_KEY);
}

static void slots_survive_each_failing_allocation(void **state)
{
    AUTO(keys_freep) struct keys *k = keys_new();
    long live = mem_live();
    struct buf text;
    enum err e;

    (void)state;
    for (int kind = SLOT_PASSPHRASE; kind <= SLOT_KEYFILE; kind++) {
        FAIL_EACH_ALLOCATION (e, set_kind(k, (enum slot_kind)kind)) {
            assert_int_equal(e, ERR_NO_MEMORY);
            assert_int_equal(mem_live(), live);
            buf_init(&text, LIMIT_KEYS_FILE_BYTES); /* nothing was changed */
            keyfile_write(&text, k->file);
            assert_string_equal(text.data, k->text.data);
            buf_done(&text);
        }
        FAIL_EACH_ALLOCATION (e, open_kind(k, k->file, (enum slot_kind)kind)) {
            assert_int_equal(e, ERR_NO_MEMORY);
            assert_int_equal(mem_live(), live);
        }
        buf_clear(&k->text);
        keyfile_write(&k->text, k->file);
        live = mem_live();
    }
}

static int start(void **state)
{
    (void)state;
    json_start();
    return random_start() != ERR_OK;
}

static void nothing_opens_a_decoy(void **state)
{
    const struct passphrase_cost cost = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};
    AUTO(keyfile_freep) struct keyfile *a = keyfile_new_decoy(cost);
    AUTO(keyfile_freep) struct keyfile *b = keyfile_new_decoy(cost);
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    struct store_key *root = NULL;
    uint8_t key[KEY_BYTES] = {0};

    (void)state;
    assert_memory_not_equal(keyfile_store_id(a), keyfile_store_id(b), STORE_ID_BYTES);
    assert_true(keyfile_has(a, SLOT_PASSPHRASE) && keyfile_has(a, SLOT_RECOVERY) &&
                keyfile_has(a, SLOT_KEYFILE));
    assert_false(keyfile_is_cheaper(a, cost));
    assert_ok(secret_text_new("quatre chevaux", 14, &passphrase));
    assert_err(keyfile_open_passphrase(a, passphrase, &root), ERR_WRONG_KEY);
    assert_err(keyfile_open_keyfile(a, key, &root), ERR_WRONG_KEY);
    assert_null(root);
    mem_fail_at(1);
    assert_null(keyfile_new_decoy(cost));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_store_has_its_own_id_and_key),
        cmocka_unit_test(nothing_opens_a_decoy),
        cmocka_unit_test(each_kind_of_slot_opens_the_store),
        cmocka_unit_test(saved_keys_load_again),
        cmocka_unit_test(written_keys_read_and_write_the_same),
        cmocka_unit_test(missing_file_is_told_from_a_damaged_one),
        cmocka_unit_test(save_fails_where_there_is_no_folder),
        cmocka_unit_test(wrong_passphrase_opens_nothing),
        cmocka_unit_test(wrong_code_is_told_from_a_mistyped_one),
        cmocka_unit_test(wrong_key_file_opens_nothing),
        cmocka_unit_test(absent_slot_opens_nothing),
        cmocka_unit_test(new_slot_replaces_the_old_one),
        cmocka_unit_test(last_slot_cannot_be_dropped),
        cmocka_unit_test(passphrase_slot_knows_when_it_is_cheap),
        cmocka_unit_test(cost_out_of_bounds_makes_no_slot),
        cmocka_unit_test(changed_cost_breaks_the_slot),
        cmocka_unit_test(slot_moved_to_another_kind_or_store_does_not_open),
        cmocka_unit_test(flipped_bits_never_open_another_key),
        cmocka_unit_test(cut_text_never_reads),
        cmocka_unit_test(text_that_breaks_its_format_is_damage),
        cmocka_unit_test(keyfile_survives_each_failing_allocation),
        cmocka_unit_test(slots_survive_each_failing_allocation),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
