#include "pds/portable/backup.h"

#include "pds/archive/pack.h"
#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/crypto/random.h"
#include "pds/portable/backup_internal.h"
#include "pds/store/recipient.h"
#include "pds/vault/db.h"
#include "pds/vault/vault.h"
#include "pds/vault/vault_copy.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* log2 of what a passphrase costs: that of the age program. */
enum { WORK_FACTOR = 18, PIECE_BYTES = 256 * 1024 };

static const char SQL_SCHEMA[] = "PRAGMA user_version";

struct backup {
    struct store *store; /* borrowed */
    struct vault *vault; /* lent by the store */
    struct db *db;       /* a reader of what is copied */
    int fd;              /* borrowed */
    int64_t now;
    const atomic_bool *unwanted; /* borrowed; or NULL */
    struct age_writer *age;      /* owned */
    struct pack_writer *pack;    /* owned */
    struct backup_manifest manifest;
    struct sha256 hash; /* of the entry that is written */
    uint64_t bytes;     /* of the file so far */
    uint8_t *piece;     /* owned; PIECE_BYTES */
};

static void backup_done(struct backup *b)
{
    pack_writer_free(b->pack);
    age_writer_free(b->age);
    backup_manifest_done(&b->manifest);
    if (b->piece)
        random_wipe(b->piece, PIECE_BYTES);
    mem_free(b->piece);
}

static enum err put_file(void *context, const void *bytes, size_t len)
{
    struct backup *b = context;
    enum err e = fs_write_all(b->fd, bytes, len);

    b->bytes += len;
    return e == ERR_FULL ? err_set(e, "no space is left where the backup goes") : e;
}

static enum err go_on(const struct backup *b)
{
    if (store_is_closing(b->store))
        return err_set(ERR_LOCKED, "the store is being locked");
    return b->unwanted && atomic_load(b->unwanted) ? err_set(ERR_IO, "nobody wants it any more") : ERR_OK;
}

static enum err put_age(void *context, const void *bytes, size_t len)
{
    struct backup *b = context;
    enum err e = go_on(b);

    return e ? e : age_write(b->age, bytes, len);
}

static enum err get_back(void *context, void *out, size_t size, size_t *got)
{
    struct backup *b = context;
    enum err e = go_on(b);

    return e ? e : backup_get(&b->fd, out, size, got);
}

static enum err begin_entry(struct backup *b, const char *path, uint64_t size)
{
    struct backup_entry *entry;
    enum err e;

    sha256_init(&b->hash);
    if ((e = backup_manifest_add(&b->manifest, str_of(path), size, &entry)))
        return e;
    return pack_begin(b->pack, path, (int64_t)size, b->now);
}

static enum err put_entry(void *context, const void *bytes, size_t len)
{
    struct backup *b = context;

    sha256_add(&b->hash, bytes, len);
    return pack_write(b->pack, bytes, len);
}

static enum err end_entry(struct backup *b)
{
    sha256_end(&b->hash, b->manifest.entries[b->manifest.count - 1].sha256);
    return pack_end(b->pack);
}

static enum err begin_database(void *context, uint64_t size)
{
    struct backup *b = context;
    enum err e = db_number(b->db, SQL_SCHEMA, NO_PARAMS, &b->manifest.schema);

    return e ? e : begin_entry(b, BACKUP_DATABASE, size);
}

static enum err put_database(struct backup *b)
{
    enum err e;

    if ((e = vault_copy_seen(b->vault, b->db, begin_database, put_entry, b)))
        return e;
    return end_entry(b);
}

static enum err put_blob(struct backup *b, const struct blob_row *row)
{
    AUTO(blob_reader_freep) struct blob_reader *r = NULL;
    const struct backup_entry *entry;
    char path[BACKUP_PATH_BYTES] = BACKUP_FILES;
    size_t got = 0;
    enum err e;

    memcpy(path + sizeof BACKUP_FILES - 1, row->name, sizeof row->name);
    if ((e = blob_reader_new(b->store, b->db, row->id, &r)) || (e = begin_entry(b, path, row->size)))
        return e;
    for (uint64_t at = 0; at < row->size; at += got) {
        if ((e = blob_read(r, at, b->piece, PIECE_BYTES, &got)) || (e = put_entry(b, b->piece, got)))
            return e;
    }
    if ((e = end_entry(b)))
        return e;
    entry = &b->manifest.entries[b->manifest.count - 1];
    return memcmp(entry->sha256, row->sha256, SHA256_BYTES) == 0
               ? ERR_OK
               : err_set(ERR_CORRUPT, "blob %lld: not what was put in", (long long)row->id);
}

static enum err put_blobs(struct backup *b)
{
    struct blob_row row = {0};
    enum err e;

    while (!(e = blob_next(b->db, row.id, &row))) {
        if ((e = put_blob(b, &row)))
            return e == ERR_NOT_FOUND ? err_set(ERR_CORRUPT, "blob %lld: not there", (long long)row.id) : e;
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err put_text(struct backup *b, const char *path, const struct buf *text)
{
    enum err e;

    if ((e = buf_err(text)) || (e = pack_begin(b->pack, path, (int64_t)text->len, b->now)) ||
        (e = pack_write(b->pack, text->data, text->len)))
        return e;
    return pack_end(b->pack);
}

static enum err put_manifest(struct backup *b)
{
    AUTO(buf_done) struct buf manifest, sums;
    enum err e;

    buf_init(&manifest, LIMIT_BACKUP_MANIFEST_BYTES);
    buf_init(&sums, LIMIT_BACKUP_MANIFEST_BYTES);
    backup_manifest_write(&b->manifest, &manifest);
    if ((e = put_text(b, BACKUP_MANIFEST, &manifest)))
        return e;
    backup_manifest_sums(&b->manifest, (struct str){manifest.data, manifest.len}, &sums);
    return put_text(b, BACKUP_SUMS, &sums);
}

/* All of it, from the first byte to the last. */
static enum err put_all(struct backup *b)
{
    enum err e;

    if ((e = pack_writer_new(PACK_TAR, put_age, b, &b->pack)) || (e = put_database(b)) ||
        (e = put_blobs(b)) || (e = put_manifest(b)) || (e = pack_finish(b->pack)) || (e = age_finish(b->age)))
        return e;
    return fsync(b->fd) ? fs_error("syncing", "the backup") : ERR_OK;
}

/* Read what was written, from the descriptor, with the file's own key. */
static enum err read_back(struct backup *b)
{
    AUTO(age_reader_freep) struct age_reader *reader = NULL;
    AUTO(backup_manifest_done) struct backup_manifest read = {0};
    struct age_keys keys = {.file_key = age_file_key(b->age)};
    enum err e;

    (void)posix_fadvise(b->fd, 0, 0, POSIX_FADV_DONTNEED); /* from the disk rather than from memory: a hint */
    if (lseek(b->fd, 0, SEEK_SET) != 0)
        return fs_error("reading back", "the backup");
    if ((e = age_reader_new(&keys, get_back, b, &reader)) || (e = backup_walk(reader, NULL, NULL, &read)) ||
        (e = backup_manifest_match(&read, &b->manifest)))
        /* The store is whole: it is the medium that is not. */
        return err_wrap(e == ERR_NO_MEMORY || e == ERR_LOCKED ? e : ERR_IO, "reading back what was written");
    return ERR_OK;
}

static enum err begin_work(struct db *db, void *context)
{
    static const struct event MADE = {EVENT_BACKED_UP, "owner", "", NULL};
    const struct backup *b = context;

    return trail_add(db, &MADE, b->now, NULL);
}

static enum err find_recipient(struct backup *b, uint8_t out[static AGE_RECIPIENT_BYTES])
{
    AUTO(reader_done) struct reader r = {b->vault, NULL};
    enum err e;

    if ((e = vault_read(b->vault, &r.db)))
        return e;
    if ((e = recipient_get(r.db, out)) == ERR_NOT_FOUND)
        return err_set(ERR_NOT_FOUND,
                       "this store does not know yet whom its backups are sealed to: run \"traboule recover "
                       "STORE --age-identity\" once with the recovery code, or give --with-passphrase-file");
    return e;
}

static enum err answer(const struct backup *b, const uint8_t *recipient, json_t **out)
{
    AUTO(buf_done) struct buf text;
    enum err e;

    buf_init(&text, 128);
    if (recipient)
        age_recipient_text(&text, recipient);
    if ((e = buf_err(&text)))
        return e;
    *out = json_pack(
        "{s:I, s:I, s:I, s:s?}", "bytes", (json_int_t)b->bytes, "files", (json_int_t)b->manifest.count - 1,
        "pages", (json_int_t)b->manifest.entries[0].size / 4096, "recipient", recipient ? text.data : NULL);
    return *out ? ERR_OK : err_set(ERR_NO_MEMORY, "the answer");
}

/* Inside the store, its files held. */
static enum err make(struct backup *b, const struct secret_text *passphrase, json_t **out)
{
    AUTO(reader_done) struct reader r = {b->vault, NULL};
    uint8_t recipient[AGE_RECIPIENT_BYTES];
    enum err e;

    if (!(b->piece = mem_new(PIECE_BYTES)))
        return err_set(ERR_NO_MEMORY, "a backup");
    if ((!passphrase && (e = find_recipient(b, recipient))) ||
        (e = vault_write_reserved(b->vault, begin_work, b)) || /* a full disk is a time for backups */
        (e = passphrase ? age_writer_new_passphrase(passphrase, WORK_FACTOR, put_file, b, &b->age)
                        : age_writer_new(recipient, put_file, b, &b->age)) ||
        (e = vault_read(b->vault, &r.db)))
        return e;
    b->db = r.db;
    if ((e = put_all(b)) || (e = read_back(b)))
        return e;
    return answer(b, passphrase ? NULL : recipient, out);
}

enum err backup_make_while(struct store *s, int fd, const struct secret_text *passphrase, int64_t now,
                           const atomic_bool *unwanted, json_t **out)
{
    AUTO(backup_done) struct backup b = {.store = s, .fd = fd, .now = now, .unwanted = unwanted};
    char place[128];
    enum err e;

    if (store_is_damaged(s, place, sizeof place))
        return err_set(ERR_CORRUPT, "a damaged store yields no backup: %s", place);
    if ((e = store_enter(s, &b.vault)))
        return e;
    b.manifest.made_at = now;
    memcpy(b.manifest.store, store_id(s), STORE_ID_BYTES);
    blob_hold(s);
    e = make(&b, passphrase, out);
    blob_unhold(s); /* its reader is given back */
    store_leave(s);
    return e;
}

enum err backup_make(struct store *s, int fd, const struct secret_text *passphrase, int64_t now, json_t **out)
{
    return backup_make_while(s, fd, passphrase, now, NULL, out);
}
