#include "tests/harness/test.h"
#include "tests/harness/fault.h"
#include "tests/harness/tempdir.h"

#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/crypto/passphrase.h"
#include "pds/crypto/passphrase_internal.h"
#include "pds/crypto/random.h"

#include <string.h>
#include <sys/resource.h>

static const struct passphrase_cost CHEAPEST = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};

static struct secret_text *text_of(const char *text)
{
    struct secret_text *out = NULL;

    assert_ok(secret_text_new(text, strlen(text), &out));
    return out;
}

static void salt_of(uint8_t salt[static PASSPHRASE_SALT_BYTES])
{
    for (unsigned i = 0; i < PASSPHRASE_SALT_BYTES; i++)
        salt[i] = (uint8_t)i;
}

/* The figure is that of the reference library: argon2id_hash_raw(3, 65536, 1, …), libargon2 20171227. */
static void passphrase_derives_by_argon2id(void **state)
{
    AUTO(secret_text_freep) struct secret_text *text = text_of("correct horse battery staple");
    uint8_t salt[PASSPHRASE_SALT_BYTES], key[KEY_BYTES], wanted[KEY_BYTES];
    size_t got = 0;

    (void)state;
    salt_of(salt);
    assert_ok(codec_unhex(STR("0d1a3c6523c8f06e4e0af9c515aa5b5448cfebd6838f2d52c3d8b6ef8ddc3c2e"), wanted,
                          sizeof wanted, &got));
    assert_ok(passphrase_derive(text, salt, CHEAPEST, key));
    assert_memory_equal(key, wanted, KEY_BYTES);
}

static void passphrase_refuses_a_cost_out_of_bounds(void **state)
{
    static const struct passphrase_cost ROWS[] = {
        {0, 0},
        {PASSPHRASE_PASSES_MIN - 1, PASSPHRASE_MEMORY_KIB_MIN},
        {PASSPHRASE_PASSES_MAX + 1, PASSPHRASE_MEMORY_KIB_MIN},
        {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN - 1},
        {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MAX + 1},
        {UINT32_MAX, UINT32_MAX},
    };
    AUTO(secret_text_freep) struct secret_text *text = text_of("correct horse battery staple");
    uint8_t salt[PASSPHRASE_SALT_BYTES] = {0}, key[KEY_BYTES];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        assert_false(passphrase_cost_is_valid(ROWS[i]));
        assert_err(passphrase_derive(text, salt, ROWS[i], key), ERR_INVALID);
    }
    assert_true(passphrase_cost_is_valid(CHEAPEST));
    assert_true(
        passphrase_cost_is_valid((struct passphrase_cost){PASSPHRASE_PASSES_MAX, PASSPHRASE_MEMORY_KIB_MAX}));
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 }; /* a sanitizer's allocator ends the program instead of giving NULL */
#elif defined(__has_feature)
enum { SANITIZED = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) };
#else
enum { SANITIZED = 0 };
#endif

static void passphrase_says_when_memory_is_short(void **state)
{
    AUTO(secret_text_freep) struct secret_text *text = NULL;
    struct passphrase_cost dear = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MAX};
    uint8_t salt[PASSPHRASE_SALT_BYTES] = {0}, key[KEY_BYTES];
    struct rlimit before, short_of;
    enum err e;

    (void)state;
    if (SANITIZED)
        skip();
    text = text_of("correct horse battery staple");
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    short_of = before;
    short_of.rlim_cur = 64 * 1024 * 1024;
    assert_int_equal(setrlimit(RLIMIT_AS, &short_of), 0);
    e = passphrase_derive(text, salt, dear, key);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_err(e, ERR_NO_MEMORY);
}

static void passphrase_cost_follows_memory(void **state)
{
    static const struct {
        const char *name;
        uint64_t memory_mib;
        uint32_t memory_kib;
    } ROWS[] = {
        {"nothing known", 0, 64 * 1024},
        {"1 GiB", 1024, 64 * 1024},
        {"2 GiB", 2048, 64 * 1024},
        {"4 GiB", 4096, 128 * 1024},
        {"8 GiB", 8192, 256 * 1024},
        {"1 TiB", UINT64_C(1) << 20, 256 * 1024},
        {"16 TiB", UINT64_C(1) << 24, 256 * 1024},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct passphrase_cost c = passphrase_cost_for(ROWS[i].memory_mib * 1024 * 1024);
        assert_row(ROWS[i].name, c.passes == 3 && c.memory_kib == ROWS[i].memory_kib);
    }
}

static void passphrase_cost_here_is_valid(void **state)
{
    struct passphrase_cost c = passphrase_cost_here();

    (void)state;
    assert_true(passphrase_cost_is_valid(c));
    assert_true(c.memory_kib <= 256 * 1024);
}

/* The folder stands for /sys/fs/cgroup. */
static void passphrase_cost_minds_the_control_group(void **state)
{
    static const struct {
        const char *name, *membership, *memory_max;
        uint64_t allowed;
    } ROWS[] = {
        {"a ceiling", "0::/unit\n", "536870912\n", UINT64_C(536870912)},
        {"no ceiling", "0::/unit\n", "max\n", UINT64_MAX},
        {"beside version 1", "4:memory:/x\n0::/unit\n", "1073741824\n", UINT64_C(1073741824)},
        {"version 1 only", "4:memory:/unit\n", "1073741824\n", UINT64_MAX},
        {"another folder", "0::/other\n", "1073741824\n", UINT64_MAX},
        {"nothing", "", "1073741824\n", UINT64_MAX},
        {"zero", "0::/unit", "0\n", UINT64_MAX},
        {"an empty file", "0::/unit", "", UINT64_MAX},
    };
    AUTO(tempdir_freep) struct tempdir *dir = tempdir_new();
    const char *membership = tempdir_path(dir, "membership");

    (void)state;
    assert_ok(fs_make_private_dir(tempdir_path(dir, "unit")));
    assert_int_equal(passphrase_memory_allowed(membership, tempdir_root(dir)), UINT64_MAX);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        const char *memory_max = tempdir_path(dir, "unit/memory.max");
        assert_ok(fs_replace(membership, ROWS[i].membership, strlen(ROWS[i].membership)));
        assert_ok(fs_replace(memory_max, ROWS[i].memory_max, strlen(ROWS[i].memory_max)));
        assert_row(ROWS[i].name, passphrase_memory_allowed(membership, tempdir_root(dir)) == ROWS[i].allowed);
    }
}

enum verdict { GOOD, SHORT, COMMON, REPEATED, NOT_TEXT };
static const char *const REASONS[] = {"", "shorter", "commonest", "repeats", "plain text"};

static const struct {
    const char *text;
    enum verdict verdict;
} NEW[] = {
    {"", SHORT},
    {"short", SHORT},
    {"Tr0ub4dor&3", SHORT},
    {"éééééàààààù", SHORT}, /* 11 characters, 22 bytes */
    {"correct horse battery staple", GOOD},
    {"un beau jour de pluie", GOOD},
    {"mon vélo est bleu", GOOD},
    {"nicolas tortue plage velo", GOOD}, /* four words, however common */
    {"xkqzjvwpmtbd", GOOD},
    {"48302947561029485", GOOD},
    {"Ωμέγα και άλφα", GOOD},
    {"日本語の長い合言葉です、はい", GOOD},
    {"🚲🌞 🚋🌧 🚶🏔 🐢🍵🍇", GOOD},
    {"ÀÉÎÖÙ×÷ßÞþðÿ", GOOD},
    {"aaaaaaaaaaaa", REPEATED},
    {"121212121212", REPEATED},
    {"loulouloulou", REPEATED},
    {"éèéàéèéàéèéà", REPEATED},
    {"abcabcabcabcab", REPEATED},
    {"123456789012", COMMON},
    {"0987654321098", COMMON},
    {"111222333444", COMMON},
    {"abcdefghijkl", COMMON},
    {"zyxwvutsrqponm", COMMON},
    {"azertyuiop123", COMMON},
    {"AZERTYUIOPQSD", COMMON},
    {"poiuytreza2024", COMMON},
    {"qwertyuiop[]", COMMON},
    {"1qaz2wsx3edc", COMMON},
    {"1a2z3e4r5t6y", COMMON},
    {"password1234", COMMON},
    {"P@ssw0rd1234!", COMMON},
    {"Motdepasse2024", COMMON},
    {"MotDePasse-2024", COMMON},
    {"azertyazerty1", COMMON},
    {"iloveyou!!!!!", COMMON},
    {"jetaimemonamour", COMMON},
    {"Traboule-2026!", COMMON},
    {"traboule-lyon-69", COMMON},
    {"traboule.traboule", COMMON},
    {"Éléphant 12/1975", COMMON},
    {"jeanpierre1975", COMMON},
    {"soleil 1 soleil", COMMON},
    {"19750312-1430", COMMON},
    {"06 12 34 56 78", COMMON},
    {"4970 1012 3456 7893", COMMON},
    {"4970 1012 3456 7893 8", GOOD},
    {"!?(;§&;/)=+-(~;!", GOOD},
    {"!?(;7&;/)=+-(~;!:5%%{|]<>", GOOD},
    {"8302947561029", COMMON}, /* 13 digits */
    {"passw\xc3\xb6rd123456", COMMON},
    {"latin one \xe9\xe8\xe0", NOT_TEXT},
    {"surrogate \xed\xa0\x80 here", NOT_TEXT},
};

static void passphrase_check_sorts_good_from_common(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(NEW); i++) {
        AUTO(secret_text_freep) struct secret_text *text = text_of(NEW[i].text);
        enum err e = passphrase_check_new(text);

        assert_row(NEW[i].text, e == (NEW[i].verdict == GOOD ? ERR_OK : ERR_INVALID));
        if (e)
            assert_row(NEW[i].text, strstr(err_story(), REASONS[NEW[i].verdict]) != NULL);
    }
}

static void passphrase_check_tells_nothing_of_the_passphrase(void **state)
{
    AUTO(secret_text_freep) struct secret_text *text = text_of("Motdepasse2024");

    (void)state;
    assert_err(passphrase_check_new(text), ERR_INVALID);
    assert_null(strstr(err_story(), "Motdepasse"));
}

static void passphrase_check_takes_the_longest(void **state)
{
    static char bytes[LIMIT_PASSPHRASE_BYTES];
    AUTO(secret_text_freep) struct secret_text *text = NULL;
    AUTO(secret_text_freep) struct secret_text *repeated = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)('a' + i * i % 23);
    assert_ok(secret_text_new(bytes, sizeof bytes, &text));
    assert_ok(passphrase_check_new(text));
    memset(bytes, 'z', sizeof bytes);
    assert_ok(secret_text_new(bytes, sizeof bytes, &repeated));
    assert_err(passphrase_check_new(repeated), ERR_INVALID);
}

static void passphrase_check_refuses_a_nul(void **state)
{
    AUTO(secret_text_freep) struct secret_text *text = NULL;

    (void)state;
    assert_ok(secret_text_new("correct horse\0battery staple", 28, &text));
    assert_err(passphrase_check_new(text), ERR_INVALID);
}

static void passphrase_check_survives_each_failing_allocation(void **state)
{
    AUTO(secret_text_freep) struct secret_text *text = text_of("correct horse battery staple");
    long live = mem_live();
    enum err e;

    (void)state;
    FAIL_EACH_ALLOCATION (e, passphrase_check_new(text)) {
        assert_int_equal(e, ERR_NO_MEMORY);
        assert_int_equal(mem_live(), live);
    }
    assert_int_equal(mem_live(), live);
}

static int start(void **state)
{
    (void)state;
    return random_start() != ERR_OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passphrase_derives_by_argon2id),
        cmocka_unit_test(passphrase_refuses_a_cost_out_of_bounds),
        cmocka_unit_test(passphrase_says_when_memory_is_short),
        cmocka_unit_test(passphrase_cost_follows_memory),
        cmocka_unit_test(passphrase_cost_here_is_valid),
        cmocka_unit_test(passphrase_cost_minds_the_control_group),
        cmocka_unit_test(passphrase_check_sorts_good_from_common),
        cmocka_unit_test(passphrase_check_tells_nothing_of_the_passphrase),
        cmocka_unit_test(passphrase_check_takes_the_longest),
        cmocka_unit_test(passphrase_check_refuses_a_nul),
        cmocka_unit_test(passphrase_check_survives_each_failing_allocation),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
