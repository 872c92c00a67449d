/* The words of documents. */
#include "pds/store/document_internal.h"

#include "pds/base/auto.h"
#include "pds/base/json.h"
#include "pds/store/blob_internal.h"
#include "pds/store/media.h"
#include "pds/vault/db.h"
#include "pds/vault/word.h"

#include <string.h>

/* What is searched of a row: its title, then the rest. */
static const char SQL_TEXTS[] =
    "SELECT d.title, d.reference, d.issuer, coalesce((SELECT group_concat(tag, char(10)) FROM document_tag "
    "WHERE document_number = d.number), ''), d.note, (SELECT file FROM document_version WHERE "
    "document_number = d.number ORDER BY version DESC LIMIT 1) FROM document d WHERE d.number = ?1";
enum { TEXTS = 6 };

static const char SQL_ADD[] =
    "INSERT INTO document_text (document_number, title, facts, body) VALUES (?1, ?2, ?3, ?4)";
static const char SQL_RENEW[] = "UPDATE document_text SET title = ?2, facts = ?3 WHERE document_number = ?1";
static const char SQL_DROP[] = "DELETE FROM document_text WHERE document_number = ?1";

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

/* Letters that are two in one, which keyboards and scanners write either way. */
static const struct {
    const char *letter, *two;
} LIGATURES[] = {{"œ", "oe"}, {"æ", "ae"}, {"ß", "ss"}, {"\ufb01", "fi"}, {"\ufb02", "fl"}};

/* How many bytes of the word its ligature at the front takes, which is added to out; 0 when there is none. */
static size_t add_ligature(struct str word, struct buf *out)
{
    for (size_t i = 0; i < sizeof LIGATURES / sizeof *LIGATURES; i++) {
        if (str_starts(word, str_of(LIGATURES[i].letter))) {
            buf_text(out, LIGATURES[i].two);
            return strlen(LIGATURES[i].letter);
        }
    }
    return 0;
}

/* Words as they stand in the row, and as they are looked for there. */
static enum err add_word(void *context, struct str word)
{
    struct buf *out = context;
    size_t taken;

    while (word.len > 0) {
        taken = (unsigned char)*word.ptr < 0x80 ? 0 : add_ligature(word, out);
        if (taken == 0) {
            buf_char(out, *word.ptr);
            taken = 1;
        }
        word = (struct str){word.ptr + taken, word.len - taken};
    }
    buf_char(out, '\n');
    return buf_err(out);
}

static enum err add_words(struct db *db, struct str text, struct buf *out)
{
    buf_char(out, '\n');
    return word_each(db, text, add_word, out);
}

static struct str held(const struct buf *b) { return (struct str){b->data, b->len}; }

static enum err read_texts(struct db *db, int64_t number, struct buf *title, struct buf *facts)
{
    AUTO(stmt_closep) struct stmt *row = NULL;
    enum err e;

    if ((e = db_query(db, SQL_TEXTS, PARAMS(INT(number)), &row)) || (e = stmt_next(row)))
        return e;
    for (int i = 0; i < TEXTS; i++) {
        if ((e = add_words(db, stmt_text(row, i), i == 0 ? title : facts)))
            return e;
    }
    return ERR_OK;
}

/* Folding may make a letter longer, and each word has a line break. */
enum { WORDS_BYTES = 4 * DOCUMENT_BODY_BYTES };

enum err document_text_add(struct db *db, int64_t number, struct str body)
{
    AUTO(buf_done) struct buf title, facts, words;
    enum err e;

    buf_init(&title, WORDS_BYTES);
    buf_init(&facts, WORDS_BYTES);
    buf_init(&words, WORDS_BYTES);
    if ((e = read_texts(db, number, &title, &facts)) || (e = add_words(db, body, &words)))
        return e;
    return db_run(
        db, SQL_ADD,
        PARAMS(INT(number), STR_TEXT(held(&title)), STR_TEXT(held(&facts)), STR_TEXT(held(&words))));
}

enum err document_text_renew(struct db *db, int64_t number)
{
    AUTO(buf_done) struct buf title, facts;
    enum err e;

    buf_init(&title, WORDS_BYTES);
    buf_init(&facts, WORDS_BYTES);
    if ((e = read_texts(db, number, &title, &facts)))
        return e;
    return db_run(db, SQL_RENEW, PARAMS(INT(number), STR_TEXT(held(&title)), STR_TEXT(held(&facts))));
}

enum err document_text_replace(struct db *db, int64_t number, struct str body)
{
    enum err e = document_text_drop(db, number);

    return e ? e : document_text_add(db, number, body);
}

enum err document_text_drop(struct db *db, int64_t number)
{
    return db_run(db, SQL_DROP, PARAMS(INT(number)));
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* The next piece between spaces; false after the last. */
static bool next_piece(struct str *rest, struct str *out)
{
    size_t n = 0;

    for (; rest->len > 0 && is_space(*rest->ptr); rest->len--)
        rest->ptr++;
    while (n < rest->len && !is_space(rest->ptr[n]))
        n++;
    *out = (struct str){rest->ptr, n};
    *rest = (struct str){rest->ptr + n, rest->len - n};
    return n > 0;
}

/* Each piece is a phrase of its words; one without any counts for nothing. */
static enum err gather(struct db *db, struct str words, json_t *needles)
{
    AUTO(buf_done) struct buf phrase;
    struct str piece;
    enum err e;

    buf_init(&phrase, WORDS_BYTES);
    while (next_piece(&words, &piece)) {
        buf_clear(&phrase);
        if ((e = add_words(db, piece, &phrase)))
            return e;
        if (phrase.len > 1 && json_array_append_new(needles, json_stringn(phrase.data, phrase.len)))
            return err_set(ERR_NO_MEMORY, "the words to find");
    }
    return ERR_OK;
}

/* The last one may be a beginning: it is looked for without the end of its last word. */
static enum err open_last(json_t *needles)
{
    json_t *last = json_array_get(needles, json_array_size(needles) - 1);

    if (last && json_string_setn(last, json_string_value(last), json_string_length(last) - 1))
        return err_set(ERR_NO_MEMORY, "the words to find");
    return ERR_OK;
}

enum err document_text_match(struct db *db, struct str words, struct buf *out)
{
    AUTO(json_freep) json_t *needles = json_array();
    enum err e;

    if (words.len > DOCUMENT_TEXT_BYTES || !str_is_utf8(words) || memchr(words.ptr, 0, words.len))
        return err_set(ERR_INVALID, "the words to find are more than %d bytes, or no text",
                       DOCUMENT_TEXT_BYTES);
    if (!needles)
        return err_set(ERR_NO_MEMORY, "the words to find");
    if ((e = gather(db, words, needles)) || (e = open_last(needles)))
        return e;
    json_write(out, needles);
    return buf_err(out);
}
