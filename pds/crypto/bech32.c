#include "pds/crypto/bech32.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { CHECK_CHARS = 6 };

static const char ALPHABET[32 + 1] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/* One step of the checksum: a BCH code over GF(32), its state six numbers of five bits (BIP 173). */
static uint32_t step(uint32_t state, unsigned value)
{
    static const uint32_t GENERATOR[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    uint32_t top = state >> 25;

    state = (state & 0x1ffffff) << 5 ^ value;
    for (unsigned i = 0; i < 5; i++)
        state ^= (0u - (top >> i & 1u)) & GENERATOR[i];
    return state;
}

static uint32_t begin(const char *prefix)
{
    uint32_t state = 1;

    for (const char *c = prefix; *c; c++)
        state = step(state, (unsigned char)*c >> 5);
    state = step(state, 0);
    for (const char *c = prefix; *c; c++)
        state = step(state, (unsigned char)*c & 31);
    return state;
}

/* The number that stands at a place of the text: five bits, those behind the end being zero. */
static unsigned value_at(const uint8_t *bytes, size_t len, size_t place)
{
    size_t at = place * 5 / 8;
    unsigned window = (unsigned)bytes[at] << 8 | (at + 1 < len ? bytes[at + 1] : 0u);

    return window >> (11 - place * 5 % 8) & 31;
}

void bech32_write(const char *prefix, const uint8_t *bytes, size_t len, char *out, size_t size)
{
    uint32_t state = begin(prefix);
    size_t at = strlen(prefix);

    assert(size >= BECH32_TEXT_BYTES(at, len));
    (void)size;
    memcpy(out, prefix, at);
    out[at++] = '1';
    for (size_t i = 0; i < (len * 8 + 4) / 5; i++) {
        unsigned value = value_at(bytes, len, i);

        state = step(state, value);
        out[at++] = ALPHABET[value];
    }
    for (unsigned i = 0; i < CHECK_CHARS; i++)
        state = step(state, 0);
    state ^= 1;
    for (unsigned i = 0; i < CHECK_CHARS; i++)
        out[at++] = ALPHABET[state >> 5 * (CHECK_CHARS - 1 - i) & 31];
    out[at] = '\0';
}

/* All letters of one case. */
static bool is_one_case(struct str text)
{
    bool lower = false, upper = false;

    for (size_t i = 0; i < text.len; i++) {
        lower |= text.ptr[i] >= 'a' && text.ptr[i] <= 'z';
        upper |= text.ptr[i] >= 'A' && text.ptr[i] <= 'Z';
    }
    return !lower || !upper;
}

/* The number behind a character; 32 when it is none. */
static unsigned value_of(char c)
{
    const char *found;

    if (c >= 'A' && c <= 'Z')
        c = (char)(c - 'A' + 'a');
    found = memchr(ALPHABET, c, sizeof ALPHABET - 1);
    return found ? (unsigned)(found - ALPHABET) : 32;
}

/* The numbers of text as bytes, its checksum left aside. */
static enum err read_values(struct str text, uint32_t state, uint8_t *out)
{
    unsigned window = 0, held = 0;
    size_t at = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned value = value_of(text.ptr[i]);

        if (value == 32)
            return err_set(ERR_INVALID, "character %zu is none of a key", i + 1);
        state = step(state, value);
        if (i + CHECK_CHARS >= text.len)
            continue;
        window = (window << 5 | value) & 0xfff;
        if ((held += 5) >= 8) {
            held -= 8;
            out[at++] = (uint8_t)(window >> held);
        }
    }
    return state == 1 && !(window & ((1u << held) - 1))
               ? ERR_OK
               : err_set(ERR_INVALID, "a character of it is mistyped");
}

enum err bech32_read(struct str text, const char *prefix, uint8_t *out, size_t len)
{
    struct str head = str_of(prefix);

    if (!is_one_case(text) || !str_starts_nocase(text, head) || text.len == head.len ||
        text.ptr[head.len] != '1')
        return err_set(ERR_INVALID, "it does not begin with %s1", prefix);
    text.ptr += head.len + 1;
    text.len -= head.len + 1;
    if (text.len != (len * 8 + 4) / 5 + CHECK_CHARS)
        return err_set(ERR_INVALID, "it has %zu characters behind %s1", text.len, prefix);
    return read_values(text, begin(prefix), out);
}
