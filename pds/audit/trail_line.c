#include "pds/audit/trail_line.h"

#include "pds/base/canon.h"
#include "pds/base/clock.h"
#include "pds/crypto/sha256.h"

/* The keys in their order. */
enum err trail_line_content(const struct trail_line *line, struct buf *out)
{
    char time[CLOCK_TEXT_BYTES];
    enum err e = ERR_OK;

    if (line->what.len > EVENT_WHAT_BYTES || line->who.len > EVENT_WHO_BYTES ||
        line->kind.len > EVENT_WHO_BYTES || line->consent.len > EVENT_WHO_BYTES)
        return err_set(ERR_TOO_LARGE, "a text of a line of the trail");
    if (line->at < CLOCK_TEXT_MIN || line->at > CLOCK_TEXT_MAX)
        return err_set(ERR_INVALID, "the time of a line of the trail");
    clock_text(line->at, time);
    buf_text(out, "{\"consent\":");
    if (!line->consent.ptr)
        buf_text(out, "null");
    else if ((e = canon_text(out, line->consent)))
        return e;
    buf_text(out, ",\"kind\":");
    if ((e = canon_text(out, line->kind)))
        return e;
    buf_printf(out, ",\"time\":\"%s\",\"what\":", time);
    if ((e = canon_text(out, line->what)))
        return e;
    buf_text(out, ",\"who\":");
    if ((e = canon_text(out, line->who)))
        return e;
    buf_char(out, '}');
    return buf_err(out);
}

enum err trail_line_leaf(const struct trail_line *line, const uint8_t salt[static TRAIL_SALT_BYTES],
                         struct tlog_hash *out)
{
    char memory[TRAIL_CONTENT_BYTES + 1];
    uint8_t data[SHA256_BYTES];
    struct buf content;
    enum err e;

    buf_over(&content, memory, sizeof memory);
    if ((e = trail_line_content(line, &content)))
        return err_wrap(e, "content of a line of the trail");
    sha256_hmac(salt, TRAIL_SALT_BYTES, content.data, content.len, data);
    tlog_leaf(data, sizeof data, out);
    return ERR_OK;
}
