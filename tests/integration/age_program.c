/* The age reader and writer as a program, for tests/integration/age_vectors.mjs.
 *
 *   age_program open   identity|passphrase|file-key KEY < FILE > PLAIN
 *   age_program seal   recipient|passphrase KEY         < PLAIN > FILE
 *
 * Keys on the command line: of tests alone. Tells the stage that failed, "header" or "payload", and the
 * outcome on standard error. */
#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "pds/crypto/age.h"
#include "pds/crypto/random.h"

#include <stdio.h>
#include <string.h>

enum { WORK_FACTOR = 10 };

static enum err take(void *context, void *out, size_t size, size_t *got)
{
    *got = fread(out, 1, size, context);
    return ferror((FILE *)context) ? err_set(ERR_IO, "standard input") : ERR_OK;
}

static enum err put(void *context, const void *bytes, size_t len)
{
    return fwrite(bytes, 1, len, context) == len ? ERR_OK : err_set(ERR_IO, "standard output");
}

/* What the command line says. */
struct given {
    struct secret_text *text;
    struct age_identity *identity;
    uint8_t file_key[AGE_FILE_KEY_BYTES], recipient[AGE_RECIPIENT_BYTES];
    struct age_keys keys;
};

static void given_done(struct given *g)
{
    secret_text_free(g->text);
    age_identity_free(g->identity);
}

static enum err read_key(const char *kind, const char *key, struct given *g)
{
    size_t len = 0;
    enum err e;

    if ((e = secret_text_new(key, strlen(key), &g->text)))
        return e;
    if (strcmp(kind, "identity") == 0) {
        e = age_identity_read(g->text, &g->identity);
        g->keys.identity = g->identity;
    } else if (strcmp(kind, "passphrase") == 0) {
        g->keys.passphrase = g->text;
    } else if (strcmp(kind, "file-key") == 0) {
        e = codec_unhex(str_of(key), g->file_key, sizeof g->file_key, &len);
        g->keys.file_key = g->file_key;
    } else {
        e = age_recipient_read(str_of(key), g->recipient);
    }
    return e;
}

static int told(const char *stage, enum err e)
{
    if (e)
        (void)fprintf(stderr, "%s %s: %s\n", stage, err_row(e)->name, err_story());
    return e ? 1 : 0;
}

static int open_file(const struct given *g)
{
    AUTO(age_reader_freep) struct age_reader *r = NULL;
    static uint8_t bytes[100000];
    size_t got = 1;
    enum err e;

    if ((e = age_reader_new(&g->keys, take, stdin, &r)))
        return told("header", e);
    while (got > 0) {
        if ((e = age_read(r, bytes, sizeof bytes, &got)) || (e = put(stdout, bytes, got)))
            return told("payload", e);
    }
    return 0;
}

static int seal_file(const struct given *g)
{
    AUTO(age_writer_freep) struct age_writer *w = NULL;
    static uint8_t bytes[100000];
    size_t got = 1;
    enum err e;

    if ((e = g->keys.passphrase ? age_writer_new_passphrase(g->text, WORK_FACTOR, put, stdout, &w)
                                : age_writer_new(g->recipient, put, stdout, &w)))
        return told("header", e);
    while (got > 0) {
        if ((e = take(stdin, bytes, sizeof bytes, &got)) || (e = age_write(w, bytes, got)))
            return told("payload", e);
    }
    return told("payload", age_finish(w));
}

int main(int argc, char *argv[])
{
    AUTO(given_done) struct given g = {0};
    enum err e;

    if (argc != 4 || random_start())
        return 2;
    if ((e = read_key(argv[2], argv[3], &g)))
        return told("key", e);
    return strcmp(argv[1], "seal") == 0 ? seal_file(&g) : open_file(&g);
}
