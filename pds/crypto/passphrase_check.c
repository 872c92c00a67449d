/* Which new passphrases are refused: short ones, and those that everybody tries first.
 *
 * A passphrase is cut into the fewest parts: a common word, a sequence (abc, 4321, aaa, azerty), up to
 * four digits, up to three marks, or a single character. Their prices are added; what costs less than
 * PRICE_MIN is common. "Traboule-2026!" is four cheap parts; four random words are twenty letters. */
#include "pds/crypto/passphrase.h"

#include "pds/base/limits.h"
#include "pds/base/str.h"
#include "pds/crypto/passphrase_internal.h"

#include <string.h>

enum { PRICE_PART = 2, PRICE_MARKS = 1, PRICE_MIN = 9 };
enum { DIGITS_PART = 4, MARKS_PART = 3, SEQUENCE_MIN = 3, ROW_MIN = 3, PERIOD_MAX = 7, NUMBER_DIGITS = 16 };

/* A passphrase as code points, folded to lower case without the accents of Latin-1. */
struct folded {
    uint32_t chars[LIMIT_PASSPHRASE_BYTES];
    uint16_t price[LIMIT_PASSPHRASE_BYTES + 1]; /* of the first n characters */
    size_t count;
};

static uint32_t fold(uint32_t c)
{
    /* U+00E0 to U+00FF; '.' where there is nothing to fold to */
    static const char PLAIN[] = "aaaaaa.ceeeeiiii.nooooo.ouuuuy.y";

    if (c >= 'A' && c <= 'Z')
        return c + 32;
    if (c >= 0xc0 && c <= 0xde && c != 0xd7)
        c += 32;
    if (c >= 0xe0 && c <= 0xff && PLAIN[c - 0xe0] != '.')
        return (uint32_t)PLAIN[c - 0xe0];
    return c;
}

/* The text is valid UTF-8 already. */
static void read_folded(struct str text, struct folded *f)
{
    f->count = 0;
    for (size_t i = 0; i < text.len;) {
        uint8_t lead = (uint8_t)text.ptr[i++];
        uint32_t c = lead < 0x80 ? lead : lead < 0xe0 ? lead & 0x1fu : lead < 0xf0 ? lead & 0xfu : lead & 7u;
        while (i < text.len && ((uint8_t)text.ptr[i] & 0xc0) == 0x80)
            c = c << 6 | ((uint8_t)text.ptr[i++] & 0x3fu);
        f->chars[f->count++] = fold(c);
    }
}

static bool is_digit(uint32_t c) { return c >= '0' && c <= '9'; }
static bool is_letter(uint32_t c) { return c >= 'a' && c <= 'z'; }
static bool is_mark(uint32_t c) { return c < 0x80 && !is_digit(c) && !is_letter(c); }

/* Whether a character stands for a letter of a word: itself, or the usual look-alike. */
static bool stands_for(uint32_t c, char letter)
{
    static const char PAIRS[] = "4a@a8b3e6g1i!i1l0o5s$s7t2z";

    if (c == (uint8_t)letter)
        return true;
    for (const char *p = PAIRS; *p; p += 2)
        if (c == (uint8_t)p[0] && letter == p[1])
            return true;
    return false;
}

/* The len characters at from as one part of this price. */
static void offer(struct folded *f, size_t from, size_t len, unsigned price)
{
    unsigned total = f->price[from] + price;

    if (total < f->price[from + len])
        f->price[from + len] = (uint16_t)total;
}

static void offer_words(struct folded *f, size_t from)
{
    for (const char *const *word = PASSPHRASE_COMMON; *word; word++) {
        size_t len = 0;
        while ((*word)[len] && from + len < f->count && stands_for(f->chars[from + len], (*word)[len]))
            len++;
        if (!(*word)[len])
            offer(f, from, len, PRICE_PART);
    }
}

static size_t run_of(const struct folded *f, size_t from, bool (*holds)(uint32_t))
{
    size_t len = 0;

    while (from + len < f->count && holds(f->chars[from + len]))
        len++;
    return len;
}

/* Up to four digits are a part, and so are marks that only decorate. */
static void offer_runs(struct folded *f, size_t from)
{
    size_t digits = run_of(f, from, is_digit);
    size_t marks = run_of(f, from, is_mark);

    for (size_t len = 1; len <= digits && len <= DIGITS_PART; len++)
        offer(f, from, len, PRICE_PART);
    if (marks > 0 && marks <= MARKS_PART && (from == 0 || !is_mark(f->chars[from - 1])))
        offer(f, from, marks, PRICE_MARKS);
}

/* Characters that stay or move by one, always the same way: aaa, abc, 1122, 4321. */
static void offer_sequence(struct folded *f, size_t from)
{
    static const uint32_t STEPS[] = {1, UINT32_MAX}; /* up, down */

    for (size_t way = 0; way < 2; way++)
        for (size_t len = 2; from + len <= f->count; len++) {
            uint32_t moved = f->chars[from + len - 1] - f->chars[from + len - 2];
            if (moved != 0 && moved != STEPS[way])
                break;
            if (len >= SEQUENCE_MIN)
                offer(f, from, len, PRICE_PART);
        }
}

static size_t row_match(const struct folded *f, size_t from, const char *row, size_t at, bool backwards)
{
    size_t row_len = strlen(row);
    size_t len = 0;

    while (from + len < f->count && (backwards ? len <= at : at + len < row_len) &&
           f->chars[from + len] == (uint8_t)row[backwards ? at - len : at + len])
        len++;
    return len;
}

static void offer_rows(struct folded *f, size_t from)
{
    for (const char *const *row = PASSPHRASE_ROWS; *row; row++)
        for (size_t at = 0; (*row)[at]; at++)
            for (int backwards = 0; backwards < 2; backwards++) {
                size_t most = row_match(f, from, *row, at, backwards);
                for (size_t len = ROW_MIN; len <= most; len++)
                    offer(f, from, len, PRICE_PART);
            }
}

static unsigned price_of(struct folded *f)
{
    memset(f->price, 0xff, sizeof f->price);
    f->price[0] = 0;
    for (size_t from = 0; from < f->count; from++) {
        offer(f, from, 1, PRICE_PART);
        offer_words(f, from);
        offer_runs(f, from);
        offer_sequence(f, from);
        offer_rows(f, from);
    }
    return f->price[f->count];
}

/* Whether it only repeats a few characters: "bonbonbonbon", "a1a1a1a1a1a1". */
static bool is_periodic(const struct folded *f)
{
    for (size_t period = 1; period <= PERIOD_MAX && period * 2 <= f->count; period++) {
        size_t i = period;
        while (i < f->count && f->chars[i] == f->chars[i - period])
            i++;
        if (i == f->count)
            return true;
    }
    return false;
}

/* Whether it is a number of some sort: a telephone, a date, a card. */
static bool is_number(const struct folded *f)
{
    size_t digits = 0;

    for (size_t i = 0; i < f->count; i++) {
        if (!is_digit(f->chars[i]) && !is_mark(f->chars[i]))
            return false;
        digits += is_digit(f->chars[i]);
    }
    return digits <= NUMBER_DIGITS && digits * 2 >= f->count;
}

static enum err check(const struct secret_text *passphrase, struct folded *f)
{
    struct str text = {passphrase->text, passphrase->len};

    if (!str_is_utf8(text) || memchr(text.ptr, '\0', text.len))
        return err_set(ERR_INVALID, "the passphrase is not plain text");
    read_folded(text, f);
    if (f->count < LIMIT_PASSPHRASE_MIN)
        return err_set(ERR_INVALID, "the passphrase is shorter than %d characters", LIMIT_PASSPHRASE_MIN);
    if (is_periodic(f))
        return err_set(ERR_INVALID, "the passphrase only repeats a few characters");
    if (is_number(f) || price_of(f) < PRICE_MIN)
        return err_set(ERR_INVALID, "the passphrase is among the commonest, or close to one of them");
    return ERR_OK;
}

enum err passphrase_check_new(const struct secret_text *passphrase)
{
    struct folded *f = secret_alloc(sizeof *f); /* it holds the passphrase */
    enum err e;

    if (!f)
        return err_set(ERR_NO_MEMORY, "checking a passphrase");
    e = check(passphrase, f);
    secret_release(f);
    return e;
}
