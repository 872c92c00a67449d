/* The words of documents. */
#include "pds/store/document_internal.h"

#include "pds/base/auto.h"
#include "pds/store/blob_internal.h"
#include "pds/store/media.h"
#include "pds/vault/db.h"

#include <string.h>

#define WORDS_OF_ROW                                                                                         \
    "d.title, d.reference, d.issuer, coalesce((SELECT group_concat(tag, char(10)) FROM document_tag WHERE "  \
    "document_number = d.number), ''), d.note, (SELECT file FROM document_version WHERE document_number = "  \
    "d.number ORDER BY version DESC LIMIT 1)"

static const char SQL_ADD[] =
    "INSERT INTO document_text (rowid, title, reference, issuer, tags, note, file, body) "
    "SELECT d.number, " WORDS_OF_ROW ", ?2 FROM document d WHERE d.number = ?1";
static const char SQL_RENEW[] =
    "UPDATE document_text SET (title, reference, issuer, tags, note, file) = "
    "(SELECT " WORDS_OF_ROW " FROM document d WHERE d.number = ?1) WHERE rowid = ?1";
static const char SQL_DROP[] = "DELETE FROM document_text WHERE rowid = ?1";
/* FTS5 notes that a row went and leaves its words where they are until segments are merged. */
static const char SQL_MERGE_ALL[] = "INSERT INTO document_text (document_text) VALUES ('optimize')";

static enum err purge(struct db *db) { return db_run(db, SQL_MERGE_ALL, NO_PARAMS); }

/* Text up to where it is none any more, and no character in part. */
static void cut_text(struct buf *b, size_t from, bool whole)
{
    struct str rest = {b->data + from, b->len - from};
    size_t n;

    while (rest.len > 0 && (n = str_utf8_len(rest)) > 0) {
        rest.ptr += n;
        rest.len -= n;
    }
    if (rest.len > 0 && (whole || rest.len >= 4)) /* not UTF-8: its words would be guesses */
        b->len = from;
    else
        b->len -= rest.len;
}

enum err document_text_read(const struct blob_writer *blob, struct str type, struct buf *out)
{
    AUTO(blob_reader_freep) struct blob_reader *r = NULL;
    size_t from = out->len, want = DOCUMENT_BODY_BYTES, got;
    char *room;
    enum err e;

    if (!media_is_text(type) || blob_written(blob) == 0)
        return ERR_OK;
    if (blob_written(blob) < want)
        want = (size_t)blob_written(blob);
    if ((e = blob_reader_of(blob, &r)))
        return e;
    if (!(room = buf_reserve(out, want)))
        return buf_err(out);
    if ((e = blob_read(r, 0, room, want, &got)))
        return e;
    buf_grew(out, got);
    cut_text(out, from, got == blob_written(blob));
    return buf_err(out);
}

enum err document_text_add(struct db *db, int64_t number, struct str body)
{
    return db_run(db, SQL_ADD, PARAMS(INT(number), STR_TEXT(body)));
}

enum err document_text_renew(struct db *db, int64_t number)
{
    enum err e = db_run(db, SQL_RENEW, PARAMS(INT(number)));

    return e ? e : purge(db);
}

enum err document_text_replace(struct db *db, int64_t number, struct str body)
{
    enum err e;

    if ((e = db_run(db, SQL_DROP, PARAMS(INT(number)))) || (e = document_text_add(db, number, body)))
        return e;
    return purge(db);
}

enum err document_text_drop(struct db *db, int64_t number)
{
    enum err e = db_run(db, SQL_DROP, PARAMS(INT(number)));

    return e ? e : purge(db);
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

enum err document_text_match(struct str words, struct buf *out)
{
    struct str rest = words;

    if (words.len > DOCUMENT_TEXT_BYTES || !str_is_utf8(words) || memchr(words.ptr, 0, words.len))
        return err_set(ERR_INVALID, "the words to find are more than %d bytes, or no text",
                       DOCUMENT_TEXT_BYTES);
    while (rest.len > 0) {
        if (is_space(*rest.ptr)) {
            rest.ptr++;
            rest.len--;
            continue;
        }
        buf_text(out, out->len ? " \"" : "\"");
        for (; rest.len > 0 && !is_space(*rest.ptr); rest.ptr++, rest.len--) {
            if (*rest.ptr == '"')
                buf_char(out, '"'); /* doubled, it is one that is looked for, and ends nothing */
            buf_char(out, *rest.ptr);
        }
        buf_char(out, '"');
    }
    if (out->len)
        buf_char(out, '*');
    return buf_err(out);
}
