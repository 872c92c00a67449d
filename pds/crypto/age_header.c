/* The lines of a header: read strictly, since each byte of them is under the MAC. */
#include "pds/crypto/age_internal.h"

#include "pds/base/codec.h"
#include "pds/base/limits.h"

#include <string.h>

static const struct str MARK = STR_ROW("---");

/* Add a line to text, its line feed included; *start is where it begins. */
static enum err read_line(struct age_input *in, struct buf *text, size_t *start)
{
    enum err e;
    size_t got = 0;
    char c = 0;

    *start = text->len;
    while (c != '\n') {
        if ((e = age_input_read(in, &c, 1, &got)))
            return e;
        if (got == 0)
            return err_set(ERR_INVALID, "the age file is cut in its header");
        buf_char(text, c);
        if ((e = buf_err(text)))
            return e == ERR_TOO_LARGE ? err_set(ERR_INVALID, "the header is too long") : e;
    }
    return ERR_OK;
}

static struct str line_at(const struct buf *text, size_t start)
{
    return (struct str){text->data + start, text->len - start - 1};
}

/* "--- " and 43 characters. The MAC covers the header up to the mark; the rest is taken off. */
static enum err read_mac(struct buf *text, size_t start, uint8_t mac[static SHA256_BYTES])
{
    struct str line = line_at(text, start);
    size_t len = 0;

    if (line.len <= MARK.len || line.ptr[MARK.len] != ' ')
        return err_set(ERR_INVALID, "the header's last line has another shape");
    line.ptr += MARK.len + 1;
    line.len -= MARK.len + 1;
    if (codec_unbase64_bare(line, mac, SHA256_BYTES, &len) || len != SHA256_BYTES)
        return err_set(ERR_INVALID, "the header's last line has another shape");
    text->len = start + MARK.len;
    return ERR_OK;
}

static enum err check_stanzas(struct str rest)
{
    struct age_stanza stanza;
    size_t count = 0;
    enum err e;

    while (!(e = age_header_next(&rest, &stanza)))
        count++;
    if (e != ERR_NOT_FOUND)
        return err_wrap(e, "stanza %zu", count + 1);
    return count ? ERR_OK : err_set(ERR_INVALID, "a header without a stanza");
}

enum err age_header_read(struct age_input *in, struct buf *text, uint8_t mac[static SHA256_BYTES])
{
    size_t start = 0;
    enum err e;

    if ((e = read_line(in, text, &start)))
        return e == ERR_INVALID ? err_set(ERR_UNSUPPORTED, "this is no age v1 file") : e;
    if (!str_eq(line_at(text, start), STR(AGE_FIRST_LINE)))
        return err_set(ERR_UNSUPPORTED, "this is no age v1 file");
    do {
        if ((e = read_line(in, text, &start)))
            return e;
    } while (!str_starts(line_at(text, start), MARK));
    if ((e = read_mac(text, start, mac)))
        return e;
    return check_stanzas((struct str){text->data, text->len});
}

static enum err take_line(struct str *rest, struct str *line)
{
    if (!memchr(rest->ptr, '\n', rest->len) || !str_split(rest, '\n', line))
        return err_set(ERR_INVALID, "a line is missing");
    return ERR_OK;
}

/* A word of characters that can be seen. */
static bool is_argument(struct str word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] < 0x21 || word.ptr[i] > 0x7e)
            return false;
    }
    return word.len > 0;
}

static enum err read_arguments(struct str line, struct age_stanza *out)
{
    struct str word;

    if (!str_starts(line, STR("-> ")))
        return err_set(ERR_INVALID, "it does not begin as one");
    line.ptr += 3;
    line.len -= 3;
    while (str_split(&line, ' ', &word)) {
        if (!is_argument(word))
            return err_set(ERR_INVALID, "an argument is empty, or has a character that is not allowed");
        if (out->argument_count < AGE_ARGUMENTS_MAX)
            out->arguments[out->argument_count] = word;
        out->argument_count++;
    }
    return ERR_OK;
}

/* Lines of 64 characters, then a shorter one, which may be empty. */
static enum err read_body(struct str *rest, struct age_stanza *out)
{
    uint8_t bytes[AGE_LINE_BYTES];
    struct str line = {0};
    enum err e;

    do {
        size_t len = 0, kept = AGE_WRAPPED_BYTES - out->body_len;

        if ((e = take_line(rest, &line)))
            return e;
        if (line.len > AGE_LINE_CHARS || codec_unbase64_bare(line, bytes, sizeof bytes, &len))
            return err_set(ERR_INVALID, "its body is not canonical base64");
        if (out->body_len >= AGE_WRAPPED_BYTES)
            kept = 0;
        memcpy(out->body + (kept ? out->body_len : 0), bytes, kept < len ? kept : len);
        out->body_len += len;
    } while (line.len == AGE_LINE_CHARS);
    return ERR_OK;
}

enum err age_header_next(struct str *rest, struct age_stanza *out)
{
    struct age_stanza stanza = {0};
    struct str line;
    enum err e;

    if (str_starts(*rest, STR(AGE_FIRST_LINE "\n")) && (e = take_line(rest, &line)))
        return e;
    if (str_eq(*rest, MARK))
        return err_set(ERR_NOT_FOUND, "no further stanza");
    if ((e = take_line(rest, &line)) || (e = read_arguments(line, &stanza)) || (e = read_body(rest, &stanza)))
        return e;
    *out = stanza;
    return ERR_OK;
}
