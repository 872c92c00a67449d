#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "tests/harness/fault.h"

#include <string.h>

/* RFC 4648 10, and a few with the letters in which the alphabets differ. */
static const struct {
    struct str bytes;
    const char *hex, *base64, *base64url;
} VECTORS[] = {
    {STR_ROW(""), "", "", ""},
    {STR_ROW("f"), "66", "Zg==", "Zg"},
    {STR_ROW("fo"), "666f", "Zm8=", "Zm8"},
    {STR_ROW("foo"), "666f6f", "Zm9v", "Zm9v"},
    {STR_ROW("foob"), "666f6f62", "Zm9vYg==", "Zm9vYg"},
    {STR_ROW("fooba"), "666f6f6261", "Zm9vYmE=", "Zm9vYmE"},
    {STR_ROW("foobar"), "666f6f626172", "Zm9vYmFy", "Zm9vYmFy"},
    {STR_ROW("\xFB\xFF\xBF"), "fbffbf", "+/+/", "-_-_"},
    {STR_ROW("\x00"), "00", "AA==", "AA"},
    {STR_ROW("\xFF\xFF"), "ffff", "//8=", "__8"},
};

static void bytes_become_the_text_of_the_standard(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(VECTORS); i++) {
        AUTO(buf_done) struct buf b;
        buf_init(&b, 100);
        codec_hex(&b, VECTORS[i].bytes.ptr, VECTORS[i].bytes.len);
        assert_string_equal(b.data, VECTORS[i].hex);
        buf_clear(&b);
        codec_base64(&b, VECTORS[i].bytes.ptr, VECTORS[i].bytes.len);
        assert_string_equal(b.data, VECTORS[i].base64);
        buf_clear(&b);
        codec_base64url(&b, VECTORS[i].bytes.ptr, VECTORS[i].bytes.len);
        assert_string_equal(b.data, VECTORS[i].base64url);
        assert_ok(buf_err(&b));
    }
}

typedef enum err decoder(struct str text, uint8_t *out, size_t max, size_t *len);

static void check_decoder(decoder *decode, const char *text, struct str bytes)
{
    uint8_t out[16];
    size_t len = 99;

    assert_ok(decode(str_of(text), out, bytes.len, &len));
    assert_int_equal(len, bytes.len);
    assert_memory_equal(out, bytes.ptr, len);
    if (bytes.len) {
        memset(out, 'u', sizeof out);
        len = 99;
        assert_err(decode(str_of(text), out, bytes.len - 1, &len), ERR_TOO_LARGE);
        assert_int_equal(len, 99);
        assert_int_equal(out[0], 'u');
    }
}

/* Without padding, with the alphabet of the padded one. */
static void check_bare(struct str bytes)
{
    AUTO(buf_done) struct buf b, padded;

    buf_init(&b, 100);
    buf_init(&padded, 100);
    codec_base64_bare(&b, bytes.ptr, bytes.len);
    codec_base64(&padded, bytes.ptr, bytes.len);
    assert_true(str_starts((struct str){padded.data, padded.len}, (struct str){b.data, b.len}));
    assert_int_equal(b.len, (bytes.len * 8 + 5) / 6);
    check_decoder(codec_unbase64_bare, b.data ? b.data : "", bytes);
}

static void the_text_of_the_standard_becomes_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(VECTORS); i++) {
        check_decoder(codec_unhex, VECTORS[i].hex, VECTORS[i].bytes);
        check_decoder(codec_unbase64, VECTORS[i].base64, VECTORS[i].bytes);
        check_decoder(codec_unbase64url, VECTORS[i].base64url, VECTORS[i].bytes);
        check_bare(VECTORS[i].bytes);
    }
}

static const struct {
    decoder *decode;
    struct str text;
} REFUSED[] = {
    {codec_unhex, STR_ROW("0")},           {codec_unhex, STR_ROW("0g")},
    {codec_unhex, STR_ROW("AB")},          {codec_unhex, STR_ROW("0x00")},
    {codec_unhex, STR_ROW("00 1")},        {codec_unhex, STR_ROW("/0")},
    {codec_unhex, STR_ROW(":0")},          {codec_unhex, STR_ROW("`0")},
    {codec_unbase64, STR_ROW("Zg")},       {codec_unbase64, STR_ROW("Zg=")},
    {codec_unbase64, STR_ROW("Zh==")},     {codec_unbase64, STR_ROW("Zm9=")},
    {codec_unbase64, STR_ROW("Zg===")},    {codec_unbase64, STR_ROW("Z===")},
    {codec_unbase64, STR_ROW("====")},     {codec_unbase64, STR_ROW("=")},
    {codec_unbase64, STR_ROW("Zg==Zg==")}, {codec_unbase64, STR_ROW("Zm9v\n")},
    {codec_unbase64, STR_ROW("Zm-_")},     {codec_unbase64, STR_ROW("Zm 9")},
    {codec_unbase64, STR_ROW("=m9v")},     {codec_unbase64_bare, STR_ROW("Zg==")},
    {codec_unbase64_bare, STR_ROW("Zh")},  {codec_unbase64_bare, STR_ROW("Zm-_")},
    {codec_unbase64url, STR_ROW("Z")},     {codec_unbase64url, STR_ROW("Zm9vY")},
    {codec_unbase64url, STR_ROW("Zg==")},  {codec_unbase64url, STR_ROW("Zh")},
    {codec_unbase64url, STR_ROW("Zm9")},   {codec_unbase64url, STR_ROW("Zm+/")},
    {codec_unbase64url, STR_ROW("Zm9\0")}, {codec_unbase64url, STR_ROW("Zm\xC3\xA9")},
};

static void any_other_text_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        uint8_t out[16] = "u";
        size_t len = 99;
        assert_row(REFUSED[i].text.ptr,
                   REFUSED[i].decode(REFUSED[i].text, out, sizeof out, &len) == ERR_INVALID);
        assert_row(REFUSED[i].text.ptr, len == 99 && out[0] == 'u' && out[1] == 0);
    }
}

/* Every four characters stand for no bytes or for bytes that have no other text. */
static void one_text_stands_for_the_same_bytes(void **state)
{
    static const char LETTERS[] = "AQgwBz5/+=-_";
    AUTO(buf_done) struct buf b;
    uint8_t out[4];
    size_t len = 0;

    (void)state;
    buf_init(&b, 8);
    for (size_t n = 0; n < 12 * 12 * 12 * 12; n++) {
        char text[] = {LETTERS[n % 12], LETTERS[n / 12 % 12], LETTERS[n / 144 % 12], LETTERS[n / 1728], '\0'};
        for (int url = 0; url < 2; url++) {
            if ((url ? codec_unbase64url : codec_unbase64)(str_of(text), out, sizeof out, &len))
                continue;
            buf_clear(&b);
            (url ? codec_base64url : codec_base64)(&b, out, len);
            assert_string_equal(b.data, text);
        }
    }
}

static void random_bytes_survive_the_way_there_and_back(void **state)
{
    uint64_t random = test_seed();
    AUTO(buf_done) struct buf b;
    uint8_t in[64], out[64];
    size_t got;

    (void)state;
    buf_init(&b, 200);
    for (int i = 0; i < 3000; i++) {
        size_t len = (size_t)test_between(&random, 0, 64);
        for (size_t k = 0; k < len; k++)
            in[k] = (uint8_t)test_random(&random);
        buf_clear(&b);
        codec_base64(&b, in, len);
        assert_ok(codec_unbase64((struct str){b.data, b.len}, out, sizeof out, &got));
        assert_true(got == len && memcmp(in, out, len) == 0);
        buf_clear(&b);
        codec_base64url(&b, in, len);
        assert_ok(codec_unbase64url((struct str){b.data, b.len}, out, sizeof out, &got));
        assert_true(got == len && memcmp(in, out, len) == 0);
        buf_clear(&b);
        codec_hex(&b, in, len);
        assert_ok(codec_unhex((struct str){b.data, b.len}, out, sizeof out, &got));
        assert_true(got == len && memcmp(in, out, len) == 0);
    }
}

static const struct {
    struct str text;
    int plus;
    const char *decoded; /* NULL: refused */
} PERCENT[] = {
    {STR_ROW(""), 0, ""},
    {STR_ROW("abc"), 0, "abc"},
    {STR_ROW("a%2Fb%2fc"), 0, "a/b/c"},
    {STR_ROW("a%252Fb"), 0, "a%2Fb"}, /* once */
    {STR_ROW("a+b"), 0, "a+b"},
    {STR_ROW("a+b%2B"), 1, "a b+"},
    {STR_ROW("caf%C3%A9"), 0, "caf\xC3\xA9"},
    {STR_ROW("caf\xC3\xA9"), 0, "caf\xC3\xA9"},
    {STR_ROW("%C2%A0"), 0, "\xC2\xA0"},
    {STR_ROW("%"), 0, NULL},
    {STR_ROW("%2"), 0, NULL},
    {STR_ROW("a%2"), 0, NULL},
    {STR_ROW("%2G"), 0, NULL},
    {STR_ROW("%G2"), 0, NULL},
    {STR_ROW("%%41"), 0, NULL},
    {STR_ROW("%u0041"), 0, NULL},
    {STR_ROW("%00"), 0, NULL},
    {STR_ROW("a\0b"), 0, NULL},
    {STR_ROW("%0D%0A"), 0, NULL},
    {STR_ROW("%1F"), 0, NULL},
    {STR_ROW("%20"), 0, " "},
    {STR_ROW("%7E"), 0, "~"},
    {STR_ROW("%7F"), 0, NULL},
    {STR_ROW("%C2%80"), 0, NULL},
    {STR_ROW("%C2%9F"), 0, NULL},
    {STR_ROW("a\nb"), 1, NULL},
    {STR_ROW("%FF"), 0, NULL},
    {STR_ROW("%C3"), 0, NULL},
    {STR_ROW("%C0%AF"), 0, NULL},
    {STR_ROW("%ED%A0%80"), 0, NULL},
};

static void percent_is_decoded_once_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(PERCENT); i++) {
        AUTO(buf_done) struct buf b;
        enum err e;
        buf_init(&b, 32);
        buf_text(&b, ">");
        e = codec_unpercent(PERCENT[i].text, PERCENT[i].plus, &b);
        assert_row(PERCENT[i].text.ptr, e == (PERCENT[i].decoded ? ERR_OK : ERR_INVALID));
        assert_row(PERCENT[i].text.ptr, strcmp(b.data + 1, e ? "" : PERCENT[i].decoded) == 0);
    }
}

static void decoded_text_stays_under_its_ceiling(void **state)
{
    AUTO(buf_done) struct buf b;

    (void)state;
    buf_init(&b, 3);
    assert_ok(codec_unpercent(STR("abc"), 0, &b));
    assert_err(codec_unpercent(STR("d"), 0, &b), ERR_TOO_LARGE);
    assert_string_equal(b.data, "abc");
}

static void all_but_the_unreserved_is_escaped(void **state)
{
    AUTO(buf_done) struct buf b;

    (void)state;
    buf_init(&b, 100);
    codec_percent(&b, STR("AZaz09-._~ /@[`{\xC3\xA9\xFF\x00"));
    assert_string_equal(b.data, "AZaz09-._~%20%2F%40%5B%60%7B%C3%A9%FF%00");
    assert_ok(buf_err(&b));
}

static enum err encode(struct buf *b, int how)
{
    buf_done(b);
    if (how == 0)
        codec_hex(b, "abc", 3);
    else if (how == 1)
        codec_base64(b, "abc", 3);
    else if (how == 2)
        codec_percent(b, STR("a b"));
    else
        return codec_unpercent(STR("a%20b"), 0, b);
    return buf_err(b);
}

static void each_failing_allocation_is_told(void **state)
{
    struct buf b;
    enum err e;

    (void)state;
    buf_init(&b, 100);
    for (int how = 0; how < 4; how++)
        FAIL_EACH_ALLOCATION (e, encode(&b, how)) {
            assert_int_equal(e, ERR_NO_MEMORY);
            assert_int_equal(b.len, 0);
        }
    buf_done(&b);
}

static void lengths_past_the_address_space_are_too_large(void **state)
{
    AUTO(buf_done) struct buf b;

    (void)state;
    buf_init(&b, 100);
    codec_hex(&b, "", SIZE_MAX / 2 + 2);
    assert_err(buf_err(&b), ERR_TOO_LARGE);
    buf_clear(&b);
    codec_base64(&b, "", SIZE_MAX);
    assert_err(buf_err(&b), ERR_TOO_LARGE);
    buf_clear(&b);
    codec_base64url(&b, "", SIZE_MAX / 4 * 3);
    assert_err(buf_err(&b), ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_become_the_text_of_the_standard),
        cmocka_unit_test(the_text_of_the_standard_becomes_bytes),
        cmocka_unit_test(any_other_text_is_refused),
        cmocka_unit_test(one_text_stands_for_the_same_bytes),
        cmocka_unit_test(random_bytes_survive_the_way_there_and_back),
        cmocka_unit_test(percent_is_decoded_once_or_refused),
        cmocka_unit_test(decoded_text_stays_under_its_ceiling),
        cmocka_unit_test(all_but_the_unreserved_is_escaped),
        cmocka_unit_test(each_failing_allocation_is_told),
        cmocka_unit_test(lengths_past_the_address_space_are_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
