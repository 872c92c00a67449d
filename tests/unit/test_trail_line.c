#include "tests/harness/test.h"

#include "pds/audit/trail_line.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/codec.h"

#include <string.h>

static const struct trail_line LINE = {0, STR_ROW("imported"), STR_ROW("owner"), STR_ROW("x"), {NULL, 0}};
static char longer[EVENT_WHAT_BYTES + 1];

static void content_is_the_canonical_json_of_five_members(void **state)
{
    AUTO(buf_done) struct buf out;
    struct trail_line line = LINE;

    (void)state;
    buf_init(&out, 4096);
    assert_ok(trail_line_content(&line, &out));
    assert_string_equal(out.data, "{\"consent\":null,\"kind\":\"imported\",\"time\":\"1970-01-01T00:00:00Z\","
                                  "\"what\":\"x\",\"who\":\"owner\"}");
    buf_clear(&out);
    line.consent = STR("");
    line.what = STR("\"\\\n\x01");
    line.at = CLOCK_TEXT_MAX;
    assert_ok(trail_line_content(&line, &out));
    assert_string_equal(out.data, "{\"consent\":\"\",\"kind\":\"imported\",\"time\":\"9999-12-31T23:59:59Z\","
                                  "\"what\":\"\\\"\\\\\\n\\u0001\",\"who\":\"owner\"}");
}

/* printf '\0' followed by the HMAC of openssl(1), hashed by sha256sum(1). */
static void a_leaf_is_what_public_tools_compute(void **state)
{
    uint8_t salt[TRAIL_SALT_BYTES];
    struct tlog_hash leaf, other, wanted;
    struct trail_line line = LINE;
    size_t len;

    (void)state;
    for (int i = 0; i < TRAIL_SALT_BYTES; i++)
        salt[i] = (uint8_t)i;
    assert_ok(codec_unhex(STR("a8e00973278ba3a1959ab7eb7fd4248c42073930ee849f9e51eb37b8c84c0387"),
                          wanted.bytes, sizeof wanted.bytes, &len));
    assert_ok(trail_line_leaf(&line, salt, &leaf));
    assert_memory_equal(leaf.bytes, wanted.bytes, 32);
    salt[31] ^= 1;
    assert_ok(trail_line_leaf(&line, salt, &other));
    assert_memory_not_equal(leaf.bytes, other.bytes, 32);
}

static void texts_that_no_line_has_are_refused(void **state)
{
    const struct str bad = STR("\xff"), much = {longer, sizeof longer};
    const struct {
        const char *name;
        struct trail_line line;
        enum err wanted;
    } rows[] = {
        {"kind", {0, bad, STR("a"), STR("b"), STR("c")}, ERR_INVALID},
        {"who", {0, STR("a"), bad, STR("b"), STR("c")}, ERR_INVALID},
        {"what", {0, STR("a"), STR("b"), bad, STR("c")}, ERR_INVALID},
        {"consent", {0, STR("a"), STR("b"), STR("c"), bad}, ERR_INVALID},
        {"long kind", {0, much, STR("a"), STR("b"), STR("c")}, ERR_TOO_LARGE},
        {"long who", {0, STR("a"), much, STR("b"), STR("c")}, ERR_TOO_LARGE},
        {"long what", {0, STR("a"), STR("b"), much, STR("c")}, ERR_TOO_LARGE},
        {"long consent", {0, STR("a"), STR("b"), STR("c"), much}, ERR_TOO_LARGE},
        {"before time", {CLOCK_TEXT_MIN - 1, STR("a"), STR("b"), STR("c"), STR("d")}, ERR_INVALID},
        {"after it", {CLOCK_TEXT_MAX + 1, STR("a"), STR("b"), STR("c"), STR("d")}, ERR_INVALID},
    };
    uint8_t salt[TRAIL_SALT_BYTES] = {0};
    struct tlog_hash leaf;

    (void)state;
    memset(longer, 'a', sizeof longer);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_row(rows[i].name, trail_line_leaf(&rows[i].line, salt, &leaf) == rows[i].wanted);
}

static void content_has_room_or_says_so(void **state)
{
    struct trail_line line = LINE;

    (void)state;
    for (size_t room = 1; room < 90; room++) {
        char memory[90];
        struct buf out;

        buf_over(&out, memory, room);
        assert_err(trail_line_content(&line, &out), ERR_TOO_LARGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_is_the_canonical_json_of_five_members),
        cmocka_unit_test(a_leaf_is_what_public_tools_compute),
        cmocka_unit_test(texts_that_no_line_has_are_refused),
        cmocka_unit_test(content_has_room_or_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
