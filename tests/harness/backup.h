/* Backups of a temporary store, sealed to a code that the test knows. */
#ifndef HARNESS_BACKUP_H
#define HARNESS_BACKUP_H
#include "tests/harness/portable.h"

#include "pds/base/fs.h"
#include "pds/crypto/recovery.h"
#include "pds/portable/backup_internal.h"
#include "pds/store/recipient.h"

#include <fcntl.h>
#include <unistd.h>

/* 128 bits of the recovery code that docs/keys.md shows. */
static const char BACKUP_CODE[] = "008J4-CT4AN-K7F24-SNAXW-SQFEZ-WSZPY";

static inline struct secret_text *backup_code(void)
{
    struct secret_text *code = NULL;

    assert_ok(secret_text_new(BACKUP_CODE, sizeof BACKUP_CODE - 1, &code));
    return code;
}

static inline enum err backup_keep_code(struct db *db, void *code) { return recipient_keep(db, code); }

static inline void backup_knows_code(struct tmpstore *t)
{
    AUTO(secret_text_freep) struct secret_text *code = backup_code();

    assert_ok(vault_write(t->vault, backup_keep_code, code));
}

static inline enum err backup_keep_blob(struct db *db, void *writer)
{
    int64_t id;

    return blob_keep(db, writer, &id);
}

/* A file of the owner's; nothing names it but its row. */
static inline void backup_put_blob(struct tmpstore *t, const void *bytes, size_t len)
{
    AUTO(blob_writer_freep) struct blob_writer *w = NULL;

    assert_ok(blob_writer_new(t->store, &w));
    assert_ok(blob_write(w, bytes, len));
    assert_ok(blob_finish(w));
    assert_ok(vault_write(t->vault, backup_keep_blob, w));
    blob_kept(w);
}

/* An empty file without a name in the test's folder. */
static inline int backup_file(struct tmpstore *t)
{
    int fd = open(tempdir_root(t->dir), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    return fd;
}

static inline struct age_reader *backup_open(int *fd)
{
    AUTO(secret_text_freep) struct secret_text *code = backup_code();
    AUTO(age_identity_freep) struct age_identity *identity = NULL;
    struct age_reader *reader = NULL;

    assert_ok(age_identity_of(code, &identity));
    assert_int_equal(lseek(*fd, 0, SEEK_SET), 0);
    assert_ok(age_reader_new(&(struct age_keys){.identity = identity}, backup_get, fd, &reader));
    return reader;
}
#endif
