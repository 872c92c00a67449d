#include "pds/portable/restore.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/codec.h"
#include "pds/base/mem.h"
#include "pds/crypto/keyfile.h"
#include "pds/crypto/random.h"
#include "pds/crypto/sealfile.h"
#include "pds/portable/backup_internal.h"
#include "pds/portable/restore_internal.h"
#include "pds/store/recipient.h"
#include "pds/store/store.h"
#include "pds/store/store_check.h"
#include "pds/vault/vault.h"
#include "pds/vault/vault_before.h"
#include "pds/vault/vault_copy.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A blob key is only ever in guarded memory or in the vault: this one opens the new file of a blob. */
struct fresh_key {
    uint8_t bytes[KEY_BYTES];
};

struct restore {
    const struct restore_keys *keys;
    int64_t now;
    struct restore_place place;
    struct backup_manifest manifest; /* of the first reading */
    uint8_t *file_key;               /* guarded, owned: what opens the file the second time */
    struct store_key *root;          /* owned */
    struct keyfile *slots;           /* owned */
    struct secret_text *made_code;   /* owned; NULL when the old one goes on */
    const struct secret_text *code;  /* one of the two */
    struct vault_maker *maker;       /* owned; while the database is read */
    struct sealfile_writer *sealed;  /* owned; while a file is read */
    int file;                        /* its descriptor; -1 when there is none */
    struct fresh_key *fresh;         /* guarded, owned: keys of the files, in their order */
    size_t fresh_count;
};

static void restore_done(struct restore *r)
{
    sealfile_writer_free(r->sealed);
    if (r->file >= 0)
        (void)close(r->file); /* its folder goes with it */
    vault_maker_free(r->maker);
    restore_place_drop(&r->place);
    backup_manifest_done(&r->manifest);
    secret_release(r->file_key);
    secret_release(r->fresh);
    store_key_free(r->root);
    keyfile_free(r->slots);
    secret_text_free(r->made_code);
}

static const char *does_not_open(const struct restore_keys *keys)
{
    if (keys->backup_passphrase)
        return "this passphrase does not open the backup";
    return keys->identity ? "this identity does not open the backup"
                          : "this is not the recovery code that the store had when the backup was made";
}

/* The first reading: is all of it there, as it was made? */
static enum err verify(struct restore *r, int fd)
{
    AUTO(age_identity_freep) struct age_identity *derived = NULL;
    AUTO(age_reader_freep) struct age_reader *reader = NULL;
    struct age_keys keys = {.identity = r->keys->identity, .passphrase = r->keys->backup_passphrase};
    enum err e;

    if (r->keys->recovery_code) {
        if ((e = age_identity_of(r->keys->recovery_code, &derived)))
            return e;
        keys.identity = derived;
    }
    if ((e = age_reader_new(&keys, backup_get, &fd, &reader)) == ERR_WRONG_KEY)
        return err_wrap(e, "%s", does_not_open(r->keys));
    if (e)
        return e == ERR_INVALID ? ERR_CORRUPT : e; /* it begins as an age file does */
    if (!(r->file_key = secret_alloc(AGE_FILE_KEY_BYTES)))
        return err_set(ERR_NO_MEMORY, "reading the backup");
    memcpy(r->file_key, age_reader_key(reader), AGE_FILE_KEY_BYTES);
    return backup_walk(reader, NULL, NULL, &r->manifest);
}

/* Keys of its own for the new store: whoever had those of the old one has nothing of this. */
static enum err make_keys(struct restore *r)
{
    enum err e;

    if (!(r->fresh = secret_alloc(r->manifest.count * sizeof *r->fresh)))
        return err_set(ERR_NO_MEMORY, "keys of %zu files", r->manifest.count);
    if (!r->keys->recovery_code && (e = recovery_make(&r->made_code)))
        return e;
    r->code = r->made_code ? r->made_code : r->keys->recovery_code;
    if ((e = keyfile_new_of(r->manifest.store, &r->slots, &r->root)) ||
        (e = keyfile_set_passphrase(r->slots, r->root, r->keys->passphrase, r->keys->cost)) ||
        (e = keyfile_set_recovery(r->slots, r->root, r->code)) ||
        (r->keys->keyfile_key && (e = keyfile_set_keyfile(r->slots, r->root, r->keys->keyfile_key))))
        return e;
    return ERR_OK;
}

static bool is_database(const struct backup_entry *entry)
{
    return strcmp(entry->path, BACKUP_DATABASE) == 0;
}

/* A file under a key of its own. */
static enum err begin_file(struct restore *r, const char *path)
{
    AUTO(blob_key_freep) struct blob_key *key = blob_key_new();
    char at[FS_PATH_BYTES];
    enum err e;

    if (!key)
        return err_set(ERR_NO_MEMORY, "the key of a file");
    if (r->fresh_count + 1 >= r->manifest.count) /* the database is among them */
        return err_set(ERR_CORRUPT, "the backup changed while it was read");
    random_bytes(key->bytes, sizeof key->bytes);
    memcpy(r->fresh[r->fresh_count++].bytes, key->bytes, sizeof key->bytes);
    if ((e = fs_join(at, r->place.beside, path)))
        return e;
    if ((r->file = open(at, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
        return fs_error("making", "a file of the store");
    return sealfile_writer_new(r->file, key, &r->sealed);
}

static enum err visit_begin(void *context, const struct backup_entry *entry)
{
    struct restore *r = context;

    return is_database(entry) ? vault_maker_new(r->place.beside, r->root, r->manifest.store, &r->maker)
                              : begin_file(r, entry->path);
}

static enum err visit_bytes(void *context, const void *bytes, size_t len)
{
    struct restore *r = context;

    return r->sealed ? sealfile_write(r->sealed, bytes, len) : vault_maker_put(r->maker, bytes, len);
}

static enum err visit_end(void *context, const struct backup_entry *entry)
{
    struct restore *r = context;
    enum err e;

    if (is_database(entry)) {
        e = vault_maker_finish(r->maker);
        vault_maker_free(r->maker);
        r->maker = NULL;
        return e == ERR_INVALID ? err_wrap(ERR_CORRUPT, BACKUP_DATABASE) : e;
    }
    e = sealfile_finish(r->sealed);
    sealfile_writer_free(r->sealed);
    r->sealed = NULL;
    if (close(r->file) && !e)
        e = fs_error("closing", "a file of the store");
    r->file = -1;
    return e;
}

/* The second reading: what it holds, under the new keys. */
static enum err build(struct restore *r, int fd)
{
    static const struct backup_visitor VISITOR = {visit_begin, visit_bytes, visit_end};
    AUTO(age_reader_freep) struct age_reader *reader = NULL;
    AUTO(backup_manifest_done) struct backup_manifest again = {0};
    struct age_keys keys = {.file_key = r->file_key};
    char path[FS_PATH_BYTES];
    enum err e;

    if (lseek(fd, 0, SEEK_SET) != 0)
        return fs_error("reading again", "the backup");
    if ((e = fs_join(path, r->place.beside, "files")) || (e = fs_make_private_dir(path)) ||
        (e = age_reader_new(&keys, backup_get, &fd, &reader)) ||
        (e = backup_walk(reader, &VISITOR, r, &again)) || (e = backup_manifest_match(&r->manifest, &again)))
        return e;
    return (e = fs_join(path, r->place.beside, "keys.json")) ? e : keyfile_save(r->slots, path);
}

/* The vault says which key opens each file: now the fresh ones. */
static enum err rekey_files(struct db *db, const struct restore *r)
{
    enum err e;

    for (size_t i = 1; i < r->manifest.count; i++) {
        const struct backup_entry *entry = &r->manifest.entries[i];
        struct blob_row row = {.size = entry->size};

        memcpy(row.name, entry->path + sizeof BACKUP_FILES - 1, sizeof row.name);
        memcpy(row.sha256, entry->sha256, sizeof row.sha256);
        if ((e = blob_set_key(db, &row, r->fresh[i - 1].bytes)))
            return e == ERR_NOT_FOUND
                       ? err_set(ERR_CORRUPT, "file %zu of the backup is not in its database", i)
                       : e;
    }
    return ERR_OK;
}

static enum err settle_work(struct db *db, void *context)
{
    static const struct event RESTORED = {EVENT_RESTORED, "owner", "", NULL};
    const struct restore *r = context;
    enum err e;

    if ((e = rekey_files(db, r)) || (e = recipient_keep(db, r->code)))
        return e;
    return trail_add(db, &RESTORED, r->now, NULL);
}

static enum err settle(struct restore *r, struct store *store)
{
    struct vault *vault;
    enum err e;

    if ((e = store_enter(store, &vault)))
        return e;
    e = vault_write(vault, settle_work, r);
    store_leave(store);
    return e;
}

/* {"ok","pages","files","problems"}: all that was made is read once more. */
static enum err check(struct store *store, json_t **out)
{
    AUTO(json_freep) json_t *report = NULL;
    json_t *problems;
    const char *where, *what;
    int64_t unread;
    bool ok;
    enum err e;

    if ((e = store_check(store, NULL, &report)) || (e = json_get_bool(report, "ok", &ok)) ||
        (e = json_get_int(report, "unread", &unread)))
        return e;
    if (!ok && unread > 0)
        return err_set(ERR_IO, "reading the restored store: the disk refused %" PRId64 " reads", unread);
    if (!ok) {
        if (json_get_array(report, "problems", &problems) ||
            json_get_text(json_array_get(problems, 0), "where", &where) ||
            json_get_text(json_array_get(problems, 0), "what", &what))
            return err_wrap(ERR_CORRUPT, "the restored store");
        return err_set(ERR_CORRUPT, "the restored store: %s: %s", where, what);
    }
    *out = report;
    report = NULL; /* the caller's now */
    return ERR_OK;
}

/* Open it, as its owner will: older schemas are brought up. */
static enum err try_store(struct restore *r, json_t **report)
{
    AUTO(store_freep) struct store *store = NULL;
    enum err e;

    if ((e = store_new(r->place.beside, &store)) || (e = store_unlock(store, r->root, r->now)) ||
        (e = settle(r, store)) || (e = check(store, report)) || (e = store_lock(store)))
        return e;
    return vault_before_remove(r->place.beside); /* the backup is what was before */
}

static enum err answer(const struct restore *r, const json_t *report, json_t **out)
{
    AUTO(buf_done) struct buf id;
    char at[CLOCK_TEXT_BYTES];
    int64_t pages, files;
    enum err e;

    buf_init(&id, 64);
    codec_base64url(&id, r->manifest.store, sizeof r->manifest.store);
    clock_text(r->manifest.made_at, at);
    if ((e = buf_err(&id)) || (e = json_get_int(report, "pages", &pages)) ||
        (e = json_get_int(report, "files", &files)))
        return e;
    *out = json_pack("{s:s, s:s, s:I, s:I}", "store", id.data, "made_at", at, "files", (json_int_t)files,
                     "pages", (json_int_t)pages);
    return *out ? ERR_OK : err_set(ERR_NO_MEMORY, "the answer");
}

static enum err no_room(const struct restore *r)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < r->manifest.count; i++)
        bytes += r->manifest.entries[i].size; /* all of them were read */
    return err_set(ERR_FULL, "there is no room for the store, which takes about %llu MB",
                   (unsigned long long)(bytes / 1000000 + 1));
}

static enum err make(struct restore *r, int fd, const char *dir, json_t **out)
{
    AUTO(json_freep) json_t *report = NULL;
    AUTO(json_freep) json_t *told = NULL;
    struct stat facts;
    enum err e;

    if (fstat(fd, &facts) || !S_ISREG(facts.st_mode))
        return err_set(ERR_UNSUPPORTED, "no plain file, which a backup is: it is read twice");
    if ((e = passphrase_check_new(r->keys->passphrase)) || (e = restore_place_new(dir, &r->place)) ||
        (e = verify(r, fd)) || (e = make_keys(r)))
        return e;
    if ((e = build(r, fd)) || (e = try_store(r, &report)) || (e = answer(r, report, &told)) ||
        (e = restore_place_keep(&r->place)))
        return e == ERR_FULL ? no_room(r) : e;
    *out = told;
    told = NULL; /* the caller's now */
    return ERR_OK;
}

enum err restore_make(int fd, const char *dir, const struct restore_keys *keys, int64_t now,
                      struct secret_text **code, json_t **out)
{
    AUTO(restore_done) struct restore r = {.keys = keys, .now = now, .place.fd = -1, .file = -1};
    enum err e;

    if ((e = make(&r, fd, dir, out)))
        return e;
    *code = r.made_code;
    r.made_code = NULL; /* the caller's now */
    return ERR_OK;
}
