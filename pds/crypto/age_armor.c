/* The bytes of a file, and its armor taken off: strict PEM, so that one file has one form. */
#include "pds/crypto/age_internal.h"

#include "pds/base/codec.h"

#include <string.h>

enum { SPACES_MAX = 1024, ARMOR_LINE_MAX = 80 };

static const struct str BEGIN = STR_ROW("-----BEGIN AGE ENCRYPTED FILE-----");
static const struct str END = STR_ROW("-----END AGE ENCRYPTED FILE-----");

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static enum err fill_raw(struct age_input *in)
{
    in->at = 0;
    in->len = 0;
    return in->get(in->context, in->raw, sizeof in->raw, &in->len);
}

/* The next byte of the file itself; *ended when there is none. */
static enum err raw_byte(struct age_input *in, uint8_t *c, bool *ended)
{
    enum err e;

    if (in->at == in->len && (e = fill_raw(in)))
        return e;
    *ended = in->len == 0;
    *c = *ended ? 0 : in->raw[in->at++];
    return ERR_OK;
}

/* A line without its end, LF or CRLF. At the end of the file an empty one is told as ended. */
static enum err armor_line(struct age_input *in, char line[static ARMOR_LINE_MAX], size_t *len, bool *ended)
{
    uint8_t c = 0;
    enum err e;

    in->lines++;
    for (*len = 0; !(e = raw_byte(in, &c, ended)) && !*ended && c != '\n';) {
        if (*len == ARMOR_LINE_MAX)
            return err_set(ERR_INVALID, "line %llu of the armor is too long", (unsigned long long)in->lines);
        line[(*len)++] = (char)c;
    }
    if (!e && !*ended && *len > 0 && line[*len - 1] == '\r')
        (*len)--;
    return e;
}

/* Nothing but space may follow the armor. */
static enum err armor_tail(struct age_input *in)
{
    bool ended = false;
    uint8_t c = 0;
    enum err e;

    for (size_t spaces = 0; !(e = raw_byte(in, &c, &ended)) && !ended; spaces++) {
        if (!is_space(c) || spaces == SPACES_MAX)
            return err_set(ERR_INVALID, "something follows the armor");
    }
    in->over = true;
    return e;
}

static enum err armor_begin(struct age_input *in)
{
    char line[ARMOR_LINE_MAX];
    bool ended = false;
    uint8_t c = ' ';
    size_t len = 0;
    enum err e;

    for (size_t spaces = 0; is_space(c) && !ended; spaces++) {
        if ((e = raw_byte(in, &c, &ended)))
            return e;
        if (spaces == SPACES_MAX)
            break;
    }
    if (!ended)
        in->at--; /* the byte that was looked at */
    if ((e = armor_line(in, line, &len, &ended)))
        return e;
    if (ended || !str_eq((struct str){line, len}, BEGIN))
        return err_set(ERR_UNSUPPORTED, "this is no age v1 file, nor the armor of one");
    return ERR_OK;
}

/* The bytes of the next line. */
static enum err armor_next(struct age_input *in)
{
    char line[ARMOR_LINE_MAX];
    bool ended = false;
    size_t len = 0;
    enum err e;

    in->text_at = in->text_len = 0;
    if ((e = armor_line(in, line, &len, &ended)))
        return e;
    if (str_eq((struct str){line, len}, END))
        return armor_tail(in);
    if (ended || len == 0 || len > AGE_LINE_CHARS || in->last_line ||
        codec_unbase64((struct str){line, len}, in->text, sizeof in->text, &in->text_len))
        return err_set(ERR_INVALID, "line %llu of the armor is not as it must be",
                       (unsigned long long)in->lines);
    in->last_line = in->text_len < AGE_LINE_BYTES;
    return ERR_OK;
}

enum err age_input_begin(struct age_input *in, age_get *get, void *context)
{
    enum err e;

    in->get = get;
    in->context = context;
    if ((e = fill_raw(in)))
        return e;
    if (in->len == 0)
        return err_set(ERR_UNSUPPORTED, "an empty file");
    if (in->raw[0] != '-' && !is_space(in->raw[0]))
        return ERR_OK; /* the header will tell */
    in->armored = true;
    return armor_begin(in);
}

static enum err read_armored(struct age_input *in, uint8_t *out, size_t size, size_t *got)
{
    enum err e;

    while (*got < size && !(in->over && in->text_at == in->text_len)) {
        size_t part = in->text_len - in->text_at;

        if (part == 0) {
            if ((e = armor_next(in)))
                return e;
            continue;
        }
        if (part > size - *got)
            part = size - *got;
        memcpy(out + *got, in->text + in->text_at, part);
        in->text_at += part;
        *got += part;
    }
    return ERR_OK;
}

static enum err read_plain(struct age_input *in, uint8_t *out, size_t size, size_t *got)
{
    size_t part = in->len - in->at;
    enum err e;

    if (part > size)
        part = size;
    memcpy(out, in->raw + in->at, part);
    in->at += part;
    for (*got = part; *got < size; *got += part) {
        part = 0;
        if (size - *got < sizeof in->raw) { /* the little that a header takes comes from a larger piece */
            if ((e = fill_raw(in)))
                return e;
            part = in->len < size - *got ? in->len : size - *got;
            memcpy(out + *got, in->raw, part);
            in->at = part;
        } else if ((e = in->get(in->context, out + *got, size - *got, &part))) {
            return e;
        }
        if (part == 0)
            return ERR_OK; /* the end */
    }
    return ERR_OK;
}

enum err age_input_read(struct age_input *in, void *out, size_t size, size_t *got)
{
    *got = 0;
    return in->armored ? read_armored(in, out, size, got) : read_plain(in, out, size, got);
}
