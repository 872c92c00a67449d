/* What stands in an age file in the place of a backup: each row is the list of its entries. */
#include "tests/harness/bytes.h"
#include "tests/harness/test.h"

#include "pds/archive/pack.h"
#include "pds/base/auto.h"
#include "pds/base/json.h"
#include "pds/base/limits.h"
#include "pds/crypto/random.h"
#include "pds/portable/backup_internal.h"

#include <string.h>

#define ONE   "files/0123456789abcdef0123456789abcdef"
#define OTHER "files/fedcba9876543210fedcba9876543210"

enum { PARTS = 6, FILE_MAX = 1024 * 1024 };

/* A part of which the content is NULL is computed: manifest and sums of what stands before them. */
struct part {
    const char *name, *content;
};

static enum err put_plain(void *context, const void *bytes, size_t len)
{
    return age_write(context, bytes, len);
}

static void put_part(struct pack_writer *pack, const struct part *part, struct backup_manifest *m,
                     struct buf *manifest)
{
    AUTO(buf_done) struct buf text;
    struct backup_entry *entry;

    buf_init(&text, 64 * KIB);
    if (part->content) {
        buf_text(&text, part->content);
        if (strcmp(part->name, BACKUP_MANIFEST) != 0 && strlen(part->name) < BACKUP_PATH_BYTES) {
            assert_ok(backup_manifest_add(m, str_of(part->name), text.len, &entry));
            sha256_of(text.data, text.len, entry->sha256);
        }
    } else if (strcmp(part->name, BACKUP_MANIFEST) == 0) {
        backup_manifest_write(m, &text);
        backup_manifest_write(m, manifest);
    } else {
        backup_manifest_sums(m, (struct str){manifest->data, manifest->len}, &text);
    }
    assert_ok(pack_begin(pack, part->name, (int64_t)text.len, 0));
    assert_ok(pack_write(pack, text.data, text.len));
    assert_ok(pack_end(pack));
}

static struct age_writer *seal(const struct part parts[static PARTS], struct buf *file)
{
    static const uint8_t SOMEBODY[AGE_RECIPIENT_BYTES] = {9};
    AUTO(pack_writer_freep) struct pack_writer *pack = NULL;
    AUTO(backup_manifest_done) struct backup_manifest m = {.made_at = 1800000000, .schema = 4};
    AUTO(buf_done) struct buf manifest;
    struct age_writer *w = NULL;

    buf_init(&manifest, 64 * KIB);
    assert_ok(age_writer_new(SOMEBODY, bytes_put, file, &w));
    assert_ok(pack_writer_new(PACK_TAR, put_plain, w, &pack));
    for (size_t i = 0; i < PARTS && parts[i].name; i++)
        put_part(pack, &parts[i], &m, &manifest);
    assert_ok(pack_finish(pack));
    assert_ok(age_finish(w));
    return w;
}

/* Counts what it is called for; refuses at a place. */
struct visits {
    int begun, ended, refuse_at;
    uint64_t bytes;
};

static enum err visit_begin(void *context, const struct backup_entry *entry)
{
    struct visits *v = context;

    (void)entry;
    return ++v->begun == v->refuse_at ? err_set(ERR_FULL, "no space") : ERR_OK;
}

static enum err visit_bytes(void *context, const void *bytes, size_t len)
{
    struct visits *v = context;

    (void)bytes;
    v->bytes += len;
    return ERR_OK;
}

static enum err visit_end(void *context, const struct backup_entry *entry)
{
    struct visits *v = context;

    (void)entry;
    v->ended++;
    return ERR_OK;
}

static enum err walk(const struct part parts[static PARTS], struct visits *v)
{
    static const struct backup_visitor VISITOR = {visit_begin, visit_bytes, visit_end};
    AUTO(backup_manifest_done) struct backup_manifest m = {0};
    AUTO(age_reader_freep) struct age_reader *reader = NULL;
    AUTO(age_writer_freep) struct age_writer *w = NULL;
    AUTO(buf_done) struct buf file;
    struct bytes s;

    buf_init(&file, FILE_MAX);
    w = seal(parts, &file);
    s = (struct bytes){.text = {file.data, file.len}};
    assert_ok(age_reader_new(&(struct age_keys){.file_key = age_file_key(w)}, bytes_get, &s, &reader));
    return backup_walk(reader, v ? &VISITOR : NULL, v, &m);
}

static void only_a_whole_backup_passes(void **state)
{
    static const struct {
        const char *what;
        enum err wanted;
        struct part parts[PARTS];
    } ROWS[] = {
        {"whole",
         ERR_OK,
         {{BACKUP_DATABASE, "db"}, {ONE, "1"}, {OTHER, ""}, {BACKUP_MANIFEST, NULL}, {BACKUP_SUMS, NULL}}},
        {"without files", ERR_OK, {{BACKUP_DATABASE, "db"}, {BACKUP_MANIFEST, NULL}, {BACKUP_SUMS, NULL}}},
        {"empty", ERR_UNSUPPORTED, {{0}}},
        {"something else", ERR_UNSUPPORTED, {{"letter.txt", "hello"}}},
        {"files alone", ERR_UNSUPPORTED, {{ONE, "1"}, {BACKUP_MANIFEST, NULL}, {BACKUP_SUMS, NULL}}},
        {"manifest alone", ERR_UNSUPPORTED, {{BACKUP_MANIFEST, NULL}, {BACKUP_SUMS, NULL}}},
        {"no manifest", ERR_CORRUPT, {{BACKUP_DATABASE, "db"}, {ONE, "1"}}},
        {"sums without manifest", ERR_CORRUPT, {{BACKUP_DATABASE, "db"}, {BACKUP_SUMS, NULL}}},
        {"no sums", ERR_CORRUPT, {{BACKUP_DATABASE, "db"}, {BACKUP_MANIFEST, NULL}}},
        {"other sums", ERR_CORRUPT, {{BACKUP_DATABASE, "db"}, {BACKUP_MANIFEST, NULL}, {BACKUP_SUMS, "x"}}},
        {"something behind",
         ERR_CORRUPT,
         {{BACKUP_DATABASE, "db"}, {BACKUP_MANIFEST, NULL}, {BACKUP_SUMS, NULL}, {OTHER, "1"}}},
        {"a manifest of others",
         ERR_CORRUPT,
         {{BACKUP_DATABASE, "db"}, {BACKUP_MANIFEST, "{}"}, {BACKUP_SUMS, NULL}}},
        {"the database twice",
         ERR_CORRUPT,
         {{BACKUP_DATABASE, "db"}, {BACKUP_DATABASE, "db"}, {BACKUP_MANIFEST, NULL}, {BACKUP_SUMS, NULL}}},
        {"a file twice",
         ERR_CORRUPT,
         {{BACKUP_DATABASE, "db"}, {ONE, "1"}, {ONE, "1"}, {BACKUP_MANIFEST, NULL}, {BACKUP_SUMS, NULL}}},
        {"a name that is no blob's",
         ERR_CORRUPT,
         {{BACKUP_DATABASE, "db"}, {"files/letter.txt", "1"}, {BACKUP_MANIFEST, NULL}, {BACKUP_SUMS, NULL}}},
        {"a short name",
         ERR_CORRUPT,
         {{BACKUP_DATABASE, "db"}, {"files/01", "1"}, {BACKUP_MANIFEST, NULL}, {BACKUP_SUMS, NULL}}},
        {"capitals",
         ERR_CORRUPT,
         {{BACKUP_DATABASE, "db"}, {"files/0123456789ABCDEF0123456789ABCDEF", "1"}, {BACKUP_MANIFEST, NULL}}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_row(ROWS[i].what, walk(ROWS[i].parts, NULL) == ROWS[i].wanted);
}

static void a_visitor_sees_each_content_once(void **state)
{
    static const struct part PARTS_OF[PARTS] = {
        {BACKUP_DATABASE, "db"}, {ONE, "123"}, {OTHER, ""}, {BACKUP_MANIFEST, NULL}, {BACKUP_SUMS, NULL}};
    struct visits v = {0};

    (void)state;
    assert_ok(walk(PARTS_OF, &v));
    assert_int_equal(v.begun, 3);
    assert_int_equal(v.ended, 3);
    assert_int_equal(v.bytes, 5);
    v = (struct visits){.refuse_at = 2};
    assert_err(walk(PARTS_OF, &v), ERR_FULL);
    assert_int_equal(v.ended, 1);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(only_a_whole_backup_passes),
        cmocka_unit_test(a_visitor_sees_each_content_once),
    };

    json_start();
    return random_start() ? 1 : cmocka_run_group_tests(TESTS, NULL, NULL);
}
