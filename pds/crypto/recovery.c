#include "pds/crypto/recovery.h"

#include "pds/base/auto.h"
#include "pds/crypto/random.h"

#include <string.h>

/* 26 characters carry the bits, 4 are the checksum: a Reed-Solomon code over GF(32), shortened to 30
 * symbols. Two codes differ in 5 places at least, so any 4 wrong characters show, and any swap. */
enum { DATA_CHARS = 26, CHECK_CHARS = 4, CODE_CHARS = DATA_CHARS + CHECK_CHARS, GROUP_CHARS = 5, FIELD = 32 };

static const char ALPHABET[FIELD + 1] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* (x - a)(x - a^2)(x - a^3)(x - a^4) over GF(32) of x^5 + x^2 + 1, a = 2; highest power first, without x^4.
 */
static const uint8_t GENERATOR[CHECK_CHARS] = {30, 6, 9, 17};

/* The division starts from here, so that a code of zeros alone is not a good one. */
static const uint8_t START[CHECK_CHARS] = {20, 18, 1, 2};

static uint8_t field_times(unsigned a, unsigned b)
{
    unsigned product = 0;

    for (unsigned bit = 0; bit < 5; bit++)
        product ^= (0u - ((b >> bit) & 1u)) & (a << bit);
    for (unsigned bit = 8; bit >= 5; bit--)
        product ^= (0u - ((product >> bit) & 1u)) & (0x25u << (bit - 5));
    return (uint8_t)product;
}

static void checksum(const uint8_t data[static DATA_CHARS], uint8_t check[static CHECK_CHARS])
{
    memcpy(check, START, CHECK_CHARS);
    for (size_t i = 0; i < DATA_CHARS; i++) {
        uint8_t out = check[0] ^ data[i];
        for (size_t j = 0; j < CHECK_CHARS; j++)
            check[j] = (j + 1 < CHECK_CHARS ? check[j + 1] : 0) ^ field_times(out, GENERATOR[j]);
    }
}

/* 16 bytes as 26 numbers below 32: 128 bits, highest first, then two zero bits. */
static void split(const uint8_t bits[static RECOVERY_BYTES], uint8_t data[static DATA_CHARS])
{
    for (size_t i = 0; i < DATA_CHARS; i++) {
        size_t at = i * 5 / 8;
        unsigned window = (unsigned)bits[at] << 8 | (at + 1 < RECOVERY_BYTES ? bits[at + 1] : 0u);
        data[i] = window >> (11 - i * 5 % 8) & 0x1fu;
    }
}

static void join(const uint8_t data[static DATA_CHARS], uint8_t bits[static RECOVERY_BYTES])
{
    unsigned window = 0;
    unsigned held = 0;
    size_t at = 0;

    for (size_t i = 0; i < DATA_CHARS; i++) {
        window = (window << 5 | data[i]) & 0xfff;
        held += 5;
        if (held >= 8) {
            held -= 8;
            bits[at++] = (uint8_t)(window >> held);
        }
    }
}

enum err recovery_make(struct secret_text **code)
{
    AUTO(secret_text_freep) struct secret_text *s = NULL;
    uint8_t bits[RECOVERY_BYTES];
    uint8_t symbols[CODE_CHARS];
    char text[RECOVERY_TEXT_BYTES];
    size_t at = 0;
    enum err e;

    random_bytes(bits, sizeof bits);
    split(bits, symbols);
    checksum(symbols, symbols + DATA_CHARS);
    for (size_t i = 0; i < CODE_CHARS; i++) {
        if (i > 0 && i % GROUP_CHARS == 0)
            text[at++] = '-';
        text[at++] = ALPHABET[symbols[i]];
    }
    e = secret_text_new(text, at, &s);
    random_wipe(bits, sizeof bits);
    random_wipe(symbols, sizeof symbols);
    random_wipe(text, sizeof text);
    if (e)
        return err_wrap(e, "a recovery code");
    *code = s;
    s = NULL;
    return ERR_OK;
}

/* The number that a character stands for; FIELD when it is none. */
static uint8_t symbol_of(char c)
{
    const char *found;

    if (c >= 'a' && c <= 'z')
        c = (char)(c - 'a' + 'A');
    if (c == 'O')
        c = '0';
    if (c == 'I' || c == 'L')
        c = '1';
    found = memchr(ALPHABET, c, FIELD);
    return found ? (uint8_t)(found - ALPHABET) : FIELD;
}

static enum err read_symbols(struct str text, uint8_t symbols[static CODE_CHARS])
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t symbol;
        if (strchr(" -\t\r\n", text.ptr[i]) && text.ptr[i])
            continue;
        if ((symbol = symbol_of(text.ptr[i])) == FIELD)
            return err_set(ERR_INVALID, "recovery code: character %zu is none of its letters or digits",
                           i + 1);
        if (count < CODE_CHARS)
            symbols[count] = symbol;
        count++;
    }
    if (count != CODE_CHARS)
        return err_set(ERR_INVALID, "recovery code: %zu characters instead of %d", count, CODE_CHARS);
    return ERR_OK;
}

enum err recovery_read(const struct secret_text *code, uint8_t bits[static RECOVERY_BYTES])
{
    uint8_t symbols[CODE_CHARS] = {0};
    uint8_t check[CHECK_CHARS];
    enum err e;

    if (!(e = read_symbols((struct str){code->text, code->len}, symbols))) {
        checksum(symbols, check);
        if (!random_equal(check, symbols + DATA_CHARS, CHECK_CHARS) || symbols[DATA_CHARS - 1] & 3)
            e = err_set(ERR_INVALID, "recovery code: a character is mistyped");
        else
            join(symbols, bits);
    }
    random_wipe(symbols, sizeof symbols);
    return e;
}
